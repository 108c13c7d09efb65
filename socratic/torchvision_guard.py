"""Lets torchvision import beside a CPU build of torch; changes nothing where it already imports.

The published torchvision wheels link against CUDA. Beside a CPU torch their extension does not load, the
operators `nms` and `qnms` stay undefined, and the import of torchvision (and of open_clip, timm, transformers
and diffusers with it) fails. Call `guard()` before the first of those imports. It adds no kernels: running
`torchvision.ops.nms` still raises.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

_keep_alive: list[Any] = []


@cache
def guard() -> None:
    """Imports torchvision, declaring the two operators when exactly they are missing."""
    try:
        import torchvision  # noqa: F401
    except ModuleNotFoundError:
        return
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        _declare_missing_operators()


def _declare_missing_operators() -> None:
    import torch

    for name in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _keep_alive.append(library)
    import torchvision  # noqa: F401
