"""Answers questions by a plan of small steps: VisProg (Gupta & Kembhavi 2023, arXiv:2211.11559) and ViperGPT
(Surís et al. 2023, arXiv:2303.08128), without code: nothing that a model wrote is executed.

1. The writer turns each question into a plan: find, crop, count, where, ask, compare, combine (`plan.py` has the types).
   With `planner="rules"` questions of a simple form get a plan without a writer; any other is asked as it is.
2. The plan is checked whole before anything runs. What is wrong with it goes back to the writer once; then it is an
   error that tells every problem with its step.
3. The steps run on the detector and the answerer, questions that wait for nothing in one batch. The account tells each
   step, what came of it and where.
4. Where a step cannot be done (nothing to crop, no yes or no), the answer is `unknown`, and the account says why.

Limits: no loops and no arithmetic beyond sums and differences; what the detector misses is counted as not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from socratic import consult
from socratic.ask import Question, ask_all
from socratic.capability import Answerer, Detector, Writer
from socratic.clauses import number_in, yes_or_no
from socratic.crops import crop
from socratic.english import number_word
from socratic.errors import BadInput, BudgetExceeded, SocraticError
from socratic.plan import Plan, Step, checked, filled, pictures_named
from socratic.prompt import load
from socratic.question import canonical, simple_plan, statement_plan
from socratic.recipe import recipe
from socratic.recipes.ask import Answers
from socratic.recipes.ask import checked as asked_for
from socratic.regions import Box, Regions
from socratic.tasks import Ask
from socratic.transcript import Transcript
from socratic.values import Picture, Statement

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Done:
    """A step that was carried out: what it did, what came of it, how sure the model was, and where in the picture."""

    step: str
    told: str
    confidence: float | None = None
    boxes: tuple[Box, ...] = ()

    def say(self) -> str:
        return f"{self.step} -> {self.told}"

    def as_dict(self) -> dict[str, Any]:
        sure = None if self.confidence is None else round(self.confidence, 4)
        return {"step": self.step, "told": self.told, "confidence": sure, "boxes": [b.as_list() for b in self.boxes]}


@dataclass(frozen=True)
class Worked:
    """One question, its answer, the plan and the account of its steps.

    Attributes:
        confidence: that of the least sure step; None where no step tells any.
        stopped: why there is no answer; empty where there is one.
    """

    question: str
    answer: str
    confidence: float | None
    plan: Plan
    account: tuple[Done, ...]
    stopped: str = ""

    @property
    def abstained(self) -> bool:
        return self.answer == UNKNOWN

    def as_dict(self) -> dict[str, Any]:
        sure = None if self.confidence is None else round(self.confidence, 4)
        return {
            "question": self.question, "answer": self.answer, "confidence": sure, "abstained": self.abstained,
            "stopped": self.stopped, "steps": [d.as_dict() for d in self.account], "plan": self.plan.as_dict(),
        }  # fmt: skip


@recipe
def ask_program(
    picture: Picture,
    *,
    questions: Sequence[str],
    more: Sequence[Picture] = (),
    options: Sequence[str] = (),
    planner: Literal["writer", "rules"] = "writer",
    threshold: float | None = None,
    prompt: str = "ask.program",
    detector: Detector,
    answerer: Answerer,
    writer: Writer,
    talk: Transcript,
) -> Answers[Worked]:
    """Answers questions about a picture by plans of typed steps.

    Args:
        picture: what the questions are about.
        questions: each gets a plan of its own.
        more: further pictures; plans call two pictures `left` and `right`, more of them `picture_1` and so on.
        options: the answers to choose from; the plan is told, and an answer that is none of them counts as unknown.
        planner: who makes the plans: `writer`, or `rules` for simple forms of questions.
        threshold: the least score of the detector's boxes; its own when absent.
        prompt: the name or file of the planning prompt.
    """
    asked = asked_for(questions)
    seen = (*(picture if isinstance(picture, (list, tuple)) else (picture,)), *more)
    if planner == "rules":
        plans = [_by_rules(question, len(seen), prompt) for question in asked]
    else:
        plans = _written(talk, writer, asked, pictures_named(len(seen)), prompt, list(options))
    named = dict(zip(pictures_named(len(seen)), seen, strict=True))
    worked = []
    for number, (question, plan) in enumerate(zip(asked, plans, strict=True), start=1):
        part = talk.part(f"question {number}")
        worked.append(_chosen(_Run(part, plan, named, detector, answerer, threshold).answer(question), options))
    return Answers(tuple(worked), talk)


def _written(
    talk: Transcript, writer: Writer, asked: list[str], pictures: Sequence[str], prompt: str, options: list[str]
) -> list[Plan]:
    """The writer's plans, asked for in one batch."""
    known = {"options": options} if options else {}
    wanted = [Question(f"plan {i}", {"pictures": list(pictures), "question": q, **known}) for i, q in enumerate(asked, start=1)]  # fmt: skip
    plans: list[Plan] = []
    for made in ask_all(talk, writer, load(prompt), wanted, options=pictures):
        if isinstance(made, SocraticError):
            raise made
        plans.append(made)
    return plans


