"""The wordings of `talk.yaml`: said at random, with manners and slips of the hand, and recognised again.

Knows the little language of that file, `(a|b|)` and `{slot}`, and nothing of what is asked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

BEFORE = (
    "", "", "", "", "", "", "", "", "please ", "please, ", "hey, ", "hi, ", "hello, ", "ok, ", "okay, ", "now ", "so, ",
    "and ", "well, ", "quick question: ", "can you tell me, ", "tell me, ", "could you please ", "can you ", "would you ",
    "i wonder: ", "next: ", "then ", "just ", "right, ", "also ", "sorry, ", "one more thing: ",
)  # fmt: skip
AFTER = ("", "", "", "", "", "", "", "", "", " please", ", please", " for me", " thanks", ", thank you", " now", " then", ", would you", ", will you")  # fmt: skip
_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")


@cache
def wordings() -> dict[str, tuple[str, ...]]:
    """The wordings by kind of request."""
    text = files(__package__).joinpath("talk.yaml").read_text(encoding="utf-8")
    return {kind: tuple(rows) for kind, rows in yaml.safe_load(text).items()}


def worded(rng: random.Random, kind: str, slots: Mapping[str, str], *, decorated: bool = True) -> str:
    """A request of a kind in one of its wordings, `How many dogs are in the picture?`."""
    text = rng.choice(wordings()[kind])
    while found := _CHOICE.search(text):
        text = text[: found.start()] + rng.choice(found[1].split("|")) + text[found.end() :]
    text = _SLOT.sub(lambda m: slots[m[1]], text)
    text = re.sub(r" +([,?:]|$)", r"\1", re.sub(r" {2,}", " ", text)).strip()
    return written(rng, text, kind) if decorated else text


def written(rng: random.Random, text: str, kind: str) -> str:
    """The same words as people type them: with manners, marks, capitals and slips."""
    if rng.random() < 0.55:
        text = rng.choice(BEFORE) + text + rng.choice(AFTER)
    asks = re.search(r"\b(what|how|where|which|is|are|why|do|does|can|who)\b", text[:24]) is not None
    text += rng.choice(("?", "?", "?", "", "??") if asks else (".", "", "", "!", "?"))
    if rng.random() < 0.06:
        text = slipped(rng, text)
    style = rng.random()
    if style < 0.5:
        return text[0].upper() + text[1:]
    return text if style < 0.97 or "img:" in text or ".png" in text else text.upper()


def slipped(rng: random.Random, text: str) -> str:
    """One letter of one long word doubled, lost or swapped; never in a name of a picture."""
    words = [m for m in re.finditer(r"\b[a-z]{4,}\b", text) if text[m.start() - 1 : m.start()] not in (":", "-", ".")]
    if not words:
        return text
    word = rng.choice(words)
    i = rng.randrange(word.start() + 1, word.end() - 1)
    return rng.choice((text[:i] + text[i] + text[i:], text[:i] + text[i + 1 :], text[:i] + text[i + 1] + text[i] + text[i + 2 :]))  # fmt: skip


@cache
def pattern(wording: str) -> re.Pattern[str]:
    """What a wording may say, whatever its slots hold."""
    parts = re.split(r"([()|]|\{\w+\})", wording)
    opened = {"(": "(?:", ")": ")", "|": "|"}
    told = [opened.get(p) or (".*" if _SLOT.fullmatch(p) else re.escape(p).replace(r"\ ", " *")) for p in parts]
    return re.compile("".join(told))


def plain(text: str) -> str:
    """A request without manners, marks and capitals, to be compared with wordings."""
    text = re.sub(r"[.?!]+$", "", text.lower().strip())
    for words in sorted({*BEFORE, *AFTER} - {""}, key=len, reverse=True):
        text = text.removeprefix(words) if words.endswith(" ") else text.removesuffix(words)
    return text.strip()


def produced(text: str) -> bool:
    """Whether a wording of the lessons says this, with any manners and anything in its slots."""
    forms = {text.lower().strip(), re.sub(r"[.?!]+$", "", text.lower().strip()), plain(text)}
    return any(pattern(w).fullmatch(form) for rows in wordings().values() for w in rows for form in forms)
