"""Tells in words what a picture shows, for a language model to go on with: LENS, Berrios et al. 2023 (arXiv:2306.16410).

1. Tags: names that the embedder finds in the picture. A name counts if it fits better than nearly all texts without
   meaning do, a level that is measured on the embedder at hand (LENS compares with 0.2, which fits one model only).
2. Attributes: what things of these names look like, as a file or the writer tells, where the picture shows it. They
   are kept apart from tags, and a tag is never one.
3. Captions: the captioner's likeliest sentence and sampled others, each once.
4. One of four layouts puts them into a prompt, with a question behind it if there is one. Only what the layout tells
   is asked for.

Limits: it answers nothing itself, and what the vocabulary does not name becomes no tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

from socratic import consult
from socratic.ask import Question, ask_all
from socratic.capability import Captioner, Embedder, Writer
from socratic.doubt import doubtful
from socratic.errors import BadInput, SocraticError
from socratic.eyes import Eyes
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.tasks import Describe
from socratic.transcript import Transcript
from socratic.values import Picture
from socratic.vocabulary import load_words

Layout = Literal["captions", "words", "brief", "all"]
_PARTS: Mapping[str, tuple[str, ...]] = {"captions": ("captions",), "words": ("tags",), "brief": ("tags", "captions"), "all": ("tags", "captions")}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A tag or an attribute, and its cosine with the picture."""

    text: str
    score: float

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "score": round(self.score, 4)}


@dataclass(frozen=True)
class Description:
    """What is there, what it looks like, and captions; and `text`, the layout that a language model reads."""

    text: str
    layout: Layout
    tags: tuple[Said, ...]
    attributes: tuple[Said, ...]
    captions: tuple[str, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        tags, attributes = ([s.as_dict() for s in part] for part in (self.tags, self.attributes))
        return {"text": self.text, "layout": self.layout, "tags": tags, "attributes": attributes, "captions": list(self.captions)}  # fmt: skip


@recipe
def describe(
    picture: Picture,
    *,
    layout: Layout = "all",
    question: str = "",
    objects: str = "",
    descriptors: Mapping[str, Sequence[str]] | None = None,
    k_tags: int = 5,
    k_attributes: int = 5,
    n: int = 3,
    percentile: float = 99.0,
    temperature: float = 0.7,
    seed: int = 0,
    embedder: Embedder,
    captioner: Captioner,
    writer: Writer,
    talk: Transcript,
) -> Description:
    """Describes a picture in words that a language model can use.

    Args:
        picture: what to describe.
        layout: `captions`; `words`, which are tags and attributes; `brief`, with one caption, in a line; or `all`.
        question: what the language model is to answer; none when empty.
        objects: a file with the names that may become tags, one per line; a general list when empty.
        descriptors: what things look like, by name; names that are not there have no attributes. The writer's when absent.
        k_tags: the most tags.
        k_attributes: the most attributes.
        n: how many captions are asked for; equal ones are told once.
        percentile: of texts without meaning, how many a tag or an attribute must exceed.
        temperature: how freely all captions but the first are sampled.
        seed: makes the sampling repeatable.
    """
    if layout not in _PARTS:
        raise BadInput(f"there is no layout {layout!r}", hint=f"one of {', '.join(_PARTS)}")
    if min(k_tags, k_attributes, n) < 1:
        raise BadInput("k_tags, k_attributes and n must be at least 1")
    tags: tuple[Said, ...] = ()
    attributes: tuple[Said, ...] = ()
    captions: tuple[str, ...] = ()
    if "tags" in _PARTS[layout]:
        eyes, names = Eyes(embedder, picture, talk), load_words(objects or _shipped("objects"))
        tags = _shown(eyes, "tags", names, "Photo of a {}.", k_tags, percentile)
        looks = _looks(talk, writer, [t.text for t in tags], descriptors)
        attributes = _shown(eyes, "attributes", looks, "{}", k_attributes, percentile)
    if "captions" in _PARTS[layout]:
        captions = _captions(talk, captioner, picture, 1 if layout == "brief" else n, temperature, seed)
    return Description(
        _laid_out(layout, tags, attributes, captions, question), layout, tags, attributes, captions, talk
    )


def _shown(eyes: Eyes, name: str, texts: Sequence[str], template: str, k: int, percentile: float) -> tuple[Said, ...]:
    """The texts that mean something in this picture, the surest first."""
    if not texts:
        return ()
    cosines, level = eyes.above_neutral(name, texts, template, percentile)
    above = sorted(((c, t) for t, c in cosines.items() if c > level), key=lambda pair: -pair[0])
    return tuple(Said(text, score) for score, text in above[:k])


def _looks(talk: Transcript, writer: Writer, tags: Sequence[str], given: Mapping[str, Sequence[str]] | None) -> list[str]:  # fmt: skip
    """What things of these names look like, each once, without names among it."""
    if given is None:
        asked = [Question(f"descriptors of {tag}", {"category": tag}) for tag in tags]
        told = ask_all(talk, writer, load("classify.descriptors"), asked) if asked else []
        for answer in told:
            if isinstance(answer, SocraticError):
                raise answer
    else:
        told = [given.get(tag, ()) for tag in tags]
    names = {name.lower() for name in tags}
    phrases = dict.fromkeys(_phrase(line) for lines in told for line in lines)
    return [p for p in phrases if p and p.lower() not in names and _phrase(_without_article(p)).lower() not in names]


def _phrase(descriptor: str) -> str:
    """`is a pink bird.` -> `a pink bird`: as it stands in a list."""
    words = descriptor.strip().rstrip(".").split()
    return " ".join(words[1:] if words and words[0].lower() in ("is", "are", "has", "have") else words)


def _without_article(phrase: str) -> str:
    first, _, rest = phrase.partition(" ")
    return rest if first.lower() in ("a", "an", "the") else phrase


def _captions(talk: Transcript, captioner: Captioner, picture: Picture, n: int, heat: float, seed: int) -> tuple[str, ...]:  # fmt: skip
    """The likeliest caption and sampled ones, in one batch; equal ones and those that say nothing are left out."""
    asked = [Describe(picture), *(Describe(picture, temperature=heat, seed=seed, repeat=i) for i in range(1, n))]
    said = consult.describe(talk, captioner, asked, [f"caption {i + 1}" for i in range(n)])
    kept: dict[str, str] = {}
    for statement in said:
        if not isinstance(statement, SocraticError) and not doubtful(statement):
            kept.setdefault(statement.text.lower().strip(" ."), statement.text.strip())
    if not kept and isinstance(said[0], SocraticError):
        raise said[0]
    return tuple(kept.values())


def _laid_out(layout: str, tags: Sequence[Said], attributes: Sequence[Said], captions: Sequence[str], question: str) -> str:  # fmt: skip
    """What a language model is told, in the words of the layout's prompt."""
    prompt = load(f"describe.{layout}")
    known = {
        "tags": [t.text for t in tags], "attributes": [a.text for a in attributes], "captions": list(captions),
        "caption": captions[0] if captions else "", "question": question,
    }  # fmt: skip
    values: dict[str, Any] = {name: value for name, value in known.items() if name in prompt.header.inputs}
    return prompt.render(**values).messages[-1].text


def _shipped(name: str) -> str:
    return str(files("socratic.recipes").joinpath(f"caption.{name}.txt"))
