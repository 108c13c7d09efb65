"""What an experiment found, in one or two plain sentences, for the top of a report. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from socratic.experiments.verdicts import Comparison, Contrast

_ORDER = ("better", "worse", "equal", "inconclusive")
_TOLD = {"better": "better", "worse": "worse", "equal": "equal", "inconclusive": "cannot be told yet"}


def headline(comparison: Comparison, old: bool = False) -> str:
    """The verdict.

    Args:
        old: two runs were compared, each variant with itself.
    """
    own = [c for c in comparison.contrasts if not c.control]
    if not own:
        return "Nothing was compared: there is no variant beside the baseline."
    if len(own) == 1:
        return _one(own[0], comparison, old)
    by = {kind: [c.variant for c in own if c.verdict == kind] for kind in _ORDER}
    told = "; ".join(f"{_TOLD[kind]}: {_listed(names)}" for kind, names in by.items() if names)
    base = "the older run" if old else _quoted(comparison.baseline)
    return f"Of {len(own)} variants, against {base} by {comparison.metric.name}: {told}."


def on_controls(comparison: Comparison) -> str:
    """What the controls say; empty where there is none."""
    controls = [c for c in comparison.contrasts if c.control]
    if not controls:
        return ""
    by = {kind: _listed([c.variant for c in controls if c.verdict == kind]) for kind in _ORDER}
    base = _quoted(comparison.baseline)
    told = [
        f"Worse than {base}, as it should be: {by['worse']}." if by["worse"] else "",
        f"Take care: no worse than {base}, so that the score does not rest on what was taken away: {by['equal']}." if by["equal"] else "",
        f"Take care: better than {base}: {by['better']}. Where a control wins, a gain over {base} may mean nothing: compare with the control." if by["better"] else "",
        f"Not told apart from {base} yet: {by['inconclusive']}." if by["inconclusive"] else "",
    ]  # fmt: skip
    return " ".join(filter(None, told))


def _one(c: Contrast, comparison: Comparison, old: bool) -> str:
    name, base = (
        (f"{_quoted(c.variant)} in the newer run", "in the older run")
        if old
        else (_quoted(c.variant), _quoted(c.baseline))
    )
    metric = comparison.metric.name
    if c.p is None:
        return f"{name} cannot be compared with {base} by {metric}: {c.why}."
    numbers = f"{c.mean.value:.3f} against {c.baseline_mean.value:.3f}, difference {c.difference.say('+')}"
    if c.verdict in ("better", "worse"):
        return f"{name} is {c.verdict} than {base} by {metric}: {numbers}."
    if c.verdict == "equal":
        return f"{name} and {base} are equal by {metric}: {c.why} ({numbers})."
    blind = f"; a true difference below {c.detectable:.3f} is easily missed with so many items" if c.detectable else ""
    return f"It cannot be told whether {name} is better or worse than {base} by {metric}: {numbers}; {c.why}{blind}."


def _listed(names: Sequence[str]) -> str:
    quoted = [_quoted(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}" if quoted else ""


def _quoted(name: str) -> str:
    return f"“{name}”"
