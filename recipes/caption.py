"""Captions a picture by letting CLIP and a language model talk: Socratic Models, Zeng et al. 2022 (arXiv:2204.00598).

CLIP names the image type, the amount, the places and the objects; a writer that sees nothing proposes
captions; CLIP judges them against the picture. With `method="direct"` a captioning model speaks alone. Synonym exclusion walks down the objects as in the open
replication of the paper's captioner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from socratic import consult
from socratic.ask import Question, ask_all
from socratic.capability import Captioner, Embedder, Writer
from socratic.errors import BadInput, SocraticError
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.tasks import Describe
from socratic.transcript import Transcript, Value
from socratic.values import Picture, Ranking, Vector
from socratic.vocabulary import load_words, rank, without_synonyms

IMAGE_TYPES = ("photo", "cartoon", "sketch", "painting")
PEOPLE = (
    "There are no people in this photo.",
    "There is one person in this photo.",
    "There are two people in this photo.",
    "There are three people in this photo.",
    "There are several people in this photo.",
    "There are many people in this photo.",
)


@dataclass(frozen=True)
class Candidate:
    """One proposed caption: its cosine with the picture, or why it was not judged."""

    text: str
    score: float | None = None
    rejected: str = ""


@dataclass(frozen=True)
class Caption:
    """The caption that the judge likes best, and all that were proposed, best first."""

    text: str
    score: float
    candidates: tuple[Candidate, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        rows = [{"text": c.text, "score": c.score, "rejected": c.rejected or None} for c in self.candidates]
        return {"text": self.text, "candidates": rows}


@recipe
def caption(
    picture: Picture,
    *,
    method: Literal["socratic", "direct"] = "socratic",
    n: int = 10,
    objects: str = "",
    places: str = "",
    amounts: Sequence[str] = PEOPLE,
    k_objects: int = 10,
    k_places: int = 3,
    at_least: float = 0.0,
    synonyms: float = 0.8,
    shots: Sequence[Mapping[str, str]] = (),
    temperature: float | None = None,
    seed: int = 0,
    prompt: str = "caption.write",
    embedder: Embedder,
    writer: Writer,
    captioner: Captioner,
    talk: Transcript,
) -> Caption:
    """Writes one caption for a picture.

    Args:
        picture: what to describe.
        method: `socratic`, or `direct`: a captioning model says its likeliest caption and nobody else is asked.
        n: how many captions the writer proposes.
        objects: a file with object names, one per line; a general list when empty.
        places: a file with place names, one per line; a general list when empty.
        amounts: sentences about how many there are, from which the picture chooses one.
        k_objects: the most objects that the writer hears of.
        k_places: the most places that the writer hears of.
        at_least: the probability that a place or object needs to be mentioned (the best one always is).
        synonyms: the highest text-text cosine between two mentioned objects; 1 keeps synonyms.
        shots: examples to follow (k-shot), each with `findings` and `caption`.
        temperature: how freely the writer samples; the prompt's hint when absent.
        seed: makes the sampling repeatable.
        prompt: the name or file of the writing prompt.
    """
    if n < 1:
        raise BadInput(f"n must be at least 1, not {n}")
    if method == "direct":
        return _direct(picture, captioner, talk)
    eyes = _Eyes(embedder, picture, talk)
    image_type = eyes.one("image type", IMAGE_TYPES, "This is a {}.")
    amount = eyes.one("amount", tuple(amounts), "{}")
    place_names = eyes.some("places", load_words(places or _shipped("places")), "Photo of a {}.", k_places, at_least)
    names = load_words(objects or _shipped("objects"))
    found = eyes.some("objects", names, "Photo of a {}.", k_objects, at_least, synonyms)
    values = {"image_type": image_type, "amount": amount, "places": place_names, "objects": found, "shots": list(shots)}
    questions = [Question(f"proposal {i + 1}", values, seed=seed * 1000 + i) for i in range(n)]
    proposals = ask_all(talk, writer, load(prompt), questions, temperature=temperature)
    candidates = _judged(eyes, proposals)
    return Caption(candidates[0].text, candidates[0].score or 0.0, candidates, talk)


def _direct(picture: Picture, captioner: Captioner, talk: Transcript) -> Caption:
    said = consult.raised(consult.describe(talk, captioner, [Describe(picture)], ["caption"])[0])
    score = said.confidence or 0.0
    return Caption(said.text, score, (Candidate(said.text, score),), talk)


class _Eyes:
    """The embedder's statements about one picture, which it encodes only if some statement is not known yet."""

    def __init__(self, embedder: Embedder, picture: Picture, talk: Transcript) -> None:
        self.embedder, self.picture, self.talk = embedder, picture, talk
        self._seen: Vector | None = None

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
            return ranking.best, _evidence(ranking, 6)

        return self.talk.state(name, self.embedder.fingerprint, [self.picture.sha256, labels, template], look).text

    def some(
        self, name: str, labels: Sequence[str], template: str, k: int, at_least: float, synonyms: float = 1.0
    ) -> list[str]:
        """The likeliest labels, best first, without near synonyms."""

        def look() -> tuple[Value, Mapping[str, Any]]:
            ranking = rank(self.embedder, self.seen, labels, template)
            likely = ranking.top(10 * k, at_least)
            kept = without_synonyms(self.embedder, likely, template, synonyms) if synonyms < 1 else likely
            return kept[:k], _evidence(ranking, max(k, len(likely)))

        made_from = [self.picture.sha256, labels, template, k, at_least, synonyms]
        return list(self.talk.state(name, self.embedder.fingerprint, made_from, look).value)


