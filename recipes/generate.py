"""Draws pictures from words: latent diffusion (Rombach et al. 2022, arXiv:2112.10752), with the prompt rewritten first
and the best of several kept, as DALL-E does (Ramesh et al. 2021, arXiv:2102.12092; Betker et al. 2023).

1. `rewrite.py` looks after the prompt: `off` leaves it, `auto` spells it out, `suggest` only proposes.
2. What the prompt excludes becomes the negative prompt.
3. Pictures of one prompt share one pass of the text encoder and differ in their seeds.
4. With `best` or `tries`, a judge compares every picture with the user's own words, and the best are kept; of equals the
   lower seed.

Limits: judges like pictures of the right things better than of the right numbers. Whether a picture shows what was asked
for is for `check.py` to say; `generate_refined.py` acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from socratic import consult
from socratic.capability import Answerer, Embedder, Generator, Matcher, Writer
from socratic.claims import without
from socratic.errors import BadInput, ModelUnavailable
from socratic.recipe import recipe
from socratic.recipes.rewrite import Mode, Rewriting
from socratic.recipes.rewrite import rewrite as rewritten_by
from socratic.tasks import Ask, Draw, Match
from socratic.transcript import Transcript, Value
from socratic.values import Drawing, Picture

Judge = Literal["embedder", "matcher", "answerer"]
TRUE = 'Is this true: "{}"?'


@dataclass(frozen=True)
class Drawings:
    """The pictures in the order of their seeds or, where they were judged, the best first; and the conversation.

    Attributes:
        prompt: the user's own words.
        scores: how well each picture fits them, as the judge says; None where nobody judged.
        drawn: the text that was drawn; the prompt itself when empty.
        rewriting: what became of the prompt.
    """

    prompt: str
    drawings: tuple[Drawing, ...]
    transcript: Transcript = field(repr=False, compare=False)
    scores: tuple[float | None, ...] = ()
    drawn: str = ""
    rewriting: Rewriting | None = field(default=None, repr=False, compare=False)

    @property
    def rewritten(self) -> str | None:
        """What was drawn instead of the user's own words."""
        return self.drawn if self.drawn not in ("", self.prompt) else None

    def say(self) -> str:
        return "; ".join(d.say() for d in self.drawings)

    def as_dict(self) -> dict[str, Any]:
        scores = self.scores or (None,) * len(self.drawings)
        images = [{**d.as_dict(), "score": s} for d, s in zip(self.drawings, scores, strict=True)]
        return {"prompt": self.prompt, "rewritten": self.rewritten, "images": images}


@recipe
def generate(
    prompt: str,
    *,
    n: int = 1,
    seed: int = 0,
    negative: str = "",
    width: int = 0,
    height: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    rewrite: Mode = "off",
    k: int = 3,
    keep: Sequence[str] = (),
    history: Sequence[str] = (),
    rewriting: str = "generate.rewrite",
    exclusions: Literal["negative", "text"] = "negative",
    best: int = 0,
    tries: int = 1,
    judge: Judge = "embedder",
    generator: Generator,
    writer: Writer,
    embedder: Embedder,
    matcher: Matcher,
    answerer: Answerer,
    talk: Transcript,
) -> Drawings:
    """Draws pictures of what the prompt says.

    Args:
        prompt: what to draw.
        n: how many pictures; their seeds are `seed`, `seed + 1` and so on, as far as `tries` is 1.
        seed: the same seed gives the same picture.
        negative: what must not be drawn.
        width: in pixels; the model's own when 0.
        height: in pixels; the model's own when 0.
        steps: denoising steps; the model's own when 0.
        guidance: how closely to follow the prompt; the model's own when absent.
        rewrite: `off`, `suggest` (proposes rewritings and draws the prompt) or `auto` (draws a rewriting).
        k: how many rewritings are suggested.
        keep: phrases that a rewriting must keep, besides the facts of the prompt.
        history: prompts that were drawn before, which this one may change.
        rewriting: the name or file of the rewriting prompt.
        exclusions: `without people` goes to the negative prompt, or is left to the text for generators that take none.
        best: how many of the n pictures are kept, the best first; all in the order of their seeds when 0.
        tries: how many are drawn for each that is wanted; the best n of them are kept. For generators that often miss.
        judge: who says how well a picture fits the prompt.
    """
    if n < 1 or tries < 1 or not 0 <= best <= n:
        raise BadInput(
            f"n is {n}, best is {best} and tries is {tries}", hint="n and tries are at least 1, best at most n"
        )
    own = rewritten_by.inside(
        talk, prompt, mode=rewrite, k=k, keep=keep, history=history, seed=seed, prompt=rewriting,
        generator=generator, writer=writer,
    )  # fmt: skip
    text, kept_out = _kept_out(own, rewrite, exclusions, negative)
    wanted = [Draw(text, kept_out, width, height, seed + i, steps, guidance) for i in range(n * tries)]
    drawings = tuple(consult.draw(talk, generator, wanted))
    if not best and tries == 1:
        return Drawings(own.request, drawings, talk, (), text, own)
    scores = judged(talk, [d.picture for d in drawings], _judged_by(own), judge, embedder, matcher, answerer)
    order = sorted(range(len(drawings)), key=lambda i: -scores[i])[: best or n]  # stable: of equals the lower seed
    return Drawings(own.request, tuple(drawings[i] for i in order), talk, tuple(scores[i] for i in order), text, own)


