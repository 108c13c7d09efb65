"""The page in a real Chromium, with the pocket models: look, cut out, draw, change, reload, restart the server, go on.

The pocket leader leads the whole way round, a scripted model the special cases; the tools are real. Collected only where
a Chromium is found (see `conftest.py`): `make browser` installs one. `SOCRATIC_SHOTS=DIR` keeps pictures of the page.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from chromium import chromium
from doubles_chat import call
from playwright.sync_api import Page, expect, sync_playwright
from web_cases import REPLIES, assistant

from socratic.assistant import Assistant
from socratic.web import Served, running
from socratic.workbench import Workbench, open_profile

SCENE = Path(__file__).parent.parent / "pocket" / "pictures" / "scene-1.png"
LONG = 120_000  # milliseconds: for slow machines; nothing takes that long where all is well


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return open_profile("pocket", keep=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield made
        made.close()


@pytest.fixture(autouse=True)
def _cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REPLIES, "cut", call("segment", phrases=["snake"]))


@contextmanager
def served(home: Path, bench: Workbench, port: int = 0, **settings: Any) -> Iterator[str]:
    with assistant(home, bench, **settings) as one, running(one, Served(port=port)) as url:
        yield url


def opened(context: Any, url: str, asked: list[str]) -> Page:
    """The page, with every address noted that it asks for."""
    page: Page = context.new_page()
    page.on("request", lambda r: asked.append(r.url))
    page.goto(url)
    expect(page.locator("#box textarea")).to_be_visible(timeout=LONG)
    return page


def say(page: Page, text: str, answer: str) -> None:
    """Says something with the keyboard and waits until the turn is over."""
    page.fill("#box textarea", text)
    page.press("#box textarea", "Enter")
    expect(page.locator("#chat").get_by_text(answer).last).to_be_visible(timeout=LONG)
    expect(page.locator("#box .submit-button")).to_be_visible(timeout=LONG)


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SOCRATIC_SHOTS"):
        page.wait_for_timeout(800)
        page.screenshot(path=f"{folder}/{name}.png")


def loaded(page: Page, selector: str) -> int:
    """How many pictures there have arrived."""
    return int(page.locator(selector).evaluate_all("all => all.filter(i => i.complete && i.naturalWidth > 0).length"))


@contextmanager
def led_by_the_leader(home: Path, bench: Workbench, port: int = 0) -> Iterator[str]:
    with Assistant(bench, home=home) as one, running(one, Served(port=port)) as url:
        yield url


def test_look_cut_draw_change_reload_restart(browser: Any, bench: Workbench, tmp_path: Path) -> None:
    asked: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    with led_by_the_leader(tmp_path, bench) as url:
        page = opened(context, url, asked)
        expect(page.get_by_text("What shall we look at?")).to_be_visible(timeout=LONG)
        shoot(page, "1-empty")
        page.set_input_files("#box input[type=file]", str(SCENE))
        expect(page.locator("#box img")).to_be_visible(timeout=LONG)
        say(page, "what is in this picture?", "snake")
        shoot(page, "2-look")
        say(page, "cut the snake out", "I cut out")
        page.get_by_role("tab", name="Found").click()
        expect(page.locator("#regions").get_by_text("snake")).to_be_visible(timeout=LONG)
        shoot(page, "3-cut")
        say(page, "draw a lemon on a beach", "(drawn: a lemon on a beach)")
        say(page, "now put it in a forest", "changed of")
        page.get_by_role("tab", name="Compare").click()
        expect(page.locator("#slider img").first).to_be_visible(timeout=LONG)
        shoot(page, "4-changed")
        page.reload()
        expect(page.locator("#chat").get_by_text("changed of")).to_be_visible(timeout=LONG)
        expect(page.locator("#gallery img")).to_have_count(4, timeout=LONG)
    with led_by_the_leader(tmp_path, bench, int(url.rsplit(":", 1)[1])) as again:
        assert again == url
        page.goto(url)
        expect(page.locator("#chat").get_by_text("changed of")).to_be_visible(timeout=LONG)
        say(page, "what can you do?", "I can describe")
        expect(page.locator("#gallery img")).to_have_count(4, timeout=LONG)
        page.wait_for_function(
            "[...document.querySelectorAll('#gallery img')].every(i => i.complete && i.naturalWidth)"
        )
        assert loaded(page, "#gallery img") == 4
        shoot(page, "5-restarted")
        stranger = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
        other = opened(stranger, url, asked)
        expect(other.get_by_text("What shall we look at?")).to_be_visible(timeout=LONG)
        own = page.locator("#gallery img").first.get_attribute("src")
        assert own and stranger.request.get(own).status == 404 and context.request.get(own).status == 200
        shoot(other, "6-stranger")
        stranger.close()
    places = {urlsplit(address).hostname for address in asked if not address.startswith(("data:", "blob:"))}
    assert places == {"127.0.0.1"}, "the page asks this machine and no other"
    context.close()


def test_approve_edit_and_rerun(browser: Any, bench: Workbench, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    with served(tmp_path, bench, approve="costly") as url:
        page = opened(context, url, [])
        say(page, "draw a lemon on a beach", "May I do this?")
        expect(page.locator("#chat").get_by_text("generator")).to_be_visible()
        shoot(page, "7-approval")
        page.get_by_role("button", name="Go ahead").click()
        expect(page.locator("#chat").get_by_text("(drawn: a lemon on a beach)")).to_be_visible(timeout=LONG)
        page.get_by_role("tab", name="Reasoning").click()
        expect(page.frame_locator("iframe.talk").get_by_text("drawing 0")).to_be_visible(timeout=LONG)
        page.fill("#words textarea", "a lemon in a forest")
        page.locator("#rerun").click()
        expect(page.locator("table.sides img")).to_have_count(2, timeout=LONG)
        shoot(page, "8-rerun")
        page.locator("#undo").click()
        expect(page.locator("#box textarea")).to_have_value("draw a lemon on a beach", timeout=LONG)
        page.locator("#light").click()
        expect(page.locator("body.dark")).to_have_count(1)
        shoot(page, "9-dark")
    context.close()


def test_what_is_no_picture_is_refused_in_words(browser: Any, bench: Workbench, tmp_path: Path) -> None:
    wrong = tmp_path / "notes.png"
    wrong.write_text("no picture at all")
    context = browser.new_context(viewport={"width": 390, "height": 844})
    with served(tmp_path / "home", bench) as url:
        page = opened(context, url, [])
        page.set_input_files("#box input[type=file]", str(wrong))
        expect(page.get_by_label("Remove file")).to_be_visible(timeout=LONG)  # it has arrived
        page.fill("#box textarea", "what is it?")
        page.press("#box textarea", "Enter")
        expect(page.locator("#notice")).to_contain_text("looks like text", timeout=LONG)
        assert page.input_value("#box textarea") == "what is it?"
        shoot(page, "10-refused")
    context.close()
