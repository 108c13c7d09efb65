"""Writers as LangChain chat models, for agents and for other programs: `chat_model(tool)`.

    chat_model(open_profile("pocket").tool("writer")).bind_tools([detect]).invoke("Find the dog.")

A local writer becomes a `LocalChat`; a tool that has a chat model of its own gives that. No agent loop, no model and no
prompt lives here. It imports langchain-core: import it where it is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from pydantic import BaseModel, Field

from socratic.capability import Writer
from socratic.errors import BadInput
from socratic.hub import missing_package
from socratic.values import Call, Message, Offer, Reply, Request

try:
    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.exceptions import ContextOverflowError, ModelInvalidRequestError
    from langchain_core.language_models import BaseChatModel, LanguageModelInput
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
    from langchain_core.messages.ai import UsageMetadata
    from langchain_core.messages.tool import tool_call_chunk
    from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
    from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
    from langchain_core.tools import BaseTool
    from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
    from langchain_core.utils.pydantic import is_basemodel_subclass
except ImportError as error:
    raise missing_package(error, "langchain") from error

Tools = Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]
_LEAST = 16
"""Tokens of a reply below which a conversation counts as too long for the model."""
_SETTINGS = {"temperature", "max_tokens", "seed"}
_WITHOUT_EFFECT = {"strict", "ls_structured_output_format", "stream", "model"}
"""What LangChain passes along: schemas are always strict here, and a name for traces changes no model."""
_ELSEWHERE = {"reasoning", "tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use"}
"""Parts of a message that say nothing: thoughts, and calls, which stand in a field of their own."""


class Refused(BadInput, ModelInvalidRequestError):
    """A conversation that the model cannot read, as LangChain tells of it."""


class TooLong(BadInput, ContextOverflowError):
    """A conversation that is longer than the model reads; LangChain's summaries know what to do then."""


