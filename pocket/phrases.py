"""What can be said of a scene, and whether it is true: the texts that the CLIP pair learns from.

Every text comes with the facts that it claims, so that a batch knows which of its texts hold for which of
its pictures, also when they were made for another one. Withheld concepts are described, never named.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from socratic.pocket.concepts import NUMBERS, Concept, article, concepts
from socratic.pocket.scenes import IMAGE_TYPES, PLACES, Scene, joined

PRESENT = (
    "{x}", "{x}", "a {x}", "a photo of a {x}.", "Photo of a {x}.", "a picture of a {x}", "an image of the {x}",
    "a drawing of a {x}", "there is {one} in the picture", "a picture of {one}", "a bad photo of the {x}.",
    "a photo of a {x}, a type of {category}.", "a photo of a {category}: a {x}.", "a photo of {one}.",
)  # fmt: skip
DESCRIBED = (
    "{n}, which has {has}", "{n}, which has {has}.", "{n} which has {has}", "{n} with {has}", "a photo of {n} with {has}",
    "{n}, which is {is}", "{n} with {has} and {has2}", "{n}, which has {has} and {has2}", "{n}, which has {colour} colour",
    "{colour} {category}", "a {colour} {category} with {has}", "{has}", "{colour}, {has}, {has2}",
    "{n} is a {colour} {category} with {has} and {has2}.", "the picture shows {n}: it has {has}.", "{n}, which is {colour}",
    "{n} has {has} and {has2}.", "{n}, which is a {category}", "a photo of {n}, which has {has}.",
)  # fmt: skip
PLACED = (
    "Photo of a {p}.",
    "a {p}",
    "{p}",
    "a picture taken {at}",
    "the background is a {p}",
    "a scene {at}",
    "taken at a {p}",
)
TYPED = ("This is a {t}.", "a {t}", "this picture is a {t}", "in the manner of a {t}")
TOTALLED = ("There is {n} thing in this photo.", "There are {n} things in this photo.", "{n} things", "{n} objects", "a picture of {n} things")  # fmt: skip
_SYLLABLES = [
    "ba",
    "bo",
    "da",
    "do",
    "fi",
    "fu",
    "ga",
    "gi",
    "ka",
    "ko",
    "la",
    "lu",
    "ma",
    "mi",
    "na",
    "no",
    "pa",
    "pu",
    "ra",
    "ri",
    "sa",
    "so",
    "ta",
    "tu",
    "va",
    "vi",
    "wo",
    "zu",
    "eb",
    "ag",
    "ith",
    "orn",
    "ull",
    "ez",
]


@dataclass(frozen=True)
class Phrase:
    """A text and the facts that it claims."""

    text: str
    facts: frozenset[str]


def facts_of(scene: Scene) -> frozenset[str]:
    """Everything that the texts of this file may claim of a scene."""
    facts = {f"place:{scene.place}", f"type:{scene.image_type}", f"total:{len(scene.things)}"}
    for name, count in scene.counts.items():
        facts |= {f"there:{name}", f"count:{name}:{count}"} | _attributes(concepts()[name])
    return frozenset(facts)


def _attributes(c: Concept) -> set[str]:
    marks = {f"has:{h}" for h in c.has} | {f"is:{i}" for i in c.is_}
    return marks | {f"colour:{c.colour}", f"category:{c.category}", f"tinted:{c.colour} {c.category}"}


def pseudo_word(rng: random.Random) -> str:
    """A word that nobody knows, so that the tower learns to read on past names that it does not know."""
    return "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4)))


def say(scene: Scene, rng: random.Random) -> Phrase:
    """One true text about a scene."""
    makers = (_presence, _counted, _full, _description, _place, _type, _total)
    maker = rng.choices(makers, weights=(27, 6, 26, 22, 8, 6, 5))[0]
    return maker(scene, rng) or _description(scene, rng)


def distort(scene: Scene, rng: random.Random) -> Phrase:
    """A full caption with one thing changed: a hard example for the judge. May by chance be true elsewhere."""
    counts = dict(scene.counts)
    place = scene.place
    change = rng.choice(("place", "swap", "add", "count", "drop"))
    name = rng.choice(list(counts))
    others = [c.name for c in concepts().values() if c.name not in counts and not c.withheld]
    if change == "place":
        place = rng.choice([p for p in PLACES if p != place])
    elif change == "count":
        counts[name] = max(1, counts[name] % 4 + rng.choice((1, 1, -1)))
    elif change == "drop" and len(counts) > 1:
        del counts[name]
    elif change == "add" and len(counts) < 4:
        counts[rng.choice(others)] = 1
    else:
        counts[rng.choice(others)] = counts.pop(name)
    counts = {n: c for n, c in counts.items() if not concepts()[n].withheld} or {rng.choice(others): 1}
    return _caption(counts, place, None, rng)


def _pick(scene: Scene, rng: random.Random, *, nameable: bool) -> Concept | None:
    choices = [concepts()[n] for n in scene.counts if not (nameable and concepts()[n].withheld)]
    return rng.choice(choices) if choices else None


def _presence(scene: Scene, rng: random.Random) -> Phrase | None:
    if not (c := _pick(scene, rng, nameable=True)):
        return None
    text = rng.choice(PRESENT).format(x=c.name, one=c.counted(1), category=c.category)
    if rng.random() < 0.06:
        text += f", which has {pseudo_word(rng)}, {pseudo_word(rng)}"
    return Phrase(text, frozenset({f"there:{c.name}"}))


def _counted(scene: Scene, rng: random.Random) -> Phrase | None:
    if not (c := _pick(scene, rng, nameable=True)):
        return None
    n = scene.counts[c.name]
    form = rng.choice(("{x}", "there are {x} in the picture", "a picture of {x}", "a photo of {x}"))
    many = c.counted(n) if n > 1 else c.counted(1).replace("a ", "one ", 1).replace("an ", "one ", 1)
    return Phrase(form.format(x=many), frozenset({f"count:{c.name}:{n}"}))


def _full(scene: Scene, rng: random.Random) -> Phrase | None:
    if any(concepts()[n].withheld for n in scene.counts):
        return None
    return _caption(dict(scene.counts), scene.place, scene.image_type, rng)


def _caption(counts: dict[str, int], place: str, image_type: str | None, rng: random.Random) -> Phrase:
    names = rng.sample(list(counts), len(counts))
    listing = joined([concepts()[n].counted(counts[n]) for n in names])
    facts = {f"count:{n}:{c}" for n, c in counts.items()} | {f"total:{sum(counts.values())}"}
    if rng.random() < 0.75:
        form = rng.choice(("{x} {at}", "{x} {at}.", "{at}, {x}", "a picture of {x} {at}", "there is {x} {at}"))
        facts.add(f"place:{place}")
    else:
        form = rng.choice(("{x}", "a picture of {x}", "a photo of {x}.", "only {x}"))
    text = form.format(x=listing, at=PLACES[place])
    if image_type and rng.random() < 0.25:
        text, facts = f"{article(image_type)} {image_type} of {text}", facts | {f"type:{image_type}"}
    return Phrase(text, frozenset(facts))


def _description(scene: Scene, rng: random.Random) -> Phrase:
    c = _pick(scene, rng, nameable=False)
    assert c is not None
    form = rng.choice(DESCRIBED)
    has, has2, is_ = rng.choice(c.has), rng.choice(c.has), rng.choice(c.is_)
    kind, unknown = f"{article(c.category)} {c.category}", pseudo_word(rng)
    nouns = ["something", kind, kind, unknown, f"a {unknown}"] + (
        [] if c.withheld else [c.counted(1), c.name, f"a {c.name}"]
    )
    noun = rng.choice(nouns)
    facts = {
        f for slot, f in (("{has}", f"has:{has}"), ("{has2}", f"has:{has2}"), ("{is}", f"is:{is_}")) if slot in form
    } | ({f"tinted:{c.colour} {c.category}"} if "{colour} {category}" in form else set())
    if "{colour}" in form:
        facts.add(f"colour:{c.colour}")
    if "{n}" in form and noun == kind or "{category}" in form:
        facts.add(f"category:{c.category}")
    if "{n}" in form and c.name in noun and not c.withheld:
        facts.add(f"there:{c.name}")
    text = form.format(n=noun, has=has, has2=has2, is_=is_, colour=c.colour, category=c.category, **{"is": is_})
    return Phrase(text, frozenset(facts))


def _place(scene: Scene, rng: random.Random) -> Phrase:
    text = rng.choice(PLACED).format(p=scene.place, at=PLACES[scene.place])
    return Phrase(text, frozenset({f"place:{scene.place}"}))


def _type(scene: Scene, rng: random.Random) -> Phrase:
    assert scene.image_type in IMAGE_TYPES
    return Phrase(rng.choice(TYPED).format(t=scene.image_type), frozenset({f"type:{scene.image_type}"}))


def _total(scene: Scene, rng: random.Random) -> Phrase:
    n = len(scene.things)
    form = rng.choice([f for f in TOTALLED if ("is" in f) <= (n == 1) and ("are" in f) <= (n > 1)])
    return Phrase(form.format(n=NUMBERS[n]), frozenset({f"total:{n}"}))
