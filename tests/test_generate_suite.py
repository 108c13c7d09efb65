"""The suite of prompts: data that can be judged, shares with intervals, the worst first, failures told, budget kept."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedAnswerer, ScriptedDetector

from socratic.budget import Budget
from socratic.claims import claims
from socratic.clauses import clauses
from socratic.errors import BadInput, BudgetExceeded, ToolError
from socratic.pocket.concepts import known
from socratic.pocket.scenes import PLACES
from socratic.recipes.generate_suite import Suite, generate_suite, interval, suite
from socratic.tasks import Ask
from socratic.tool import operation
from socratic.workbench import Workbench

BOX = (0.0, 0.0, 10.0, 10.0)


class Agreeing(ScriptedAnswerer):
    """Finds every statement true, as likely as planted."""

    @operation(batch=8)
    def answer_likelihood(self, items: Sequence[tuple[Ask, str]]) -> list[float]:
        """Yes is far likelier."""
        self.asked += [ask for ask, _ in items]
        return [-0.1 if answer == "yes" else -5.0 for _, answer in items]


def drawn(*categories: str, generator: ScriptedGenerator | None = None, said: dict[str, str] | None = None, **how: Any) -> Suite:  # fmt: skip
    """A generator whose every picture shows a pear and two candles, judged by models that see them."""
    detector = ScriptedDetector({"pear": [BOX], "candle": [BOX, BOX]})
    answers = {"How many candles are there?": "two", "How many owls are there?": "none", **(said or {})}
    bench = Workbench.of(generator=generator or ScriptedGenerator(), detector=detector, answerer=Agreeing(answers, "yes"))  # fmt: skip
    with bench.used():
        return generate_suite(list(categories), **how)


def test_every_category_has_its_prompts_and_rules_read_those_they_judge() -> None:
    categories = suite()
    assert {"counting", "colours", "positions", "exclusions", "written text", "drawn world"} <= set(categories)
    prompts = [p for c in categories.values() for p in c.prompts]
    assert all(8 <= len(c.prompts) <= 12 and c.about for c in categories.values())
    assert len({p.prompt for p in prompts}) == len(prompts) and all(p.tests and p.means for p in prompts)
    assert {p.by for p in prompts} == {"clauses", "likelihood"}
    for p in prompts:
        if p.by == "clauses":
            facts = clauses(p.means)
            assert facts, p.prompt
            colours = {(f.claim.noun, f.expected) for f in facts if f.kind == "colour"}
            assert len({noun for noun, _ in colours}) == len(colours), f"{p.prompt}: one thing in two colours"


def test_each_prompt_has_a_file_name_of_its_own() -> None:
    for category in suite().values():
        stems = [re.sub(r"[^a-z0-9]+", "-", p.prompt.lower())[:48] for p in category.prompts]
        assert len(set(stems)) == len(stems)


def test_the_drawn_world_names_only_what_the_pocket_models_know() -> None:
    names = {c.name for c in known()} | set(PLACES)
    for p in suite()["drawn world"].prompts:
        assert {c.noun for c in claims(p.prompt)} <= names, p.prompt


def test_shares_with_their_interval_and_the_worst_prompt_first() -> None:
    generator = ScriptedGenerator()
    made = drawn("counting", n=2, most=3, generator=generator)
    assert [t.asked.prompt for t in made.tried] == ["three owls in a forest", "one pear in a garden", "two candles"]
    assert [t.share for t in made.tried] == [0.0, 1.0, 1.0] and made.stopped == "done"
    share = made.shares[0]
    assert (share.prompts, share.pictures) == (3, 6) and share.share == pytest.approx(2 / 3)
    assert share.low < 0.25 and share.high > 0.9, "three prompts tell little, however many pictures they have"
    assert [d.seed for d in generator.drawn] == [0, 1] * 3
    assert generator.calls["draw"].forwards == 3, "the pictures of a prompt are drawn together"
    assert made.say() == "counting: 67% (21% to 94%), 6 pictures of 3 prompts"
    told = json.loads(json.dumps(made.as_dict()))
    assert told["prompts"][0]["images"][0]["failed"] == ["Is there an owl in the picture?", "How many owls are there?"]


def test_pictures_are_held_against_what_was_meant_in_the_way_the_prompt_names() -> None:
    made = drawn("misspelt words", most=1)
    assert made.tried[0].asked.prompt == "a elefant in a feild"
    assert made.tried[0].checks[0].questions[0].question == "Is there an elephant in the picture?"
    styled = drawn("styles", most=1).tried[0]
    assert styled.share == 1 and styled.checks[0].questions[0].question == 'Is this true: "a pencil sketch of an owl"?'
    forced = drawn("counting", most=1, method="likelihood").tried[0]
    assert forced.checks[0].questions[0].question == 'Is this true: "one pear in a garden"?'


def test_an_exclusion_is_drawn_against_and_checked() -> None:
    generator = ScriptedGenerator()
    made = drawn("exclusions", most=1, generator=generator)
    assert (generator.drawn[0].prompt, generator.drawn[0].negative) == (
        "a beach without people",
        "person",
    )
    assert "Is there a person?" in [q.question for q in made.tried[0].checks[0].questions]


def test_what_cannot_be_drawn_is_told_and_counts_in_no_share() -> None:
    refusing = ScriptedGenerator(refuses={"two candles": ToolError("it is on fire")})
    made = drawn("counting", most=3, generator=refusing)
    assert made.tried[-1].asked.prompt == "two candles" and made.tried[-1].as_dict()["error"]["type"] == "ToolError"
    assert made.shares[0].prompts == 2 and made.shares[0].share == 0.5
    nothing = drawn("counting", most=1, generator=ScriptedGenerator(refuses={"one pear in a garden": ToolError("no")}))
    assert nothing.say() == "counting: nothing was judged" and nothing.shares[0].high == 1.0


def test_a_budget_ends_it_with_what_was_judged_until_then() -> None:
    made = drawn("counting", budget=Budget(calls=9))
    assert made.stopped == "budget" and 1 <= made.shares[0].prompts < 4
    with pytest.raises(BudgetExceeded):
        drawn("counting", budget=Budget(calls=1))


@pytest.mark.parametrize(
    ("categories", "how", "told"),
    [(["juggling"], {}, "no category 'juggling'"), ([], {}, "no category is chosen"), (["counting"], {"n": 0}, "n is 0")],
)  # fmt: skip
def test_wrong_arguments_are_refused(categories: list[str], how: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput, match=told) as caught:
        drawn(*categories, **how)
    assert caught.value.hint


def test_the_interval_is_wilsons() -> None:
    assert interval(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert interval(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert interval(1.0, 3)[0] == pytest.approx(0.4385, abs=1e-4)


def test_pocket_models_draw_and_judge_their_own_world(pocket: Workbench) -> None:
    made = generate_suite(["drawn world"], most=2, steps=4)
    assert made.shares[0].prompts == 2 and all(t.error is None for t in made.tried)
    assert {q.kind for t in made.tried for c in t.checks for q in c.questions} == {"object"}
