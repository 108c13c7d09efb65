"""Draws by a plan: a language model says where each thing stands, and each is painted into its box.

LLM-grounded diffusion (Lian et al. 2023, arXiv:2305.13655), in pixels: the background is drawn first, then every thing
is painted over its own box, the largest first. So numbers, colours and places hold that one prompt would mix up.

1. The writer proposes a background and a box for each single thing, as JSON. What cannot be read is asked once more.
2. The plan is held against the request: every thing in its number and colour, left, right, above and below as they were
   asked for, nothing excluded, nothing twice. A wrong plan is asked for once more, with what is wrong.
3. Each box is brought into the picture by itself; one bad box moves no other.
4. The background and the things are drawn. Outside a box nothing changes.

Limits: needs a generator that repaints parts. Light and shadow do not cross the borders of boxes, and things that touch
or hold each other fit badly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from socratic import consult
from socratic.ask import ask
from socratic.capability import Generator, Writer
from socratic.claims import claims, without
from socratic.errors import BadInput, BudgetExceeded, ReplyError
from socratic.locks import Lock, excluded, locks, lost
from socratic.patches import box_mask, pasted
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.regions import Box, Region, Regions
from socratic.tasks import Draw
from socratic.transcript import Transcript
from socratic.values import Drawing

LEAST = 8.0
"""The least width and height of a box, in hundredths of the picture."""


@dataclass(frozen=True)
class LaidOut:
    """The pictures in the order of their seeds, and their plan.

    Attributes:
        regions: where each thing was painted, in pixels.
        moved: things whose box did not lie in the picture.
        stopped: why something was not painted, or empty.
    """

    prompt: str
    background: str
    regions: Regions
    drawings: tuple[Drawing, ...]
    moved: tuple[str, ...]
    stopped: str
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "; ".join(d.say() for d in self.drawings)

    def as_dict(self) -> dict[str, Any]:
        layout = {"background": self.background, "moved": list(self.moved), **self.regions.as_dict()}
        images = [{**d.as_dict(), "score": None} for d in self.drawings]
        return {"prompt": self.prompt, "rewritten": None, "images": images, "layout": layout, "stopped": self.stopped or None}  # fmt: skip


@dataclass(frozen=True)
class _Plan:
    """What the writer proposed: boxes are x, y, width, height in hundredths, each within the picture."""

    background: str
    things: tuple[tuple[str, tuple[float, float, float, float]], ...]
    moved: tuple[str, ...]


@recipe
def generate_layout(
    prompt: str,
    *,
    n: int = 1,
    seed: int = 0,
    negative: str = "",
    width: int = 0,
    height: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    strength: float = 1.0,
    generator: Generator,
    writer: Writer,
    talk: Transcript,
) -> LaidOut:
    """Draws what the prompt says with every thing in a box of its own.

    Args:
        prompt: what to draw.
        n: how many pictures of one plan; their seeds are `seed`, `seed + 1` and so on.
        seed: the same seed and plan give the same picture.
        negative: what must not be drawn.
        width: in pixels; the model's own when 0.
        height: in pixels; the model's own when 0.
        steps: denoising steps; the model's own when 0.
        guidance: how closely to follow the words; the model's own when absent.
        strength: how much of the background a box may lose, in (0, 1].
    """
    if n < 1:
        raise BadInput(f"n must be at least 1, not {n}")
    told = talk.state("prompt", "user", [prompt], lambda: (prompt, {})).text.strip()
    if not told:
        raise BadInput("there is nothing to draw", hint='give a prompt, e.g. "a cat on a beach"')
    plan = _planned(told, writer, talk)
    kept_out = ", ".join(filter(None, (negative, *excluded(locks(told)))))
    draw = Draw(plan.background, kept_out, width, height, seed, steps, guidance)
    drawings = consult.draw(talk, generator, [replace(draw, seed=seed + i) for i in range(n)], "background")
    size = drawings[0].picture
    regions = Regions(size.width, size.height, tuple(Region(w, 1.0, _pixels(b, size.width, size.height)) for w, b in plan.things))  # fmt: skip
    drawings, stopped = _painted(drawings, regions, replace(draw, strength=strength), generator, talk)
    return LaidOut(told, plan.background, regions, tuple(replace(d, prompt=told) for d in drawings), plan.moved, stopped, talk)  # fmt: skip


def _painted(
    drawings: list[Drawing], regions: Regions, draw: Draw, generator: Generator, talk: Transcript
) -> tuple[list[Drawing], str]:
    """The things painted over the background, the largest first, and why some are missing."""
    order = sorted(regions, key=lambda r: -r.box.area)
    for number, region in enumerate(order, start=1):
        mask = box_mask(region.box, regions.width, regions.height)
        words = f"{region.label}, {draw.prompt}"
        parts = [
            replace(draw, prompt=words, seed=d.seed, init=d.picture, mask=mask, width=0, height=0) for d in drawings
        ]
        try:
            made = consult.draw(talk, generator, parts, f"thing {number}")
        except BudgetExceeded as limit:
            missing = ", ".join(r.label for r in order[number - 1 :])
            return drawings, f"not painted: {missing}; {limit.message}"
        drawings = [replace(new, picture=pasted(old.picture, new.picture, mask, 1)) for old, new in zip(drawings, made, strict=True)]  # fmt: skip
    return drawings, ""


def _planned(told: str, writer: Writer, talk: Transcript) -> _Plan:
    """A plan that does what was asked.

    Raises:
        ReplyError: the second plan is wrong too.
    """
    wanted, prompt = locks(told), load("generate.layout")
    values = {"request": without(told)[0] or told, "avoid": list(excluded(wanted))}
    plan = _within(ask(talk, writer, prompt, "layout", **values))
    if problem := _problem(plan, wanted):
        plan = _within(ask(talk, writer, prompt, "layout again", **values, problem=problem))
        if problem := _problem(plan, wanted):
            raise ReplyError(
                f"no plan of {told!r} can be used: {problem}",
                reply=talk.turns[-1].text,
                hint="try another writer, or draw without a layout",
            )
    return plan


def _within(said: Mapping[str, Any]) -> _Plan:
    """The plan with each box inside the picture: shrunk in its shape if it is too large, then moved."""
    things, moved = [], []
    for thing in said["objects"]:
        x, y, w, h = thing["box"]
        scale = min(1.0, 100 / max(w, h))
        wide, high = max(LEAST, w * scale), max(LEAST, h * scale)
        left, top = x + (w - wide) / 2, y + (h - high) / 2
        box = (min(max(left, 0.0), 100 - wide), min(max(top, 0.0), 100 - high), wide, high)
        things.append((thing["what"].strip(), box))
        moved += [thing["what"].strip()] if box != (x, y, w, h) else []
    return _Plan(said["background"].strip(), tuple(things), tuple(moved))


def _problem(plan: _Plan, wanted: Sequence[Lock]) -> str:
    """What is wrong with a plan, or nothing."""
    if not plan.background:
        return "the background is empty"
    lumped = [what for what, _ in plan.things if any((c.count or 1) > 1 for c in claims(what)[:1])]
    if lumped:
        return f"one box holds one single thing, not {lumped[0]}"
    behind = {_head(c.noun) for c in claims(plan.background)}
    if twice := [what for what, _ in plan.things if behind & {_head(c.noun) for c in claims(what)[:1]}]:
        return f"the background names {twice[0]}, which has a box"
    return next(filter(None, (_broken(lock, plan) for lock in wanted)), "")


def _broken(lock: Lock, plan: _Plan) -> str:
    """How a plan breaks one fact of the request, or nothing."""
    if lock.relation:
        return _misplaced(lock, plan)
    whole = ". ".join([*(what for what, _ in plan.things), plan.background])
    if lock.kind == "thing" and lock.claim and (boxes := _boxes(plan, lock.claim.noun, lock.claim.colour)):
        right = lock.claim.count in (None, len(boxes))
        return "" if right else f"{lock.say()} asked for, and there are {len(boxes)} boxes"
    return f"{lock.say()} asked for" if lost([lock], whole) else ""


def _misplaced(lock: Lock, plan: _Plan) -> str:
    """Left, right, above and below by the centres of the boxes; other relations are for the drawing to show."""
    assert lock.relation is not None
    axis, sign = {"left of": (0, 1), "right of": (0, -1), "above": (1, 1), "below": (1, -1)}.get(lock.relation.words, (0, 0))  # fmt: skip
    ends = [_boxes(plan, c.noun, c.colour) for c in (lock.relation.subject, lock.relation.other)]
    if not sign or not all(ends):
        return ""
    one, other = ([box[axis] + box[axis + 2] / 2 for box in boxes] for boxes in ends)
    return "" if any(sign * (b - a) > 0 for a in one for b in other) else f"{lock.say()} asked for"


def _boxes(plan: _Plan, noun: str, colour: str) -> list[tuple[float, float, float, float]]:
    """The boxes of a thing; where colours are named, those of the colour."""
    named = [(c, box) for what, box in plan.things for c in claims(what)[:1] if _head(c.noun) == _head(noun)]
    return [box for c, box in named if colour in ("", c.colour)]


def _head(noun: str) -> str:
    return noun.split()[-1]


def _pixels(box: Sequence[float], width: int, height: int) -> Box:
    x, y, w, h = box
    return Box(x * width / 100, y * height / 100, (x + w) * width / 100, (y + h) * height / 100)
