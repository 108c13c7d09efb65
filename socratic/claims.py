"""What a text says is there: things with number and colour, how they stand to each other, and what is excluded.

A chunker over function words, not a parser: it knows the small closed classes of English words and nothing of the
world, so it reads captions and requests, and is no help with long prose. It looks at no picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from socratic.english import (
    AMOUNTS,
    BREAKS,
    COLOURS,
    DETERMINERS,
    KINDS,
    MEASURES,
    NOT_DOING,
    PAIRED,
    PLACING,
    PLAIN,
    UNITS,
    VERBS,
    number_word,
    plural,
    singular,
)

_WORD = re.compile(r"[A-Za-z0-9]+(?:['’-][A-Za-z0-9]+)*|[^\sA-Za-z0-9]")
_RELATIONS = {
    "to the left of": "left of", "on the left of": "left of", "left of": "left of", "to the right of": "right of",
    "on the right of": "right of", "right of": "right of", "above": "above", "over": "above", "on top of": "above",
    "below": "below", "beneath": "below", "under": "below", "next to": "beside", "beside": "beside",
    "in front of": "in front of", "behind": "behind", "on": "on", "in": "in", "inside": "in",
}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """One kind of thing that a text says is there.

    Attributes:
        text: the words as they stand, `two red dogs`; `start` and `end` say where.
        noun: in the singular, without number and colour: `dog`.
        count: how many; None where the text does not tell (`dogs`, `the dog`).
        colour: its colour, or empty.
        denied: the text says that there is none: `no dogs`, `without a dog`.
        after: the preposition in front, `on` in `on a beach`, or empty.
        unit: what is counted, in the singular: `slice` in `two slices of pizza`, or empty.
    """

    text: str
    noun: str
    count: int | None
    colour: str
    denied: bool
    start: int
    end: int
    after: str = ""
    unit: str = ""

    @property
    def phrase(self) -> str:
        """What a detector is asked to find: `red dog`."""
        return f"{self.colour} {self.noun}".strip()


@dataclass(frozen=True)
class Relation:
    """How one thing stands to another: `left of`, `right of`, `above`, `below`, `beside`, `on`, `in`, `behind` …"""

    subject: Claim
    words: str
    other: Claim


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower()


def claims(text: str) -> tuple[Claim, ...]:
    """Every thing that the text names, in order."""
    words = [_Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(text)]
    found: list[Claim] = []
    denied_by, last_break = "", ""
    for run, before in _runs(words):
        denied_by = _denial(before, denied_by)
        last_break = before[-1] if before else last_break
        if claim := _claim(text, run, bool(denied_by), last_break if last_break in PLACING else ""):
            found.append(claim)
            denied_by = denied_by or ("no" if claim.denied else "")
    return tuple(_with_units(text, found))


def _denial(before: list[str], earlier: str) -> str:
    """The word that denies a thing: `without people, cars and dogs` denies all three, `no cars or people, a dog` two."""
    if before[-1:] == ["without"]:
        return "without"
    if "not" in before[-2:]:
        return "not"
    goes_on = before in (["or"], ["nor"], [",", "or"]) or (earlier == "without" and before in (["and"], [","]))
    return earlier if goes_on else ""


def relations(text: str) -> tuple[Relation, ...]:
    """Which thing stands how to the next one, where the words between them are a relation and nothing else."""
    things = [c for c in claims(text) if not c.denied]
    found = []
    for one, other in zip(things, things[1:], strict=False):
        between = re.sub(r"^(?:is|are|was|stands?|sits?|sitting|standing|lying)\s+", "", text[one.end : other.start].strip().lower())  # fmt: skip
        if between in _RELATIONS:
            found.append(Relation(one, _RELATIONS[between], other))
    return tuple(found)


def without(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with its exclusions taken out, and what is excluded: `a beach without people` -> `a beach`, (`person`,)."""
    denied = [c for c in claims(text) if c.denied]
    return admitting(text, denied), tuple(c.phrase for c in denied)


