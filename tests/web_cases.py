"""What the tests of the page share: an assistant on doubles that is led by words, browsers, and their requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from doubles import ScriptedEmbedder, picture
from doubles_chat import ScriptedChat, call, calls, say
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedAnswerer, ScriptedCaptioner, ScriptedDetector
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from socratic.assistant import Assistant
from socratic.web.guard import COOKIE, owner_of
from socratic.web.sessions import Sessions
from socratic.workbench import Workbench

RED, BLUE = picture((200, 30, 30), "red.png"), picture((30, 30, 200), "blue.png")
ANNA, BEN = "anna-" * 8, "ben--" * 8
"""The tokens of two browsers."""
HELD = threading.Event()
"""What a model that is told to wait waits for."""


def lead(messages: Sequence[BaseMessage]) -> AIMessage:
    """A model that calls a tool by a word of the request, and then says what the tool said."""
    last = messages[-1]
    if isinstance(last, ToolMessage):
        return say(f"The tool said: {last.text.splitlines()[0]}")
    asked = next(m for m in reversed(messages) if isinstance(m, HumanMessage)).text.split("\nPictures")[0].lower()
    if "wait" in asked:
        HELD.wait(20)
    if "fail" in asked:
        raise RuntimeError("the model server is gone")
    for word, reply in REPLIES.items():
        if word in asked:
            return reply
    return say("Hello.")


REPLIES = {
    "two": calls(("generate", {"prompt": "a dog"}), ("generate", {"prompt": "a cat"})),
    "draw": call("generate", prompt="a lemon on a beach"),
    "forest": call("edit", prompt="a lemon in a forest"),
    "ghost": call("caption", picture="img:ffffff"),
    "find": call("detect", phrases=["dog"]),
    "dog": call("detect", phrases=["dog"]),
    "save": call("save", name="mine"),
    "what": call("caption"),
}


def bench() -> Workbench:
    """Doubles for all that the tools here ask."""
    return Workbench.of(
        embedder=ScriptedEmbedder(),
        detector=ScriptedDetector({"dog": [(0, 0, 2, 2), (4, 2, 6, 4)]}),
        answerer=ScriptedAnswerer({"What colour is the dog?": "brown"}),
        captioner=ScriptedCaptioner("two dogs on a beach"),
        generator=ScriptedGenerator(),
        recipes={"caption": {"method": "direct"}},
    )


@contextmanager
def assistant(home: Path, tools: Workbench | None = None, **settings: Any) -> Iterator[Assistant]:
    """An assistant on doubles, closed at the end."""
    HELD.clear()
    made = Assistant(tools or bench(), model=ScriptedChat(replies=[lead] * 200), home=home, **settings)
    try:
        yield made
    finally:
        HELD.set()
        made.close()


def request(token: str, host: str = "127.0.0.1:7860") -> Any:
    """A request of a browser, as the handlers read it."""
    return SimpleNamespace(cookies={COOKIE: token} if token else {}, headers={"host": host})


def told(sessions: Sessions, token: str, text: str, pictures: Sequence[Any] = (), session: str = "") -> str:
    """Says something in a session of a browser, waits for the end of the turn, and returns the session."""
    who = owner_of(token)
    conversation = sessions.open(who, session) if session else sessions.begin(who)
    for _ in sessions.say(conversation, text, pictures).watch():
        pass
    return conversation.id
