"""Rows of data sets, broken ones too, and a record that is only appended to and goes on where it was killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from doubles_video import shade

from socratic.errors import BadInput
from socratic.pairs import Pair, PairRow, Record, read_pairs


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for i in range(3):
        shade(i).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.txt").write_text(f"shade\n{i}\n")
    rows = ['{"image": "0.png", "text": "shade 0"}', "", "{broken", "[1]", '{"text": "no image"}', '{"image": "1.png"}', '{"file_name": "2.png", "caption": "shade 2"}']  # fmt: skip
    (tmp_path / "data.jsonl").write_text("\n".join(rows))
    return tmp_path


def test_rows_of_a_file_come_with_their_errors(data: Path) -> None:
    rows = list(read_pairs(data / "data.jsonl"))
    assert [(r.image, r.text, r.line) for r in rows] == [
        ("0.png", "shade 0", 1), ("data.jsonl:3", "", 3), ("data.jsonl:4", "", 4), ("data.jsonl:5", "", 5),
        ("1.png", "", 6), ("2.png", "shade 2", 7),
    ]  # fmt: skip
    assert [bool(r.error) for r in rows] == [False, True, True, True, True, False]
    assert "line 3 of data.jsonl is no JSON" in str(rows[1].error) and "names no text" in str(rows[4].error)
    assert rows[0].path == str(data / "0.png"), "beside the file that names it"
    assert list(read_pairs(data / "data.jsonl", texts=False))[4].error is None


def test_a_folder_has_its_texts_beside_the_pictures(data: Path) -> None:
    (data / "1.txt").unlink()
    (data / "2.txt").write_bytes(b"\xff\xfe")
    rows = list(read_pairs(data))
    assert [(r.image, r.text) for r in rows] == [("0.png", "shade 0"), ("1.png", ""), ("2.png", "")]
    assert (
        "has no text" in str(rows[1].error) and "1.txt" in str(rows[1].error) and "cannot be read" in str(rows[2].error)
    )
    assert list(read_pairs(data, texts=False))[1].error is None


@pytest.mark.parametrize("name", ["missing.jsonl", "0.png", "missing"])
def test_what_is_no_data_set_is_an_error(data: Path, name: str) -> None:
    with pytest.raises(BadInput, match="no data set"):
        list(read_pairs(data / name))


def test_a_pair_is_made_of_many_things(data: Path) -> None:
    path = str(data / "0.png")
    made = [Pair.from_source(s) for s in ((path, "x"), {"image": path, "text": "x"}, PairRow("0.png", "x", path))]
    assert made[0] == made[1] == made[2] == Pair.from_source(made[0]) == Pair.from_source(made[0].as_source())
    assert made[0].pictures[0].source == path and Pair.from_source({"image": path}).text == ""
    for wrong in (path, {"text": "x"}, (path,), 3):
        with pytest.raises(BadInput, match="a picture and its text"):
            Pair.from_source(wrong)
    with pytest.raises(BadInput, match="line 3"):
        Pair.from_source(next(r for r in read_pairs(data / "data.jsonl") if r.error))


def test_a_record_goes_on_after_a_half_written_line(data: Path) -> None:
    rows = [r for r in read_pairs(data) if not r.error]
    record = Record(data / "out.jsonl", {"a": 1}, [])
    for row in rows[:2]:
        record.add(row, {"text": "x"})
    with (data / "out.jsonl").open("a") as file:
        file.write('{"image": "2.p')
    again = Record(data / "out.jsonl", {"a": 1}, [])
    assert again.done == {rows[0].key, rows[1].key} and len(again.rows) == 2
    again.add(rows[2], {"text": "y"})
    lines = [json.loads(line) for line in (data / "out.jsonl").read_text().splitlines()]
    assert [line["image"] for line in lines] == ["0.png", "1.png", "2.png"]
    assert lines[2]["source_text"] == "shade 2" and lines[2]["text"] == "y"


def test_a_record_mixes_nothing_and_touches_no_source(data: Path) -> None:
    Record(data / "out.jsonl", {"a": 1}, []).add(next(read_pairs(data)), {})
    with pytest.raises(BadInput, match="other settings"):
        Record(data / "out.jsonl", {"a": 2}, [])
    assert Record(data / "out.jsonl", {"a": 2}, [], overwrite=True).rows == [] and not (data / "out.jsonl").read_bytes()
    before = (data / "data.jsonl").read_bytes()
    (data / "link.jsonl").symlink_to(data / "data.jsonl")
    for name in ("data.jsonl", "link.jsonl", "../" + data.name + "/data.jsonl"):
        with pytest.raises(BadInput, match="data set itself"):
            Record(data / name, {}, [data / "data.jsonl"], overwrite=True)
    (data / "notes.jsonl").write_text('{"image": "mine"}\n')
    with pytest.raises(BadInput, match="none of ours"):
        Record(data / "notes.jsonl", {}, [])
    assert (data / "data.jsonl").read_bytes() == before
