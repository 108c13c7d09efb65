"""Weights of transformers models: read completely or not at all. Knows no model class.

transformers fills weights that a checkpoint lacks with random numbers and says so in a log line only; here that
is an error. Original `.pth` checkpoints are read as plain tensors, never as pickled code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from socratic.errors import ModelUnavailable, SocraticError
from socratic.hub import missing_package
from socratic.torchvision_guard import guard

Weights = dict[str, Any]
"""Tensors by name."""


def library() -> Any:
    """The transformers package, without its progress bars.

    Raises:
        ModelUnavailable: it is not installed.
    """
    try:
        guard()
        import transformers
        from transformers.utils import logging
    except ImportError as error:
        raise missing_package(error, "local") from error
    logging.disable_progress_bar()
    return transformers


@contextmanager
def reading(what: str, model: str) -> Iterator[None]:
    """Makes one error of all that transformers raises over a folder that it cannot read.

    Args:
        what: such as `a detector`.
        model: the folder or hub name.
    """
    try:
        yield
    except SocraticError:
        raise
    except ImportError as error:
        raise missing_package(error, "local") from error
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelUnavailable(
            f"transformers cannot load {what} from {model}: {error}", hint=f"hf download {model}"
        ) from error


def kind_of(folder: Path, known: Any) -> str:
    """The model class that a folder names.

    Raises:
        ModelUnavailable: it is none of the known ones.
    """
    named = library().AutoConfig.from_pretrained(folder, trust_remote_code=False).architectures or [""]
    if named[0] not in known:
        raise ModelUnavailable(f"{folder} holds {named[0] or 'no named model'}", hint=f"one of {', '.join(known)}")
    return str(named[0])


def is_file(model: str) -> bool:
    """Whether a profile names an original checkpoint rather than a folder or a hub name."""
    return model.endswith((".pth", ".pt"))


def read_file(model: str) -> tuple[Weights, str]:
    """The tensors of a `.pth` file, and the hash of the file.

    Raises:
        ModelUnavailable: there is no such file, or it holds more than tensors.
    """
    import torch

    path = Path(model)
    try:
        with path.open("rb") as file:
            revision = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelUnavailable(f"there is no checkpoint {model}", hint="check the path") from error
    except Exception as error:  # torch raises a dozen kinds for what is no checkpoint
        raise ModelUnavailable(f"{model} is no checkpoint of plain tensors: {error}", hint="fetch it again") from error
    for wrapper in ("model", "state_dict"):
        found = found.get(wrapper, found) if isinstance(found, dict) else {}
    return {str(k).removeprefix("module."): v for k, v in found.items() if isinstance(v, torch.Tensor)}, revision


def load_folder(model_class: Any, folder: Path, dtype: Any) -> Any:
    """A transformers model from a folder with safetensors.

    Raises:
        ModelUnavailable: weights are missing, or have another shape than the configuration says.
    """
    model, report = model_class.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, output_loading_info=True
    )
    return _complete(model, report, str(folder))


def load_weights(model_class: Any, config: Any, weights: Weights, dtype: Any, source: str) -> Any:
    """A transformers model from converted tensors; they may have the names of transformers 4.

    Raises:
        ModelUnavailable: as for `load_folder`.
    """
    try:
        model, report = model_class.from_pretrained(
            None, config=config, state_dict=weights, dtype=dtype, output_loading_info=True
        )
    except RuntimeError as error:  # shapes that do not fit together
        raise ModelUnavailable(f"{source} cannot be read: {error}", hint="fetch the checkpoint again") from error
    return _complete(model, report, source)


def _complete(model: Any, report: dict[str, Any], source: str) -> Any:
    missing = sorted([*report["missing_keys"], *(str(m[0]) for m in report["mismatched_keys"])])
    if missing:
        raise ModelUnavailable(
            f"{source} lacks {len(missing)} weights, or has them in another shape: {', '.join(missing[:3])}",
            hint="fetch the checkpoint again, or name a complete one",
        )
    return model.eval()


def layers(weights: Weights, prefix: str) -> int:
    """How many numbered layers there are below a name."""
    return 1 + max((int(k[len(prefix) :].split(".")[0]) for k in weights if k.startswith(prefix)), default=-1)
