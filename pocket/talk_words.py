"""Things, places and pictures as people name them in the lessons of the assistant, and what calls call them.

Words only; what is asked about them is decided in `talk_kinds.py`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from socratic import english
from socratic.pocket import told
from socratic.pocket.concepts import concepts, pluralised

ELSEWHERE = [
    "unicorn",
    "dragon",
    "robot",
    "person",
    "man",
    "woman",
    "child",
    "boy",
    "girl",
    "bridge",
    "river",
    "street",
    "door",
    "window",
    "wheel",
    "sword",
    "crown",
    "ghost",
    "pirate",
    "castle",
    "tower",
    "church",
    "ladder",
    "candle",
    "pencil",
    "bucket",
    "carpet",
    "mirror",
    "pillow",
    "basket",
    "hammer",
    "wallet",
    "pumpkin",
    "wizard",
    "monster",
    "train",
    "truck",
    "bus",
    "lorry",
    "wagon",
    "tractor",
    "horn",
    "bell",
    "fence",
    "flag",
    "letter",
    "stamp",
    "toy",
    "doll",
    "ball",
    "plate",
    "spoon",
    "fork",
    "glass",
    "cake",
    "bread",
    "goat",
    "wolf",
    "deer",
    "lizard",
    "beetle",
    "worm",
    "seal",
    "eagle",
    "donkey",
    "hamster",
    "beaver",
    "stork",
    "peacock",
    "goose",
    "cherry",
    "plum",
    "melon",
    "onion",
    "garlic",
    "cabbage",
    "pea",
    "bean",
    "nut",
    "rose",
    "daisy",
    "cactus",
    "leaf",
    "stone",
    "hill",
    "lake",
    "island",
    "volcano",
]
"""Things that the drawn world does not have."""
SAID = {
    "beach": ("on the beach", "at the beach", "on a sandy beach"), "meadow": ("in the meadow", "on a meadow", "on the meadow"),
    "desert": ("in the desert",), "sea": ("on the sea", "at the sea", "in the sea", "out at sea"),
    "snowfield": ("in the snowfield", "in the snow", "in snow"), "forest": ("in the forest", "in the woods"),
    "city": ("in the city", "in town"), "kitchen": ("in the kitchen",),
    "night sky": ("under the night sky", "at night", "in the night sky"), "sunset": ("in the sunset", "at a sunset", "before a sunset"),
}  # fmt: skip
ORDINALS = ("first", "second", "third", "fourth")
EARLIER = ("the one before", "the previous picture", "the picture before", "the earlier picture", "the earlier one", "the picture before this one", "the one before this")  # fmt: skip
FIRST = ("the very first picture", "the very first one", "the oldest picture", "the picture from the beginning")  # fmt: skip
GENERIC = ("the picture", "the picture", "this picture", "the image", "this image", "it", "it", "this", "this photo", "the photo", "my picture", "that picture", "this one")  # fmt: skip
INSIDE = ("", "", "", "in the picture", "in the picture", "in this picture", "in it", "here", "in the image", "in this image", "there", "in the photo", "on the picture", "on it", "in my picture", "in this one")  # fmt: skip
COLOURS = ("red", "blue", "green", "yellow", "orange", "pink", "purple", "black", "white", "brown", "grey")


@dataclass(frozen=True)
class Things:
    """One or two things, in every form that a wording needs."""

    names: tuple[str, ...]
    rng: random.Random

    def slots(self) -> dict[str, str]:
        both = self.rng.choice((" and ", " and ", " or "))
        the = [f"the {n if self.rng.random() < 0.7 else plural(n)}" for n in self.names]
        return {
            "xs": both.join(self._many(n) for n in self.names), "x": both.join(told.one(n) for n in self.names),
            "the": " and ".join(the), "n": " and ".join(self.names),
        }  # fmt: skip

    def _many(self, name: str) -> str:
        c = concepts().get(name)
        return f"{pluralised(c.unit)} of {name}" if c and c.unit and self.rng.random() < 0.3 else plural(name)


def plural(name: str) -> str:
    """`dogs`, `mice`, also of what is unknown."""
    return concepts()[name].plural if name in concepts() else english.plural(name)


def names() -> tuple[str, ...]:
    """Everything that a request may name."""
    return (*concepts(), *ELSEWHERE)
