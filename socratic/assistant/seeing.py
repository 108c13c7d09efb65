"""How a language model gets to see pictures: as images, as words, or by name only; and what it remembers of a long talk.

Works on the outgoing request alone: in the session stand handles. Models that see get the latest pictures as image
blocks of the user's message; for models that do not, others look and say what they see, as in Socratic Models (Zeng et
al. 2022, arXiv:2204.00598); small models that would be lost in so many words get names and call tools.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import HumanMessage, trim_messages

from socratic.assistant.album import Entry, harmless
from socratic.assistant.room import Room
from socratic.errors import SocraticError
from socratic.prompt import load
from socratic.tasks import Describe

Sees = Literal["pictures", "words", "names"]
LONGEST_EDGE = 768


class Seeing(AgentMiddleware[Any, Any]):
    """Tells the model which pictures there are, at the end of the user's last message."""

    def __init__(self, room: Room, sees: Sees, *, latest: int = 4, most_tokens: int = 0) -> None:
        """Sets it up.

        Args:
            latest: how many pictures are told or shown; the latest ones.
            most_tokens: what the model reads at once; older turns are left out of the request. No limit when 0.
        """
        super().__init__()
        self._room, self._sees, self._latest, self._most = room, sees, latest, most_tokens

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(self._expanded(request))

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        return await handler(self._expanded(request))

    def _expanded(self, request: Any) -> Any:
        messages = list(request.messages)
        place = next((i for i in range(len(messages) - 1, -1, -1) if isinstance(messages[i], HumanMessage)), None)
        entries = [e for e in self._room.album.entries() if e.origin.kind != "marked"][-self._latest :]
        if place is not None and entries:
            messages[place] = self._told(messages[place], entries)
        return request.override(messages=self._remembered(request, messages))

    def _told(self, message: HumanMessage, entries: Sequence[Entry]) -> HumanMessage:
        told = load("assistant.system").render(pictures=[harmless(self._said(e)) for e in entries]).messages[-1].text
        text = f"{message.text}\n{told}"
        if self._sees != "pictures":
            return message.model_copy(update={"content": text})
        shown = [base64.b64encode(self._room.album.get(e.handle).png(LONGEST_EDGE)).decode() for e in entries]
        blocks = [{"type": "image", "base64": data, "mime_type": "image/png"} for data in shown]
        return message.model_copy(update={"content": [{"type": "text", "text": text}, *blocks]})

    def _said(self, entry: Entry) -> str:
        if self._sees != "words":
            return entry.say()
        try:
            seen = self._room.bench.tool("captioner").describe(Describe(self._room.album.get(entry.handle)))
        except SocraticError:  # a picture that cannot be described is still there by name
            return entry.say()
        return f"{entry.say()}: it seems to show {' '.join(seen.text.split())}"

    def _remembered(self, request: Any, messages: list[Any]) -> list[Any]:
        """The latest turns that the model can read besides the tools; the turn that is going on always."""
        if not self._most:
            return messages
        head = [request.system_message] if request.system_message else []

        def length(some: list[Any]) -> int:
            return int(request.model.get_num_tokens_from_messages([*head, *some], tools=request.tools))

        kept: list[Any] = trim_messages(
            messages,
            max_tokens=self._most,
            token_counter=length,
            strategy="last",
            start_on="human",
            allow_partial=False,
        )
        last = next(i for i in range(len(messages) - 1, -1, -1) if isinstance(messages[i], HumanMessage))
        return kept if len(kept) >= len(messages) - last else messages[last:]
