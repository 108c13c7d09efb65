"""What a conversation of the lessons knows: its pictures by handle, what they show, and what was talked about.

Makes up pictures, things, facts and places, and says them as people do and as a call must name them. Asks nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socratic.assistant.album import Entry
from socratic.assistant.store import Origin
from socratic.pocket import told
from socratic.pocket.concepts import NUMBERS, article, known, withheld
from socratic.pocket.scenes import IMAGE_TYPES, PLACES, joined, plan
from socratic.pocket.talk_words import (
    COLOURS,
    EARLIER,
    ELSEWHERE,
    FIRST,
    GENERIC,
    INSIDE,
    LATEST,
    ORDINALS,
    SAID,
    WITHOUT,
    Things,
    plural,
)
from socratic.pocket.talk_words import names as all_names


@dataclass(frozen=True)
class Turn:
    """A request with its call, what the tool said, and the answer.

    Attributes:
        pictures_before: those that there were when it was asked.
        fresh: those that the tool made or found.
        names: the things it was about.
        content: what the newest picture shows from then on, in words.
        account: what an explanation says afterwards, and the answer to it.
    """

    kind: str
    said: str
    answer: str
    call: tuple[str, dict[str, Any]] | None = None
    told: str = ""
    pictures_before: tuple[Entry, ...] = ()
    fresh: tuple[Entry, ...] = ()
    names: tuple[str, ...] = ()
    content: str = ""
    account: tuple[str, str] | None = None
    handle: str = ""


@dataclass(frozen=True)
class Seen:
    """How a request names a picture; `named` where the call must."""

    handle: str
    words: str
    inside: str
    named: bool


@dataclass(frozen=True)
class Content:
    """What a picture is known to show, from the words it was drawn from."""

    names: tuple[str, ...]
    listing: str


class Desk:
    """The pictures and topics of one conversation."""

    def __init__(self, rng: random.Random, most: int = 4) -> None:
        self.rng = rng
        self.pictures: list[Entry] = []
        self.known: dict[str, str] = {}
        self.run: tuple[str, str] | None = None
        self.names: tuple[str, ...] = ()
        self._pictures = 0 if rng.random() < 0.9 else rng.randrange(40)
        for _ in range(rng.choices(range(most + 1), weights=(18, 36, 25, 12, 9)[: most + 1])[0]):
            self._begin()

    def _begin(self) -> None:
        weights = (60, 24, 8 if self.pictures else 0, 8)
        kind = self.rng.choices(("given", "drawn", "changed", "found"), weights=weights)[0]
        words = self.request()[1] if kind in ("drawn", "changed") else self.file()
        parents = (self.latest.handle,) if kind == "changed" else ()
        self.pictures.append(self.entry(kind, words, parents))
        if kind == "drawn":
            self.known[self.pictures[-1].handle] = words

    @property
    def latest(self) -> Entry:
        return self.pictures[-1]

    @property
    def shown(self) -> list[Entry]:
        """The latest pictures, those that the assistant tells."""
        return self.pictures[-4:]

    def take(self, turn: Turn) -> None:
        """Goes on after a turn."""
        self.pictures += turn.fresh
        if turn.content:
            self.known[turn.fresh[-1].handle if turn.fresh else turn.handle] = turn.content
        self.run = turn.account or self.run
        self.names = turn.names or self.names

    def turn(self, kind: str, said: str, call: tuple[str, dict[str, Any]], say: str, answer: str, **more: Any) -> Turn:
        return Turn(kind, said, answer, call, say, tuple(self.pictures), **more)

    def fresh_handle(self) -> str:
        """The next number, as `socratic/assistant/numbers.py` counts the pictures of a conversation."""
        self._pictures += 1
        return f"img:{self._pictures}"

    def entry(self, kind: str, words: str, parents: tuple[str, ...] = ()) -> Entry:
        return Entry(self.fresh_handle(), "", Origin(kind, words, parents))

    def file(self) -> str:
        """A file's name, as harmless as `file_words` makes it."""
        stem = self.rng.choice(("scene-{n}", "scene-{n}", "scene-{n}", "IMG_{n}", "holiday", "photo-{n}", "{thing}", "my-{thing}", "drawing-{n}", "DSC{n}", "untitled", "zoo {n}", "a {thing} at home", "old", "test{n}", "pocket-{n}"))  # fmt: skip
        digits = self.rng.choice((1, 1, 10, 10, 100, 100, 1000, 1000, 10000, 10_000_000))
        named = stem.format(n=self.rng.randrange(digits, 10 * digits), thing=self.name().replace(" ", "-"))
        return f"{named}.{self.rng.choice(('png', 'png', 'png', 'jpg', 'jpeg', 'webp'))}"

    def name(self) -> str:
        """A thing: mostly known, now and then from outside the drawn world."""
        chance = self.rng.random()
        if chance > 0.92:
            return self.rng.choice(ELSEWHERE)
        return self.rng.choice(known() if chance < 0.88 else withheld()).name

    def things(self, most: int = 2, name: str = "") -> Things:
        first = name or self.name()
        names = (first, self.name()) if most > 1 and not name and self.rng.random() < 0.2 else (first,)
        return Things(tuple(dict.fromkeys(names)), self.rng)

    def scene(self) -> str:
        """A caption as the captioner writes it."""
        return plan(self.rng.randrange(10**9), "train", pool=known()).caption()

    def at(self, place: str) -> str:
        """A place as people say it."""
        return PLACES[place] if self.rng.random() < 0.6 else self.rng.choice(SAID[place])

    def listing(self, most: int = 2) -> tuple[str, str]:
        """Some things as they are said, and as a call names them."""
        said, meant = [], []
        for name in dict.fromkeys(self.name() for _ in range(self.rng.choice((1, 1, 2, most)))):
            n = self.rng.choices((1, 2, 3, 4), weights=(74, 14, 8, 4))[0]
            text = told.one(name) if n == 1 else told.many(name, n)
            meant.append(text)
            loose = name if n == 1 else text.replace(NUMBERS[n], str(n), 1)
            said.append(loose if self.rng.random() < 0.08 and not loose.startswith("pair") else text)
        return joined(said), joined(meant)

    def request(self) -> tuple[str, str]:
        """What is to be drawn, as it is said and as a call says it."""
        said, meant = self.listing(3)
        if self.rng.random() < 0.12:
            manner = f"a {self.rng.choice(IMAGE_TYPES)} of "
            said, meant = manner + said, manner + meant
        if self.rng.random() < 0.2:
            return said, meant
        place = self.rng.choice(list(PLACES))
        return f"{said} {self.at(place)}", f"{meant} {PLACES[place]}"

    def wanted(self) -> tuple[str, str, list[str]]:
        """What is to be found: as it is said, the text, and what must not be there."""
        names = list(dict.fromkeys(self.name() for _ in range(self.rng.choice((1, 1, 1, 2)))))
        many = self.rng.random() < 0.4
        said = joined([plural(n) if many else told.one(n) for n in names])
        text = joined([told.one(n) for n in names])
        if self.rng.random() < 0.35:
            place = self.rng.choice(list(PLACES))
            said, text = f"{said} {self.at(place)}", f"{text} {PLACES[place]}"
        elif self.rng.random() < 0.1:
            place = self.rng.choice(list(PLACES))
            said, text = told.one(place), told.one(place)
        if self.rng.random() > 0.22:
            return said, text, []
        name = self.name()
        words = self.rng.choice(WITHOUT)
        return said + words.format(x=told.one(name), xs=plural(name)), text, [name]

    def facts(self) -> tuple[str, str]:
        """What may be true of a picture: as it is said, and the prompt of the check."""
        chance = self.rng.random()
        if chance < 0.05:
            name = self.name()
            return f"no {name}", f"no {name}"
        if chance < 0.1:
            name = self.name()
            return f"{self.rng.choice(('', 'any ', 'some '))}{plural(name)}", told.one(name)
        if chance < 0.17:
            colour, name = self.rng.choice(COLOURS), self.name()
            return (f"{article(colour)} {colour} {name}",) * 2
        if chance < 0.23:
            text = f"{told.one(self.name())} {self.rng.choice(('left of', 'right of', 'above', 'below'))} {told.one(self.name())}"
            return text, text
        said, meant = self.listing(2)
        if self.rng.random() < 0.55:
            return said, meant
        place = self.rng.choice(list(PLACES))
        return f"{said} {self.at(place)}", f"{meant} {PLACES[place]}"

    def edit_slots(self, name: str, by_pronoun: bool) -> dict[str, str]:
        """The slots of a change; `key` is the place's name."""
        new, place = self.rng.choice(known()).name, self.rng.choice(list(PLACES))
        the = self.rng.choice(("it", "it", "that", "that one", "this one", "this")) if by_pronoun else f"the {name}"
        return {
            "the": the, "n": name, "new": told.one(new), "newn": new, "key": place, "at": self.at(place),
            "place": self.rng.choice((told.one(place), f"the {place}")), "colour": self.rng.choice(COLOURS),
        }  # fmt: skip

    def content(self, handle: str = "") -> Content | None:
        """What a picture is known to show; the latest one when none is named."""
        words = self.known.get(handle or self.latest.handle, "")
        words = words.split(" of ", 1)[1] if words.startswith(tuple(f"a {t} of " for t in IMAGE_TYPES)) else words
        listing = next((words.removesuffix(f" {at}") for at in PLACES.values() if words.endswith(at)), words)
        names = tuple(n for n in all_names() if told.one(n) in listing)
        longest = tuple(n for n in names if not any(n != m and n in m for m in names))
        return Content(longest, listing) if longest else None

    def picked(self) -> Seen | None:
        """A picture and how it is named; the latest one mostly, by no name."""
        if not self.pictures:
            return None
        n = len(self.shown)
        if self.rng.random() > (0.5 if n > 1 else 0.06):
            kind = self.latest.origin.kind
            more = (
                ("the drawing", "your drawing")
                if kind == "drawn"
                else ("the latest picture", "the last picture")
                if n > 1
                else ()
            )
            words = self.rng.choice((*GENERIC, *more))
            inside = self.rng.choice((*INSIDE, *(f"in {m}" for m in more)))
            return Seen(self.latest.handle, words, inside, False)
        return self.named(self.rng.randrange(n))

    def unnamed(self) -> Seen:
        """The latest picture, by no name."""
        return Seen(self.latest.handle, self.rng.choice(GENERIC), self.rng.choice(INSIDE), False)

    def named(self, i: int) -> Seen:
        """A picture by a name of its own."""
        e, n = self.shown[i], len(self.shown)
        groups: list[tuple[str, ...]] = [(e.handle,)]
        if n > 1:
            groups += [tuple(f"the {ORDINALS[i]} {w}" for w in ("picture", "one", "image", "photo", "pic", "shot"))] * 3
            groups += [tuple(f"{w} {k}" for w in ("picture", "image") for k in (str(i + 1), NUMBERS[i + 1]))]
            groups += [EARLIER] * 3 if i == n - 2 else []
            groups += [FIRST] if i == 0 else []
        if e.origin.kind in ("given", "found"):
            groups += [(e.origin.words,)] * 2
        same = sum(p.origin.kind == e.origin.kind for p in self.shown)
        unique: Mapping[str, tuple[str, ...]] = {
            "given": ("my own picture", "the picture i gave you", "the one i gave you", "the original", "the picture from me", "the one i sent", "the photo i sent", "the one i uploaded"),
            "drawn": ("the drawing", "the drawn one", "the picture you drew", "the one you drew", "your drawing"),
            "changed": ("the changed picture", "the changed one", "the edited picture"),
            "found": ("the found picture", "the one you found", "the picture from the folder"),
        }  # fmt: skip
        groups += [unique[e.origin.kind]] * 2 if same == 1 and n > 1 else []
        words = self.rng.choice(self.rng.choice(groups))
        return Seen(e.handle, words, f"{self.rng.choice(('in', 'in', 'on'))} {words}", True)

    def pair(self) -> tuple[Seen, Seen, str]:
        """Two pictures by name, and words for the two latest."""
        i, j = self.rng.sample(range(len(self.shown)), 2)
        both = ("the two pictures", "these pictures", "the last two", "the two", "these two", "both", "both pictures", "the two images", "the last two pictures", "these images", "the pictures", "them", "the pair", "those two", "the two photos", "these two photos", "my two pictures", "the two shots", "both images")  # fmt: skip
        one, other = self.named(i), self.named(j)
        latest = {i, j} == {len(self.shown) - 2, len(self.shown) - 1}
        if latest and self.rng.random() < 0.25:
            new, old = self.rng.choice(LATEST), self.rng.choice(EARLIER)
            one, other = Seen(one.handle, new, "", True), Seen(other.handle, old, "", True)
        elif latest and self.rng.random() < 0.3:
            other = Seen(other.handle, self.rng.choice(("the other one", "the other", "the other picture")), "", True)
        return one, other, self.rng.choice(both)

    def account(self, recipe: str, said: str, asked: str = "") -> tuple[str, str]:
        """What an explanation says of a run, and the answer to it."""
        return told.accounted(self.rng, recipe, said, asked)
