"""Links every word of a text to what supports it in a picture: each thing, number, colour and relation with its boxes,
scores and answers. Unsupported words are marked, and where two models differ both are told.

1. The text is taken apart into facts by rules (`claims.py`), as GLIP grounds noun phrases (Li et al. 2022,
   arXiv:2112.03857).
2. The detector looks for all things in one pass, the answerer answers all questions in one batch.

3. The text is marked behind the words that nothing supports. It is not changed; `caption_verified.py` corrects it.

Limits: what a verb says is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from socratic.capability import Answerer, Detector
from socratic.clauses import clauses
from socratic.errors import BadInput
from socratic.evidence import Verdict, examine, marked
from socratic.recipe import recipe
from socratic.regions import Region, Regions
from socratic.transcript import Transcript
from socratic.values import Picture


@dataclass(frozen=True)
class Grounding:
    """A text with the evidence for each of its facts."""

    text: str
    verdicts: tuple[Verdict, ...]
    regions: Regions
    transcript: Transcript = field(repr=False, compare=False)

    @property
    def marked(self) -> str:
        """The text with `[!]` behind what does not hold and `[?]` behind what is disputed or nobody could tell."""
        return marked(self.text, self.verdicts)

    def say(self) -> str:
        return "\n".join([self.marked, *(v.say() for v in self.verdicts)])

    def as_dict(self) -> dict[str, Any]:
        facts = [{"words": v.clause.claim.text, "start": v.clause.claim.start, "end": v.clause.claim.end, **v.as_dict()} for v in self.verdicts]  # fmt: skip
        return {"text": self.text, "marked": self.marked, "facts": facts, **self.regions.as_dict()}


@recipe
def ground(
    picture: Picture,
    *,
    text: str,
    exact: bool = True,
    threshold: float | None = None,
    detector: Detector,
    answerer: Answerer,
    talk: Transcript,
) -> Grounding:
    """Finds for every fact of a text what in the picture supports it.

    Args:
        picture: what the text is about.
        text: a caption, an answer, a rewritten prompt: any plain sentence.
        exact: whether `a dog` claims that there is just one.
        threshold: the least score of a detector's box, in [0, 1]; its own when absent.
    """
    told = talk.state("text", "user", [text], lambda: (text, {})).text
    facts = clauses(told, exact=exact)
    if not facts:
        raise BadInput(f"no fact can be read from {told!r}", hint='name things, e.g. "a dog on a beach"')
    verdicts = examine(talk, picture, facts, detector, answerer, threshold)
    return Grounding(told, verdicts, _seen(picture, verdicts), talk)


def _seen(picture: Picture, verdicts: tuple[Verdict, ...]) -> Regions:
    """The boxes behind the things of the text, as one set of regions to draw."""
    found = [
        Region(v.clause.claim.text, finding.score, box)
        for v in verdicts
        if v.clause.kind == "object"
        for finding in v.findings
        for box in finding.boxes
    ]
    return Regions(picture.width, picture.height, tuple(found))
