"""Answers questions by a vote of several ways to see: answerers, phrasings, captions, and plans. Where they differ, a
language model asks one further question that tells them apart (cross-examination in the manner of ChatCaptioner, Zhu
et al. 2023, arXiv:2303.06594; agreement as confidence: self-consistency, Wang et al. 2022, arXiv:2203.11171).

1. Every answerer answers every phrasing; `ask_captions` and `ask_program` answer too. Each answer is one vote, and
   answers that say the same count together (`two` and `2`).
2. The agreement is the winner's share of all votes: 2 to 1 is 0.67. One that says `unknown` votes for nobody; a way
   that failed, or gave another kind of answer than the question asks for, has no vote, and that is told.
3. With the way `evidence`, the detector looks for what the answers to `What is there?` list, and votes for the first
   that it finds just so, in the same numbers; where it finds none of them so, it votes for nobody, and an
   answer that only one way gives is not enough.
4. Below the threshold the writer asks one follow-up question; the answerers reply; what the writer concludes is one
   more vote. Still below: the answer is `unknown`, and the leading one is told beside it.

Limits: ways that share a model make the same mistakes, and agree on them. A plan that only asks the question again
has no vote of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from socratic import consult
from socratic.ask import Question, ask_all
from socratic.capability import Answerer, Captioner, Detector, Embedder, Matcher, Writer
from socratic.doubt import doubtful
from socratic.errors import BadInput, BudgetExceeded, ModelUnavailable, SocraticError, ToolError
from socratic.evidence import confirmed
from socratic.prompt import load
from socratic.question import canonical, fits, lists_things, rephrased
from socratic.recipe import recipe
from socratic.recipes.ask import Answers, ask, checked
from socratic.recipes.ask_captions import ask_captions
from socratic.recipes.ask_program import ask_program
from socratic.tasks import Ask
from socratic.transcript import Transcript
from socratic.values import Picture, Statement

WAYS = ("direct", "captions", "program")
ALL_WAYS = (*WAYS, "evidence")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Ballot:
    """What one way says; `error` where it failed and has no vote."""

    by: str
    answer: str
    confidence: float | None = None
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        sure = None if self.confidence is None else round(self.confidence, 4)
        return {"by": self.by, "answer": self.answer, "confidence": sure, **({"error": self.error} if self.error else {})}  # fmt: skip


@dataclass(frozen=True)
class Voted:
    """One question and how the vote went.

    Attributes:
        answer: the winner's, or `unknown` where the agreement is too small.
        leading: the answer with the most votes, whether or not they were enough.
        agreement: its share of the votes, in [0, 1].
        follow_up: the further question, and the replies to it.
    """

    question: str
    answer: str
    leading: str
    agreement: float
    votes: tuple[Ballot, ...]
    follow_up: str = ""
    replies: tuple[str, ...] = ()
    stopped: str = ""

    @property
    def abstained(self) -> bool:
        return self.answer == UNKNOWN

    @property
    def disputed(self) -> bool:
        """Whether two ways say different things: a hard case."""
        return len({canonical(b.answer) for b in self.votes if not b.error and b.answer != UNKNOWN}) > 1

    def as_dict(self) -> dict[str, Any]:
        follow_up = {"question": self.follow_up, "replies": list(self.replies)} if self.follow_up else None
        return {
            "question": self.question, "answer": self.answer, "confidence": round(self.agreement, 4),
            "abstained": self.abstained, "leading": self.leading, "disputed": self.disputed,
            "votes": [b.as_dict() for b in self.votes], "follow_up": follow_up, "stopped": self.stopped,
        }  # fmt: skip


@recipe
def ask_vote(
    picture: Picture,
    *,
    questions: Sequence[str],
    options: Sequence[str] = (),
    ways: Sequence[str] = WAYS,
    phrasings: int = 0,
    others: Mapping[str, Any] | None = None,
    threshold: float = 0.6,
    alone: float = 0.0,
    follow_up: bool = True,
    planner: Literal["writer", "rules"] = "writer",
    captions: int = 20,
    keep: int = 8,
    crops: int = 2,
    seed: int = 0,
    captioner: Captioner,
    detector: Detector,
    embedder: Embedder,
    matcher: Matcher,
    answerer: Answerer,
    writer: Writer,
    talk: Transcript,
) -> Answers[Voted]:
    """Answers questions about a picture by a vote, and says `unknown` where the ways disagree too much.

    Args:
        picture: what the questions are about.
        questions: each is voted on for itself.
        options: the answers to choose from; any when empty.
        ways: which vote: `direct`, `captions`, `program`, `evidence`.
        phrasings: in how many other words each answerer is asked too.
        others: further answerers by name; each votes as the first one does.
        threshold: the least share of the votes that an answer needs.
        alone: the least confidence, in [0, 1], of an answer that has a single vote.
        follow_up: whether the writer may ask one further question where the share is smaller.
        planner: who makes plans and other words: the `writer`, or `rules` for simple forms of questions.
        captions: how many different captions are sampled.
        keep: the most captions that the writer hears for a question.
        crops: the most parts of the picture that are captioned too.
        seed: makes the sampling repeatable.
    """
    asked = checked(questions)
    if not ways or set(ways) - set(ALL_WAYS) or not 0 < threshold <= 1:
        raise BadInput(f"wanted ways out of {', '.join(ALL_WAYS)} and a threshold in (0, 1], got {list(ways)} and {threshold:g}")  # fmt: skip
    box = _Box(asked, options, alone)
    seers = {"answerer": answerer, **(others or {})}
    for name, seer in seers.items() if "direct" in ways else ():
        box.put_all(name, lambda s=seer, n=name: ask.inside(talk.part(n), picture, questions=asked, options=options, answerer=s).answers)  # type: ignore[misc]  # fmt: skip
    if "direct" in ways and phrasings:
        box.put_each("", lambda i: _in_other_words(talk, picture, asked[i], i, phrasings, planner, options, seers, writer))  # fmt: skip
    if "captions" in ways:
        box.put_all("captions", lambda: ask_captions.inside(talk.part("captions"), picture, questions=asked, options=options, n=captions, keep=keep, crops=crops, seed=seed, captioner=captioner, detector=detector, embedder=embedder, matcher=matcher, writer=writer).answers)  # fmt: skip
    if "program" in ways:
        box.put_each("program", lambda i: _by_plan(talk.part(f"program {i + 1}"), picture, asked[i], options, planner, detector, answerer, writer))  # fmt: skip
    if "evidence" in ways:
        box.put_each("evidence", lambda i: _by_evidence(talk.part(f"evidence {i + 1}"), picture, asked[i], box.votes[i], detector))  # fmt: skip
    answers = [box.counted(i, threshold) for i in range(len(asked))]
    if follow_up:
        answers = [_cross_examined(talk, i, a, picture, seers, writer, box, threshold) for i, a in enumerate(answers)]
    return Answers(tuple(answers), talk)


class _Box:
    """The votes on each question."""

    def __init__(self, asked: list[str], options: Sequence[str], alone: float = 0.0) -> None:
        self.asked, self.options, self.alone = asked, options, alone
        self.votes: list[list[Ballot]] = [[] for _ in asked]
        self.stopped = ""
        self.failed: SocraticError | None = None

    def put_all(self, by: str, answers: Callable[[], Sequence[Any]]) -> None:
        """The answers of one way to all questions, or its error in their places."""
        given = self._made(answers)
        for votes, said in zip(self.votes, given if isinstance(given, (list, tuple)) else [given] * len(self.asked), strict=True):  # fmt: skip
            votes += _ballots(by, said)

    def put_each(self, by: str, answer: Callable[[int], Any]) -> None:
        """The answers of one way that takes one question at a time."""
        for i, votes in enumerate(self.votes):
            said = self._made(lambda i=i: answer(i))  # type: ignore[misc]
            for one in said if isinstance(said, list) else [said]:
                votes += [one] if isinstance(one, Ballot) else _ballots(by, one)

    def _made(self, make: Callable[[], Any]) -> Any:
        if self.stopped:
            return None
        try:
            return make()
        except ModelUnavailable:
            raise
        except BudgetExceeded as error:
            self.stopped, self.failed = f"stopped for the budget: {error.message}", error
            return None
        except SocraticError as error:
            self.failed = error
            return error

    def counted(self, i: int, threshold: float) -> Voted:
        """The vote on a question; raises where every way failed."""
        cast = [b for b in self.votes[i] if not b.error]
        if not cast:
            raise self.failed or BadInput("nobody was asked")
        told = [b for b in cast if b.answer != UNKNOWN]
        numbers = Counter(canonical(b.answer) for b in told)
        sure = {
            key: sum(0.5 if b.confidence is None else b.confidence for b in told if canonical(b.answer) == key)
            for key in numbers
        }
        first = max(numbers, key=lambda key: (numbers[key], sure[key]), default="")
        leading = next((b.answer for b in told if canonical(b.answer) == first), UNKNOWN)
        agreement = numbers[first] / len(cast) if told else 0.0
        denied = any(b.by == "evidence" and b.answer == UNKNOWN for b in cast)
        lone = numbers[first] == 1 and (denied or sure[first] < self.alone)
        enough = bool(told) and agreement >= threshold - 1e-9 and not lone
        return Voted(self.asked[i], leading if enough else UNKNOWN, leading, agreement, tuple(self.votes[i]), stopped=self.stopped)  # fmt: skip


def _ballots(by: str, said: Any) -> list[Ballot]:
    """The vote that an answer is: none where nothing was said, a failed one for an error."""
    if said is None:
        return []
    if isinstance(said, SocraticError):
        return [Ballot(by, "", error=said.message)]
    unsaid = getattr(said, "abstained", False) or doubtful(Statement(said.answer), said.question)
    if not unsaid and not fits(said.question, said.answer):
        return [Ballot(by, said.answer, error="this is not the kind of answer that the question asks for")]
    return [Ballot(by, UNKNOWN if unsaid else said.answer, getattr(said, "confidence", None))]


def _in_other_words(
    talk: Transcript, picture: Picture, question: str, i: int, n: int, planner: str, options: Sequence[str],
    seers: Mapping[str, Any], writer: Writer,
) -> list[Ballot]:  # fmt: skip
    """Every answerer's answers to the question in other words."""
    if planner == "rules":
        ways: Any = rephrased(question)
    else:
        ways = ask_all(talk, writer, load("ask.rephrase"), [Question(f"other words {i + 1}", {"question": question, "n": n})])[0]  # fmt: skip
        if isinstance(ways, SocraticError):
            return [Ballot("other words", "", error=ways.message)]
    found: list[Ballot] = []
    for name, seer in seers.items() if ways else ():
        part = talk.part(f"{name}, other words {i + 1}")
        said = ask.inside(part, picture, questions=list(ways)[:n], options=options, answerer=seer).answers
        found += [b for a in said for b in _ballots(f"{name}: {a.question}", a)]
    return found


