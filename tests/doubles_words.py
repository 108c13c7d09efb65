"""An embedder for tests of words: texts fit the one picture as well as they are told to, and noise hardly at all."""

from __future__ import annotations

from collections.abc import Mapping

from doubles import ScriptedEmbedder

from socratic.values import Picture


def fitting(cosines: Mapping[str, float], *pictures: Picture) -> ScriptedEmbedder:
    """An embedder in which each text has the given cosine with each of the pictures; other texts are random."""

    def at(cosine: float) -> list[float]:
        return [cosine, float((1 - cosine**2) ** 0.5), *([0.0] * 62)]

    texts = {text: at(cosine) for text, cosine in cosines.items()}
    return ScriptedEmbedder(texts, {p.sha256: at(1.0) for p in pictures}, dimension=64)
