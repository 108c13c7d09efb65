"""Captions a picture by letting CLIP and a language model talk: Socratic Models, Zeng et al. 2022 (arXiv:2204.00598).

1. CLIP names the image type, the amount, the places and the objects. Synonym exclusion walks down the objects as in the
   open replication of the paper's captioner.
2. With `examples`, the captioned pictures that look most like this one are the shots of the paper's k-shot captions:
   each with what CLIP finds in it, so that the writer sees which findings became which words.
3. A writer that sees nothing proposes captions, all in one batch.
4. CLIP judges them against the picture, and the best one is the answer.
With `method="direct"` a captioning model speaks alone.

Limits: what the word lists do not name, nobody can tell; CLIP knows little of numbers and of left and right, so the best
caption may have them wrong (`caption_verified` corrects it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

from socratic import consult
from socratic.ask import Question, ask_all
from socratic.capability import Captioner, Embedder, Writer
from socratic.errors import BadInput, SocraticError
from socratic.examples import nearest, read_examples
from socratic.eyes import Eyes
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.tasks import Describe
from socratic.transcript import Transcript, Value
from socratic.values import Picture
from socratic.vocabulary import load_words

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
    examples: str = "",
    k_shots: int = 3,
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
        examples: a folder or JSON-lines file of captioned pictures, of which the nearest become shots.
        k_shots: how many of them.
        temperature: how freely the writer samples; the prompt's hint when absent.
        seed: makes the sampling repeatable.
        prompt: the name or file of the writing prompt.
    """
    if n < 1:
        raise BadInput(f"n must be at least 1, not {n}")
    if method == "direct":
        return _direct(picture, captioner, talk)
    if k_shots < 1:
        raise BadInput(f"k_shots must be at least 1, not {k_shots}", hint="leave the examples out for none")
    place_names, object_names = load_words(places or _shipped("places")), load_words(objects or _shipped("objects"))
    words = _Words(tuple(amounts), place_names, object_names, k_places, k_objects, at_least, synonyms)
    eyes = Eyes(embedder, picture, talk)
    values = {**words.found(eyes), "shots": list(shots)}
    if examples:
        values["shots"] += _nearest_shots(eyes, words, examples, k_shots)
    questions = [Question(f"proposal {i + 1}", values, seed=seed * 1000 + i) for i in range(n)]
    proposals = ask_all(talk, writer, load(prompt), questions, temperature=temperature)
    candidates = _judged(eyes, proposals)
    return Caption(candidates[0].text, candidates[0].score or 0.0, candidates, talk)


def _direct(picture: Picture, captioner: Captioner, talk: Transcript) -> Caption:
    said = consult.raised(consult.describe(talk, captioner, [Describe(picture)], ["caption"])[0])
    score = said.confidence or 0.0
    return Caption(said.text, score, (Candidate(said.text, score),), talk)


@dataclass(frozen=True)
class _Words:
    """What can be said of a picture, and how much of it is told."""

    amounts: tuple[str, ...]
    places: tuple[str, ...]
    objects: tuple[str, ...]
    k_places: int
    k_objects: int
    at_least: float
    synonyms: float

    def found(self, eyes: Eyes) -> dict[str, Any]:
        """What the embedder says of the picture, as the writing prompt wants it."""
        return {
            "image_type": eyes.one("image type", IMAGE_TYPES, "This is a {}."),
            "amount": eyes.one("amount", self.amounts, "{}"),
            "places": eyes.some("places", self.places, "Photo of a {}.", self.k_places, self.at_least),
            "objects": eyes.some(
                "objects", self.objects, "Photo of a {}.", self.k_objects, self.at_least, self.synonyms
            ),  # fmt: skip
        }


def _nearest_shots(eyes: Eyes, words: _Words, source: str, k: int) -> list[dict[str, str]]:
    """The captioned pictures that look most like this one: what is found in each, and its caption. The nearest last."""
    examples = read_examples(source)

    def look() -> tuple[Value, Mapping[str, Any]]:
        near = nearest(eyes.embedder, eyes.picture, eyes.seen, examples, k)[::-1]
        unheard = [Eyes(eyes.embedder, eyes.picture, Transcript(), n.vector) for n in near]
        rows = [
            {"image": n.example.path, "cosine": round(n.cosine, 4), "findings": told(words.found(e))}
            for n, e in zip(near, unheard, strict=True)
        ]
        return [n.example.caption for n in near], {"shots": rows}

    known = tuple((e.path, e.caption) for e in examples)
    turn = eyes.talk.state("shots", eyes.embedder.fingerprint, [eyes.picture.sha256, known, k, words], look)
    captions, rows = list(turn.value), turn.evidence["shots"]
    if not rows:
        raise BadInput(f"{source} holds no picture but this one", hint="add others, or leave the shots out")
    if len(captions) != len(rows):
        raise BadInput(f"there are {len(rows)} shots, and {len(captions)} captions for them", hint="edit the words of the captions, one per line")  # fmt: skip
    return [{"findings": row["findings"], "caption": said} for row, said in zip(rows, captions, strict=True)]


def told(found: Mapping[str, Any]) -> str:
    """What was found in a picture, in the words of the writing prompt."""
    places, objects = ", ".join(found["places"]), ", ".join(found["objects"])
    return (
        f"This picture is a {found['image_type']}. {found['amount']}\n"
        f"It may have been taken at one of these places: {places}.\nIt may show: {objects}."
    )


def _judged(eyes: Eyes, proposals: Sequence[str | SocraticError]) -> tuple[Candidate, ...]:
    """The proposals by their cosine with the picture; then those that could not be judged."""
    readable, rejected = _sorted_out(proposals)
    if not readable:
        raise next(p for p in proposals if isinstance(p, SocraticError))
    turn = eyes.judge("judgement", readable)
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
