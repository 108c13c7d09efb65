"""Values that travel between tools: their identity, their arithmetic, and how they say themselves."""

from __future__ import annotations

import base64
import dataclasses
import io
import itertools
import json
import math
from typing import Any

import pytest
from doubles import picture
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from socratic.values import Call, Message, Offer, Picture, Ranking, Reply, Request, Space, Usage

COSINES = st.lists(st.floats(-1, 1), min_size=1, max_size=20)


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_picture_is_known_by_its_pixels_alone() -> None:
    one, other = picture(source="a.png"), picture(source="b.png")
    assert one == other and one.sha256 == other.sha256 and len({one, other}) == 1
    assert picture((200, 30, 31)).sha256 != one.sha256


def test_pictures_with_the_same_bytes_and_another_shape_differ() -> None:
    assert picture(size=(8, 6)).sha256 != picture(size=(6, 8)).sha256


def test_the_handle_is_short_and_in_what_a_picture_says() -> None:
    seen = picture(size=(8, 6))
    assert seen.handle == "img:" + seen.sha256[:6]
    assert seen.say() == f"a picture of 8 x 6 pixels ({seen.handle})"


def test_only_rgb_becomes_a_picture() -> None:
    with pytest.raises(ValueError, match="RGBA"):
        Picture.of(Image.new("RGBA", (2, 2)))


def test_png_and_data_url_keep_every_pixel() -> None:
    seen = Picture.of(Image.effect_noise((30, 20), 90).convert("RGB"))
    assert decoded(seen.png()).tobytes() == seen.pil.tobytes()
    head, _, body = seen.data_url().partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body, validate=True) == seen.png()


@pytest.mark.parametrize(("longest", "size"), [(50, (50, 25)), (100, (100, 50)), (None, (100, 50)), (1000, (100, 50))])
def test_png_shrinks_to_the_longest_side_and_never_grows(longest: int | None, size: tuple[int, int]) -> None:
    seen = picture(size=(100, 50))
    assert decoded(seen.png(longest)).size == size
    assert seen.pil.size == (100, 50), "the picture itself stays"


def test_a_picture_as_a_dict_is_json_without_pixels() -> None:
    row = json.loads(json.dumps(picture(source="a.png").as_dict()))
    assert row == {"handle": row["handle"], "sha256": row["sha256"], "source": "a.png", "width": 8, "height": 6}


def test_softmax_gives_the_analytic_values() -> None:
    assert Space(1.0).probabilities([0.0, 0.0]) == [0.5, 0.5]
    assert Space(math.log(3)).probabilities([1.0, 0.0]) == pytest.approx([0.75, 0.25])
    assert Space(2.0, bias=7.0).probabilities([0.5, -0.5]) == pytest.approx(
        [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(2))]
    )


def test_sigmoid_judges_each_label_alone() -> None:
    space = Space(10.0, bias=-5.0, kind="sigmoid")
    assert space.probabilities([0.5]) == [0.5]
    assert space.probabilities([0.6, 0.4]) == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1))])
    assert space.probabilities([0.6, 0.4])[0] == space.probabilities([0.6])[0]


@given(COSINES, st.sampled_from(["softmax", "sigmoid"]), st.floats(0.1, 1e4), st.floats(-1e3, 1e3))
def test_probabilities_are_probabilities_in_the_order_of_the_cosines(
    cosines: list[float], kind: Any, scale: float, bias: float
) -> None:
    chances = Space(scale, bias, kind).probabilities(cosines)
    assert len(chances) == len(cosines) and all(0 <= p <= 1 for p in chances)
    assert kind == "sigmoid" or math.isclose(sum(chances), 1)
    ranked = sorted(range(len(cosines)), key=lambda i: cosines[i])
    assert all(chances[a] <= chances[b] for a, b in itertools.pairwise(ranked))


def test_nothing_has_no_probabilities() -> None:
    assert Space(1.0).probabilities([]) == [] == Space(1.0, kind="sigmoid").probabilities([])


def test_a_ranking_is_ordered_and_equal_cosines_keep_their_order() -> None:
    ranking = Ranking.of(["a", "b", "c", "d"], [0.1, 0.5, 0.5, 0.3], Space(1.0))
    assert ranking.labels == ("b", "c", "d", "a") and ranking.best == "b"
    assert ranking.scores == (0.5, 0.5, 0.3, 0.1)
    assert ranking.probabilities == tuple(Space(1.0).probabilities([0.5, 0.5, 0.3, 0.1]))


