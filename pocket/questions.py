"""What the pocket answerer is asked and taught to say about a scene: captions, and questions of every kind.

Things are told in reading order (upper row first, then from the left), so that there is one right sentence for a
picture. A withheld concept is told by colour and category, never by name. Paints and trains nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable

from socratic.pocket.concepts import NUMBERS, Concept, article, concepts, known, pluralised
from socratic.pocket.phrases import distort, say
from socratic.pocket.scenes import PLACES, Scene, Thing, joined
from socratic.regions import Box, Regions

Asked = tuple[str, str]
KINDS = ("what", "how many", "which colour", "is there", "where")


def caption(scene: Scene) -> str:
    """`a cat and two dogs on a beach`."""
    return f"{listing(scene)} {PLACES[scene.place]}"


def listing(scene: Scene) -> str:
    """Everything that is there, in reading order."""
    counts = Counter(t.name for t in reading_order(scene.things))
    return joined([_counted(concepts()[name], n) for name, n in counts.items()])


def question(scene: Scene, rng: random.Random, kind: str = "") -> Asked | None:
    """A question of a kind with its answer; None where the scene has no clear question of this kind."""
    return _MAKERS[kind or rng.choice((*KINDS, "is there", "true"))](scene, rng)


def reading_order(things: Iterable[Thing]) -> list[Thing]:
    """Rows from above, each from the left. Things of a row stand at most a quarter of the picture apart in height."""
    rows: list[list[Thing]] = []
    for thing in sorted(things, key=lambda t: t.y):
        if not rows or thing.y - rows[-1][0].y > 0.25:
            rows.append([])
        rows[-1].append(thing)
    return [thing for row in rows for thing in sorted(row, key=lambda t: t.x)]


def _counted(c: Concept, n: int) -> str:
    if not c.withheld:
        return c.counted(n)
    kind = f"{c.colour} {c.category}"
    return f"{article(kind)} {kind}" if n == 1 else f"{NUMBERS[n]} {c.colour} {pluralised(c.category)}"


def _named(scene: Scene) -> list[Concept]:
    return [concepts()[n] for n in scene.counts if not concepts()[n].withheld]


def _many(c: Concept) -> str:
    return f"{pluralised(c.unit)} of {c.name}" if c.unit else c.plural


def place_of(thing: Thing) -> str | None:
    """Where a thing stands, by thirds as `Regions` tells it; None within a twentieth of a border."""
    if any(abs(v - border) < 0.05 for v in (thing.x, thing.y) for border in (1 / 3, 2 / 3)):
        return None
    return Regions(3, 3).place_of(Box(3 * thing.x, 3 * thing.y, 3 * thing.x, 3 * thing.y))


def _what(scene: Scene, rng: random.Random) -> Asked | None:
    thing = rng.choice(scene.things)
    where = place_of(thing)
    alone = where and sum(place_of(t) in (where, None) for t in scene.things) == 1
    if alone and rng.random() < 0.6:
        return f"What is {where}?", _counted(concepts()[thing.name], 1)
    return rng.choice(("What is in the picture?", "What can be seen?", "What is this?")), listing(scene)


def _how_many(scene: Scene, rng: random.Random) -> Asked | None:
    named = _named(scene)
    if not named or rng.random() < 0.15:
        return rng.choice(("How many things are there?", "How many objects are in the picture?")), NUMBERS[len(scene.things)]  # fmt: skip
    c = rng.choice(named)
    if rng.random() < 0.2:
        c = _absent(scene, rng)
    form = rng.choice(("How many {x} are there?", "How many {x} are there?", "How many {x} are in the picture?", "How many {x} can be seen?"))  # fmt: skip
    return form.format(x=_many(c)), NUMBERS[scene.counts[c.name]] if scene.counts[c.name] else "none"


def _which_colour(scene: Scene, rng: random.Random) -> Asked | None:
    named = _named(scene)
    if not named:
        return None
    c = rng.choice(named)
    form = rng.choice(("What colour is the {x}?", "Which colour has the {x}?", "What is the colour of the {x}?"))
    return form.format(x=c.name), c.colour


def _is_there(scene: Scene, rng: random.Random) -> Asked | None:
    named, kind = _named(scene), rng.random()
    if kind < 0.1:
        place = rng.choice((scene.place, rng.choice(list(PLACES))))
        return f"Is this {article(place)} {place}?", "yes" if place == scene.place else "no"
    if kind < 0.2:
        c = concepts()[rng.choice(list(scene.counts))] if rng.random() < 0.5 else _absent(scene, rng)
        there = any(concepts()[n].category == c.category for n in scene.counts)
        return f"Is there {article(c.category)} {c.category}?", "yes" if there else "no"
    c = rng.choice(named) if named and rng.random() < 0.5 else _absent(scene, rng)
    form = rng.choice(("Is there {x} in the picture?", "Is there {x}?", "Can you see {x}?", "Does the picture show {x}?"))  # fmt: skip
    return form.format(x=c.counted(1)), "yes" if c.name in scene.counts else "no"


def _where(scene: Scene, rng: random.Random) -> Asked | None:
    single = [t for t in scene.things if scene.counts[t.name] == 1 and not concepts()[t.name].withheld and place_of(t)]
    if len(scene.things) > 1 and single and rng.random() < 0.65:
        thing = rng.choice(single)
        return f"Where is the {thing.name}?", place_of(thing) or ""
    if rng.random() < 0.3:
        return rng.choice(("What kind of picture is this?", "Is this a photo, a cartoon, a sketch or a painting?")), scene.image_type  # fmt: skip
    return rng.choice(("Where is this?", "Where was this picture taken?", "What place is it?")), PLACES[scene.place]


def _is_true(scene: Scene, rng: random.Random) -> Asked | None:
    """A whole sentence, true or with one thing changed."""
    if any(concepts()[n].withheld for n in scene.counts):
        return None
    text = caption(scene) if rng.random() < 0.5 else listing(scene)
    wrong = rng.random() < 0.5
    if wrong:
        text = distort(scene, rng).text.rstrip(".")
    elif rng.random() < 0.3:
        text = say(scene, rng).text.rstrip(".")
    return f'Is this true: "{text}"?', "no" if wrong and not _holds(scene, text) else "yes"


def _holds(scene: Scene, text: str) -> bool:
    """Whether a distorted caption came out true after all."""
    return text in (caption(scene), listing(scene))


def _absent(scene: Scene, rng: random.Random) -> Concept:
    return rng.choice([c for c in known() if c.name not in scene.counts])


_MAKERS: dict[str, Callable[[Scene, random.Random], Asked | None]] = {
    "what": _what, "how many": _how_many, "which colour": _which_colour, "is there": _is_there, "where": _where,
    "true": _is_true,
}  # fmt: skip
