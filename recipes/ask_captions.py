"""Answers questions by captions and a language model that sees nothing: PICa (Yang et al. 2021, arXiv:2109.05014),
PNP-VQA (Tiong et al. 2022, arXiv:2210.08773), Img2LLM (Guo et al. 2023, arXiv:2212.10846).

1. Guided by the questions: a detector looks for what they name, and the parts of the picture with it are described too.
2. The captioner samples captions in rounds until there are `n` different ones. One that has no more to say is left
   alone after two rounds without a new caption, and the answer tells how many there were (the originals ask for ever).
3. A judge keeps the captions that fit: an embedder the best `keep`, a matcher those that fit more likely than not.
4. The writer answers from them, those about the question first. It may say `unknown`: that is abstaining, and told.
   Examples may stand in front: given ones, or such as are made from the captions themselves by rules (`exemplars`).

Limits: what no caption says is not known; a caption that is wrong and fits is believed. No confidence is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from socratic import consult
from socratic.ask import Question, ask_all
from socratic.capability import Captioner, Detector, Embedder, Matcher, Writer
from socratic.claims import claims
from socratic.clauses import may_be_place
from socratic.crops import crop
from socratic.doubt import doubtful
from socratic.english import number_word, plural
from socratic.errors import BadInput, BudgetExceeded, SocraticError, ToolError
from socratic.eyes import Eyes
from socratic.prompt import load
from socratic.question import canonical
from socratic.recipe import recipe
from socratic.recipes.ask import checked
from socratic.tasks import Describe, Match
from socratic.transcript import Transcript
from socratic.values import Picture, Statement

ROUND, PATIENCE = 16, 2
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Known:
    """One question and what the captions let a writer answer."""

    question: str
    answer: str
    captions: tuple[str, ...]

    @property
    def abstained(self) -> bool:
        return self.answer == UNKNOWN

    def as_dict(self) -> dict[str, Any]:
        return {
            "question": self.question, "answer": self.answer, "confidence": None, "abstained": self.abstained,
            "captions": list(self.captions),
        }  # fmt: skip


@dataclass(frozen=True)
class FromCaptions:
    """The answers, every caption that was kept, why others were not, and why the sampling stopped early, if it did."""

    answers: tuple[Known, ...]
    captions: tuple[str, ...]
    rejected: Mapping[str, str]
    stopped: str
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "\n".join(f"{a.question} {a.answer}" for a in self.answers)

    def as_dict(self) -> dict[str, Any]:
        rows = [a.as_dict() for a in self.answers]
        return {"answers": rows, "captions": list(self.captions), "rejected": dict(self.rejected), "stopped": self.stopped}  # fmt: skip


@recipe
def ask_captions(
    picture: Picture,
    *,
    questions: Sequence[str],
    options: Sequence[str] = (),
    n: int = 20,
    keep: int = 8,
    crops: int = 2,
    judge: Literal["embedder", "matcher", "none"] = "embedder",
    shots: Sequence[Mapping[str, Any]] = (),
    exemplars: int = 0,
    temperature: float = 1.0,
    seed: int = 0,
    captioner: Captioner,
    detector: Detector,
    embedder: Embedder,
    matcher: Matcher,
    writer: Writer,
    talk: Transcript,
) -> FromCaptions:
    """Answers questions about a picture from captions of it.

    Args:
        picture: what the questions are about.
        questions: each is answered for itself.
        options: the answers to choose from; any when empty. `unknown` is always among them.
        n: how many different captions are sampled, if there are so many.
        keep: the most captions that the writer hears for a question.
        crops: the most parts of the picture that are described too, because a question names what is there.
        judge: who sorts out captions that do not fit.
        shots: examples, each with `captions` (a list), `question` and `answer`.
        exemplars: how many further examples are made from the captions by rules.
        temperature: how freely captions are sampled; the first one of each part is the likeliest.
        seed: makes the sampling repeatable.
    """
    asked = checked(questions)
    if n < 1 or keep < 1 or crops < 0 or temperature <= 0:
        raise BadInput("n and keep must be at least 1, crops at least 0, temperature above 0")
    parts = [picture, *_parts(talk, detector, picture, asked, crops)]
    said, rejected, stopped = _sampled(talk, captioner, parts, n, temperature, seed)
    try:
        fitting = _fitting(talk, parts, said, judge, embedder, matcher, rejected)
    except BudgetExceeded as error:
        fitting, stopped = list(said), f"the captions were not judged, for the budget: {error.message}"
    examples = [*shots, *_exemplars(fitting, exemplars)]
    heard = [tuple(_about(question, fitting)[:keep]) for question in asked]
    answers, unasked = _written(talk, writer, asked, heard, list(options), examples)
    rows = zip(asked, answers, heard, strict=True)
    return FromCaptions(tuple(Known(*row) for row in rows), tuple(fitting), rejected, unasked or stopped, talk)


def _parts(talk: Transcript, detector: Detector, picture: Picture, asked: list[str], crops: int) -> list[Picture]:
    """Parts of the picture that hold what the questions name, the surest first."""
    phrases = list(dict.fromkeys(c.phrase for q in asked for c in claims(q) if not c.denied and not may_be_place(c)))
    found = consult.find(talk, detector, picture, phrases if crops else [], name="what the questions name")
    return [crop(picture, region.box) for region in list(found)[:crops]]


def _sampled(
    talk: Transcript, captioner: Captioner, parts: list[Picture], n: int, temperature: float, seed: int
) -> tuple[dict[str, int], dict[str, str], str]:
    """Different captions with the part that each describes, those of no use with the reason, and why it ended early."""
    kept: dict[str, tuple[str, int]] = {}
    rejected: dict[str, str] = {}
    asked = quiet = 0
    stopped = ""
    while len(kept) < n and not stopped:
        numbers = range(asked, asked + min(ROUND, max(len(parts), n - len(kept))))
        tasks = [Describe(parts[i % len(parts)], temperature=temperature if i >= len(parts) else 0.0, seed=seed, repeat=i) for i in numbers]  # fmt: skip
        try:
            said = consult.describe(talk, captioner, tasks, [f"caption {i + 1}" for i in numbers])
        except BudgetExceeded as error:
            if not kept:
                raise
            stopped = f"stopped at {len(kept)} captions for the budget: {error.message}"
            break
        before = len(kept)
        for i, statement in zip(numbers, said, strict=True):
            _sort(statement, i % len(parts), kept, rejected)
        if not kept and all(isinstance(s, SocraticError) for s in said):
            consult.raised(said[0])
        asked, quiet = asked + len(tasks), quiet + 1 if len(kept) == before else 0
        if quiet >= PATIENCE:
            stopped = f"the captioner has {len(kept)} different captions in {asked}, and {n} were wanted"
    if not kept:
        raise ToolError(f"the captioner said nothing of use in {asked} captions", hint="; ".join(rejected.values()) or "try another captioner")  # fmt: skip
    return dict(kept.values()), rejected, stopped


def _sort(statement: Statement | SocraticError, part: int, kept: dict[str, tuple[str, int]], rejected: dict[str, str]) -> None:  # fmt: skip
    """Puts a caption to those that are kept, unless it is a repeat, says nothing, or poses as a message."""
    text = statement.message if isinstance(statement, SocraticError) else statement.text
    if reason := doubtful(statement):
        rejected[" ".join(text.split())] = reason
        return
    text = " ".join(text.split())
    plain = text.lower().strip(" .!\"'")
    kept.setdefault(plain, (text, part))


def _fitting(
    talk: Transcript,
    parts: list[Picture],
    said: dict[str, int],
    judge: str,
    embedder: Embedder,
    matcher: Matcher,
    rejected: dict[str, str],
) -> list[str]:
    """The captions by how well they fit the part that they describe; of none only the order of sampling is known."""
    texts = list(said)
    if judge == "none":
        return texts
    if judge == "matcher":
        chances = consult.match(talk, matcher, [Match(parts[said[t]], t) for t in texts], "fit")
        scores = dict(zip(texts, chances, strict=True))
        rejected |= {t: f"the matcher finds it unlikely ({p:.0%})" for t, p in scores.items() if p < 0.5}
    else:
        scores = {}
        for number, part in enumerate(parts):
            own = [t for t in texts if said[t] == number]
            evidence = Eyes(embedder, part, talk).judge(f"fit {number + 1}", own).evidence if own else {}
            scores |= evidence.get("cosine", {})
            rejected |= evidence.get("rejected", {})
    fitting = sorted((t for t in scores if t not in rejected), key=lambda t: -scores[t])
    return fitting or [max(scores, key=lambda t: scores[t])]


def _about(question: str, captions: list[str]) -> list[str]:
    """The captions, those first that name what the question names."""
    nouns = {c.noun for c in claims(question)}
    return sorted(captions, key=lambda text: not nouns & {c.noun for c in claims(text)})


def _exemplars(captions: list[str], n: int) -> list[dict[str, Any]]:
    """Questions that a caption answers, with the answer."""
    made: dict[str, dict[str, Any]] = {}
    for text in captions:
        for claim in (c for c in claims(text) if not c.denied):
            if may_be_place(claim):
                question, answer = "Where is this?", f"{claim.after} {claim.text}"
            elif claim.colour:
                question, answer = f"What colour is the {claim.noun}?", claim.colour
            elif claim.count:
                question, answer = f"How many {plural(claim.noun)} are there?", number_word(claim.count)
            else:
                question, answer = f"Is there a {claim.noun}?", "yes"
            made.setdefault(question, {"captions": [text], "question": question, "answer": answer})
    return list(made.values())[:n]


def _written(
    talk: Transcript, writer: Writer, asked: list[str], heard: list[tuple[str, ...]], options: list[str],
    shots: list[Mapping[str, Any]],
) -> tuple[list[str], str]:  # fmt: skip
    """The writer's answers in one batch, and why it was not asked, if it was not."""
    known: dict[str, Any] = {"shots": shots} if shots else {}
    if options:
        known |= {"options": [*options, UNKNOWN]}
    prompt = load("ask.captions.options" if options else "ask.captions.shots" if shots else "ask.captions")
    values = [{"captions": list(c), "question": q, **known} for q, c in zip(asked, heard, strict=True)]
    questions = [Question(f"answer {i}: {q}", v) for i, (q, v) in enumerate(zip(asked, values, strict=True), start=1)]
    try:
        said = ask_all(talk, writer, prompt, questions, options=[*options, UNKNOWN] if options else ())
    except BudgetExceeded as error:
        return [UNKNOWN] * len(asked), f"nothing was answered, for the budget: {error.message}"
    for one in said:
        if isinstance(one, SocraticError):
            raise one
    return [UNKNOWN if canonical(s) == UNKNOWN or doubtful(Statement(s)) else s for s in said], ""
