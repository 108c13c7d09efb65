"""The terminal chat in a real terminal: tmux types, and what stands on its screen is read.

A scripted model leads, and once the pocket leader; the models that look and draw are the pocket ones. Not collected where
there is no tmux.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = [
    ["detect", {"phrases": ["snake"]}],
    "Two snakes.",
    ["save", {"name": "mine"}],
    "Saved it.",
    ["wait", {}],
    "Back again.",
]
PATIENCE = 120


class Terminal:
    """A tmux server of its own with one window."""

    def __init__(self, folder: Path) -> None:
        self._socket, self.folder = str(folder / "tmux"), folder
        script = folder / "script.json"
        script.write_text(json.dumps(SCRIPT))
        self.command = shlex.join([sys.executable, str(ROOT / "tests" / "chat_scripted.py"), str(script), "chat"])
        env = {"SOCRATIC_HOME": str(folder / "home"), "SOCRATIC_CACHE": str(folder / "cache"), "PS1": "$ "}
        given = [part for name, value in env.items() for part in ("-e", f"{name}={value}")]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "50", *given, "-c", str(folder), "bash --norc --noprofile")  # fmt: skip

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", self._socket, *arguments]
        plain = {k: v for k, v in os.environ.items() if k != "TMUX"}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=plain).stdout

    def keys(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def line(self, text: str) -> None:
        """Types a line and Enter."""
        self._tmux("send-keys", "-l", text)
        self._tmux("send-keys", "Enter")

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-J", "-S", "-200")

    def wait_for(self, text: str, times: int = 1) -> str:
        """The screen as soon as a text stands on it often enough."""
        end = time.monotonic() + PATIENCE
        while (shown := self.screen()).count(text) < times:
            assert time.monotonic() < end, f"{text!r} never came:\n{shown}"
            time.sleep(0.2)
        return shown

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.close()


def test_a_person_talks_approves_stops_leaves_and_comes_back(terminal: Terminal) -> None:
    terminal.line(f"{terminal.command}; echo ended $?")  # what is typed while a program ends can be lost
    terminal.wait_for("/help lists the commands")
    terminal.wait_for("no picture yet")
    terminal.line(f"how many snakes are in '{ROOT}/pocket/pictures/scene-3.png'?")
    shown = terminal.wait_for("marked of")
    assert "✓ detect snake … 2 x snake: at the" in shown and "Two snakes." in shown and "▀" * 32 in shown
    assert "⠋" not in shown, "the spinner is gone when the step is done"
    terminal.line("/saves kept")
    terminal.wait_for("are saved in")
    terminal.line("save it")
    terminal.wait_for("[y/n]")
    terminal.line("perhaps")
    terminal.wait_for("[y/n]", times=2)
    assert not (terminal.folder / "kept").exists()
    terminal.line("y")
    terminal.wait_for("Saved it.")
    assert (terminal.folder / "kept" / "mine.png").is_file()
    terminal.line("think for ever")
    terminal.wait_for("thinking")
    terminal.keys("C-c")
    terminal.wait_for("stopped; that turn is not kept")
    terminal.keys("/pi", "Tab")
    terminal.wait_for("> /pictures")
    terminal.keys("Enter")
    terminal.wait_for("given: scene-3.png")
    terminal.keys("C-d")
    terminal.wait_for("ended 0")
    terminal.line("clear; tmux clear-history; " + terminal.command + " --session last; echo left $?")
    terminal.wait_for("/help lists the commands")
    terminal.line("/undo")
    terminal.wait_for("the last turn is gone")
    terminal.line("/trace")
    shown = terminal.wait_for("regions (grounding_dino)")
    assert "think for ever" not in shown
    terminal.line("/quit")
    terminal.wait_for("left 0")


def test_the_pocket_leader_leads_across_a_restart(terminal: Terminal) -> None:
    chat = shlex.join([sys.executable, "-m", "socratic", "chat"])
    terminal.line(f"{chat}; echo left $?")
    terminal.wait_for("/help lists the commands")
    terminal.line(f"how many snakes are in '{ROOT}/pocket/pictures/scene-3.png'?")
    terminal.wait_for("There are two snakes")
    terminal.line("cut out the palm tree")
    terminal.wait_for("I cut out one palm tree")
    terminal.line("draw a new picture of a lemon on a beach")
    terminal.wait_for("drawn: a lemon on a beach")
    terminal.line("now put it in a forest")
    terminal.wait_for(": a lemon in a forest")
    terminal.line("/quit")
    terminal.wait_for("left 0")
    terminal.line(f"clear; tmux clear-history; {chat} --session last")
    terminal.wait_for("/help lists the commands")
    terminal.line("what is in the first picture?")
    terminal.wait_for("It shows")
