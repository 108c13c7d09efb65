"""A model goes where the machine allows, and a wish that it cannot grant is an error with advice."""

from __future__ import annotations

import pytest
import torch

from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable


def test_the_processor_computes_in_full_precision() -> None:
    assert place("cpu") == ("cpu", torch.float32)
    assert place("cpu", "bfloat16") == ("cpu", torch.bfloat16)


def test_auto_takes_the_best_that_is_there() -> None:
    device, dtype = place()
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert device == best and (dtype == torch.float32) == (best == "cpu")


def test_a_gpu_in_sight_computes_in_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for able, dtype in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda able=able: able)
        assert place() == ("cuda", dtype)


def test_wishes_that_cannot_be_granted() -> None:
    with pytest.raises(BadInput, match="no dtype 'float13'"):
        place("cpu", "float13")
    if not torch.cuda.is_available():
        with pytest.raises(ModelUnavailable, match="no device 'cuda:1'"):
            place("cuda:1")


def test_size_counts_parameters_and_buffers() -> None:
    norm = torch.nn.BatchNorm1d(3)
    assert size_in_bytes(norm, torch.nn.Linear(2, 2)) == 4 * (3 + 3 + 3 + 3) + 8 + 4 * 6
