"""Classifies items by descriptor files in many editions, from one look at each picture and one at each text.

The labels are those of `classify(method="descriptors")` with the same texts; a test compares them. What was edited is a
product of vectors, so an edition costs no pass of a model unless it has new texts. Says nothing of what is better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from socratic import images
from socratic.capability import Embedder
from socratic.descriptors import Descriptors, joined
from socratic.errors import BadInput, SocraticError
from socratic.experiments.values import Cell, Item, Metric, Results, Trial
from socratic.values import Ranking, Vector
from socratic.vocabulary import Matrix, class_vectors, filled, text_matrix

WHOLE = "all descriptors"
LABEL = Metric("label", "The right label is chosen.", binary=True)
CHANCE = Metric(
    "chance", "The probability that the right label is given; tells small shifts where labels stay the same."
)


class Sight:
    """The pictures of items as vectors, and labels for them by any descriptors."""

    def __init__(self, items: Mapping[str, Item], embedder: Embedder, *, template: str = "a photo of a {}.", aggregate: str = "renormalised-mean") -> None:  # fmt: skip
        """Looks at every picture once; those that cannot be read are errors of their items.

        Args:
            template: stands for a class without descriptors.
            aggregate: as in the recipe `classify`.
        """
        self.items, self._embedder = items, embedder
        self._template, self._aggregate = template, aggregate
        self._texts: dict[str, Any] = {}
        self.errors: dict[str, SocraticError] = {}
        pictures = {}
        for key, item in items.items():
            try:
                pictures[key] = images.load(item.picture)
            except BadInput as error:
                self.errors[key] = error
        self._seen: dict[str, Vector] = {}
        for key, row in zip(pictures, embedder.embed_picture.each(list(pictures.values())), strict=True):
            if isinstance(row, SocraticError):
                self.errors[key] = row
            else:
                self._seen[key] = row

    def rankings(self, descriptors: Descriptors) -> dict[str, Ranking]:
        """The labels for each item, likeliest first; items with errors are left out."""
        names = list(descriptors)
        texts = [[joined(n, d) for d in descriptors[n]] or [filled(self._template, n)] for n in names]
        self._read([t for lines in texts for t in lines])
        starts = np.cumsum([0, *map(len, texts)])
        matrix: Matrix = np.stack([self._texts[t] for lines in texts for t in lines])
        weights = class_vectors(matrix, starts, self._aggregate)
        return {key: Ranking.of(names, weights @ seen, self._embedder.space) for key, seen in self._seen.items()}

    def _read(self, texts: Sequence[str]) -> None:
        fresh = [t for t in dict.fromkeys(texts) if t not in self._texts]
        if fresh:
            self._texts |= dict(zip(fresh, text_matrix(self._embedder, fresh), strict=True))


def editions(descriptors: Descriptors) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """The descriptors without each one of them in turn, named `class: descriptor`."""
    plain = {name: list(lines) for name, lines in descriptors.items()}
    for name, lines in plain.items():
        for place, line in enumerate(lines):
            again = f" ({lines[:place].count(line) + 1})" if line in lines[:place] else ""
            yield f"{name}: {line}{again}", {**plain, name: [*lines[:place], *lines[place + 1 :]]}


def edited(descriptors: Descriptors, changes: Sequence[str]) -> dict[str, list[str]]:
    """Descriptors after edits: `zebra=stripes; a mane` says all anew, `zebra+=hooves` adds, `zebra-=a mane` takes away.

    Raises:
        BadInput: an edit that cannot be read, of a class that is not there, or that takes away what is not there.
    """
    found = {name: list(lines) for name, lines in descriptors.items()}
    for change in changes:
        left, equals, right = change.partition("=")
        name = left.rstrip("+-").strip()
        how = left.rstrip()[-1:] if left.rstrip()[-1:] in ("+", "-") else "="
        lines = [line.strip() for line in right.split(";") if line.strip()]
        if not equals or (how != "=" and not lines):
            raise BadInput(f"the edit {change!r} cannot be read", hint="CLASS=text; text, or CLASS+=text, or CLASS-=text")  # fmt: skip
        if name not in found:
            raise BadInput(f"there is no class {name!r} to edit", hint=f"classes: {', '.join(found)}")
        if missing := [line for line in lines if how == "-" and line not in found[name]]:
            raise BadInput(f"{name} has no descriptor {missing[0]!r}", hint=f"it has: {'; '.join(found[name])}")
        kept = [line for line in found[name] if line not in lines]
        found[name] = lines if how == "=" else [*found[name], *lines] if how == "+" else kept
    return found


def classified(sight: Sight, variants: Mapping[str, Descriptors], reference: str = "label") -> Results:
    """A run of `classify` over every item by each variant's descriptors; the first variant is the baseline.

    Raises:
        BadInput: no item says which label is right, or a right label is none of the classes.
    """
    _refuse_strange_labels(sight.items, next(iter(variants.values())), reference)
    trials, right, chance = dict[Cell, Trial](), dict[Cell, float | None](), dict[Cell, float | None]()
    for variant, descriptors in variants.items():
        found = sight.rankings(descriptors)
        for key, item in sight.items.items():
            cell = Cell(variant, key)
            trials[cell] = _trial(cell, found.get(key), sight.errors.get(key))
            right[cell], chance[cell] = _scored(found.get(key), item.fields.get(reference))
    arguments = {name: {"descriptors": {k: list(v) for k, v in d.items()}} for name, d in variants.items()}
    baseline = next(iter(variants))
    spec = {"recipe": "classify", "scorers": ["label"]}
    metrics, scores = {m.name: m for m in (LABEL, CHANCE)}, {LABEL.name: right, CHANCE.name: chance}
    return Results("descriptors", spec, sight.items, trials, metrics, scores, arguments, baseline, LABEL.name)


def _scored(ranking: Ranking | None, truth: Any) -> tuple[float | None, float | None]:
    """Whether the right label is first, and its probability; None where nothing was seen or nothing is known."""
    if ranking is None or not truth:
        return None, None
    chances = {name.casefold(): p for name, p in zip(ranking.labels, ranking.probabilities, strict=True)}
    wanted = str(truth).strip().casefold()
    return float(ranking.best.casefold() == wanted), chances[wanted]


def _trial(cell: Cell, ranking: Ranking | None, error: SocraticError | None) -> Trial:
    if ranking is None:
        return Trial(cell, error=error.as_dict() if error else {})
    chances = dict(zip(ranking.labels, ranking.probabilities, strict=True))
    return Trial(cell, ranking.best, {"label": ranking.best, "scores": chances})


def _refuse_strange_labels(items: Mapping[str, Item], classes: Descriptors, reference: str) -> None:
    truths = {str(i.fields[reference]).strip() for i in items.values() if i.fields.get(reference)}
    if not truths:
        raise BadInput(f"no item has a field {reference!r} that says which label is right", hint="name the field with --reference")  # fmt: skip
    if strange := sorted(truths - set(classes) - {t for t in truths if t.casefold() in {c.casefold() for c in classes}}):  # fmt: skip
        raise BadInput(f"the right label {strange[0]!r} is no class of the descriptors", hint="add it, if only with an empty list, or leave its items out")  # fmt: skip