def admitting(text: str, there: Sequence[Claim]) -> str:
    """The text without some of its exclusions; the others stay: `a city with no cars or dogs` -> `a city with no dogs`."""
    runs: list[list[Claim]] = []
    for claim in (c for c in claims(text) if c.denied):
        between = text[runs[-1][-1].end : claim.start] if runs else "."
        if re.fullmatch(r"[\s,]*(?:\b(?:and|or|nor)\b)?\s*", between, re.IGNORECASE):
            runs[-1].append(claim)
        else:
            runs.append([claim])
    for run in reversed(runs):
        left = [c for c in run if c not in there]
        if len(left) < len(run):
            text = text[: run[0].start] + (_denied(run[0], left) if left else "\0") + text[run[-1].end :]
    text = re.sub(r"(?:,?\s*\b(?:and|but|with|or|nor|without|there (?:is|are)|is|are|not)\b)*[\s,]*\0", "", text, flags=re.IGNORECASE)  # fmt: skip
    text = re.sub(r"\s{2,}", " ", re.sub(r"\s+([.,!?])", r"\1", re.sub(r"([.!?])(?:\s*[.!?])+", r"\1", text)))
    return re.sub(r"^(?:(?:and|but|with|or)\s+)+", "", text.strip(" ,")) if there else text.strip(" ,")


def _denied(first: Claim, left: Sequence[Claim]) -> str:
    """What is left of a list of exclusions, with the `no` of its first."""
    words = [c.text for c in left]
    no = re.match(r"(?:no|zero)\s+", first.text, re.IGNORECASE)
    if no and not re.match(r"(?:no|zero)\b", words[0], re.IGNORECASE):
        words[0] = no[0] + words[0]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def recounted(claim: Claim, count: int) -> str:
    """The words of a claim with another number: `two small dogs`, 3 -> `three small dogs`."""
    words = claim.text.split()
    while len(words) > 1 and (words[0].lower() in AMOUNTS or words[0].lower() in DETERMINERS or words[0].isdecimal()):
        words = words[1:]
    counts = 0 if claim.unit else -1
    one = singular(words[counts].lower()) if claim.noun not in PAIRED or claim.unit else words[counts]
    words[counts] = one if count == 1 else plural(one)
    first = words[0][:1].lower()
    amount = ("an" if first in "aeiou" else "a") if count == 1 else number_word(count)
    return f"{amount} {' '.join(words)}"


def revised(text: str, changes: Mapping[Claim, str]) -> str:
    """The text with other words for some of its claims; those with empty words are taken out, their joints with them.

    What is not changed stays letter by letter; only a list of which something was taken out is joined anew.
    """
    made, at = "", 0
    for run in _lists(text, claims(text)):
        between, left = text[at : run[0].start], [c for c in run if changes.get(c, c.text)]
        at = run[-1].end
        if not left:
            made += (
                ""
                if all(w.group().lower() in BREAKS | DETERMINERS or w.group() == "," for w in _WORD.finditer(between))
                else between
            )
        elif len(left) == len(run):
            made += between
            for one, following in zip(run, [*run[1:], None], strict=True):
                made += changes.get(one, one.text) + (text[one.end : following.start] if following else "")
        else:
            made += between + _joined([changes.get(c, c.text) for c in left])
    made = re.sub(r"\s+([.,!?])", r"\1", made + text[at:]).strip(" ,")
    if text.strip().lower()[:2] != made.lower()[:2]:  # the subject is gone: `on a beach` -> `a beach`
        made = re.sub(rf"^(?:(?:{'|'.join(PLACING)}|and|with)\s+)+", "", made)
    begins = text.strip()[:1]
    return made[:1].upper() + made[1:] if begins.isupper() else made


