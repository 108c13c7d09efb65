"""Finds the film, and the moment in it, that a text tells of: Socratic Models' video-to-text retrieval turned round
(Zeng et al. 2022, arXiv:2204.00598), after Portillo-Quintero et al. 2021 (arXiv:2102.12443).

1. Frames at equal steps are encoded in one batch; a film is the mean of its frames' features as the tower gives them,
   made a unit vector afterwards. It is compared with the text.
2. What the text excludes (`a beach without people`) counts against a frame as far as it shows more of it than the
   average frame.
3. Where there are transcripts, what is said is compared too (each line, or with `summarise` one sentence that a writer
   makes of them), and the two are fused by ranks or z-scores: a product, as in the paper, would make two bad scores a
   good one.
4. Moments are the stretches that fit better than half-way between the film's middle frame and its best one.

Limits: what lasts shorter than a step can be missed; order and motion are not seen; an embedder tells how well
something fits, not whether it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from socratic.ask import Question, ask_all
from socratic.capability import Embedder, Writer
from socratic.claims import without
from socratic.errors import BadInput, SocraticError
from socratic.frames import Clip, Frame, clock
from socratic.fusion import standard
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.recipes.video_caption import SPEECH_WORDS
from socratic.speech import Cue, about, load_speech
from socratic.transcript import Transcript, Value
from socratic.viewing import features, look, mean_direction, unit
from socratic.vocabulary import Matrix, text_matrix

MOST_FRAMES = 64
Fusion = Literal["rank", "z"]


@dataclass(frozen=True)
class Stretch:
    """A stretch of a film; the text fits the frame at `best` most, with this cosine."""

    start: float
    end: float
    best: float
    cosine: float

    def say(self) -> str:
        return f"{clock(round(self.start, 1))} to {clock(round(self.end, 1))}"

    def as_dict(self) -> dict[str, float]:
        return {"start": self.start, "end": self.end, "best": self.best, "cosine": self.cosine}


@dataclass(frozen=True)
class Film:
    """One film: its cosine with the text, that of what is said in it (None where it has no transcript), both fused."""

    source: str
    score: float
    cosine: float
    speech: float | None
    moments: tuple[Stretch, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"video": self.source, "score": self.score, "cosine": self.cosine, "speech": self.speech, "moments": [m.as_dict() for m in self.moments]}  # fmt: skip


@dataclass(frozen=True)
class VideoMatches:
    """The films, the best first, each with its best moments first."""

    text: str
    excluded: tuple[str, ...]
    films: tuple[Film, ...]
    frames_read: int
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return "\n".join(f"{film.source}: {', '.join(m.say() for m in film.moments)}" for film in self.films)

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "excluded": list(self.excluded), "frames_read": self.frames_read, "videos": [f.as_dict() for f in self.films]}  # fmt: skip


@recipe
def video_find(
    clips: Sequence[Clip],
    *,
    text: str,
    frames: int = 0,
    moments: int = 3,
    speech: Sequence[str] = (),
    summarise: bool = False,
    fusion: Fusion = "rank",
    embedder: Embedder,
    writer: Writer,
    talk: Transcript,
) -> VideoMatches:
    """Ranks films by how well a text fits them, and finds the moments that it tells of.

    Args:
        clips: films, or folders of pictures that follow each other.
        text: what to find, e.g. `a dog on a beach`; `without people` is understood.
        frames: how many frames of each film are looked at; 0 takes one a second, 2 to 64.
        moments: how many moments of each film are told at most.
        speech: a transcript for each film, in their order; an empty name where there is none.
        summarise: whether a writer first says in one sentence what each transcript lets one expect to see.
        fusion: how pictures and speech are weighed: by `rank` (reciprocal) or by `z` score.
    """
    if not text.strip() or not clips or moments < 1 or frames < 0:
        raise BadInput("there is nothing to look for, or nowhere to look", hint='give films, and a text such as "a dog"')  # fmt: skip
    if fusion not in ("rank", "z"):
        raise BadInput(f"there is no fusion {fusion!r}", hint="rank or z")
    if speech and len(speech) != len(clips):
        raise BadInput(f"{len(speech)} transcripts for {len(clips)} films", hint='one each, in their order; "" for none')  # fmt: skip
    wanted, excluded = without(text)
    heard = [load_speech(path) if path else () for path in (speech or [""] * len(clips))]
    said = _summed_up(talk, writer, heard) if summarise else heard
    seen = [look(talk, c, c.spread(frames or min(MOST_FRAMES, max(2, round(c.seconds))))) for c in clips]

    def judge() -> tuple[Value, Mapping[str, Any]]:
        rows = np.split(features(talk, embedder, [f for s in seen for f in s]), np.cumsum([len(s) for s in seen])[:-1])
        films = _ranked(embedder, clips, seen, rows, said, wanted or text, excluded, moments, fusion)
        return [f"{f.source}: {f.cosine:.3f}" for f in films], {"films": [f.as_dict() for f in films]}

    shown = [(c.source, [f.picture.sha256 for f in s]) for c, s in zip(clips, seen, strict=True)]
    turn = talk.state("films", embedder.fingerprint, [shown, said, text, moments, fusion], judge)
    return VideoMatches(text, excluded, tuple(map(_film, turn.evidence["films"])), sum(map(len, seen)), talk)


def fused(scores: Sequence[Sequence[float | None]], fusion: Fusion) -> list[float]:
    """One score per film from several, of which some may be missing; what is missing speaks neither for nor against.

    `rank` is reciprocal rank fusion (Cormack et al. 2009); ranks among fewer films are spread over all.
    """
    count = len(scores[0])
    if fusion == "z":
        return [float(sum(column)) for column in zip(*map(_standard, scores), strict=True)]
    parts: list[list[float]] = [[] for _ in range(count)]
    for row in scores:
        present = [s for s in row if s is not None]
        for i, score in enumerate(row):
            if score is not None:
                rank = 0.5 + sum(o > score for o in present) + (sum(o == score for o in present) - 1) / 2
                parts[i].append(1 / (60.5 + rank / len(present) * count))
    return [sum(p) / len(p) for p in parts]


def _standard(row: Sequence[float | None]) -> list[float]:
    return [float(z) for z in standard(np.asarray([np.nan if s is None else s for s in row], np.float64))]


def _ranked(embedder: Embedder, clips: Sequence[Clip], seen: Sequence[Sequence[Frame]], rows: Sequence[Matrix], said: Sequence[Sequence[Cue]], text: str, excluded: tuple[str, ...], moments: int, fusion: Fusion) -> list[Film]:  # fmt: skip
    wanted, *unwanted = text_matrix(embedder, [text, *excluded])
    average = unit(np.concatenate(list(rows))).mean(axis=0)

    def fit(vectors: Matrix) -> Any:
        against = [np.maximum(0, vectors @ one - average @ one) for one in unwanted]
        return vectors @ wanted - (np.max(against, axis=0) if against else 0)

    cosines = [float(fit(mean_direction(r)[None])[0]) for r in rows]
    lines = [_cosines_said(embedder, cues, wanted) for cues in said]
    spoken = [max((s for _, s in told), default=None) for told in lines]
    scores = fused([cosines, spoken], fusion) if any(s is not None for s in spoken) else cosines
    films = [
        Film(c.source, round(score, 5), round(cosine, 5), None if s is None else round(s, 5), _stretches(c, f, fit(unit(r)), told, moments))
        for c, f, r, cosine, s, score, told in zip(clips, seen, rows, cosines, spoken, scores, lines, strict=True)
    ]  # fmt: skip
    return sorted(films, key=lambda film: -film.score)


def _cosines_said(embedder: Embedder, cues: Sequence[Cue], wanted: Any) -> list[tuple[Cue, float]]:
    """How near each line is to the text; lines longer than the tower reads are left out."""
    vectors = embedder.embed_text.each([cue.text for cue in cues]) if cues else []
    return [(c, float(v @ wanted)) for c, v in zip(cues, vectors, strict=True) if not isinstance(v, SocraticError)]


def _stretches(clip: Clip, frames: Sequence[Frame], cosines: Any, told: Sequence[tuple[Cue, float]], most: int) -> tuple[Stretch, ...]:  # fmt: skip
    """The stretches whose frames, and what is said at them, fit best."""
    times = [f.time for f in frames]
    edges = _edges(clip, times)
    spoken = [
        max((s for c, s in told if c.start is not None and c.end is not None and c.start < edges[i + 1] and c.end > edges[i]), default=None)
        for i in range(len(frames))
    ]  # fmt: skip
    fits = np.add(_standard([float(c) for c in cosines]), _standard(spoken))
    half = (float(fits.max()) + float(np.median(fits))) / 2
    runs: list[list[int]] = []
    for i in np.flatnonzero(fits >= half - 1e-9):
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(int(i))
        else:
            runs.append([int(i)])
    best = sorted(((max(run, key=lambda i: fits[i]), run) for run in runs), key=lambda pair: -fits[pair[0]])[:most]
    return tuple(Stretch(round(edges[r[0]], 3), round(edges[r[-1] + 1], 3), times[i], round(float(cosines[i]), 5)) for i, r in best)  # fmt: skip


def _edges(clip: Clip, times: Sequence[float]) -> list[float]:
    """Where one frame's part ends and the next begins: at equal steps, or half-way where frames were the same."""
    step = clip.seconds / len(times)
    if all(abs(time - (i + 0.5) * step) <= max(step / 2, 1 / clip.rate) for i, time in enumerate(times)):
        return [round(i * step, 3) for i in range(len(times) + 1)]
    return [0.0, *((a + b) / 2 for a, b in zip(times, times[1:], strict=False)), clip.seconds]


def _summed_up(talk: Transcript, writer: Writer, heard: Sequence[tuple[Cue, ...]]) -> list[tuple[Cue, ...]]:
    """One sentence for each transcript, in one batch."""
    spoken = [i for i, cues in enumerate(heard) if cues]
    questions = [Question(f"speech of film {i + 1}", {"speech": about(heard[i], "", SPEECH_WORDS)}) for i in spoken]
    replies = ask_all(talk, writer, load("video.speech"), questions)
    if error := next((r for r in replies if isinstance(r, SocraticError)), None):
        raise error
    sentences = dict(zip(spoken, replies, strict=True))
    return [(Cue(sentences[i]),) if i in sentences else () for i in range(len(heard))]


def _film(data: Mapping[str, Any]) -> Film:
    stretches = tuple(Stretch(**m) for m in data["moments"])
    return Film(data["video"], data["score"], data["cosine"], data["speech"], stretches)
