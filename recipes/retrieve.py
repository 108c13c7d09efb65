"""Finds pictures of a gallery by text, by picture, or by a picture and what is to be different about it.

Follows CIReVL (Karthik et al. 2024, arXiv:2310.09291) for language-composed queries, the vector arithmetic of
Pic2Word's baseline (Saito et al. 2023, arXiv:2302.03084), WeiMoCIR's weighted fusion (Wu et al. 2024,
arXiv:2409.04918) and reciprocal rank fusion (Cormack et al. 2009).

1. What must not be there is taken out of the text: "a beach without people" is "a beach", minus "person".
2. Pictures that do not meet the conditions (`width>=200`, `name=*.png`) are left out, like the reference pictures.
3. `arithmetic` adds the vectors of picture and text. `composed` has a captioner describe the picture and a writer
   describe it changed, and searches by that sentence. `fused` adds scores of the picture, of the sentence, of the step
   from the first description to the second, and of the sentence against the captions of a gallery that has some.
4. Pictures that show an excluded thing more than the gallery does on average lose points.
5. Near copies of a better hit stand behind it, and the next pictures move up, so k hits still come.
Every hit tells what each term added.

Limits: exact search over all vectors; an exclusion is a weight, no promise (`detect` on the hits makes sure).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from socratic import claims
from socratic.capability import Captioner, Embedder, Writer
from socratic.conditions import conditions
from socratic.errors import BadInput
from socratic.fusion import RANK_OFFSET, Numbers, groups, reciprocal_ranks, standard
from socratic.index import Index
from socratic.recipe import recipe
from socratic.recipes.retrieve_composed import retrieve_composed
from socratic.transcript import Transcript, Turn, Value, key_of, spoken
from socratic.values import Picture, Vector
from socratic.vocabulary import text_matrix

WEIGHTS: dict[str, dict[str, float]] = {
    "arithmetic": {"picture": 1.0, "text": 1.0},
    "composed": {"description": 1.0},
    "fused": {"picture": 0.5, "description": 1.0, "change": 0.5, "caption": 0.5},
}
TERMS = ("picture", "text", "description", "change", "caption")


@dataclass(frozen=True)
class Part:
    """What one term of the query added to a hit's score; `cosine` is how well the hit fits the term."""

    term: str
    cosine: float
    added: float

    def say(self) -> str:
        return f"{self.term} {self.added:+.3f} (cosine {self.cosine:.3f})"

    def as_dict(self) -> dict[str, Any]:
        return {"term": self.term, "cosine": self.cosine, "added": self.added}


@dataclass(frozen=True)
class Hit:
    """One picture that was found; the parts add up to the score. `copies` are near copies of it, not shown.

    `caption` is what the gallery holds of it; empty where it holds none.
    """

    rank: int
    image: str
    score: float
    parts: tuple[Part, ...] = ()
    copies: tuple[str, ...] = ()
    caption: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"rank": self.rank, "image": self.image, "score": self.score}

    def explained(self) -> dict[str, Any]:
        caption = {"caption": self.caption} if self.caption else {}
        return {"parts": [p.as_dict() for p in self.parts], "copies": list(self.copies), **caption}


@dataclass(frozen=True)
class Hits:
    """The best pictures, best first; fewer than asked for only where the gallery holds no more.

    Attributes:
        among: how many pictures were searched: those that meet the conditions and are no reference.
        unsaid: how many of them have no caption, where captions were compared; they get the average for it.
    """

    hits: tuple[Hit, ...]
    wanted: str
    without: tuple[str, ...]
    transcript: Transcript = field(repr=False, compare=False)
    among: int = 0
    unsaid: int = 0

    def say(self) -> str:
        return "\n".join(f"{h.rank}. {h.image} ({h.score:.3f})" for h in self.hits) or "nothing was found"

    def as_dict(self) -> dict[str, Any]:
        rows = [{**hit.as_dict(), "explanation": hit.explained()} for hit in self.hits]
        return {"wanted": self.wanted, "without": list(self.without), "hits": rows}


