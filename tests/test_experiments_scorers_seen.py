"""Scorers that look, on the pocket models and held-out scenes, with planted vectors where numbers must be exact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedEmbedder, picture

from socratic.errors import BadInput
from socratic.experiments.scorers import scorer
from socratic.experiments.values import Cell, Item, Trial
from socratic.tool import operation
from socratic.values import Picture, Vector
from socratic.workbench import Workbench

N = 6


@pytest.fixture
def items(scenes: dict[str, list[dict[str, Any]]], tmp_path: Path) -> dict[str, Item]:
    """Held-out scenes as items, with their truth."""
    found = {}
    for n, row in enumerate(scenes["mixed"][:N]):
        path = tmp_path / f"{n}.png"
        row["picture"].pil.save(path)
        truth = {
            "caption": row["caption"],
            "objects": row["objects"],
            "counts": row["counts"],
            "prompt": row["caption"],
        }
        found[f"i{n}"] = Item(f"i{n}", str(path), truth)
    return found


def trials(said: Sequence[str], **more: Any) -> list[Trial]:
    return [Trial(Cell("plain", f"i{n}"), text, {"text": text}, **more) for n, text in enumerate(said)]


def mean(scores: Sequence[float | None]) -> float:
    told = [s for s in scores if s is not None]
    assert told
    return sum(told) / len(told)


@pytest.mark.parametrize("name", ["clipscore", "self_retrieval", "self_rank", "support", "follows"])
def test_true_captions_score_higher_than_those_of_other_pictures(name: str, items: dict[str, Item], pocket: Workbench) -> None:  # fmt: skip
    captions = [item.fields["caption"] for item in items.values()]
    judge = scorer(name, pocket)
    true, false = (judge.score(trials(c), items) for c in (captions, [*captions[1:], captions[0]]))
    assert mean(true) > mean(false) + 0.1
    assert all(s is None or 0 <= s <= judge.metric.most for s in [*true, *false])


def test_each_picture_and_text_is_encoded_once(items: dict[str, Item]) -> None:
    embedder = CountingEmbedder()
    bench = Workbench.of(embedder=embedder)
    bench.tool("embedder").cache = None
    retrieval = scorer("self_retrieval", bench)
    for _ in range(3):
        retrieval.score(trials(["a dog", "a dog", "a cat"]), items)
    assert embedder.seen == N and embedder.calls["embed_picture"].forwards == 1
    assert embedder.calls["embed_text"].items == 3 * 2, "equal texts of one call are one"


class CountingEmbedder(ScriptedEmbedder):
    """Scripted vectors, and how many pictures went through."""

    seen = 0

    @operation(batch=32)
    def embed_picture(self, pictures: Sequence[Picture]) -> list[Vector]:
        self.seen += len(pictures)
        return [self._vector(None, p.sha256) for p in pictures]


def planted(tmp_path: Path, cosines: dict[str, Sequence[float]]) -> tuple[Workbench, dict[str, Item]]:
    """Three pictures along three axes, and texts with given vectors."""
    axes, items = {}, {}
    for n, colour in enumerate([(200, 0, 0), (0, 200, 0), (0, 0, 200)]):
        one = picture(colour)
        one.pil.save(tmp_path / f"{n}.png")
        axes[one.sha256] = [float(n == m) for m in range(4)]
        items[f"i{n}"] = Item(f"i{n}", str(tmp_path / f"{n}.png"), {"prompt": f"prompt {n}"})
    return Workbench.of(embedder=ScriptedEmbedder(cosines, axes, dimension=4)), items


def test_clipscore_and_ranks_are_the_formulas(tmp_path: Path) -> None:
    said = {"near": [0.8, 0, 0, 0.6], "far": [-0.6, 0.8, 0, 0], "even": [0.6, 0.6, 0.6, 0.0]}
    bench, items = planted(tmp_path, {**said, **{f"A photo depicts {t}": v for t, v in said.items()}})
    asked = [Trial(Cell("v", "i0"), t) for t in said]
    assert scorer("clipscore", bench).score(asked, items) == pytest.approx([2.0, 0.0, 2.5 / 3**0.5], abs=1e-5)
    assert scorer("self_rank", bench).score(asked, items) == pytest.approx([1.0, 1 / 3, 1 / 3]), "ties count against it"
    assert scorer("self_retrieval", bench).score(asked, items) == [1.0, 0.0, 0.0]
    assert scorer({"name": "self_retrieval", "k": 3}, bench).score(asked, items) == [1.0, 1.0, 1.0]
    assert scorer("self_rank", bench).score(asked[:1], {"i0": items["i0"]}) == [None], "one picture is no choice"
    with pytest.raises(BadInput, match="from 1 on"):
        scorer({"name": "self_retrieval", "k": 0}, bench).score(asked, items)


def test_drawn_pictures_are_looked_at_against_the_prompt(tmp_path: Path) -> None:
    bench, items = planted(tmp_path, {"A photo depicts prompt 0": [0.0, 1.0, 0.0, 0.0]})
    drawn = Trial(Cell("v", "i0"), "drawn", pictures=("0.png", "1.png"))
    assert scorer("clipscore", bench, tmp_path).score([drawn], items) == [1.25]  # the mean of 0 and 2.5
    with pytest.raises(BadInput, match="'wish'"):
        scorer({"name": "clipscore", "reference": "wish"}, bench, tmp_path).score([drawn], items)


def test_drawn_pictures_follow_their_prompt_or_not(items: dict[str, Item], pocket: Workbench, tmp_path: Path) -> None:
    follows = scorer("follows", pocket, tmp_path)
    own = [Trial(Cell("v", f"i{n}"), "drawn", pictures=(f"{n}.png",)) for n in range(N)]
    other = [Trial(Cell("v", f"i{n}"), "drawn", pictures=(f"{(n + 1) % N}.png",)) for n in range(N)]
    assert mean(follows.score(own, items)) > mean(follows.score(other, items)) + 0.3


def test_what_names_nothing_says_nothing(items: dict[str, Item], pocket: Workbench) -> None:
    blank = [Trial(Cell("v", "i0"), "It is lovely here.")]
    assert scorer("support", pocket).score(blank, items) == [None]
    assert scorer("follows", pocket).score([Trial(Cell("v", "i0"), "!")], items) == [None]
    assert scorer("clipscore", pocket).score([Trial(Cell("v", "n"), "a dog")], {"n": Item("n")}) == [None]
    failed = [
        Trial(Cell("v", "i0"), error={"type": "ReplyError"}),
        Trial(Cell("v", "i0"), error={"type": "BudgetExceeded"}),
    ]
    for name in ("clipscore", "self_retrieval", "support"):
        assert scorer(name, pocket).score(failed, items) == [0.0, None]


def test_boxes_are_scored_as_coco_does(items: dict[str, Item]) -> None:
    truth = items["i0"].fields["objects"]
    full = [{"label": o["name"], "score": 0.9, "box": o["box"], "mask": o["mask"]} for o in truth]
    cases = {
        "all": full,
        "none": [],
        "half": full[: len(full) // 2],
        "wrong names": [{**r, "label": "zebra"} for r in full],
    }
    asked = [Trial(Cell(name, "i0"), value={"regions": rows}) for name, rows in cases.items()]
    for kind in ("box", "mask"):
        ap = dict(zip(cases, scorer({"name": "ap", "kind": kind}).score(asked, items), strict=True))
        iou = dict(zip(cases, scorer({"name": "iou", "kind": kind}).score(asked, items), strict=True))
        assert ap["all"] == pytest.approx(1) and iou["all"] == pytest.approx(1)
        assert ap["none"] == ap["wrong names"] == iou["none"] == iou["wrong names"] == 0
        assert iou["half"] == pytest.approx((len(full) // 2) / len(full)) and 0 < (ap["half"] or 0) < 1
    (blind,) = scorer({"name": "iou", "labels": False}).score(asked[-1:], items)
    assert blind == pytest.approx(1)


def test_iou_matches_one_to_one_and_extra_boxes_cost() -> None:
    items = {"a": Item("a", fields={"objects": [{"name": "dog", "box": [0, 0, 10, 10]}]})}
    half, twice = ({"label": "dog", "box": b, "score": 1.0} for b in ([0, 0, 5, 10], [20, 20, 30, 30]))
    asked = [Trial(Cell("v", "a"), value={"regions": rows}) for rows in ([half], [half, twice], [twice])]
    assert scorer("iou").score(asked, items) == pytest.approx([0.5, 0.25, 0.0])
    assert scorer({"name": "ap", "at": 0.5}).score(asked, items) == pytest.approx([1.0, 1.0, 0.0])
    assert scorer("ap").score(asked[:1], items) == pytest.approx([0.1]), "of ten overlaps from 0.5 on, one"


@pytest.mark.parametrize("value", [{"regions": [{"label": "dog"}]}, {"text": "a dog"}])
def test_an_answer_without_boxes_is_an_error(value: dict[str, Any]) -> None:
    items = {"a": Item("a", fields={"objects": [{"name": "dog", "box": [0, 0, 10, 10]}]})}
    with pytest.raises(BadInput):
        scorer("iou").score([Trial(Cell("v", "a"), value=value)], items)


def test_the_pocket_detector_finds_what_is_there(items: dict[str, Item], pocket: Workbench) -> None:
    from socratic.recipes.detect import detect

    asked = []
    for key, item in items.items():
        found = detect(item.picture, phrases=list(item.fields["counts"]))
        asked.append(Trial(Cell("v", key), found.say(), found.as_dict()))
    assert (
        mean(scorer("iou").score(asked, items)) > 0.4
        and mean(scorer({"name": "ap", "at": 0.5}).score(asked, items)) > 0.4
    )
