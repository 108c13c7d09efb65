"""The experiments in `examples/`: each loads, plans, runs on a few items and comes to a report, as its page says.

What they find on all of their items is for `examples/rerun.py` to say.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from socratic.cli import app
from socratic.experiments.items import read_items
from socratic.experiments.spec import Spec
from socratic.experiments.store import Store

HOME = Path(__file__).parent.parent / "examples"
POCKET = HOME.parent / "socratic" / "profiles" / "pocket.toml"
README = (HOME / "README.md").read_text(encoding="utf-8")
NAMES = sorted(p.stem for p in HOME.glob("*.yaml"))
FEW = {"caption": 2, "questions": 6}


def socratic(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["experiment", *map(str, arguments)])


def imported(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", HOME / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def quoted(name: str) -> list[list[str]]:
    """The cells of the table that the page has of an example, without its head."""
    found = re.search(rf"<!-- figures: {name} -->\n(.*?)\n<!-- end -->", README, re.DOTALL)
    assert found, f"the page has no figures of {name}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines()[2:]]


@pytest.mark.parametrize("name", NAMES)
def test_the_plan_is_told_and_nothing_is_run(name: str, tmp_path: Path) -> None:
    said = socratic("run", HOME / f"{name}.yaml", "-o", tmp_path / "run", "--dry-run", "--limit", 2)
    assert said.exit_code == 0 and "nothing was run" in said.stdout
    for variant in Spec.load(HOME / f"{name}.yaml").all_variants():
        assert variant in said.stdout


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """The pocket models with a generator that takes few steps."""
    file = tmp_path / "quick.toml"
    file.write_text(POCKET.read_text(encoding="utf-8").replace("steps = 30", "steps = 3"), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", NAMES)
def test_a_few_items_come_to_a_report_without_errors(name: str, tmp_path: Path, quick: Path) -> None:
    run = tmp_path / "run"
    done = socratic("run", HOME / f"{name}.yaml", "-o", run, "--limit", FEW.get(name, 1), "--profile", quick)
    assert done.exit_code == 0, done.output
    told = socratic("report", run)
    assert told.exit_code == 0, told.output
    page, results = (run / "report.html").read_text(encoding="utf-8"), Store(run).results()
    assert all(variant in page for variant in Spec.load(HOME / f"{name}.yaml").all_variants())
    assert set(results.scores) == set(results.metrics) and not any(t.error for t in results.trials.values())
    lines = imported("rerun").figures(results).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == list(results.variants)
    assert ("against noise" in lines[0]) == name.startswith("descriptors")


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_the_command_and_a_line_for_each_variant(name: str) -> None:
    lines = quoted(name)
    assert f"socratic experiment run examples/{name}.yaml -o runs/{name}" in README
    assert f"socratic experiment report runs/{name}" in README
    own = [line[0] for line in lines if not line[0].startswith("control: ")]
    assert own == list(Spec.load(HOME / f"{name}.yaml").all_variants())
    assert lines[0][3] == "baseline" and {line[3] for line in lines[1:]} <= {"better", "worse", "equal", "inconclusive"}


def test_the_claims_of_the_page_stand_in_its_figures() -> None:
    verdicts = {name: {line[0]: line[3] for line in quoted(name)} for name in NAMES}
    told = verdicts["descriptors"]
    assert told["descriptors by the writer"] == told["descriptors by hand"] == "better"
    against_noise = {line[0]: line[4] for line in quoted("descriptors")}
    assert against_noise["descriptors by hand"].endswith(" better")
    assert "better" not in verdicts["descriptors_known"].values()
    assert verdicts["caption"]["without objects"] == verdicts["questions"]["politely"] == "worse"


def test_examples_draw_scenes_that_no_other_part_draws_and_each_its_own() -> None:
    drawn = [Spec.load(HOME / f"{name}.yaml").data.drawn for name in NAMES]
    spans = sorted((d.first, d.first + d.count) for d in drawn if d)
    assert len(spans) == len(NAMES) and spans[0][0] >= 63_000_000
    assert all(end <= begin for (_, end), (begin, _) in zip(spans, spans[1:], strict=False))


def test_every_question_is_said_otherwise_and_scored_by_its_kind(tmp_path: Path) -> None:
    asking = imported("asking")
    asked = {str(i.fields["question"]) for i in read_items(Spec.load(HOME / "questions.yaml"), tmp_path).values()}
    assert [q for q in asked if asking.otherwise(q) == q] == []
    value = {"answers": [{"answer": "Two"}]}
    assert asking.right(value, "two", "how many") == asking.right(value, "2", "how many", kind="how many") == 1.0
    assert (
        asking.right(value, "three", "how many") == 0.0 and asking.right(value, "two", "how many", kind="what") is None
    )


def test_figures_are_put_where_the_page_has_them_and_nowhere_else() -> None:
    rerun = imported("rerun")
    page = "a\n<!-- figures: one -->\nold\n<!-- end -->\nb\n<!-- figures: two -->\nold\n<!-- end -->\n"
    assert rerun.quoted(page, "two", r"new \1") == page.replace("two -->\nold", "two -->\nnew \\1")
    assert set(rerun.NAMES) == set(NAMES)
