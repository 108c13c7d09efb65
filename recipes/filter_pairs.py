"""Keeps, replaces or drops what a data set says of a picture: CapFilt of BLIP, Li et al. 2022 (arXiv:2201.12086).

1. A filter judges whether the text fits its picture: a matcher (image-text matching, as in the paper), or an embedder;
   then a score is the share of other texts of the data set that fit this picture worse, since a cosine means another
   thing for each tower. A text that fits is kept.
2. Else a captioner says what it sees, and the same filter judges that: it replaces the text, or the pair is dropped.
Files are never touched; the verdict is a value.

Limits: a filter cannot tell names, places and dates that no picture shows, so texts that are true and specific may be
replaced by plain ones (`recaption` with `method="fused"` keeps them). An embedder counts words more than order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

from socratic import consult
from socratic.capability import Captioner, Embedder, Matcher
from socratic.errors import BadInput
from socratic.eyes import Eyes
from socratic.pairs import Pair
from socratic.recipe import recipe
from socratic.tasks import Describe, Match
from socratic.transcript import Transcript
from socratic.vocabulary import filled, load_words

LEAST_OTHERS = 8
DEFAULTS = {"embedder": 0.9, "matcher": 0.5}
Decision = Literal["keep", "replace", "drop"]


@dataclass(frozen=True)
class Verdict:
    """What becomes of a pair.

    Attributes:
        text: what now stands for the picture; empty where the pair is dropped.
        score: that of the data set's own text; `new_score` that of what the captioner saw, where it was asked.
    """

    decision: Decision
    text: str
    score: float
    seen: str
    new_score: float | None
    why: str
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return f"{self.decision}: {self.text or self.why}"

    def as_dict(self) -> dict[str, Any]:
        return {"decision": self.decision, "text": self.text, "score": self.score, "seen": self.seen or None, "new_score": self.new_score, "why": self.why}  # fmt: skip


@recipe
def filter_pairs(
    pair: Pair,
    *,
    by: Literal["embedder", "matcher"] = "embedder",
    at_least: float | None = None,
    others: Sequence[str] = (),
    replace: bool = True,
    embedder: Embedder,
    matcher: Matcher,
    captioner: Captioner,
    talk: Transcript,
) -> Verdict:
    """Decides whether a picture's text fits it, and what to say instead.

    Args:
        pair: a picture and its text.
        by: who judges: `embedder`, or `matcher` (a model of image-text matching).
        at_least: the score in [0, 1] that a text needs; 0.9 of other texts beaten, or a probability of 0.5, when absent.
        others: texts of other pictures of the data set, for the embedder; plain names of things when there are few.
        replace: whether a caption may take the place of a text that does not fit.
    """
    if by not in DEFAULTS:
        raise BadInput(f"there is no judge {by!r}", hint="embedder or matcher")
    least = DEFAULTS[by] if at_least is None else at_least
    if not pair.text.strip() or not 0 <= least <= 1:
        raise BadInput("there is no text to judge, or at_least lies outside [0, 1]", hint="recaption writes new texts")
    eyes = Eyes(embedder, pair.picture, talk)
    rivals = _rivals(others)

    def score(name: str, text: str) -> float:
        if by == "matcher":
            return consult.match(talk, matcher, [Match(pair.picture, text)], name)[0]
        return _beaten(eyes, name, text, rivals)

    old = score("match", pair.text)
    if old >= least:
        return Verdict("keep", pair.text, old, "", None, f"it fits ({old:.0%})", talk)
    if not replace:
        return Verdict("drop", "", old, "", None, f"it does not fit ({old:.0%})", talk)
    seen = consult.raised(consult.describe(talk, captioner, [Describe(pair.picture)], ["caption"])[0]).text
    new = score("match of the caption", seen)
    if new >= least and new > old:
        return Verdict("replace", seen, old, seen, new, f"the caption fits ({new:.0%}), the text did not ({old:.0%})", talk)  # fmt: skip
    return Verdict("drop", "", old, seen, new, f"neither the text fits ({old:.0%}) nor the caption ({new:.0%})", talk)


def _beaten(eyes: Eyes, name: str, text: str, rivals: Sequence[str]) -> float:
    """The share of other texts that fit the picture worse; a tie counts half."""
    turn = eyes.judge(name, [text, *(r for r in rivals if r.lower() != text.lower())])
    if turn.origin == "edited":
        raise BadInput(f"the turn {name!r} cannot be edited: it is numbers", hint="edit the caption instead")
    cosines = dict(turn.evidence["cosine"])
    if text not in cosines:
        raise BadInput(f"the text cannot be judged: {turn.evidence['rejected'][text]}", hint="shorten it, or use a matcher")  # fmt: skip
    own = float(cosines.pop(text))
    beaten = sum((other < own) + 0.5 * (other == own) for other in cosines.values())
    return round(float(beaten) / max(1, len(cosines)), 4)


def _rivals(others: Sequence[str]) -> list[str]:
    """The other texts; where they are few, names of things, as many as make a scale."""
    given = list(dict.fromkeys(text for text in others if text.strip()))
    if len(given) >= LEAST_OTHERS:
        return given
    names = load_words(str(files("socratic.recipes").joinpath("caption.objects.txt")))
    return given + [filled("a photo of a {}", name) for name in names[:: max(1, len(names) // 64)]]
