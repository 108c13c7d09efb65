"""`socratic experiment run` as a user runs it: plan, table, JSON, going on, failed cells, budgets, wrong specs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from socratic.cli import main
from socratic.experiments.store import Store

SPEC = """
recipe: {recipe}
data: {{items: [{{id: a, prompt: one}}, {{id: b, prompt: two}}]}}
inputs: {{prompt: prompt}}
variants: {{plain: {{}}, louder: {{mark: "!!"}}}}
scorers: ["{recipe}:loud"]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "shouts.yaml"
    path.write_text(SPEC.format(recipe=Path(__file__).parent / "experiment_recipe.py"))
    return path


def run(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["socratic", "experiment", "run", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(str(ended.value.code))


def test_a_spec_is_planned_run_and_gone_on_with(spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    out = spec.parent / "out"
    assert run(spec, "-o", out, "--dry-run", monkeypatch=monkeypatch) == 0 and not out.exists()
    said = capsys.readouterr().out
    assert "2 variants x 2 items x 1 repeats = 4 cells, 4 to run" in said and "nothing was run" in said
    assert run(spec, "-o", out, "--limit", 1, monkeypatch=monkeypatch) == 0
    ran = capsys.readouterr()
    assert "plain (baseline)" in ran.out and "loud" in ran.out and f"all rows are in {out}" in ran.err
    assert run(spec, "-o", out, "--json", monkeypatch=monkeypatch) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["variant"] for row in rows] == ["plain", "louder"] and rows[0]["experiment"] == "shouts"
    assert run(spec, "-o", out, "--dry-run", "--json", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["left"] == 0


def test_failed_cells_and_spent_budgets_are_told_with_exit_code_1(spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    whole = spec.read_text()
    spec.write_text(whole.replace("prompt: two", "prompt: hush"))
    assert run(spec, "-o", spec.parent / "failed", monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    assert "1 of 2" in said.out and "2 cells failed, the first (plain, b) with BadInput: nobody shouts that" in said.err
    assert "--retry" in said.err
    spec.write_text(whole + "budget: {seconds: 0.000001}\n")
    assert run(spec, "-o", spec.parent / "stopped", monkeypatch=monkeypatch) == 1
    said = capsys.readouterr()
    assert "BudgetStop" in said.err and "0 of 4 cells are done, 4 are left" in said.err and "larger budget" in said.err


def test_a_wrong_spec_is_wrong_usage(spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    spec.write_text(spec.read_text().replace("variants", "varients"))
    assert run(spec, "-o", spec.parent / "out", monkeypatch=monkeypatch) == 2
    assert "did you mean 'variants'?" in capsys.readouterr().err and not (spec.parent / "out").exists()
    assert run(spec.parent / "absent.yaml", "-o", spec.parent / "out", monkeypatch=monkeypatch) == 2


def test_ctrl_c_leaves_whole_rows_and_the_run_goes_on(spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    out = spec.parent / "out"
    with spec.open("a") as file:
        file.write("arguments: {pause: 0.2}\nrepeats: 20\nwindow: 2\n")
    command = [sys.executable, "-m", "socratic", "experiment", "run", str(spec), "-o", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not ((out / "spec.yaml").is_file() and Store(out).rows()):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130 and process.stderr and "Traceback" not in process.stderr.read()
    some = Store(out).rows()
    assert 0 < len(some) < 80
    assert run(spec, "-o", out, "--json", monkeypatch=monkeypatch) == 0
    assert some.items() <= Store(out).rows().items() and len(Store(out).rows()) == 80
