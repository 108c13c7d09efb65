"""The assistant as one MCP tool: a message in, the answer out, in sessions that only the client that began one can go on.

What needs a person's approval is refused, since nobody can be asked here; hosts ask their user before they call a tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from socratic.errors import BadInput
from socratic.mcp.files import Files
from socratic.mcp.offers import PICTURE, checked
from socratic.mcp.results import Shown
from socratic.workbench import Workbench

if TYPE_CHECKING:
    from socratic.assistant import Assistant, Conversation, Event


class Said(BaseModel):
    """Talk to an assistant that sees, finds, counts, compares and draws with the tools of this server.

    Give pictures with the message; later messages of the same session can speak of "it" or of a handle.
    """

    model_config = {"extra": "forbid"}
    text: str = Field(description="what to say")
    pictures: list[str] = Field(default=[], description=f"pictures that come with it. {PICTURE}")
    session: str = Field("", description="the session of an earlier answer, to go on with it; a new one when empty")


VALUE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "The answer, the tools that were called for it, and the session to go on with.",
    "properties": {
        "text": {"type": "string"},
        "tools": {"type": "array", "items": {"type": "object", "required": ["name", "arguments", "ok"]}},
        "session": {"type": "string"},
        "refused": {"type": "array", "items": {"type": "string"}, "description": "calls that a person must approve"},
    },
    "required": ["text", "tools", "session", "refused"],
}


class Chat:
    """Opens the assistant at the first message, and remembers which client began which session."""

    name = "chat"

    def __init__(self, bench: Workbench, home: Path, model: Any = None) -> None:
        """Loads nothing yet.

        Args:
            model: a LangChain chat model that leads; the workbench's leader or writer when absent.
        """
        self._bench, self._home, self._model = bench, home, model
        self._assistant: Assistant | None = None
        self._begun: dict[str, str] = {}

    def say(
        self, files: Files, arguments: Mapping[str, Any], client: str, stopped: Callable[[], bool]
    ) -> tuple[str, dict[str, Any], list[Shown]]:
        """Says something and waits for the answer.

        Returns:
            What it says, the value, and its pictures.

        Raises:
            SocraticError: an argument cannot be used, or the models failed.
        """
        said = checked(self.name, Said, arguments)
        assert isinstance(said, Said)
        conversation = self._conversation(said.session, client)
        pictures = [files.picture(name) for name in said.pictures]
        text, tools, handles = _heard(conversation.stream(said.text, pictures), stopped)
        refused = [pending.told for pending in conversation.pending]
        if refused:
            answered = conversation.decide(["reject"] * len(refused))
            text, handles = answered.text or text, [*handles, *(h for h, _ in answered.images)]
            tools += [dict(tool) for tool in answered.tools]
        text, shown = _taken_over(conversation, files, text, handles)
        return text, {"text": text, "tools": tools, "session": conversation.id, "refused": refused}, shown

    def _conversation(self, session: str, client: str) -> Conversation:
        from socratic.assistant import Assistant

        if session and self._begun.get(session) != client:
            raise BadInput(f"there is no session {session[:40]!r} here", hint="leave session empty to begin one")
        if self._assistant is None:
            self._assistant = Assistant(self._bench, home=self._home, model=self._model)
        conversation = self._assistant.open(session)
        self._begun[conversation.id] = client
        return conversation


def _heard(events: Any, stopped: Callable[[], bool]) -> tuple[str, list[dict[str, Any]], list[str]]:
    """The answer, the calls with their success, and the pictures that they made; who stops listening ends the turn."""
    text, handles = "", []
    calls: dict[str, dict[str, Any]] = {}
    heard: Sequence[Event] = events
    for event in heard:
        if stopped():
            events.close()
            raise BadInput("the call was cancelled")
        if event.kind == "text":
            text = event.text
        elif event.kind == "call":
            calls[event.data["id"]] = {"name": event.name, "arguments": dict(event.data["arguments"]), "ok": None}
        elif event.kind == "result":
            handles += event.data.get("pictures", [])
            if event.data["id"] in calls:
                calls[event.data["id"]]["ok"] = event.ok
    return text, list(calls.values()), handles


def _taken_over(conversation: Conversation, files: Files, text: str, handles: Sequence[str]) -> tuple[str, list[Shown]]:
    """The session's pictures among the client's own, so that its other calls can name them."""
    shown = []
    cited = [e.handle for e in conversation.album.entries() if e.handle in text]
    for handle in dict.fromkeys([*handles, *cited]):
        picture, origin = conversation.album.get(handle), conversation.album.entry(handle).origin
        own = files.album.add(picture, origin)
        text = text.replace(handle, own) if own != handle else text
        if origin.kind != "given":
            shown.append(Shown(own, picture, origin))
    return text, shown
