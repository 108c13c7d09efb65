"""What the chat shows: nothing that a model says steers the terminal."""

from __future__ import annotations

import io
from pathlib import Path

from doubles import picture
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from socratic.assistant import Event
from socratic.chat.screen import Screen, Told, brief, clean, half_blocks
from socratic.errors import BadInput
from socratic.progress import Progress


def screen(terminal: bool = False) -> tuple[Screen, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    made = [Console(file=f, force_terminal=terminal, color_system="truecolor" if terminal else None, width=80, highlight=False) for f in (out, err)]  # fmt: skip
    return Screen("auto", *made), out, err


CALL = Event("call", "detect", data={"arguments": {"phrases": ["dog"]}, "id": "1"})
RESULT = Event("result", "detect", "2 x dog\nimg:1\nimg:2", {"id": "1", "pictures": ["img:1"]})


def test_a_step_is_one_line_with_what_was_asked_and_found() -> None:
    shown, out, err = screen()
    with shown.busy():
        for event in (CALL, RESULT):
            shown.heard(event)
    assert err.getvalue() == "  ✓ detect dog … 2 x dog  (+ 2 lines)\n" and out.getvalue() == ""
    shown.heard(CALL)
    shown.heard(Event("result", "detect", "User rejected the tool call for ...", {"id": "1"}, False))
    assert err.getvalue().endswith("✗ detect dog … you said no\n")


def test_while_it_runs_a_person_sees_what(tmp_path: Path) -> None:
    shown, _, err = screen(terminal=True)
    with shown.busy():
        shown.heard(CALL)
        shown.progress(Progress("drawing", 3, 20))
    assert "detect dog" in err.getvalue() and "drawing: 3 of 20" in err.getvalue()


def test_words_are_seen_as_they_come() -> None:
    shown, out, err = screen(terminal=True)
    with shown.busy():
        for word in ("There ", "are ", "\x1b[2Jtwo."):
            shown.heard(Event("token", text=word))
    assert "There are [2Jtwo." in err.getvalue() and out.getvalue() == ""


def test_told_gathers_a_turn_also_across_approvals() -> None:
    told = Told()
    for event in (CALL, Event("approval"), RESULT, Event("text", text="Two.")):
        told.hear(event)
    assert (told.text, told.made) == ("Two.", ["img:1"])
    assert told.calls == [{"name": "detect", "arguments": {"phrases": ["dog"]}, "ok": True}]


@given(st.text())
def test_nothing_steers_the_terminal(text: str) -> None:
    assert all(c == "\n" or c.isprintable() for c in clean(text))
    shown, out, err = screen()
    hostile = f"\x1b]0;owned\x07\x1b[2J\x9b2J{text}\u202e[bold]x[/bold]"
    shown.answer(hostile)
    shown.note(hostile)
    shown.error(BadInput(hostile, hint=hostile))
    shown.listing([(hostile, hostile)])
    shown.heard(Event("call", hostile, data={"arguments": {hostile: [hostile]}, "id": "1"}))
    shown.heard(Event("result", hostile, hostile, {"id": "1"}))
    assert not {"\x1b", "\x9b", "\x07", "\u202e", "\r"} & set(out.getvalue() + err.getvalue())
    assert "[bold]x[/bold]" in out.getvalue().replace("\n", "")


def test_a_picture_is_a_link_and_half_blocks_where_there_are_colours(tmp_path: Path) -> None:
    red = picture((200, 30, 30), size=(64, 32))
    blocks = half_blocks(red).plain.splitlines()
    assert [len(line.strip()) for line in blocks] == [32] * 8 and set("".join(blocks)) == {" ", "▀"}
    shown, out, _ = screen(terminal=True)
    shown.picture("img:1", tmp_path / "x.png", "drawn: a dog", red)
    assert "38;2;200;30;30" in out.getvalue() and f"file://{tmp_path}/x.png" in out.getvalue()
    shown, out, _ = screen()
    shown.picture("img:1", tmp_path / "x.png", "drawn: a dog", red)
    assert out.getvalue() == f"  img:1  drawn: a dog\n  {tmp_path}/x.png\n"


def test_tiny_and_narrow_pictures_have_a_line() -> None:
    for size in ((1, 1), (1, 500), (500, 1)):
        assert half_blocks(picture(size=size)).plain.strip()


def test_arguments_are_brief() -> None:
    assert brief({"prompt": "a red  dog\n", "n": 2, "phrases": ["a", "b"]}) == "a red dog n=2 a, b"
    assert len(brief({"prompt": "x" * 500})) == 80
