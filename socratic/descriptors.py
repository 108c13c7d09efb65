"""Descriptors: what a class looks like, in words; read, written, and put behind its name.

Both published shapes are `{class: [text, …]}` as JSON: descriptors (Menon & Vondrick) are phrases that
follow the name, CuPL's are whole sentences. Does not ask a writer.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from socratic.errors import BadInput

Descriptors = Mapping[str, Sequence[str]]
_CLAUSES = {"is", "are", "has", "have", "can", "looks", "lives", "appears", "often", "usually", "may", "comes"}
_PARTICIPLES = ("used", "made", "shaped", "covered", "found", "typically", "similar", "often", "known")
_WORDS = (
    "time", "year", "way", "day", "thought", "world", "life", "part", "number", "case", "point", "week", "fact",
    "right", "study", "lot", "issue", "side", "kind", "service", "result", "reason", "idea", "force", "level",
    "order", "sense", "plan", "rate", "role", "effect", "trade", "season", "law", "need", "cause", "event", "age",
)  # fmt: skip


def read_descriptors(path: str | Path) -> dict[str, list[str]]:
    """Reads a descriptor file.

    Raises:
        BadInput: not JSON, not of the form `{class: [text, …]}`, or a class stands there twice.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(
            f"the descriptor file {path} cannot be read: {error}", hint='JSON: {"class": ["text", …]}'
        ) from error
    if not isinstance(data, dict) or not all(
        isinstance(v, list) and all(isinstance(t, str) for t in v) for v in data.values()
    ):
        raise BadInput(f"{path} does not hold lists of texts by class", hint='JSON: {"class": ["text", …]}')
    return data


def write_descriptors(path: str | Path, descriptors: Descriptors) -> None:
    """Writes a descriptor file; reading and writing it again gives the same bytes."""
    plain = {name: list(lines) for name, lines in descriptors.items()}
    Path(path).write_text(
        json.dumps(plain, indent=4, ensure_ascii=False) + "\n", encoding="utf-8", errors="backslashreplace"
    )


def joined(name: str, descriptor: str) -> str:
    """A name and a descriptor as one text: `zebra, which has black and white stripes.`

    A clause (`is striped`, `can fly`) follows `which` as it is, a participle (`used for …`) follows `which
    is`, and anything else names a part and follows `which has`.
    """
    text = descriptor.strip().rstrip(".")
    first = text.split()[0].lower() if text else ""
    link = "which" if first in _CLAUSES else "which is" if first in _PARTICIPLES else "which has"
    return f"{name}, {link} {text}."


def noise(seed: int, pairs: int = 15) -> list[str]:
    """Descriptors without meaning: pairs of words and pairs of random letters, as WaffleCLIP draws them."""
    rng = random.Random(f"noise-{seed}")
    words = [", ".join(rng.sample(_WORDS, 2)) for _ in range(pairs)]
    letters = [
        ", ".join("".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 8))) for _ in range(2))
        for _ in range(pairs)
    ]
    return words + letters


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if repeated := {n for n in names if names.count(n) > 1}:
        raise BadInput(
            f"the class {sorted(repeated)[0]!r} stands in the descriptor file twice",
            hint="give the two classes different names",
        )
    return dict(pairs)
