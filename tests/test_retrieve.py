"""Search in a gallery: order, weights, exclusions, copies and refill, and what each hit tells."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from doubles import ScriptedEmbedder, ScriptedWriter, picture
from doubles_retrieve import ScriptedCaptioner, gallery

from socratic.errors import BadInput
from socratic.images import expand
from socratic.index import Entry, Index
from socratic.indexing import refreshed
from socratic.pocket.concepts import concepts
from socratic.pocket.scenes import joined
from socratic.recipes.retrieve import Hits, retrieve
from socratic.workbench import Workbench

pytestmark = pytest.mark.usefixtures("fresh_texts")
REFERENCE = picture((1, 2, 3), "reference")
DOG, CAT, BEACH = [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]
TEXTS = {"a dog": DOG, "dog": DOG, "a cat": CAT, "a beach": BEACH}
PICTURES = {
    "reference": [1.0, 0.0, 1.0, 0.0],
    "dog": [1.0, 0.1, 0.0, 0.2],
    "cat": [0.1, 1.0, 0.0, 0.2],
    "cat on beach": [0.0, 1.0, 1.0, 0.0],
    "dog on beach": [1.0, 0.0, 0.9, 0.5],
    "beach": [0.0, 0.0, 1.0, 0.1],
}


@pytest.fixture
def path(tmp_path: Path) -> str:
    return gallery(tmp_path / "g", PICTURES, seen=REFERENCE)


def eyes(texts: Mapping[str, Sequence[float]] = TEXTS) -> ScriptedEmbedder:
    return ScriptedEmbedder(texts, {REFERENCE.sha256: PICTURES["reference"]}, fingerprint="eyes", dimension=4)


def search(path: str, *pictures: Any, embedder: ScriptedEmbedder | None = None, **asked: Any) -> Hits:
    bench = Workbench.of(embedder=embedder or eyes(), captioner=ScriptedCaptioner("never"), writer=ScriptedWriter([]))
    with bench.used():
        return retrieve(list(pictures), gallery=path, **{"copies": 1.0, **asked})


def names(hits: Hits) -> list[str]:
    return [os.path.basename(h.image) for h in hits.hits]


def test_exact_search_is_brute_force(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    planted = {f"p{i}": list(dice.normal(size=16)) for i in range(300)}
    path = gallery(tmp_path / "g", planted)
    asked = dice.normal(size=16)
    found = search(path, embedder=eyes({"q": list(asked)}), text="q", k=25)
    cosines = {n: float(np.dot(v, asked) / np.linalg.norm(v) / np.linalg.norm(asked)) for n, v in planted.items()}
    assert names(found) == sorted(cosines, key=lambda n: -cosines[n])[:25]
    assert all(abs(h.score - cosines[os.path.basename(h.image)]) < 1e-4 for h in found.hits)
    assert [h.rank for h in found.hits] == list(range(1, 26))


def test_by_picture_the_reference_itself_is_no_hit(path: str) -> None:
    found = search(path, REFERENCE)
    assert names(found)[0] == "dog on beach" and "reference" not in names(found) and len(found.hits) == 5
    assert names(search(path, text="a dog"))[0] == "dog", "without a reference picture nothing is left out"
    assert "reference" in names(search(path, text="a dog"))


def test_a_k_larger_than_the_gallery_gives_what_there_is(path: str) -> None:
    assert len(search(path, text="a dog", k=1000).hits) == 6


def test_a_picture_plus_a_text_is_the_unit_sum_of_both(path: str) -> None:
    found = search(path, REFERENCE, text="a cat")
    q = np.asarray([2**-0.5, 1, 2**-0.5, 0])
    row = np.asarray(PICTURES["cat on beach"]) / 2**0.5
    best = found.hits[0]
    assert names(found)[0] == "cat on beach" and best.score == pytest.approx(
        float(row @ q / np.linalg.norm(q)), abs=1e-4
    )
    assert [p.term for p in best.parts] == ["picture", "text"]


@pytest.mark.parametrize(("how", "fusion"), [("arithmetic", "z-score"), ("fused", "z-score"), ("fused", "rank")])
def test_parts_add_up_to_the_score_and_only_the_ratio_of_weights_counts(path: str, how: str, fusion: str) -> None:
    asked: dict[str, Any] = {"text": "a beach without a dog", "how": how, "fusion": fusion}
    one = search(path, REFERENCE, **asked, weights={"picture": 1, "text": 3})
    ten = search(path, REFERENCE, **asked, weights={"picture": 10, "text": 30})
    assert one.hits == ten.hits and len(one.hits) == 5
    for hit in one.hits:
        assert sum(p.added for p in hit.parts) == pytest.approx(hit.score, abs=1e-4)
        assert [p.term for p in hit.parts] == ["picture", "text", "without dog"]
    other = search(path, REFERENCE, **asked, weights={"picture": 5, "text": 1})
    assert {h.image: h.score for h in one.hits} != {h.image: h.score for h in other.hits}


def test_what_must_not_be_there_is_read_from_the_text_and_costs(path: str) -> None:
    found = search(path, text="a beach without a dog")
    assert (found.wanted, found.without) == ("a beach", ("dog",))
    cost = {os.path.basename(h.image): h.parts[1] for h in found.hits}
    assert cost["reference"].term == "without dog" and cost["reference"].added < -0.05
    assert cost["beach"].added == 0, "it shows less of a dog than pictures here do on average"
    assert names(found)[:2] == ["beach", "cat on beach"]
    assert search(path, text="a beach", without=["dog"]).hits == found.hits, "the same as an option"
    assert names(search(path, text="a beach without a dog", penalty=0))[1] == "reference"
    assert search(path, text="a beach", without=["dog", "Dog", " "]).without == ("dog",)


def test_a_picture_without_something(path: str) -> None:
    assert names(search(path, REFERENCE, text="without the dog", penalty=1))[0] in ("beach", "cat on beach")
    assert names(search(path, REFERENCE))[0] == "dog on beach"


def test_copies_stand_behind_the_best_of_them_and_others_move_up(tmp_path: Path) -> None:
    planted = {f"dog {i}": [1.0, 0.01 * i, 0.0, 0.0] for i in range(8)} | {
        "cat": CAT,
        "beach": BEACH,
        "fog": [0, 0, 0, 1],
    }
    path = gallery(tmp_path / "g", planted)
    found = search(path, text="a dog", k=3, copies=0.94)
    assert names(found) == ["dog 0", "cat", "beach"] and len(found.hits[0].copies) == 7
    assert names(search(path, text="a dog", k=3)) == ["dog 0", "dog 1", "dog 2"], "1 shows all"
    assert len(search(path, text="a dog", k=99, copies=0.94).hits) == 4


def test_copies_of_copies_are_one_group(tmp_path: Path) -> None:
    turned = {f"step {i}": [float(np.cos(0.3 * i)), float(np.sin(0.3 * i)), 0, 0] for i in range(5)}
    path = gallery(tmp_path / "g", turned)
    assert np.cos(0.3) > 0.94 > np.cos(0.6)
    assert [len(h.copies) for h in search(path, text="a dog", k=9, copies=0.94).hits] == [4]
    shuffled = gallery(tmp_path / "h", {n: turned[n] for n in ("step 0", "step 4", "step 2", "step 3", "step 1")})
    by = eyes({"q": [1.0, 1.0, 0, 0]})  # meets 2 and 3 first, the ends only then
    assert [len(h.copies) for h in search(shuffled, text="q", k=9, copies=0.94, embedder=by).hits] == [4]


def test_many_copies_and_a_large_k_come_through(tmp_path: Path) -> None:
    dice = np.random.default_rng(1)
    planted = {f"{i}-{j}": list(np.eye(16)[i] + 0.01 * dice.normal(size=16)) for i in range(16) for j in range(20)}
    found = search(gallery(tmp_path / "g", planted), embedder=eyes({"q": list(dice.normal(size=16))}), text="q", k=16, copies=0.94)  # fmt: skip
    assert len(found.hits) == 16 and all(len(h.copies) == 19 for h in found.hits[:-1])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "neither a text nor a picture"),
        ({"text": "   "}, "neither a text nor a picture"),
        ({"text": "no dogs"}, "only what must not be there: dog"),
        ({"text": "a dog", "k": 0}, "k must be at least 1"),
        ({"text": "a dog", "copies": 0.0}, "copies in"),
        ({"text": "a dog", "how": "magic"}, "no way 'magic'"),
        ({"text": "a dog", "weights": {"smell": 1}}, "no term 'smell'"),
        ({"text": "a dog", "weights": {"text": 0}}, "weights must be positive"),
        ({"text": "a dog", "weights": {"text": -1}}, "weights must be positive"),
        ({"text": "a dog", "weights": {"text": float("nan")}}, "weights must be positive"),
        ({"text": "a dog", "weights": {"picture": 1, "text": 1}}, "there is no picture"),
        ({"text": "a dog", "how": "composed"}, "composed needs a picture"),
        ({"text": "a dog", "gallery": "nowhere"}, "there is no gallery"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_embedded(path: str, asked: Any, message: str) -> None:
    silent = eyes()
    with pytest.raises(BadInput, match=message):
        search(asked.pop("gallery", path), embedder=silent, **asked)
    assert silent.calls["embed_text"].items == 0


def test_a_gallery_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="was indexed by other eyes"):
        search(gallery(tmp_path / "g", PICTURES, "other eyes"), text="a dog")


def test_a_gallery_of_the_reference_alone_has_no_hit(tmp_path: Path) -> None:
    only = {"reference": PICTURES["reference"]}
    for how in ("arithmetic", "fused"):
        asked: dict[str, Any] = {"text": "a beach without a dog", "how": how, "weights": {"picture": 1, "text": 1}}
        found = search(gallery(tmp_path / "g", only, seen=REFERENCE), REFERENCE, **asked)
        assert found.hits == () and found.say() == "nothing was found"


def test_a_search_is_replayed_and_edited(path: str) -> None:
    first, silent = search(path, REFERENCE, text="a cat without a dog"), eyes()
    stored = first.transcript
    with Workbench.of(embedder=silent, captioner=ScriptedCaptioner("never"), writer=ScriptedWriter([])).used():
        assert retrieve.resume(stored).hits == first.hits and silent.calls["embed_text"].items == 0
        edited = retrieve.resume(stored.edited({"excluded": "", "wanted": "a beach"}))
        assert (edited.wanted, edited.without) == ("a beach", ()) and names(edited) != names(first)
        with pytest.raises(BadInput, match="hits cannot be edited"):
            retrieve.resume(stored.edited({"hits": "mine.png"}))


def test_each_text_and_picture_is_embedded_once(path: str) -> None:
    used = eyes()
    search(path, REFERENCE, text="a cat without a dog", embedder=used)
    assert (used.calls["embed_picture"].items, used.calls["embed_text"].items) == (1, 2)


def test_pocket_finds_the_shipped_scenes_by_word_and_picture(pocket: Workbench, tmp_path: Path) -> None:
    made = refreshed(None, expand(["pocket/pictures"]), pocket.tool("embedder"))
    made.index.save(tmp_path / "g")
    assert len(Index.load(tmp_path / "g")) == 11
    for text, scene in (("a lemon in a forest", "scene-2.png"), ("two snakes and a palm tree", "scene-3.png")):
        assert names(retrieve(gallery=str(tmp_path / "g"), text=text, k=1)) == [scene]
    beach = retrieve(gallery=str(tmp_path / "g"), text="a snake without a cow", k=2)
    assert names(beach)[0] == "scene-3.png" and beach.as_dict()["without"] == ["cow"]
    near = retrieve(["pocket/pictures/scene-3.png"], gallery=str(tmp_path / "g"), k=3)
    assert "scene-3.png" not in names(near) and len(near.hits) == 3


def test_pocket_finds_a_scene_from_another_one_and_what_differs(pocket: Workbench, scenes: Any, tmp_path: Path) -> None:
    """Each held-out scene is looked for from a scene in the same place: its things, without those of the other."""
    rows = scenes["mixed"]
    vectors = np.stack(pocket.tool("embedder").embed_picture.batch([r["picture"] for r in rows]))
    entries = tuple(Entry(r["picture"].source, r["picture"].sha256, 128, 128) for r in rows)
    Index(pocket.tool("embedder").fingerprint, vectors, entries).save(tmp_path / "g")
    pairs = [(a, b) for a in rows for b in rows if a["place"] == b["place"] and not {*a["counts"]} & {*b["counts"]}][
        :40
    ]
    right = 0
    for a, b in pairs:
        text = joined([concepts()[name].counted(n) for name, n in b["counts"].items()])
        found = retrieve([a["picture"]], gallery=str(tmp_path / "g"), text=text, without=list(a["counts"]), k=1)
        right += names(found) == [b["picture"].source]
    assert len(pairs) >= 10 and right / len(pairs) >= 0.8
