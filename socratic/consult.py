"""What recipes ask of tools that see and draw: one function per capability, and each statement a turn.

`ask.py` does the same for writers. Several statements are asked for in one batch, of which those that a past
run tells are left out. Nothing here decides what to ask.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from socratic.capability import Answerer, Captioner, Detector, Generator, LikelihoodAnswerer, Matcher, Segmenter
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.regions import Regions
from socratic.tasks import Ask, Blend, Cut, Describe, Draw, Find, Match, Vary
from socratic.transcript import Transcript, Turn, Value, key_of, spoken
from socratic.values import Drawing, Picture, Statement

Made = tuple[Value, Mapping[str, Any]] | SocraticError


def find(
    talk: Transcript,
    detector: Detector,
    picture: Picture,
    phrases: Sequence[str],
    threshold: float | None = None,
    name: str = "regions",
) -> Regions:
    """What the phrases name, in one pass; nothing is asked where there is no phrase."""
    wanted = Find(picture, tuple(phrases), threshold)
    if not wanted.phrases:
        return Regions(picture.width, picture.height)

    def look() -> tuple[Value, Mapping[str, Any]]:
        found = detector.find(wanted)
        return found.say(), found.as_dict()

    return _regions(talk.state(name, detector.fingerprint, [picture.sha256, wanted.phrases, threshold], look))


def cut(talk: Transcript, segmenter: Segmenter, asked: Cut, name: str = "masks") -> Regions:
    """Regions with masks, in the order of the boxes where boxes were given."""

    def look() -> tuple[Value, Mapping[str, Any]]:
        made = segmenter.cut(asked)
        return f"{len(made)} masks", made.as_dict()

    made_from = [asked.picture.sha256, asked.boxes, asked.points, asked.everything]
    return _regions(talk.state(name, segmenter.fingerprint, made_from, look))


def answer(
    talk: Transcript, answerer: Answerer, asked: Sequence[Ask], names: Sequence[str]
) -> list[Statement | SocraticError]:
    """The answers in the order of the questions, errors in their places. Questions on one picture share its encoding."""

    def look(fresh: Sequence[Ask]) -> Sequence[Statement | SocraticError]:
        return answerer.answer.each(fresh)

    return _statements(talk, answerer.fingerprint, asked, names, look)


def choose(
    talk: Transcript, answerer: LikelihoodAnswerer, asked: Sequence[Ask], options: Sequence[str], names: Sequence[str]
) -> list[dict[str, float] | SocraticError]:
    """For each question the options with their shares of the likelihood, the likeliest first; errors in their places.

    A share is the geometric mean of the option's token probabilities, divided by the sum over the options. An edited
    turn has all of it.
    """
    keys = [key_of(n, answerer.fingerprint, _shape_of(a), tuple(options)) for n, a in zip(names, asked, strict=True)]
    past = [talk.recall(name, key) for name, key in zip(names, keys, strict=True)]
    fresh = [i for i, turn in enumerate(past) if turn is None]
    if fresh:
        talk.budget.ask(len(fresh))
    scores = iter(answerer.answer_likelihood.each([(asked[i], o) for i in fresh for o in options]))
    told: list[dict[str, float] | SocraticError] = []
    for i, turn in enumerate(past):
        if turn is not None:
            if turn.text not in options:
                raise BadInput(f"the edited turn {turn.name!r} is none of the options", hint=", ".join(options))
            told.append({turn.text: 1.0} if turn.origin == "edited" else dict(turn.evidence["likelihood"]))
            continue
        own = [next(scores) for _ in options]
        if error := next((s for s in own if isinstance(s, SocraticError)), None):
            talk.add(Turn(names[i], answerer.fingerprint, str(error), evidence={"error": error.as_dict()}, status="failed"))  # fmt: skip
            told.append(error)
            continue
        whole = sum(likely := [math.exp(s) for s in own if not isinstance(s, SocraticError)]) or 1.0
        ranked = sorted(zip(options, likely, strict=True), key=lambda pair: -pair[1])
        shares = {option: round(p / whole, 4) for option, p in ranked}
        told.append(shares)
        talk.add(Turn(names[i], answerer.fingerprint, ranked[0][0], evidence={"likelihood": shares}, key=keys[i]))
    return told


def describe(
    talk: Transcript, captioner: Captioner, asked: Sequence[Describe], names: Sequence[str]
) -> list[Statement | SocraticError]:
    """Captions in the order asked for, errors in their places."""

    def look(fresh: Sequence[Describe]) -> Sequence[Statement | SocraticError]:
        return captioner.describe.each(fresh)

    return _statements(talk, captioner.fingerprint, asked, names, look)


def match(talk: Transcript, matcher: Matcher, asked: Sequence[Match], name: str = "match") -> list[float]:
    """How well each text fits its picture, as probabilities; one turn for all.

    Raises:
        BadInput: the turn was edited, which numbers cannot be.
    """

    def look() -> tuple[Value, Mapping[str, Any]]:
        scores = [round(float(score), 5) for score in matcher.match.batch(asked)]
        return [f"{m.text}: {score:.0%}" for m, score in zip(asked, scores, strict=True)], {"probability": scores}

    made_from = [(m.picture.sha256, m.text) for m in asked]
    return list(_unedited(talk.state(name, matcher.fingerprint, made_from, look)).evidence["probability"])


def draw(
    talk: Transcript,
    generator: Generator,
    wanted: Sequence[Draw | Vary | Blend],
    name: str = "drawing",
    names: Sequence[str] = (),
) -> list[Drawing]:
    """Drawings in the order asked for; they are drawn anew at every run, since a transcript holds no pixels.

    All are of one kind. The turns are called by `names`, or by `name` and the seed.

    Raises:
        ModelUnavailable: the generator cannot do what is asked.
    """
    if not wanted:
        return []
    kind = type(wanted[0]).__name__.lower()
    operation = getattr(generator, kind, None)
    if operation is None:
        raise ModelUnavailable(
            f"this generator cannot {kind}", hint="local diffusion models can: --profile pocket, small or large"
        )
    talk.budget.ask(len(wanted))
    drawings = list(operation.batch(wanted))
    for drawing, called in zip(drawings, names or [f"{name} {d.seed}" for d in drawings], strict=True):
        talk.pictures.append(drawing.picture)
        talk.add(Turn(called, generator.fingerprint, drawing.say(), evidence=drawing.as_dict()))
    return drawings


def raised(statement: Statement | SocraticError) -> Statement:
    """The statement, or its error raised."""
    if isinstance(statement, SocraticError):
        raise statement
    return statement


def _statements(
    talk: Transcript,
    speaker: str,
    asked: Sequence[Any],
    names: Sequence[str],
    look: Callable[[Sequence[Any]], Sequence[Statement | SocraticError]],
) -> list[Statement | SocraticError]:
    """A turn for each task; those that no past run tells are done in one batch."""
    keys = [key_of(name, speaker, _shape_of(task)) for name, task in zip(names, asked, strict=True)]
    past = [talk.recall(name, key) for name, key in zip(names, keys, strict=True)]
    fresh = [i for i, turn in enumerate(past) if turn is None]
    if fresh:
        talk.budget.ask(len(fresh))
    began = time.perf_counter()
    made = dict(zip(fresh, look([asked[i] for i in fresh]) if fresh else (), strict=True))
    seconds = round((time.perf_counter() - began) / max(1, len(fresh)), 4)
    said: list[Statement | SocraticError] = []
    for i, turn in enumerate(past):
        if turn is not None:
            said.append(Statement(turn.text, turn.evidence.get("confidence") if turn.origin != "edited" else None))
            continue
        statement = made[i]
        said.append(statement)
        if isinstance(statement, SocraticError):
            talk.add(Turn(names[i], speaker, str(statement), evidence={"error": statement.as_dict()}, status="failed"))
            continue
        text, kind = spoken(statement.text)
        talk.add(Turn(names[i], speaker, text, kind, {"confidence": statement.confidence}, key=keys[i], seconds=seconds))  # fmt: skip
    return said


def _shape_of(task: Ask | Describe) -> tuple[object, ...]:
    """Everything that shapes the reply, with pictures as their hashes."""
    if isinstance(task, Describe):
        return (task.picture.sha256, task.prefix, task.max_tokens, task.temperature, task.seed, task.repeat)
    shots = tuple((s.picture.sha256, s.question, s.answer) for s in task.shots)
    seen = tuple(p.sha256 for p in task.pictures)
    return (seen, task.question, task.history, shots, task.max_tokens, task.temperature, task.seed, task.repeat)


def _regions(turn: Turn) -> Regions:
    return Regions.from_dict(_unedited(turn).evidence)


def _unedited(turn: Turn) -> Turn:
    if turn.origin == "edited":
        raise BadInput(f"the turn {turn.name!r} cannot be edited as text", hint="change what is asked and run it anew")
    return turn
