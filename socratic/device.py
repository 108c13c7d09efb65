"""Where a local model runs and in which number format, chosen by what this machine has. Loads nothing itself."""

from __future__ import annotations

from typing import Any

from socratic.errors import BadInput, ModelUnavailable


def place(device: str = "auto", dtype: str = "auto") -> tuple[str, Any]:
    """The device, and the torch dtype for the weights.

    Args:
        device: a torch device, or `auto`: the CUDA GPU, else Apple's, else the CPU.
        dtype: a torch dtype's name, or `auto`: bfloat16 where a GPU computes in it, float16 on other GPUs,
            float32 on the CPU.

    Raises:
        ModelUnavailable: the device is not on this machine.
        BadInput: there is no such dtype.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind = device.partition(":")[0]
    if (kind == "cuda" and not torch.cuda.is_available()) or (kind == "mps" and not torch.backends.mps.is_available()):
        raise ModelUnavailable(f"this machine has no device {device!r}", hint='set device = "cpu" in the profile')
    if dtype == "auto":
        bf16 = kind == "cuda" and torch.cuda.is_bf16_supported()
        dtype = "float32" if kind == "cpu" else "bfloat16" if bf16 else "float16"
    chosen = getattr(torch, dtype, None)
    if not isinstance(chosen, torch.dtype):
        raise BadInput(f"there is no dtype {dtype!r}", hint="auto, float32, float16 or bfloat16")
    return device, chosen


def size_in_bytes(*models: Any) -> int:
    """Memory that the parameters and buffers of torch modules take."""
    return sum(t.numel() * t.element_size() for m in models for t in (*m.parameters(), *m.buffers()))