def _lists(text: str, things: Sequence[Claim]) -> list[list[Claim]]:
    """Claims that stand in one list: `a cat, a dog and a car` | `a beach`."""
    lists: list[list[Claim]] = []
    for claim in things:
        if lists and re.fullmatch(r"\s*(?:,\s*and|,|and)\s*", text[lists[-1][-1].end : claim.start]):
            lists[-1].append(claim)
        else:
            lists.append([claim])
    return lists


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _runs(words: list[_Word]) -> Iterator[tuple[list[_Word], list[str]]]:
    """Stretches of words between function words and marks, each with the function words in front of it."""
    run: list[_Word] = []
    before: list[str] = []
    for word in words:
        starts_anew = word.low in AMOUNTS or word.low in DETERMINERS
        is_break = not word.text[0].isalnum() or (word.low in BREAKS and word.low not in AMOUNTS)
        if run and (is_break or (starts_anew and not (len(run) == 1 and run[0].low in ("all", "the", "no")))):
            yield run, before
            run, before = [], []
        if is_break:
            before = [*before, word.low]
        else:
            run.append(word)
    if run:
        yield run, before


def _claim(text: str, run: list[_Word], denied: bool, after: str) -> Claim | None:
    """The thing that a stretch of words names, if it names one."""
    first, count, told = run[0], None, False
    while run and (run[0].low in AMOUNTS or run[0].low in DETERMINERS or run[0].text.isdecimal()):
        told = True
        number = int(run[0].text) if run[0].text.isdecimal() else AMOUNTS.get(run[0].low)
        count = number if number is not None else count
        run = run[1:]
    run = _without_doing(run, count)
    colour = next((w.low for w in run if w.low in COLOURS and w is not run[-1]), "")
    named = [w for w in run if w.low not in COLOURS and w.low not in PLAIN] or run[-1:]
    if not named or (not told and named[0].low.endswith(("ing", "ed", "ly")) and named[0].low not in NOT_DOING):
        return None
    noun = " ".join([*(w.low for w in named[:-1]), singular(named[-1].low)])
    if noun in KINDS:
        return None
    begin = first if told else run[0]
    return Claim(text[begin.start : run[-1].end], noun, count or None, colour, denied or count == 0, begin.start, run[-1].end, after)  # fmt: skip


def _without_doing(run: list[_Word], count: int | None) -> list[_Word]:
    """The words up to the verb: `a dog runs`, `two dogs run`, `a dog running`."""
    for i, word in enumerate(run[1:], start=1):
        earlier = run[i - 1].low
        if word.low.endswith("ing") and word.low not in NOT_DOING:
            return run[:i]
        plain = earlier not in COLOURS and earlier not in PLAIN
        if count == 1 and plain and singular(word.low) != word.low and singular(earlier) == earlier and word is run[-1] and singular(word.low) in VERBS:  # fmt: skip
            return run[:i]
        if count is not None and count > 1 and singular(earlier) != earlier:
            return run[:i]
    return run


def _with_units(text: str, found: list[Claim]) -> Iterator[Claim]:
    """Joins a unit with what it is of, where only `of` stands between: `two slices of pizza`."""
    i = 0
    while i < len(found):
        unit, thing = found[i], found[i + 1] if i + 1 < len(found) else None
        if thing and unit.noun in UNITS and text[unit.end : thing.start].strip().lower() == "of":
            noun, count = _of_unit(unit, thing)
            whole = replace(
                unit, text=text[unit.start : thing.end], noun=noun, count=count, end=thing.end, unit=unit.noun
            )
            yield replace(whole, colour=thing.colour or unit.colour, denied=unit.denied or thing.denied)
            i += 2
        else:
            yield unit
            i += 1


def _of_unit(unit: Claim, thing: Claim) -> tuple[str, int | None]:
    """A pair of dogs is two dogs, a pair of scissors is one, and nobody knows how many a bunch is."""
    as_said = thing.text.split()[-1].lower()
    if as_said in PAIRED:
        return as_said, unit.count
    if unit.noun == "pair":
        return thing.noun, 2 * unit.count if unit.count else None
    return (thing.noun, unit.count) if unit.noun in MEASURES else (thing.noun, None)
