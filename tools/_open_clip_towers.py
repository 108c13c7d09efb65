"""What `open_clip.py` and `coca.py` share: a model of open_clip by name, from the hub or from a folder. Embeds nothing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from socratic.errors import ModelUnavailable
from socratic.hub import content_hash, local_snapshot, missing_package
from socratic.torchvision_guard import guard

FILES = ["*.json", "*.txt", "*.model", "open_clip_model.safetensors"]


def towers(model: str, pretrained: str | None) -> tuple[Any, Any, Any, str]:
    """The model, its preprocessing, its tokenizer, and what tells its weights apart.

    Args:
        model: an open_clip name, `hf-hub:org/name[@revision]` or `local-dir:path`.
        pretrained: open_clip's weights tag for a plain name. Random weights are never used silently.

    Raises:
        ModelUnavailable: open_clip or the weights are missing.
    """
    try:
        guard()
        import open_clip
    except ImportError as error:
        raise missing_package(error, "local") from error
    logging.getLogger("open_clip").setLevel(logging.WARNING)
    if model.startswith("hf-hub:"):
        model = f"local-dir:{local_snapshot(model.removeprefix('hf-hub:'), FILES)}"
    root = logging.getLogger()
    root.addFilter(_quiet)
    try:
        made, _, preprocess = open_clip.create_model_and_transforms(
            model, pretrained=pretrained, require_pretrained=True
        )
        tokenizer = open_clip.get_tokenizer(model)
    except (FileNotFoundError, RuntimeError, ValueError, OSError) as error:
        raise ModelUnavailable(
            f"open_clip cannot load {model!r}" + (f" with weights {pretrained!r}" if pretrained else "") + f": {error}",
            hint="check the name with `python -c 'import open_clip; print(open_clip.list_pretrained())'`, "
            "or give hf-hub:org/name or local-dir:path",
        ) from error
    finally:
        root.removeFilter(_quiet)
    return made, preprocess, tokenizer, _revision(model, pretrained)


def _quiet(record: logging.LogRecord) -> bool:
    """open_clip logs each step of loading to the root logger."""
    return record.levelno > logging.WARNING


def _revision(model: str, pretrained: str | None) -> str:
    """Tells weights apart: the hash of local ones, else the name and tag."""
    if not model.startswith("local-dir:"):
        return f"{model}:{pretrained}"
    return content_hash(Path(model.removeprefix("local-dir:")))
