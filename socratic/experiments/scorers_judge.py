"""A language model as judge: of answers against references, and of two answers against each other, in both orders.

Judges favour what stands first, what is long, and what their own family wrote (Zheng et al. 2023, arXiv:2306.05685).
Both orders take care of the first alone: where they disagree it is a tie, and the rate of that is told. Check a judge
on some answers of your own before you trust it. The pocket writer knows a drawn world only and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from socratic.ask import Question, ask_all
from socratic.capability import Writer
from socratic.errors import BadInput, ModelUnavailable, PromptError, ReplyError, SocraticError
from socratic.experiments import statistics
from socratic.experiments.pairing import Pairs, group_of
from socratic.experiments.scorers import OwnScorer, answer_of, failed, reference
from socratic.experiments.statistics import Estimate
from socratic.experiments.values import Cell, Item, Metric, Results, Trial
from socratic.prompt import Prompt, load
from socratic.recipe import ambient
from socratic.transcript import Transcript
from socratic.workbench import open_profile

OPTIONS = ("the first", "the second", "neither")


@dataclass(frozen=True)
class Judge(OwnScorer):
    """Whether a language model finds that the answer says what the references say.

    Attributes:
        question: the field with what was asked.
        prompt: another prompt file with the same inputs.
        profile: whose writer judges; that of the run when empty.
    """

    question: str = "question"
    prompt: str = ""
    profile: str = ""
    bench: Any = field(default=None, repr=False)

    def _metric(self) -> Metric:
        return Metric("judge", "A language model finds that the answer says what the references say.", binary=True)

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]:
        """1 or 0; None where the judge's reply could not be read, twice."""
        self._check(items)
        told = [t for t in trials if not t.error and self._wanted(items[t.cell.item])]
        asked = [{**self._told(items[t.cell.item]), "answer": answer_of(t, self.of)} for t in told]
        heard = dict(zip((t.cell for t in told), _replies(self._writer(), load(self.prompt or "judge.answer"), asked), strict=True))  # fmt: skip
        return [failed(t, self.metric) if t.error else None if (h := heard.get(t.cell)) is None else float(h) for t in trials]  # fmt: skip

    def _told(self, item: Item) -> dict[str, Any]:
        return {"question": str(reference(item, self.question) or ""), "references": self._wanted(item)}

    def _writer(self) -> Writer:
        return _writer(self.bench, self.profile)


@dataclass(frozen=True)
class Preferred(Judge):
    """Whether a language model prefers the answer to the reference itself: 1, a tie 0.5, else 0; both orders must agree."""

    reference: str = "caption"

    def _metric(self) -> Metric:
        return Metric("preferred", "A language model prefers the answer to the reference: 1; 0.5 for a tie, and where the two orders disagree.")  # fmt: skip

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]:
        """1, 0.5 or 0; None where a reply could not be read."""
        self._check(items)
        told = [t for t in trials if not t.error and self._wanted(items[t.cell.item])]
        rows = [(answer_of(t, self.of), self._wanted(items[t.cell.item])[0], {**self._told(items[t.cell.item]), "references": []}) for t in told]  # fmt: skip
        judged = dict(zip((t.cell for t in told), both_orders(self._writer(), rows, self.prompt), strict=True))
        return [failed(t, self.metric) if t.error else j.score if (j := judged.get(t.cell)) else None for t in trials]


@dataclass(frozen=True)
class Judged:
    """What both orders said of an answer: 1 better, 0 worse, 0.5 neither; `agreed` is whether they said the same."""

    score: float
    agreed: bool


@dataclass(frozen=True)
class Preference:
    """Which of two variants a judge prefers.

    Attributes:
        share: how often the variant is preferred, ties as a half, with its interval; 0.5 is no preference.
        disagreed: the share of pairs in which the two orders disagreed; they count as ties.
        unread: pairs that the judge did not judge in a form that could be read.
        scores: by the variant's cell.
    """

    variant: str
    baseline: str
    share: Estimate
    p: float
    test: str
    wins: int
    losses: int
    ties: int
    disagreed: float
    unread: int
    scores: Mapping[Cell, float]

    def say(self) -> str:
        return (
            f"{self.variant} is preferred to {self.baseline} in {self.share.say()} of cases, p {self.p:.3g} ({self.test}); "
            f"{self.wins} won, {self.losses} lost, {self.ties} tied; the orders disagreed in {self.disagreed:.3f}"
            + (f"; {self.unread} unread" if self.unread else "")
        )

    def as_dict(self) -> dict[str, Any]:
        scores = [{"item": c.item, "repeat": c.repeat, "score": s} for c, s in self.scores.items()]
        return {**vars(self), "share": self.share.as_dict(), "scores": scores}


