"""Which pipeline call a request becomes, checked before anything is drawn.

Part of `diffusion.py`. Sizes, steps and strengths; pictures and masks brought to the size of the drawing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from socratic.errors import BadInput
from socratic.regions import Mask
from socratic.tasks import Draw
from socratic.values import Picture

if TYPE_CHECKING:
    from PIL import Image

    from socratic.tools._diffusion_pipes import Kind, Pipes
    from socratic.tools._diffusion_text import Texts

_MOST_STEPS = 1000
_MOST_PIXELS = 2**24


@dataclass(frozen=True)
class Plan:
    """What drawings of one pipeline call have in common.

    Attributes:
        strength: of changes to a given picture; 1 without one.
    """

    kind: Kind
    width: int
    height: int
    steps: int
    guidance: float
    strength: float = 1.0
    own_steps: int = field(default=0, compare=False)

    @property
    def guided(self) -> bool:
        """Whether the negative prompt takes part (classifier-free guidance, Ho & Salimans 2022)."""
        return self.guidance > 1

    def arguments(self, pipes: Pipes) -> dict[str, Any]:
        """The arguments of the pipeline call, those that it takes."""
        given: dict[str, Any] = {
            "width": self.width,
            "height": self.height,
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "output_type": "np",
            **({} if self.kind == "text" else {"strength": self.strength}),
        }
        return {name: value for name, value in given.items() if pipes.takes(self.kind, name)}


@dataclass(frozen=True)
class Habits:
    """What a tool does with requests that leave it open.

    Attributes:
        steps, guidance: the tool's own; the pipeline's when 0 or absent.
        truncate: whether the end of a long prompt may be cut.
    """

    steps: int = 0
    guidance: float | None = None
    truncate: bool = False


def kind_of(item: Draw) -> Kind:
    """Which pipeline draws a request."""
    return "text" if item.init is None else "image" if item.mask is None else "repaint"


def plan(item: Draw, kind: Kind, pipes: Pipes, texts: Texts, habits: Habits) -> Plan:
    """Checks a request.

    Raises:
        BadInput: a size, number, prompt, picture or mask that cannot be used.
    """
    _check_mask(item)
    width, height = _size(item, pipes)
    if not -(2**63) <= item.seed < 2**64:
        raise BadInput(f"seed is {item.seed}", hint="a seed has at most 64 bits")
    steps = item.steps or habits.steps or int(pipes.default(kind, "num_inference_steps"))
    if not 0 < steps <= _MOST_STEPS:
        raise BadInput(f"steps is {steps}", hint=f"from 1 to {_MOST_STEPS}")
    chosen = habits.guidance if item.guidance is None else item.guidance
    chosen = pipes.default(kind, "guidance_scale") if chosen is None else chosen
    guided = float(chosen or 0.0)
    if not 0 <= guided < 1e4:
        raise BadInput(f"guidance is {guided}", hint="0 or more; 1 is none")
    strength = _strength(item, steps) if item.init else 1.0
    _check_texts(item, texts, guided, habits.truncate)
    return Plan(kind, width, height, steps, guided, strength, max(1, int(steps * strength)))


def _check_texts(item: Draw, texts: Texts, guidance: float, truncate: bool) -> None:
    if item.negative and not (texts.takes_negative and guidance > 1):
        raise BadInput(
            f"the negative prompt {item.negative[:60]!r} would have no effect",
            hint="ask for a guidance above 1" if texts.takes_negative else "this model takes none",
        )
    refusals = () if truncate else (texts.refusal(item.prompt), texts.refusal(item.negative))
    for refusal in refusals:
        if refusal:
            raise refusal


def _check_mask(item: Draw) -> None:
    if item.mask is None:
        return
    if item.init is None:
        raise BadInput("a mask without a picture", hint="give init, the picture whose part is repainted")
    if (item.mask.width, item.mask.height) != (item.init.width, item.init.height):
        raise BadInput(
            f"a mask of {item.mask.width} x {item.mask.height} for a picture of {item.init.width} x {item.init.height}",
            hint="a mask has the size of its picture",
        )


def _size(item: Draw, pipes: Pipes) -> tuple[int, int]:
    own = (item.init.width, item.init.height) if item.init else pipes.size
    width, height = item.width or own[0], item.height or own[1]
    factor = pipes.factor
    if width < 1 or height < 1 or width * height > _MOST_PIXELS:
        raise BadInput(f"a drawing of {width} x {height} pixels", hint=f"this model was made for {pipes.size}")
    if width % factor or height % factor:
        near = " or ".join(
            f"{side[0]} x {side[1]}"
            for side in sorted(
                {tuple(max(factor, (v + up) // factor * factor) for v in (width, height)) for up in (0, factor - 1)}
            )
        )
        raise BadInput(
            f"{width} x {height} pixels, and this model draws in multiples of {factor}", hint=f"ask for {near}"
        )
    return width, height


def _strength(item: Draw, steps: int) -> float:
    if not 0 < item.strength <= 1:
        raise BadInput(f"strength is {item.strength}", hint="above 0 (keep the picture) and at most 1 (draw anew)")
    if int(steps * item.strength) < 1:
        raise BadInput(
            f"strength {item.strength:g} of {steps} steps is less than one step",
            hint=f"take a strength of at least {1 / steps:.3g}, or more steps",
        )
    return item.strength


def fitted(picture: Picture, width: int, height: int) -> Image.Image:
    """The picture at the size of the drawing."""
    from PIL import Image

    same = (picture.width, picture.height) == (width, height)
    return picture.pil if same else picture.pil.resize((width, height), Image.Resampling.LANCZOS)


def mask_image(mask: Mask, width: int, height: int) -> Image.Image:
    """The mask at the size of the drawing, white where it is repainted."""
    from PIL import Image

    image = Image.fromarray(mask.pixels).convert("L")
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.NEAREST)
