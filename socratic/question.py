"""What a question asks for, where its form is simple: how many, is there, which colour, where, is this true.

Other ways to say it, a plan that finds and counts instead of asking, and when two answers are the same, all by rules
over `claims.py`. A question of another form has none of these, and is put to a model that sees. Asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from socratic.claims import Claim, claims, relations, without
from socratic.clauses import colour_in, may_be_place, yes_or_no
from socratic.english import AMOUNTS, NUMBERS, PLACING, counted, singular
from socratic.plan import Plan, checked, pictures_named

MOST_STEPS = 40
_HERE = r"(?: in (?:the|this) (?:picture|image|photo)| here)?"
_MANY = re.compile(r"how many (?P<x>.+?) (?:are|is|can|do|does|were)\b.*", re.I)
_THERE = re.compile(rf"(?:(?:is|are) there|(?:can|do) you see|does the (?:picture|image|photo) (?:show|contain|have)) (?P<x>.+?){_HERE}", re.I)  # fmt: skip
_COLOUR = re.compile(r"(?:(?:what|which) colou?r (?:is|are|has|have|does|do) the (?P<x>.+?)(?: have)?|what is the colou?r of the (?P<y>.+))", re.I)  # fmt: skip
_PLACED = re.compile(rf"where (?:is|are) the (?P<x>.+?){_HERE}", re.I)
_PLACE = re.compile(r"(?:where is this|where was (?:this picture|this|it) taken|what place is (?:it|this))", re.I)
_TRUE = re.compile(r"is (?:this|it) true: [\"“'](?P<x>.+)[\"”']", re.I | re.S)
_LISTING = re.compile(
    r"what (?:is|are|can be seen|can you see|do you see|does (?:it|this|the \w+) show)(?: (?:in|at|on|this|that|there|here)\b.*)?",
    re.IGNORECASE,
)
_LOOKS = frozenset(["dark", "light", "pale", "bright", "colourful", "colorful", "striped", "spotted", "transparent"])
_VAGUE = frozenset(["thing", "object", "item", "kind", "animal", "picture", "colour", "color", "type"])
_WAYS = {
    _MANY: ("How many {} are there?", "How many {} are in the picture?", "How many {} can be seen?"),
    _THERE: ("Is there {} in the picture?", "Can you see {}?", "Does the picture show {}?"),
    _COLOUR: ("What colour is the {}?", "What is the colour of the {}?", "Which colour has the {}?"),
    _PLACE: ("Where is this?", "Where was this picture taken?", "What place is it?"),
}
_SIDE = r"(?:the|in the) (?P<side>left|right) (?:picture|image|photo)|(?P<all>(?:both|the two)(?: the)? (?:pictures|images|photos)|each (?:picture|image|photo))|(?P<none>neither (?:picture|image|photo))"  # fmt: skip
_PART = re.compile(rf"(?:{_SIDE})[ ,]*(?:shows?|contains?|has|have|there (?:is|are))? *(?P<x>.+)", re.I)
_JOINT = re.compile(rf"[,;]?\s*\b(?:and|while|but|whereas)\s+(?={_SIDE.replace('?P<side>', '?:').replace('?P<all>', '?:').replace('?P<none>', '?:')})", re.I)  # fmt: skip
_EQUAL = re.compile(r"\bthe same number of (?P<x>[\w ]+)", re.I)
_MORE = re.compile(r"(?:the|in the) (?P<side>left|right) (?:picture|image|photo)(?: shows| contains| has)? (?P<how>more|fewer|less) (?P<x>[\w ]+?) than\b", re.I)  # fmt: skip


def rephrased(question: str) -> tuple[str, ...]:
    """Other ways to ask the same; none where no form fits."""
    asked = _bare(question)
    for form, ways in _WAYS.items():
        if found := form.fullmatch(asked):
            about = next((g for g in found.groups() if g), "")
            return tuple(said for way in ways if _bare(said := way.format(about)).lower() != asked.lower())
    return ()


def facts_asked(question: str) -> tuple[tuple[str, bool], ...]:
    """`Is there a beach without people?` as plain questions with what each must be for a yes: models that see hardly hear
    a `no`, and with each thing asked for by itself nothing else is left to chance. Empty where nothing is excluded.
    """
    found = _THERE.fullmatch(asked := _bare(question)) or _TRUE.fullmatch(asked)
    rest, excluded = without(found["x"]) if found else ("", ())
    if not found or not excluded:
        return ()
    plain = [(f"{asked[: found.start('x')]}{rest}{asked[found.end('x') :]}?", True)] if claims(rest) else []
    return (*plain, *((f"Is there {counted(thing, 1)} in the picture?", False) for thing in excluded))


def simple_plan(question: str) -> Plan | None:
    """A plan that finds and counts what the question is about; None where its form is not simple enough."""
    asked, builder = _bare(question), _Builder(pictures_named(1))
    if len(asked) > 400 or set("{}") & set(asked):
        return None
    if found := _TRUE.fullmatch(asked):
        return statement_plan(found["x"])
    if (found := _MANY.fullmatch(asked)) and (thing := _thing(found["x"])):
        return builder.plan(builder.count(thing))
    if found := _THERE.fullmatch(asked):
        return builder.plan(builder.holds(found["x"], exact=False), within=without(found["x"])[0])
    if found := _COLOUR.fullmatch(asked):
        thing = _thing(found["x"] or found["y"])
        part = builder.add("part", do="crop", around=builder.find(thing)) if thing else ""
        return builder.plan(builder.add("colour", do="ask", question=question.strip(), about=part) if part else "")
    if (found := _PLACED.fullmatch(asked)) and (thing := _thing(found["x"])):
        return builder.plan(builder.add("place", do="where", of=builder.find(thing)))
    if asked.lower().startswith(("is the ", "are the ")) and relations(asked.split(" ", 1)[1]):
        return builder.plan(builder.holds(asked.split(" ", 1)[1]))
    return None


def statement_plan(statement: str, n: int = 1) -> Plan | None:
    """A plan that tells whether a statement about one or two pictures is true; None where no rule reads it."""
    pictures, said = pictures_named(n), statement.strip(" .")
    builder = _Builder(pictures)
    if n == 1:
        return builder.plan(builder.holds(said), within=without(said)[0])
    if n != 2:
        return None
    if (found := _MORE.search(said)) and (thing := _thing(found["x"])):
        sides = pictures if found["side"].lower() == "left" else pictures[::-1]
        counts = [builder.count(thing, side) for side in sides]
        how = "more than" if found["how"].lower() == "more" else "less than"
        return builder.plan(builder.add("differ", do="compare", **{"left": counts[0], "is": how, "right": counts[1]}))
    if (found := _EQUAL.search(said)) and (thing := _thing(found["x"])):
        counts = [builder.count(thing, side) for side in pictures]
        return builder.plan(builder.add("same", do="compare", **{"left": counts[0], "is": "equal", "right": counts[1]}))
    parts = [_PART.fullmatch(part.strip(" ,.")) for part in _JOINT.split(said)]
    if not all(parts):
        return None
    held = []
    for part in (p for p in parts if p):
        sides = (part["side"].lower(),) if part["side"] else pictures
        truths = [builder.holds(part["x"], side) for side in sides]
        held += [builder.add("not", do="combine", how="not", of=[t]) for t in truths] if part["none"] else truths
    return builder.plan(builder.all(held))


def fits(question: str, answer: str) -> bool:
    """Whether an answer is of the kind that the question asks for: a number, a colour, yes or no; else anything is."""
    asked = _bare(question)
    if _MANY.fullmatch(asked):
        words = re.findall(r"\w+", answer.lower())
        return words[:1] in (["a"], ["an"], ["zero"]) or any(
            w.isdecimal() or w in NUMBERS or w == "none" for w in words
        )
    if _THERE.fullmatch(asked) or _TRUE.fullmatch(asked):
        return yes_or_no(answer) is not None
    return not _COLOUR.fullmatch(asked) or bool(colour_in(answer) or _LOOKS & set(answer.lower().split()))


def lists_things(question: str) -> bool:
    """Whether a question wants to hear what is there: `What is in the picture?`, `What is at the upper left?`."""
    return bool(_LISTING.fullmatch(_bare(question)))


def canonical(answer: str) -> str:
    """The same text for answers that say the same: `Two.` and `2`, `in a forest` and `forest`, lists in any order."""
    words = re.findall(r"[\w'’-]+|,", answer.lower().replace("’", "'"))
    if words[:1] in (["yes"], ["no"]) and (len(words) == 1 or words[1] == ","):
        return str(words[0])
    parts: list[list[str]] = [[]]
    for word in words:
        if word in ("and", ","):
            parts.append([])
        elif not (word in PLACING and not parts[-1]):
            parts[-1].append(_plain(word))
    kept = [" ".join(w for w in part if w != "the").strip() for part in parts]
    return ", ".join(sorted(p.removeprefix("1 ") if p != "1" else p for p in kept if p))


class _Builder:
    """Steps under names of their own."""

    def __init__(self, pictures: Sequence[str]) -> None:
        self.pictures = tuple(pictures)
        self.steps: list[dict[str, Any]] = []

    def add(self, name: str, **step: Any) -> str:
        """Adds a step, unless one like it is there, and gives its name."""
        for known in self.steps:
            if {k: v for k, v in known.items() if k != "name"} == step:
                return str(known["name"])
        name = "_".join(re.findall(r"[a-z0-9]+", name.lower())) or "value"
        taken = {str(s["name"]) for s in self.steps} | set(self.pictures)
        fresh: str = next(n for n in (name, *(f"{name}_{i}" for i in range(2, 99))) if n not in taken)
        self.steps.append({"name": fresh, **step})
        return fresh

    def find(self, thing: Claim, side: str = "") -> str:
        where = {"in": side} if len(self.pictures) > 1 else {}
        return self.add(f"found {thing.noun} {side}"[:30], do="find", phrase=thing.phrase, **where)

    def count(self, thing: Claim, side: str = "") -> str:
        return self.add(f"number {thing.noun} {side}"[:30], do="count", of=self.find(thing, side))

    def holds(self, text: str, side: str = "", exact: bool = True) -> str:
        """The name of whether a text is true of a picture; empty where it names nothing that could be looked for."""
        truths = []
        for claim in claims(text):
            if claim.noun in _VAGUE:
                return ""
            if may_be_place(claim):
                about = {"about": side} if side else {}
                truth = self.add(f"place {claim.noun}"[:30], do="ask", question=f"Is this {counted(claim.noun, 1)}?", **about, **{"as": "truth"})  # fmt: skip
                truths.append(self.add("elsewhere", do="combine", how="not", of=[truth]) if claim.denied else truth)
                continue
            how = "equal" if claim.denied or (exact and (claim.count or 0) > 1) else "at least"
            wanted = 0 if claim.denied else claim.count or 1
            truths.append(self.add(f"holds {claim.noun}"[:30], do="compare", **{"left": self.count(claim, side), "is": how, "right": wanted}))  # fmt: skip
        for r in relations(text):
            if r.words in ("left of", "right of", "above", "below"):
                one, other = self.find(r.subject, side), self.find(r.other, side)
                truths.append(self.add("stand", do="compare", **{"left": one, "is": r.words, "right": other}))
        return self.all(truths)

    def all(self, truths: Sequence[str]) -> str:
        """The name of whether all are true; empty where there is none, or one of them is empty."""
        if not truths or not all(truths):
            return ""
        return truths[0] if len(truths) == 1 else self.add("all", do="combine", how="and", of=list(truths))

    def plan(self, answer: str, within: str = "") -> Plan | None:
        """The plan; None where there is no answer, or the text says more than was looked for."""
        if not answer or _unread(within) or len(self.steps) > MOST_STEPS:
            return None
        return checked({"steps": self.steps, "answer": answer}, self.pictures, MOST_STEPS)


def _thing(text: str) -> Claim | None:
    """The one thing that a phrase names, if a detector could look for it."""
    found = claims(text if text.split()[:1] and text.split()[0].lower() in AMOUNTS else f"the {text}")
    return found[0] if len(found) == 1 and found[0].noun not in _VAGUE and not _unread(text) else None


def _unread(text: str) -> bool:
    """Whether a phrase says more than things: what they do, or which of them."""
    return bool(re.search(r"\b(?:who|which|that|with|without|wearing|holding|\w+ing)\b", re.sub(r"\b(?:k|w|r|th)ing\b", "", text), re.I))  # fmt: skip


def _plain(word: str) -> str:
    if word in ("none", "zero"):
        return "0"
    if word in AMOUNTS and word not in ("no", "both"):
        return str(AMOUNTS[word])
    return singular(word)


def _bare(question: str) -> str:
    return " ".join(question.split()).strip(" .?!")
