"""A talk with doubles behind it, for tests of the chat: a scripted model leads, scripted tools see and draw."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chat_scripted import LightChat
from doubles import ScriptedEmbedder
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedDetector
from rich.console import Console

from socratic.assistant import Assistant
from socratic.chat.commands import COMMANDS, obey
from socratic.chat.line import read
from socratic.chat.screen import Screen
from socratic.chat.talk import Talk
from socratic.workbench import Workbench


def bench() -> Workbench:
    """Doubles for what the tests here ask."""
    return Workbench.of(
        detector=ScriptedDetector({"dog": [(0, 0, 2, 2), (4, 2, 6, 4)]}),
        generator=ScriptedGenerator(),
        embedder=ScriptedEmbedder(fingerprint="planted"),
    )


class Heard:
    """A talk whose screen can be read."""

    def __init__(self, home: Path, *replies: Any, agree: Callable[[str], bool | None] = lambda told: True) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        screen = Screen("off", *(Console(file=f, width=200, highlight=False) for f in (self.out, self.err)))
        self.assistant = Assistant(bench(), model=LightChat(replies=list(replies)), home=home)
        self.talk = Talk(self.assistant, screen, agree)

    def type(self, typed: str) -> str:
        """What the screen shows after a line."""
        for file in (self.out, self.err):
            file.seek(0)
            file.truncate()
        line = read(typed, list(COMMANDS))
        if line.command:
            obey(self.talk, line)
        else:
            said, loaded = self.talk.take(line)
            self.talk.shown(self.talk.say(said, loaded))
        return self.out.getvalue() + self.err.getvalue()

    def __enter__(self) -> Heard:
        return self

    def __exit__(self, *_: object) -> None:
        self.talk.close()
        self.assistant.close()
