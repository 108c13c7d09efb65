"""What must survive when a request is rewritten: things with number and colour, how they stand, quoted words, exclusions.

Read from the text by `claims.py`; looks at words only. It would rather reject a good rewriting (which is then asked for
again) than let a lost fact through, and it knows no synonyms: `puppy` is no `dog`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from socratic.claims import Claim, Relation, claims, relations
from socratic.english import COLOURS, PLACING, PLAIN, VERBS, counted, plural, singular

_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|«([^»]+)»|(?<!\w)'([^']+)'(?!\w)")
_REQUEST = re.compile(
    r"^\s*(?:(?:please|now|and|then|can you|could you|i(?: would|'d)? (?:want|like)(?: to see)?|let's|show me|give me|draw|paint|"
    r"sketch|create|generate|make|add|put|place|give|turn|change|replace|swap|remove|delete|erase|drop)\b[ ,]*(?:me\b)?)+",
    re.IGNORECASE,
)
_GONE = (
    re.compile(r"\b(?:remove|delete|erase|drop|lose|take (?:away|out)|get rid of)\s+(.+?)(?=[.;]|$)", re.IGNORECASE),
    re.compile(r"\b(?:replace|swap)\s+(.+?)\s+(?:with|by|for)\b", re.IGNORECASE),
    re.compile(rf"\b(?:turn|change)\s+(.+?)\s+(?:in)?to\b(?!\s+(?:{'|'.join(COLOURS)})\b)", re.IGNORECASE),
    re.compile(r"\b(?:instead of|rather than)\s+(.+?)(?=[.,;]|$)", re.IGNORECASE),
)
_ADVERBS = re.compile(r"\b(?:underwater|outdoors|indoors|upside down)\b", re.IGNORECASE)
_LISTED = re.compile(rf"\b({'|'.join(PLAIN)}),", re.IGNORECASE)
_SPOKEN = {
    "left of": r"left of", "right of": r"right of", "above": r"above|over|on top of", "below": r"below|beneath|under(?:neath)?",
    "beside": r"beside|next to|alongside", "in front of": r"in front of", "behind": r"behind", "on": r"on|upon|on top of",
    "in": r"in|inside|within",
}  # fmt: skip
_SWAPPED = {
    "left of": "right of", "right of": "left of", "above": "below", "below": "above", "beside": "beside",
    "in front of": "behind", "behind": "in front of",
}  # fmt: skip
_SETTING = ("in", "on", "at", "inside", "under")
Kind = Literal["words", "quote", "thing", "relation", "exclusion"]


@dataclass(frozen=True)
class Lock:
    """One fact that must still stand in the new text.

    Attributes:
        text: as a person says it: `two red dogs`, `a cat left of a dog`, `"OPEN"`, `no people`.
        claim: of a thing or an exclusion; the subject of a relation.
    """

    kind: Kind
    text: str
    claim: Claim | None = None
    relation: Relation | None = None

    def say(self) -> str:
        return self.text


def locks(text: str, given: Iterable[str] = ()) -> tuple[Lock, ...]:
    """What a text pins down, and what its author pins down besides: phrases that must stand there as they are."""
    bare = _scene(text)
    things = [c for c in claims(bare) if c.denied or _is_firm(c)]
    found = [Lock("words", w.strip()) for w in given if w.strip()]
    found += [Lock("quote", f'"{m[m.lastindex or 0]}"') for m in _QUOTED.finditer(text)]
    found += [Lock("words", m[0]) for m in _ADVERBS.finditer(bare)]
    found += [_exclusion(c) if c.denied else Lock("thing", " ".join(c.text.split()), c) for c in things]
    for r in relations(bare):
        if {r.subject, r.other} <= set(things):
            found.append(Lock("relation", f"{r.subject.text} {r.words} {r.other.text}", r.subject, r))
    return tuple(dict.fromkeys(found))


def lost(wanted: Sequence[Lock], text: str) -> tuple[Lock, ...]:
    """The locks that the text breaks, in their order."""
    scene = _scene(text)
    said = claims(scene)
    return tuple(lock for lock in wanted if not _holds(lock, text, scene, said))


def changed_locks(before: str, change: str, given: Iterable[str] = ()) -> tuple[Lock, ...]:
    """What must hold after a change request such as `make the light red`: all of the earlier text that it does not name,
    and what it asks for. A new place (`put them in a forest`) takes that of the old one.
    """
    scene, earlier = _scene(change), locks(before)
    asked = [c for c in claims(scene) if c.denied or _is_firm(c)]
    gone = {_head(c) for pattern in _GONE for m in pattern.finditer(change) for c in claims(m[1])}
    named = {_head(c) for c in asked} | gone
    moved = any(c.after in _SETTING for c in asked if not c.denied)
    adding = re.match(r"\s*(?:please\s+)?add\b", change, re.IGNORECASE) is not None
    found = [k for k in locks(change, given) if k.kind in ("words", "quote")]
    found += [k for k in earlier if not _concerned(k, named, moved)]
    found += [_wish(c, scene, earlier if adding else ()) for c in asked if not c.denied and _head(c) not in gone]
    found += [_exclusion(c) for m in _GONE[0].finditer(change) for c in claims(m[1])]
    found += [_exclusion(c) for c in asked if c.denied]
    return tuple(dict.fromkeys(found))


def excluded(wanted: Sequence[Lock]) -> tuple[str, ...]:
    """What must not be drawn, for a negative prompt."""
    return tuple(dict.fromkeys(k.claim.phrase for k in wanted if k.kind == "exclusion" and k.claim))


def _exclusion(claim: Claim) -> Lock:
    return Lock("exclusion", f"no {claim.colour} {plural(claim.noun)}".replace("  ", " "), claim)


def _scene(text: str) -> str:
    """The text without `please draw` and without what is written on signs, every word at its old place."""
    found = _REQUEST.match(text)
    bare = " " * found.end() + text[found.end() :] if found else text
    for m in _QUOTED.finditer(bare):
        bare = bare[: m.start()] + "." * len(m[0]) + bare[m.end() :]
    bare = re.sub(r"\b(?:instead|rather)\b", lambda m: " " * len(m[0]), bare, flags=re.IGNORECASE)
    return _LISTED.sub(r"\1 ", bare)  # `two big, red balls` are two balls


def _is_firm(claim: Claim) -> bool:
    """Whether this is certainly a thing: it has a number, colour, place or determiner, or is a plural."""
    words = claim.text.lower().split()
    if words[0] == "that" or words[-1] in ("it", "them", "him", "her", "me", "us"):
        return False
    plain = claim.count is not None or claim.colour or claim.after or len(words) > 1
    return bool(plain) or singular(words[-1]) != words[-1]


def _head(claim: Claim) -> str:
    """The word that names the thing: `dog`, also of `the dog sleeps`."""
    words = claim.noun.split()
    while len(words) > 1 and words[-1] in VERBS:
        words.pop()
    return words[-1]


def _is_one(claim: Claim) -> bool:
    """Whether it is spoken of in the singular."""
    return _head(claim) in claim.text.lower().split()


def _wish(claim: Claim, change: str, earlier: Sequence[Lock]) -> Lock:
    """What a change asks of a thing: `the light red` wants a red light, however many; `add a dog`, one more than before."""
    told = re.match(r"\s*(?:be|is|are|to|into|in)\s+(\w+)", change[claim.end :])
    colour = next((w for w in (claim.text.lower().split()[-1], told[1].lower() if told else "") if w in COLOURS), "")
    wanted = replace(claim, colour=claim.colour or colour)
    there = next((k.claim for k in earlier if k.kind == "thing" and k.claim and _head(k.claim) == _head(claim)), None)
    if there and there.count and claim.count:
        wanted = replace(there, colour="", count=there.count + claim.count)
    elif re.match(r"(?:the|its|their|his|her|my)\s", claim.text, re.IGNORECASE):
        wanted = replace(wanted, count=None)
    return Lock("thing", counted(wanted.phrase, wanted.count) if wanted.count else wanted.phrase, wanted)


def _concerned(lock: Lock, named: set[str], moved: bool) -> bool:
    """Whether a change touches a fact of the earlier text."""
    if lock.relation:
        ends = {_head(lock.relation.subject), _head(lock.relation.other)}
        return bool(ends & named) or (moved and lock.relation.words in ("in", "on"))
    if lock.claim is None:
        return moved and _ADVERBS.fullmatch(lock.text) is not None
    return _head(lock.claim) in named or (moved and lock.claim.after in _SETTING)


def _holds(lock: Lock, text: str, scene: str, said: Sequence[Claim]) -> bool:
    if lock.kind == "words":
        return re.search(rf"(?<!\w){re.escape(lock.text)}(?!\w)", text, re.IGNORECASE) is not None
    if lock.kind == "quote":
        return lock.text.strip('"') in text
    if lock.relation:
        return _relation_holds(lock.relation, scene, said)
    assert lock.claim is not None
    if lock.kind == "exclusion":
        there = _mentions(lock.claim, scene, said)
        return not any(not lock.claim.colour or _coloured(c, lock.claim.colour, scene) for c in there)
    return _thing_holds(lock.claim, scene, said)


def _mentions(wanted: Claim, text: str, said: Sequence[Claim]) -> list[Claim]:
    """Where the text says that the thing is there, in any number and colour."""
    head, *others = reversed(wanted.noun.split())
    words = set(re.findall(r"[\w'-]+", text.lower()))
    return [c for c in said if not c.denied and _head(c) == head and words.issuperset(others)]


def _thing_holds(wanted: Claim, text: str, said: Sequence[Claim]) -> bool:
    found = _mentions(wanted, text, said)
    if wanted.colour:
        found = [c for c in found if _coloured(c, wanted.colour, text)]
    if not found or wanted.count is None:
        return bool(found)
    counts = [c.count for c in found if c.count is not None]
    if not counts:  # `the dog` is one dog, `dogs` are not two
        return wanted.count == 1 and any(map(_is_one, found))
    return all(n == wanted.count for n in counts) or sum(counts) == wanted.count


def _coloured(claim: Claim, colour: str, text: str) -> bool:
    """Whether a thing has the colour: `a red light`, `the light is red`."""
    same = {"gray": "grey", "golden": "gold"}
    wanted = same.get(colour, colour)
    told = re.match(r"\s*(?:is|are|glows?|shines?|in)\s+(?:\w+ly\s+)?(\w+)", text[claim.end :])
    return wanted in (same.get(claim.colour, claim.colour), same.get(told[1], told[1]) if told else "")


def _relation_holds(wanted: Relation, text: str, said: Sequence[Claim]) -> bool:
    subjects, others = (_mentions(c, text, said) for c in (wanted.subject, wanted.other))
    if wanted.words in ("in", "on") and any(_same_place(c.after, wanted.words) for c in others):
        return bool(subjects)
    there = any(_leads(a, b, wanted.words, text) for a in subjects for b in others)
    back = _SWAPPED.get(wanted.words)
    return there or (back is not None and any(_leads(b, a, back, text) for a in subjects for b in others))


def _same_place(after: str, words: str) -> bool:
    return after in PLACING and re.fullmatch(_SPOKEN[words], after) is not None


def _leads(first: Claim, second: Claim, words: str, text: str) -> bool:
    """Whether one mention leads to another by the words, with no other thing between the words and the second."""
    if first.end > second.start:
        return False
    between = text[first.end : second.start]
    found = list(re.finditer(rf"\b(?:{_SPOKEN[words]})\b", between, re.IGNORECASE))
    if not found or re.search(r"[.;]", between):
        return False
    tail = between[found[-1].end() :]
    return len(tail.split()) <= 3 and not re.search(r"\b(?:and|with|of|or)\b", tail)
