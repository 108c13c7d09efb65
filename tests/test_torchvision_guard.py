"""Beside any build of torch, torchvision imports after the guard; tried in a process of its own, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
from socratic.torchvision_guard import guard
guard()
guard()
import torchvision
from torchvision.transforms import functional
import torch
print(tuple(functional.resize(torch.zeros(3, 8, 8), [4, 4]).shape))
try:
    kept = torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([1.0]), 0.5)
    print("nms", kept.tolist())
except (NotImplementedError, RuntimeError):
    print("no nms")
"""


def test_torchvision_imports_and_transforms_and_invents_no_kernel() -> None:
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.splitlines() in (["(3, 4, 4)", "no nms"], ["(3, 4, 4)", "nms [0]"]), done.stderr
