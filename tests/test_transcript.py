"""Transcripts: what is said comes back from text and file, edits are kept, and only what changed is made anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from doubles import picture
from hypothesis import example, given
from hypothesis import strategies as st

from socratic.errors import BadInput
from socratic.transcript import Transcript, Turn, Value, heard, key_of, spoken
from socratic.values import Usage

ITEM = st.text(min_size=1, max_size=12).filter(lambda s: s == s.strip() and len(s.splitlines()) == 1)


class Maker:
    """Produces a value and counts how often."""

    def __init__(self, value: Value, evidence: Mapping[str, Any] | None = None) -> None:
        self.value, self.evidence, self.times = value, evidence or {}, 0

    def __call__(self) -> tuple[Value, Mapping[str, Any]]:
        self.times += 1
        return self.value, self.evidence


def talk() -> Transcript:
    """A small conversation about one picture."""
    made = Transcript("caption")
    made.arguments = {"shots": 2, "labels": ["dog", "cat"]}
    made.pictures = [picture(source="zoo.png")]
    made.state("objects", "clip:ViT-B", ["x"], Maker(["zebra", "grass"], {"cosines": {"zebra": 0.3}}))
    made.add(
        Turn(
            "caption",
            "writer:small",
            "A zebra.",
            prompt="caption.write",
            asked="user: Hi",
            key="k",
            status="clean",
            usage=Usage(9, 2),
        )
    )
    return made


@given(st.lists(ITEM, max_size=6))
@example(["a, b"])
@example(["a,b"])
@example(["a, b", "c"])
@example(["one alone"])
@example([","])
@example([])
def test_a_list_is_heard_as_it_was_spoken(items: list[str]) -> None:
    text, kind = spoken(items)
    assert kind == "list" and heard(text) == items
    assert Turn("n", "s", text, kind).value == items


@given(st.text())
def test_a_text_is_its_own_value(text: str) -> None:
    assert spoken(text) == (text, "text") and Turn("n", "s", text).value == text


@pytest.mark.parametrize(
    ("edited", "items"),
    [
        ("dog, cat", ["dog", "cat"]),
        ("dog,  cat , ", ["dog", "cat ,"]),
        ("dog\ncat\n", ["dog", "cat"]),
        ("dog\r\n\r\n  cat", ["dog", "cat"]),
        ("a dog, brown\na cat", ["a dog, brown", "a cat"]),
        ("dog", ["dog"]),
        ("", []),
    ],
)
def test_a_list_may_be_edited_by_lines_or_commas(edited: str, items: list[str]) -> None:
    assert heard(edited) == items


def test_a_statement_is_made_once_and_recorded() -> None:
    made = talk()
    turn = made.turns[0]
    assert turn.value == ["zebra", "grass"] and turn.text == "zebra, grass" and turn.kind == "list"
    assert (turn.speaker, turn.origin, turn.evidence) == ("clip:ViT-B", "computed", {"cosines": {"zebra": 0.3}})
    assert [t.name for t in made.turns] == ["objects", "caption"]


def test_what_would_come_out_the_same_is_not_made_again() -> None:
    again, maker = Transcript(past=talk()), Maker("other")
    turn = again.state("objects", "clip:ViT-B", ["x"], maker)
    assert maker.times == 0 and turn.value == ["zebra", "grass"] and turn.origin == "replayed"
    assert again.turns == [turn]


@pytest.mark.parametrize(
    ("name", "speaker", "made_from"),
    [("objects", "clip:ViT-L", ["x"]), ("objects", "clip:ViT-B", ["y"]), ("places", "clip:ViT-B", ["x"])],
)
def test_what_was_made_otherwise_is_made_again(name: str, speaker: str, made_from: list[str]) -> None:
    again, maker = Transcript(past=talk()), Maker("other")
    turn = again.state(name, speaker, made_from, maker)
    assert maker.times == 1 and turn.text == "other" and turn.origin == "computed"


def test_an_edited_statement_stays_whatever_it_was_made_from() -> None:
    again, maker = Transcript(past=talk().edited({"objects": "lion, sand"})), Maker("other")
    turn = again.state("objects", "another", ["entirely"], maker)
    assert maker.times == 0 and turn.value == ["lion", "sand"] and turn.origin == "edited"
    third = Transcript(past=again).state("objects", "another", ["again"], maker)
    assert third.origin == "edited", "also in the run after that"


def test_a_failed_turn_is_not_recalled() -> None:
    past = Transcript()
    past.add(Turn("caption", "w", "?", key="k", status="failed"))
    again = Transcript(past=past)
    assert again.recall("caption", "k") is None and again.turns == []
    assert Transcript(past=past.edited({"caption": "A zebra."})).recall("caption", "k") is not None


def test_an_edit_changes_a_copy_only() -> None:
    made = talk()
    copy = made.edited({"caption": "A lion."})
    assert [t.text for t in copy.turns] == ["zebra, grass", "A lion."] and made.turns[1].text == "A zebra."
    assert [t.origin for t in copy.turns] == ["computed", "edited"] and copy.turns[1].status == ""
    assert (copy.recipe, copy.arguments, copy.pictures) == (made.recipe, made.arguments, made.pictures)


def test_an_edit_of_an_unknown_turn_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="no turn 'captoin'") as caught:
        talk().edited({"caption": "fine", "captoin": "A lion."})
    assert caught.value.hint == "its turns: objects, caption"


def test_the_ledger_counts_replies_by_status_and_usage_what_was_paid_now() -> None:
    made = Transcript()
    for i, status in enumerate(["clean", "failed", "clean", "", "re-asked"]):
        made.add(Turn(f"t{i}", "w", "x", key=f"k{i}", status=status, usage=Usage(10, 1)))
    assert made.ledger == {"clean": 2, "repaired": 0, "re-asked": 1, "failed": 1}
    assert made.usage == Usage(50, 5)
    again = Transcript(past=made)
    again.recall("t0", "k0")
    assert again.ledger["clean"] == 1 and again.usage == Usage()


def test_a_stored_transcript_comes_back_whole(tmp_path: Path) -> None:
    made = talk()
    made.save(tmp_path / "talk.json")
    again = Transcript.load(tmp_path / "talk.json")
    assert again.as_dict() == made.as_dict() and again.turns == made.turns
    assert again.sources == [made.pictures[0].as_dict()] and again.pictures == []
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "talk.json").read_bytes()


@given(st.text(st.characters(exclude_categories=())), st.dictionaries(st.text(), st.floats(allow_nan=False)))
@example("zoo \udcff.png", {})
def test_whatever_was_said_survives_the_file(said: str, evidence: dict[str, float]) -> None:
    made = Transcript()
    made.add(Turn("caption", said, said, evidence=evidence))
    again = Transcript.from_dict(json.loads(json.dumps(made.as_dict())))
    assert again.turns == made.turns


def test_a_file_name_that_is_not_utf_8_can_be_stored(tmp_path: Path) -> None:
    made = Transcript()
    made.pictures = [picture(source="zoo \udcff é.png")]
    made.save(tmp_path / "talk.json")
    assert Transcript.load(tmp_path / "talk.json").sources[0]["source"] == "zoo \udcff é.png"


def test_fields_of_a_newer_version_are_left_out() -> None:
    made = talk()
    data = made.as_dict()
    data["turns"][0]["mood"] = "cheerful"
    assert Transcript.from_dict(data).turns == made.turns


@pytest.mark.parametrize(
    "content",
    ["", "no json", "[]", "3", '"text"', "{}", '{"recipe": "x", "arguments": {}, "pictures": [], "turns": [3]}',
     '{"recipe": "x", "arguments": {}, "pictures": [], "turns": [{"name": "x"}]}', "[" * 100_000],
    ids=lambda content: content[:30],
)  # fmt: skip
def test_a_file_that_is_no_transcript_is_bad_input(tmp_path: Path, content: str) -> None:
    (tmp_path / "talk.json").write_text(content)
    with pytest.raises(BadInput, match="not a stored transcript"):
        Transcript.load(tmp_path / "talk.json")


def test_a_missing_file_or_one_in_another_encoding_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "talk.json").write_bytes(b"\xff\xfe{\x00}\x00")
    for name in ("talk.json", "none.json"):
        with pytest.raises(BadInput, match=name):
            Transcript.load(tmp_path / name)


def test_a_conversation_is_said_turn_by_turn() -> None:
    made = talk().edited({"objects": "lion\nsand"})
    made.add(Turn("check", "w:x", "yes", status="repaired"))
    seen = made.pictures[0]
    assert made.say() == (
        f"{seen.handle}  zoo.png  8 x 6\n"
        "objects [edited] (clip): lion\n    sand\n"
        "caption (writer): A zebra.\n"
        "check [repaired] (w): yes"
    )


def test_a_key_tells_parts_apart() -> None:
    keys = {key_of("a", "b"), key_of("ab"), key_of("a", ("b",)), key_of("a", 1), key_of("a", "1"), key_of("b", "a")}
    assert len(keys) == 6 and key_of("a", "b") == key_of("a", "b")
