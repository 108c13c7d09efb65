"""What each piece contributes: the sections of a prompt, or the descriptors of classes, each left out in turn.

A section is left out of the prompt and the experiment is run without it; a descriptor is left out of its class and the
pictures are labelled anew from vectors that are there already. A piece helps where leaving it out is worse, by the same
paired tests as everywhere. Pieces that say the same thing twice each look idle: leave both out to see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from socratic.capability import Embedder
from socratic.descriptors import Descriptors
from socratic.errors import BadInput
from socratic.experiments import described, edits
from socratic.experiments.confusion import Confusion, confusion
from socratic.experiments.spec import Spec
from socratic.experiments.statistics import Estimate
from socratic.experiments.values import Item, Results
from socratic.experiments.verdicts import Comparison, Contrast, compare

Run = Callable[[Spec, Path], Results]
Role = Literal["helps", "hurts", "makes no difference", "inconclusive"]
WHOLE = "whole prompt"
_ROLES: dict[str, Role] = {"worse": "helps", "better": "hurts", "equal": "makes no difference"}


@dataclass(frozen=True)
class Piece:
    """What one piece contributes.

    Attributes:
        text: what it says.
        contribution: what the metric loses without it, with its interval; below zero where it is better without.
        role: the verdict, as one of the piece.
        contrast: the variant without the piece, against the whole.
    """

    name: str
    text: str
    contribution: Estimate
    role: Role
    contrast: Contrast

    def say(self) -> str:
        return f"{self.contribution.say('+')}  {self.role:20} {self.name}"

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "text": self.text, "contribution": self.contribution.as_dict(), "role": self.role, "contrast": self.contrast.as_dict()}  # fmt: skip


@dataclass(frozen=True)
class Ablation:
    """The pieces of something, the one that contributes most first.

    Attributes:
        what: of what they are pieces.
        comparison: every variant without a piece, against the whole.
        results: the run behind it.
    """

    what: str
    pieces: tuple[Piece, ...]
    comparison: Comparison
    results: Results

    def say(self) -> str:
        metric = self.comparison.metric
        if not self.pieces:
            return f"{self.what}: no pieces"
        whole = self.pieces[0].contrast.baseline_mean
        head = f"{self.what}: {metric.name} {whole.say()} with all; what each piece contributes"
        return "\n".join([head, *(f"    {piece.say()}" for piece in self.pieces), *self.comparison.notes])

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "metric": self.comparison.metric.name, "alpha": self.comparison.alpha, "pieces": [p.as_dict() for p in self.pieces]}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """Labels before and after the descriptors of some classes were edited.

    Attributes:
        contrast: after the edit, against before.
        before, after: which label was told where another was right.
    """

    contrast: Contrast
    before: Confusion
    after: Confusion
    results: Results

    def say(self) -> str:
        moved = [f"    {truth} called {told}: {by:+d}" for truth, told, by in self.before.moved(self.after)]
        return "\n".join([self.contrast.say(), self.before.say(), self.after.say(), "what moved:", *(moved or ["    nothing"])])  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        moved = [{"truth": a, "told": b, "by": n} for a, b, n in self.before.moved(self.after)]
        return {"contrast": self.contrast.as_dict(), "before": self.before.as_dict(), "after": self.after.as_dict(), "moved": moved}  # fmt: skip


def sections(spec: Spec, folder: str | Path, *, prompt: str = "", metric: str = "", alpha: float = 0.05, margin: float | None = None, run: Run | None = None) -> Ablation:  # fmt: skip
    """Runs an experiment with a prompt, and without each of its sections.

    Args:
        folder: where the run and the wordings are kept; run again, only what is missing is computed.
        prompt: its name or file; that of the baseline when empty.
        metric: the primary one when empty.
        margin: contributions up to this make no difference.
        run: what runs a spec into a folder; the runner of experiments when absent.

    Raises:
        BadInput: the recipe takes no such prompt, or it has no sections.
    """
    place = edits.slot(spec, prompt)
    texts = place.prompt.sections
    if not texts:
        raise BadInput(f"{place.prompt.name} has no sections", hint="mark some in a copy of the file; docs/prompts.md tells how")  # fmt: skip
    wordings = {WHOLE: place.prompt, **{f"without {name}": place.prompt.without(name) for name in texts}}
    files = edits.written(wordings, Path(folder) / "prompts")
    made = edits.of_wordings(spec, place, files, f"{spec.name}, sections of {place.prompt.name}")
    results = (run or _runner())(made, Path(folder))
    return _ablation(
        place.prompt.name, {f"without {n}": (n, t) for n, t in texts.items()}, results, metric, alpha, margin
    )


def descriptors(
    items: Mapping[str, Item], given: Descriptors, embedder: Embedder, *, reference: str = "label", metric: str = "label",
    alpha: float = 0.05, margin: float | None = None, aggregate: str = "renormalised-mean",
) -> Ablation:  # fmt: skip
    """Labels pictures by descriptors, and without each one of them.

    Args:
        items: with a picture and a field that says which label is right.
        given: texts by class; the classes are the labels.
        reference: the name of that field.
        metric: `label`, or `chance`, the probability of the right label, which moves before labels do.
        margin: contributions up to this make no difference.

    Raises:
        BadInput: a right label is no class, or there is no descriptor.
    """
    left = dict(described.editions(given))
    if not left:
        raise BadInput("there is no descriptor to leave out", hint='JSON: {"class": ["text", …]}')
    sight = described.Sight(items, embedder, aggregate=aggregate)
    results = described.classified(sight, {described.WHOLE: given, **left}, reference)
    return _ablation(
        "descriptors", {name: (name, name.split(": ", 1)[1]) for name in left}, results, metric, alpha, margin
    )


def edit(
    items: Mapping[str, Item], before: Descriptors, after: Descriptors, embedder: Embedder, *, reference: str = "label",
    metric: str = "label", alpha: float = 0.05, aggregate: str = "renormalised-mean",
) -> Edit:  # fmt: skip
    """Labels pictures before and after an edit of descriptors. Raises BadInput as `descriptors` does."""
    sight = described.Sight(items, embedder, aggregate=aggregate)
    results = described.classified(sight, {"before": before, "after": after}, reference)
    contrast = compare(results, metric, alpha).of("after")
    return Edit(contrast, confusion(results, "before", reference), confusion(results, "after", reference), results)


def _ablation(what: str, named: Mapping[str, tuple[str, str]], results: Results, metric: str, alpha: float, margin: float | None = None) -> Ablation:  # fmt: skip
    compared = compare(results, metric, alpha, margin)
    pieces = [_piece(*named[c.variant], c, compared.metric.up) for c in compared.contrasts if c.variant in named]
    ranked = sorted(pieces, key=lambda p: (p.contrast.p is None, -p.contribution.value))
    return Ablation(what, tuple(ranked), compared, results)


def _piece(name: str, text: str, contrast: Contrast, up: bool) -> Piece:
    """A piece contributes what is lost without it: the difference turned round, where more is better."""
    d = contrast.difference
    turned = Estimate(-d.value + 0.0, None if d.high is None else -d.high + 0.0, None if d.low is None else -d.low + 0.0)  # fmt: skip
    return Piece(name, text, turned if up else d, _ROLES.get(contrast.verdict, "inconclusive"), contrast)


def _runner() -> Run:
    from socratic.experiments.runner import run

    return lambda spec, folder: run(spec, folder)
