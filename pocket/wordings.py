"""The wordings in `talk/`: said at random, with manners and slips, and recognised again.

Knows the little language of those files, and nothing of what is asked: `(a|b|)` chooses one, and slots are
{pic} {in}: a picture, and in it        {one} {other} {both}: two pictures
{xs} {x} {the} {n}: dogs, a dog, the dog, dog; also of several things      {facts}: what may be true
{scene}: what is to be drawn or found   {new} {colour} {at} {place}: what a thing becomes    {file}: a file's name
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from socratic.pocket.scenes import PLACES
from socratic.pocket.talk_words import COLOURS, WITHOUT, names, plural

BEFORE = (
    "", "", "", "", "", "", "", "", "", "", "", "", "please ", "please, ", "hey, ", "hi, ", "hello, ", "ok, ", "okay, ", "now ", "so, ",
    "and ", "well, ", "quick question: ", "can you tell me, ", "tell me, ", "could you please ", "can you ", "would you ",
    "i wonder: ", "next: ", "then ", "just ", "right, ", "also ", "sorry, ", "one more thing: ",
    "i have a question. ", "quick one. ", "hi there. ", "good morning. ", "hello again. ", "sorry to bother you. ", "excuse me, ",
    "listen, ", "um, ", "hmm, ", "erm, ", "oh, ", "alright, ", "ok so ", "anyway, ", "by the way, ", "one last thing. ", "a small favour: ",
    "let me see... ", "if you don't mind, ", "i need your help. ", "help me out here. ", "i was wondering, ", "my next one: ", "right then. ",
    "here's another. ", "dear assistant, ", "bear with me. ", "thanks for that. ",
)  # fmt: skip
AFTER = (
    "", "", "", "", "", "", "", "", "", "", "", "", "", "", " please", ", please", " for me", " thanks", ", thank you", " now", " then", ", would you", ", will you",
    ", cheers", ", ta", ", if you can", ", if possible", ", if you don't mind", ", pretty please", ", ok", " quickly", " real quick",
    ", my friend", ", mate", ", buddy", " thank you",
    " take your time.", " thanks a lot.", " thank you!", " thanks!", " many thanks in advance.", " no rush.", " i'm in a hurry.", " that would help me.",
    " that's what i need.", " i'd be grateful.", " i'm curious.", " it's important.", " sorry for all the questions.",
)  # fmt: skip
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Safe both; the other one takes seconds."""
_TO_DO = ("please ", "could you please ", "can you ", "would you ", "just ")
"""What only something to be done may follow."""
_NOT_TO_DO = re.compile(r"(?:(?:i|my|the|this|that|it|we|they|there|what|how|where|which|who|why|when|is|are|was|were|am|do|does|did|can|could|would|will|has|have|um|erm|so|no|not|any|a|an|in|on|at|to|of|for|with|from|please|let's|actually|hmm|second|wait|hard|she|he|you|your|let|none|yes)\b|img:)")  # fmt: skip
_ASKS = re.compile(r"\b(?:what|how|where|which|is|are|why|do|does|can|who)\b|^(?:could|would|will|was|were|did|has|have|am|any|when|whose|might|may)\b")  # fmt: skip
POINTING = "pointing"
"""The kind that is no request: how a picture is named beside one."""
_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")


@cache
def wordings() -> dict[str, tuple[str, ...]]:
    """The wordings by kind of request."""
    rows: dict[str, tuple[str, ...]] = {}
    for name in ("seeing", "making", "speaking"):
        text = files(__package__).joinpath("talk", f"{name}.yaml").read_text(encoding="utf-8")
        rows |= {kind: tuple(said) for kind, said in yaml.load(text, _LOADER).items()}
    return rows


def worded(rng: random.Random, kind: str, slots: Mapping[str, str], *, decorated: bool = True) -> str:
    """A request of a kind in one of its wordings, `How many dogs are in the picture?`."""
    text = rng.choice(wordings()[kind])
    while found := _CHOICE.search(text):
        text = text[: found.start()] + rng.choice(found[1].split("|")) + text[found.end() :]
    text = _SLOT.sub(lambda m: slots[m[1]], text)
    text = re.sub(r" +([,.?!:](?=\s|$)|$)", r"\1", re.sub(r" {2,}", " ", text)).strip()
    return written(rng, text, kind) if decorated else text


def written(rng: random.Random, text: str, kind: str) -> str:
    """The same words as people type them: with manners, marks, capitals and slips."""
    before, after = (rng.choice(BEFORE), rng.choice(AFTER)) if rng.random() < 0.55 else ("", "")
    before = "" if before in _TO_DO and _NOT_TO_DO.match(text) else before
    asks = _ASKS.search(re.split(r"[.?!] ", before + text)[-1][:24]) is not None
    marks = ("?", "?", "?", "", "??") if asks else (".", "", "", "!", "?")
    if after.endswith((".", "!")):
        text = before + text + rng.choice([mark for mark in marks if mark]) + after.removesuffix(rng.choice((".", "")))
    else:
        text = before + text + after + rng.choice(marks)
    if rng.random() < 0.06:
        text = slipped(rng, text)
    style = rng.random()
    if style < 0.5:
        text = re.sub(r"(?<=[.?!] )[a-z](?!mg:)", lambda m: m[0].upper(), text)
        text = re.sub(r"(?<![\w.:-])i(?=[' ,]|$)", "I", text)
        return text if text.startswith("img:") else text[0].upper() + text[1:]
    return text if style < 0.99 or "img:" in text or ".png" in text else text.upper()


