"""Tools that see, asked together: one batch for what is new, turns for all, errors in their places."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from doubles import picture

from socratic import consult
from socratic.errors import BadInput, SocraticError, ToolError
from socratic.regions import Box, Region, Regions
from socratic.tasks import Ask, Find, Match
from socratic.tool import Tool, operation
from socratic.transcript import Transcript
from socratic.values import Statement


class Scripted(Tool):
    """Finds one box for each phrase, and answers with the question's last word; `trouble` fails."""

    fingerprint = "scripted-sight"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.batches = 0

    @operation(batch=8)
    def find(self, items: Sequence[Find]) -> list[Regions]:
        """A box for each phrase."""
        return [Regions(8, 6, tuple(Region(p, 0.9, Box(0, 0, 2, 2)) for p in f.phrases)) for f in items]

    @operation(batch=8)
    def answer(self, items: Sequence[Ask]) -> list[Statement | SocraticError]:
        """The last word of each question."""
        self.batches += 1
        self.asked += [a.question for a in items]
        said = [a.question.split()[-1] for a in items]
        return [ToolError("trouble") if word == "trouble" else Statement(word, 0.5) for word in said]

    @operation(batch=8)
    def answer_likelihood(self, pairs: Sequence[tuple[Ask, str]]) -> list[float | SocraticError]:
        """The question's last word is certain, everything else is one in ten."""
        self.batches += 1
        last = [(a.question.split()[-1], option) for a, option in pairs]
        return [ToolError("trouble") if w == "trouble" else 0.0 if w == o else math.log(0.1) for w, o in last]

    @operation(batch=8)
    def match(self, items: Sequence[Match]) -> list[float]:
        """Longer texts fit better."""
        return [min(1.0, len(m.text) / 10) for m in items]


def asks(*questions: str) -> list[Ask]:
    return [Ask((picture(),), q) for q in questions]


def test_questions_go_in_one_batch_and_an_error_stays_in_its_place() -> None:
    tool, talk = Scripted(), Transcript("t")
    said = consult.answer(talk, tool, asks("say cat", "say trouble", "say dog"), ["a", "b", "c"])
    assert tool.batches == 1
    assert [s.text if isinstance(s, Statement) else type(s).__name__ for s in said] == ["cat", "ToolError", "dog"]
    assert [t.status for t in talk.turns] == ["", "failed", ""]


def test_only_what_a_past_run_does_not_tell_is_asked_again() -> None:
    tool, first = Scripted(), Transcript("t")
    consult.answer(first, tool, asks("say cat", "say trouble"), ["a", "b"])
    again = Transcript("t", past=first.edited({"a": "lion"}))
    said = consult.answer(again, tool, asks("say cat", "say trouble", "say cow"), ["a", "b", "c"])
    assert tool.asked == ["say cat", "say trouble", "say trouble", "say cow"]
    assert said[0] == Statement("lion", None)


def test_no_phrase_asks_nothing() -> None:
    talk = Transcript("t")
    assert len(consult.find(talk, Scripted(), picture(), [])) == 0
    assert talk.turns == []


def test_numbers_and_boxes_cannot_be_edited_as_text() -> None:
    tool, talk = Scripted(), Transcript("t")
    consult.find(talk, tool, picture(), ["cat"])
    assert consult.match(talk, tool, [Match(picture(), "a cat")]) == [0.5]
    past = talk.edited({"regions": "a dog", "match": "all of it"})
    with pytest.raises(BadInput, match="cannot be edited"):
        consult.find(Transcript("t", past=past), tool, picture(), ["cat"])
    with pytest.raises(BadInput, match="cannot be edited"):
        consult.match(Transcript("t", past=past), tool, [Match(picture(), "a cat")])


def test_options_are_chosen_by_likelihood_in_one_batch_and_kept() -> None:
    tool, talk = Scripted(), Transcript("t")
    said = consult.choose(talk, tool, asks("say cat", "say trouble", "say dog"), ["dog", "cat"], ["a", "b", "c"])
    assert said[0] == {"cat": 0.9091, "dog": 0.0909} and isinstance(said[1], ToolError) and tool.batches == 1
    assert [t.text for t in talk.turns if t.status != "failed"] == ["cat", "dog"]
    again = consult.choose(Transcript("t", past=talk), tool, asks("say cat"), ["dog", "cat"], ["a"])
    assert again == said[:1] and tool.batches == 1
    other = consult.choose(Transcript("t", past=talk), tool, asks("say cat"), ["cow", "cat"], ["a"])
    assert other[0] == {"cat": 0.9091, "cow": 0.0909} and tool.batches == 2, "other options are another question"
    edited = talk.edited({"a": "dog"})
    assert consult.choose(Transcript("t", past=edited), tool, asks("say cat"), ["dog", "cat"], ["a"]) == [{"dog": 1.0}]
    with pytest.raises(BadInput, match="none of the options"):
        consult.choose(Transcript("t", past=edited), tool, asks("say cat"), ["cow", "cat"], ["a"])


def test_an_error_is_raised_where_one_answer_is_wanted() -> None:
    with pytest.raises(ToolError):
        consult.raised(ToolError("trouble"))
