"""Things with boxes in a reply: what is read, and what is refused so that it is asked for again."""

from __future__ import annotations

import pytest

from socratic.reply import ReplyContract, Unreadable

LAYOUT = ReplyContract(kind="object", fields={"background": "string", "objects": "boxes"})


def test_boxes_are_read_as_plain_lists() -> None:
    said = '{"background": "a lake", "objects": [{"what": "a swan", "box": [10, 55.5, 30, 25]}]}'
    value, status = LAYOUT.read(said)
    assert value == {"background": "a lake", "objects": [{"what": "a swan", "box": [10.0, 55.5, 30.0, 25.0]}]}
    assert status == "clean" and "objects" in LAYOUT.schema_text()


@pytest.mark.parametrize(
    ("objects", "told"),
    [
        ("[]", "at least 1"),
        ('[{"what": "a swan", "box": [10, 55, 30]}]', "at least 4"),
        ('[{"what": "a swan", "box": [10, 55, 0, 25]}]', "width and height are above 0"),
        ('[{"what": "a swan", "box": [10, 55, NaN, 25]}]', "JSON"),
        ('[{"what": "", "box": [1, 2, 3, 4]}]', "at least 1"),
        ('[{"what": "a swan", "where": [1, 2, 3, 4]}]', "box"),
        ('[["a swan", [1, 2, 3, 4]]]', "objects.0"),
        ('"a swan at the left"', "objects"),
    ],
)
def test_a_malformed_list_is_unreadable_with_the_reason(objects: str, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        LAYOUT.read(f'{{"background": "a lake", "objects": {objects}}}')
