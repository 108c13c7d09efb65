"""Word lists and their place in an embedder's space: loaded from files, filled into templates, ranked.

A vocabulary is one name per line; what follows a comma on a line is a synonym of the first name. Knows no
particular list; profiles name them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from socratic.capability import Embedder
from socratic.errors import BadInput, SocraticError
from socratic.values import Ranking, Vector

Matrix = NDArray[np.float32]
_matrices: dict[tuple[str, tuple[str, ...]], Matrix] = {}
_MOST_MATRICES = 64


@lru_cache(maxsize=64)
def load_words(path: str) -> tuple[str, ...]:
    """The names of a word list, in order, each once. `#` starts a comment. JSON is a list of names, or its keys are.

    Raises:
        BadInput: the file is missing or holds no names.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the word list {path} cannot be read: {error}", hint="one name per line, UTF-8") from error
    if path.lower().endswith(".json"):
        return clean_labels(_names_in_json("\n".join(lines), path), path)
    names = [line.split("#")[0].split(",")[0].strip() for line in lines]
    return clean_labels(names, path)


def _names_in_json(text: str, path: str) -> list[str]:
    """`["dog", "cat"]`, or the classes of a descriptor file."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the word list {path} cannot be read: {error}", hint='JSON: ["dog", "cat"]') from error
    if not isinstance(data, (list, dict)) or not all(isinstance(name, str) for name in data):
        raise BadInput(f"{path} is no list of names", hint='JSON: ["dog", "cat"]')
    return list(data)


def clean_labels(labels: Sequence[str], origin: str = "labels") -> tuple[str, ...]:
    """Labels without blanks and repeats, in order.

    Raises:
        BadInput: none is left.
    """
    kept = tuple(dict.fromkeys(label.strip() for label in labels if label.strip()))
    if not kept:
        raise BadInput(f"{origin}: there are no labels", hint='give some, e.g. --labels "dog,cat"')
    return kept


def article(noun: str) -> str:
    """The indefinite article in front of a noun, by its first letter."""
    return "an" if noun[:1].lower() in "aeiou" else "a"


def filled(template: str, name: str) -> str:
    """A template with the name in place of `{}`; `a {}` becomes `an {}` in front of a vowel."""
    if article(name) == "an":
        template = re.sub(r"\b([Aa]) \{\}", r"\1n {}", template)
    return template.replace("{}", name)


def text_matrix(embedder: Embedder, texts: Sequence[str]) -> Matrix:
    """The unit vectors of texts as rows (texts x dimension); kept for the next picture.

    Raises:
        BadInput: a text is longer than the tower reads.
    """
    wanted = (embedder.fingerprint, tuple(texts))
    if (known := _matrices.get(wanted)) is not None:
        return known
    rows: list[Any] = []
    for row in embedder.embed_text.each(texts):
        if isinstance(row, SocraticError):
            raise row
        rows.append(row)
    while len(_matrices) >= _MOST_MATRICES:
        _matrices.pop(next(iter(_matrices)), None)
    return _matrices.setdefault(wanted, np.stack(rows))


def class_vectors(matrix: Matrix, starts: Sequence[int] | Any, aggregate: str) -> Matrix:
    """One row per class from the unit rows of its texts.

    Args:
        matrix: texts x dimension, unit rows.
        starts: where each class begins; the last entry is the number of texts.
        aggregate: `mean-of-similarities` keeps the mean as it is (its product with a picture is the mean of
            the cosines), `renormalised-mean` gives it unit length.
    """
    means = np.stack([matrix[a:b].mean(0) for a, b in zip(starts, starts[1:], strict=False)])
    if aggregate == "renormalised-mean":
        means /= np.linalg.norm(means, axis=1, keepdims=True)
    return means


def rank(embedder: Embedder, seen: Vector, names: Sequence[str], template: str) -> Ranking:
    """Ranks names for a picture's vector, each filled into the template."""
    matrix = text_matrix(embedder, [filled(template, name) for name in names])
    return Ranking.of(names, matrix @ seen, embedder.space)


def without_synonyms(embedder: Embedder, names: Sequence[str], template: str, at_most: float) -> list[str]:
    """Walks down the names and keeps one only if its text is not too close to one already kept.

    Args:
        at_most: the highest text-text cosine between two kept names; 1 keeps all.
    """
    if at_most >= 1:  # rounding makes some cosines larger than 1
        return list(names)
    matrix = text_matrix(embedder, [filled(template, name) for name in names])
    kept: list[int] = []
    for i in range(len(names)):
        if all(float(matrix[i] @ matrix[j]) <= at_most for j in kept):
            kept.append(i)
    return [names[i] for i in kept]
