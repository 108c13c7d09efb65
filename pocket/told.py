"""What tools say in the lessons of the assistant, word for word as recipes say it, and what is answered to it.

The answers follow the tool's words alone, so that the writer learns to tell what it was told. Plans no conversation.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from socratic.clauses import Clause, clauses
from socratic.english import counted, number_word, plural
from socratic.pocket.concepts import NUMBERS, article, concepts, known
from socratic.pocket.scenes import PLACES, joined

WHERE = (
    "at the left", "at the right", "in the middle", "at the top", "at the bottom", "at the upper left",
    "at the upper right", "at the lower left", "at the lower right",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a detector found: label, certainty in percent, and place of each thing, the surest first."""

    rows: tuple[tuple[str, int, str], ...]

    def say(self) -> str:
        places: dict[str, list[str]] = {}
        for label, sure, where in self.rows:
            places.setdefault(label, []).append(f"{where} ({sure}%)")
        told = [f"{len(rows)} x {label}: {', '.join(rows)}" for label, rows in places.items()]
        return "; ".join(told) or "nothing was found"

    def marked(self) -> str:
        """As the origin of a picture with boxes tells it."""
        counts = Counter(label for label, _, _ in self.rows)
        return ", ".join(f"{n} x {label}" for label, n in counts.items())

    def places(self, name: str) -> list[str]:
        return [where for label, _, where in self.rows if label == name]


def found(rng: random.Random, names: Sequence[str], most: int = 4) -> Found:
    """Finds of these names: none, one or several of each, anywhere."""
    rows = [
        (name, rng.randint(45, 97), rng.choice(WHERE))
        for name in names
        for _ in range(min(most, rng.choices((0, 1, 2, 3, 4), weights=(18, 40, 24, 11, 7))[0]))
    ]
    return Found(tuple(sorted(rows, key=lambda row: -row[1])))


def one(name: str) -> str:
    """`a dog`, `a pair of scissors`."""
    return concepts()[name].counted(1) if name in concepts() else f"{article(name)} {name}"


def many(name: str, n: int) -> str:
    """`no dog`, `one dog`, `two dogs`, `one pair of scissors`."""
    if n == 0:
        return f"no {name}"
    if name not in concepts():
        return f"{number_word(n)} {name if n == 1 else plural(name)}"
    told = concepts()[name].counted(n)
    return f"one {told.split(' ', 1)[1]}" if n == 1 else told


def placed(places: Sequence[str]) -> str:
    """`at the left`, `one at the left and one in the middle`: in the order of what is told, so that it can be copied."""
    return places[0] if len(places) == 1 else joined([f"one {where}" for where in places])


def sentence(parts: Sequence[str]) -> str:
    """Parts as one sentence."""
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def answer_count(finds: Found, names: Sequence[str]) -> str:
    """`There are two dogs, one at the left and one in the middle.`"""
    return sentence([_there(finds.places(name), name) for name in names])


def _there(places: Sequence[str], name: str) -> str:
    if not places:
        return f"there is no {name} in it"
    return f"there {'is' if len(places) == 1 else 'are'} {many(name, len(places))}, {placed(places)}"


def answer_where(finds: Found, names: Sequence[str]) -> str:
    """`The dog is at the left.`; several are told with their number."""
    parts = []
    for name in names:
        places = finds.places(name)
        parts.append(f"the {name} is {places[0]}" if len(places) == 1 else _there(places, name))
    return sentence(parts)


def answer_found(finds: Found, names: Sequence[str], marked: str) -> str:
    """`I found one dog, at the left: img:77aa01.`"""
    parts = []
    for name in names:
        places = finds.places(name)
        parts.append(f"I found {many(name, len(places))}" + (f", {placed(places)}" if places else " in it"))
    return sentence(parts) if not finds.rows else f"{sentence(parts)[:-1]}: {marked}."


