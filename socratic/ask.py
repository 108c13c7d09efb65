"""Asks a writer by a prompt and reads the replies; what cannot be read is asked once more, then an error.

Every question becomes a turn of the transcript, with its status in the ledger. Many questions go to the
writer in one batch. No other file calls a writer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from socratic.capability import LikelihoodWriter, Writer
from socratic.errors import ReplyError, SocraticError
from socratic.prompt import Prompt, Rendered
from socratic.reply import Status, Unreadable
from socratic.transcript import Transcript, Turn, Value, key_of, spoken
from socratic.transcript import heard as items_of
from socratic.values import Message, Reply, Request, Usage

CORRECTION = (
    "Your reply could not be read: {reason}. Reply again, in the form that was asked for and with nothing else."
)


@dataclass(frozen=True)
class Question:
    """A turn to fill: its name, the values for the prompt, the seed that tells repeats apart."""

    name: str
    values: Mapping[str, Any]
    seed: int = 0


def ask(talk: Transcript, writer: Writer, prompt: Prompt, name: str, **values: Any) -> Any:
    """Asks one question, greedily or as the prompt hints.

    Raises:
        ReplyError: the reply could not be read, twice.
    """
    answer = ask_all(talk, writer, prompt, [Question(name, values)])[0]
    if isinstance(answer, SocraticError):
        raise answer
    return answer


def ask_all(
    talk: Transcript,
    writer: Writer,
    prompt: Prompt,
    questions: Sequence[Question],
    *,
    temperature: float | None = None,
    options: Sequence[str] = (),
) -> list[Any]:
    """Asks all questions in one batch.

    Returns:
        For each question the value as the prompt's reply contract types it, or the error in its place.
    """
    heat = prompt.header.model.temperature if temperature is None else temperature
    asked = [prompt.render(**q.values) for q in questions]
    requests = [_request(prompt, r, heat, q.seed) for q, r in zip(questions, asked, strict=True)]
    form = (prompt.header.reply.model_dump_json(), tuple(options))
    keys = [key_of(q.name, writer.fingerprint, r.key(), form) for q, r in zip(questions, requests, strict=True)]
    recalled = [talk.recall(q.name, key) for q, key in zip(questions, keys, strict=True)]
    fresh = [i for i, turn in enumerate(recalled) if turn is None]
    if fresh:
        talk.budget.ask(len(fresh))
    began = time.perf_counter()
    heard = dict(zip(fresh, _read_all(writer, prompt, [requests[i] for i in fresh], options), strict=True))
    seconds = round((time.perf_counter() - began) / max(1, len(fresh)), 4)
    answers: list[Any] = []
    for i, (question, turn) in enumerate(zip(questions, recalled, strict=True)):
        if turn is not None:
            answers.append(_typed(prompt, turn, options))
            continue
        talk.add(replace(_turn(question.name, writer, asked[i], heard[i]), key=keys[i], seconds=seconds))
        talk.budget.used(heard[i].usage.prompt_tokens + heard[i].usage.reply_tokens)
        answers.append(heard[i].value)
    return answers


def choose(talk: Transcript, writer: Writer, prompt: Prompt, name: str, options: Sequence[str], **values: Any) -> str:
    """Picks one of the options: by the likelihood of each where the writer tells it, else by its reply.

    Raises:
        ReplyError: the reply names none of the options, twice.
    """
    if not hasattr(writer, "likelihood"):
        answer = ask_all(talk, writer, prompt, [Question(name, values)], options=options)[0]
        if isinstance(answer, SocraticError):
            raise answer
        return str(answer)
    rendered = prompt.render(**values)
    request = _request(prompt, rendered, 0.0, 0)

    def likeliest() -> tuple[Value, Mapping[str, Any]]:
        scores = cast(LikelihoodWriter, writer).likelihood.batch([(request, option) for option in options])
        best = max(range(len(options)), key=lambda i: scores[i])
        return options[best], {"log_likelihood": dict(zip(options, scores, strict=True))}

    chosen = talk.state(name, writer.fingerprint, [rendered.sha256, tuple(options)], likeliest)
    if chosen.text not in options:
        raise ReplyError(f"the edited turn {name!r} does not fit: it is none of the options", reply=chosen.text)
    return chosen.text


@dataclass(frozen=True)
class _Heard:
    """A reply after reading: its value or the error, and how it went."""

    value: Any
    text: str
    status: Status
    usage: Usage


def _request(prompt: Prompt, rendered: Rendered, heat: float, seed: int) -> Request:
    limit, schema = prompt.header.model.max_tokens, prompt.header.reply.schema_text()
    return Request(rendered.messages, heat, limit, seed=seed, repeat=seed, schema=schema)


def _read_all(writer: Writer, prompt: Prompt, requests: Sequence[Request], options: Sequence[str]) -> list[_Heard]:
    """Writes, reads, and asks once more for what could not be read."""
    replies = writer.write.each(requests)
    heard: list[_Heard | None] = [None] * len(requests)
    again: dict[int, Request] = {}
    for i, (request, reply) in enumerate(zip(requests, replies, strict=True)):
        try:
            heard[i] = _read(prompt, reply, options)
        except Unreadable as problem:
            again[i] = _corrected(request, reply, problem)
    for i, reply in zip(again, writer.write.each(list(again.values())), strict=True):
        try:
            second = _read(prompt, reply, options)
            status: Status = "failed" if second.status == "failed" else "re-asked"
            heard[i] = replace(second, status=status, usage=_usage(replies[i]) + second.usage)
        except Unreadable as problem:
            said = _said(reply)
            error = ReplyError(
                f"the reply to {prompt.name} could not be read, twice: {problem}",
                reply=said,
                hint="try another writer, or reword the prompt",
            )
            heard[i] = _Heard(error, said, "failed", _usage(replies[i]) + _usage(reply))
    return [h for h in heard if h is not None]


def _read(prompt: Prompt, reply: Reply | SocraticError, options: Sequence[str]) -> _Heard:
    if isinstance(reply, ReplyError):
        raise Unreadable(reply.message)
    if isinstance(reply, SocraticError):
        return _Heard(reply, str(reply), "failed", Usage())
    if not reply.finished:
        raise Unreadable("it was cut off; be shorter")
    value, status = prompt.header.reply.read(reply.text, options)
    return _Heard(value, reply.text, status, reply.usage)


def _corrected(request: Request, reply: Reply | SocraticError, problem: Unreadable) -> Request:
    more = (Message("assistant", _said(reply) or "…"), Message("user", CORRECTION.format(reason=problem)))
    return replace(request, messages=request.messages + more)


def _said(reply: Reply | SocraticError) -> str:
    return reply.text if isinstance(reply, Reply) else reply.reply if isinstance(reply, ReplyError) else ""


def _usage(reply: Reply | SocraticError) -> Usage:
    return reply.usage if isinstance(reply, Reply) else Usage()


def _turn(name: str, writer: Writer, asked: Rendered, heard: _Heard) -> Turn:
    value = heard.value
    if isinstance(value, bool):
        value = "yes" if value else "no"
    plain = (
        value
        if isinstance(value, (str, list))
        else heard.text
        if isinstance(value, (SocraticError, dict))
        else str(value)
    )
    text, kind = spoken(plain)
    question = "\n\n".join(f"{m.role}: {m.text}" for m in asked.messages)
    return Turn(
        name,
        writer.fingerprint,
        text,
        kind,
        prompt=asked.prompt,
        prompt_sha256=asked.sha256,
        asked=question,
        status=heard.status,
        usage=heard.usage,
    )


def _typed(prompt: Prompt, turn: Turn, options: Sequence[str]) -> Any:
    """The value of a stored or edited turn, as the reply contract types it."""
    if prompt.header.reply.kind == "list":  # not by the turn: one that failed is no list until it is edited
        return items_of(turn.text)
    if prompt.header.reply.kind in ("text", "line"):
        return turn.text
    try:
        return prompt.header.reply.read(turn.text, options)[0]
    except Unreadable as problem:
        return ReplyError(f"the edited turn {turn.name!r} does not fit: {problem}", reply=turn.text)