def _by_plan(
    talk: Transcript, picture: Picture, question: str, options: Sequence[str], planner: Any, detector: Detector,
    answerer: Answerer, writer: Writer,
) -> Any:  # fmt: skip
    """The answer of a plan; nothing where the plan only asks again."""
    said = ask_program.inside(talk, picture, questions=[question], options=options, planner=planner, detector=detector, answerer=answerer, writer=writer).answers[0]  # fmt: skip
    return None if len(said.plan.steps) == 1 else said


def _by_evidence(talk: Transcript, picture: Picture, question: str, votes: Sequence[Ballot], detector: Detector) -> list[Ballot]:  # fmt: skip
    """The detector's vote on a question for what is there; none on other questions, or where it can tell nothing."""
    if not lists_things(question):
        return []
    said = list({canonical(b.answer): b.answer for b in votes if not b.error and b.answer != UNKNOWN}.values())
    holds = confirmed(talk, picture, said, detector)
    if all(h is None for h in holds):
        return []
    found = next((answer for answer, h in zip(said, holds, strict=True) if h), UNKNOWN)
    return [Ballot("evidence", found)]


def _cross_examined(
    talk: Transcript, i: int, voted: Voted, picture: Picture, seers: Mapping[str, Answerer], writer: Writer, box: _Box,
    threshold: float,
) -> Voted:  # fmt: skip
    """The vote with one more, from a question that tells the contested answers apart; as it is where nothing is contested."""
    if not voted.abstained or not voted.disputed or box.stopped:
        return voted
    told = {canonical(b.answer): b.answer for b in reversed(voted.votes) if not b.error and b.answer != UNKNOWN}
    contested = [voted.leading, *(a for a in told.values() if a != voted.leading)]
    try:
        further = ask_all(talk, writer, load("ask.follow_up"), [Question(f"follow-up {i + 1}", {"question": voted.question, "answers": contested})])[0]  # fmt: skip
        if isinstance(further, SocraticError):
            raise further
        replies = []
        for name, seer in seers.items():
            replies += consult.answer(talk, seer, [Ask((picture,), further)], [f"{name} on follow-up {i + 1}"])
        heard = [r.text for r in replies if not isinstance(r, SocraticError) and not doubtful(r, further)]
        if not heard:
            raise ToolError(f"nobody knows the answer to the follow-up: {further}")
        values = {"question": voted.question, "options": [*contested, UNKNOWN], "follow_up": further, "replies": heard}
        settled = ask_all(talk, writer, load("ask.settle"), [Question(f"settled {i + 1}", values)], options=values["options"])[0]  # fmt: skip
        box.votes[i].append(Ballot("follow-up", settled) if isinstance(settled, str) else Ballot("follow-up", "", error=settled.message))  # fmt: skip
    except SocraticError as error:
        box.votes[i].append(Ballot("follow-up", "", error=error.message))
        return box.counted(i, threshold)
    again = box.counted(i, threshold)
    return Voted(again.question, again.answer, again.leading, again.agreement, again.votes, further, tuple(heard))