def answer_cut(finds: Found, names: Sequence[str], marked: str) -> str:
    """`I cut out two dogs: img:77aa01.`"""
    if not finds.rows:
        return f"I found no {' and no '.join(names)} in it, so I cut nothing out."
    return f"I cut out {joined([many(name, len(finds.places(name))) for name in names])}: {marked}."


def checked(rng: random.Random, prompt: str) -> tuple[str, str]:
    """What a check of a prompt says, and the answer to it."""
    rows: list[tuple[str, Clause, str]] = []
    good = rng.random() < 0.45
    for clause in clauses(prompt):
        parent = rows[clause.parent] if clause.parent >= 0 else None
        rows.append(_fact(rng, clause, parent, good))
    score = 0.0 if all(r[0] == "no" for r in rows) else rng.uniform(0.6, 0.99) if good else rng.uniform(0.1, 0.7)
    text = "\n".join([f"{score:.2f}", *(f"{mark}  {clause.question} {said}" for mark, clause, said in rows)])
    return text, answer_check(rows)


def _fact(rng: random.Random, clause: Clause, parent: tuple[str, Clause, str] | None, good: bool) -> tuple[str, Clause, str]:  # fmt: skip
    if parent and parent[0] == "no":
        said = {"count": "none", "colour": rng.choice(("no", "green", "red"))}.get(
            clause.kind, f"no {parent[1].claim.noun}"
        )
        return "no", clause, said
    mark = rng.choices(("ok", "no", "??"), weights=(90, 4, 6) if good else (40, 48, 12))[0]
    if mark == "ok":
        return mark, clause, clause.expected
    if clause.kind == "count":
        return mark, clause, rng.choice([n for n in ("none", "one", "two", "three", "four") if n != clause.expected])
    if clause.kind == "colour":
        return mark, clause, rng.choice([c for c in ("red", "blue", "green", "yellow", "brown", "white", "grey") if c != clause.expected])  # fmt: skip
    if mark == "??":
        return mark, clause, rng.choice(("yes", "no"))
    return mark, clause, "yes" if clause.expected == "no" else "no"


def answer_check(rows: Sequence[tuple[str, Clause, str]]) -> str:
    """`Yes, that is true.`, `No: there is no dog, and this is no beach.`, or which fact the models disagree about."""
    wrong = [
        _denial(clause, said)
        for mark, clause, said in rows
        if mark == "no" and (clause.parent < 0 or rows[clause.parent][0] != "no")
    ]
    if wrong:
        return f"No: {', and '.join(dict.fromkeys(wrong))}."
    unsure = [clause.question for mark, clause, _ in rows if mark == "??"]
    return f"I am not sure, my models disagree: {unsure[0]}" if unsure else "Yes, that is true."


def _denial(clause: Clause, said: str) -> str:
    """What is so instead."""
    noun = clause.claim.noun
    if clause.kind == "count":
        number = {"none": 0, "one": 1, "two": 2, "three": 3, "four": 4}.get(said, 0)
        return f"there {'is' if number < 2 else 'are'} {many(noun, number)}"
    if clause.kind == "colour":
        return f"the {noun} is not {clause.expected}"
    if clause.kind == "relation" and clause.other:
        return f"the {noun} is not {clause.words} the {clause.other.noun}"
    if clause.kind == "absent":
        return f"there is a {noun}"
    return f"this is no {noun}" if clause.question.startswith("Is this") else f"there is no {noun}"


def contrasted(rng: random.Random) -> tuple[str, str]:
    """What a comparison says, and the answer to it."""
    names = [c.name for c in rng.sample(known(), 4)]
    parts = []
    for words in ("both show", "only the first shows", "only the second shows"):
        things = [names.pop() for _ in range(rng.choice((0, 1, 1, 1, 2))) if names]
        if things:
            parts.append(f"{words} {joined([counted(t, rng.choice((1, 1, 1, 2, 3))) for t in things])}")
    told = "; ".join(parts) or "nothing was found in either"
    return f"{told} (likeness {rng.uniform(0.1, 0.99):.2f})", sentence([told])


