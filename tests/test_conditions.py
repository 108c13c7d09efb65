"""Conditions on a picture's file: what is read, what holds, what is refused, and dates out of EXIF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from socratic.conditions import FIELDS, Condition, conditions, taken
from socratic.errors import BadInput

FACTS: dict[str, Any] = {
    "name": "Holiday 1.PNG", "width": 640, "height": 480, "bytes": 2_500_000, "modified": "2024-05-01T12:30:00", "taken": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("width>=640", True),
        ("width > 640", False),
        ("height!=480", False),
        ("bytes<2M", False),
        ("bytes>=2.5M", True),
        ("bytes<3000k", True),
        ("name=*.png", True),
        ("name=holiday ?.png", True),
        ("name!=*.jpg", True),
        ("name=holiday", False),
        ("modified=2024", True),
        ("modified>=2024-05", True),
        ("modified>2024-05", False),
        ("modified<2024-05-01 13:00", True),
        ("modified!=2023", True),
    ],
)
def test_what_holds(text: str, holds: bool) -> None:
    assert Condition.of(text).holds(FACTS) is holds


def test_a_field_that_is_not_known_meets_no_condition() -> None:
    for text in ("taken=2024", "taken!=2024", "taken<2100"):
        assert not Condition.of(text).holds(FACTS)
    assert Condition.of("taken<2100").holds({**FACTS, "taken": "2024-01-02T03:04:05"})
    assert not Condition.of("width>1").holds({})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no condition"),
        ("width", "is no condition"),
        ("colour=red", "is no condition on name, width"),
        ("__class__=x", "is no condition"),
        ("width>=__import__('os').system('true')", "compared with a number"),
        ("width>=wide", "compared with a number"),
        ("width==3", "compared with a number"),
        ("name>a", "compared by = or !="),
        ("taken>yesterday", "compared with a date"),
        ("modified=24-05", "compared with a date"),
    ],
)
def test_what_is_no_condition_is_refused_with_an_example(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        conditions([text])
    assert "width>=200" in caught.value.hint


def test_one_condition_may_be_given_alone() -> None:
    assert conditions("width>1") == conditions(["width>1"]) and conditions([]) == ()


@given(st.text(max_size=30), st.sampled_from(FIELDS), st.sampled_from(["=", "!=", "<", ">=", "=="]))
def test_any_text_is_a_condition_or_refused(value: str, field: str, comparison: str) -> None:
    try:
        told = Condition.of(f"{field}{comparison}{value}").holds(FACTS)
    except BadInput:
        return
    assert told in (True, False)


def test_the_date_of_a_photograph_is_that_of_its_exif(tmp_path: Path) -> None:
    image, exif = Image.new("RGB", (4, 4)), Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2023:07:08 09:10:11"
    image.save(tmp_path / "a.jpg", exif=exif)
    assert taken(tmp_path / "a.jpg") == "2023-07-08T09:10:11"
    other = Image.Exif()
    other[ExifTags.Base.DateTime] = "2020:01:02 03:04:05"
    image.save(tmp_path / "b.jpg", exif=other)
    assert taken(tmp_path / "b.jpg") == "2020-01-02T03:04:05"


def test_no_date_and_a_broken_one_are_none(tmp_path: Path) -> None:
    image, exif = Image.new("RGB", (4, 4)), Image.Exif()
    image.save(tmp_path / "a.png")
    exif[ExifTags.Base.DateTime] = "0000:00:00 00:00:00"
    image.save(tmp_path / "b.jpg", exif=exif)
    (tmp_path / "c.jpg").write_bytes(b"\xff\xd8\xff nothing")
    assert [taken(tmp_path / name) for name in ("a.png", "b.jpg", "c.jpg", "missing.jpg")] == [""] * 4
