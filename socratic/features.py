"""What a model saw in a picture, remembered for a while, so that each picture is encoded once per model.

A vision tower is most of the cost of an answer or a mask; questions, boxes and points on the same picture share
it. Lives inside a tool and is used under its lock; holds no more than `most` pictures, the oldest go first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from socratic.tool import Calls
from socratic.values import Picture

Feature = TypeVar("Feature")


class PictureFeatures(Generic[Feature]):
    """Features by picture."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._kept: OrderedDict[str, Feature] = OrderedDict()

    def of(
        self, pictures: Sequence[Picture], encode: Callable[[list[Picture]], Sequence[Feature]], calls: Calls
    ) -> list[Feature]:
        """The features of each picture, in order; those not known yet are encoded in one go.

        Args:
            encode: one forward pass of the vision tower over different pictures.
            calls: where that pass is counted.
        """
        fresh = {p.sha256: p for p in pictures if p.sha256 not in self._kept}
        made: dict[str, Feature] = {}
        if fresh:
            made = dict(zip(fresh, encode(list(fresh.values())), strict=True))
            calls.items += len(fresh)
            calls.forwards += 1
        found = [made[p.sha256] if p.sha256 in made else self._kept[p.sha256] for p in pictures]
        self._keep(pictures, found)
        return found

    def _keep(self, pictures: Sequence[Picture], features: Sequence[Feature]) -> None:
        for picture, feature in zip(pictures, features, strict=True):
            self._kept[picture.sha256] = feature
            self._kept.move_to_end(picture.sha256)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
