"""Runs the example experiments, writes their reports, and prints the figures that README.md quotes.

python examples/rerun.py [NAME...] [-o FOLDER] [--write]

A run that is there goes on, so that the second time costs little. `--write` puts the figures into README.md. Decides
nothing by itself: verdicts are those of `socratic.experiments`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from socratic.experiments import report, runner
from socratic.experiments.spec import Spec
from socratic.experiments.table import Measured, Row, table
from socratic.experiments.values import Results
from socratic.experiments.verdicts import Contrast, compare

HERE = Path(__file__).parent
NAMES = ("caption", "descriptors", "descriptors_known", "questions", "rewriting")
MARGINS = {"descriptors_known": 0.05}
MARKS = {"better": " ▲", "worse": " ▼"}
NOISE = "control: noise descriptors"


def figures(results: Results, margin: float | None = None) -> str:
    """A Markdown table: the primary metric with its verdicts, then the other metrics with a mark for theirs."""
    made = table(results, margin=margin)
    noisy = NOISE in results.variants
    against = by_variant(replace(results, baseline=NOISE), margin) if noisy else {}
    others = [c.metric.name for c in made.comparisons[1:]]
    fails = any(row.cost.failed for row in made.rows)
    head = ["variant", made.primary, "difference", "verdict", *(["against noise"] if noisy else []), *others]
    rows = [cells(row, against if noisy else None) for row in made.rows]
    if fails:
        head, rows = [*head, "failed"], [[*c, f"{r.cost.failed} of {r.cost.trials}"] for c, r in zip(rows, made.rows, strict=True)]  # fmt: skip
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])


def cells(row: Row, against: Mapping[str, Contrast] | None) -> list[str]:
    """A variant as a line of the table."""
    first, *rest = row.measured
    own = [first.mean.say() if first.mean else "no score"]
    own += [first.contrast.difference.say("+"), first.contrast.verdict] if first.contrast else ["", "baseline"]
    noise = [] if against is None else [said(against.get(row.variant))]
    return [row.variant, *own, *noise, *map(marked, rest)]


def marked(measured: Measured) -> str:
    """The mean, and whether it is better or worse than the baseline's."""
    mark = MARKS.get(measured.contrast.verdict, "") if measured.contrast else ""
    return f"{measured.mean.value:.3f}{mark}" if measured.mean else ""


def said(contrast: Contrast | None) -> str:
    return f"{contrast.difference.value:+.3f} {contrast.verdict}" if contrast else ""


def by_variant(results: Results, margin: float | None) -> dict[str, Contrast]:
    return {contrast.variant: contrast for contrast in compare(results, margin=margin).contrasts}


def quoted(page: str, name: str, told: str) -> str:
    """The page with the figures of an example between its marks."""
    begin, end = f"<!-- figures: {name} -->\n", "\n<!-- end -->"
    return re.sub(
        f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: begin + told + end, page, count=1, flags=re.DOTALL
    )


def main() -> None:
    given = argparse.ArgumentParser(description="Runs the example experiments and prints their figures.")
    given.add_argument("names", nargs="*", default=NAMES, help=f"of {', '.join(NAMES)}; all when absent")
    given.add_argument("-o", "--out", type=Path, default=Path("runs"), help="the folder of the runs")
    given.add_argument("--write", action="store_true", help="put the figures into README.md")
    chosen = given.parse_args()
    for name in chosen.names:
        results = runner.run(Spec.load(HERE / f"{name}.yaml"), chosen.out / name)
        page = report.write(results, chosen.out / name, margin=MARGINS.get(name))
        told = figures(results, MARGINS.get(name))
        print(f"{page}\n{told}\n", flush=True)
        if chosen.write:
            readme = HERE / "README.md"
            readme.write_text(quoted(readme.read_text(encoding="utf-8"), name, told), encoding="utf-8")


if __name__ == "__main__":
    main()
