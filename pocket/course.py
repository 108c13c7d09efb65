"""The training loop that the pocket trainers share: warm-up and cosine decay, clipping, an averaged copy, resuming.

A course is run until its last step; stopped and run again, it goes on from its last checkpoint. What is learnt
and from what is the trainers' affair.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def run(
    name: str,
    model: torch.nn.Module,
    loss_of: Callable[[int], tuple[Tensor, dict[str, float]]],
    *,
    steps: int,
    lr: float,
    work: Path,
    save: Callable[[Any], None],
    decay: float = 0.02,
    average: float = 0.0,
    every: int = 250,
) -> torch.nn.Module:
    """Trains `model` in place with AdamW, and returns the model as it was last saved.

    Args:
        name: of the checkpoint in `work`, which resumes the course.
        loss_of: the loss of a step, and figures for the log. It must depend on the step alone.
        lr: the highest learning rate; reached after 4 % of the steps, then decays as a cosine to 2 %.
        save: writes the model (the averaged one, where there is one) for use; called at every checkpoint.
        average: decay of an exponential moving average of the weights; 0 for none.
        every: steps between checkpoints.
    """
    work.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)  # numbers next to zero cost a processor a hundred times as much
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}], betas=(0.9, 0.98)
    )
    averaged = copy.deepcopy(model) if average else model
    state, first = work / f"{name}-state.pt", 0
    if state.is_file():
        kept = torch.load(state, weights_only=True)
        model.load_state_dict(kept["model"])
        averaged.load_state_dict(kept["averaged"])
        optimiser.load_state_dict(kept["optimiser"])
        first = kept["step"]
    began = time.time()
    sums: dict[str, float] = {}
    for step in range(first, steps):
        for group in optimiser.param_groups:
            group["lr"] = lr * _pace(step / steps)
        loss, figures = loss_of(step)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if average:
            _follow(averaged, model, min(average, (1 + step) / (10 + step)))
        for key, figure in {"loss": float(loss.detach()), **figures}.items():
            sums[key] = sums.get(key, 0.0) + figure
        if (step + 1) % 50 == 0:
            told = {key: round(total / 50, 4) for key, total in sums.items()}
            print(json.dumps({name: step + 1, **told, "seconds": round(time.time() - began)}), flush=True)
            sums = {}
        if (step + 1) % every == 0 or step + 1 == steps:
            fresh = state.with_suffix(".new")
            kept = {"model": model.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save({**kept, "step": step + 1}, fresh)
            fresh.replace(state)
            save(averaged)
    return averaged


def _pace(done: float) -> float:
    warm = 0.04
    if done < warm:
        return (done + 1e-4) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


@torch.no_grad()
def _follow(averaged: torch.nn.Module, model: torch.nn.Module, keep: float) -> None:
    for mine, theirs in zip(averaged.parameters(), model.parameters(), strict=True):
        mine.lerp_(theirs, 1 - keep)
    for kept, fresh in zip(averaged.buffers(), model.buffers(), strict=True):
        kept.copy_(fresh)
