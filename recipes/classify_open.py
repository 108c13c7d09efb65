"""Classifies a picture without class names: FineR, Liu et al. 2024 (arXiv:2401.13837).

1. A captioner describes the picture and an answerer says what is in it.
2. A writer reads that and asks for the properties which tell such things apart; the answerer answers in one batch.
3. The writer names what it may be. Things that captioner and answerer named are candidates too.
4. The embedder judges all candidates. Those that fit no better than nearly all texts without meaning do are ruled out;
   where none is left, the label is `unknown`.

Answers that are no knowledge are left out. A writer that names nothing readable is told in the explanation, and its
error raised if nobody else named anything. Limits: what no model names is not found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from socratic import consult
from socratic.ask import Question, ask_all
from socratic.capability import Answerer, Captioner, Embedder, Writer
from socratic.claims import claims
from socratic.doubt import doubtful
from socratic.english import singular
from socratic.errors import BadInput, ReplyError, SocraticError, ToolError
from socratic.eyes import Eyes
from socratic.prompt import load, smuggled
from socratic.recipe import recipe
from socratic.tasks import Ask, Describe
from socratic.transcript import Transcript
from socratic.values import Picture, Ranking

UNKNOWN = "unknown"
OPENING = "What is in the picture?"
COLOUR = "What colour is it?"


@dataclass(frozen=True)
class OpenClassification:
    """The label, the ranking of all candidates, what was said of the picture, and the level of noise.

    `named_by` tells for each candidate who named it; `problems` what could not be read.
    """

    label: str
    ranking: Ranking
    seen: tuple[str, ...]
    neutral: float
    named_by: Mapping[str, str]
    problems: tuple[str, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        best = f"the best guess, {self.ranking.best}, fits no better than noise" if self.label == UNKNOWN else self.ranking.say()  # fmt: skip
        return f"{self.label}: {best}"

    def as_dict(self) -> dict[str, Any]:
        cosines = dict(zip(self.ranking.labels, self.ranking.scores, strict=True))
        explanation = {
            "seen": list(self.seen), "cosines": cosines, "neutral": round(self.neutral, 5),
            "named_by": dict(self.named_by), "problems": list(self.problems),
        }  # fmt: skip
        scores = dict(zip(self.ranking.labels, self.ranking.probabilities, strict=True))
        return {"label": self.label, "scores": scores, "explanation": explanation}


@recipe
def classify_open(
    picture: Picture,
    *,
    n: int = 10,
    sure: float = 0.3,
    template: str = "a photo of a {}.",
    percentile: float = 99.0,
    embedder: Embedder,
    captioner: Captioner,
    answerer: Answerer,
    writer: Writer,
    talk: Transcript,
) -> OpenClassification:
    """Says what a picture shows, without a list of classes.

    Args:
        picture: what to classify.
        n: how many names the writer is asked for.
        sure: the least confidence of an answer that counts, in [0, 1].
        template: how a name becomes a text that the embedder judges.
        percentile: of texts without meaning, how many a name must exceed, else it is ruled out.
    """
    if n < 1:
        raise BadInput(f"n must be at least 1, not {n}")
    said = [*consult.describe(talk, captioner, [Describe(picture)], ["caption"]), *_answers(talk, answerer, picture, [OPENING])]  # fmt: skip
    heard = [s.text.strip() for s in said if not isinstance(s, SocraticError) and not doubtful(s, OPENING, sure)]
    seen = tuple(dict.fromkeys(heard))
    if not seen:
        failed = next((s for s in said if isinstance(s, SocraticError)), None)
        raise failed or ToolError("captioner and answerer are sure of nothing", hint="lower `sure`, or try others")
    problems: list[str] = []
    asked = [q for q in _listed(talk, writer, "classify.attributes", "properties", problems, seen=list(seen)) if q.endswith("?")]  # fmt: skip
    asked = list(dict.fromkeys([COLOUR, *asked]))
    looks = zip(asked, _answers(talk, answerer, picture, asked), strict=True)
    told = [*seen, *(f"{q} {a.text}" for q, a in looks if not isinstance(a, SocraticError) and not doubtful(a, q, sure))]  # fmt: skip
    guessed = _listed(talk, writer, "classify.guess", "names", problems, seen=told, wanted=n)
    named_by = _candidates(seen, guessed[:n])
    if not named_by:
        raise ToolError("nobody named a thing", hint=problems[0] if problems else "try another writer or captioner")
    cosines, level = Eyes(embedder, picture, talk).above_neutral("label", list(named_by), template, percentile)
    ranking = Ranking.of(list(cosines), list(cosines.values()), embedder.space)
    label = ranking.best if ranking.scores[0] > level else UNKNOWN
    return OpenClassification(label, ranking, tuple(told), level, named_by, tuple(problems), talk)


def _answers(talk: Transcript, answerer: Answerer, picture: Picture, questions: Sequence[str]) -> list[Any]:
    return consult.answer(talk, answerer, [Ask((picture,), q) for q in questions], [f"answer: {q}" for q in questions])


def _listed(talk: Transcript, writer: Writer, prompt: str, name: str, problems: list[str], **values: Any) -> list[str]:
    """A list of the writer's, or none, with the problem noted."""
    answer = ask_all(talk, writer, load(prompt), [Question(name, values)])[0]
    if isinstance(answer, ReplyError):
        problems.append(answer.message)
        return []
    if isinstance(answer, SocraticError):
        raise answer
    return [item for item in answer if not smuggled(item)]


def _candidates(seen: Sequence[str], guessed: Sequence[str]) -> dict[str, str]:
    """Every name with who said it, each once."""
    things = [c for text in seen for c in claims(text) if not c.denied and not c.after]  # `on a beach` tells where
    named = [(c.phrase, "sight") for c in things] + [(c.noun, "sight") for c in things if c.colour]
    named += [(_name(g), "writer") for g in guessed]
    found: dict[str, str] = {}
    for name, who in named:
        if name:
            found.setdefault(name, who)
    return found


def _name(guess: str) -> str:
    """`The Dogs.` -> `dog`."""
    words = guess.lower().strip(" .\"'*").split()
    words = words[1:] if words and words[0] in ("a", "an", "the") else words
    return " ".join([*words[:-1], singular(words[-1])]) if words else ""
