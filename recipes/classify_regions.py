"""Says what each part of a picture is: RegionCLIP, Zhong et al. 2022 (arXiv:2112.09106), with crops.

1. The boxes are given, or a detector finds them by phrases (`animal`, `vehicle`), in one pass.
2. Each box is cut out as a square with some of what is around it; the embedder encodes all crops in one batch.
3. A class is the mean of its name in an ensemble of sentences, of unit length again. The best class is a region's label,
   unless all classes fit no better than texts without meaning do: then it is `unknown`.
4. A found region's score is the geometric mean of the detector's and the embedder's, as in RegionCLIP; a given one's is
   the embedder's probability.

Limits: an embedder that was trained on whole pictures reads small crops badly (RegionCLIP trains one on regions).
Where nothing is found there is no label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from socratic import consult
from socratic.capability import Detector, Embedder
from socratic.crops import crop
from socratic.errors import BadInput
from socratic.eyes import neutral_level
from socratic.recipe import recipe
from socratic.recipes.classify import TEMPLATES
from socratic.regions import Box, Region, Regions
from socratic.transcript import Transcript, Value
from socratic.values import Picture, Ranking
from socratic.vocabulary import class_vectors, clean_labels, filled, text_matrix

UNKNOWN = "unknown"


@dataclass(frozen=True)
class RegionLabel:
    """A region with its label, and the probability of every class in it."""

    region: Region
    scores: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        return {**self.region.as_dict(), "scores": {name: round(p, 4) for name, p in self.scores.items()}}


@dataclass(frozen=True)
class RegionLabels:
    """All regions, the surest first. `label` is that of the first one with a label; empty where there is none."""

    label: str
    regions: Regions
    labelled: tuple[RegionLabel, ...]
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.regions.say()

    def as_dict(self) -> dict[str, Any]:
        best: dict[str, float] = {}
        for row in self.labelled:
            best = {name: max(p, best.get(name, 0.0)) for name, p in row.scores.items()}
        rows = [row.as_dict() for row in self.labelled]
        return {"label": self.label or None, "scores": best, "explanation": None, "regions": rows}


@recipe
def classify_regions(
    picture: Picture,
    *,
    labels: Sequence[str],
    phrases: Sequence[str] = (),
    boxes: Sequence[Sequence[float]] = (),
    threshold: float | None = None,
    padding: float = 0.15,
    templates: Sequence[str] = TEMPLATES,
    percentile: float = 0.0,
    embedder: Embedder,
    detector: Detector,
    talk: Transcript,
) -> RegionLabels:
    """Chooses a label for each part of a picture.

    Args:
        picture: where to look.
        labels: the classes.
        phrases: what a detector looks for; its finds are classified.
        boxes: parts to classify, each x0, y0, x1, y1 in pixels.
        threshold: the least score of a find, in [0, 1]; the detector's own when absent.
        padding: what is added around a box on each side, as a share of its longer side.
        templates: the sentences into which each name is filled.
        percentile: of texts without meaning, how many a label must exceed, else it is `unknown`; 0 always labels.
    """
    names = clean_labels(labels)
    if bool(phrases) == bool(boxes):
        raise BadInput("the regions come from phrases or from boxes", hint='give one of both, e.g. the phrase "animal"')
    if not templates:
        raise BadInput("there is no template", hint=f"e.g. {TEMPLATES[0]!r}")
    if boxes:
        given = [Box.checked(box, picture.width, picture.height) for box in boxes]
        found = Regions(picture.width, picture.height, tuple(Region("", 1.0, box) for box in given))
    else:
        found = consult.find(talk, detector, picture, phrases, threshold)
    if not len(found):
        return RegionLabels("", found, (), talk)
    rows = _rankings(talk, embedder, picture, found, names, templates, padding, percentile)
    labelled = sorted((_labelled(r, row, bool(boxes)) for r, row in zip(found, rows, strict=True)), key=lambda one: -one.region.score)  # fmt: skip
    first = next((one.region.label for one in labelled if one.region.label != UNKNOWN), UNKNOWN)
    regions = replace(found, found=tuple(one.region for one in labelled))
    return RegionLabels(first, regions, tuple(labelled), talk)


def _rankings(
    talk: Transcript,
    embedder: Embedder,
    picture: Picture,
    found: Regions,
    names: Sequence[str],
    templates: Sequence[str],
    padding: float,
    percentile: float,
) -> list[tuple[str, dict[str, float]]]:
    """The label of each region with the probability of every class; one turn, one batch of crops."""
    places = [r.box for r in found]

    def look() -> tuple[Value, Mapping[str, Any]]:
        texts = [filled(t, name) for name in names for t in templates]
        starts = range(0, len(texts) + 1, len(templates))
        classes = class_vectors(text_matrix(embedder, texts), starts, "renormalised-mean")
        told = []
        for seen in embedder.embed_picture.batch([crop(picture, box, padding) for box in places]):
            ranking = Ranking.of(names, classes @ seen, embedder.space)
            level = neutral_level(embedder, seen, templates[0], percentile) if percentile else -1.0
            best = ranking.best if ranking.scores[0] > level else UNKNOWN
            told.append({"label": best, **ranking.as_dict(), "neutral": round(level, 4)})
        return [f"{r['label']} {found.place_of(box)}" for r, box in zip(told, places, strict=True)], {"regions": told}

    made_from = [picture.sha256, tuple(places), tuple(names), tuple(templates), padding, percentile]
    turn = talk.state("labels", embedder.fingerprint, made_from, look)
    if turn.origin == "edited":
        raise BadInput("the turn 'labels' cannot be edited: it is numbers", hint="give other labels or boxes")
    return [(row["label"], dict(row["probabilities"])) for row in turn.evidence["regions"]]


def _labelled(region: Region, row: tuple[str, dict[str, float]], given: bool) -> RegionLabel:
    label, scores = row
    sure = scores.get(label, 0.0)
    score = sure if given else float(np.sqrt(region.score * sure))
    return RegionLabel(replace(region, label=label, score=round(score, 5)), scores)
