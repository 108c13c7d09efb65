"""Facts examined in a picture: one pass and one batch, both voices kept, disputes shown."""

from __future__ import annotations

from doubles import picture
from doubles_sight import ScriptedAnswerer, ScriptedDetector

from socratic.clauses import clauses
from socratic.errors import ToolError
from socratic.evidence import Verdict, examine, marked
from socratic.transcript import Transcript

LEFT, RIGHT = (0.0, 0.0, 20.0, 20.0), (60.0, 0.0, 80.0, 20.0)
PICTURE = picture(size=(100, 50))


def examined(text: str, detector: ScriptedDetector, answerer: ScriptedAnswerer) -> tuple[Verdict, ...]:
    return examine(Transcript("t"), PICTURE, clauses(text), detector, answerer)


def test_all_phrases_share_a_pass_and_all_questions_a_batch() -> None:
    detector, answerer = ScriptedDetector({"dog": [LEFT, RIGHT], "cat": [LEFT]}), ScriptedAnswerer({}, "yes")
    talk = Transcript("t")
    examine(talk, PICTURE, clauses("two dogs and a cat without a cow"), detector, answerer)
    assert detector.phrases == [("dog", "cat", "cow")]
    assert answerer.calls["answer"].forwards == 1 and len(answerer.asked) == 4
    assert talk.turns[0].name == "regions"


def test_where_both_agree_a_fact_passes_or_fails_and_where_not_it_is_disputed() -> None:
    detector = ScriptedDetector({"dog": [LEFT], "cow": [RIGHT]})
    answerer = ScriptedAnswerer({"Is there a dog in the picture?": "yes"})
    dog, cat, cow = examined("a dog, a cat and a cow", detector, answerer)
    assert (dog.passed, dog.disputed) == (True, False) and dog.score > 0.85
    assert (cat.passed, cat.disputed) == (False, False) and cat.score < 0.15
    assert (cow.passed, cow.disputed) == (True, True) and 0.4 < cow.score < 0.6
    assert [f.said for f in cow.findings] == ["one: 90%", "no"]


def test_a_place_has_no_box_so_the_answerer_alone_decides() -> None:
    answerer = ScriptedAnswerer({"Is this a beach?": "yes"})
    (_, beach) = examined("a dog on a beach", ScriptedDetector({}), answerer)
    assert beach.passed and not beach.disputed and [f.source for f in beach.findings] == ["answerer"]


def test_counts_colours_and_exclusions() -> None:
    detector = ScriptedDetector({"dog": [LEFT, RIGHT], "cow": [LEFT]})
    answerer = ScriptedAnswerer(
        {"How many dogs are there?": "2", "What colour is the dog?": "brown", "Is there a cow?": "yes"}, "yes"
    )
    verdicts = examined("two red dogs without a cow", detector, answerer)
    assert {v.clause.kind: v.passed for v in verdicts} == {
        "object": True, "count": True, "colour": False, "absent": False,
    }  # fmt: skip
    assert "should be red: no (answerer says brown)" in verdicts[2].say()


def test_only_the_answerer_tells_the_colour_or_the_place_of_an_exclusion() -> None:
    detector = ScriptedDetector({"barn": [LEFT]})
    barn, beach = examined("no red barns, not on a beach", detector, ScriptedAnswerer({"Is this a beach?": "yes"}))
    assert barn.passed and not barn.disputed and "detector says one: 90%" in barn.say()
    assert not beach.passed and not beach.disputed and [f.source for f in beach.findings] == ["answerer"]
    there = examined("a farm without red barns", detector, ScriptedAnswerer({"Is there a red barn?": "yes"}))[-1]
    assert not there.passed and not there.disputed


def test_relations_are_read_off_the_boxes_with_a_margin() -> None:
    answerer = ScriptedAnswerer({}, "yes")
    near = (2.0, 0.0, 22.0, 20.0)
    for boxes, wanted in (((LEFT, RIGHT), True), ((RIGHT, LEFT), False), ((LEFT, near), False)):
        detector = ScriptedDetector({"dog": [boxes[0]], "cat": [boxes[1]]})
        assert examined("a dog to the left of a cat", detector, answerer)[-1].passed is wanted
    missing = examined("a dog to the left of a cat", ScriptedDetector({"dog": [LEFT]}), answerer)[-1]
    assert not missing.passed and missing.findings[0].said == "no cat"


def test_an_answer_that_tells_nothing_leaves_the_fact_open() -> None:
    answerer = ScriptedAnswerer({"Is this a beach?": ToolError("it broke")}, "perhaps")
    dog, beach = examined("a dog on a beach", ScriptedDetector({"dog": [LEFT]}), answerer)
    assert dog.passed and not dog.disputed
    assert not beach.told and beach.score == 0.5 and "it broke" in beach.say()


def test_marks_stand_behind_the_words_they_are_about() -> None:
    text = "a dog, a cat and a cow on a beach"
    verdicts = examined(text, ScriptedDetector({"dog": [LEFT], "cow": [RIGHT]}), ScriptedAnswerer({"Is there a dog in the picture?": "yes"}))  # fmt: skip
    assert marked(text, verdicts) == "a dog, a cat[!] and a cow[?] on a beach[!]"


def test_a_text_without_facts_asks_nothing() -> None:
    detector, answerer = ScriptedDetector({}), ScriptedAnswerer({})
    assert examined("how lovely", detector, answerer) == ()
    assert not detector.phrases and not answerer.asked
