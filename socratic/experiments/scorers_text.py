"""Scorers that compare words with words: matches, VQA accuracy, CIDEr, BLEU and ROUGE. They see no picture.

Sentences are split by a tokenizer of our own (lower case, words and numbers, marks dropped), since the one that COCO's
evaluation uses needs Java; so compare scores with each other, and with published ones only roughly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socratic.english import NUMBERS
from socratic.experiments.scorers import FieldScorer, OwnScorer, answer_of, failed
from socratic.experiments.values import Item, Metric, Trial

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_MARKS = ';/[]"{}()=+\\_-><@`,?!'
_DIGITS = {
    **{word: str(n) for word, n in NUMBERS.items() if word not in ("no", "eleven", "twelve")},
    "none": "0",
    "zero": "0",
}
_CONTRACTED = (
    "ain't aren't can't couldn't could've didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's i'd've "
    "i'm i've isn't it'd it'll let's ma'am mightn't might've mustn't must've needn't oughtn't she'd've she's shouldn't "
    "should've somebody'd somebody's someone'd someone's something'd something's that's there'd there're there's they'd "
    "they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd where's "
    "where've who'd who'll who's who've why'll why're why's won't would've wouldn't y'all you'd you'll you're you've"
)
_CONTRACTIONS = {c.replace("'", ""): c for c in _CONTRACTED.split()}


def vqa_normal(answer: str) -> str:
    """An answer as VQA compares it (Antol et al. 2015, arXiv:1505.00468, and its evaluation code): lower case, no marks
    and articles, numbers up to ten as digits, contractions with their apostrophe."""
    text = " ".join(answer.split())
    commas = re.search(r"\d,\d", text) is not None
    for mark in (m for m in _MARKS if m in text):
        inner = f"{mark} " not in answer and f" {mark}" not in answer and not commas
        text = text.replace(mark, " " if inner else "")
    words = re.sub(r"(?<!\d)\.|\.(?!\d)", "", text).lower().split()
    plain = [_DIGITS.get(w, w) for w in words if w not in ("a", "an", "the")]
    return " ".join(_CONTRACTIONS.get(w, w) for w in plain)


def tokens(sentence: str) -> str:
    """A sentence as CIDEr, BLEU and ROUGE take it: words in lower case, a space between them."""
    return " ".join(_TOKEN.findall(sentence.lower().replace("’", "'")))


@dataclass(frozen=True)
class Exact(FieldScorer):
    """Whether the answer is one of the references, letter by letter but for blanks at its ends."""

    def _metric(self) -> Metric:
        return Metric("exact", "The answer is one of the references, letter by letter.", binary=True)

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        return float(answer_of(trial, self.of).strip() in [w.strip() for w in wanted])


@dataclass(frozen=True)
class Match(FieldScorer):
    """Whether the answer is one of the references after VQA's normalisation (Antol et al. 2015)."""

    def _metric(self) -> Metric:
        return Metric(
            "match",
            "The answer is one of the references, but for capitals, marks, articles and number words.",
            binary=True,
        )

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        return float(vqa_normal(answer_of(trial, self.of)) in map(vqa_normal, wanted))


@dataclass(frozen=True)
class Contains(FieldScorer):
    """Whether one of the references stands in the answer, as whole words after VQA's normalisation."""

    def _metric(self) -> Metric:
        return Metric("contains", "One of the references stands in the answer, as whole words.", binary=True)

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        said = f" {vqa_normal(answer_of(trial, self.of))} "
        return float(any(f" {vqa_normal(w)} " in said for w in wanted if vqa_normal(w)))


@dataclass(frozen=True)
class Vqa(FieldScorer):
    """VQA accuracy against the answers of several people (Antol et al. 2015), ten or fewer."""

    def _metric(self) -> Metric:
        return Metric("vqa", "How many people gave this answer: 1 for three or more, each left out once.")

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        return vqa_accuracy(answer_of(trial, self.of), wanted)


def vqa_accuracy(answer: str, people: Sequence[str]) -> float:
    """min(agreeing / 3, 1), averaged over leaving out each of the people.

    With fewer than four people all that are left must agree for a 1, and a single one is simply matched; COCO's code
    has ten and does not say.
    """
    said, given = vqa_normal(answer), [vqa_normal(p) for p in people]
    agree = given.count(said)
    if len(given) == 1:
        return float(agree)
    need = min(3, len(given) - 1)
    left_out = [min(1.0, (agree - (g == said)) / need) for g in given]
    return sum(left_out) / len(left_out)


@dataclass(frozen=True)
class Cider(OwnScorer):
    """CIDEr-D (Vedantam et al. 2015), of COCO's own code; words weigh by how rare they are in the experiment's references."""

    reference: str = "caption"

    def _metric(self) -> Metric:
        return Metric("cider", "How much a caption shares with the references, rare words counting more.", most=10.0)

    def score(self, trials: Sequence[Trial], items: Mapping[str, Item], /) -> list[float | None]:
        """Scores in [0, 10]; None for all where fewer than two items have references, since no word is rarer then."""
        self._check(items)
        known = {key: list(map(tokens, found)) for key, item in items.items() if (found := self._wanted(item))}  # fmt: skip
        if len(known) < 2:
            return [None] * len(trials)
        told = [t for t in trials if t.cell.item in known and not t.error]
        rows = [(tokens(answer_of(t, self.of)), known[t.cell.item]) for t in told]
        scored = dict(zip((t.cell for t in told), _cider(rows, list(known.values())), strict=True))
        return [
            scored.get(t.cell, failed(t, self.metric) if t.error and t.cell.item in known else None) for t in trials
        ]


def _cider(rows: Sequence[tuple[str, list[str]]], known: Sequence[list[str]]) -> list[float]:
    """The scores of captions with their references; how rare a word is does not depend on which captions come along."""
    from pycocoevalcap.cider.cider_scorer import CiderScorer

    counted = CiderScorer()
    for references in known:
        counted += ("", references)
    counted.compute_doc_freq()
    scores: list[float] = []
    for first in range(0, len(rows), len(known)):
        part = CiderScorer()
        part.document_frequency = counted.document_frequency
        some = list(rows[first : first + len(known)])
        for said, references in [*some, *[("", [""])] * (len(known) - len(some))]:  # it takes its rows for the corpus
            part += (said, references)
        scores += [float(s) for s in part.compute_cider()[: len(some)]]
    return scores


@dataclass(frozen=True)
class Bleu(FieldScorer):
    """BLEU-4 of each sentence (Papineni et al. 2002), of COCO's own code; its mean is not the BLEU of the whole set."""

    reference: str = "caption"

    def _metric(self) -> Metric:
        return Metric("bleu", "The share of runs of one to four words that a reference has too.")

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        from pycocoevalcap.bleu.bleu_scorer import BleuScorer

        scorer = BleuScorer(n=4)
        scorer += (tokens(answer_of(trial, self.of)), list(map(tokens, wanted)))
        return min(1.0, float(scorer.compute_score(option="closest", verbose=0)[1][3][0]))


@dataclass(frozen=True)
class Rouge(FieldScorer):
    """ROUGE-L (Lin 2004), of COCO's own code: the longest run of words, with gaps, that a reference shares."""

    reference: str = "caption"

    def _metric(self) -> Metric:
        return Metric("rouge", "The longest sequence of words that the caption shares with a reference.")

    def _score(self, trial: Trial, wanted: Any) -> float | None:
        from pycocoevalcap.rouge.rouge import Rouge as RougeL

        return float(RougeL().calc_score([tokens(answer_of(trial, self.of))], list(map(tokens, wanted))))
