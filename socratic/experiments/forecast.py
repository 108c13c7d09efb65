"""What a run would cost, told before it runs: cells, statements of models, tokens and time. Runs nothing itself.

The numbers come from cells that were run, in the folder or as a sample, and from nothing else: where there is none, it
says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from socratic.errors import BadInput
from socratic.experiments.items import read_items
from socratic.experiments.plan import Plan, make
from socratic.experiments.runner import run, todo
from socratic.experiments.spec import Spec
from socratic.experiments.store import Store
from socratic.experiments.values import Trial


@dataclass(frozen=True)
class Share:
    """What is known of one variant.

    Attributes:
        left: cells without a valid row.
        seen: cells of it that were run, from which the means below come; the means of all variants where it has none.
        statements: of models, per cell; `computed` is how many of them the stage cache did not have.
    """

    variant: str
    profile: str
    cells: int
    left: int
    seen: int
    statements: float = 0.0
    computed: float = 0.0
    tokens: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """What a plan comes to.

    Attributes:
        asks: the capabilities that the recipe may ask for.
        seen: cells that were run, from which the numbers come; with none of them there are no numbers.
        seconds: for what is left, by the clock.
    """

    name: str
    recipe: str
    items: int
    repeats: int
    asks: tuple[str, ...]
    shares: tuple[Share, ...]
    seen: int
    seconds: float
    sampled: bool

    @property
    def cells(self) -> int:
        return sum(s.cells for s in self.shares)

    @property
    def left(self) -> int:
        return sum(s.left for s in self.shares)

    def say(self) -> str:
        """The forecast for people, a line per variant."""
        wide = max(len(s.variant) for s in self.shares)
        head = f"{self.name}: {self.recipe}, {len(self.shares)} variants x {self.items} items x {self.repeats} repeats = {self.cells} cells, {self.left} to run"  # fmt: skip
        rows = [f"    {s.variant:{wide}}  {s.cells} cells, {s.left} to run, profile {s.profile}{_costs(s)}" for s in self.shares]  # fmt: skip
        return "\n".join([head, *rows, f"{self.recipe} may ask: {', '.join(self.asks)}", self._whole(), "nothing was run" if not self.sampled else "nothing but the sample was run"])  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        told = {
            "name": self.name,
            "recipe": self.recipe,
            "cells": self.cells,
            "left": self.left,
            "asks": list(self.asks),
        }
        known = {"statements": self._sum("statements"), "computed": self._sum("computed"), "tokens": self._sum("tokens"), "seconds": round(self.seconds, 1)}  # fmt: skip
        return {**told, "seen": self.seen, "estimate": known if self.seen else None, "variants": [asdict(s) for s in self.shares]}  # fmt: skip

    def _sum(self, what: str) -> int:
        return round(sum(s.left * float(getattr(s, what)) for s in self.shares))

    def _whole(self) -> str:
        if not self.left:
            return "all of it is done"
        if not self.seen:
            return "what it costs is not known before some cells were run: try --sample 2"
        asked, computed = self._sum("statements"), self._sum("computed")
        cached = f", of which the stage cache had {asked - computed:,} in cells like these" if asked > computed else ""
        return (
            f"to run: about {asked:,} statements of models{cached}; {self._sum('tokens'):,} tokens; {duration(self.seconds)}\n"
            f"(from {self.seen} cells that were {'run as a sample' if self.sampled else 'run here'}; scoring is not in it)"
        )


def forecast(spec: Spec, folder: Path, sample: int = 0) -> Forecast:
    """What the spec would still cost in a folder.

    Args:
        sample: how many items are run, apart from the folder, to time them; 0 for none.

    Raises:
        BadInput: the spec or its data are wrong.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="socratic-plan-") as scratch:
        plan = make(spec, read_items(spec, Path(scratch) / "pictures"), Path(scratch) / "pictures")
        store = Store(folder) if (folder / "run.sqlite").is_file() else None
        left = todo(plan, store) if store else {job.cell for job in plan.jobs}
        known = store
        if sample:
            run(
                spec.changed(scorers=[], primary="", limit=min(sample, len(plan.items)), name="sample"),
                f"{scratch}/run",
            )
            known = Store(f"{scratch}/run")
        trials = _trials(known)
        spent, cells = known.pace() if known else (0.0, 0)
        seconds = spent / cells * len(left) if cells else 0.0
        return _made(plan, left, trials, seconds, bool(sample))


def _made(plan: Plan, left: set[Any], trials: Sequence[Trial], seconds: float, sampled: bool) -> Forecast:
    shares = []
    for name, variant in plan.variants.items():
        own = [t for t in trials if t.cell.variant == name]
        cells = [job.cell for job in plan.jobs if job.cell.variant == name]
        shares.append(Share(name, variant.profile, len(cells), len(left & set(cells)), len(own), **_means(own or trials)))  # fmt: skip
    return Forecast(plan.spec.name, plan.recipe.__name__, len(plan.items), plan.spec.repeats, plan.capabilities, tuple(shares), len(trials), seconds, sampled)  # fmt: skip


def _means(trials: Sequence[Trial]) -> dict[str, float]:
    if not trials:
        return {}
    statements = sum(len(t.transcript.get("turns", ())) for t in trials)
    computed = sum(min(sum(t.calls.values()), len(t.transcript.get("turns", ()))) for t in trials)
    tokens = sum(t.usage.prompt_tokens + t.usage.reply_tokens for t in trials)
    return {name: n / len(trials) for name, n in (("statements", statements), ("computed", computed), ("tokens", tokens))}  # fmt: skip


def _trials(store: Store | None) -> list[Trial]:
    try:
        return list(store.results().trials.values()) if store else []
    except BadInput:  # begun and nothing written
        return []


def _costs(share: Share) -> str:
    return f"; {share.statements:.1f} statements and {share.tokens:.0f} tokens a cell" if share.statements else ""


def duration(seconds: float) -> str:
    """`about 40 seconds`, `about 12 minutes`, `about 3.5 hours`."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} seconds"
    return f"about {round(seconds / 60)} minutes" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"
