"""Scripted chat models that lead the assistant in tests: they say what they are told to, and note what they were sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

Say = AIMessage | Callable[[Sequence[BaseMessage]], AIMessage]


def call(name: str, /, **arguments: Any) -> AIMessage:
    """A reply that calls one tool."""
    return calls((name, arguments))


def calls(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    """A reply that calls several tools at once."""
    rows = [{"name": name, "args": arguments, "id": f"call_{name}_{i}"} for i, (name, arguments) in enumerate(wanted)]
    return AIMessage("", tool_calls=rows)


def say(text: str) -> AIMessage:
    """A reply in words."""
    return AIMessage(text)


def noting(heard: list[str], reply: AIMessage) -> Say:
    """A reply that first notes the last message."""

    def note(messages: Sequence[BaseMessage]) -> AIMessage:
        heard.append(str(messages[-1].text))
        return reply

    return note


class ScriptedChat(BaseChatModel):
    """Says its replies in order; one that is a function is given the messages. Fails when it has nothing left to say."""

    replies: list[Any] = Field(default_factory=list)
    heard: list[Any] = Field(default_factory=list)
    offered: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        self.offered.append([convert_to_openai_tool(tool) for tool in tools])
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.heard.append(list(messages))
        if not self.replies:
            raise AssertionError(f"nothing left to say to {messages[-1].text!r}")
        reply = self.replies.pop(0)
        made = reply(messages) if callable(reply) else reply
        return ChatResult(generations=[ChatGeneration(message=made.model_copy(update={"id": None}))])
