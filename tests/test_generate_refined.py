"""The closed loop: the defect decides the repair, the best never falls, and there is always an end with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from PIL import Image

from socratic.budget import Budget
from socratic.errors import BadInput, BudgetExceeded
from socratic.recipes.generate_refined import REPAIRS, Refinement, generate_refined
from socratic.regions import Box, Region, Regions
from socratic.tasks import Ask, Draw, Find
from socratic.tool import Tool, operation
from socratic.values import Drawing, Picture, Statement, TokenCount
from socratic.workbench import Workbench

Things = dict[str, int]


class ToyGenerator(Tool):
    """Paints nothing: a picture's colour numbers the drawing, and `shows` tells what is on it."""

    fingerprint = "toy-generator"

    def __init__(self, shows: Callable[[Draw], Things]) -> None:
        super().__init__()
        self.shows = shows
        self.wanted: list[Draw] = []
        self.seen: dict[str, Things] = {}

    @operation(batch=4)
    def draw(self, items: Sequence[Draw]) -> list[Drawing]:
        """A plain picture for each."""
        return [self._drawn(item) for item in items]

    def _drawn(self, item: Draw) -> Drawing:
        self.wanted.append(item)
        picture = Picture.of(Image.new("RGB", (80, 40), (len(self.wanted), 0, 0)))
        self.seen[picture.sha256] = self.shows(item)
        return Drawing(picture, item.prompt, item.seed)

    def count_tokens(self, prompt: str, /) -> Sequence[TokenCount]:
        return [TokenCount("words", len(prompt.split()), 75)]


class ToyEyes(Tool):
    """Detector and answerer that see what the toy generator showed; colours are always brown."""

    fingerprint = "toy-eyes"

    def __init__(self, hand: ToyGenerator) -> None:
        super().__init__()
        self.hand = hand

    @operation(batch=8)
    def find(self, items: Sequence[Find]) -> list[Regions]:
        """A box for each thing."""
        return [Regions(80, 40, tuple(self._boxes(f))) for f in items]

    def _boxes(self, item: Find) -> list[Region]:
        there = self.hand.seen[item.picture.sha256]
        return [Region(p, 0.9, Box(20 * i, 0, 20 * i + 18, 18)) for p in item.phrases for i in range(there.get(p, 0))]

    @operation(batch=8)
    def answer(self, items: Sequence[Ask]) -> list[Statement]:
        """Yes, no or a number."""
        return [self._said(a) for a in items]

    def _said(self, item: Ask) -> Statement:
        there = self.hand.seen[item.pictures[0].sha256]
        if item.question.startswith("What colour"):
            return Statement("red" if there.get("red") else "brown", 0.9)
        thing = next((n for n in ("dog", "cat", "cow") if n in item.question), "")
        if item.question.startswith("How many"):
            return Statement(("none", "one", "two", "three")[there.get(thing, 0)], 0.9)
        return Statement("yes" if there.get(thing) else "no", 0.9)


def refined(prompt: str, hand: ToyGenerator, **how: Any) -> Refinement:
    eyes = ToyEyes(hand)
    with Workbench.of(generator=hand, detector=eyes, answerer=eyes).used():
        return generate_refined(prompt, **how)


def test_a_confirmed_first_drawing_is_the_last() -> None:
    hand = ToyGenerator(lambda d: {"dog": 1})
    made = refined("a dog", hand, seed=5)
    assert made.stopped == "confirmed" and len(made.rounds) == 1 and made.drawing.seed == 5


def test_other_seeds_are_tried_until_one_is_confirmed() -> None:
    hand = ToyGenerator(lambda d: {"dog": 1, "cat": int(d.seed >= 2)})
    made = refined("a dog and a cat", hand)
    assert [r.seed for r in made.rounds] == [0, 1, 2] and made.stopped == "confirmed"
    assert made.rounds[1].action == "another seed" and "cat" in made.rounds[1].because
    assert hand.wanted[2].prompt.startswith("a cat, ")  # the second repair puts what is missing first


def test_the_best_so_far_never_falls() -> None:
    shown: list[Things] = [{"dog": 1}, {}, {"dog": 1, "cat": 1}, {}]
    hand = ToyGenerator(lambda d: shown[d.seed])
    made = refined("a dog, a cat and a cow", hand)
    assert made.stopped == "rounds" and made.drawing.seed == 2
    assert [r.kept for r in made.rounds] == [True, False, True, False]
    best = [max(r.score for r in made.rounds[: i + 1] if r.kept) for i in range(len(made.rounds))]
    assert best == sorted(best) and made.check.score == best[-1]


def test_what_is_excluded_goes_to_the_negative_prompt_and_is_checked() -> None:
    hand = ToyGenerator(lambda d: {"dog": 1, "cat": int(d.negative.count("cat") < 2)})
    made = refined("a dog without a cat", hand)
    assert hand.wanted[0].prompt == "a dog" and hand.wanted[0].negative == "cat"
    assert made.rounds[1].action == "negative prompt" and made.stopped == "confirmed"


def test_a_wrong_colour_is_painted_anew_only_where_the_thing_stands() -> None:
    hand = ToyGenerator(lambda d: {"dog": 1, "red": int(d.mask is not None)})
    made = refined("a red dog", hand)
    assert made.rounds[1].action == "paint anew" and made.stopped == "confirmed"
    painted = hand.wanted[1]
    assert painted.init is not None and painted.mask is not None and painted.prompt == "a red dog"
    assert painted.mask.box == Box(0, 0, 18, 18)


def test_a_used_up_budget_gives_the_best_so_far() -> None:
    hand = ToyGenerator(lambda d: {"dog": 1})
    made = refined("a dog and a cat", hand, budget=Budget(calls=6))
    assert made.stopped == "budget" and made.drawing.seed == 0 and len(hand.wanted) <= 2
    with pytest.raises(BudgetExceeded):
        refined("a dog and a cat", hand, budget=Budget(calls=1))


def test_no_rounds_is_a_plain_checked_drawing() -> None:
    made = refined("a dog and a cat", ToyGenerator(lambda d: {"dog": 1}), rounds=0)
    assert len(made.rounds) == 1 and made.stopped == "rounds" and not made.check.confirmed
    told = made.as_dict()
    assert told["images"][0]["checks"][1]["passed"] is False and told["rounds"][0]["action"] == "first drawing"


def test_half_of_all_drawings_failing_is_mostly_mended() -> None:
    def faulty(d: Draw) -> Things:
        return {"dog": (d.seed * 7919 + len(d.prompt)) % 2, "cat": 1}

    plain = [refined("a dog and a cat", ToyGenerator(faulty), seed=s, rounds=0).check.confirmed for s in range(20)]
    mended = [refined("a dog and a cat", ToyGenerator(faulty), seed=s, rounds=3).check.confirmed for s in range(20)]
    assert sum(mended) > sum(plain) and all(m or not p for m, p in zip(mended, plain, strict=True))


@pytest.mark.parametrize("prompt", ["", "without a dog"])
def test_nothing_to_draw_is_told(prompt: str) -> None:
    with pytest.raises(BadInput, match="nothing to draw"):
        refined(prompt, ToyGenerator(lambda d: {}))


def test_every_kind_of_defect_has_a_repair() -> None:
    assert set(REPAIRS) == {"object", "count", "colour", "relation", "absent"}
