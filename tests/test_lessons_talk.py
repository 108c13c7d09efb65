"""The lessons of the assistant: calls that fit the tools, handles that exist, tools' words that are the recipes' own."""

from __future__ import annotations

import json
import random
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socratic.assistant.offers import offers, tool_of
from socratic.assistant.own_tools import own_tools
from socratic.pocket import told
from socratic.pocket.lessons_talk import TalkLesson, listed, talk_lesson
from socratic.pocket.talk_desk import Desk
from socratic.pocket.talk_kinds import NO_PICTURE
from socratic.pocket.train_leader import content, disguised, encoded
from socratic.prompt import load
from socratic.regions import Box, Region, Regions
from socratic.torchvision_guard import guard
from socratic.values import Message
from socratic.workbench import open_profile

guard()
HANDLE = re.compile(r"img:\d+")
SEEDS = st.integers(0, 10**9)


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """The tools of the assistant with the pocket models, by name: the lessons know these by heart."""
    usual = open_profile("pocket", keep=False).profile["assistant"]["offers"]
    nobody: Any = None  # the tools are only described
    tools = [*(tool_of(o, nobody) for o in offers(usual)), *own_tools(nobody)]
    return {t.name: t.args_schema.model_json_schema() for t in tools}  # type: ignore[union-attr]


def made(seed: int) -> TalkLesson:
    return talk_lesson(random.Random(seed))


def called(message: Message) -> str:
    """A call as the chat template writes it."""
    call = message.calls[0]
    return f'<tool_call>{{"name": "{call.name}", "arguments": {call.arguments}}}</tool_call>'


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_calls_fit_the_tools_of_the_pocket_profile(seed: int) -> None:
    lesson = made(seed)
    for message in lesson.messages:
        for call in message.calls:
            given_now, schema = json.loads(call.arguments), schemas()[call.name]
            assert set(given_now) <= set(schema["properties"])
            assert set(schema.get("required", [])) <= set(given_now)


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_what_is_scored_names_only_pictures_that_were_told(seed: int) -> None:
    lesson = made(seed)
    before = ""
    for message, scored in zip(lesson.messages, lesson.scored, strict=True):
        said = message.text + "".join(c.arguments for c in message.calls)
        if scored:
            assert set(HANDLE.findall(said)) <= set(HANDLE.findall(before)), said
        before += said


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_a_lesson_ends_with_the_assistant_and_teaches_only_it(seed: int) -> None:
    lesson = made(seed)
    assert lesson.messages[0].role == "system" and lesson.messages[-1].role == "assistant" and lesson.scored[-1]
    assert all(m.role == "assistant" for m, scored in zip(lesson.messages, lesson.scored, strict=True) if scored)
    requests = [m.text for m in lesson.messages if m.role == "user"]
    assert all("Pictures:" not in text for text in requests[:-1])


def test_pictures_are_listed_as_the_assistant_lists_them() -> None:
    desk = Desk(random.Random(12))
    desk.pictures = [
        desk.entry("given", "a.png"),
        desk.entry("drawn", "a dog"),
        desk.entry("changed", "a cat", ("img:2",)),
    ]
    rendered = load("assistant.system").render(pictures=[p.say() for p in desk.pictures])
    assert listed(desk.pictures) == rendered.messages[-1].text


def test_every_tool_is_taught() -> None:
    rng = random.Random(5)
    lessons = [talk_lesson(rng) for _ in range(600)]
    assert {c.name for x in lessons for m in x.messages for c in m.calls} == set(schemas())


def test_things_are_named_in_calls_as_people_name_them() -> None:
    """With the article, which is copied more easily; the tool takes it off again."""
    rng = random.Random(6)
    calls = [c for _ in range(300) for m in talk_lesson(rng).messages for c in m.calls]
    named = [n for c in calls for n in json.loads(c.arguments).get("phrases", [])]
    assert named and {n.split()[0] for n in named} == {"a", "an", "the"} and not any(" of " in n for n in named)


def test_without_a_picture_nothing_is_looked_at() -> None:
    rng = random.Random(11)
    lessons = [talk_lesson(rng) for _ in range(400)]
    assert NO_PICTURE in {x.messages[-1].text for x in lessons}
    for lesson in lessons:
        if lesson.messages[-1].text == NO_PICTURE:
            assert "Pictures:" not in lesson.messages[-2].text


def test_the_ids_of_a_lesson_are_those_of_the_whole_conversation() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained("pocket/leader")
    rng = random.Random(3)
    for lesson in [talk_lesson(rng) for _ in range(12)]:
        ids, parts = encoded(tokenizer, lesson)
        text = tokenizer.apply_chat_template([m.as_dict() for m in lesson.messages], tokenize=False)
        assert ids == tokenizer(text, add_special_tokens=False)["input_ids"]
        learnt = tokenizer.decode([i for i, part in zip(ids, parts, strict=True) if part is not None])
        wanted = [m.text or called(m) for m, scored in zip(lesson.messages, lesson.scored, strict=True) if scored]
        assert learnt == "".join(f"{text}<|im_end|>" for text in wanted)


def test_a_disguise_is_the_same_everywhere_and_leaves_what_cannot_be_copied() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained("pocket/leader")
    rng, changes = random.Random(4), 0
    for lesson in [talk_lesson(rng) for _ in range(40)]:
        ids, parts = encoded(tokenizer, lesson)
        other = disguised(ids, parts, tokenizer, rng)
        changed = {(a, b) for a, b in zip(ids, other, strict=True) if a != b}
        assert len({a for a, _ in changed}) == len({b for _, b in changed}) == len(changed)
        begin = next(i for i, part in enumerate(parts) if part is not None)
        assert {a for a, _ in changed} <= set(ids[:begin]) & content(tokenizer), "it was said before"
        changes += len(changed)
    assert changes


@pytest.mark.parametrize("where", told.WHERE)
def test_places_are_said_as_regions_say_them(where: str) -> None:
    x = 10 if "left" in where else 90 if "right" in where else 50
    y = 10 if "upper" in where or "top" in where else 90 if "lower" in where or "bottom" in where else 50
    regions = Regions(100, 100, (Region("dog", 0.91, Box(x - 5, y - 5, x + 5, y + 5)),))
    assert told.Found((("dog", 91, where),)).say() == regions.say()


def test_nothing_found_is_said_as_regions_say_it() -> None:
    assert told.Found(()).say() == Regions(10, 10).say()


@given(SEEDS)
def test_a_count_names_every_find_once(seed: int) -> None:
    rng = random.Random(seed)
    finds = told.found(rng, ["dog", "cat"])
    text = told.answer_count(finds, ["dog", "cat"]).lower()
    for name in ("dog", "cat"):
        assert told.many(name, len(finds.places(name))) in text


def test_a_denied_fact_is_turned_round() -> None:
    answers = {told.checked(random.Random(seed), "two dogs on a beach")[1] for seed in range(200)}
    assert {"Yes, that is true.", "No: there is no dog.", "No: there is one dog.", "No: this is no beach."} <= answers
