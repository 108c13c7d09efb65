"""The page as it is sent to browsers: complete, quiet, and from this machine alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from web_cases import assistant

from socratic.web import Served, build


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with assistant(tmp_path_factory.mktemp("home")) as one, TestClient(build(one, Served()), base_url="http://127.0.0.1:7860") as made:  # fmt: skip
        yield made


@pytest.fixture(scope="module")
def config(client: TestClient) -> Any:
    return client.get("/config").json()


def test_everything_that_people_use_is_there(config: Any) -> None:
    ids = {part["props"].get("elem_id") for part in config["components"]}
    assert ids >= {"chat", "box", "undo", "new", "sessions", "forget", "gallery", "regions", "slider", "talk", "again", "rerun", "light"}  # fmt: skip


def test_what_the_page_loads_comes_from_here(client: TestClient) -> None:
    text = client.get("/").text
    loaded = re.findall(r"""<(?:script|link|img|iframe)[^>]*?(?:src|href)=["']([^"']+)""", text)
    assert loaded and not [url for url in loaded if "//" in url]
    sheet = client.get("/theme.css").text
    assert "font-family" in sheet or "--font" in sheet
    assert "http" not in re.sub(r"http://www\.w3\.org\S*", "", sheet), "no font or picture from elsewhere"


def test_nothing_is_counted_or_shared(config: Any) -> None:
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == [] and not config.get("mcp_server")


def test_no_handler_is_offered_to_programs(client: TestClient) -> None:
    told = client.get("/gradio_api/info").json()
    assert told["named_endpoints"] == {} and told["unnamed_endpoints"] == {}


def test_answers_are_kept_clean_by_gradio_too(config: Any) -> None:
    chat = next(p["props"] for p in config["components"] if p["props"].get("elem_id") == "chat")
    assert chat["sanitize_html"] is True and chat["latex_delimiters"] == [] and not chat["allow_tags"]
    assert chat["buttons"] == ["copy"], "no button shares anything with a server elsewhere"


def test_every_control_has_a_name(config: Any) -> None:
    for part in config["components"]:
        if part["type"] in ("button", "radio", "dropdown"):
            assert part["props"].get("label") or part["props"].get("value"), part
