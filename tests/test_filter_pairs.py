"""CapFilt: what is kept, replaced and dropped, by either judge; and the pocket models on drawn pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedEmbedder, ScriptedWriter, picture
from doubles_video import ScriptedCaptioner, ScriptedMatcher

from socratic.errors import BadInput, ToolError
from socratic.pairs import Pair, PairRow
from socratic.recipes.filter_pairs import Verdict, filter_pairs
from socratic.transcript import Transcript
from socratic.values import Picture
from socratic.workbench import Workbench

Scenes = dict[str, list[dict[str, Any]]]
SEEN = picture()
OTHERS = [f"other text {i}" for i in range(10)]
NEAR = {"a red square": [1.0, 0.1], "a red thing": [1.0, 0.3], "buy now": [0.0, 1.0]}
RIVALS = {text: [0.5, 1.0 + i / 10] for i, text in enumerate(OTHERS)}


def judged(text: str, seen: str = "a red thing", tools: Any = None, **how: Any) -> Verdict:
    embedder = ScriptedEmbedder(texts={**NEAR, **RIVALS}, pictures={SEEN.sha256: [1.0, 0.0]}, dimension=2)
    captioner = ScriptedCaptioner(lambda p: seen)
    matcher = ScriptedMatcher({"a red square": 0.9, "a red thing": 0.8})
    bench = {"embedder": embedder, "captioner": captioner, "matcher": matcher, **(tools or {})}
    with Workbench.of(**bench).used():
        return filter_pairs((SEEN.pil, text), others=OTHERS, **how)


@pytest.mark.parametrize("by", ["embedder", "matcher"])
def test_texts_are_kept_replaced_or_dropped(by: Any) -> None:
    kept, replaced, dropped = (
        judged("a red square", by=by),
        judged("buy now", by=by),
        judged("buy now", "buy now!", by=by),
    )
    assert [(v.decision, v.text) for v in (kept, replaced, dropped)] == [("keep", "a red square"), ("replace", "a red thing"), ("drop", "")]  # fmt: skip
    assert kept.new_score is None and replaced.new_score is not None and replaced.new_score > replaced.score
    assert "neither the text fits" in dropped.why and dropped.say().startswith("drop: neither")
    assert judged("buy now", by=by, replace=False).decision == "drop"
    assert kept.as_dict()["seen"] is None and replaced.as_dict()["seen"] == "a red thing"


def test_what_is_kept_asks_no_captioner_and_each_picture_is_encoded_once() -> None:
    captioner = ScriptedCaptioner(lambda p: "a red thing")
    embedder = ScriptedEmbedder(texts={**NEAR, **RIVALS}, pictures={SEEN.sha256: [1.0, 0.0]}, dimension=2)
    judged("a red square", tools={"captioner": captioner, "embedder": embedder})
    assert captioner.calls["describe"].items == 0
    judged("buy now", tools={"captioner": captioner, "embedder": embedder})
    assert captioner.calls["describe"].items == 1 and embedder.calls["embed_picture"].items <= 2, "once a run"


def test_a_score_is_the_share_of_other_texts_that_fit_worse() -> None:
    half = {**{f"other text {i}": [1.0, 0.0] for i in range(5)}, "buy now": [0.9, 0.1]}
    embedder = ScriptedEmbedder(texts={**NEAR, **RIVALS, **half}, pictures={SEEN.sha256: [1.0, 0.0]}, dimension=2)
    value = judged("buy now", tools={"embedder": embedder}, at_least=0.5)
    assert (value.score, value.decision) == (0.5, "keep")
    assert judged("buy now", tools={"embedder": embedder}, at_least=0.6).decision != "keep"


def test_few_other_texts_are_joined_by_names_of_things() -> None:
    embedder = ScriptedEmbedder(texts=NEAR, pictures={SEEN.sha256: [1.0, 0.0]}, dimension=2)
    with Workbench.of(
        embedder=embedder, captioner=ScriptedCaptioner(lambda p: "x"), matcher=ScriptedMatcher({})
    ).used():
        value = filter_pairs((SEEN.pil, "a red square"))
    assert len(value.transcript.turns[0].evidence["cosine"]) >= 60 and value.score > 0.9


def test_an_edited_caption_is_judged_anew() -> None:
    stored = judged("buy now").transcript
    talk = Transcript(past=Transcript.from_dict(stored.as_dict()).edited({"caption": "a red square"}))
    embedder = ScriptedEmbedder(texts={**NEAR, **RIVALS}, pictures={SEEN.sha256: [1.0, 0.0]}, dimension=2)
    tools = {"embedder": embedder, "matcher": ScriptedMatcher({}), "captioner": ScriptedCaptioner(lambda p: "no")}
    value = filter_pairs.inside(talk, Pair(SEEN, "buy now"), others=OTHERS, **tools)
    assert (value.decision, value.text) == ("replace", "a red square")
    spoilt = Transcript(past=Transcript.from_dict(stored.as_dict()).edited({"match": "fine"}))
    with pytest.raises(BadInput, match="cannot be edited"):
        filter_pairs.inside(spoilt, Pair(SEEN, "buy now"), others=OTHERS, **tools)


def test_rows_that_cannot_be_judged_are_errors_and_the_others_come(tmp_path: Path) -> None:
    SEEN.pil.save(tmp_path / "a.png")
    good = str(tmp_path / "a.png")
    rows = [PairRow("a.png", "a red square", good), PairRow("b.png", "x", "", 2, BadInput("line 2 is broken")), PairRow("c.png", "x", str(tmp_path / "c.png")), PairRow("a.png", " ", good), PairRow("a.png", "buy now", good)]  # fmt: skip
    embedder = ScriptedEmbedder(texts={**NEAR, **RIVALS}, pictures={SEEN.sha256: [1.0, 0.0]}, dimension=2)
    captioner = ScriptedCaptioner(lambda p: ToolError("the captioner broke"))
    with Workbench.of(embedder=embedder, captioner=captioner, matcher=ScriptedMatcher({})).used():
        done = list(filter_pairs.map(rows, others=OTHERS))
    assert [type(r.error).__name__ for r in done] == ["NoneType", "BadInput", "BadInput", "BadInput", "ToolError"]
    assert done[0].value and done[0].value.decision == "keep"


@pytest.mark.parametrize("how", [{"by": "dice"}, {"at_least": 2.0}])
def test_what_cannot_judge_is_an_error(how: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        judged("a red square", **how)


def test_the_pocket_models_keep_what_is_true_and_not_what_is_of_another_picture(
    pocket: Workbench, scenes: Scenes
) -> None:
    items = scenes["mixed"][:24]
    true = [str(item["caption"]) for item in items]
    false = true[7:] + true[:7]
    pictures: list[Picture] = [item["picture"] for item in items]
    bench = Workbench.of(embedder=pocket.tool("embedder"), captioner=ScriptedCaptioner(lambda p: "x"), matcher=ScriptedMatcher({}), writer=ScriptedWriter([]))  # fmt: skip
    with bench.used():
        kept = [[r.value.decision == "keep" for r in filter_pairs.map(list(zip(pictures, texts, strict=True)), others=true, replace=False) if r.value] for texts in (true, false)]  # fmt: skip
    assert len(kept[0]) == len(kept[1]) == 24
    assert sum(kept[0]) >= 21 and sum(kept[1]) <= 4, f"{sum(kept[0])} true and {sum(kept[1])} false texts kept of 24"