def _by_rules(question: str, n: int, prompt: str) -> Plan:
    plan = statement_plan(question, n) if prompt == "ask.statement" else simple_plan(question) if n == 1 else None
    if plan is None and n > 1:
        raise BadInput(f"no rule reads {question!r} for {n} pictures", hint='planner="writer" reads more')
    kind = {"as": "truth"} if prompt == "ask.statement" else {}
    said = f'Is this true: "{question}"?' if prompt == "ask.statement" else question
    plain = {"name": "answer", "do": "ask", "question": said.replace("{", "(").replace("}", ")")[:400], **kind}
    return plan or checked({"steps": [plain], "answer": "answer"})


def _chosen(worked: Worked, options: Sequence[str]) -> Worked:
    """The answer as the option that says the same."""
    if not options or worked.abstained:
        return worked
    same = next((o for o in options if canonical(o) == canonical(worked.answer)), None)
    return replace(worked, answer=same or UNKNOWN, stopped="" if same else f"{worked.answer!r} is none of the options")


class _Stuck(Exception):
    """A step that cannot be done with what came of the steps before it."""


class _Run:
    """Carries out one plan. Values are pictures, regions, numbers, truths and texts, looked up by name."""

    def __init__(
        self, talk: Transcript, plan: Plan, pictures: Mapping[str, Picture], detector: Detector, answerer: Answerer,
        threshold: float | None,
    ) -> None:  # fmt: skip
        self.talk, self.plan, self.detector, self.answerer = talk, plan, detector, answerer
        self.threshold = threshold
        self.values: dict[str, Any] = dict(pictures)
        self.first = next(iter(pictures))
        self.within: dict[str, Picture] = {}
        self.heard: dict[str, Statement] = {}
        self.account: list[Done] = []

    def answer(self, question: str) -> Worked:
        stopped = ""
        try:
            for step in self.plan.steps:
                self.account.append(self._done(step))
        except _Stuck as reason:
            stopped = str(reason)
        except BudgetExceeded as error:
            stopped = f"stopped for the budget: {error.message}"
        said = UNKNOWN if stopped else self._text(self.plan.answer)
        sure = [d.confidence for d in self.account if d.confidence is not None]
        return Worked(question, said, min(sure) if sure and not stopped else None, self.plan, tuple(self.account), stopped)  # fmt: skip

    def _done(self, step: Step) -> Done:
        """Carries out a step; its value stands under its name afterwards."""
        given = step.given
        if step.do == "find":
            return self._find(step)
        if step.do == "ask":
            return self._ask(step)
        if step.do == "crop":
            made, box = self._crop(step, given["around"], given.get("side", "inside"))
            self.values[step.name] = made
            return Done(step.say(), f"{made.width} x {made.height} pixels", None, (box,))
        if step.do == "count":
            self.values[step.name] = len(self.values[given["of"]])
        elif step.do == "where":
            regions = self._some(step, given["of"])
            self.values[step.name] = regions.place_of(regions.found[0].box)
        else:
            self.values[step.name] = self._compared(step) if step.do == "compare" else self._combined(step)
        return Done(step.say(), self._text(step.name))

    def _find(self, step: Step) -> Done:
        picture = self.values[step.given.get("in", self.first)]
        phrase = filled(step.given["phrase"], self._texts(step)).strip(" .")
        found = consult.find(self.talk, self.detector, picture, [phrase], self.threshold, step.name)
        self.values[step.name], self.within[step.name] = found, picture
        return Done(step.say(), found.say(), min((r.score for r in found), default=None), tuple(r.box for r in found))

    def _crop(self, step: Step, around: str, side: str) -> tuple[Picture, Box]:
        """The part of the picture with the surest region, or the part beside it."""
        box, whole = self._some(step, around).found[0].box, self.within[around]
        if side == "inside":
            return crop(whole, box), box
        w, h = float(whole.width), float(whole.height)
        beside = {"left of": Box(0, 0, box.x0, h), "right of": Box(box.x1, 0, w, h), "above": Box(0, 0, w, box.y0), "below": Box(0, box.y1, w, h)}[side]  # fmt: skip
        x0, y0, x1, y1 = (round(v) for v in beside.as_list())
        if x1 - x0 < 2 or y1 - y0 < 2:
            raise _Stuck(f"{step.name}: there is nothing {side} the {self.values[around].found[0].label}")
        return Picture.of(whole.pil.crop((x0, y0, x1, y1)), f"{whole.source}#{x0},{y0},{x1},{y1}"), beside

    def _ask(self, step: Step) -> Done:
        """Puts a question, with all later ones that wait for nothing else, in one batch."""
        if step.name not in self.heard:
            ready = [s for s in self.plan.steps if s.do == "ask" and s.name not in self.heard and s.uses() <= self.values.keys()]  # fmt: skip
            asked = [Ask((self.values[s.given.get("about", self.first)],), filled(s.given["question"], self._texts(s))) for s in ready]  # fmt: skip
            replies = consult.answer(self.talk, self.answerer, asked, [s.name for s in ready])
            self.heard |= {s.name: consult.raised(r) for s, r in zip(ready, replies, strict=True)}
        said = self.heard[step.name]
        value = {"truth": yes_or_no, "number": number_in}.get(step.makes, str)(said.text)
        if value is None or value == "":
            wanted = {"truth": "yes or no", "number": "a number"}.get(step.makes, "words")
            raise _Stuck(f"{step.name}: the answerer was to say {wanted}, and said {said.text!r}")
        self.values[step.name] = value
        return Done(step.say(), said.text, said.confidence)

    def _compared(self, step: Step) -> bool:
        how, left, right = step.given["is"], step.given["left"], step.given["right"]
        a, b = self.values[left], self._literal(right)
        if isinstance(a, Regions):
            (x, y), (u, v) = (self._some(step, name).found[0].box.centre for name in (left, right))
            return bool({"left of": x < u, "right of": x > u, "above": y < v, "below": y > v}[how])
        if isinstance(a, str):
            a, b = canonical(a), canonical(b)
        if how in ("equal", "not equal"):
            return (a == b) is (how == "equal")
        return bool({"more than": a > b, "less than": a < b, "at least": a >= b, "at most": a <= b}[how])

    def _combined(self, step: Step) -> Any:
        how, values = step.given["how"], [self.values[name] for name in step.given["of"]]
        if how == "if":
            return values[1] if values[0] else values[2]
        if how == "difference":
            return values[0] - values[1]
        if how == "not":
            return not values[0]
        return sum(values) if how == "sum" else {"and": all(values), "or": any(values), "xor": sum(values) % 2 == 1}[how]  # fmt: skip

    def _literal(self, value: Any) -> Any:
        return value["text"] if isinstance(value, dict) else self.values[value] if isinstance(value, str) else value

    def _some(self, step: Step, name: str) -> Regions:
        """The regions under a name, of which there must be one."""
        regions: Regions = self.values[name]
        if not len(regions):
            made = next(s for s in self.plan.steps if s.name == name)
            raise _Stuck(f"{step.name}: no {made.given['phrase']!r} was found")
        return regions

    def _texts(self, step: Step) -> dict[str, str]:
        return {name: self._text(name) for name in step.uses() if not isinstance(self.values[name], (Picture, Regions))}

    def _text(self, name: str) -> str:
        value = self.values[name]
        if isinstance(value, bool):
            return "yes" if value else "no"
        return number_word(int(value)) if isinstance(value, (int, float)) and value >= 0 and value == int(value) else str(value)  # fmt: skip
