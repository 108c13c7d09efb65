"""Scores what the pocket models see and draw, through the recipes that users call, and keeps pictures of it.

Scenes are drawn anew (needs the emoji font). Average precision is pycocotools' own. A drawing counts as right when
the detector and the answerer both confirm it; neither has a part in drawing it.
"""

from __future__ import annotations

import contextlib
import io
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from socratic.overlay import contact_sheet, overlay
from socratic.pocket.concepts import Concept, concepts, known, named_in
from socratic.pocket.paint import paint_with_masks
from socratic.pocket.questions import KINDS, question
from socratic.pocket.scenes import PLACES, Scene, plan
from socratic.recipes.ask import ask
from socratic.recipes.caption import caption
from socratic.recipes.detect import detect
from socratic.recipes.generate import generate
from socratic.recipes.segment import segment
from socratic.regions import Mask, Region, Regions
from socratic.values import Picture

FIRST_SEED = 70_000_000  # no training and no choice of settings uses seeds from here on
Row = tuple[str, str, float]


@dataclass(frozen=True)
class Seen:
    """A scene, its picture, and the regions that are really there."""

    scene: Scene
    picture: Picture
    truth: Regions


def seen(n: int, first: int = FIRST_SEED, size: int = 192) -> list[Seen]:
    """Unseen scenes of one to four known things."""
    items = []
    for scene in (plan(first + i, "test") for i in range(n)):
        painted, masks = paint_with_masks(scene, size)
        kept = [(t.name, Mask.of(m)) for t, m in zip(scene.things, masks, strict=True) if m.any()]
        truth = Regions(size, size, tuple(Region(name, 1.0, mask.box, mask) for name, mask in kept))
        items.append(Seen(scene, Picture.of(painted, f"scene-{scene.seed}"), truth))
    return items


def detection(items: Sequence[Seen], gallery: Path) -> list[Row]:
    """Average precision over all known names, and how often a name that is not there gives a box."""
    names = [c.name for c in known()]
    rng = random.Random("absent")
    all_names = [detect(s.picture, phrases=names, threshold=0.05).regions for s in items]
    asked = [detect(s.picture, phrases=sorted(s.scene.counts)).regions for s in items]
    others = [rng.choice([n for n in names if n not in s.scene.counts]) for s in items]
    false = [bool(len(detect(s.picture, phrases=[o]).regions)) for s, o in zip(items, others, strict=True)]
    tiles = [overlay(s.picture, found) for s, found in zip(items[:12], asked, strict=False)]
    _keep(contact_sheet(tiles, [", ".join(s.scene.counts) for s in items[:12]], 4), gallery / "detected.png")
    on, named = f"{len(items)} scenes", Counter(n for s in items for n in s.scene.counts)
    whole = average_precision(items, all_names, names)
    right = sum(a.counts == s.scene.counts for a, s in zip(asked, items, strict=True))
    return [
        (f"detector: AP50, all {len(names)} known names asked of every picture", on, whole["AP50"]),
        ("detector: AP50:95, the same", on, whole["AP"]),
        ("detector: an absent name gives a box (lower is better)", on, sum(false) / len(items)),
        (f"detector: every count right when its names are asked ({len(named)} names)", on, right / len(items)),
    ]


