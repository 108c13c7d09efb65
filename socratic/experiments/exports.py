"""A report as Markdown, JSON and JUnit XML, for reviews, programs and CI. Text from data is escaped in each.

JUnit: a test case for each variant and metric. Worse fails; what cannot be told is marked as skipped, never as passed;
controls never fail.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from socratic.experiments.gate import Gate
from socratic.experiments.page import Line, View
from socratic.experiments.snapshot import Snapshot, finite
from socratic.experiments.statistics import Estimate
from socratic.experiments.values import Results
from socratic.experiments.verdicts import Comparison

if TYPE_CHECKING:
    from junitparser import JUnitXml, TestCase

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SIGNS = re.compile(r"([\\`*_{}\[\]|~]|^[-+#>=]|^\d+(?=[.)]))")
_MOST_ITEMS = 20
_LONGEST = 160


def markdown(view: View) -> str:
    """The report as Markdown: what was found, the table, the items that changed most, errors, how to make it again."""
    parts = [f"# {plain(view.title)}", f"**{plain(view.headline)}**"]
    parts += [plain(view.on_controls)] if view.on_controls else []
    parts += ["\n".join(_table(view)), "\n".join(f"- {plain(note)}" for note in view.notes)]
    if items := list(_items(view)):
        parts += ["## Items that changed most", "\n".join(items)]
    if view.failures:
        told = [f"- {f.times} times {plain(f.kind)}: {plain(f.message)} ({plain(f.hint)})" for f in view.failures]
        parts += ["## Errors", "\n".join(told)]
    commands = "\n".join("    " + " ".join(line.split()) for line in view.rerun)
    return "\n\n".join(part for part in [*parts, "## How it was made", commands] if part) + "\n"


def plain(text: str) -> str:
    """Text in one line of which Markdown makes nothing: no markup, no link, no HTML, no end of a cell."""
    one = " ".join(_CONTROL.sub("?", text).split())
    return _SIGNS.sub(r"\\\1", html.escape(one, quote=False)).replace("://", ":&#47;&#47;").replace("www.", "www&#46;")


def stored(results: Results, comparisons: Sequence[Comparison] = ()) -> str:
    """A run as `results.json` holds it: what a gate reads, and the verdicts."""
    told = {**Snapshot.of(results).as_dict(), "comparisons": [finite(c.as_dict()) for c in comparisons]}
    return json.dumps(told, indent=1, default=str, allow_nan=False) + "\n"


def compared(view: View) -> str:
    """What a page compares, as JSON."""
    return json.dumps(view.data, indent=1, default=str, allow_nan=False) + "\n"


def junit(name: str, comparisons: Iterable[Comparison]) -> bytes:
    """Every contrast of every metric as JUnit XML."""
    from junitparser import Failure, Skipped

    cases = []
    for comparison in comparisons:
        for contrast in comparison.contrasts:
            case = _case(f"{contrast.variant}: {comparison.metric.name}", name, contrast.say())
            if contrast.verdict == "worse" and not contrast.control:
                case.result = [
                    Failure(_xml(f"worse than {contrast.baseline}: {contrast.difference.say('+')}"), "worse")
                ]
            elif contrast.verdict == "inconclusive" and not contrast.control:
                case.result = [Skipped(_xml(f"cannot be told: {contrast.why}"), "inconclusive")]
            cases.append(case)
    return _suite(name, cases)


def junit_gate(gate: Gate) -> bytes:
    """A gate as JUnit XML: worse is a failure, what cannot be told an error."""
    from junitparser import Error, Failure

    case = _case(f"{gate.variant}: {gate.metric}", "gate", gate.say())
    if gate.outcome == "worse":
        case.result = [Failure(_xml(gate.why), "worse")]
    elif gate.outcome == "inconclusive":
        case.result = [Error(_xml(gate.why), "inconclusive")]
    return _suite("socratic experiment gate", [case])


def _case(name: str, of: str, said: str) -> TestCase:
    from junitparser import TestCase

    case = TestCase(_xml(name), classname=_xml(of))
    case.system_out = _xml(said)
    return case


def _suite(name: str, cases: Sequence[TestCase]) -> bytes:
    from junitparser import JUnitXml, TestSuite

    suite = TestSuite(_xml(name))
    suite.add_testcases(list(cases))
    whole: JUnitXml = JUnitXml()
    whole.add_testsuite(suite)
    out = io.BytesIO()
    whole.write(out, pretty=True)
    return out.getvalue()


def _xml(text: str) -> str:
    """Text without the characters that XML does not know."""
    return _CONTROL.sub("?", text)


def _table(view: View) -> Iterator[str]:
    yield f"| variant | {plain(view.comparison.metric.name)} | difference | verdict | p, after Holm | seconds | calls | tokens | errors |"  # fmt: skip
    yield "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    for line in view.lines:
        yield f"| {' | '.join(_cells(line))} |"


def _cells(line: Line) -> list[str]:
    c, mean = line.contrast, line.first.mean if line.first else None
    judged = ["", "", ""] if c is None else [_said(c.difference) if c.p is not None else "", c.verdict, plain(line.p)]  # fmt: skip
    per = [line.per_trial(what) for what in ("seconds", "calls", "tokens")]
    costs = ["" if v is None else format(v, form) for v, form in zip(per, (".2f", ".1f", ".0f"), strict=True)]
    role = f" ({line.role})" if line.role else ""
    scored = mean.say() if mean else "no score"
    return [plain(line.name) + role, scored, *judged, *costs, f"{line.row.cost.failed} of {line.row.cost.trials}"]


def _said(difference: Estimate) -> str:
    return difference.say("+")


def _items(view: View) -> Iterator[str]:
    """The first items that changed, with what each side said."""
    changed = [card for card in view.deck.cards if any(c.change in ("better", "worse") for c in card.columns)]
    for card in changed[:_MOST_ITEMS]:
        yield f"- {plain(card.key)}"
        for column in card.columns:
            side = view.sides[column.side]
            if not side.control and column.answers:
                said = column.answers[0].said or "failed"
                score = "no score" if column.score is None else f"{column.score:.3f}"
                yield f"  - {plain(side.name)}{', ' + column.change if column.change else ''}, {score}: {plain(said[:_LONGEST])}"  # fmt: skip
