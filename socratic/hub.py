"""Checkpoints on a hub: fetched by name, and held at the revision that was fetched first.

The revision of each repository is written to a small file in the user's cache folder at the first download;
later runs load the same one, also offline, until the entry is removed. Only safe files are fetched
(safetensors, JSON, text); no code of a repository is ever run. Knows no model class.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from socratic.cache import default_path
from socratic.errors import ModelUnavailable


def missing_package(error: ImportError, extra: str) -> ModelUnavailable:
    """The error for a package that is not installed, with the command that installs it."""
    return ModelUnavailable(
        f"the package {error.name or error} is missing, and this model needs it",
        hint=f"pip install 'socratic[{extra}]'",
    )


def revisions_path() -> Path:
    """The file that holds the revisions: beside the stage cache."""
    return default_path().parent / "revisions.json"


def local_snapshot(name: str, patterns: list[str]) -> Path:
    """The folder of a hub repository `org/name[@revision]`, fetched if need be.

    Raises:
        ModelUnavailable: it is not on this machine and cannot be fetched; the hint fetches it elsewhere.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise missing_package(error, "local") from error
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelUnavailable(f"there is no folder {name}", hint="check the path, or give a hub name: org/name")
    repo, _, asked = name.partition("@")
    revision = asked or _held().get(repo)
    arguments: dict[str, Any] = {"repo_id": repo, "revision": revision, "allow_patterns": patterns}
    folder = None
    if revision:
        with suppress(Exception):  # the hub client raises a dozen kinds
            folder = Path(snapshot_download(**arguments, local_files_only=True))
    folder = folder or _fetched(repo, revision, arguments)
    _hold(repo, folder.name)
    return folder


def find_weights(model: str, patterns: list[str]) -> tuple[Path, str]:
    """The folder of a model, and what tells its weights apart from others.

    Args:
        model: a local folder, or a hub name `org/name[@revision]`.
        patterns: the files that are fetched from a hub.

    Raises:
        ModelUnavailable: it is not on this machine and cannot be fetched.
    """
    if Path(model).is_dir():
        return Path(model), content_hash(Path(model))
    folder = local_snapshot(model, patterns)
    return folder, f"{model.partition('@')[0]}@{folder.name}"


def size_on_disk(model: str) -> int:
    """How many bytes of weights a model has on this machine; 0 when it is not here, or not in files of ours.

    Args:
        model: as profiles name it: a folder or file, `local-dir:folder`, `hf-hub:org/name` or `org/name[@revision]`.
    """
    path = Path(model.removeprefix("local-dir:"))
    if not model or not path.exists():
        repo, _, asked = model.removeprefix("hf-hub:").partition("@")
        path = _snapshots(repo) / (asked or _held().get(repo, "-"))
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.suffix in (".safetensors", ".bin", ".pt", ".pth"))


def _snapshots(repo: str) -> Path:
    """Where the hub client keeps the revisions of a repository."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    return cache / f"models--{repo.replace('/', '--')}" / "snapshots"


def content_hash(folder: Path) -> str:
    """A hash over the configuration and weight files of a folder and its subfolders."""
    digest = hashlib.sha256()
    for path in sorted(
        p for p in folder.rglob("*") if p.suffix in (".json", ".jinja", ".safetensors", ".pth", ".pt", ".bin")
    ):
        digest.update(str(path.relative_to(folder)).encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _fetched(repo: str, revision: str | None, arguments: dict[str, Any]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(**arguments))
    except Exception as error:  # the hub client raises a dozen kinds: offline, gated, unknown, no disk
        at = f" --revision {revision}" if revision else ""
        raise ModelUnavailable(
            f"the weights of {repo} are not on this machine and could not be fetched ({type(error).__name__})",
            hint=f"hf download {repo}{at}",
        ) from error


def _held() -> dict[str, str]:
    try:
        held = json.loads(revisions_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _hold(repo: str, revision: str) -> None:
    held = _held()
    if repo in held:  # the first one stays, also when another is asked for by its name
        return
    path = revisions_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({**held, repo: revision}, indent=2), encoding="utf-8")
        fresh.replace(path)
    except OSError:
        pass  # a read-only home costs reproducibility of the next download, not this run
