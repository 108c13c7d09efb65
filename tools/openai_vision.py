"""Models that see, behind an OpenAI-compatible HTTP API: captions, and answers about one or several pictures.

The instructions are prompt files (`describe.picture`, `describe.answer`), so they can be read and replaced. Pictures
travel as PNG in `data:` URLs, at most `longest` pixels long. The server tells no probabilities that could be trusted
across models: `Statement.confidence` is None. A model that only reads text is not found out before it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from socratic.errors import BadInput, ReplyError, SocraticError
from socratic.prompt import Prompt
from socratic.prompt import load as load_prompt
from socratic.reply import Unreadable
from socratic.tasks import Ask, Describe
from socratic.tool import Tool, operation
from socratic.tools import _openai_wire as wire
from socratic.tools._openai_server import connect
from socratic.tools._openai_talk import Talk
from socratic.values import Request, Statement


class OpenAIVision(Tool):
    """A `Captioner` and an `Answerer` that asks a model over HTTP. Made by `load`."""

    def __init__(self, talk: Talk, describing: Prompt, answering: Prompt, fingerprint: str, least_tokens: int) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._talk = talk
        self._describing = describing
        self._answering = answering
        self._least_tokens = least_tokens

    @operation(batch=16)
    def describe(self, items: Sequence[Describe]) -> list[Statement | SocraticError]:
        """One sentence per picture; all are asked for at the same time. A `ReplyError` where the model refused."""
        return self._talk.server.each(items, self._described)

    @operation(batch=16)
    def answer(self, items: Sequence[Ask]) -> list[Statement | SocraticError]:
        """One answer per question; history and shots are earlier turns of the conversation.

        A `BadInput` where there is no picture or no question, a `ReplyError` where the model refused.
        """
        return self._talk.server.each(items, self._answered)

    def _described(self, item: Describe, clock: wire.Clock) -> Statement:
        rendered = self._describing.render(picture=item.picture, prefix=item.prefix)
        request = Request(rendered.messages, item.temperature, item.max_tokens, item.seed, item.repeat)
        return self._stated(self._describing, request, clock)

    def _answered(self, item: Ask, clock: wire.Clock) -> Statement:
        if not item.pictures or not item.question.strip():
            raise BadInput("a question without a picture, or no question", hint="give at least one picture and a text")
        rendered = self._answering.render(
            pictures=item.pictures,
            question=item.question,
            history=[{"question": q, "answer": a} for q, a in item.history],
            shots=[{"picture": s.picture, "question": s.question, "answer": s.answer} for s in item.shots],
        )
        request = Request(rendered.messages, item.temperature, item.max_tokens, item.seed, item.repeat)
        return self._stated(self._answering, request, clock)

    def _stated(self, prompt: Prompt, request: Request, clock: wire.Clock) -> Statement:
        request = replace(request, max_tokens=max(self._least_tokens, request.max_tokens))
        reply = self._talk.reply(request, clock)
        try:
            text, _ = prompt.header.reply.read(reply.text)
        except Unreadable as error:
            raise ReplyError(str(error), reply=reply.text, hint="edit the prompt, or choose another model") from error
        return Statement(str(text), None, reply.finished)


def load(
    model: str,
    *,
    base_url: str | None = None,
    api: Literal["chat", "responses"] = "chat",
    api_key_env: str = "OPENAI_API_KEY",
    longest: int = 768,
    least_tokens: int = 0,
    describe_prompt: str = "describe.picture",
    answer_prompt: str = "describe.answer",
    timeout: float = 60,
    deadline: float = 180,
    retries: int = 4,
) -> OpenAIVision:
    """Prepares a model behind an API; asks it nothing yet.

    Args:
        base_url: a server other than OpenAI, e.g. `http://127.0.0.1:8000/v1`; `$OPENAI_BASE_URL` counts as well.
        api: chat completions, which most servers speak and which take a seed, or OpenAI's Responses.
        longest: pixels on the longer side of a picture that is sent; larger ones are shrunk.
        least_tokens: the smallest token limit that is sent; models that reason first need some hundreds.
        describe_prompt, answer_prompt: names or paths of prompt files.
        timeout: seconds of silence after which a try is given up.
        deadline: seconds that a request may take in all, with every retry and wait.

    Raises:
        ModelUnavailable: the package openai or the key is missing.
        PromptError: there is no such prompt.
    """
    describing, answering = load_prompt(describe_prompt), load_prompt(answer_prompt)
    server = connect(
        model, base_url=base_url, api_key_env=api_key_env, timeout=timeout, deadline=deadline, retries=retries
    )
    other = "chat" if api == "responses" else "responses"
    talk = Talk(
        replace(server, elsewhere=f"load it with api={other!r}"),
        responses=api == "responses",
        stream=False,
        longest=longest,
    )
    words = f"{describing.sha256[:8]} {answering.sha256[:8]}"
    fingerprint = f"openai_vision:{server.where} {model} {api} {longest}px {words}"
    return OpenAIVision(talk, describing, answering, fingerprint, least_tokens)