@recipe
def retrieve(
    pictures: Sequence[Picture] = (),
    *,
    gallery: str,
    text: str = "",
    without: Sequence[str] = (),
    where: Sequence[str] = (),
    k: int = 10,
    how: Literal["arithmetic", "composed", "fused"] = "arithmetic",
    weights: Mapping[str, float] | None = None,
    fusion: Literal["z-score", "rank"] = "z-score",
    penalty: float = 0.5,
    copies: float = 0.94,
    prompt: str = "retrieve.describe",
    embedder: Embedder,
    captioner: Captioner,
    writer: Writer,
    talk: Transcript,
) -> Hits:
    """Finds pictures of a gallery.

    Args:
        pictures: reference pictures to start from; several stand for what they have in common.
        gallery: the file that `socratic retrieve index` wrote.
        text: what is wanted, or with a picture what is to be different; "without X" in it excludes X.
        without: more things that must not be there.
        where: conditions on name, width, height, bytes, modified and taken, which must all hold: `width>=200`.
        k: how many pictures to find.
        how: what makes one query of a picture and a text.
        weights: of `picture`, `text`, `description`, `change` and `caption`; those of `how` when absent. Only their
            ratio counts.
        fusion: how `fused` makes scores comparable.
        penalty: what showing an excluded thing costs; 0 ignores exclusions.
        copies: from which cosine on two pictures are copies; 1 shows all.
        prompt: the name or file of the prompt that asks for the changed description.
    """
    seen = [pictures] if isinstance(pictures, Picture) else list(pictures)
    if k < 1 or penalty < 0 or not 0 < copies <= 1:
        raise BadInput(f"k must be at least 1, penalty at least 0 and copies in (0, 1], not {k}, {penalty}, {copies}")
    asked = conditions(where)
    wanted, excluded = _wanted(text, without, talk)
    index = Index.load(gallery)
    shares = _shares(how, weights, bool(seen), wanted, excluded, index.said is not None)
    index.check(embedder, gallery)
    texts = {"text": wanted} if "text" in shares else {}
    if "description" in shares or "change" in shares:
        if len(seen) > 1:
            raise BadInput(f"{how} describes one picture, not {len(seen)}", hint="give one, or how=arithmetic")
        told = retrieve_composed.inside(talk.part("composed"), seen[0], change=wanted, without=excluded, prompt=prompt, captioner=captioner, writer=writer)  # fmt: skip
        texts |= {"description": told.after} | ({"before": told.before} if "change" in shares else {})
    if "caption" in shares:
        texts["caption"] = texts.get("description", wanted)

    def look() -> tuple[Value, Mapping[str, Any]]:
        said = list(dict.fromkeys([*texts.values(), *(excluded if penalty else ())]))
        rows = dict(zip(said, text_matrix(embedder, said) if said else (), strict=True))
        terms = _vectors(embedder, seen, {term: rows[t] for term, t in texts.items()}, shares)
        against = {thing: rows[thing] for thing in excluded} if penalty else {}
        given = {p.sha256 for p in seen}
        rest = np.asarray([i for i, e in enumerate(index.entries) if e.sha256 not in given and all(c.holds(e.facts) for c in asked)], int)  # fmt: skip
        parts = _parts(index, rest, terms, shares, against, fusion if how == "fused" else "", penalty)
        hits = _best(index, rest, parts, k, copies)
        unsaid = sum(not index.entries[i].caption for i in rest) if "caption" in shares else 0
        return [h.image for h in hits], {"hits": [{**h.as_dict(), **h.explained()} for h in hits], "among": len(rest), "unsaid": unsaid}  # fmt: skip

    made_from = [index.digest, [p.sha256 for p in seen], texts, excluded, asked, shares, how, fusion, penalty, copies, k]  # fmt: skip
    turn = talk.state("hits", embedder.fingerprint, made_from, look)
    if turn.origin == "edited":
        raise BadInput("hits cannot be edited as text", hint="edit what is wanted, or a description, and search anew")
    hits = tuple(_hit(row) for row in turn.evidence["hits"])
    return Hits(hits, wanted, tuple(excluded), talk, turn.evidence["among"], turn.evidence["unsaid"])


def _wanted(text: str, without: Sequence[str], talk: Transcript) -> tuple[str, list[str]]:
    """What must be there and what must not, as two turns that can be edited."""
    plain, denied = claims.without(text.strip())
    more = [w.strip() for w in ([without] if isinstance(without, str) else without) if w.strip()]
    excluded = list({w.lower(): w for w in reversed((*denied, *more))}.values())[::-1]
    if not plain and not excluded:
        return "", []
    said: list[Turn] = []
    for name, value in (("wanted", plain), ("excluded", excluded)):
        line, kind = spoken(value)
        key = key_of(name, "the user", text, more)
        said.append(talk.recall(name, key) or talk.add(Turn(name, "the user", line, kind, key=key)))
    return said[0].text, list(said[1].value)


