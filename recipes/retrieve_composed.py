"""Says in words what a picture would show after a change: the language half of composed retrieval, as in CIReVL
(Vision-by-Language for Training-Free Compositional Image Retrieval, Karthik et al. 2024, arXiv:2310.09291).

1. A captioner describes the picture as it is.
2. A writer that does not see it describes it as the user wants it. Things that must not be there are left out of the
   sentence, since embedders do not read "no" (`retrieve` holds them against a picture).
Both sentences are turns, so a wrong one is edited and only the search after it runs again.

Limits: what the caption leaves out, the description cannot keep; the writer may add what nobody said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from socratic import consult
from socratic.ask import ask
from socratic.capability import Captioner, Writer
from socratic.errors import BadInput
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.tasks import Describe
from socratic.transcript import Transcript
from socratic.values import Picture


@dataclass(frozen=True)
class Composed:
    """What the picture shows, and what the wanted one would."""

    before: str
    after: str
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.after

    def as_dict(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after}


@recipe
def retrieve_composed(
    picture: Picture,
    *,
    change: str = "",
    without: Sequence[str] = (),
    prompt: str = "retrieve.describe",
    captioner: Captioner,
    writer: Writer,
    talk: Transcript,
) -> Composed:
    """Describes a picture as it would be after a change.

    Args:
        picture: the picture as it is.
        change: what is to be different, e.g. `a cow instead of the dog`.
        without: things that must not be there.
        prompt: the name or file of the prompt that asks for the description.
    """
    if not change.strip() and not without:
        raise BadInput("nothing is said to be different", hint='say what, e.g. change="a cow instead of the dog"')
    before = consult.raised(consult.describe(talk, captioner, [Describe(picture)], ["caption"])[0]).text
    said = ask(talk, writer, load(prompt), "description", caption=before, change=change, without=list(without))
    return Composed(before, _without_cue(str(said)), talk)


def _without_cue(said: str) -> str:
    """The sentence without the words that asked for it; every other colon is part of it."""
    return re.sub(r"^(?:the )?(?:new|edited) description\s*:\s*", "", said, flags=re.IGNORECASE)
