"""Questions put to a model that sees: history, dialogue, examples, several pictures, and options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from doubles import picture
from doubles_ask import LikelyAnswerer, ScriptedAnswerer, bench

from socratic.budget import Budget
from socratic.errors import BadInput, BudgetExceeded, ReplyError, ToolError
from socratic.recipes.ask import ask
from socratic.tasks import Shot
from socratic.transcript import Transcript
from socratic.workbench import Workbench

OPTIONS = ["a cat", "a dog", "a cow's calf"]


def test_questions_share_a_batch_and_the_history() -> None:
    seer = ScriptedAnswerer({"What is it?": "a cat", "Where is it?": "here"})
    with bench(answerer=seer).used():
        said = ask(picture(), questions=["What is it?", "Where is it?"], history=[("Is there one?", "yes")])
    assert said.say() == "What is it? a cat\nWhere is it? here"
    assert said.as_dict()["answers"][0] == {"question": "What is it?", "answer": "a cat", "confidence": 0.8}
    assert seer.calls["answer"].forwards == 1 and {t.history for t in seer.asked} == {(("Is there one?", "yes"),)}


def test_in_a_dialogue_each_question_hears_those_before_it() -> None:
    seer = ScriptedAnswerer({"What is it?": "a cat"})
    with bench(answerer=seer).used():
        ask(picture(), questions=["What is it?", "Is it big?"], history=[("Hello?", "yes")], dialogue=True)
    assert [t.history for t in seer.asked] == [(("Hello?", "yes"),), (("Hello?", "yes"), ("What is it?", "a cat"))]


def test_several_pictures_and_examples_reach_the_answerer_and_survive_a_resume(tmp_path: Path) -> None:
    paths = []
    for i, colour in enumerate([(9, 0, 0), (0, 9, 0), (0, 0, 9)]):
        paths.append(str(tmp_path / f"{i}.png"))
        picture(colour).pil.save(paths[-1])
    seer = ScriptedAnswerer({})
    with bench(answerer=seer).used():
        first = ask(paths[0], more=[paths[1]], questions=["Same?"], shots=[(paths[2], "Red?", "no")])
        together = ask([paths[0], paths[1]], questions=["Same?"], shots=[Shot(picture((0, 0, 9)), "Red?", "no")])
        first.transcript.save(tmp_path / "talk.json")
        again = ask.resume(Transcript.load(tmp_path / "talk.json"))
    assert [len(t.pictures) for t in seer.asked] == [2] and seer.asked[0].shots[0].answer == "no"
    assert together == first == again and again.transcript.turns[0].origin == "replayed"


def test_an_answerer_that_tells_likelihoods_chooses_by_them() -> None:
    seer = LikelyAnswerer({"What is it?": "a dog", "And this?": "a cat"})
    with bench(answerer=seer).used():
        said = ask(picture(), questions=["What is it?", "And this?"], options=OPTIONS)
    assert [a.answer for a in said.answers] == ["a dog", "a cat"] and seer.asked == []
    assert said.answers[0].confidence == pytest.approx(0.9 / 1.1, abs=1e-3)
    assert dict(said.answers[0].options)["a cat"] == pytest.approx(0.1 / 1.1, abs=1e-3)
    assert seer.calls["answer_likelihood"].forwards == 1


def test_an_error_of_the_likelihoods_is_raised() -> None:
    with bench(answerer=LikelyAnswerer({"?": ToolError("broken")})).used(), pytest.raises(ToolError, match="broken"):
        ask(picture(), questions=["What is it?"], options=OPTIONS)


def test_else_the_options_are_listed_and_the_reply_is_read() -> None:
    seer = ScriptedAnswerer({"?": "(C)"})
    with bench(answerer=seer).used():
        said = ask(picture(), questions=["What is it?"], options=OPTIONS)
    assert said.answers[0].answer == "a cow's calf" and said.answers[0].options == ()
    assert seer.questions == ["What is it? Options: (A) a cat, (B) a dog, (C) a cow's calf."]


def test_what_cannot_be_read_is_asked_once_more_and_then_an_error_and_never_a_guess() -> None:
    seer = ScriptedAnswerer(lambda task: "B" if "one letter" in task.question else "According to me, some animal")
    with bench(answerer=seer).used():
        said = ask(picture(), questions=["What is it?"], options=OPTIONS)
    assert said.answers[0].answer == "a dog" and len(seer.asked) == 2
    seer = ScriptedAnswerer({"?": "some animal"})
    with bench(answerer=seer).used(), pytest.raises(ReplyError, match="names none of the options") as caught:
        ask(picture(), questions=["What is it?"], options=OPTIONS)
    assert caught.value.reply == "some animal" and len(seer.asked) == 2


def test_an_edited_choice_must_be_an_option() -> None:
    with bench(answerer=LikelyAnswerer({"?": "a dog"})).used():
        talk = ask(picture(), questions=["What is it?"], options=OPTIONS).transcript
        name = talk.turns[0].name
        assert ask.resume(talk.edited({name: "a cat"})).answers[0].answer == "a cat"
        with pytest.raises(BadInput, match="none of the options"):
            ask.resume(talk.edited({name: "a whale"}))


def test_wrong_arguments_and_a_spent_budget() -> None:
    with bench().used():
        wrong: list[dict[str, Any]] = [
            {"questions": []},
            {"questions": [" "]},
            {"questions": ["a"], "options": ["one"]},
            {"questions": ["a"], "options": ["x", "x"]},
            {"questions": ["a"], "shots": [("a", "b")]},
        ]
        for arguments in wrong:
            with pytest.raises(BadInput):
                ask(picture(), **arguments)
        with pytest.raises(BudgetExceeded):
            ask(picture(), questions=["a", "b"], budget=Budget(calls=1))


def test_the_pocket_answerer_takes_options_and_refuses_examples(pocket: Workbench) -> None:
    said = ask("pocket/pictures/scene-2.png", questions=["Where is this?"], options=["at sea", "in a forest"])
    assert said.answers[0].answer == "in a forest" and sum(dict(said.answers[0].options).values()) == pytest.approx(1, abs=1e-3)  # fmt: skip
    with pytest.raises(BadInput, match="one picture"):
        ask("pocket/pictures/scene-2.png", more=["pocket/pictures/scene-1.png"], questions=["Where is this?"])
