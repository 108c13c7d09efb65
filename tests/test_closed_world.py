"""`without X` means that there is no X, in every recipe that reads it: found out, marked, repaired, drawn against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from doubles import ScriptedEmbedder, ScriptedWriter, picture
from doubles_ask import LikelyAnswerer
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedAnswerer, ScriptedCaptioner, ScriptedDetector

from socratic.recipes.ask import Answer, ask
from socratic.recipes.ask_program import ask_program
from socratic.recipes.ask_statement import ask_statement
from socratic.recipes.caption_verified import caption_verified
from socratic.recipes.check import Check, check
from socratic.recipes.generate import generate
from socratic.recipes.ground import ground
from socratic.tasks import Ask
from socratic.tool import operation
from socratic.workbench import Workbench

PICTURE = picture(size=(100, 60))
GRAPH = "Is there a beach? | 0\nIs the beach true? | 1"
BOX = (0.0, 0.0, 20.0, 20.0)


def seen(question: str) -> str:
    """A beach with a dog, as an answerer tells it that takes any statement for true."""
    if question.startswith("How many"):
        return "one" if "dog" in question else "none"
    return "yes" if any(word in question for word in ("dog", "beach", "true")) else "no"


class Trusting(ScriptedAnswerer):
    """Also finds every statement likely."""

    @operation(batch=8)
    def answer_likelihood(self, items: Sequence[tuple[Ask, str]]) -> list[float]:
        """Yes is far likelier."""
        self.asked += [ask for ask, _ in items]
        return [math.log(0.9 if answer == "yes" else 0.1) for _, answer in items]


@pytest.fixture(autouse=True)
def _there() -> Any:
    bench = Workbench.of(
        detector=ScriptedDetector({"dog": [BOX]}), answerer=Trusting(seen), captioner=ScriptedCaptioner("a beach without a dog"),
        writer=ScriptedWriter([GRAPH] * 2), embedder=ScriptedEmbedder(), generator=ScriptedGenerator(),
    )  # fmt: skip
    with bench.used():
        yield


def last(made: Check) -> tuple[str, bool]:
    return made.questions[-1].question, made.questions[-1].passed


@pytest.mark.parametrize("method", ["clauses", "graph", "likelihood", "cosine"])
def test_check_looks_for_what_is_excluded_whatever_the_method(method: Any) -> None:
    wrong = check(PICTURE, prompt="a beach without a dog", method=method)
    assert last(wrong) == ("Is there a dog?", False) and not wrong.confirmed
    right = check(PICTURE, prompt="a beach without a cat", method=method)
    assert last(right) == ("Is there a cat?", True) and right.score > wrong.score


def test_neither_writer_nor_judge_hears_of_what_is_excluded() -> None:
    writer, answerer, embedder = ScriptedWriter([GRAPH]), Trusting(seen), ScriptedEmbedder({"A photo depicts a beach": [1.0] * 32}, {PICTURE.sha256: [1.0] * 32})  # fmt: skip
    with Workbench.of(writer=writer, answerer=answerer, embedder=embedder, detector=ScriptedDetector({})).used():
        check(PICTURE, prompt="a beach without a dog", method="graph")
        check(PICTURE, prompt="a beach without a dog", method="likelihood")
        made = check(PICTURE, prompt="a beach without a dog", method="cosine")
    assert writer.prompts == ["a beach"] and 'Is this true: "a beach"?' in [a.question for a in answerer.asked]
    assert made.questions[0].score == 1.0, "the text that was compared is the one without the dog"


def test_a_prompt_of_exclusions_alone_is_checked_by_them() -> None:
    for method in ("clauses", "likelihood", "cosine", "graph"):
        made = check(PICTURE, prompt="no dogs", method=method)
        assert [q.passed for q in made.questions] == [False]


def test_ground_marks_an_exclusion_that_does_not_hold() -> None:
    assert ground(PICTURE, text="a beach without a dog").marked.endswith("without a dog[!]")
    assert "[" not in ground(PICTURE, text="a dog without a cat").marked


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a dog on a beach without a cat", "a dog on a beach without a cat"),
        ("This is a dog on a beach, no dogs.", "This is a dog on a beach."),
        ("a dog without a cat or dogs", "a dog without a cat"),
        ("a dog with no dogs or cats", "a dog with no cats"),
        ("a dog and a cow, without dogs", "a dog"),
        ("A dog. There is no dog.", "A dog."),
    ],
)
def test_a_verified_caption_loses_the_words_that_deny_what_is_there(text: str, wanted: str) -> None:
    made = caption_verified(PICTURE, text=text)
    assert made.text == wanted
    assert bool(made.corrections) == (text != wanted)


def test_where_the_models_differ_an_exclusion_stays_and_is_marked() -> None:
    with Workbench.of(detector=ScriptedDetector({"cat": [BOX]}), answerer=ScriptedAnswerer({"Is this a beach?": "yes"})).used():  # fmt: skip
        made = caption_verified(PICTURE, text="a scene on a beach without a cat")
    assert made.text == made.original and made.marked.endswith("without a cat[?]") and not made.corrections


def answered(question: str, **how: Any) -> Answer:
    return ask(PICTURE, questions=[question], **how).answers[0]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Is there a beach without a dog?", "no"),
        ("Is there a beach without a cat?", "yes"),
        ("Is there a dog but no cat in the picture?", "yes"),
        ("Are there no dogs?", "no"),
        ("Are there no cats or cows?", "yes"),
        ('Is this true: "a beach without a dog or a cat"?', "no"),
        ("Is there a horse without a cat?", "no"),
    ],
)
def test_a_question_with_an_exclusion_is_answered_thing_by_thing(question: str, wanted: str) -> None:
    assert answered(question).answer == wanted


def test_with_yes_and_no_as_options_the_facts_decide_too() -> None:
    """The double finds every `yes` likely, so the dog that is excluded too."""
    told = answered("Is there a beach without a dog?", options=["no", "yes"])
    assert (told.question, told.answer) == ("Is there a beach without a dog?", "no")


def test_its_facts_share_a_batch_with_the_other_questions_and_are_told() -> None:
    answerer = ScriptedAnswerer(seen)
    with Workbench.of(answerer=answerer).used():
        said = ask(PICTURE, questions=["Is it nice?", "Is there a beach without a dog?"])
        again = ask.resume(said.transcript.edited({"answer 2: Is there a beach without a dog?": "perhaps"}))
    assert answerer.calls["answer"].forwards == 1
    assert [a.question for a in answerer.asked] == [
        "Is it nice?",
        "Is there a beach?",
        "Is there a dog in the picture?",
    ]
    assert said.answers[1] == Answer("Is there a beach without a dog?", "no", 0.9)
    assert said.transcript.turns[-1].evidence["facts"] == [
        "Is there a beach? yes",
        "Is there a dog in the picture? yes",
    ]
    assert again.answers[1].answer == "perhaps" and again.answers[1].confidence is None


def test_what_an_answerer_cannot_tell_is_unknown_unless_another_fact_decides() -> None:
    said = {"Is there a beach?": "yes", "Is there a dog in the picture?": "hard to say", "Is there a sea?": "no"}
    with Workbench.of(answerer=ScriptedAnswerer(said)).used():
        assert answered("Is there a beach without a dog?") == Answer("Is there a beach without a dog?", "unknown", None)
        assert answered("Is there a sea without a dog?").answer == "no"


def test_other_options_and_other_questions_are_left_as_they_are() -> None:
    answerer = LikelyAnswerer({"?": "a dog"})
    with Workbench.of(answerer=answerer).used():
        assert answered("Is there a beach without a dog?", options=["a dog", "a cat"]).answer == "a dog"
        assert answered("What is a beach without a dog?").answer == "a dog"


def test_statements_and_plans_by_rules_hold_the_world_closed() -> None:
    for text, wanted in (("There is a dog without a cat", "true"), ("There is a dog and no dogs", "false"), ("A dog not on a beach", "false")):  # fmt: skip
        assert ask_statement([PICTURE], statement=text, planner="rules").answer == wanted
    for question, wanted in (("Is there a dog without a cat?", "yes"), ("Are there no dogs?", "no")):
        assert ask_program(PICTURE, questions=[question], planner="rules").answers[0].answer == wanted


def test_a_statement_put_to_a_model_that_sees_is_split_too() -> None:
    told = ask_statement([PICTURE], statement="a beach without a dog", method="together")
    assert told.answer == "false"


def test_what_is_drawn_is_drawn_against_the_exclusion() -> None:
    generator = ScriptedGenerator()
    with Workbench.of(generator=generator).used():
        generate("a beach without a dog")
    assert generator.drawn[0].negative == "dog"


def test_pocket_models_find_a_false_exclusion(pocket: Workbench) -> None:
    with pocket.used():
        made = ground("pocket/pictures/scene-3.png", text="a beach without a snake")
        assert "without a snake[" in made.marked
        assert ask_statement(["pocket/pictures/scene-3.png"], statement="There are two snakes without a lemon", planner="rules").answer == "true"  # fmt: skip