def prefer(
    results: Results, variant: str, baseline: str = "", *, reference: str = "", question: str = "question", of: str = "",
    prompt: str = "", profile: str = "", bench: Any = None,
) -> Preference:  # fmt: skip
    """Lets a language model choose between the answers of two variants, pair by pair, each pair in both orders.

    Args:
        baseline: that of the run when empty.
        reference: the field with right answers, which the judge then sees; it sees none when empty.
        question, of, prompt, profile: as in `Judge`.

    Raises:
        BadInput: the two variants have no pair in which both answered.
    """
    other = baseline or results.baseline
    pairs = [
        (t, o) for t in results.of(variant)
        if not t.error and (o := results.trials.get(Cell(other, t.cell.item, t.cell.repeat))) and not o.error
    ]  # fmt: skip
    reader = Judge(reference=reference, question=question)
    rows = [(answer_of(t, of), answer_of(o, of), reader._told(results.items[t.cell.item])) for t, o in pairs]
    heard = zip(pairs, both_orders(_writer(bench, profile), rows, prompt), strict=True)
    judged = {t.cell: j for (t, _), j in heard if j is not None}
    if not judged:
        raise BadInput(f"no pair of {variant} and {other} could be judged", hint="run both on the same items, or try another judge")  # fmt: skip
    sums, sizes = _by_group(judged, results.items)
    p, test = statistics.sign_flip((sums - sizes / 2).round(12))
    scores = [j.score for j in judged.values()]
    apart = sum(not j.agreed for j in judged.values()) / len(judged)
    return Preference(
        variant, other, statistics.clustered([sums], sizes)[0], p, test, scores.count(1.0), scores.count(0.0),
        scores.count(0.5), apart, len(pairs) - len(judged), {c: j.score for c, j in judged.items()},
    )  # fmt: skip


def both_orders(
    writer: Writer, rows: Sequence[tuple[str, str, Mapping[str, Any]]], prompt: str = ""
) -> list[Judged | None]:
    """Judges pairs of answers, each in both orders; equal answers tie without being asked about.

    Args:
        rows: the answer, the other one, and what else the prompt takes (`question`, `references`).

    Returns:
        For each row what both orders said, None where a reply could not be read.
    """
    open_rows = [i for i, (one, other, _) in enumerate(rows) if one != other]
    asked = []
    for i in open_rows:
        one, other, told = rows[i]
        asked += [{**told, "first": a, "second": b, "options": list(OPTIONS)} for a, b in ((one, other), (other, one))]
    replies = _replies(writer, load(prompt or "judge.pair"), asked, OPTIONS)
    judged: list[Judged | None] = [Judged(0.5, True)] * len(rows)
    worth = dict(zip(OPTIONS, (1.0, 0.0, 0.5), strict=True))
    for i, first, second in zip(open_rows, replies[::2], replies[1::2], strict=True):
        if first is None or second is None:
            judged[i] = None
            continue
        agreed = worth[first] == 1 - worth[second]
        judged[i] = Judged(worth[first] if agreed else 0.5, agreed)
    return judged


def _replies(writer: Writer, prompt: Prompt, asked: Sequence[Mapping[str, Any]], options: Sequence[str] = ()) -> list[Any]:  # fmt: skip
    """The judge's replies in order, all asked in one batch; None for one that could not be read or asked."""
    sound = [i for i, values in enumerate(asked) if _renders(prompt, values)]
    heard = ask_all(Transcript("judge"), writer, prompt, [Question(f"judged {i}", asked[i]) for i in sound], options=options)  # fmt: skip
    for value in heard:
        if isinstance(value, SocraticError) and not isinstance(value, ReplyError):
            raise value
    read = {i: None if isinstance(v, ReplyError) else v for i, v in zip(sound, heard, strict=True)}
    return [read.get(i) for i in range(len(asked))]


def _renders(prompt: Prompt, values: Mapping[str, Any]) -> bool:
    """Whether the values may stand in the prompt; an answer that tries to open a message may not.

    Raises:
        PromptError: the prompt takes other inputs.
    """
    if unknown := set(values) - set(prompt.header.inputs):
        raise PromptError(f"the judge's prompt {prompt.name} takes no {sorted(unknown)[0]!r}", hint="copy judge.answer or judge.pair and change its words")  # fmt: skip
    try:
        prompt.render(**values)
    except PromptError:
        return False
    return True


def _by_group(judged: Mapping[Cell, Judged], items: Mapping[str, Item]) -> tuple[statistics.Numbers, statistics.Numbers]:  # fmt: skip
    """Sums and sizes by group of the items' mean scores, each of shape (groups,)."""
    scores = {(c.item, c.repeat): (0.5, j.score) for c, j in sorted(judged.items())}
    sums = Pairs(scores, {i: group_of(items.get(i), i) for i, _ in scores}).sums
    return np.asarray(sums.variant), np.asarray(sums.sizes)


def _writer(bench: Any, profile: str) -> Writer:
    chosen = open_profile(profile) if profile else bench or ambient()
    if getattr(chosen, "name", "") == "pocket":
        raise ModelUnavailable("the pocket writer knows a drawn world only and cannot judge", hint="name another profile for the judge, e.g. `{name: judge, profile: small}`")  # fmt: skip
    writer: Writer = chosen.tool("writer")
    return writer
