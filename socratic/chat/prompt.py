"""Where a person types: a line with history, completion of commands, handles and paths, and several lines by Esc Enter.

prompt_toolkit does it; this sets it up. Reads what was typed and understands none of it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output.defaults import create_output

from socratic.chat.commands import COMMANDS
from socratic.chat.line import endings
from socratic.chat.screen import clean

if TYPE_CHECKING:
    from socratic.chat.talk import Talk


class Endings(Completer):
    """Offers what the word under the cursor may become."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        word = re.search(r"(?:\\.|[^\s\\])*$", before)[0]  # type: ignore[index]
        first = not before[: len(before) - len(word)].strip()
        handles = [entry.handle for entry in self._talk.conversation.album.entries()]
        for ending in endings(word, list(COMMANDS) if first else [], handles):
            yield Completion(ending, -len(word), display_meta=_meaning(ending))


def _meaning(ending: str) -> str:
    command = COMMANDS.get(ending[1:])
    return command.tells if command and ending.startswith("/") else ""


class Prompt:
    """The line at the bottom. Its history is kept for the user, readable by the user alone."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        file = talk.assistant.store.home / "chat-history"
        os.close(os.open(file, os.O_CREAT | os.O_APPEND, 0o600))
        output = None if sys.stdout.isatty() else create_output(sys.stderr)
        self._typed: PromptSession[str] = PromptSession(
            history=FileHistory(str(file)), completer=Endings(talk), complete_while_typing=False, multiline=True,
            key_bindings=_keys(), prompt_continuation="  ", bottom_toolbar=self._below, output=output,
        )  # fmt: skip
        self._asked: PromptSession[str] = PromptSession(output=output)

    def line(self) -> str:
        """What the person types next.

        Raises:
            KeyboardInterrupt: Ctrl-C. EOFError: Ctrl-D.
        """
        return self._typed.prompt("> ")

    def question(self, text: str) -> str:
        """The answer to a question; it is not kept in the history."""
        return self._asked.prompt(text)

    def _below(self) -> FormattedText:
        """Where one is: the session, its newest picture and the folder."""
        talk = self._talk
        row = talk.assistant.store.session(talk.conversation.id)
        entries = talk.conversation.album.entries()
        count = (
            f"{len(entries)} picture{'s' * (len(entries) > 1)}, newest {entries[-1].handle}"
            if entries
            else "no picture yet"
        )
        parts = [row.title or "new session", count]
        return FormattedText([("", clean("  ·  ".join(parts)))])


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: Any) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    return keys
