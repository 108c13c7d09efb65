"""The handlers of the panes, called as the page calls them: each shows the own session only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from web_cases import ANNA, BEN, RED, assistant, request, told

from socratic.web.sessions import Sessions
from socratic.web.shelf import Shelf, origin

NAMES = (
    "step", "talk", "again", "turn", "words", "asked", "no_step", "gallery", "lineage", "looked", "regions", "none_found",
    "pair", "slider", "no_pair", "compared", "notice", "redone",
)  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Any]:
    """The panes, and a session in which something was found, drawn and changed."""
    with assistant(tmp_path) as one:
        sessions = Sessions(one)
        session = told(sessions, ANNA, "find the dog", [RED])
        for text in ("draw a lemon", "put it in a forest"):
            told(sessions, ANNA, text, session=session)
        yield Shelf(sessions, {name: name for name in NAMES}), session


def test_an_empty_page_says_what_will_come(shelf: Any) -> None:
    panes, _ = shelf
    for current in ("", "no such session"):
        told = panes.refresh(current, request(ANNA))
        assert "come here" in told["lineage"] and told["gallery"]["visible"] is False
        assert all(told[name]["visible"] for name in ("no_step", "none_found", "no_pair"))
        assert not any(told[name]["visible"] for name in ("step", "looked", "pair", "slider", "regions", "again"))


def test_a_session_fills_all_panes(shelf: Any) -> None:
    panes, session = shelf
    told = panes.refresh(session, request(ANNA, "127.0.0.1:7999"))
    assert set(told) == set(panes.panes)
    urls = [url for url, _ in told["gallery"]["value"]]
    assert len(urls) == 4 and all(url.startswith(f"http://127.0.0.1:7999/pictures/{session}/img-") for url in urls)
    assert told["slider"]["value"] == (urls[1], urls[0])
    picture, marks = told["regions"]["value"]
    assert picture == urls[3] and [label for _, label in marks] == ["dog", "dog"]
    assert told["regions"]["color_map"]["dog"].startswith("#") and len(told["step"]["choices"]) == 3
    assert told["talk"].startswith("<iframe") and told["turn"]["value"] in told["turn"]["choices"]


def test_another_browser_sees_an_empty_page(shelf: Any) -> None:
    panes, session = shelf
    assert panes.refresh(session, request(BEN)) == panes.refresh("", request(BEN))
    for handler, arguments in (
        (panes.looked, ["run"]),
        (panes.pair, ["img:fee716"]),
        (panes.step, ["run"]),
        (panes.turn, ["run", "prompt"]),
    ):
        with pytest.raises(gr.Error, match="no such session"):
            handler(session, *arguments, request(BEN))
    assert "no such session" in panes.lineage(session, request(BEN), SimpleNamespace(index=0))
    assert "no such session" in panes.rerun(session, "run", "prompt", "x", request(BEN))["compared"]


def test_choosing_a_picture_tells_its_lineage(shelf: Any) -> None:
    panes, session = shelf
    told = panes.lineage(session, request(ANNA), SimpleNamespace(index=1))
    assert "a lemon on a beach" in told and "<dt>seed</dt><dd>0</dd>" in told
    assert "<p>" in panes.lineage(session, request(ANNA), SimpleNamespace(index=99))


def test_choosing_a_step_and_a_sentence(shelf: Any) -> None:
    panes, session = shelf
    runs = {label.split(". ")[1].split(":")[0]: run for label, run in panes.refresh(session, request(ANNA))["step"]["choices"]}  # fmt: skip
    told = panes.step(session, runs["generate"], request(ANNA))
    assert told["words"] == "a lemon on a beach" and told["turn"]["choices"] == ["prompt", "drawing 0"]
    chosen = panes.turn(session, runs["generate"], "drawing 0", request(ANNA))
    assert "drawn from" in chosen["words"] and "no prompt" in chosen["asked"]
    assert panes.looked(session, runs["detect"], request(ANNA))["visible"] is True
    assert panes.looked(session, runs["generate"], request(ANNA))["visible"] is False


def test_a_rerun_opens_its_new_step(shelf: Any) -> None:
    panes, session = shelf
    run = panes.refresh(session, request(ANNA))["step"]["choices"][1][1]
    done = panes.rerun(session, run, "prompt", "a melon in a forest", request(ANNA))
    assert "melon" in done["compared"] and done["compared"].count("<img") == 2
    told = panes.refresh_after(session, done["redone"], request(ANNA))
    assert told["step"]["value"] == done["redone"] and "compared" not in told
    refused = panes.rerun(session, run, "prompt", "a lemon on a beach", request(ANNA))
    assert "nothing was changed" in refused["compared"]
    assert panes.refresh_after(session, refused["redone"], request(ANNA)) == {}


@pytest.mark.parametrize(("proto", "wanted"), [("", "http"), ("https", "https"), ("javascript", "http")])
def test_pictures_come_from_where_the_page_came_from(proto: str, wanted: str) -> None:
    asked = SimpleNamespace(headers={"host": "page.example", **({"x-forwarded-proto": proto} if proto else {})})
    assert origin(asked) == f"{wanted}://page.example"  # type: ignore[arg-type]
