"""Captions a picture by questions and answers: ChatCaptioner, Zhu et al. 2023 (arXiv:2303.06594).

1. Opening questions go to the answerer in one batch.
2. A writer that sees nothing reads what was answered and asks on, one question a round. What it invents behind its
   question is cut off; a question that came before, or is none, is refused, and after two such in a row no more is
   to be learnt.
3. The answerer answers, with the sure answers so far as history. An answer that it does not know, is not sure of, or
   that is empty stays in the conversation as not known, and never reaches the summary; nor does a plain no.
4. The writer sums up. What the summary names and no answer does is told as unsupported.

Limits: the caption is as true as the answers, which are not checked; `caption_verified` does that. One call of the
budget is kept for the summary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from socratic import consult
from socratic.ask import Question, ask, ask_all
from socratic.budget import Budget
from socratic.capability import Answerer, Writer
from socratic.claims import claims
from socratic.doubt import doubtful
from socratic.english import singular
from socratic.errors import BadInput, BudgetExceeded, ReplyError, SocraticError, ToolError
from socratic.prompt import load, smuggled
from socratic.recipe import recipe
from socratic.tasks import Ask
from socratic.transcript import Transcript, Turn
from socratic.values import Picture

OPENING = ("What is in the picture?", "Where is this?")
MOST_WORDS = 30
Stop = Literal["rounds", "no new question", "budget"]
_WHY = {"rounds": "all rounds are done", "no new question": "nothing new was asked", "budget": "the budget is used up"}


@dataclass(frozen=True)
class Exchange:
    """A question and its answer; `unsure` says why the answer is no knowledge."""

    question: str
    answer: str
    confidence: float | None
    unsure: str = ""

    @property
    def is_fact(self) -> bool:
        """Whether it may enter the summary: what is not there is no part of a caption."""
        return not self.unsure and not re.match(r"no\b", self.answer, re.IGNORECASE)

    def say(self) -> str:
        return f"{self.question} {'(not known)' if self.unsure else self.answer}"

    def as_dict(self) -> dict[str, Any]:
        return {"question": self.question, "answer": self.answer, "confidence": self.confidence, "unsure": self.unsure or None}  # fmt: skip


@dataclass(frozen=True)
class InteractiveCaption:
    """The summary, the conversation behind it, what the summary names unasked, and why the questions ended."""

    text: str
    exchanges: tuple[Exchange, ...]
    unsupported: tuple[str, ...]
    stopped: Stop
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        said = [e.as_dict() for e in self.exchanges]
        one = {"text": self.text, "score": None, "rejected": None}
        return {"text": self.text, "candidates": [one], "exchanges": said, "unsupported": list(self.unsupported), "stopped": self.stopped}  # fmt: skip


@recipe
def caption_interactive(
    picture: Picture,
    *,
    opening: Sequence[str] = OPENING,
    rounds: int = 8,
    sure: float = 0.3,
    temperature: float | None = None,
    seed: int = 0,
    answerer: Answerer,
    writer: Writer,
    talk: Transcript,
) -> InteractiveCaption:
    """Writes a caption from what a model that sees answers to a writer that asks.

    Args:
        picture: what to describe.
        opening: the questions that come first, whatever is answered.
        rounds: the most questions of the writer.
        sure: the least confidence of an answer that counts, in [0, 1].
        temperature: how freely the writer asks; the prompt's hint when absent.
        seed: makes the sampling repeatable.
    """
    if not opening or rounds < 0:
        raise BadInput("there must be an opening question, and rounds cannot be negative", hint=f"e.g. {OPENING[0]!r}")
    known = _answered(talk, answerer, picture, opening, "opening", (), sure)
    refused: list[str] = []
    stopped: Stop = "rounds"
    for number in range(1, rounds + 1):
        try:
            _keep_for_summary(talk.budget, 3)
            question = _asked(talk, writer, known, refused, number, temperature, seed)
            if not question:
                if len(refused) == 2:
                    stopped = "no new question"
                    break
                continue
            refused = []
            history = [(e.question, e.answer) for e in known if not e.unsure]
            known += _answered(talk, answerer, picture, [question], f"round {number}", history, sure)
        except BudgetExceeded:
            stopped = "budget"
            break
    facts = [e.say() for e in known if e.is_fact]
    if not facts:
        raise ToolError("the answerer was sure of nothing", hint="try another answerer, other opening questions or a lower `sure`")  # fmt: skip
    try:
        text = str(ask(talk, writer, load("caption.summary"), "summary", facts=facts))
    except BudgetExceeded:
        text, stopped = "; ".join(e.answer for e in known if e.is_fact), "budget"
    talk.add(Turn("end", "caption_interactive", f"{_WHY[stopped]} after {len(known)} answers: {text}"))
    return InteractiveCaption(text, tuple(known), _unsupported(text, known), stopped, talk)


def _answered(
    talk: Transcript,
    answerer: Answerer,
    picture: Picture,
    questions: Sequence[str],
    name: str,
    history: Sequence[tuple[str, str]],
    sure: float,
) -> list[Exchange]:
    """The questions with their answers, in one batch, and which of them are no knowledge."""
    tasks = [Ask((picture,), q, tuple(history)) for q in questions]
    names = [f"{name}: {q}" for q in questions]
    made = []
    for question, said in zip(questions, consult.answer(talk, answerer, tasks, names), strict=True):
        if isinstance(said, SocraticError):
            if not isinstance(said, (ToolError, ReplyError)):
                raise said
            made.append(Exchange(question, "", None, said.message))
            continue
        said = replace(said, text=_without_invented(said.text))
        made.append(Exchange(question, said.text, said.confidence, doubtful(said, question, sure)))
    return made


def _asked(
    talk: Transcript, writer: Writer, known: Sequence[Exchange], refused: list[str], number: int, heat: float | None, seed: int
) -> str:  # fmt: skip
    """A new question; empty for one that is refused, which is then noted."""
    values = {"heard": [e.say() for e in known], "refused": [r for r in refused if not smuggled(r)]}
    asked = Question(f"round {number}: question", values, seed=seed * 1000 + number)
    said = ask_all(talk, writer, load("caption.ask"), [asked], temperature=heat)[0]
    if isinstance(said, SocraticError) and not isinstance(said, ReplyError):
        raise said
    question = "" if isinstance(said, ReplyError) else _question_in(said)
    if not question or _bare(question) in {_bare(e.question) for e in known}:
        refused.append(question or "what is no question")
        return ""
    return question


def _question_in(said: str) -> str:
    """The first question of a reply, without what was invented around it; empty where there is none."""
    text = re.split(r"\banswer\s*:", re.sub(r"^.*?\bquestion\s*\d*\s*:", "", said, count=1, flags=re.IGNORECASE | re.DOTALL), maxsplit=1, flags=re.IGNORECASE)[0]  # fmt: skip
    found = re.search(r"[^.?!\n]*\?", text)
    question = found[0].strip(" \t\"'*-") if found else ""
    return question if 1 < len(question.split()) <= MOST_WORDS and not smuggled(text) else ""


def _without_invented(answer: str) -> str:
    """An answer without a cue in front of it and without further questions behind it."""
    plain = re.sub(r"^\s*(?:short )?answer\s*:\s*", "", answer, flags=re.IGNORECASE)
    return re.split(r"\bquestion\s*\d*\s*:", plain, maxsplit=1, flags=re.IGNORECASE)[0].strip()


def _keep_for_summary(budget: Budget, calls: int) -> None:
    """Refuses a round after which the summary could not be paid for."""
    if budget.calls is not None and budget.spent_calls + calls > budget.calls:
        raise BudgetExceeded("no round is left beside the summary", hint="give it a larger budget")


def _unsupported(text: str, known: Sequence[Exchange]) -> tuple[str, ...]:
    """What the summary says is there and no fact names."""
    words = {singular(w) for e in known if e.is_fact for w in re.findall(r"\w+", e.say().lower())}
    return tuple(c.text for c in claims(text) if not c.denied and words.isdisjoint(map(singular, c.noun.split())))


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()