class LocalChat(BaseChatModel):
    """A LangChain chat model around a `Writer`.

    Attributes:
        writer: what writes, such as `socratic.tools.causal_lm`.
        temperature: 0 takes the likeliest token every time.
        max_tokens: the most tokens of a reply; fewer where the conversation leaves less room.
        seed: equal seeds give equal replies.
        stop: texts before which a reply ends.
    """

    writer: Any = Field(exclude=True)
    temperature: float = 0.0
    max_tokens: int = 512
    seed: int = 0
    stop: list[str] | None = None

    @property
    def model_name(self) -> str:
        return str(self.writer.fingerprint)

    @property
    def _llm_type(self) -> str:
        return "socratic"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model_name": self.model_name, **{name: getattr(self, name) for name in (*sorted(_SETTINGS), "stop")}}

    def _resolve_model_profile(self) -> Any:
        told: dict[str, Any] = {"tool_calling": True, "tool_choice": True, "structured_output": True}
        told |= {"text_inputs": True, "text_outputs": True, "image_inputs": False, "max_output_tokens": self.max_tokens}
        if context := getattr(self.writer, "context", None):
            told["max_input_tokens"] = context - min(self.max_tokens, context // 4)
        return told

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Tools | None = None) -> int:
        """How long a conversation is in the model's own tokens; in words where the writer does not tell."""
        room = getattr(self.writer, "room", None)
        if room is None:
            return sum(len(str(message.text).split()) for message in messages)
        told = [convert_to_openai_tool(tool) for tool in tools or ()]
        return int(self.writer.context - room(self._request(messages, {"tools": told})))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            request = self._fitted(self._request(messages, kwargs))
            reply = cast(Writer, self.writer).write(request)
        except BadInput as error:
            if isinstance(error, (Refused, TooLong)):
                raise
            raise Refused(error.message, hint=error.hint) from error
        return ChatResult(generations=[ChatGeneration(message=self._told(reply, stop or self.stop or []))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """The reply in one piece: it counts only when it is whole."""
        told = cast(AIMessage, self._generate(messages, stop, **kwargs).generations[0].message)
        said = [json.dumps(c["args"], ensure_ascii=False) for c in told.tool_calls]
        calls = [tool_call_chunk(name=c["name"], args=said[i], id=c["id"], index=i) for i, c in enumerate(told.tool_calls)]  # fmt: skip
        piece = AIMessageChunk(
            content=told.content,
            tool_call_chunks=calls,
            usage_metadata=told.usage_metadata,
            response_metadata=told.response_metadata,
            chunk_position="last",
        )
        if run_manager:
            run_manager.on_llm_new_token(str(told.content), chunk=ChatGenerationChunk(message=piece))
        yield ChatGenerationChunk(message=piece)

    def bind_tools(
        self, tools: Tools, *, tool_choice: str | bool | dict[str, Any] | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools that it may call.

        Args:
            tool_choice: `auto` (the same as None), `none`, `any` (the same as `required` and True), or a tool's name.
        """
        told = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=told, tool_choice=tool_choice, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: str = "json_schema",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Replies as objects of a schema; the reply is held to it, whatever the method is called."""
        if kwargs:
            raise ValueError(f"with_structured_output does not take {sorted(kwargs)}")
        if method not in ("json_schema", "function_calling", "json_mode"):
            raise ValueError(f"there is no method {method!r}: json_schema, function_calling or json_mode")
        wanted = convert_to_json_schema(schema)
        traced = {"kwargs": {"method": method}, "schema": wanted}
        form = {"type": "json_schema", "json_schema": {"name": wanted["title"], "schema": wanted}}
        held = self.bind(response_format=form, ls_structured_output_format=traced)
        typed = isinstance(schema, type) and is_basemodel_subclass(schema)
        parser: Any = PydanticOutputParser(pydantic_object=cast(Any, schema)) if typed else JsonOutputParser()
        if not include_raw:
            return cast(Runnable[LanguageModelInput, Any], held | parser)
        parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=held) | parsed.with_fallbacks([failed], exception_key="parsing_error")

    def _request(self, messages: Sequence[BaseMessage], given: Mapping[str, Any]) -> Request:
        known = {"tools", "tool_choice", "response_format"} | _SETTINGS | _WITHOUT_EFFECT
        if unknown := sorted(set(given) - known):
            hint = f"leave it out; it takes {', '.join(sorted(_SETTINGS))}, tools and response_format"
            raise BadInput(f"a local chat model takes no setting {unknown[0]!r}", hint=hint)
        chosen = {name: given[name] if given.get(name) is not None else getattr(self, name) for name in _SETTINGS}
        offers = tuple(map(_offer, given.get("tools") or ()))
        offers, must_call = _choice(offers, given.get("tool_choice"))
        schema = _schema(given.get("response_format"))
        return Request(tuple(map(_message, messages)), **chosen, schema=schema, tools=offers, must_call=must_call)

    def _fitted(self, request: Request) -> Request:
        """The request with no more tokens for the reply than the model has room for."""
        room = getattr(self.writer, "room", None)
        if room is None:
            return request
        left = room(request)
        if left < min(_LEAST, request.max_tokens):
            hint = "shorten or summarize the conversation, offer fewer tools, or choose a model that reads more"
            raise TooLong(f"the conversation leaves room for {max(0, left)} tokens of a reply", hint=hint)
        return Request(**{**vars(request), "max_tokens": min(left, request.max_tokens)})

    def _told(self, reply: Reply, stop: Sequence[str]) -> AIMessage:
        text = reply.text
        for mark in filter(None, stop):
            text = text.partition(mark)[0]
        finish = "length" if not reply.finished and text == reply.text else "tool_calls" if reply.calls else "stop"
        spent = UsageMetadata(
            input_tokens=reply.usage.prompt_tokens,
            output_tokens=reply.usage.reply_tokens,
            total_tokens=reply.usage.prompt_tokens + reply.usage.reply_tokens,
        )
        calls = [
            {"type": "tool_call", "name": c.name, "args": json.loads(c.arguments), "id": c.id} for c in reply.calls
        ]
        meta = {"finish_reason": finish, "model_name": self.model_name, "model_provider": "socratic"}
        return AIMessage(text, tool_calls=calls, usage_metadata=spent, response_metadata=meta)


def chat_model(tool: Any, **settings: Any) -> BaseChatModel:
    """A tool that writes as a LangChain chat model.

    Args:
        tool: a `Writer`. One with `as_chat_model()`, such as those behind an API, gives its own.
        settings: those of `LocalChat`, for a writer that becomes one, e.g. `max_tokens=200`.

    Raises:
        BadInput: the tool does not write, or it has a chat model of its own and settings are given.
    """
    own = getattr(tool, "as_chat_model", None)
    if own is not None:
        if settings:
            raise BadInput(f"{tool.fingerprint} has settings of its own", hint="set them in the profile")
        return cast(BaseChatModel, own())
    if not hasattr(tool, "write"):
        raise BadInput(f"{type(tool).__name__} does not write", hint="pass the workbench's tool('writer')")
    return LocalChat(writer=tool, **settings)


def _offer(told: Mapping[str, Any]) -> Offer:
    function = told.get("function", {})
    if not function.get("name"):
        raise BadInput(f"a local model cannot use a tool of type {told.get('type')!r}", hint="offer functions alone")
    schema = json.dumps(function.get("parameters") or {"type": "object", "properties": {}}, ensure_ascii=False)
    return Offer(function["name"], function.get("description", ""), schema)


def _choice(offers: tuple[Offer, ...], choice: Any) -> tuple[tuple[Offer, ...], bool]:
    """The tools that are left to a choice, and whether one has to be called."""
    if isinstance(choice, Mapping):
        choice = choice.get("function", {}).get("name") or choice.get("type")
    if choice in (None, False, "auto"):
        return offers, False
    if choice == "none":
        return (), False
    if choice in (True, "any", "required"):
        return offers, True
    named = tuple(offer for offer in offers if offer.name == choice)
    if not named:
        told = ", ".join(offer.name for offer in offers) or "none"
        raise BadInput(f"tool_choice names {choice!r}, which is not offered", hint=f"offered: {told}")
    return named, True


def _schema(form: Any) -> str:
    """The JSON Schema of a `response_format` as OpenAI has it, as text."""
    if not form or form.get("type") == "text":
        return ""
    if form.get("type") == "json_object":
        return '{"type": "object"}'
    if form.get("type") != "json_schema":
        raise BadInput(f"there is no response format {form.get('type')!r}", hint="json_schema, json_object or text")
    return json.dumps(form["json_schema"]["schema"], ensure_ascii=False)


def _message(message: BaseMessage) -> Message:
    text = _text(message)
    if isinstance(message, SystemMessage):
        return Message("system", text)
    if isinstance(message, ToolMessage):
        return Message("tool", text, answers=message.tool_call_id)
    if isinstance(message, AIMessage):
        calls = [Call(c["name"], json.dumps(c["args"], ensure_ascii=False), c["id"] or "") for c in message.tool_calls]
        return Message("assistant", text, calls=tuple(calls))
    if isinstance(message, HumanMessage):
        return Message("user", text)
    raise BadInput(f"a local model reads no {message.type!r} messages", hint="human, ai, system and tool messages")


def _text(message: BaseMessage) -> str:
    """The words of a message."""
    if isinstance(message.content, str):
        return message.content
    parts = []
    for block in cast(list[dict[str, Any]], message.content_blocks):
        kind = block["type"]
        if kind == "non_standard":
            kind = str(block["value"].get("type", kind))
        if kind in ("text", "text-plain"):
            parts.append(str(block.get("text", "")))
        elif kind not in _ELSEWHERE:
            hint = "describe it in words, by caption or ask, or choose a profile whose writer sees"
            raise BadInput(f"this language model reads no {kind} in a {message.type} message", hint=hint)
    return "\n".join(parts)
