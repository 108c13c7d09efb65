"""The same recipes on other models: a random open_clip checkpoint, and language models behind a real server.

One server is `transformers serve` with the pocket writer (a real model); the other is the scriptable loopback
server with its faults.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from loopback_server import serving
from test_open_clip import random_checkpoint

from socratic.errors import SocraticError, ToolError
from socratic.recipes.caption import Caption, caption
from socratic.recipes.classify import classify
from socratic.workbench import Workbench

Scenes = dict[str, list[dict[str, Any]]]
WRITER = str(files("socratic.pocket").joinpath("writer"))


def bench(clip: str, base_url: str, model: str, stream: bool, **settings: Any) -> Workbench:
    words = str(files("socratic.pocket"))
    return Workbench(
        {
            "embedder": {"tool": "open_clip", "model": f"local-dir:{clip}"},
            "writer": {"tool": "openai_chat", "model": model, "base_url": base_url, "stream": stream, **settings},
            "recipes": {"caption": {"objects": f"{words}/objects.txt", "places": f"{words}/places.txt"}},
        }
    )


@pytest.fixture(scope="module")
def random_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(random_checkpoint(tmp_path_factory.mktemp("random")))


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """`transformers serve` with the pocket writer, on a free loopback port."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    start = (
        "from socratic.torchvision_guard import guard; guard(); from transformers.cli.transformers import main; main()"
    )
    command = [
        sys.executable,
        "-c",
        start,
        "serve",
        WRITER,
        "--device",
        "cpu",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, "transformers serve did not start"
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_recipes_on_a_random_clip_and_a_served_model(
    served: str, random_clip: str, stream: bool, scenes: Scenes
) -> None:
    pictures = [i["picture"] for i in scenes["mixed"][:2]]
    with bench(random_clip, served, WRITER, stream).used():
        rows = list(caption.map(pictures, n=2))
        assert all(isinstance(row.value, Caption) and row.value.text for row in rows), [row.error for row in rows]
        assert rows[0].transcript is not None and rows[0].transcript.usage.reply_tokens > 0
        value = classify(pictures[0], labels=["zebra", "car"], explain=True)
    said = {t.name: t.text for t in value.transcript.turns}
    assert "stripes" in said["descriptors of zebra"]


def test_served_and_local_writer_say_the_same(served: str, random_clip: str, scenes: Scenes, pocket: Workbench) -> None:
    picture = scenes["mixed"][0]["picture"]
    local = classify(picture, labels=["zebra", "car"]).transcript
    with bench(random_clip, served, WRITER, False).used():
        remote = classify(picture, labels=["zebra", "car"]).transcript
    assert [t.text for t in local.turns[:2]] == [t.text for t in remote.turns[:2]]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", ["r429", "r500", "echo"])
def test_faults_that_pass_are_overcome(fault: str, stream: bool, random_clip: str, scenes: Scenes) -> None:
    with serving() as server, bench(random_clip, server.url, fault, stream).used():
        assert caption(scenes["mixed"][0]["picture"], n=1).text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", ["always500", "garbage", "half"])
def test_faults_that_stay_are_typed_errors_and_no_answer(
    fault: str, stream: bool, random_clip: str, scenes: Scenes
) -> None:
    with serving() as server, bench(random_clip, server.url, fault, stream, retries=1, deadline=20).used():
        rows = list(caption.map([scenes["mixed"][0]["picture"], "gone.png"], n=1))
    assert all(isinstance(row.error, SocraticError) for row in rows)
    assert isinstance(rows[0].error, ToolError)