@given(COSINES)
def test_a_ranking_loses_no_label(cosines: list[float]) -> None:
    labels = [f"label {i}" for i in range(len(cosines))]
    ranking = Ranking.of(labels, cosines, Space(30.0))
    assert sorted(zip(ranking.labels, ranking.scores, strict=True)) == sorted(zip(labels, cosines, strict=True))


def test_top_stops_at_k_and_at_the_threshold_but_keeps_the_best() -> None:
    ranking = Ranking.of(["a", "b", "c"], [0.9, 0.5, 0.1], Space(10.0))
    assert ranking.top(2) == ["a", "b"]
    assert ranking.top(9) == ["a", "b", "c"]
    assert ranking.top(3, at_least=ranking.probabilities[1]) == ["a", "b"]
    assert ranking.top(3, at_least=1.0) == ["a"] == ranking.top(0)


def test_a_ranking_says_five_labels_with_percentages() -> None:
    ranking = Ranking.of(list("abcdefg"), [1.0] * 7, Space(1.0))
    assert ranking.say() == "a (14%), b (14%), c (14%), d (14%), e (14%)"
    assert json.loads(json.dumps(ranking.as_dict()))["cosines"]["g"] == 1.0


def test_a_message_gives_role_and_content_without_pictures() -> None:
    assert Message("user", "hello", (picture(),)).as_dict() == {"role": "user", "content": "hello"}


def test_calls_and_their_answers_are_told_as_chat_templates_take_them() -> None:
    said = Message("assistant", "", calls=(Call("detect", '{"phrases": ["dög"]}', "call_1"),)).as_dict()
    function = {"name": "detect", "arguments": {"phrases": ["dög"]}}
    assert said["tool_calls"] == [{"type": "function", "id": "call_1", "function": function}]
    heard = Message("tool", "one dog", answers="call_1").as_dict()
    assert heard == {"role": "tool", "content": "one dog", "tool_call_id": "call_1"}


def test_an_offer_is_told_with_its_schema_as_an_object() -> None:
    told = Offer("detect", "finds things", '{"type": "object", "properties": {}}').as_dict()
    parameters = {"type": "object", "properties": {}}
    assert told["function"] == {"name": "detect", "description": "finds things", "parameters": parameters}


def test_usage_adds_up() -> None:
    assert sum([Usage(1, 2), Usage(10, 20)], Usage()) == Usage(11, 22)


def test_a_reply_says_its_text() -> None:
    assert Reply("hello").say() == "hello" and Reply("hello").finished


REQUEST = Request((Message("system", "Be short."), Message("user", "Hello", (picture(),))), 0.5, 20, 1, 0, "{}")
CHANGED: dict[str, Any] = {
    "messages": REQUEST.messages[1:],
    "temperature": 0.6,
    "max_tokens": 21,
    "seed": 2,
    "repeat": 1,
    "schema": '{"type": "object"}',
    "tools": (Offer("detect", "finds things", '{"type": "object"}'),),
    "must_call": True,
}


def test_the_changes_below_cover_every_field() -> None:
    assert set(CHANGED) == {f.name for f in dataclasses.fields(Request)}


@pytest.mark.parametrize("field", CHANGED)
def test_every_field_of_a_request_is_in_its_key(field: str) -> None:
    assert dataclasses.replace(REQUEST, **{field: CHANGED[field]}).key() != REQUEST.key()


@pytest.mark.parametrize(
    "message",
    [Message("assistant", "Hello", (picture(),)), Message("user", "hello", (picture(),)), Message("user", "Hello"), Message("user", "Hello", (picture((0, 0, 0)),))],
)  # fmt: skip
def test_role_text_and_pictures_are_in_the_key(message: Message) -> None:
    assert dataclasses.replace(REQUEST, messages=(REQUEST.messages[0], message)).key() != REQUEST.key()


def test_the_key_does_not_depend_on_the_picture_file() -> None:
    same = Message("user", "Hello", (picture(source="elsewhere.png"),))
    assert dataclasses.replace(REQUEST, messages=(REQUEST.messages[0], same)).key() == REQUEST.key()


@given(st.text(), st.text(), st.text())
def test_text_cannot_move_between_messages_without_a_new_key(a: str, b: str, c: str) -> None:
    split = Request((Message("user", a + b), Message("user", c)))
    other = Request((Message("user", a), Message("user", b + c)))
    assert (split.key() == other.key()) == (split == other)
