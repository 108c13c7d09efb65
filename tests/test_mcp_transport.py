"""MCP over a real subprocess and over HTTP on loopback: the same tools, who may connect, and whose pictures are whose."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import uvicorn
from mcp import Client, StdioServerParameters
from mcp_talk import told
from mcp_types import CallToolResult, ImageContent
from PIL import Image

from socratic.errors import BadInput
from socratic.mcp.server import make_server
from socratic.mcp.transport import checked_host, http_app
from socratic.workbench import open_profile

PICTURES = Path(__file__).parent.parent / "pocket" / "pictures"
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over HTTP on a free port, which may read one folder with one picture."""
    folder = tmp_path_factory.mktemp("root")
    Image.open(PICTURES / "scene-2.png").save(folder / "one.png")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = make_server(open_profile("pocket", keep=False), roots=[folder], only=["captioner_describe", "vary"])
    running = uvicorn.Server(uvicorn.Config(http_app(server, port=port), port=port, log_level="error"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        thread.join(0.05)
    yield f"http://127.0.0.1:{port}/mcp"
    running.should_exit = True
    thread.join(20)


def handles(result: CallToolResult) -> list[str]:
    assert not result.is_error and result.structured_content is not None, told(result)
    return [row["handle"] for row in result.structured_content["pictures"]]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_http_clients_list_and_call_and_see_their_own_pictures_only(url: str, mode: str) -> None:
    async def talk() -> None:
        async with Client(url, mode=mode) as one, Client(url, mode=mode) as other:
            assert [t.name for t in (await one.list_tools()).tools] == ["vary", "captioner_describe"]
            (handle,) = handles(await one.call_tool("captioner_describe", {"picture": "one.png"}))
            again = await one.call_tool("captioner_describe", {"picture": handle})
            assert handles(again) == [handle]
            assert len(handle) == (36 if mode == "auto" else 10), "who tells no session gets a long handle"
            theirs = await other.call_tool("captioner_describe", {"picture": handle[:10]})
            assert theirs.is_error and "there is no picture" in told(theirs)
            drawn = await one.call_tool("vary", {"picture": handle, "n": 1, "steps": 2})
            assert len(handles(drawn)) == 2 and isinstance(drawn.content[1], ImageContent)
            outside = await one.call_tool("captioner_describe", {"picture": str(PICTURES / "scene-1.png")})
            assert outside.is_error and "outside the folders" in told(outside)

    anyio.run(talk)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:80"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"content-type": "text/plain"}, 400),
    ],
)
def test_pages_of_other_origins_and_other_names_are_refused(url: str, headers: dict[str, str], code: int) -> None:
    sent = httpx.post(url, content=json.dumps(HELLO), headers={"content-type": "application/json", **ACCEPT, **headers})
    assert sent.status_code == code


def test_a_session_that_was_never_given_is_refused(url: str) -> None:
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    sent = httpx.post(url, json=listing, headers={**ACCEPT, "mcp-session-id": "0" * 32})
    assert sent.status_code == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "", "8.8.8.8", "localhost.example"])
def test_addresses_beyond_this_machine_are_refused(host: str) -> None:
    with pytest.raises(BadInput, match="can be reached from other machines"):
        checked_host(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_addresses_of_this_machine_are_taken(host: str) -> None:
    checked_host(host)


def command(folder: Path, *more: str) -> list[str]:
    return ["-m", "socratic", "mcp", "--root", str(folder), *more]


def test_over_stdio_a_subprocess_lists_calls_and_leaves_nothing_behind(tmp_path: Path) -> None:
    Image.open(PICTURES / "scene-2.png").save(tmp_path / "one.png")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    started = StdioServerParameters(
        command=sys.executable, args=command(tmp_path, "--only", "captioner_describe"),
        env={"TMPDIR": str(temporary), "SOCRATIC_CACHE": str(tmp_path / "cache" / "stages.sqlite")},
    )  # fmt: skip

    async def talk() -> Any:
        async with Client(started) as client:
            assert [t.name for t in (await client.list_tools()).tools] == ["captioner_describe"]
            assert str(tmp_path) in (client.instructions or "")
            assert list(temporary.glob("socratic-mcp-*"))
            return await client.call_tool("captioner_describe", {"picture": "one.png"})

    assert len(handles(anyio.run(talk))) == 1
    assert list(temporary.glob("socratic-mcp-*")) == []


def test_over_stdio_only_the_protocol_is_on_stdout(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, *command(tmp_path, "--only", "check")],
        input=json.dumps(HELLO) + "\n", capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["id"] for line in lines] == [1] and lines[0]["result"]["serverInfo"]["name"] == "socratic"
    assert "serving on stdin and stdout" in ran.stderr
