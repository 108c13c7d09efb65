"""Data of every kind become items with stable keys; pictures of one origin form a group; errors say what to write."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from doubles import picture

from socratic.errors import BadInput, ModelUnavailable
from socratic.experiments.items import read_items
from socratic.experiments.spec import Spec
from socratic.experiments.values import Item


def items(folder: Path, data: Any, **keys: Any) -> dict[str, Item]:
    return read_items(Spec.of({"recipe": "caption", "data": data, **keys}, folder), folder / "kept")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n, name in enumerate(("a.png", "b.png")):
        (tmp_path / name).write_bytes(picture((n, 9, 9)).png())
    (tmp_path / "b.txt").write_text("a blue dog\n")
    return tmp_path


def test_a_folder_gives_its_pictures_by_name_with_the_texts_beside_them(folder: Path) -> None:
    found = items(folder, ".")
    assert list(found) == ["a.png", "b.png"] and found["b.png"].fields["text"] == "a blue dog"
    assert found["a.png"].picture == str(folder / "a.png") and found["a.png"].group == "a.png"


def test_questions_about_one_picture_are_a_group_and_rows_without_a_key_of_their_own_are_refused(folder: Path) -> None:
    rows = [{"image": "a.png", "question": q, "question_id": n} for n, q in enumerate(("what?", "where?"), start=7)]
    (folder / "q.jsonl").write_text("\n".join(json.dumps(r) for r in rows))
    found = items(folder, "q.jsonl")
    assert list(found) == ["7", "8"] and {i.group for i in found.values()} == {"a.png"}
    assert found["8"].fields["question"] == "where?" and found["7"].picture == str(folder / "a.png")
    (folder / "bare.jsonl").write_text("\n".join(json.dumps({"image": "a.png", "question": q}) for q in "xy"))
    with pytest.raises(BadInput, match="rows 1 and 2 both have the key 'a.png'.*key: FIELD"):
        items(folder, "bare.jsonl")
    assert list(items(folder, {"jsonl": "bare.jsonl", "key": "question"})) == ["x", "y"]
    with pytest.raises(BadInput, match="no field 'qid', which `key` names.*question"):
        items(folder, {"jsonl": "bare.jsonl", "key": "qid"})


def test_tables_and_lists(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    (folder / "t.csv").write_text('id,prompt\n1,"a dog, a cat"\n2,a car\n')
    assert items(folder, "t.csv")["1"].fields["prompt"] == "a dog, a cat" and not items(folder, "t.csv")["1"].picture
    (folder / "broken.csv").write_text("id,prompt\n1\n")
    with pytest.raises(BadInput, match="row 2 has another number of cells"):
        items(folder, "broken.csv")
    inside = {"bytes": picture((1, 2, 3)).png(), "path": "in.png"}
    parquet.write_table(pa.table({"image": [inside, inside], "id": ["x", "y"]}), folder / "t.parquet")
    found = items(folder, "t.parquet")
    assert found["x"].picture == found["y"].picture and Path(found["x"].picture).parent == folder / "kept"
    assert found["x"].group == "in.png"
    listed = items(folder, ["a.png", "b.png"])
    assert list(listed) == ["a.png", "b.png"] and listed["a.png"].picture == str(folder / "a.png")
    prompts = items(folder, [{"prompt": "a dog"}, {"prompt": "a cat"}])
    assert prompts == items(folder, [{"prompt": "a dog"}, {"prompt": "a cat"}]) and len(prompts) == 2


def test_coco_captions_and_instances(folder: Path) -> None:
    pictures = [{"id": 1, "file_name": "a.png", "width": 8, "height": 6}, {"id": 2, "file_name": "b.png"}]
    words = [{"image_id": 1, "caption": "one"}, {"image_id": 1, "caption": "two"}, {"image_id": 2, "caption": "three"}]
    (folder / "c.json").write_text(json.dumps({"images": pictures, "annotations": words}))
    assert items(folder, {"coco": {"annotations": "c.json", "pictures": "."}})["a.png"].fields["captions"] == [
        "one",
        "two",
    ]
    boxes = [{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}, {"image_id": 1, "category_id": 3, "bbox": [0, 0, 2, 2], "iscrowd": 1}]  # fmt: skip
    (folder / "i.json").write_text(json.dumps({"images": pictures, "annotations": boxes, "categories": [{"id": 3, "name": "dog"}]}))  # fmt: skip
    found = items(folder, {"coco": {"annotations": "i.json", "pictures": "."}})
    assert found["a.png"].fields["objects"][0] == {"name": "dog", "box": [1, 2, 4, 6], "crowd": False}
    assert found["a.png"].fields["counts"] == {"dog": 2} and found["b.png"].fields["counts"] == {}
    (folder / "no.json").write_text("{}")
    with pytest.raises(BadInput, match="is not COCO's"):
        items(folder, {"coco": {"annotations": "no.json", "pictures": "."}})


def test_drawn_scenes_know_their_truth_and_are_the_same_every_time(tmp_path: Path) -> None:
    found = items(tmp_path, {"drawn": {"count": 2, "first": 5, "questions": 2, "size": 64}})
    assert list(found) == ["scene-5 question 1", "scene-5 question 2", "scene-6 question 1", "scene-6 question 2"]
    first = found["scene-5 question 1"]
    assert first.group == "scene-5" and first.fields["caption"] in first.fields["captions"] and first.fields["question"]
    assert {o["name"] for o in first.fields["objects"]} == set(first.fields["counts"])
    assert found == items(tmp_path, {"drawn": {"count": 2, "first": 5, "questions": 2, "size": 64}})
    assert len(list((tmp_path / "kept").iterdir())) == 2
    items(tmp_path, {"drawn": {"count": 100_000, "first": 5, "size": 64}}, limit=1)  # no more are drawn than that
    assert len(list((tmp_path / "kept").iterdir())) == 2
    single = items(tmp_path, {"drawn": {"count": 1, "kind": "withheld", "size": 64}})
    assert next(iter(single.values())).fields["label"]
    seen = items(tmp_path, {"drawn": {"count": 1, "first": 5, "questions": 6, "asked": "seen", "size": 64}})
    assert [i.fields["asks"] for i in seen.values()] == [
        "what",
        "how many",
        "which colour",
        "is there",
        "where",
        "true",
    ]


def test_hugging_face_data_are_read_through_their_package_and_advised_where_it_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scripted double of `datasets`; the real package is not needed by this project."""

    class Image:
        def __init__(self, decode: bool = True) -> None: ...

    class ClassLabel:
        names = ("cat", "dog")

    class Table(list[dict[str, Any]]):
        features = {"image": Image(), "label": ClassLabel(), "id": "string"}

        def cast_column(self, name: str, feature: object) -> Table:
            return self

    rows = Table([{"image": {"bytes": picture().png(), "path": "z.png"}, "label": 1, "id": "one"}])
    double = SimpleNamespace(load_from_disk=lambda path: {"test": rows}, Image=Image, ClassLabel=ClassLabel)
    monkeypatch.setitem(sys.modules, "datasets", double)
    found = items(folder, {"datasets": {"path": "hf", "split": "test"}})
    assert found["one"].fields["label"] == "dog" and Path(found["one"].picture).is_file()
    with pytest.raises(BadInput, match="holds the splits test.*split: test"):
        items(folder, {"datasets": "hf"})
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ModelUnavailable, match="pip install datasets"):
        items(folder, {"datasets": "hf"})


def test_a_limit_takes_the_first_and_a_shuffle_is_the_same_every_time(tmp_path: Path) -> None:
    rows = [{"id": str(n)} for n in range(20)]
    assert list(items(tmp_path, rows, limit=3)) == ["0", "1", "2"]
    shuffled = list(items(tmp_path, rows, shuffle=1))
    assert shuffled == list(items(tmp_path, rows, shuffle=1)) != list(items(tmp_path, rows, shuffle=2))
    assert sorted(shuffled, key=int) == [str(n) for n in range(20)]
    with pytest.raises(BadInput, match="no item in the items"):
        items(tmp_path, [])