def slipped(rng: random.Random, text: str) -> str:
    """One letter of one long word doubled, lost or swapped; never in a name of a picture."""
    words = list(re.finditer(r"(?<![\w:.-])[a-z]{4,}(?![\w:.-])", text))
    if not words:
        return text
    word = rng.choice(words)
    i = rng.randrange(word.start() + 1, word.end() - 1)
    return rng.choice((text[:i] + text[i] + text[i:], text[:i] + text[i + 1 :], text[:i] + text[i + 1] + text[i] + text[i + 2 :]))  # fmt: skip


@cache
def _names() -> re.Pattern[str]:
    forms = {form for n in names() for form in (n, plural(n))}
    return re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, forms), key=len, reverse=True))})\b")


@cache
def _held() -> dict[str, str]:
    """What each slot may hold, as a regular expression in which # stands for the name of a thing."""
    one = r"(?:(?:the|this|a|an|no|one|two|three|four|\d) )?(?:\w+ of )?(?:\w+ colour )?#"
    thing = rf"{one}(?:(?:,| and| or) {one})*"
    kinds = "picture|image|photo|one|drawing|original|scene|pic|shot|snap|photograph"
    more = " i gave you| i sent| i started with| you drew| you found| before| from me| from the folder"
    picture = (
        rf"(?:it|this|that|(?:the|this|that|my|your) (?:\w+ )?(?:{kinds})(?:{more})?|img:\w+|[\w -]+\.(?:png|jpe?g|webp)"
        r"|(?:picture|image) (?:\d|one|two|three|four)|the other)"
    )
    both = r"(?:the (?:last )?two(?: pictures| images)?|these(?: two| pictures| images)?|both(?: pictures)?|the pictures|them)"
    left_out = "|".join(re.sub(r"\\\{xs?\\\}", lambda _: one, re.escape(words)) for words in WITHOUT)
    where = r"(?:,? (?:on|in|at|under|out|before|without|but|no|left|right|above|below) .*)?"
    scene = rf"(?:an? (?:photo|cartoon|sketch|painting) of )?{thing}{where}(?:{left_out})?"
    held = {
        **dict.fromkeys(("xs", "ys", "x", "the", "n", "m", "new", "newn"), thing), **dict.fromkeys(("pic", "one", "other"), picture),
        "in": rf"(?:(?:in|on) {picture}|here|there|)", "both": both, **dict.fromkeys(("scene", "facts"), scene),
        "at": r"(?:on|in|at|under|out|before) .*", "place": rf"(?:an? |the )?(?:{'|'.join(PLACES)})", "file": r".*", "colour": f"(?:{'|'.join(COLOURS)})",
        "spot": r"(?:at|in|on) the \w+(?: left| right)?",
    }  # fmt: skip
    return held | {"the": rf"(?:{thing}|it|that|this)(?: one)?"}


@cache
def pattern(wording: str) -> re.Pattern[str]:
    """What a wording may say; # stands for the name of a thing."""
    parts = re.split(r"([()|]|\{\w+\})", wording)
    opened = {"(": "(?:", ")": ")", "|": "|"}

    def told(part: str) -> str:
        if slot := _SLOT.fullmatch(part):
            if slot[1] == "said":
                return "(?P<said>.*)"
            return _held().get(slot[1], r"[\w' ]+")
        return opened.get(part) or re.escape(_names().sub("#", part)).replace(r"\ ", " *").replace(r"\#", "#")

    return re.compile("".join(map(told, parts)).replace(" *", " ?"))


def plain(text: str) -> str:
    """A request without manners, marks and capitals, to be compared with wordings."""
    text = re.sub(r"[.?!]+$", "", text.lower().strip())
    for words in sorted({*BEFORE, *AFTER} - {""}, key=len, reverse=True):
        if words.endswith(" "):
            text = text.removeprefix(words)
        elif text.endswith(ending := words.rstrip(".!")):
            text = re.sub(r"[.?!]+$", "", text.removesuffix(ending))
    return text.strip()


def said_by(text: str) -> list[str]:
    """The wordings of the lessons that say this, with any manners and anything in their slots, beside a picture's name too."""
    forms = _forms(text) | {inner for form in _forms(text) for said in _inside(form) for inner in _forms(said)}
    rows = (row for kind, rows in wordings().items() if kind != POINTING for row in rows)
    return [row for row in rows if any(pattern(row).fullmatch(form) for form in forms)]


def _forms(text: str) -> set[str]:
    """A request as it is, without its marks, and without its manners."""
    bare = text.lower().strip()
    return {_names().sub("#", form) for form in (bare, re.sub(r"[.?!]+$", "", bare), plain(text))}


def _inside(form: str) -> list[str]:
    """What may be the request where a picture is named beside it."""
    found = (pattern(row.lower()).fullmatch(form) for row in wordings()[POINTING])
    return [match["said"] for match in found if match]