def drawn(prompt: str, handles: Sequence[str]) -> str:
    """What drawing says."""
    rows = (f"a picture of 64 x 64 pixels ({h}), drawn from {prompt!r} with seed {i}" for i, h in enumerate(handles))
    return "; ".join(rows)


def answer_drawn(handles: Sequence[str]) -> str:
    return f"Here it is: {handles[0]}." if len(handles) == 1 else f"Here they are: {joined(list(handles))}."


def answer_question(question: str, said: str) -> str:
    """The answer of a model that sees, as a sentence."""
    first, _, rest = question.rstrip("?").partition(" is ")
    if said in ("yes", "no"):
        return f"{said.capitalize()}{', it is' if said == 'yes' else ', it is not'}."
    if first.endswith("colour"):
        return f"{rest.capitalize()} is {said}."
    if question.startswith("How many"):
        return f"There {'is' if said == 'one' else 'are'} {said} thing{'' if said == 'one' else 's'} in it."
    whole = said in PLACES.values() or said.startswith(("a ", "an ", "the "))
    return f"It is {said if whole else one(said)}."


def accounted(rng: random.Random, recipe: str, said: str, asked: str) -> tuple[str, str]:
    """The words of an explanation for each recipe, and what is answered."""
    first = said.split("\n")[0].split(" (likeness")[0]
    regions = rng.choice(
        ("nothing was found", f"1 x {rng.choice(known()).name}: {rng.choice(WHERE)} ({rng.randint(45, 97)}%)")
    )
    answers = "\n".join(f"{row[4:].rsplit('? ', 1)[0]}? (blip2): {row[4:].rsplit('? ', 1)[-1]}" for row in said.split("\n")[1:])  # fmt: skip
    number = rng.choice(NUMBERS[1:4])
    seen = f"image type (open_clip): photo\namount (open_clip): There {'is one thing' if number == 'one' else f'are {number} things'} in this photo.\nplaces (open_clip): {rng.choice(list(PLACES))}"  # fmt: skip
    things = ", ".join(c.name for c in rng.sample(known(), rng.randint(1, 3)))
    files = ", ".join(f"scene-{rng.randrange(10000)}.png" for _ in range(rng.randint(1, 4)))
    rows = {
        "caption": (f"{seen}\nobjects (open_clip): {things}\nproposal 1 (causal_lm): {first}\n(9 more)\njudgement (open_clip): {first}", f"causal_lm wrote this sentence, and open_clip chose it: {first}."),
        "detect": (f"regions (grounding_dino): {first}", f"grounding_dino said: {first}."),
        "segment": (f"regions (grounding_dino): {first}\nmasks (sam): {rng.randint(1, 4)} masks", f"grounding_dino said: {first}; sam cut it out."),
        "check": (f"regions (grounding_dino): {regions}\n{answers}", f"grounding_dino and blip2 were asked; the score is {first}."),
        "contrast": (f"first caption (blip2): {things}\nsecond caption (blip2): a cat\nfirst finds (grounding_dino): {regions}\n(1 more)\nlikeness (open_clip): 0.5", "blip2 described both pictures, and grounding_dino looked for the things."),
        "ask": (f"answer 1: {asked} (blip2): {said}", f"blip2 answered: {said}."),
        "retrieve": (f"wanted (the user): {asked}\nexcluded (the user): \nhits (open_clip): {files}", f"open_clip compared your pictures with: {asked or 'the picture'}."),
    }  # fmt: skip
    account, rests = rows.get(
        recipe, (f"prompt (user): {asked}\ndrawing 0 (diffusion): {first}", f"diffusion drew it from: {asked}.")
    )
    begins = f"{asked} {said}" if recipe == "ask" else said
    return f"{recipe} said: {begins}\n{account}", f"It rests on what my models said: {rests}"
