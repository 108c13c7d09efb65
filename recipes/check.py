"""Checks whether a picture shows what a prompt says: question graphs, exact clauses, likelihood and cosine, with reasons.

- `clauses`: each fact of the prompt, read off by rules, goes to the detector (things, numbers, places in the picture)
  and to the answerer, as in GenEval (Ghosh et al. 2023, arXiv:2310.11513) and TIFA (Hu et al. 2023, arXiv:2303.11897).
- `graph`: a language model writes the questions and what each depends on: Davidsonian Scene Graph (Cho et al. 2023,
  arXiv:2310.18235). A question whose parent failed counts as failed.
- `likelihood`: how likely the answerer finds `yes` when asked whether the whole prompt is true: VQAScore (Lin et al.
  2024, arXiv:2404.01291).
- `cosine`: CLIPScore (Hessel et al. 2021, arXiv:2104.08718), 2.5 times the cosine, never below 0.

What the prompt excludes (`without people`) is looked for by detector and answerer whatever the method, since none of the
last three reads "no". Only the first two give reasons. Limits: rules read plain prompts; a verb (`a dog
chases a cat`) needs the graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

import numpy as np

from socratic import consult
from socratic.ask import ask
from socratic.capability import Answerer, Detector, Embedder, LikelihoodAnswerer, Writer
from socratic.claims import without
from socratic.clauses import clauses, yes_or_no
from socratic.errors import BadInput, ReplyError, ToolError
from socratic.evidence import Verdict, examine
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.tasks import Ask
from socratic.transcript import Transcript, Value
from socratic.values import Picture, Statement

Method = Literal["clauses", "graph", "likelihood", "cosine"]
STATEMENT = 'Is this true: "{}"?'


@dataclass(frozen=True)
class Checked:
    """One question with what was expected, what came, and why it passed or not; `phrase` are the prompt's words for it."""

    question: str
    expected: str
    answer: str
    passed: bool
    score: float
    evidence: tuple[dict[str, Any], ...] = ()
    disputed: bool = False
    kind: str = "object"
    phrase: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "question": self.question, "expected": self.expected, "answer": self.answer, "passed": self.passed,
            "disputed": self.disputed, "kind": self.kind, "evidence": list(self.evidence),
        }  # fmt: skip


@dataclass(frozen=True)
class Check:
    """How well the picture follows the prompt.

    Attributes:
        score: in [0, 1]: the mean of all questions' scores.
        confirmed: every question passed and no two models differ.
    """

    prompt: str
    score: float
    questions: tuple[Checked, ...]
    transcript: Transcript = field(repr=False, compare=False)

    @property
    def confirmed(self) -> bool:
        return all(q.passed and not q.disputed for q in self.questions)

    @property
    def failed(self) -> tuple[Checked, ...]:
        return tuple(q for q in self.questions if not q.passed or q.disputed)

    def say(self) -> str:
        rows = [f"{'ok' if q.passed and not q.disputed else '??' if q.disputed else 'no'}  {q.question} {q.answer}" for q in self.questions]  # fmt: skip
        return "\n".join([f"{self.score:.2f}", *rows])

    def as_dict(self) -> dict[str, Any]:
        return {"prompt": self.prompt, "score": round(self.score, 4), "questions": [q.as_dict() for q in self.questions]}  # fmt: skip


@recipe
def check(
    picture: Picture,
    *,
    prompt: str,
    method: Method = "clauses",
    threshold: float | None = None,
    exact: bool = False,
    detector: Detector,
    answerer: Answerer,
    embedder: Embedder,
    writer: Writer,
    talk: Transcript,
) -> Check:
    """Checks whether a picture shows what a prompt says.

    Args:
        picture: what was drawn or found.
        prompt: what it should show.
        method: `clauses`, `graph`, `likelihood` or `cosine`.
        threshold: the least score of a detector's box, in [0, 1]; its own when absent.
        exact: whether `a dog` means just one dog.
    """
    if not prompt.strip():
        raise BadInput("there is no prompt to check", hint='give one, e.g. "two cats on a beach"')
    facts = clauses(prompt, exact=exact)
    if method not in get_args(Method):
        raise BadInput(f"there is no method {method!r}", hint=", ".join(get_args(Method)))
    if method == "clauses" and not facts:
        raise BadInput(f"no fact can be read from {prompt!r}", hint="name things, or use the method graph or likelihood")  # fmt: skip
    excluded = [f for f in facts if f.kind == "absent"]
    words = without(prompt)[0] if excluded else prompt
    rows: list[Checked] = []
    if method == "cosine" and words:
        rows = [_by_cosine(picture, words, embedder, talk)]
    elif method == "likelihood" and words:
        rows = [_by_likelihood(picture, words, answerer, talk)]
    elif method == "graph" and words:
        rows = _by_graph(picture, words, answerer, writer, talk)
    looked_for = facts if method == "clauses" else excluded
    verdicts = examine(talk, picture, looked_for, detector, answerer, threshold) if looked_for else ()
    rows += [_row(v, verdicts) for v in verdicts]
    return Check(prompt, sum(r.score for r in rows) / len(rows), tuple(rows), talk)