def _evidence(ranking: Ranking, k: int) -> dict[str, Any]:
    rows = zip(ranking.labels[:k], ranking.probabilities, ranking.scores, strict=False)
    return {label: {"probability": round(p, 4), "cosine": round(s, 4)} for label, p, s in rows}


def _judged(eyes: _Eyes, proposals: Sequence[str | SocraticError]) -> tuple[Candidate, ...]:
    """The proposals by their cosine with the picture; then those that could not be judged."""
    readable, rejected = _sorted_out(proposals)
    if not readable:
        raise next(p for p in proposals if isinstance(p, SocraticError))

    def judge() -> tuple[Value, Mapping[str, Any]]:
        vectors = dict(zip(readable, eyes.embedder.embed_text.each(readable), strict=True))
        errors = {text: v.message for text, v in vectors.items() if isinstance(v, SocraticError)}
        cosines = {
            text: round(float(np.dot(v, eyes.seen)), 5)
            for text, v in vectors.items()
            if not isinstance(v, SocraticError)
        }
        if not cosines:
            raise BadInput("none of the proposed captions can be judged", hint=next(iter(errors.values())))
        return max(cosines, key=lambda t: cosines[t]), {"cosine": cosines, "rejected": errors}

    turn = eyes.talk.state("judgement", eyes.embedder.fingerprint, [eyes.picture.sha256, tuple(readable)], judge)
    cosines: dict[str, float] = dict(turn.evidence["cosine"])
    losers = sorted((t for t in cosines if t != turn.text), key=lambda t: -cosines[t])
    unjudged = [Candidate(t, rejected=why) for t, why in turn.evidence["rejected"].items()]
    return (*(Candidate(t, cosines.get(t)) for t in (turn.text, *losers)), *unjudged, *rejected)


def _sorted_out(proposals: Sequence[str | SocraticError]) -> tuple[list[str], list[Candidate]]:
    """Proposals worth judging, and the others with the reason."""
    readable: dict[str, str] = {}
    rejected: list[Candidate] = []
    for proposal in proposals:
        if isinstance(proposal, SocraticError):
            rejected.append(Candidate(getattr(proposal, "reply", ""), rejected=proposal.message))
        elif (plain := proposal.lower().strip(" .!\"'")) in readable:
            rejected.append(Candidate(proposal, rejected="a repeat"))
        else:
            readable[plain] = proposal
    return list(readable.values()), rejected


def _shipped(name: str) -> str:
    return str(files("socratic.recipes").joinpath(f"caption.{name}.txt"))
