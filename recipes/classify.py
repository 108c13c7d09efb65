"""Zero-shot classification by what a language model says that things look like.

1. Texts stand for each class: its name, an ensemble of templates (Radford et al. 2021, arXiv:2103.00020), descriptors
   (Menon & Vondrick 2023, arXiv:2210.07183), CuPL sentences (Pratt et al. 2023, arXiv:2209.03320), or the noise control
   of WaffleCLIP (Roth et al. 2023, arXiv:2306.07282), whose concept prefix goes with any of them.
2. They become one vector or one score: `mean-of-similarities` averages the cosines, so that texts which disagree count
   less; `renormalised-mean` points at their centre and forgets how far they lie apart.
3. The class that fits the picture best is the label; `explain` tells what each text added, and what noise alone says.

Limits: one of the labels always wins, also where none is right (`classify_open` may say `unknown`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from socratic.ask import Question, ask, ask_all
from socratic.capability import Embedder, Writer
from socratic.descriptors import Descriptors, joined, noise
from socratic.errors import BadInput, SocraticError
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.transcript import Transcript, Value
from socratic.values import Picture, Ranking, Vector
from socratic.vocabulary import class_vectors, clean_labels, filled, text_matrix

Method = Literal["names", "templates", "descriptors", "cupl", "waffle"]
Aggregate = Literal["renormalised-mean", "mean-of-similarities"]
TEMPLATES = (
    "a photo of a {}.", "a picture of a {}.", "an image of a {}.", "a close-up photo of a {}.", "a bright photo of a {}.",
    "a dark photo of a {}.", "a blurry photo of a {}.", "a drawing of a {}.", "a painting of a {}.", "a photo of one {}.",
    "a photo of a small {}.", "a photo of a large {}.", "there is a {} in the picture.", "a good photo of a {}.",
)  # fmt: skip
CUPL_FORMS = (
    "Describe what {category} looks like.", "How can you identify {category}?", "What does {category} look like?",
    "Describe a picture of {category}.", "Write a caption of an image of {category}.",
)  # fmt: skip


@dataclass(frozen=True)
class Explanation:
    """Why a label won: what each of its texts adds, against the runner-up, and what noise alone would say.

    `contributions` sum to the label's score. `lift` is the label's probability minus the probability that
    the same label gets when its texts are replaced by noise, equal for all classes.
    """

    label: str
    contributions: tuple[tuple[str, float], ...]
    runner_up: str
    runner_up_contributions: tuple[tuple[str, float], ...]
    noise_label: str
    lift: float

    def say(self) -> str:
        own = "\n".join(f"  {c:+.3f}  {text}" for text, c in self.contributions)
        other = "\n".join(f"  {c:+.3f}  {text}" for text, c in self.runner_up_contributions)
        rival = f"\nrunner-up {self.runner_up}:\n{other}" if self.runner_up else ""
        return f"{self.label}:\n{own}{rival}\nnoise alone says {self.noise_label}; lift over noise {self.lift:+.2f}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "contributions": [{"text": t, "contribution": c} for t, c in self.contributions],
            "runner_up": self.runner_up,
            "runner_up_contributions": [{"text": t, "contribution": c} for t, c in self.runner_up_contributions],
            "noise_label": self.noise_label,
            "lift": self.lift,
        }


@dataclass(frozen=True)
class Classification:
    """The label of a picture, with the ranking of all labels behind it."""

    label: str
    ranking: Ranking
    explanation: Explanation | None
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return f"{self.ranking.say()}" + (f"\n{self.explanation.say()}" if self.explanation else "")

    def as_dict(self) -> dict[str, Any]:
        scores = dict(zip(self.ranking.labels, self.ranking.probabilities, strict=True))
        return {
            "label": self.label,
            "scores": scores,
            "explanation": self.explanation.as_dict() if self.explanation else None,
        }


@recipe
def classify(
    picture: Picture,
    *,
    labels: Sequence[str],
    method: Method = "descriptors",
    aggregate: Aggregate = "renormalised-mean",
    template: str = "a photo of a {}.",
    templates: Sequence[str] = TEMPLATES,
    descriptors: Mapping[str, Sequence[str]] | None = None,
    concept: str = "",
    per_form: int = 2,
    seed: int = 0,
    explain: bool = False,
    embedder: Embedder,
    writer: Writer,
    talk: Transcript,
) -> Classification:
    """Chooses one of the labels for a picture.

    Args:
        picture: what to classify.
        labels: the classes.
        method: which texts stand for a class: its name, templates, descriptors, CuPL sentences, or noise.
        aggregate: how the texts of a class become one score.
        template: how a name becomes a text, with `{}` where it goes.
        templates: the ensemble of the method `templates`.
        descriptors: texts per label (for `descriptors` or `cupl`) in place of the writer's.
        concept: a word for what all labels are, put before each name; `auto` asks the writer for it.
        per_form: sentences per question form of the method `cupl`.
        seed: of noise and sampling.
        explain: whether to say which texts decided.
    """
    names = clean_labels(labels)
    texts = _Texts(names, template, _concept(talk, writer, names, concept))
    per_class = _written(talk, writer, texts, method, templates, descriptors, per_form, seed)
    classes = _Classes(embedder, per_class, aggregate)
    seen = embedder.embed_picture(picture)

    def look() -> tuple[Value, Mapping[str, Any]]:
        ranking = Ranking.of(names, classes.scores(seen), embedder.space)
        return ranking.best, ranking.as_dict()

    made_from = [picture.sha256, tuple((n, tuple(t)) for n, t in per_class.items()), aggregate]
    turn = talk.state("label", embedder.fingerprint, made_from, look)
    ranking = Ranking.of(names, [turn.evidence["cosines"][n] for n in names], embedder.space)
    why = _explained(ranking, classes, seen, texts, embedder, seed, turn.text) if explain else None
    return Classification(turn.text, ranking, why, talk)


@dataclass(frozen=True)
class _Texts:
    """How names become texts."""

    names: tuple[str, ...]
    template: str
    concept: str

    def named(self, name: str, template: str = "") -> str:
        subject = f"{self.concept}: a {name}" if self.concept else name
        return filled(template or self.template, subject)

    def described(self, name: str, descriptor: str) -> str:
        return joined(f"{self.concept}: {name}" if self.concept else name, descriptor)

    def noisy(self, seed: int) -> dict[str, list[str]]:
        """Every class with the same meaningless descriptors."""
        words = noise(seed)
        return {name: [f"{self.named(name).rstrip('.')}, which has {word}." for word in words] for name in self.names}


def _concept(talk: Transcript, writer: Writer, names: Sequence[str], concept: str) -> str:
    if concept != "auto":
        return concept
    return str(ask(talk, writer, load("classify.concept"), "concept", categories=list(names[:25]))).lower().rstrip(".")


def _written(
    talk: Transcript,
    writer: Writer,
    texts: _Texts,
    method: Method,
    templates: Sequence[str],
    given: Descriptors | None,
    per_form: int,
    seed: int,
) -> dict[str, list[str]]:
    """The texts that stand for each class; a class without any is known by its name."""
    match method:
        case "names":
            found = {name: [texts.named(name)] for name in texts.names}
        case "templates":
            found = {name: [texts.named(name, t) for t in templates] for name in texts.names}
        case "waffle":
            found = texts.noisy(seed)
        case "cupl":
            sentences = (
                _given(given, texts.names)
                if given is not None
                else _sentences(talk, writer, texts.names, per_form, seed)
            )
            found = {name: list(sentences[name]) for name in texts.names}
        case "descriptors":
            features = _given(given, texts.names) if given is not None else _features(talk, writer, texts.names)
            found = {name: [texts.described(name, d) for d in features[name]] for name in texts.names}
        case _:
            raise BadInput(f"there is no method {method!r}", hint="names, templates, descriptors, cupl or waffle")
    return {name: lines or [texts.named(name)] for name, lines in found.items()}


def _given(given: Descriptors, names: Sequence[str]) -> dict[str, Sequence[str]]:
    if missing := [n for n in names if n not in given]:
        raise BadInput(f"the descriptors say nothing of {missing[0]!r}", hint="add it, if only with an empty list")
    return {name: given[name] for name in names}


def _features(talk: Transcript, writer: Writer, names: Sequence[str]) -> dict[str, Sequence[str]]:
    questions = [Question(f"descriptors of {name}", {"category": name}) for name in names]
    return dict(zip(names, _all_or_error(ask_all(talk, writer, load("classify.descriptors"), questions)), strict=True))


def _sentences(
    talk: Transcript, writer: Writer, names: Sequence[str], per_form: int, seed: int
) -> dict[str, Sequence[str]]:
    kinds = [(form, i) for form in range(len(CUPL_FORMS)) for i in range(per_form)]
    questions = [
        Question(f"sentence {k + 1} of {name}", {"category": name, "form": CUPL_FORMS[form]}, seed=seed * 1000 + i)
        for name in names
        for k, (form, i) in enumerate(kinds)
    ]
    answers = _all_or_error(ask_all(talk, writer, load("classify.cupl"), questions))
    size = len(kinds)
    return {name: list(dict.fromkeys(answers[i * size : (i + 1) * size])) for i, name in enumerate(names)}


def _all_or_error(answers: Sequence[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, SocraticError):
            raise answer
    return list(answers)


class _Classes:
    """The classes as vectors: one row each, so that a picture is scored by one product."""

    def __init__(self, embedder: Embedder, texts: Mapping[str, Sequence[str]], aggregate: Aggregate) -> None:
        self.texts = {name: list(lines) for name, lines in texts.items()}
        flat = [line for lines in self.texts.values() for line in lines]
        self.matrix = text_matrix(embedder, flat)
        self.starts = np.cumsum([0, *(len(lines) for lines in self.texts.values())])
        self.weights = class_vectors(self.matrix, self.starts, aggregate)
        self.lengths = np.linalg.norm(
            [self.matrix[a:b].mean(0) for a, b in zip(self.starts, self.starts[1:], strict=False)], axis=1
        )
        self.renormalised = aggregate == "renormalised-mean"

    def scores(self, seen: Vector) -> Vector:
        found: Vector = self.weights @ seen
        return found

    def contributions(self, name: str, seen: Vector) -> tuple[tuple[str, float], ...]:
        """What each text adds to the score of its class, most first."""
        i = list(self.texts).index(name)
        rows = self.matrix[self.starts[i] : self.starts[i + 1]]
        share = 1 / len(rows) / (self.lengths[i] if self.renormalised else 1)
        added = [(line, float(row @ seen * share)) for line, row in zip(self.texts[name], rows, strict=True)]
        return tuple(sorted(added, key=lambda pair: -pair[1]))


def _explained(
    ranking: Ranking, classes: _Classes, seen: Vector, texts: _Texts, embedder: Embedder, seed: int, label: str
) -> Explanation:
    control = _Classes(embedder, texts.noisy(seed), "renormalised-mean")
    noisy = Ranking.of(texts.names, control.scores(seen), embedder.space)
    rival = next((name for name in ranking.labels if name != label), "")
    return Explanation(
        label=label,
        contributions=classes.contributions(label, seen),
        runner_up=rival,
        runner_up_contributions=classes.contributions(rival, seen) if rival else (),
        noise_label=noisy.best,
        lift=_probability(ranking, label) - _probability(noisy, label),
    )


def _probability(ranking: Ranking, label: str) -> float:
    return ranking.probabilities[ranking.labels.index(label)]