def _row(verdict: Verdict, verdicts: Sequence[Verdict]) -> Checked:
    """A verdict as a row; a fact about a thing that is not there does not hold either."""
    clause = verdict.clause
    orphan = clause.parent >= 0 and not verdicts[clause.parent].passed
    found = verdict.findings if clause.kind != "colour" else (*verdict.findings, *verdicts[clause.parent].findings[:1])
    evidence = tuple(f.as_dict() for f in found)
    passed, score = verdict.passed and not orphan, 0.0 if orphan else verdict.score
    return Checked(clause.question, clause.expected, verdict.answer, passed, score, evidence, verdict.disputed, clause.kind, clause.claim.phrase if clause.kind == "absent" else clause.claim.text)  # fmt: skip


def _by_graph(picture: Picture, prompt: str, answerer: Answerer, writer: Writer, talk: Transcript) -> list[Checked]:
    lines = ask(talk, writer, load("check.graph"), "questions", wanted=prompt)
    graph = [_parsed(line, number) for number, line in enumerate(lines, start=1)]
    said = consult.answer(talk, answerer, [Ask((picture,), q) for q, _ in graph], [q for q, _ in graph])
    rows: list[Checked] = []
    for (question, parents), reply in zip(graph, said, strict=True):
        heard = yes_or_no(reply.text) if isinstance(reply, Statement) else None
        orphan = any(not rows[p - 1].passed for p in parents)
        sure = (reply.confidence if isinstance(reply, Statement) else None) or 1.0
        score = 0.0 if orphan or heard is None else sure if heard else 1 - sure
        told = reply.text if isinstance(reply, Statement) else reply.message
        note = {"source": "answerer", "said": told, **({"because": "what it depends on failed"} if orphan else {})}
        rows.append(Checked(question, "yes", told, bool(heard) and not orphan, score, (note,)))
    return rows


def _parsed(line: str, number: int) -> tuple[str, tuple[int, ...]]:
    """`Is there a dog? | 1, 2` as a question and the earlier questions that it depends on."""
    question, _, told = line.partition("|")
    parents = [p.strip() for p in told.split(",") if p.strip() and p.strip() not in ("0", "-", "none")]
    if not question.strip().endswith("?") or not all(p.isdecimal() and 0 < int(p) < number for p in parents):
        raise ReplyError(
            f"question {number} of the graph cannot be used", reply=line,
            hint="wanted: a yes-no question, then | and the numbers of earlier questions it depends on",
        )  # fmt: skip
    return question.strip(), tuple(map(int, parents))


def _by_likelihood(picture: Picture, prompt: str, answerer: Answerer, talk: Transcript) -> Checked:
    question = STATEMENT.format(prompt)

    def weigh() -> tuple[Value, dict[str, Any]]:
        if not hasattr(answerer, "answer_likelihood"):
            raise ToolError("this answerer does not tell how likely an answer is", hint="use the method clauses")
        task = Ask((picture,), question)
        yes, no = cast(LikelihoodAnswerer, answerer).answer_likelihood.batch([(task, "yes"), (task, "no")])
        chance = 1 / (1 + math.exp(min(60.0, no - yes)))
        return f"yes: {chance:.0%}", {"probability": chance}

    turn = talk.state("likelihood", answerer.fingerprint, [picture.sha256, question], weigh)
    chance = float(turn.evidence["probability"])
    return Checked(question, "yes", turn.text, chance >= 0.5, chance, ({"source": "answerer", "said": turn.text},))


def _by_cosine(picture: Picture, prompt: str, embedder: Embedder, talk: Transcript) -> Checked:
    def weigh() -> tuple[Value, dict[str, Any]]:
        cosine = float(np.dot(embedder.embed_picture(picture), embedder.embed_text(f"A photo depicts {prompt}")))
        return f"cosine {cosine:.3f}", {"cosine": cosine}

    turn = talk.state("cosine", embedder.fingerprint, [picture.sha256, prompt], weigh)
    score = min(1.0, 2.5 * max(0.0, float(turn.evidence["cosine"])))
    return Checked("How well do the words fit?", "1", turn.text, score >= 0.5, score, ({"source": "embedder", "said": turn.text},))  # fmt: skip