def average_precision(items: Sequence[Seen], found: Sequence[Regions], names: Sequence[str]) -> dict[str, float]:
    """COCO's average precision over the names that occur, by pycocotools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    number = {name: i for i, name in enumerate(names, start=1)}
    truth = [(i, r) for i, s in enumerate(items) for r in s.truth]
    guesses = [(i, r) for i, regions in enumerate(found) for r in regions]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {}, "images": [{"id": i} for i in range(len(items))],
            "categories": [{"id": i, "name": n} for n, i in number.items()],
            "annotations": [{**_coco(i, r, number), "id": n, "iscrowd": 0} for n, (i, r) in enumerate(truth, start=1)],
        }  # fmt: skip
        coco.createIndex()
        theirs = coco.loadRes([{**_coco(i, r, number), "score": r.score} for i, r in guesses])
        judge = COCOeval(coco, theirs, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return {"AP": float(judge.stats[0]), "AP50": float(judge.stats[1])}


def _coco(image: int, region: Region, number: dict[str, int]) -> dict[str, Any]:
    box = region.box
    corner = [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
    return {"image_id": image, "category_id": number[region.label], "bbox": corner, "area": box.area}


def segmentation(items: Sequence[Seen], gallery: Path) -> list[Row]:
    """The overlap of each thing with the mask that its name gives; a thing that is not found counts as 0."""
    found = [segment(s.picture, phrases=sorted(s.scene.counts)).regions for s in items]
    overlaps, hit = [], []
    for s, regions in zip(items, found, strict=True):
        for thing in s.truth:
            same = [r.mask.iou(thing.mask) for r in regions if r.mask and thing.mask and r.label == thing.label]
            overlaps.append(max(same, default=0.0))
            hit += [overlaps[-1]] if overlaps[-1] > 0 else []
    tiles = [overlay(s.picture, regions) for s, regions in zip(items[:12], found, strict=False)]
    _keep(contact_sheet(tiles, [", ".join(s.scene.counts) for s in items[:12]], 4), gallery / "segmented.png")
    return [
        ("text to masks: mean IoU, things that were not found count 0", f"{len(overlaps)} things", sum(overlaps) / len(overlaps)),
        ("text to masks: mean IoU of things that were found", f"{len(hit)} things", sum(hit) / max(1, len(hit))),
    ]  # fmt: skip


def captions(items: Sequence[Seen]) -> list[Row]:
    """Direct captions against the truth of their scenes."""
    hits = false = missed = counts = places = 0
    for s, row in zip(items, caption.map([s.picture for s in items], method="direct"), strict=True):
        text = row.value.text.lower() if row.value else ""
        there, said = set(s.scene.counts), set(named_in(text))
        hits, false, missed = hits + len(there & said), false + len(said - there), missed + len(there - said)
        counts += sum(concepts()[name].counted(n) in text for name, n in s.scene.counts.items())
        places += PLACES[s.scene.place] in text
    on, kinds = f"{len(items)} scenes of 1 to 4 things", sum(len(s.scene.counts) for s in items)
    return [
        ("direct captions: object F1", on, 2 * hits / (2 * hits + false + missed)),
        ("direct captions: kinds of things named with the right count", f"{kinds} kinds", counts / kinds),
        ("direct captions: place right", on, places / len(items)),
    ]


def answers(items: Sequence[Seen], each: int = 3) -> list[Row]:
    """Exact match per kind of question."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for s in items:
        rng = random.Random(f"score-{s.scene.seed}")
        asked = [
            (kind, q) for kind in (*KINDS, "true") for q in (question(s.scene, rng, kind) for _ in range(each)) if q
        ]
        said = ask(s.picture, questions=[q for _, (q, _) in asked]).answers
        for (kind, (_, truth)), answer in zip(asked, said, strict=True):
            right[kind] += answer.answer.strip() == truth
            total[kind] += 1
    rows = [(f"answers: {kind}", f"{total[kind]} questions", right[kind] / total[kind]) for kind in total]
    named = [k for k in KINDS if total[k]]
    overall = sum(right[k] for k in named) / sum(total[k] for k in named)
    return [*rows, ("answers: all of what, how many, which colour, is there, where", f"{sum(total[k] for k in named)} questions", overall)]  # fmt: skip


def drawings(n: int, gallery: Path) -> list[Row]:
    """The share of prompts for one and for two things whose drawing the detector and the answerer confirm.

    Told of the drawing that the pocket profile keeps (CLIP chooses among some), and of the first one alone.
    """
    rows: list[Row] = []
    for kinds, what in ((1, "one thing"), (2, "two things")):
        rng = random.Random(f"drawings-{kinds}")
        tiles: list[Image.Image] = []
        told: list[str] = []
        confirmed: Counter[str] = Counter()
        for seed in range(n):
            things = rng.sample(known(), kinds)
            place = rng.choice(list(PLACES.values()))
            prompt = f"{' and '.join(c.counted(1) for c in things)} {place}"
            picture = generate(prompt, seed=seed).drawings[0].picture
            by_detector, by_answerer = _confirmed(picture, things)
            first = _confirmed(generate(prompt, seed=seed, tries=1).drawings[0].picture, things)
            confirmed.update(
                detector=by_detector, answerer=by_answerer, both=by_detector and by_answerer, first=all(first)
            )
            tiles.append(picture.pil)
            told.append(f"{'+' if by_detector else '-'}{'+' if by_answerer else '-'} {prompt}")
        _keep(contact_sheet(tiles[:24], told[:24], 6), gallery / f"drawn-{kinds}.png")
        on = f"{n} prompts for {what}"
        rows += [(f"drawings: confirmed by the {who}", on, confirmed[who] / n) for who in ("detector", "answerer")]
        rows.append(("drawings: confirmed by detector and answerer", on, confirmed["both"] / n))
        rows.append(("drawings: the first one confirmed by both", on, confirmed["first"] / n))
    return rows


def _confirmed(picture: Picture, things: Sequence[Concept]) -> tuple[bool, bool]:
    """Whether the detector finds all of the things, and whether the answerer says that each is there."""
    found = detect(picture, phrases=[c.name for c in things]).regions.counts
    asked = ask(picture, questions=[f"Is there {c.counted(1)} in the picture?" for c in things]).answers
    return all(found[c.name] for c in things), all(a.answer == "yes" for a in asked)


def _keep(sheet: Image.Image, path: Path) -> None:
    """Writes a picture for the repository, in 128 colours: it is kept again at every retraining."""
    sheet.quantize(128).save(path, optimize=True)


def rows(gallery: Path, n: int = 300, n_drawn: int = 100) -> list[Row]:
    """Everything; pictures go to `gallery`. The pocket profile must be in use."""
    gallery.mkdir(parents=True, exist_ok=True)
    items = seen(n)
    return [
        *detection(items, gallery), *segmentation(items, gallery), *captions(items), *answers(items[: n // 2]),
        *drawings(n_drawn, gallery),
    ]  # fmt: skip
