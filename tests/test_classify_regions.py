"""Labels of parts of a picture: given or found, cut out with padding, in one batch, and unknown where nothing fits."""

from __future__ import annotations

from typing import Any

import pytest
from doubles import ScriptedEmbedder, picture
from doubles_sight import ScriptedDetector
from PIL import Image

from socratic.crops import crop
from socratic.errors import BadInput
from socratic.recipes.classify_regions import RegionLabels, classify_regions
from socratic.regions import Box
from socratic.values import Picture
from socratic.workbench import Workbench

RED, BLUE, GREY = (0, 0, 20, 20), (60, 30, 80, 50), (30, 5, 50, 25)
SCENE = Image.new("RGB", (90, 60), (255, 255, 255))
for place, colour in ((RED, (255, 0, 0)), (BLUE, (0, 0, 255)), (GREY, (128, 128, 128))):
    SCENE.paste(colour, place)
SHOWN = Picture.of(SCENE, "scene.png")
HEAD = "a photo of a {}."


def bench(padding: float = 0.15) -> Workbench:
    """Crops of the red part are a dog, of the blue one a cat, of the grey one nothing that has a name."""

    def at(*first: float) -> list[float]:
        return [*first, *([0.0] * (64 - len(first)))]

    texts = {HEAD.replace("{}", "dog"): at(1, 0), HEAD.replace("{}", "cat"): at(0, 1)}
    crops = {crop(SHOWN, Box(*box), padding).sha256: vector for box, vector in ((RED, at(1, 0.1)), (BLUE, at(0.1, 1)), (GREY, at(0, 0, 1)))}  # fmt: skip
    there = {"animal": [RED, BLUE], "thing": [GREY]}
    return Workbench.of(
        embedder=ScriptedEmbedder(texts, crops, dimension=64, fingerprint="planted"),
        detector=ScriptedDetector(there, 0.64),
    )


def labelled(padding: float = 0.15, **how: Any) -> tuple[RegionLabels, Workbench]:
    with bench(padding).used() as used:
        return classify_regions(SHOWN, **{"labels": ["dog", "cat"], "templates": [HEAD], "padding": padding, **how}), used  # fmt: skip


def test_given_boxes_are_classified_in_one_batch_of_padded_crops() -> None:
    found, used = labelled(boxes=[RED, BLUE])
    assert {r.label: r.box.as_list() for r in found.regions} == {"dog": list(RED), "cat": list(BLUE)}
    calls = used.tool("embedder").calls["embed_picture"]
    assert (calls.items, calls.forwards) == (2, 1) and used.tool("detector").phrases == []
    assert found.regions.found[0].score == pytest.approx(1, abs=1e-3)
    other, _ = labelled(padding=0.5, boxes=[RED])
    assert other.label == "dog", "the crop with this padding is another picture"


def test_found_regions_carry_both_scores() -> None:
    found, used = labelled(phrases=["animal", "zebra"])
    assert found.regions.counts == {"dog": 1, "cat": 1} and used.tool("detector").phrases == [("animal", "zebra")]
    assert found.regions.found[0].score == pytest.approx(0.8, abs=1e-3), "the geometric mean of 0.64 and 1"


def test_json_keeps_the_fields_of_classify_and_adds_regions() -> None:
    told = labelled(boxes=[RED])[0].as_dict()
    assert list(told) == ["label", "scores", "explanation", "regions"]
    assert told["label"] == "dog" and set(told["scores"]) == {"dog", "cat"}
    assert set(told["regions"][0]) == {"label", "score", "box", "scores"}


def test_where_nothing_is_found_there_is_no_label_and_nothing_is_encoded() -> None:
    found, used = labelled(phrases=["zebra"])
    assert found.as_dict() == {"label": None, "scores": {}, "explanation": None, "regions": []}
    assert found.say() == "nothing was found" and used.tool("embedder").calls["embed_picture"].items == 0


def test_what_fits_no_better_than_noise_is_unknown() -> None:
    found, _ = labelled(boxes=[GREY, RED], percentile=99)
    assert [r.label for r in found.regions] == ["dog", "unknown"] and found.label == "dog"
    only, _ = labelled(boxes=[GREY], percentile=99)
    assert only.label == "unknown" and only.regions.found[0].score == 0
    forced, _ = labelled(boxes=[GREY])
    assert forced.label in ("dog", "cat")


def test_a_stored_run_encodes_nothing_and_its_numbers_are_not_edited() -> None:
    found, _ = labelled(boxes=[RED])
    found.transcript.sources = []
    with bench().used() as used:
        assert classify_regions.resume(found.transcript).as_dict() == found.as_dict()
        assert used.tool("embedder").calls["embed_picture"].items == 0
        with pytest.raises(BadInput, match="cannot be edited"):
            classify_regions.resume(found.transcript.edited({"labels": "cat"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"boxes": [RED], "phrases": ["animal"]}, {"boxes": [(0, 0, 5)]}, {"boxes": [(95, 0, 99, 9)]},
        {"boxes": [RED], "labels": [" "]}, {"boxes": [RED], "padding": -1}, {"boxes": [RED], "templates": []},
        {"boxes": [RED], "percentile": 101},
    ],
)  # fmt: skip
def test_wrong_arguments(wrong: dict[str, Any]) -> None:
    with bench().used(), pytest.raises(BadInput):
        classify_regions(SHOWN, **{"labels": ["dog", "cat"], "templates": [HEAD], **wrong})


def test_the_pocket_models_name_the_things_in_a_scene(
    pocket: Workbench, scenes: dict[str, list[dict[str, Any]]]
) -> None:
    """The truth's boxes of scenes with several things: each crop tells one thing from the others and from strangers."""
    right = total = 0
    rivals = ["violin", "bicycle", "lemon", "penguin"]
    for item in [s for s in scenes["mixed"] if len(s["objects"]) > 1][:4]:
        names = list(item["counts"])
        boxes = [o["box"] for o in item["objects"]]
        found = classify_regions(item["picture"], labels=[*names, *rivals], boxes=boxes, templates=[HEAD])
        truth = {tuple(round(v) for v in o["box"]): o["name"] for o in item["objects"]}
        right += sum(truth.get(tuple(round(v) for v in r.box.as_list())) == r.label for r in found.regions)
        total += len(boxes)
    assert pocket.tool("embedder").calls["embed_picture"].forwards == 4
    assert total >= 8 and right / total >= 0.75


def test_a_picture_of_one_colour_is_no_problem(pocket: Workbench) -> None:
    found = classify_regions(picture(size=(64, 64)), labels=["dog"], boxes=[(0, 0, 64, 64)])
    assert found.label == "dog" and found.regions.found[0].score == 1.0
