"""Says what happens in a film: Socratic Models, Zeng et al. 2022 (arXiv:2204.00598), with LLoVi's clip captions
(Zhang et al. 2023, arXiv:2312.17235).

1. Frames are taken from the middles of equal parts, one in two seconds and no more than a few.
2. All are described in one batch; what stays the same is told once.
3. A writer that sees nothing makes one sentence of the timed lines, and of the speech where there is a transcript. With
   one frame there is nothing to sum up, and its caption stands.

Limits: what happens between two frames is not seen, motion is only what captions tell of it, and the sentence is as
good as the captions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from socratic.ask import ask
from socratic.capability import Captioner, Writer
from socratic.errors import BadInput
from socratic.frames import Clip, clock
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.speech import Cue, about, load_speech
from socratic.transcript import Transcript
from socratic.viewing import Moment, affordable, describe, look, timeline

MOST_FRAMES = 16
SPEECH_WORDS = 300


@dataclass(frozen=True)
class VideoCaption:
    """What happens, what each frame shows, and how long the film is."""

    text: str
    moments: tuple[Moment, ...]
    seconds: float
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.text

    @property
    def lines(self) -> list[str]:
        """`0:00 to 0:04: a dog on a beach`."""
        return timeline(self.moments, self.seconds)

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "seconds": round(self.seconds, 3), "frames": [m.as_dict() for m in self.moments]}


@recipe
def video_caption(
    clip: Clip,
    *,
    frames: int = 0,
    words: int = 40,
    speech: str = "",
    prompt: str = "video.caption",
    captioner: Captioner,
    writer: Writer,
    talk: Transcript,
) -> VideoCaption:
    """Says in one sentence what happens in a film.

    Args:
        clip: a film, or a folder of pictures that follow each other.
        frames: how many frames are looked at; 0 takes one in two seconds, 2 to 16, and what the budget allows.
        words: the longest sentence.
        speech: a transcript of what is said (.vtt, .srt, .txt).
        prompt: the name or file of the writing prompt.
    """
    if frames < 0 or words < 1:
        raise BadInput(f"frames and words are positive, not {frames} and {words}", hint="frames=0 lets the recipe choose")  # fmt: skip
    heard = load_speech(speech) if speech else ()
    wanted = frames or min(MOST_FRAMES, max(2, round(clip.seconds / 2)))
    watched = look(talk, clip, clip.spread(affordable(talk, wanted, spare=1)))
    moments = describe(talk, captioner, watched)
    lines = timeline(moments, clip.seconds)
    if len(lines) == 1 and not heard:
        return VideoCaption(moments[0].text, tuple(moments), clip.seconds, talk)
    values = told(clip, lines, heard)
    text = ask(talk, writer, load(prompt), "caption", **values, most_words=words)
    return VideoCaption(text, tuple(moments), clip.seconds, talk)


def told(clip: Clip, lines: list[str], heard: tuple[Cue, ...], question: str = "") -> dict[str, Any]:
    """What every prompt about a film hears of it."""
    return {"length": clock(round(clip.seconds)), "frames": lines, "speech": about(heard, question, SPEECH_WORDS)}
