"""Any LangChain chat model as a `Writer`, one that you have (`wrap`) or one that LangChain finds by name (`load`).

Timeouts and retries are the model's own, set where it is made, e.g. `load("openai:gpt-4o", timeout=30, max_retries=2)`;
there is no deadline here. `Request.schema` is not sent, since LangChain has no setting for it that all models share:
`reply.py` checks the reply anyway. For OpenAI-compatible servers `openai_chat.py` is more thorough.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from socratic.errors import BadInput, ModelUnavailable, ReplyError, SocraticError, ToolError
from socratic.tool import Tool, operation
from socratic.values import Call, Message, Offer, Reply, Request, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

_LONGEST_EDGE = 768
_BATCH = 16
_LIMITS = ("max_tokens", "max_output_tokens", "max_new_tokens", "num_predict")
_CUT = {"length", "max_tokens", "MAX_TOKENS", "incomplete"}
_UNREACHED = {"ConnectError", "ConnectTimeout", "ConnectionRefusedError", "NewConnectionError", "ClientConnectorError"}
_Settings = tuple[tuple[str, float], ...]
_Group = tuple[_Settings, tuple[Offer, ...], bool]


class LangChainChat(Tool):
    """A `Writer` around a LangChain chat model. Made by `load` or `wrap`."""

    def __init__(self, model: BaseChatModel) -> None:
        super().__init__()
        kind = type(model).__name__
        self._model = model
        self._name = str(getattr(model, "model_name", None) or getattr(model, "model", None) or kind)
        where = getattr(model, "openai_api_base", None) or getattr(model, "base_url", None)
        # Hashed because the parameters may hold headers or tokens, and two models of one name may differ in them.
        told = hashlib.sha256(repr((where, sorted(map(repr, model._identifying_params.items())))).encode()).hexdigest()
        self.fingerprint = f"langchain_chat:{kind} {self._name} {told[:8]}"

    @operation(batch=_BATCH)
    def write(self, requests: Sequence[Request]) -> list[Reply | SocraticError]:
        """Asks with the model's own `batch`, once for each set of settings among the requests."""
        groups: defaultdict[_Group, list[int]] = defaultdict(list)
        answers: list[Reply | SocraticError] = [ToolError("not asked")] * len(requests)
        chats: dict[int, list[BaseMessage]] = {}
        for index, request in enumerate(requests):
            try:
                chats[index] = [_as_langchain(message) for message in request.messages]
                groups[self._settings(request), request.tools, request.must_call].append(index)
            except SocraticError as error:
                answers[index] = error

        def ask(group: tuple[_Group, list[int]]) -> None:
            manner, indices = group
            try:
                said = self._batch(manner, [chats[i] for i in indices])
            except Exception as error:
                said = [self._explain(error)] * len(indices)
            for index, answer in zip(indices, said, strict=True):
                answers[index] = answer

        with ThreadPoolExecutor(max_workers=_BATCH) as pool:
            list(pool.map(ask, groups.items()))
        return answers

    def as_chat_model(self) -> BaseChatModel:
        """The model itself."""
        return self._model

    def _batch(self, manner: _Group, chats: list[list[BaseMessage]]) -> list[Reply | SocraticError]:
        settings, offers, must_call = manner
        model: Any = self._model.model_copy(update=dict(settings)) if settings else self._model
        if offers:
            told = [offer.as_dict() for offer in offers]
            model = model.bind_tools(told, tool_choice="any") if must_call else model.bind_tools(told)
        said: Sequence[Any] = model.batch(list(chats), {"max_concurrency": _BATCH}, return_exceptions=True)
        names = {offer.name for offer in offers}
        return [self._explain(each) if isinstance(each, Exception) else self._read(each, names) for each in said]

    def _settings(self, request: Request) -> _Settings:
        """The settings that the model takes: those that its class declares as fields and that it has not disabled.

        Fields are read the same way by all integrations, while arguments of a call mean different things to them.
        """
        fields = type(self._model).model_fields
        refused = set(getattr(self._model, "disabled_params", None) or {})
        through_responses = getattr(self._model, "_use_responses_api", None)
        if callable(through_responses) and through_responses({}):
            refused.add("seed")  # OpenAI's Responses API has none, and its client fails on it
        wanted = {"temperature": request.temperature, "seed": request.seed + request.repeat}
        wanted |= {name: request.max_tokens for name in _LIMITS}
        return tuple((name, value) for name, value in wanted.items() if name in fields and name not in refused)

    def _read(self, message: Any, offered: set[str]) -> Reply | SocraticError:
        text, meta = str(message.text), message.response_metadata
        finish = meta.get("finish_reason") or meta.get("stop_reason") or meta.get("done_reason") or meta.get("status")
        broken = getattr(self._model, "streaming", False) and not finish
        blocks = message.content if isinstance(message.content, list) else []
        refusals = [str(block["refusal"]) for block in blocks if isinstance(block, dict) and block.get("refusal")]
        refusal = message.additional_kwargs.get("refusal") or "".join(refusals)
        if refusal or finish == "content_filter":
            said = refusal or text or "stopped by the content filter"
            return ReplyError("the model refused", reply=said, hint="ask in another way")
        made = [Call(c["name"], json.dumps(c["args"], ensure_ascii=False), c["id"] or "") for c in message.tool_calls]
        broken_call = next((str(call.get("name")) for call in message.invalid_tool_calls), None)
        stray = broken_call or next((call.name for call in made if call.name not in offered), None)
        if stray is not None:
            said = f"the model called {stray!r}, which is not offered, or not with an object"
            return ReplyError(said, reply=text, hint="raise max_tokens, or ask in another way")
        if not text.strip() and not made:
            hint = "raise max_tokens: the limit came before any text" if finish in _CUT else "ask in another way"
            return ReplyError("the model replied nothing", reply=text, hint=hint)
        cost = message.usage_metadata or {}
        usage = Usage(cost.get("input_tokens", 0), cost.get("output_tokens", 0))
        return Reply(text, usage, finish not in _CUT and not broken, tuple(made))

    def _explain(self, error: Exception) -> SocraticError:
        """Turns what an integration raised into an error of ours; there is no common tree, so HTTP codes decide."""
        if isinstance(error, NotImplementedError):
            return BadInput(f"{self._name} takes no tools", hint="choose a model whose class has bind_tools")
        status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            return ModelUnavailable(f"the key for {self._name} was refused ({status})", hint="set a valid key")
        if status == 404:
            return ModelUnavailable(f"{self._name} is not known there", hint="check the name and the base_url")
        if _UNREACHED & set(_names(error)):
            hint = "start it, or correct base_url"
            return ModelUnavailable(f"the server of {self._name} cannot be reached", hint=hint)
        return ToolError(f"{self._name} failed: {type(error).__name__}: {self._clean(str(error))}")

    def _clean(self, text: str) -> str:
        """The text without the secrets that the model holds, and without whatever looks like a key."""
        for value in vars(self._model).values():
            reveal = getattr(value, "get_secret_value", None)
            if callable(reveal) and (secret := reveal()):
                text = text.replace(str(secret), "[key]")
        return re.sub(r"\bsk-[\w*-]{6,}|(?<=Bearer )\S+", "[key]", text)[:300]


