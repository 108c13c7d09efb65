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
EARLIER = (
    "the one before", "the previous picture", "the picture before", "the earlier picture", "the earlier one", "the picture before this one",
    "the one before this", "the previous one", "the previous image", "the previous photo", "the older picture", "the older one",
    "the older image", "the older photo", "the earlier image", "the earlier photo", "the preceding picture", "the last but one",
    "the one from before", "the picture from before",
)  # fmt: skip
FIRST = (
    "the very first picture", "the very first one", "the oldest picture", "the picture from the beginning", "my first picture",
    "my first photo", "the one i started with", "the first one i sent", "the first one i gave you", "the initial picture", "the oldest one",
)  # fmt: skip
LATEST = ("this one", "this one", "this picture", "this", "the new one", "the latest one", "the last one", "the newest picture")  # fmt: skip
GENERIC = (
    "the picture", "the picture", "the picture", "this picture", "this picture", "the image", "the image", "this image", "it", "it", "it", "this",
    "this", "this photo", "the photo", "my picture", "that picture", "this one", "this one", "this pic", "the pic", "this shot", "the shot",
    "this snap", "the scene", "my photo", "my image", "the photograph", "this photograph", "that photo",
)  # fmt: skip
INSIDE = (
    "", "", "", "", "", "in the picture", "in the picture", "in the picture", "in this picture", "in this picture", "in it", "in it", "here", "here",
    "in the image", "in the image", "in this image", "there", "in the photo", "in this photo", "on the picture", "on it", "in my picture",
    "in this one", "in this pic", "in the shot", "in this shot", "in the scene", "in my photo", "on this photo", "in the photograph",
    "within the picture", "inside the picture", "in that picture",
)  # fmt: skip
WITHOUT = (
    " without {x}", " without {xs}", " without any {xs}", " but no {xs}", ", but without {xs}", ", no {xs}", " but not {xs}", " and no {xs}",
    ", leaving out those with {x}", ", leave out the ones with {xs}", " except those with {xs}", ", and there must not be {x}",
    ", only skip the ones where {x} turns up", ", not the ones with {xs}", " that don't have {x}", " that do not show {xs}",
    " with no {x} in sight", " where there is no {x}", ", {xs} excluded", ", excluding {xs}", " minus the ones with {xs}", ", nothing with {xs}",
    " free of {xs}", ", provided there is no {x}", ", avoiding {xs}", ", ignore those with {x}", ", as long as no {x} is in it",
    ", i don't want {xs} in them", " lacking {xs}", ", {xs} must not be in there",
)  # fmt: skip
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

    def apart(self) -> dict[str, str]:
        """The slots of wordings that say two things one by one."""
        one, other = self.names
        return {"xs": self._many(one), "ys": self._many(other), "n": one, "m": other}

    def _many(self, name: str) -> str:
        c = concepts().get(name)
        return f"{pluralised(c.unit)} of {name}" if c and c.unit and self.rng.random() < 0.3 else plural(name)


def plural(name: str) -> str:
    """`dogs`, `mice`, also of what is unknown."""
    return concepts()[name].plural if name in concepts() else english.plural(name)


def names() -> tuple[str, ...]:
    """Everything that a request may name."""
    return (*concepts(), *ELSEWHERE)
