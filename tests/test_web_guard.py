"""The guard of the page: a token per browser, uploads of the own browser only, nothing from or to another place."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from web_cases import ANNA, BEN

from socratic.errors import BadInput
from socratic.web.guard import COOKIE, POLICY, Guard, Uploads, owner_of

LEMON = "/store/uploads/0a1b/lemon.png"


async def upload(request: Request) -> JSONResponse:
    return JSONResponse([LEMON])


async def here(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"reached {request.url.path}")


def browser(token: str = "", hosts: Any = ("127.0.0.1",), uploads: Uploads | None = None) -> TestClient:
    """A browser before a page that keeps uploads."""
    inner = Starlette(routes=[Route("/gradio_api/upload", upload, methods=["POST"]), Route("/{path:path}", here)])
    page: Any = Guard(inner, uploads or Uploads(), hosts)
    return TestClient(page, base_url="http://127.0.0.1:7860", cookies={COOKIE: token} if token else {})


def test_a_new_browser_gets_a_token_that_no_script_can_read() -> None:
    client = browser()
    cookie = client.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age" in cookie
    assert "set-cookie" not in client.get("/").headers
    tokens = {browser().get("/").cookies[COOKIE] for _ in range(20)}
    assert len(tokens) == 20 and all(len(token) >= 40 for token in tokens)


def test_only_the_page_itself_gives_tokens() -> None:
    assert "set-cookie" not in browser().get("/config").headers


def test_an_upload_is_seen_by_its_browser_alone() -> None:
    uploads = Uploads()
    anna, ben, nobody = (browser(token, uploads=uploads) for token in (ANNA, BEN, ""))
    path = f"/gradio_api/file={LEMON}"
    assert anna.get(path).status_code == 404, "not before it was uploaded"
    anna.post("/gradio_api/upload")
    assert [b.get(path).status_code for b in (anna, ben, nobody)] == [200, 404, 404]
    assert uploads.has(LEMON, owner_of(ANNA)) and not uploads.has(LEMON, owner_of(BEN))


def test_the_same_upload_of_two_browsers_belongs_to_both_until_it_is_taken_in() -> None:
    uploads = Uploads()
    for token in (ANNA, BEN):
        browser(token, uploads=uploads).post("/gradio_api/upload")
    assert uploads.has(LEMON, owner_of(ANNA)) and uploads.has(LEMON, owner_of(BEN))
    uploads.done([LEMON])
    assert not uploads.has(LEMON, owner_of(ANNA))


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        f"/gradio_api/file={LEMON}/../../../sessions.db",
        "/gradio_api/file=http://127.0.0.1:80/",
        "/gradio_api/proxy=http://127.0.0.1:80/",
        "/file=/etc/passwd",
    ],
)
def test_no_file_and_no_other_server_is_reached_through_the_page(path: str) -> None:
    uploads = Uploads()
    client = browser(ANNA, uploads=uploads)
    client.post("/gradio_api/upload")
    assert client.get(path).status_code == 404
    assert client.head(path).status_code == 404


def test_a_page_of_another_name_on_this_machine_is_refused() -> None:
    assert browser(ANNA).get("/", headers={"host": "evil.example:7860"}).status_code == 421
    assert browser(ANNA, hosts=None).get("/", headers={"host": "mine.example"}).status_code == 200
    assert browser(ANNA, hosts=("::1",)).get("/", headers={"host": "[::1]:7860"}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null", ""])
def test_another_page_cannot_send_requests(origin: str) -> None:
    assert browser(ANNA).post("/gradio_api/upload", headers={"origin": origin}).status_code == 403


def test_the_page_itself_can() -> None:
    answer = browser(ANNA).post("/gradio_api/upload", headers={"origin": "http://127.0.0.1:7860"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/file=/etc/passwd"])
def test_every_answer_forbids_other_places(path: str) -> None:
    headers = browser(ANNA).get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"https?:|\*", POLICY), "no other place is named"


@given(st.text(min_size=32), st.text(min_size=32))
def test_browsers_with_different_tokens_are_different_owners(one: str, other: str) -> None:
    if one != other and all(text.isascii() for text in (one, other)):
        assert owner_of(one) != owner_of(other)
        assert one not in owner_of(one)


@pytest.mark.parametrize("token", [None, "", "short"])
def test_without_a_token_there_is_no_owner(token: str | None) -> None:
    with pytest.raises(BadInput, match="cookie"):
        owner_of(token)


def test_a_broken_cookie_is_none() -> None:
    client = browser()
    answer = client.get("/", headers={"cookie": f"{COOKIE}=\x7f; =; {COOKIE}"})
    assert COOKIE in answer.headers["set-cookie"]
