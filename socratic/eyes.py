"""What an embedder says of one picture: the labels that fit it, and how well texts fit it, each a turn.

The picture is encoded once, and only if some statement is not known yet. Writes no text and judges by cosine alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from socratic.capability import Embedder
from socratic.descriptors import noise
from socratic.errors import BadInput, SocraticError
from socratic.transcript import Transcript, Turn, Value
from socratic.values import Picture, Ranking, Vector
from socratic.vocabulary import filled, rank, text_matrix, without_synonyms

NEUTRAL_PAIRS = 128  # twice as many texts: pairs of words and pairs of random letters


class Eyes:
    """An embedder that looks at one picture, whose vector may be known already."""

    def __init__(self, embedder: Embedder, picture: Picture, talk: Transcript, seen: Vector | None = None) -> None:
        self.embedder, self.picture, self.talk = embedder, picture, talk
        self._seen = seen

    @property
    def seen(self) -> Vector:
        """The picture's vector. Not a `cached_property`: in Python 3.11 all threads share its lock, and wait for ever."""
        if self._seen is None:
            self._seen = self.embedder.embed_picture(self.picture)
        return self._seen

    def one(self, name: str, labels: Sequence[str], template: str) -> str:
        """The label that fits the picture best."""

        def look() -> tuple[Value, Mapping[str, Any]]:
            ranking = rank(self.embedder, self.seen, labels, template)
            return ranking.best, evidence(ranking, 6)

        return self.talk.state(name, self.embedder.fingerprint, [self.picture.sha256, labels, template], look).text

    def some(
        self, name: str, labels: Sequence[str], template: str, k: int, at_least: float, synonyms: float = 1.0
    ) -> list[str]:
        """The likeliest labels, best first, without near synonyms."""

        def look() -> tuple[Value, Mapping[str, Any]]:
            ranking = rank(self.embedder, self.seen, labels, template)
            likely = ranking.top(10 * k, at_least)
            kept = without_synonyms(self.embedder, likely, template, synonyms) if synonyms < 1 else likely
            return kept[:k], evidence(ranking, max(k, len(likely)))

        made_from = [self.picture.sha256, labels, template, k, at_least, synonyms]
        return list(self.talk.state(name, self.embedder.fingerprint, made_from, look).value)

    def judge(self, name: str, texts: Sequence[str]) -> Turn:
        """Says which text fits best; its evidence holds the `cosine` of each, and why some are `rejected`.

        Raises:
            BadInput: none of the texts can be embedded.
        """

        def look() -> tuple[Value, Mapping[str, Any]]:
            vectors = dict(zip(texts, self.embedder.embed_text.each(texts), strict=True))
            errors = {text: v.message for text, v in vectors.items() if isinstance(v, SocraticError)}
            cosines = {
                text: round(float(np.dot(v, self.seen)), 5)
                for text, v in vectors.items()
                if not isinstance(v, SocraticError)
            }
            if not cosines:
                raise BadInput("none of the texts can be judged", hint=next(iter(errors.values()), "give some"))
            return max(cosines, key=lambda t: cosines[t]), {"cosine": cosines, "rejected": errors}

        return self.talk.state(name, self.embedder.fingerprint, [self.picture.sha256, tuple(texts)], look)

    def above_neutral(
        self, name: str, texts: Sequence[str], template: str, percentile: float = 99.0
    ) -> tuple[dict[str, float], float]:
        """The cosine of each text put into the template, and the level that a text must exceed to mean anything."""

        def look() -> tuple[Value, Mapping[str, Any]]:
            level = neutral_level(self.embedder, self.seen, template, percentile)
            rows = text_matrix(self.embedder, [filled(template, t) for t in texts]) @ self.seen
            cosines = {t: round(float(c), 5) for t, c in zip(texts, rows, strict=True)}
            above = [t for t in sorted(texts, key=lambda t: -cosines[t]) if cosines[t] > level]
            return above or "nothing above neutral texts", {"cosine": cosines, "neutral": round(level, 5)}

        made_from = [self.picture.sha256, tuple(texts), template, percentile]
        turn = self.talk.state(name, self.embedder.fingerprint, made_from, look)
        if turn.origin == "edited":
            raise BadInput(f"the turn {name!r} cannot be edited: it is numbers", hint="edit the texts that it judges")
        return dict(turn.evidence["cosine"]), float(turn.evidence["neutral"])


def neutral_level(embedder: Embedder, seen: Vector, template: str = "{}", percentile: float = 99.0) -> float:
    """The cosine that few texts without meaning reach with this picture: what a text needs to say something.

    Absolute thresholds do not transfer between towers; this one is measured on the tower and the picture at hand,
    with the same template around the neutral words as around the others.
    """
    if not 0 < percentile <= 100:
        raise BadInput(f"a percentile lies in (0, 100], not {percentile:g}")
    neutral = text_matrix(embedder, [filled(template, words) for words in noise(0, NEUTRAL_PAIRS)])
    return float(np.percentile(neutral @ seen, percentile))


def evidence(ranking: Ranking, k: int) -> dict[str, Any]:
    """The first k labels with their numbers, as a turn keeps them."""
    rows = zip(ranking.labels[:k], ranking.probabilities, ranking.scores, strict=False)
    return {label: {"probability": round(p, 4), "cosine": round(s, 4)} for label, p, s in rows}
