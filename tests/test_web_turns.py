"""Turns as rows of the page: the same live and stored, and no text of a user, a file or a model is markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from web_cases import ANNA, RED, assistant, told

from socratic.assistant import Event
from socratic.assistant.album import Entry
from socratic.assistant.store import Origin
from socratic.web.guard import owner_of
from socratic.web.sessions import Sessions
from socratic.web.turns import Exchange, exchanges, plain, prose, rows

MARKS = st.text(st.sampled_from("ab1 *_`<>[]()!#+-.~|\\&;:/@$\n"), max_size=40)


def shown(markdown: str) -> tuple[str, set[str]]:
    """What a reader of Markdown shows as text, and the kinds of marks in it."""
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(markdown)
    parts = [t for token in tokens for t in (token.children or [token])]
    text = "".join("\n" if p.type in ("softbreak", "hardbreak") else p.content for p in parts)
    return text, {p.type for p in parts}


@given(MARKS)
def test_plain_text_shows_letter_by_letter(text: str) -> None:
    lines = " ".join(text.split())  # how Markdown folds white space is its own matter
    seen, kinds = shown(plain(lines))
    assert " ".join(seen.split()) == lines
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@given(MARKS)
def test_an_answer_holds_no_html_no_picture_and_no_disguised_link(text: str) -> None:
    _, kinds = shown(prose(text))
    assert not kinds & {"html_block", "html_inline", "image", "link_open"}


def test_an_answer_keeps_its_emphasis_and_lists() -> None:
    _, kinds = shown(prose("**two** dogs:\n\n- a\n- b"))
    assert {"strong_open", "bullet_list_open"} <= kinds


def made(tmp_path: Path, *texts: str, **settings: Any) -> tuple[list[dict[str, Any]], Any, Any]:
    with assistant(tmp_path, **settings) as one:
        sessions, session = Sessions(one), ""
        for n, text in enumerate(texts):
            session = told(sessions, ANNA, text, [RED] if n == 0 else [], session)
        conversation = sessions.open(owner_of(ANNA), session)
        turns, runs = exchanges(conversation), {r.id: r for r in one.store.runs(session)}
        live = sessions._live[session].exchange
        return rows(turns, conversation.album.entries(), runs, lambda h: f"http://page/{h}"), turns, live


def test_a_turn_is_what_was_asked_its_steps_and_the_answer_with_pictures(tmp_path: Path) -> None:
    told_rows, _, _ = made(tmp_path, "find the dogs")
    user, step, inner, answer = told_rows
    assert user["content"][0] == "find the dogs" and user["content"][1]["file"]["url"] == f"http://page/{RED.handle}"
    assert step["metadata"]["title"] == "detect: dog" and step["metadata"]["status"] == "done"
    assert inner["metadata"]["parent_id"] == step["metadata"]["id"] and inner["metadata"]["title"] == "regions"
    assert answer["content"][0].startswith("The tool said")
    assert answer["content"][1]["alt_text"].startswith("img:") and "marked of" in answer["content"][2]


def test_a_live_turn_and_the_stored_one_are_the_same(tmp_path: Path) -> None:
    _, turns, live = made(tmp_path, "hello", "find the dogs")
    assert turns[-1] == live


def test_a_call_that_waits_shows_its_cost_and_two_buttons(tmp_path: Path) -> None:
    told_rows, _, _ = made(tmp_path, "draw a lemon", approve="costly")
    assert told_rows[1]["metadata"]["log"] == "waits for you" and "status" not in told_rows[1]["metadata"]
    question = told_rows[-1]
    assert "a lemon on a beach" in question["content"] and "not done here before" in question["content"]
    assert [option["value"] for option in question["options"]] == ["approve", "reject"]


def test_a_tool_that_failed_says_so(tmp_path: Path) -> None:
    told_rows, _, _ = made(tmp_path, "see the ghost")
    step = next(row for row in told_rows if row.get("metadata"))
    assert step["metadata"]["log"] == "did not work" and step["metadata"]["status"] == "done"
    assert "there is no picture" in step["content"]


def test_tokens_are_a_draft_until_the_answer_comes() -> None:
    turn = Exchange("x")
    for word in ("two", " dogs"):
        turn.take(Event("token", text=word))
    assert rows([turn], [], {}, str)[-1]["content"] == ["two dogs"]
    turn.take(Event("text", text="three dogs"))
    assert rows([turn], [], {}, str)[-1]["content"] == ["three dogs"]


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.png", "![x](http://evil.example/x)", "**a**"])
def test_a_file_name_stays_a_name(name: str) -> None:
    entry = Entry("img:abcdef", "0" * 64, Origin("given", name))
    turn = Exchange("look", (), [], "see img:abcdef")
    caption = rows([turn], [entry], {}, str)[-1]["content"][-1]
    assert shown(caption)[0] == entry.say()
    assert not shown(caption)[1] & {"html_inline", "image", "strong_open", "link_open"}


def test_a_cited_picture_that_does_not_exist_is_not_shown() -> None:
    assert rows([Exchange("look", (), [], "see img:abcdef")], [], {}, str)[-1]["content"] == ["see img:abcdef"]
