"""The addresses of pictures: a browser gets those of its own sessions, and 404 for all else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient
from web_cases import ANNA, BEN, BLUE, RED, assistant, told

from socratic.regions import Box, Mask, Region
from socratic.web.guard import COOKIE, owner_of
from socratic.web.panes import steps
from socratic.web.routes import add_routes, marked, mask_path, picture_path
from socratic.web.sessions import Sessions


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two browsers with a session each, and the run of a search in the first."""
    with assistant(tmp_path_factory.mktemp("home")) as one:
        sessions, app = Sessions(one), FastAPI()
        hers, his = told(sessions, ANNA, "find the dog", [RED]), told(sessions, BEN, "hi", [BLUE])
        add_routes(app, sessions)
        clients = [TestClient(app, cookies={COOKIE: t} if t else {}) for t in (ANNA, BEN, "")]
        yield clients, hers, his, steps(sessions.open(owner_of(ANNA), hers))[0][1]


def test_a_browser_gets_its_own_pictures(place: Any) -> None:
    (anna, _, _), hers, _, _ = place
    answer = anna.get(picture_path(hers, RED.handle))
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert "private" in answer.headers["cache-control"]
    assert Image.open(io.BytesIO(answer.content)).getpixel((0, 0)) == (200, 30, 30)


def test_nobody_gets_anothers(place: Any) -> None:
    (anna, ben, nobody), hers, his, run = place
    for path in (picture_path(hers, RED.handle), mask_path(hers, run, 0)):
        answers = [client.get(path) for client in (ben, nobody)]
        assert [(a.status_code, a.text) for a in answers] == [(404, "there is no such picture")] * 2
    assert anna.get(picture_path(his, BLUE.handle)).status_code == 404
    assert ben.get(picture_path(his, RED.handle)).status_code == 404, "a handle is one of its session"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.sampled_from("img-0123456789abcdef.pn/\\%~:"), max_size=20))
def test_no_guessed_name_leads_anywhere(place: Any, name: str) -> None:
    (anna, _, _), hers, _, _ = place
    if f"/{name}" != picture_path(hers, RED.handle).rpartition(hers)[2]:
        assert anna.get(f"/pictures/{hers}/{name}").status_code in (404, 405)


@pytest.mark.parametrize("name", ["..%2F..%2Fsessions.db", "%2e%2e/sessions.db", "img-fee716", "img-.png"])
def test_no_path_leads_out(place: Any, name: str) -> None:
    (anna, _, _), hers, _, _ = place
    assert anna.get(f"/pictures/{hers}/{name}").status_code == 404


def test_what_was_found_is_marked_in_the_size_of_the_picture(place: Any) -> None:
    (anna, _, _), hers, _, run = place
    for number in (0, 1):
        image = Image.open(io.BytesIO(anna.get(mask_path(hers, run, number)).content))
        assert image.size == (RED.width, RED.height) and image.mode == "RGBA"
    for name in ("2", "-1", "x"):
        assert anna.get(f"/pictures/{hers}/{run}/{name}.png").status_code == 404


def alpha(region: Region, size: tuple[int, int]) -> Any:
    return np.asarray(Image.open(io.BytesIO(marked(region, (1, 2, 3), size))))[:, :, 3]


def test_a_mask_is_marked_where_it_is() -> None:
    mask = Mask(4, 5, (4, 8, 8))
    shown = alpha(Region("dog", 1.0, Box(1, 0, 3, 4), mask), (4, 5))
    assert np.array_equal(shown > 0, mask.pixels)


@given(st.tuples(*[st.floats(-5, 30)] * 4))
def test_any_box_is_marked_within_the_picture(corners: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = corners
    box = Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    shown = alpha(Region("dog", 1.0, box), (20, 25))
    assert shown.shape == (20, 25)
    inside = np.zeros((20, 25), bool)
    inside[max(0, round(box.y0)) : max(0, round(box.y1)), max(0, round(box.x0)) : max(0, round(box.x1))] = True
    assert not (shown > 0)[~inside].any()
