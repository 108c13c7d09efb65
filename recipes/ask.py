"""Answers questions about pictures: visual question answering, directly by a model that sees (BLIP-2, Li et al.
2023, arXiv:2301.12597), with examples (Flamingo, Alayrac et al. 2022, arXiv:2204.14198) and in a dialogue (VisDial,
Das et al. 2017, arXiv:1611.08669).

1. The pictures and the questions go to the answerer in one batch; a picture is encoded once for all of them.
2. With options, the answerer says how likely it finds each. One that does not tell is asked with the options listed,
   and its reply is read by letter, number or words; what cannot be read is asked once more, then an error.
3. Whether there is something `without` something else is asked thing by thing, and the rules of logic answer: models
   hardly hear a "no". Where a reply is neither yes nor no, and no other decides, the answer is `unknown`.

Limits: several pictures and examples need a model that reads them (BLIP-2 does not, and says so); in a dialogue each
question waits for the answer before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from socratic import consult, images
from socratic.capability import Answerer
from socratic.clauses import yes_or_no
from socratic.errors import BadInput, ReplyError
from socratic.question import facts_asked
from socratic.recipe import recipe
from socratic.reply import ReplyContract, Unreadable
from socratic.tasks import Ask, Shot
from socratic.transcript import Transcript
from socratic.values import Picture, Statement


@dataclass(frozen=True)
class Answer:
    """One question, its answer, and how sure the model is of it (in [0, 1]; None where it does not tell).

    Attributes:
        options: with options, the share of the likelihood that each has; empty where the answerer does not tell.
    """

    question: str
    answer: str
    confidence: float | None
    options: tuple[tuple[str, float], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        options = {"options": dict(self.options)} if self.options else {}
        return {"question": self.question, "answer": self.answer, "confidence": self.confidence, **options}


class Told(Protocol):
    """An answer of any way: what every one of them can tell."""

    @property
    def question(self) -> str: ...

    @property
    def answer(self) -> str: ...

    def as_dict(self) -> dict[str, Any]: ...


One = TypeVar("One", bound=Told)


@dataclass(frozen=True)
class Answers(Generic[One]):
    """The answers in the order of the questions, and the conversation."""

    answers: tuple[One, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "\n".join(f"{a.question} {a.answer}" for a in self.answers)

    def as_dict(self) -> dict[str, Any]:
        return {"answers": [a.as_dict() for a in self.answers]}


@recipe
def ask(
    picture: Picture,
    *,
    questions: Sequence[str],
    more: Sequence[Picture] = (),
    history: Sequence[tuple[str, str]] = (),
    dialogue: bool = False,
    shots: Sequence[Any] = (),
    options: Sequence[str] = (),
    answerer: Answerer,
    talk: Transcript,
) -> Answers[Answer]:
    """Answers questions about a picture, or about several together.

    Args:
        picture: what the questions are about.
        questions: each is answered for itself.
        more: further pictures that every question is about, for models that see several.
        history: earlier questions and answers that they may refer to.
        dialogue: whether each question also hears the questions before it and their answers.
        shots: examples, each a picture (or its path), a question and its answer, for models that read such.
        options: the answers to choose from; any when empty.
    """
    asked = checked(questions)
    if len(options) == 1 or len(set(options)) < len(options) or not all(o.strip() for o in options):
        raise BadInput(f"options must be two or more different texts, not {list(options)}")
    seen = (*(picture if isinstance(picture, (list, tuple)) else (picture,)), *more)
    examples, said = tuple(map(_shot, shots)), tuple((q, a) for q, a in history)
    names = [f"answer {number}: {q}" for number, q in enumerate(asked, start=1)]
    given = list(options)
    if not dialogue:
        return Answers(_reasoned(talk, answerer, [Ask(seen, q, said, examples) for q in asked], given, names), talk)
    answers: list[Answer] = []
    for question, name in zip(asked, names, strict=True):
        answers += _reasoned(talk, answerer, [Ask(seen, question, said, examples)], given, [name])
        said += ((question, answers[-1].answer),)
    return Answers(tuple(answers), talk)


def checked(questions: Sequence[str]) -> list[str]:
    """The questions as a list.

    Raises:
        BadInput: there is none, or one is empty.
    """
    asked = [questions] if isinstance(questions, str) else list(questions)
    if not asked or not all(q.strip() for q in asked):
        raise BadInput("there is no question", hint='give at least one, e.g. "What is in the picture?"')
    return asked


def _reasoned(
    talk: Transcript, answerer: Any, tasks: list[Ask], options: list[str], names: list[str]
) -> tuple[Answer, ...]:
    """The tasks with their answers, in one batch; a question with exclusions is asked thing by thing."""
    closed = not options or {o.lower() for o in options} == {"yes", "no"}
    facts = [facts_asked(task.question) if closed else () for task in tasks]
    split = [[replace(t, question=q) for q, _ in f] if f else [t] for t, f in zip(tasks, facts, strict=True)]
    called = [[f"{n}, fact {i + 1}" for i in range(len(f))] if f else [n] for n, f in zip(names, facts, strict=True)]
    told = iter(_answered(talk, answerer, sum(split, []), options, sum(called, [])))
    groups = [[next(told) for _ in asked] for asked in split]
    return tuple(
        _concluded(talk, name, task.question, fact, group, options) if fact else group[0]
        for name, task, fact, group in zip(names, tasks, facts, groups, strict=True)
    )


def _concluded(
    talk: Transcript,
    name: str,
    question: str,
    facts: Sequence[tuple[str, bool]],
    told: list[Answer],
    options: list[str],
) -> Answer:
    """Yes where every fact is as it must be, no where one is not; as sure as the least sure yes, or the surest no."""
    heard = [yes_or_no(a.answer) for a in told]
    against = [a for a, h, (_, wanted) in zip(told, heard, facts, strict=True) if h is not None and h != wanted]
    answer = "no" if against else "unknown" if None in heard else "yes"
    sure = [a.confidence for a in against or told if a.confidence is not None]
    confidence = None if answer == "unknown" or not sure else max(sure) if against else min(sure)
    said = next((o for o in options if o.lower() == answer), answer)
    turn = talk.state(name, "socratic", [[a.as_dict() for a in told]], lambda: (said, {"facts": [f"{a.question} {a.answer}" for a in told]}))  # fmt: skip
    return Answer(question, turn.text, confidence if turn.origin != "edited" else None)


def _answered(
    talk: Transcript, answerer: Any, tasks: list[Ask], options: list[str], names: list[str]
) -> tuple[Answer, ...]:
    """The tasks with their answers, in one batch."""
    if not options:
        replies = [consult.raised(reply) for reply in consult.answer(talk, answerer, tasks, names)]
        return tuple(Answer(t.question, r.text, r.confidence) for t, r in zip(tasks, replies, strict=True))
    if not hasattr(answerer, "answer_likelihood"):
        return _read(talk, answerer, tasks, options, names)
    answers = []
    for task, shares in zip(tasks, consult.choose(talk, answerer, tasks, options, names), strict=True):
        if not isinstance(shares, dict):
            raise shares
        best = next(iter(shares))
        answers.append(Answer(task.question, best, shares[best], tuple(shares.items())))
    return tuple(answers)


def _read(
    talk: Transcript, answerer: Answerer, tasks: list[Ask], options: list[str], names: list[str]
) -> tuple[Answer, ...]:
    """The options that the replies mean; those that mean none are asked for once more."""
    listed = ", ".join(f"({chr(65 + i)}) {o}" for i, o in enumerate(options))
    letters = [Ask(t.pictures, f"{t.question} Options: {listed}.", t.history, t.shots) for t in tasks]
    replies = consult.answer(talk, answerer, letters, names)
    chosen = [_option(consult.raised(r), options) for r in replies]
    again = [i for i, option in enumerate(chosen) if option is None]
    insist = [Ask(tasks[i].pictures, f"{letters[i].question} Reply with one letter.", tasks[i].history, tasks[i].shots) for i in again]  # fmt: skip
    seconds = consult.answer(talk, answerer, insist, [f"{names[i]}, once more" for i in again]) if again else []
    for i, second in zip(again, seconds, strict=True):
        replies[i] = consult.raised(second)
        chosen[i] = _option(consult.raised(second), options)
    for task, reply, option in zip(tasks, replies, chosen, strict=True):
        if option is None:
            raise ReplyError(
                f"the answer to {task.question!r} names none of the options, or several",
                reply=consult.raised(reply).text,
                hint=f"the options were {listed}; ask without options to see what the model says freely",
            )
    rows = zip(tasks, replies, chosen, strict=True)
    return tuple(Answer(t.question, str(o), consult.raised(r).confidence) for t, r, o in rows)


def _option(said: Statement, options: list[str]) -> str | None:
    try:
        return str(ReplyContract(kind="option").read(said.text, options)[0])
    except Unreadable:
        return None


def _shot(given: Any) -> Shot:
    if isinstance(given, Shot):
        return given
    if not isinstance(given, (list, tuple)) or len(given) != 3:
        raise BadInput(f"an example is a picture, a question and an answer, not {given!r}")
    return Shot(images.load(given[0]), str(given[1]), str(given[2]))
