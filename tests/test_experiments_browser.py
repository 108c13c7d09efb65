"""The report in a real Chromium: read without JavaScript, filtered with it, on a phone, and without a single request.

Collected only where a Chromium is found (see `conftest.py`). `SOCRATIC_SHOTS=DIR` keeps pictures of the page.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chromium import chromium
from doubles_experiments import results
from playwright.sync_api import Page, expect, sync_playwright

from socratic.experiments.report import write
from socratic.experiments.values import Cell

ERROR = {"type": "ReplyError", "message": "unread", "hint": "raise max_tokens"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a run in which i00 got worse in one variant, i01 better in the other, and i02 failed."""
    keys = [f"i{n:02}" for n in range(8)]
    planted = {"base": {k: float(k != "i01") for k in keys}, "terse": {k: float(k not in ("i00", "i01")) for k in keys}, "long": dict.fromkeys(keys, 1.0)}  # fmt: skip
    made = results(planted)
    trials = {c: replace(t, error=ERROR if c == Cell("long", "i02") else None) for c, t in made.trials.items()}
    return write(replace(made, trials=trials), tmp_path_factory.mktemp("report")).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield made
        made.close()


def opened(browser: Any, address: str, **settings: Any) -> tuple[Page, list[str]]:
    """The page, and every address and complaint that it comes up with."""
    page: Page = browser.new_context(**settings).new_page()
    noted: list[str] = []
    page.on("request", lambda request: noted.append(request.url))
    page.on("console", lambda message: noted.append(message.text))
    page.goto(address)
    return page, noted


def shown(page: Page) -> list[str]:
    return [card.inner_text() for card in page.locator("article.card:visible .key").all()]


def test_everything_is_there_without_javascript(browser: Any, address: str) -> None:
    page, noted = opened(browser, address, java_script_enabled=False)
    assert len(shown(page)) == 8 and not page.locator("#filters").is_visible()
    expect(page.locator(".verdict")).to_contain_text("Of 2 variants")
    assert page.locator("svg").count() == 2 and noted == [address]


def test_filters_leave_what_was_asked_for(browser: Any, address: str) -> None:
    page, noted = opened(browser, address)
    page.select_option("[name=change]", "worse")
    assert shown(page) == ["i00"]
    page.select_option("[name=change]", "changed")
    assert shown(page) == ["i00", "i01"]
    page.select_option("[name=side]", label="long")
    assert shown(page) == ["i01"]
    assert page.locator("article:visible section:visible header b").all_inner_texts() == ["base", "long"]
    page.select_option("[name=side]", "")
    page.select_option("[name=change]", "")
    page.check("[name=failed]")
    assert shown(page) == ["i02"]
    page.uncheck("[name=failed]")
    page.fill("[name=text]", "of i05")
    assert shown(page) == ["i05"] and page.locator("output").inner_text() == "1 of 8 shown"
    assert noted == [address]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_can_be_read(browser: Any, address: str, scheme: str, width: int) -> None:
    page, _ = opened(browser, address, color_scheme=scheme, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground, ink = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    drawn = page.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
    assert drawn == ink and abs(_light(ground) - _light(ink)) > 0.7
    if folder := os.environ.get("SOCRATIC_SHOTS"):
        page.screenshot(path=str(Path(folder) / f"report-{scheme}-{width}.png"), full_page=True)


def _light(colour: str) -> float:
    return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) / 765
