"""A recipe that looks with CLIP, detector and SAM and has a language model put it into words last. Not a test."""

from __future__ import annotations

from experiment_recipe import Said

from socratic import consult
from socratic.ask import ask
from socratic.capability import Detector, Embedder, Segmenter, Writer
from socratic.eyes import Eyes
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.regions import Box
from socratic.tasks import Cut
from socratic.transcript import Transcript
from socratic.values import Picture

PLACES = ("meadow", "beach", "street", "forest", "night sky")


@recipe
def look(
    picture: Picture, *, prompt: str, embedder: Embedder, detector: Detector, segmenter: Segmenter, writer: Writer, talk: Transcript
) -> Said:  # fmt: skip
    """Tells in a sentence what is there and where."""
    place = Eyes(embedder, picture, talk).one("place", PLACES, "Photo of a {}.")
    found = consult.find(talk, detector, picture, ("dog", "cow", "lemon"))
    boxes = tuple(region.box for region in found) or (Box(0, 0, picture.width, picture.height),)
    consult.cut(talk, segmenter, Cut(picture, boxes))
    return Said(str(ask(talk, writer, load(prompt), "sentence", place=place, things=found.say())), talk)
