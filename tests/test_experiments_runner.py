"""Runs: each cell once, also after kill -9; repeats asked anew; budgets stop; changed words make only their own rows stale."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedEmbedder, ScriptedWriter, picture
from experiment_recipe import loud, shout

from socratic.capability import Embedder, Writer
from socratic.errors import BadInput, ModelUnavailable
from socratic.experiments import Experiment, opened
from socratic.experiments.runner import BudgetStop
from socratic.experiments.store import Store
from socratic.experiments.values import Cell, Results
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.transcript import Transcript
from socratic.values import Picture, Request
from socratic.workbench import Workbench

PROMPTS = [{"id": w, "prompt": w} for w in ("one", "two", "hush", "four")]
KEYS: dict[str, Any] = {"recipe": shout, "data": PROMPTS, "inputs": {"prompt": "prompt"}, "variants": {"plain": {}, "louder": {"mark": "!!"}}, "scorers": [loud]}  # fmt: skip


def told(results: Results) -> dict[Cell, tuple[str, Any]]:
    """What a run says, without what it cost."""
    return {c: (t.said, (t.error or {}).get("message")) for c, t in results.trials.items()}


def test_every_cell_is_a_row_and_errors_are_rows() -> None:
    run = Experiment(**KEYS, repeats=2).run()
    found = told(run.results)
    assert len(found) == 2 * 4 * 2 and found[Cell("louder", "one", 1)] == ("one!!1", None)
    assert found[Cell("plain", "hush", 0)] == ("", "nobody shouts that")
    assert list(run.results.of("plain"))[0].cell == Cell("plain", "one", 0)
    assert dict(run.results.trials[Cell("plain", "one", 0)].transcript)["turns"][0]["text"] == "one!"
    assert run.results.scores["loud"][Cell("louder", "two", 0)] == 2.0
    assert "louder" in str(run.table()) and "<table>" in run._repr_html_()
    assert run.compare().of("louder").variant == "louder"
    assert run.report().is_file() and run.report().parent == run.folder
    assert opened(run.folder).results.scores == run.results.scores


def test_the_folder_goes_on_and_only_what_changed_is_run_again(tmp_path: Path) -> None:
    first = Experiment(**KEYS).run(tmp_path, limit=2).results
    assert len(first.trials) == 4
    (tmp_path / "mark.txt").write_text("?")
    whole = Experiment(**KEYS).run(tmp_path).results
    assert {c: t for c, t in whole.trials.items() if c in first.trials} == first.trials
    changed = {**KEYS, "variants": {"plain": {}, "louder": {"mark": "!!!"}, "new": {"mark": "?"}}}
    again = Experiment(**changed).run(tmp_path).results
    assert [again.trials[c] for c in whole.trials if c.variant == "plain"] == list(whole.of("plain"))
    assert again.trials[Cell("louder", "one")].said == "one!!!0" and len(again.trials) == 12
    assert again.scores["loud"][Cell("louder", "one")] == 3.0


def test_failed_cells_run_again_only_when_asked(tmp_path: Path) -> None:
    first = Experiment(**KEYS).run(tmp_path).results
    assert Experiment(**KEYS).run(tmp_path).results.trials == first.trials
    again = Experiment(**KEYS).run(tmp_path, retry=True).results
    cell = Cell("plain", "hush")
    assert again.trials[cell].error == first.trials[cell].error and again.trials[cell].seconds != first.trials[cell].seconds  # fmt: skip


def test_a_folder_of_another_experiment_is_refused(tmp_path: Path) -> None:
    Experiment(**KEYS).run(tmp_path)
    with pytest.raises(BadInput, match="holds the experiment 'experiment' with shout, and this is 'other'.*-o"):
        Experiment(**KEYS, name="other").run(tmp_path)
    with pytest.raises(BadInput, match="other data"):
        Experiment(**{**KEYS, "data": [{"id": "x", "prompt": "x"}]}).run(tmp_path)
    held = Store(tmp_path)
    held.hold()
    with pytest.raises(BadInput, match="another process"):
        Experiment(**KEYS).run(tmp_path)
    held.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"variants": {"a": {"mrk": "!"}}}, "'a' sets 'mrk', which shout has not.*mark"),
        ({"inputs": {"prompt": "text"}}, "'one' has no field 'text'.*id, prompt"),
        ({"inputs": {}}, "shout needs 'prompt', and 'plain' does not give it.*inputs: {prompt: FIELD}"),
        ({"variants": {"a": {"pause": "long"}}}, "'a'.*pause does not take 'long'.*float"),
        ({"primary": "exactness"}, "no scorer measures 'exactness'.*loud"),
        ({"scorers": [loud, loud]}, "two measure 'loud'"),
    ],
)
def test_what_cannot_be_right_is_told_before_anything_runs(change: Mapping[str, Any], says: str, tmp_path: Path) -> None:  # fmt: skip
    with pytest.raises(BadInput, match=says):
        Experiment(**{**KEYS, **change}).run(tmp_path)
    assert not Store(tmp_path).rows()


@recipe
def name_it(picture: Picture, *, prompt: str = "classify.guess", embedder: Embedder, writer: Writer, talk: Transcript) -> Any:  # fmt: skip
    """A picture is looked at, and the writer asked at a temperature."""
    from experiment_recipe import Said

    from socratic.ask import Question, ask_all

    talk.state("look", embedder.fingerprint, [picture.sha256], lambda: (str(embedder.embed_picture(picture)[:2]), {}))
    answer = ask_all(talk, writer, load(prompt), [Question("name", {})], temperature=1.0)[0]
    return Said(str(answer), talk)


def scripted(folder: Path) -> tuple[dict[str, Any], Workbench, list[Request]]:
    """An experiment on three pictures, with scripted doubles behind it."""
    for n in range(3):
        (folder / f"{n}.png").write_bytes(picture((n, 0, 0)).png())
    for name in ("short", "long"):
        (folder / f"{name}.prompty").write_text(
            f"---\nname: {name}\ndescription: asks\n---\nuser:\nSay a {name} word.\n"
        )
    asked: list[Request] = []

    def say(request: Request) -> str:
        asked.append(request)
        return f"word {len(asked)}"

    bench = Workbench.of(embedder=ScriptedEmbedder(fingerprint="eyes"), writer=ScriptedWriter(say))
    variants = {"short": {"prompt": str(folder / "short.prompty")}, "long": {"prompt": str(folder / "long.prompty")}}
    return {"recipe": name_it, "data": str(folder), "variants": variants, "controls": False}, bench, asked


def test_repeats_are_asked_anew_and_what_only_looks_is_not(tmp_path: Path) -> None:
    keys, bench, asked = scripted(tmp_path)
    results = Experiment(**keys, repeats=3).run(benches={"pocket": bench}).results
    assert len(asked) == 2 * 3 and len({r.key() for r in asked}) == 6, "one prompt asks the same of every picture"
    assert all(len({t.said for t in results.of(v) if t.cell.item == "0.png"}) == 3 for v in ("short", "long"))
    assert bench.tool("embedder").calls["embed_picture"].items == 3
    assert sum(n for t in results.trials.values() for n in t.calls.values()) == 6 + 3


def test_an_edited_prompt_reruns_its_own_cells_and_looks_at_nothing(tmp_path: Path) -> None:
    keys, bench, asked = scripted(tmp_path)
    first = Experiment(**keys).run(tmp_path / "run", benches={"pocket": bench}).results
    edited = tmp_path / "long.prompty"
    edited.write_text(edited.read_text().replace("a long", "a longer"))
    looked, before = bench.tool("embedder").calls["embed_picture"].items, len(asked)
    again = Experiment(**keys).run(tmp_path / "run", benches={"pocket": bench}).results
    assert bench.tool("embedder").calls["embed_picture"].items == looked
    assert ["longer" in r.messages[0].text for r in asked[before:]] == [True]
    assert list(again.of("short")) == list(first.of("short")) and list(again.of("long")) != list(first.of("long"))
    assert "longer" in again.prompts["long"]["prompt"] and "longer" not in first.prompts["long"]["prompt"]


def test_a_budget_stops_between_calls_and_the_next_run_goes_on(tmp_path: Path) -> None:
    keys, bench, asked = scripted(tmp_path)
    with pytest.raises(BudgetStop, match="is spent: 4 of 6 cells are done, 2 are left.*goes on") as stop:
        Experiment(**keys, window=1, budget={"calls": 4}).run(tmp_path / "run", benches={"pocket": bench})
    assert stop.value.left == 2 and len(stop.value.results.trials) == 4
    assert len(asked) + bench.tool("embedder").calls["embed_picture"].items <= 4
    done = Experiment(**keys, window=1).run(tmp_path / "run", benches={"pocket": bench}).results
    assert len(done.trials) == 6 and not any(t.error for t in done.trials.values())


def test_a_missing_model_stops_the_run(tmp_path: Path) -> None:
    keys, _, _ = scripted(tmp_path)
    with pytest.raises(ModelUnavailable, match="has no embedder"):
        Experiment(**keys).run(benches={"pocket": Workbench.of()})


SPEC = """
recipe: {recipe}
data: {{items: [{items}]}}
inputs: {{prompt: prompt}}
arguments: {{pause: 0.05}}
variants: {{plain: {{}}, louder: {{mark: "!!"}}}}
repeats: 2
window: 4
scorers: ["{recipe}:loud"]
"""


def rows_of(folder: Path) -> dict[Cell, tuple[str, bool]]:
    """The rows so far, as another process sees them."""
    if not (folder / "spec.yaml").is_file():
        return {}
    store = Store(folder)
    try:
        return store.rows()
    finally:
        store.close()


def test_a_run_that_is_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    own = Path(__file__).parent / "experiment_recipe.py"
    names = ", ".join(f"{{id: w{n}, prompt: {'hush' if n % 7 == 3 else f'w{n}'}}}" for n in range(40))
    (tmp_path / "killed.yaml").write_text(SPEC.format(recipe=own, items=names))
    code = "import sys; from socratic.experiments import Experiment; Experiment.load(sys.argv[1]).run(sys.argv[2])"
    command = [sys.executable, "-c", code, str(tmp_path / "killed.yaml")]
    dice, seen = random.Random(6), dict[Cell, tuple[str, bool]]()
    for _ in range(3):
        process = subprocess.Popen([*command, str(tmp_path / "run")], env={**os.environ, "PYTHONPATH": os.getcwd()})
        more = len(seen) + dice.randint(1, 30)
        while process.poll() is None and len(rows_of(tmp_path / "run")) < more:
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.06))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
        rows = rows_of(tmp_path / "run")
        assert len(seen) < len(rows) < 160 and seen.items() <= rows.items(), "a row is lost"
        seen = rows
    ended = Experiment.load(tmp_path / "killed.yaml").run(tmp_path / "run")
    alone = Experiment.load(tmp_path / "killed.yaml").run(tmp_path / "alone")
    assert len(ended.results.trials) == 160 and told(ended.results) == told(alone.results)
    assert ended.results.scores == alone.results.scores