def _names(error: BaseException | None) -> Iterator[str]:
    """The class names of an error and of what caused it: integrations wrap the same few HTTP libraries."""
    while error:
        yield type(error).__name__
        error = error.__cause__


def _as_langchain(message: Message) -> BaseMessage:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
    from langchain_core.messages.tool import tool_call

    if message.pictures and message.role != "user":
        raise BadInput(f"a picture in a {message.role} message", hint="pictures belong into user messages")
    if message.role == "system":
        return SystemMessage(message.text)
    if message.role == "tool":
        return ToolMessage(message.text, tool_call_id=message.answers)
    if message.role == "assistant":
        calls = [tool_call(name=c.name, args=json.loads(c.arguments), id=c.id) for c in message.calls]
        return AIMessage(message.text, tool_calls=calls)
    if not message.pictures:
        return HumanMessage(message.text)
    pngs = [base64.b64encode(picture.png(_LONGEST_EDGE)).decode("ascii") for picture in message.pictures]
    shown = [{"type": "image", "base64": png, "mime_type": "image/png"} for png in pngs]
    return HumanMessage(content=[{"type": "text", "text": message.text}, *shown])


def wrap(model: BaseChatModel) -> LangChainChat:
    """Makes a `Writer` of a chat model."""
    return LangChainChat(model)


def load(model: str, **settings: Any) -> LangChainChat:
    """Makes a chat model by its LangChain name, e.g. `openai:gpt-4o` or `ollama:llava`, with its own settings."""
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise ModelUnavailable("the package langchain is missing", hint="pip install 'socratic[langchain]'") from None
    try:
        made: Any = init_chat_model(model, **settings)
    except ImportError as error:
        package = re.search(r"pip install ([\w-]+)", str(error))
        hint = f"pip install {package[1]}" if package else "pip install 'socratic[langchain]'"
        raise ModelUnavailable(f"LangChain lacks the package for {model}", hint=hint) from None
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"LangChain cannot make {model!r}: {reason}", hint="name it `provider:model`") from None
    except Exception as error:
        hint = "set the provider's key, e.g. export OPENAI_API_KEY=..."
        raise ModelUnavailable(f"LangChain cannot make {model!r}: {type(error).__name__}", hint=hint) from None
    return wrap(made)
