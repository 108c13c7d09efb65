"""The command `socratic` with a scripted model that leads the assistant, for tests that need a process of their own.

    python tests/chat_scripted.py SCRIPT.json chat photo.jpg

The script is a list: a text is an answer in words, `[name, {arguments}]` a call, and `["wait", {}]` a model that
never answers. When it is over, it begins again.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doubles_chat import ScriptedChat, calls, say
from langchain_core.messages import BaseMessage


class LightChat(ScriptedChat):
    """A scripted model that counts its own tokens, so that none of a real one is needed."""

    def get_num_tokens_from_messages(self, messages: Any, tools: Any = None) -> int:
        return len(messages)


def reply(row: Any) -> Any:
    """One entry of a script as a reply."""
    if isinstance(row, str):
        return say(row)
    if row[0] == "wait":
        return _never
    return calls((row[0], row[1]))


def _never(messages: Sequence[BaseMessage]) -> Any:
    time.sleep(600)


def leading(script: Sequence[Any], times: int = 1) -> LightChat:
    """A model that says the script, some times over."""
    return LightChat(replies=[reply(row) for row in itertools.chain.from_iterable([script] * times)])


if __name__ == "__main__":
    from socratic.assistant import Assistant
    from socratic.cli import main

    model = leading(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), 20)
    Assistant._chat_model = lambda self: model  # type: ignore[method-assign]
    sys.argv = ["socratic", *sys.argv[2:]]
    main()