def _kept_out(own: Rewriting, mode: Mode, exclusions: str, negative: str) -> tuple[str, str]:
    """The text to draw and the negative prompt; what is excluded stands in one of them."""
    if exclusions == "text":
        left_out = own.negative and mode != "off"
        return (f"{own.text.rstrip('.')}, without {own.negative}" if left_out else own.text), negative
    return own.text, ", ".join(filter(None, (negative, own.negative)))


def judged(
    talk: Transcript, pictures: Sequence[Picture], text: str, judge: Judge, embedder: Embedder, matcher: Matcher,
    answerer: Answerer,
) -> list[float]:  # fmt: skip
    """How well each picture fits the text: a cosine, the matcher's probability, or how likely a yes is.

    Raises:
        ModelUnavailable: the answerer tells no likelihoods.
    """
    if judge == "matcher":
        return consult.match(talk, matcher, [Match(p, text) for p in pictures], "ranking")
    if judge == "answerer":
        return _by_answers(talk, pictures, text, answerer)
    if judge != "embedder":
        raise BadInput(f"there is no judge {judge!r}", hint="embedder, matcher or answerer")

    def look() -> tuple[Value, Mapping[str, Any]]:
        seen, said = embedder.embed_picture.batch(pictures), embedder.embed_text(text)
        cosines = [round(float(np.dot(v, said)), 5) for v in seen]
        return [f"{p.handle}: {c:.3f}" for p, c in zip(pictures, cosines, strict=True)], {"cosine": cosines}

    turn = talk.state("ranking", embedder.fingerprint, [[p.sha256 for p in pictures], text], look)
    if turn.origin == "edited":
        raise BadInput("the turn 'ranking' cannot be edited as text", hint="edit the prompt, or judge otherwise")
    return [float(c) for c in turn.evidence["cosine"]]


def _by_answers(talk: Transcript, pictures: Sequence[Picture], text: str, answerer: Answerer) -> list[float]:
    """The likelihood of yes against no (VQAScore, Lin et al. 2024, arXiv:2404.01291)."""
    if not hasattr(answerer, "answer_likelihood"):
        raise ModelUnavailable("this answerer tells no likelihoods", hint="judge by the embedder, or use a local model")
    asked = [Ask((p,), TRUE.format(text)) for p in pictures]
    names = [f"ranking {i + 1}" for i in range(len(pictures))]
    shares = consult.choose(talk, answerer, asked, ("yes", "no"), names)  # type: ignore[arg-type]
    failed = next((s for s in shares if isinstance(s, Exception)), None)
    if failed is not None:
        raise failed
    return [s.get("yes", 0.0) for s in shares if isinstance(s, dict)]


def _judged_by(own: Rewriting) -> str:
    """The user's own words without exclusions, which embedders take for things; of a change the whole description."""
    return own.text if own.decision == "change" else without(own.request)[0] or own.request
