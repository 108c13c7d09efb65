"""Changes a given picture: the whole of it, or only what a phrase names.

The whole picture is changed by SDEdit (Meng et al. 2022, arXiv:2108.01073). A part is found, cut out and painted anew,
as Grounded SAM does (Ren et al. 2024, arXiv:2401.14159):

1. The detector finds what the phrases name, all in one pass, and the segmenter cuts it out.
2. The mask is grown a little, so that the old outline is painted over.
3. The generator repaints it, and the new part is pasted into the old picture: outside the mask no pixel changes, and the
   picture keeps its size.

Limits: the words say what is to be seen afterwards; they are no command. What is not found cannot be changed. A whole
picture comes back in a size that the generator draws in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from socratic import consult
from socratic.capability import Detector, Generator, Segmenter
from socratic.claims import without
from socratic.errors import BadInput, ToolError
from socratic.locks import excluded, locks
from socratic.patches import drawable, grown, joined, pasted
from socratic.recipe import recipe
from socratic.regions import Mask, Regions
from socratic.tasks import Cut, Draw
from socratic.transcript import Transcript, Turn
from socratic.values import Drawing, Picture


@dataclass(frozen=True)
class Edited:
    """The changed pictures in the order of their seeds.

    Attributes:
        regions: what was painted anew, with masks; empty where the whole picture was changed.
        missed: phrases that nothing was found for.
    """

    prompt: str
    picture: Picture
    regions: Regions
    drawings: tuple[Drawing, ...]
    missed: tuple[str, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "; ".join(d.say() for d in self.drawings)

    def as_dict(self) -> dict[str, Any]:
        images = [d.as_dict() for d in self.drawings]
        return {"prompt": self.prompt, "images": images, "missed": list(self.missed), **self.regions.as_dict()}


@recipe
def edit(
    picture: Picture,
    prompt: str,
    *,
    phrases: Sequence[str] = (),
    n: int = 1,
    seed: int = 0,
    negative: str = "",
    strength: float = 0.0,
    grow: float = 0.03,
    longest: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    threshold: float | None = None,
    exclusions: Literal["negative", "text"] = "negative",
    generator: Generator,
    detector: Detector,
    segmenter: Segmenter,
    talk: Transcript,
) -> Edited:
    """Changes a picture, or the part of it that phrases name.

    Args:
        picture: what to change.
        prompt: what is to be seen afterwards: in the whole picture, or in the part.
        phrases: what to paint anew, e.g. `dog`; the whole picture when there is none.
        n: how many versions; their seeds are `seed`, `seed + 1` and so on.
        seed: the same seed gives the same change.
        negative: what must not be drawn.
        strength: how far from the old picture the new one may go, in (0, 1]; 0.6 for a whole and 1 for a part when 0.
        grow: by how much the mask grows, as a share of the longer side.
        longest: the longer side, in pixels, that is drawn in; the picture's own when 0.
        steps: denoising steps; the model's own when 0.
        guidance: how closely to follow the words; the model's own when absent.
        threshold: the least score of the detector's boxes.
        exclusions: `without people` goes to the negative prompt, or is left to the text for generators that take none.
    """
    if n < 1:
        raise BadInput(f"n must be at least 1, not {n}")
    if not 0 <= strength <= 1 or not 0 <= grow <= 1:
        raise BadInput(f"strength is {strength} and grow is {grow}", hint="both lie between 0 and 1")
    told = talk.state("prompt", "user", [prompt], lambda: (prompt, {})).text.strip()
    if not told:
        raise BadInput("there is no word of what to draw", hint='say what is to be seen, e.g. "a red car"')
    regions = _found(picture, phrases, threshold, detector, segmenter, talk) if phrases else Regions(picture.width, picture.height)  # fmt: skip
    mask = _mask_of(regions, round(grow * max(picture.width, picture.height))) if phrases else None
    width, height = drawable(picture.width, picture.height, longest)
    text, kept_out = (told, negative)
    if exclusions == "negative":
        text, kept_out = without(told)[0] or told, ", ".join(filter(None, (negative, *excluded(locks(told)))))
    drawn = Draw(text, kept_out, width, height, seed, steps, guidance, picture, mask, strength or (1.0 if mask else 0.6))  # fmt: skip
    drawings = consult.draw(talk, generator, [replace(drawn, seed=seed + i) for i in range(n)])
    if mask:
        drawings = [_pasted(picture, drawing, mask, talk) for drawing in drawings]
    missed = tuple(p for p in phrases if p not in regions.counts)
    return Edited(told, picture, regions, tuple(drawings), missed, talk)


def _found(
    picture: Picture, phrases: Sequence[str], threshold: float | None, detector: Detector, segmenter: Segmenter,
    talk: Transcript,
) -> Regions:  # fmt: skip
    """What the phrases name, with masks.

    Raises:
        BadInput: there is none of it in the picture.
    """
    found = consult.find(talk, detector, picture, phrases, threshold)
    if not len(found):
        raise BadInput(
            f"nothing in the picture was found for {', '.join(map(repr, phrases))}, so nothing was changed",
            hint="use another word, lower the threshold, or leave the phrases out to change the whole picture",
        )
    masks = consult.cut(talk, segmenter, Cut(picture, tuple(r.box for r in found)))
    return replace(found, found=tuple(replace(r, mask=m.mask) for r, m in zip(found, masks, strict=True)))


def _mask_of(regions: Regions, grow: int) -> Mask:
    """All that was cut out as one mask.

    Raises:
        ToolError: the segmenter marked no pixel.
    """
    masks = [r.mask for r in regions if r.mask is not None and r.mask.area]
    if not masks:
        raise ToolError("the segmenter marked no pixel of what was found", hint="use another word, or a larger model")
    return grown(joined(masks), grow)


def _pasted(picture: Picture, drawing: Drawing, mask: Mask, talk: Transcript) -> Drawing:
    """The old picture with the new part; a turn of its own, since it is not what the generator gave."""
    made = replace(drawing, picture=pasted(picture, drawing.picture, mask, soft=1))
    talk.pictures.append(made.picture)
    talk.add(Turn(f"edited {drawing.seed}", "edit", made.say(), evidence=made.as_dict()))
    return made
