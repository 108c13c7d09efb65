"""What a frozen conversation needs to run again as a recipe: its steps in order, on the models that it was made with.

    steps = Steps(talk, PROFILE, MODELS)
    drawn = steps(generate, prompt="a lemon")
    steps(detect, drawn.pictures[0], phrases=["lemon"])
    return steps.done()

Files like this are written by `socratic/assistant/freeze.py`, and may be edited. No language model leads here; knows no
recipe by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from socratic.errors import BadInput, SocraticError
from socratic.images import load
from socratic.overlay import overlay
from socratic.recipe import Recipe, ambient
from socratic.transcript import Transcript
from socratic.values import Drawing, Picture

MOST = 8
"""Pictures of one step that another can use, as in a conversation."""


@dataclass(frozen=True)
class Step:
    """What one recipe came to. `looked_at` is the picture that it was given first, where there is one."""

    recipe: str
    value: Any
    looked_at: Picture | None = None

    @cached_property
    def pictures(self) -> list[Picture]:
        """The pictures that the step shows: drawn, found in a folder, or its own with what was found laid over."""
        return [*self.drawn, *self.found, *([self.marked] if self.marked else [])][:MOST]

    @cached_property
    def drawn(self) -> list[Picture]:
        """Pictures that the step made."""
        best = getattr(self.value, "best", None)
        drawings = getattr(self.value, "drawings", ()) or ([best] if isinstance(best, Drawing) else [])
        return [drawing.picture for drawing in ([drawings] if isinstance(drawings, Drawing) else drawings)]

    @cached_property
    def found(self) -> list[Picture]:
        """Pictures of a gallery, as far as their files are still there."""
        return list(_loaded(getattr(self.value, "hits", ())))

    @cached_property
    def marked(self) -> Picture | None:
        """The picture that was looked at with what was found laid over."""
        regions = getattr(self.value, "regions", None)
        if self.drawn or self.found or self.looked_at is None or regions is None or not len(regions):
            return None
        return Picture.of(overlay(self.looked_at, regions).convert("RGB"), f"{self.recipe}.png")

    def as_dict(self) -> dict[str, Any]:
        return {"recipe": self.recipe, "said": self.value.say(), "value": self.value.as_dict()}


def _loaded(hits: Any) -> Iterator[Picture]:
    for hit in hits:
        try:
            yield load(hit.image)
        except SocraticError:  # the others are still shown
            continue


@dataclass(frozen=True)
class Outcome:
    """What all steps came to, in order."""

    steps: tuple[Step, ...]
    transcript: Transcript = field(repr=False, compare=False)

    @property
    def drawings(self) -> list[Picture]:
        """The pictures that were made on the way."""
        return [picture for step in self.steps for picture in step.drawn]

    def say(self) -> str:
        return "\n".join(f"{step.recipe}: {step.value.say()}" for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        return {"steps": [step.as_dict() for step in self.steps]}


class Steps:
    """Runs recipes one after the other for one picture, and notes what each came to."""

    def __init__(self, talk: Transcript, profile: str, models: Mapping[str, str]) -> None:
        """Checks that the models are those of the conversation.

        Args:
            profile: the profile of the conversation, for the advice.
            models: fingerprints by capability.

        Raises:
            BadInput: a model is another.
        """
        check(profile, models)
        self._talk, self._done = talk, list[Step]()

    def __call__(self, recipe: Recipe[..., Any], *pictures: Any, **arguments: Any) -> Step:
        """Runs a recipe; its turns stand in the transcript under the number of the step.

        Raises:
            SocraticError: the recipe could not do it.
        """
        talk = self._talk.part(f"{len(self._done) + 1} {recipe.__name__}")
        before = list(self._talk.pictures)
        value = recipe.run(talk, *pictures, **arguments)
        self._talk.pictures[:] = list(dict.fromkeys([*before, *self._talk.pictures]))
        first = next((p for p in pictures if isinstance(p, Picture)), None)
        self._done.append(Step(recipe.__name__, value, first))
        return self._done[-1]

    def done(self) -> Outcome:
        """What all steps came to."""
        return Outcome(tuple(self._done), self._talk)


def check(profile: str, models: Mapping[str, str]) -> None:
    """Compares the models in use with those that a conversation was frozen with.

    Raises:
        BadInput: one is another.
    """
    bench = ambient()
    for capability, then in models.items():
        now = bench.tool(capability).fingerprint
        if now != then:
            name = getattr(bench, "name", "")
            way = f"run it with --profile {profile}" if name != profile else "freeze the conversation again"
            raise BadInput(
                f"the {capability} was {then} when this was frozen, and is {now} now",
                hint=f"{way}; or, if that is meant, write the new one under MODELS",
            )