def _shares(
    how: str, weights: Mapping[str, float] | None, picture: bool, wanted: str, excluded: Sequence[str], captions: bool
) -> dict[str, float]:
    """The terms of the query with their weights, which add up to 1."""
    if how not in WEIGHTS:
        raise BadInput(f"there is no way {how!r} to search", hint=", ".join(WEIGHTS))
    if not picture and not wanted:
        what = f"only what must not be there: {', '.join(excluded)}" if excluded else "neither a text nor a picture"
        raise BadInput(f"nothing to search for: there is {what}", hint="say what to look for, or give a picture")
    changed = picture and bool(wanted or excluded)
    there = {"picture": picture, "text": bool(wanted), "description": changed, "change": changed, "caption": captions and (changed or bool(wanted))}  # fmt: skip
    asked = {t: w for t, w in (WEIGHTS[how] if weights is None else weights).items() if w}
    if weights is None and how == "fused" and wanted and not picture and captions:
        asked = {"text": 1.0, "caption": 0.5}
    if weights is None:
        asked = {t: w for t, w in asked.items() if there[t] or (how != "arithmetic" and t != "caption")}
    if unknown := [t for t in asked if t not in TERMS]:
        raise BadInput(f"there is no term {unknown[0]!r} to weigh", hint=f"terms: {', '.join(TERMS)}")
    if not asked or not all(isfinite(w) and w > 0 for w in asked.values()):
        raise BadInput(f"weights must be positive numbers, at least one of them, not {weights}")
    if "caption" in asked and not captions:
        raise BadInput("the gallery holds no captions", hint="index it once more with --captions")
    if "caption" in asked and how != "fused":  # texts are far nearer to each other than to pictures
        raise BadInput("captions can only be compared by how=fused", hint="add --how fused")
    if missing := [t for t in asked if not there[t]]:
        raise BadInput(f"{how} needs a picture and what is to be different: there is no {missing[0]}", hint="give both, or how=arithmetic")  # fmt: skip
    return {t: w / sum(asked.values()) for t, w in asked.items()}


def _vectors(
    embedder: Embedder, seen: Sequence[Picture], told: dict[str, Vector], shares: Mapping[str, float]
) -> dict[str, Vector]:
    """A unit vector for each term of the query, from those of its texts."""
    if "change" in shares:
        told["change"] = _unit(told["description"] - told["before"])
    if "picture" in shares:
        told["picture"] = _unit(np.sum(embedder.embed_picture.batch(seen), axis=0))
    return {term: told[term] for term in shares}


def _parts(
    index: Index,
    rest: NDArray[np.int_],
    terms: Mapping[str, Vector],
    shares: Mapping[str, float],
    against: Mapping[str, Vector],
    fusion: str,
    penalty: float,
) -> list[tuple[str, Numbers, Numbers]]:
    """For each term: its name, the cosines of all candidates with it, and what it adds to their scores."""
    length = float(np.linalg.norm(sum(shares[t] * terms[t].astype(np.float64) for t in terms)))
    scale = 1.0 if fusion else 1 / max(length, 1e-6)  # the sum of vectors is made a unit vector
    found: list[tuple[str, Numbers, Numbers]] = []
    for term, vector in terms.items():
        matrix = index.said if term == "caption" and index.said is not None else index.vectors
        cosines = (matrix @ vector)[rest].astype(np.float64)
        if term == "caption":
            cosines[[not index.entries[i].caption for i in rest]] = np.nan
        found.append((term, np.nan_to_num(cosines), scale * shares[term] * _comparable(cosines, fusion)))
    for thing, vector in against.items():
        cosines = (index.vectors @ vector)[rest].astype(np.float64)
        above = cosines > cosines.mean() if len(cosines) else np.zeros(0, bool)
        level = {"z-score": 0.0, "rank": 1 / (RANK_OFFSET + above.sum() + 1)}.get(fusion, cosines.sum() / max(1, len(cosines)))  # fmt: skip
        cost = np.where(above, _comparable(cosines, fusion) - level, 0.0)  # from nothing at the gallery's average
        found.append((f"without {thing}", cosines, 0.0 - penalty * cost))
    return found


def _comparable(cosines: Numbers, fusion: str) -> Numbers:
    """Cosines as they are, as z-scores, or as reciprocal ranks."""
    return standard(cosines) if fusion == "z-score" else reciprocal_ranks(cosines) if fusion == "rank" else cosines


def _best(
    index: Index, rest: NDArray[np.int_], parts: Sequence[tuple[str, Numbers, Numbers]], k: int, copies: float
) -> list[Hit]:
    total = np.sum([added for _, _, added in parts], axis=0)
    order = np.argsort(-total, kind="stable")
    hits = []
    for rank, group in enumerate(groups(index.vectors, rest[order], k, copies), start=1):
        best = order[group[0]]
        told = tuple(Part(name, round(float(c[best]), 5), round(float(added[best]), 5)) for name, c, added in parts)
        files = [index.entries[rest[order[i]]].source for i in group]
        caption = index.entries[rest[best]].caption
        hits.append(Hit(rank, files[0], round(float(total[best]), 5), told, tuple(files[1:]), caption))
    return hits


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 1e-9 else np.zeros_like(vector)


def _hit(row: Mapping[str, Any]) -> Hit:
    parts = tuple(Part(**part) for part in row["parts"])
    return Hit(row["rank"], row["image"], row["score"], parts, tuple(row["copies"]), row.get("caption", ""))
