"""Language models behind an OpenAI-compatible HTTP API: OpenAI itself, or a server such as vLLM, llama.cpp or Ollama.

What is sent is `_openai_talk.py`'s, how faults are met `_openai_server.py`'s. It does not check what a reply says
(`reply.py` does) and runs no model. The Responses API takes no seed, so there `Request.seed` is not sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr

from socratic.errors import SocraticError
from socratic.hub import missing_package
from socratic.tool import Tool, operation
from socratic.tools._openai_server import connect
from socratic.tools._openai_talk import Talk
from socratic.values import Reply, Request

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


class OpenAIChat(Tool):
    """A `Writer` that asks a model over HTTP. Made by `load`."""

    def __init__(self, talk: Talk) -> None:
        super().__init__()
        self._talk = talk
        self._model = talk.server.model
        self.fingerprint = f"openai_chat:{talk.server.where} {self._model}"

    @operation(batch=16)
    def write(self, requests: Sequence[Request]) -> list[Reply | SocraticError]:
        """Asks for all replies at the same time."""
        return self._talk.server.each(requests, self._talk.reply)

    def as_chat_model(self) -> BaseChatModel:
        """LangChain's own client of the same model, server and key, with the same retries.

        Raises:
            ModelUnavailable: the package langchain-openai is missing.
        """
        try:
            from langchain_openai import ChatOpenAI
        except ImportError as error:
            raise missing_package(error, "langchain") from error
        client = self._talk.server.client
        return ChatOpenAI(
            model=self._model,
            base_url=str(client.base_url),
            api_key=SecretStr(client.api_key),
            timeout=self._talk.server.deadline,
            max_retries=client.max_retries,
            use_responses_api=self._talk.responses,
        )

    def _body(self, request: Request) -> dict[str, Any]:
        return self._talk.body(request)


def load(
    model: str,
    *,
    base_url: str | None = None,
    api: Literal["auto", "chat", "responses"] = "auto",
    api_key_env: str = "OPENAI_API_KEY",
    stream: bool = False,
    timeout: float = 60,
    deadline: float = 180,
    retries: int = 4,
) -> OpenAIChat:
    """Prepares a model behind an API; asks it nothing yet.

    Args:
        base_url: a server other than OpenAI, e.g. `http://127.0.0.1:8000/v1`; `$OPENAI_BASE_URL` counts as well.
        api: `auto` is Responses for OpenAI and chat completions, which most servers speak, for a `base_url`.
        timeout: seconds of silence after which a try is given up.
        deadline: seconds that a request may take in all, with every retry and wait.
    """
    server = connect(
        model, base_url=base_url, api_key_env=api_key_env, timeout=timeout, deadline=deadline, retries=retries
    )
    responses = api == "responses" or (api == "auto" and server.where == "openai")
    other = "chat" if responses else "responses"
    server = replace(server, elsewhere=f"load it with api={other!r}")
    return OpenAIChat(Talk(server, responses=responses, stream=stream))
