"""How `openai_images` behaves against a real server process on a loopback port. No model draws here."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from loopback_cases import failed
from loopback_server import Loopback
from PIL import Image

from socratic.capability import Generator
from socratic.errors import BadInput, ModelUnavailable, SocraticError, ToolError
from socratic.regions import Mask
from socratic.tasks import Draw
from socratic.tools.openai_images import OpenAIImages, load
from socratic.values import Drawing, Picture

pytestmark = pytest.mark.usefixtures("openai_key")
SIZES = ("64x64", "96x64", "64x96")


def painter(server: Loopback, script: str = "echo", **settings: Any) -> OpenAIImages:
    """A painter for a script; each has a model name of its own, so that the server counts it alone."""
    given: dict[str, Any] = {"deadline": 10, "timeout": 5, "sizes": SIZES, **settings}
    return load(f"{script}:{time.monotonic_ns()}", base_url=server.url, **given)


def mirrored(drawing: Drawing) -> dict[str, Any]:
    """The settings that the server was sent."""
    found: dict[str, Any] = json.loads(drawing.revised)
    return found


def failure(tool: OpenAIImages, item: Draw | None = None) -> SocraticError:
    return failed(lambda: tool.draw(item or Draw("a cat")))


def picture(width: int, height: int) -> Picture:
    return Picture.of(Image.new("RGB", (width, height), "blue"))


def test_a_drawing_comes_with_its_revised_prompt(server: Loopback) -> None:
    tool = painter(server)
    drawing = tool.draw(Draw("a cat", seed=3))
    assert (drawing.prompt, drawing.seed, drawing.revised) == ("a cat", 3, "echo: a cat [0 pictures]")
    assert (drawing.picture.width, drawing.picture.height) == (64, 64)
    assert drawing.picture.pil.getpixel((5, 5)) == (255, 0, 0)
    assert isinstance(tool, Generator) and tool.count_tokens("a cat") == ()


def test_what_is_sent(server: Loopback) -> None:
    sent = mirrored(painter(server, "mirror", quality="low").draw(Draw("a cat", seed=9, width=64, height=96)))
    del sent["model"]
    wanted = {"prompt": "a cat", "size": "64x96", "n": 1, "response_format": "b64_json", "quality": "low"}
    assert sent == wanted | {"files": {}}


@pytest.mark.parametrize(
    ("width", "height", "drawn"), [(64, 96, (64, 96)), (96, 0, (64, 64)), (640, 480, (96, 64)), (10, 1000, (64, 96))]
)
def test_sizes(server: Loopback, width: int, height: int, drawn: tuple[int, int]) -> None:
    item = Draw("a cat", width=width, height=height)
    found = painter(server, nearest=True).draw(item).picture
    assert (found.width, found.height) == drawn
    if (width, height) != drawn:
        error = failure(painter(server), item)
        assert isinstance(error, BadInput) and f"ask for {drawn[0]} x {drawn[1]}" in error.hint


def test_an_edited_picture_is_sent_with_its_mask_transparent_where_it_is_repainted(server: Loopback) -> None:
    pixels = np.zeros((30, 60), bool)
    pixels[:10, :20] = True
    tool = painter(server, "mirror")
    sent = mirrored(tool.draw(Draw("a cat", init=picture(60, 30), mask=Mask.of(pixels))))
    assert sent["files"] == {"image": ["RGB", 60, 30, 0], "mask": ["RGBA", 60, 30, 200]}
    assert (sent["size"], sent["prompt"], sent["n"]) == ("96x64", "a cat", "1")
    unmasked = mirrored(tool.draw(Draw("a cat", init=picture(60, 30))))
    assert unmasked["files"] == {"image": ["RGB", 60, 30, 0]}


def test_large_pictures_are_sent_small_and_their_masks_with_them(server: Loopback) -> None:
    mask = Mask.of(np.ones((200, 400), bool))
    sent = mirrored(painter(server, "mirror", longest=100).draw(Draw("x", init=picture(400, 200), mask=mask)))
    assert sent["files"] == {"image": ["RGB", 100, 50, 0], "mask": ["RGBA", 100, 50, 5000]}


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Draw("  "), "the prompt is empty"),
        (Draw("a", "b"), "does not take a negative prompt"),
        (Draw("a", steps=3, guidance=2.0), "does not take steps or guidance"),
        (Draw("a", mask=Mask.of(np.ones((4, 4), bool))), "a mask without a picture"),
        (Draw("a", init=picture(8, 8), mask=Mask.of(np.ones((4, 4), bool))), "a mask of 4 x 4"),
        (Draw("a", width=-5, height=5), "-5 x 5"),
    ],
)
def test_what_the_server_would_not_hear_is_bad_input_and_never_asked(server: Loopback, item: Draw, said: str) -> None:
    tool = painter(server)
    error = failure(tool, item)
    assert isinstance(error, BadInput) and said in error.message
    assert server.asked(tool._server.model) == 0


def test_one_failure_leaves_the_others(server: Loopback) -> None:
    first, bad, last = painter(server).draw.each([Draw("one"), Draw("FAIL"), Draw("two")])
    assert isinstance(bad, ToolError) and "400" in bad.message
    assert [d.revised for d in (first, last) if isinstance(d, Drawing)] == [
        "echo: one [0 pictures]",
        "echo: two [0 pictures]",
    ]


@pytest.mark.parametrize("script", ["r429", "r500", "flaky"])
def test_passing_faults_are_retried(server: Loopback, script: str) -> None:
    tool = painter(server, script)
    assert tool.draw(Draw("a cat", init=picture(8, 8))).revised == "echo: a cat [1 pictures]"
    assert server.asked(tool._server.model) == 3


def test_a_setting_that_a_model_refuses_is_left_out_from_then_on(server: Loopback) -> None:
    tool = painter(server, "picky")
    assert [tool.draw(Draw(text)).revised for text in "ab"] == ["echo: a [0 pictures]", "echo: b [0 pictures]"]
    assert server.asked(tool._server.model) == 3


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        ("link", ToolError, "only an address"),
        ("torn", ToolError, "cannot be read"),
        ("garbage", ToolError, "not a picture: '<html>"),
        ("nochoices", ToolError, "not a picture"),
        ("half", ToolError, "broke off"),
        ("always500", ToolError, "answered 500"),
        ("denied", ModelUnavailable, "refused the key"),
        ("quota", ModelUnavailable, "used up its quota"),
        ("gpt-99", ModelUnavailable, "has no model"),
    ],
)
def test_lasting_faults_are_typed_errors(server: Loopback, script: str, kind: type, said: str) -> None:
    error = failure(painter(server, script, retries=0))
    assert isinstance(error, kind) and said in error.message and (error.hint or script == "always500")


def test_the_deadline_ends_the_wait(server: Loopback) -> None:
    started = time.monotonic()
    error = failure(painter(server, "stall", deadline=0.3))
    assert isinstance(error, ToolError) and "within 0.3 s" in error.message
    assert time.monotonic() - started < 1.5


def test_settings_are_checked_and_told_apart(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="no size"):
        painter(server, sizes=("large",))
    plain = load("m", base_url=server.url)
    assert plain.fingerprint != load("m", base_url=server.url, quality="low").fingerprint
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelUnavailable, match="needs a key"):
        load("m")
