"""Messages that a prompt renders: their roles, their pictures and their hash."""

from __future__ import annotations

import pytest
from doubles import picture
from prompt_cases import ASK, made

from socratic.prompt import load
from socratic.values import Message


def test_a_loop_may_open_messages() -> None:
    shots = [{"findings": "a dog", "caption": "A dog."}, {"findings": "a cat", "caption": "A cat."}]
    rendered = load("caption.write").render(
        image_type="photo", amount="There is one thing.", places=["park"], objects=["dog"], shots=shots
    )
    assert [m.role for m in rendered.messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [m.text for m in rendered.messages if m.role == "assistant"] == ["A dog.", "A cat."]


@pytest.mark.parametrize(
    "body", ["user:\n{%- if a -%}\nHello {{ a -}}\n{%- endif -%}\nassistant:\n{{- a }}\nuser:\nMore"]
)
def test_trimmed_white_space_does_not_move_messages(body: str) -> None:
    messages = made(body, "a: {kind: string}").render(a="you").messages
    assert [(m.role, m.text) for m in messages] == [("user", "Hello you"), ("assistant", "you"), ("user", "More")]


def test_pictures_are_attached_to_the_message_that_shows_them() -> None:
    red, blue, green = picture((255, 0, 0)), picture((0, 0, 255)), picture((0, 255, 0))
    prompt = made(
        "system:\nLook.\nuser:\n{{ first }}\nWhat is this?\nassistant:\nA thing.\nuser:\nAnd {{ more[1] }} or {{ more[0] }}?\nuser:\nSo?",
        "first: {kind: image}, more: {kind: array}",
    )
    messages = prompt.render(first=red, more=[blue, green]).messages
    assert [m.pictures for m in messages] == [(), (red,), (), (green, blue), ()]
    assert [m.text for m in messages] == ["Look.", "What is this?", "A thing.", "And  or ?", "So?"]


def test_a_picture_alone_is_a_message() -> None:
    assert made("user:\n{{ a }}", "a: {kind: image}").render(a=picture()).messages == (
        Message("user", "", (picture(),)),
    )


def test_the_hash_is_stable_and_changes_with_role_text_and_picture() -> None:
    assert ASK.render(question="x").sha256 == ASK.render(question="x").sha256
    seen = made("user:\n{{ a }} What?", "a: {kind: image}")
    other = made("system:\n{{ a }} What?\nuser:\nx", "a: {kind: image}")
    hashes = {r.sha256 for r in (ASK.render(question="x"), ASK.render(question="y"), seen.render(a=picture()), seen.render(a=picture((0, 0, 0))), other.render(a=picture()))}  # fmt: skip
    assert len(hashes) == 5


def test_the_hash_of_known_messages_is_pinned_across_processes_and_versions() -> None:
    assert ASK.render(question="x").sha256.startswith("56a91868596c0c39")
