"""Weights by name, offline: what is not here is said at once, and what was fetched first is what is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from socratic.errors import ModelUnavailable
from socratic.hub import local_snapshot, missing_package, revisions_path

huggingface_hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")
PATTERNS = ["*.json", "*.safetensors"]
FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub client, which takes itself for offline."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def fetched(hub: Path, revision: str, main: bool = True) -> Path:
    """Puts a repository into the cache as the hub client would have done."""
    folder = hub / "models--org--name" / "snapshots" / revision
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"revision": revision}))
    if main:
        refs = hub / "models--org--name" / "refs"
        refs.mkdir(exist_ok=True)
        (refs / "main").write_text(revision)
    return folder


@pytest.mark.parametrize(
    ("name", "command"), [("org/name", "hf download org/name"), ("org/name@v2", "hf download org/name --revision v2")]
)
def test_what_is_not_on_this_machine_is_said_at_once_with_the_command(hub: Path, name: str, command: str) -> None:
    began = time.monotonic()
    with pytest.raises(ModelUnavailable, match="weights of org/name are not on this machine") as caught:
        local_snapshot(name, PATTERNS)
    assert caught.value.hint == command
    assert time.monotonic() - began < 10, "no retries"
    assert not revisions_path().exists()


def test_the_network_is_tried_once(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def failing(**arguments: object) -> str:
        tries.append(arguments)
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", failing)
    with pytest.raises(ModelUnavailable, match="ConnectionError"):
        local_snapshot("org/name", PATTERNS)
    assert len(tries) == 1 and tries[0]["allow_patterns"] == PATTERNS


def test_the_first_revision_is_recorded_beside_the_stage_cache(hub: Path) -> None:
    folder = fetched(hub, FIRST)
    assert local_snapshot("org/name", PATTERNS) == folder
    assert json.loads(revisions_path().read_text()) == {"org/name": FIRST}


def test_the_recorded_revision_is_used_when_main_has_moved_on(hub: Path) -> None:
    folder = fetched(hub, FIRST)
    local_snapshot("org/name", PATTERNS)
    newer = fetched(hub, SECOND)
    assert local_snapshot("org/name", PATTERNS) == folder
    revisions_path().unlink()
    assert local_snapshot("org/name", PATTERNS) == newer, "until the entry is removed"


def test_another_revision_can_be_asked_for_and_changes_no_record(hub: Path) -> None:
    folder = fetched(hub, FIRST)
    local_snapshot("org/name", PATTERNS)
    newer = fetched(hub, SECOND, main=False)
    assert local_snapshot(f"org/name@{SECOND}", PATTERNS) == newer
    assert local_snapshot("org/name", PATTERNS) == folder


def test_a_recorded_revision_that_is_gone_is_fetched_as_such(hub: Path) -> None:
    fetched(hub, SECOND)
    revisions_path().write_text(json.dumps({"org/name": FIRST}))
    with pytest.raises(ModelUnavailable) as caught:
        local_snapshot("org/name", PATTERNS)
    assert caught.value.hint == f"hf download org/name --revision {FIRST}"


@pytest.mark.parametrize("content", ["", "[]", "{half", "\x00"])
def test_a_damaged_record_is_made_anew(hub: Path, content: str) -> None:
    folder = fetched(hub, FIRST)
    revisions_path().write_text(content)
    assert local_snapshot("org/name", PATTERNS) == folder
    assert json.loads(revisions_path().read_text()) == {"org/name": FIRST}


def test_a_record_that_cannot_be_written_does_not_stop_the_run(
    hub: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SOCRATIC_CACHE", str(tmp_path / "file" / "stages.sqlite"))
    folder = fetched(hub, FIRST)
    assert local_snapshot("org/name", PATTERNS) == folder


@pytest.mark.parametrize("name", ["/no/such/folder", "./models/clip", "~/clip", "a/b/c"])
def test_a_path_is_not_taken_for_a_name(hub: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable, match=f"there is no folder {name}"):
        local_snapshot(name, PATTERNS)


def test_a_missing_package_is_said_with_the_command_that_installs_it() -> None:
    error = missing_package(ModuleNotFoundError("No module named 'timm'", name="timm"), "local")
    assert "the package timm is missing" in error.message and error.hint == "pip install 'socratic[local]'"


def test_without_the_hub_client_the_extra_is_named() -> None:
    code = """
import sys
sys.modules["huggingface_hub"] = None
from socratic.errors import ModelUnavailable
from socratic.hub import local_snapshot
try:
    local_snapshot("org/name", [])
except ModelUnavailable as error:
    print(error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.strip() == "pip install 'socratic[local]'"
