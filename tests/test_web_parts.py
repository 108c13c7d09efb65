"""Pictures by address in gradio's own parts: nothing is fetched or copied by the server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import socratic.web.parts
from socratic.web.parts import LinkedImageSlider, LinkedRegions

HERE = "http://127.0.0.1:1/pictures/a"  # nobody listens there


def sent(part: Any, value: Any) -> Any:
    """A value as gradio sends it to the browser."""
    from gradio.processing_utils import async_move_files_to_cache

    return asyncio.run(async_move_files_to_cache(part.postprocess(value), part, postprocess=True))


def test_the_slider_sends_both_addresses() -> None:
    before, after = sent(LinkedImageSlider(), (f"{HERE}/1.png", f"{HERE}/2.png"))
    assert (before["url"], after["url"]) == (f"{HERE}/1.png", f"{HERE}/2.png")


def test_the_marks_send_theirs_with_labels() -> None:
    told = sent(LinkedRegions(), (f"{HERE}/1.png", [(f"{HERE}/m.png", "dog")]))
    assert told["image"]["url"] == f"{HERE}/1.png"
    assert [(a["image"]["url"], a["label"]) for a in told["annotations"]] == [(f"{HERE}/m.png", "dog")]


@pytest.mark.parametrize("part", [LinkedImageSlider, LinkedRegions])
def test_they_are_shown_as_the_parts_that_they_come_from(part: Any) -> None:
    assert part().get_block_name() in ("imageslider", "annotatedimage")
    assert part().postprocess(None) is None


def test_no_file_is_written_beside_the_module() -> None:
    assert not Path(socratic.web.parts.__file__).with_suffix(".pyi").exists()
