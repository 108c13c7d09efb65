"""`socratic mcp` on the command line: what it refuses, and with which code. The serving itself is in other tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from mcp import Client


def ran(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder, with nothing on stdin."""
    return subprocess.run([sys.executable, "-m", "socratic", "mcp", *arguments], cwd=folder, input="", capture_output=True, text=True, timeout=120)  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """The environment with temporary files in a folder of the test."""
    return {**os.environ, "TMPDIR": str(folder)}


def temporary(folder: Path) -> Iterator[Path]:
    """Where a server that runs there keeps its pictures."""
    return folder.glob("socratic-mcp-*")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "caption,dream"], "there is no tool 'dream' to offer"),
        (["--root", "nowhere"], "is no folder"),
        (["--http", "--host", "0.0.0.0"], "can be reached from other machines"),
        (["--profile", "dream"], "there is no profile 'dream'"),
        (["--budget", "calls=many"], "a budget cannot be read"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_served(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = ran(tmp_path, *arguments)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "" and "serving" not in done.stderr


def test_the_whole_machine_is_served_only_to_those_who_say_so() -> None:
    done = ran(Path("/"), "--only", "caption")
    assert done.returncode == 2 and "the working directory is the whole machine" in done.stderr


def test_it_ends_when_its_client_goes(tmp_path: Path) -> None:
    done = ran(tmp_path, "--only", "caption", "--home", str(tmp_path / "home"))
    assert (done.returncode, done.stdout) == (0, "") and "serving on stdin and stdout" in done.stderr
    assert (tmp_path / "home" / "sessions.db").is_file()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = ran(tmp_path, "--only", "caption", "--http", "--port", str(other.getsockname()[1]))
    assert done.returncode == 2 and "cannot be served: Address already in use" in done.stderr
    assert "--port" in done.stderr and "Traceback" not in done.stderr


def test_http_says_where_it_is_and_answers(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "socratic", "mcp", "--only", "caption", "--http", "--port", "0"]
    with subprocess.Popen(
        arguments, cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        address = next(line for line in running.stderr if line.startswith("serving ")).split()[1]

        async def listed() -> list[str]:
            async with Client(address) as client:
                return [tool.name for tool in (await client.list_tools()).tools]

        try:
            assert list(temporary(tmp_path)) and anyio.run(listed) == ["caption"]
        finally:
            running.terminate()
    assert not list(temporary(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_at_a_signal_it_ends_at_once_and_leaves_no_pictures(tmp_path: Path, number: signal.Signals) -> None:
    arguments = [sys.executable, "-m", "socratic", "mcp", "--only", "caption"]
    with subprocess.Popen(
        arguments, cwd=tmp_path, env=environment(tmp_path), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        assert any(line.startswith("serving ") for line in running.stderr) and list(temporary(tmp_path))
        running.send_signal(number)
        assert running.wait(60) == 128 + number
    assert not list(temporary(tmp_path))
