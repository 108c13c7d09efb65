"""What experiments cost on the real pocket models: an edited prompt looks at nothing, twenty prompts look once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from experiment_look import look

from socratic.cache import StageCache
from socratic.experiments import Experiment
from socratic.workbench import Workbench, open_profile

LOOKS = {"embedder": "embed_picture", "detector": "find", "segmenter": "cut"}
PROMPT = """---
name: look.{name}
description: a sentence on what is there
inputs:
  place: {{description: where it is}}
  things: {{description: what was found}}
reply: {{kind: text}}
model: {{max_tokens: 6}}
---
user:
{words} The place: {{{{ place }}}}. Things: {{{{ things }}}}.
"""


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return open_profile("pocket", keep=False)


def calls(bench: Workbench) -> dict[str, tuple[int, int]]:
    """Items and forward passes so far of all that CLIP, detector and SAM do."""
    tools = {name: bench.tool(name) for name in LOOKS}
    return {f"{n} {op}": (c.items, c.forwards) for n, tool in tools.items() for op, c in tool.calls.items()}


def experiment(folder: Path, prompts: int) -> Experiment:
    for n in range(prompts):
        (folder / f"p{n}.prompty").write_text(PROMPT.format(name=n, words=f"Say it in {n + 3} words."))
    variants = {f"p{n}": {"prompt": str(folder / f"p{n}.prompty")} for n in range(prompts)}
    data: dict[str, Any] = {"drawn": {"count": 3, "first": 70}}
    return Experiment(recipe=look, data=data, variants=variants, controls=False)


def spent(bench: Workbench, folder: Path, prompts: int) -> dict[str, tuple[int, int]]:
    """What a run in a fresh folder and with an empty cache asks of the models that look."""
    before = calls(bench)
    bench.stages = StageCache(":memory:")
    for name in (*LOOKS, "writer"):
        bench.tool(name).cache = bench.stages
    experiment(folder, prompts).run(folder / f"run-{prompts}", benches={"pocket": bench})
    return {name: (i - before.get(name, (0, 0))[0], f - before.get(name, (0, 0))[1]) for name, (i, f) in calls(bench).items()}  # fmt: skip


def test_twenty_prompts_cost_at_most_a_tenth_more_looks_than_one(bench: Workbench, tmp_path: Path) -> None:
    one, twenty = spent(bench, tmp_path, 1), spent(bench, tmp_path, 20)
    for tool, operation in LOOKS.items():
        (items, forwards), (more, passes) = one[f"{tool} {operation}"], twenty[f"{tool} {operation}"]
        assert items >= 3 and forwards >= 1
        assert more <= 1.1 * items and passes <= 1.1 * forwards, f"{tool}: {one} and {twenty}"


def test_an_edited_prompt_makes_no_call_of_clip_detector_or_sam(bench: Workbench, tmp_path: Path) -> None:
    made = experiment(tmp_path, 2)  # three pictures of which the models may say the same
    first = made.run(tmp_path / "run", benches={"pocket": bench}).results
    assert not any(trial.error for trial in first.trials.values())
    before = calls(bench), bench.tool("writer").calls["write"].items
    (tmp_path / "p1.prompty").write_text(PROMPT.format(name=1, words="Name what you see."))
    again = made.run(tmp_path / "run", benches={"pocket": bench}).results
    assert calls(bench) == before[0] and bench.tool("writer").calls["write"].items > before[1]
    assert list(again.of("p0")) == list(first.of("p0"))
    assert all("Name what you see" in dict(t.transcript)["turns"][-1]["asked"] for t in again.of("p1"))


def test_captions_of_another_prompt_look_at_no_picture_anew(bench: Workbench, tmp_path: Path) -> None:
    shipped = Path("prompts/caption.write.prompty").read_text(encoding="utf-8")
    (tmp_path / "mine.prompty").write_text(shipped)
    keys: dict[str, Any] = {"recipe": "caption", "data": {"drawn": {"count": 2}}, "arguments": {"n": 1}, "controls": False}  # fmt: skip
    made = Experiment(**keys, variants={"mine": {"prompt": str(tmp_path / "mine.prompty")}}, scorers=["cider"])
    made.run(tmp_path / "run", benches={"pocket": bench})
    looked, asked = bench.tool("embedder").calls["embed_picture"].items, bench.tool("writer").calls["write"].items
    (tmp_path / "mine.prompty").write_text(shipped.replace("description:", "description: edited,", 1) + "\nBe brief.")
    made.run(tmp_path / "run", benches={"pocket": bench})
    assert bench.tool("embedder").calls["embed_picture"].items == looked
    assert bench.tool("writer").calls["write"].items > asked


def test_two_runs_of_a_spec_come_to_the_same(bench: Workbench, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"recipe": "caption", "data": {"drawn": {"count": 3, "first": 9}}, "arguments": {"n": 1}, "repeats": 2}  # fmt: skip
    runs = []
    for folder in ("first", "second"):
        for tool in bench.loaded.values():
            tool.cache = StageCache(":memory:")
        runs.append(Experiment(**keys, scorers=["cider"]).run(tmp_path / folder, benches={"pocket": bench}))
    first, second = (run.results for run in runs)
    assert [(c, t.said, t.usage) for c, t in first.trials.items()] == [(c, t.said, t.usage) for c, t in second.trials.items()]  # fmt: skip
    assert first.scores == second.scores and runs[0].compare().as_dict() == runs[1].compare().as_dict()
    assert any(t.calls for t in second.trials.values()), "the second was computed, not remembered"
    assert len(second.trials) == 3 * 3 * 2
