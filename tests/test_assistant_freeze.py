"""A conversation as a recipe: the file repeats its calls for any picture, and nothing that a model wrote is executed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedEmbedder, picture
from doubles_chat import ScriptedChat, call, calls, say
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedDetector
from hypothesis import given, settings
from hypothesis import strategies as st

from socratic.assistant import Assistant
from socratic.assistant.freeze import frozen, literal, words
from socratic.assistant.store import Run
from socratic.errors import BadInput
from socratic.named import found
from socratic.workbench import Workbench

RED, BLUE = picture((200, 30, 30), "red.png"), picture((30, 30, 200), "blue.png")
HOSTILE = [
    "'); import os; os.system('true') #",
    '"""\nimport os\n"""',
    "{__import__('os')} {title} %s",
    "a\\'b\\\"c\\",
    "line\nbreak\r\u2028\u0085\x0c\x00",
    "\u202ereversed",
    "{{7*7}}",
]


def bench() -> Workbench:
    return Workbench.of(
        detector=ScriptedDetector({"dog": [(0, 0, 2, 2), (4, 2, 6, 4)]}),
        generator=ScriptedGenerator(),
        embedder=ScriptedEmbedder(fingerprint="planted"),
    )


def file_of(home: Path, said: list[tuple[str, list[Any]]], *replies: Any, name: str = "talk.py", last: bool = False) -> Path:  # fmt: skip
    """What a conversation is frozen to."""
    with Assistant(bench(), model=ScriptedChat(replies=list(replies)), home=home / "home") as assistant:
        conversation = assistant.open()
        for text, pictures in said:
            conversation.ask(text, pictures)
        frozen(conversation, home / name, last=last)
    return home / name


def run(file: Path, source: Any, **arguments: Any) -> Any:
    with bench().used():
        return found(str(file))[0](source, **arguments)


def test_the_calls_come_again_for_another_picture(tmp_path: Path) -> None:
    file = file_of(
        tmp_path, [("How many dogs?", [RED]), ("again?", []), ("And a cat?", [])],
        call("detect", phrases=["dog"]), say("Two."), call("detect", phrases=["dog"]), say("Two."), call("detect", phrases=["cat"]), say("None."),
    )  # fmt: skip
    text = file.read_text()
    assert "# How many dogs?" in text and text.count('detect, picture, phrases=["dog"]') == 1
    assert 'MODELS = {\n    "detector": "scripted-detector",\n}' in text
    made = run(file, BLUE)
    assert [dict(step.value.regions.counts) for step in made.steps] == [{"dog": 2}, {}]
    assert made.transcript.turns[0].name.startswith("1 detect: ") and made.transcript.pictures == [BLUE]
    assert made.as_dict()["steps"][0]["value"]["regions"][0]["label"] == "dog"


def test_pictures_that_one_call_made_feed_the_next(tmp_path: Path) -> None:
    def after(handle_of: Any) -> Any:
        return lambda messages: call("detect", picture=handle_of(messages), phrases=["dog"])

    def drawn(messages: Any) -> str:
        return str(next(m.artifact["pictures"][0] for m in messages if m.type == "tool" and m.name == "generate"))

    file = file_of(
        tmp_path, [("Is it a dog?", [RED]), ("Draw a cat", []), ("Any dog in it?", [])],
        call("detect", phrases=["dog"]), say("Yes."), call("generate", prompt="a cat"), say("Here."), after(drawn), say("Two."),
    )  # fmt: skip
    assert "step_2 = steps(generate" in file.read_text() and "detect, step_2.pictures[0]" in file.read_text()
    made = run(file, BLUE)
    assert len(made.drawings) == 1 and made.steps[2].looked_at == made.drawings[0]


def test_a_second_picture_of_the_user_is_an_argument_and_the_last_turn_can_stand_alone(tmp_path: Path) -> None:
    said: list[tuple[str, list[Any]]] = [("How many dogs?", [RED]), ("And here?", [BLUE])]
    replies = [call("detect", phrases=["dog"]), say("Two."), call("detect", phrases=["dog"]), say("Two.")]
    file = file_of(tmp_path, said, *replies, name="both.py")
    assert "def both(picture: Picture, *, picture_2: Picture, talk" in file.read_text()
    assert [s.looked_at for s in run(file, BLUE, picture_2=RED).steps] == [BLUE, RED]
    alone = file_of(tmp_path, said, *replies, name="alone.py", last=True)
    assert "picture_2" not in alone.read_text() and len(run(alone, RED).steps) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_model_wrote_is_a_string_and_what_a_user_wrote_a_comment(tmp_path: Path, text: str) -> None:
    file = file_of(tmp_path, [(text + "?", [RED])], call("detect", phrases=[text, "dog"]), say("None."))
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert [type(node).__name__ for node in tree.body] == ["Expr"] + ["ImportFrom"] * 6 + ["Assign"] * 2 + [
        "FunctionDef"
    ]
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert called == {"Steps", "steps", "steps.done"}
    phrases = next(k.value for node in ast.walk(tree) if isinstance(node, ast.Call) for k in node.keywords)
    assert ast.literal_eval(phrases) == [text, "dog"]
    assert "\u202e" not in file.read_text(encoding="utf-8")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_a_json_value_comes_back_from_its_literal(value: Any) -> None:
    told = literal(value)
    assert ast.literal_eval(told) == value and "\n" not in told and "\r" not in told


@settings(deadline=None)
@given(st.text())
def test_words_of_a_user_end_no_comment_and_no_docstring(text: str) -> None:
    told = words(text)
    tree = ast.parse(f'"""{told}"""\n# {told}\nx = 1\n')
    assert [type(node).__name__ for node in tree.body] == ["Expr", "Assign"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, {"a": b"x"}, object()])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(BadInput):
        literal(value)
    nested: Any = 1
    for _ in range(40):
        nested = [nested]
    with pytest.raises(BadInput, match="deeply"):
        literal(nested)


def test_what_cannot_be_frozen_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no tool was called for a picture"):
        file_of(tmp_path, [("Draw a cat", [])], call("generate", prompt="a cat"), say("Here."))
    with pytest.raises(BadInput, match="no tool was called for a picture"):
        file_of(tmp_path, [("Hello", [RED])], say("Hello."))
    for name in ("talk.txt", "my talk.py", "class.py"):
        with pytest.raises(BadInput, match="no name"):
            file_of(tmp_path, [("How many dogs?", [RED])], call("detect", phrases=["dog"]), say("Two."), name=name)
    file_of(tmp_path, [("How many dogs?", [RED])], call("detect", phrases=["dog"]), say("Two."))
    with pytest.raises(BadInput, match="already"):
        file_of(tmp_path, [("How many dogs?", [RED])], call("detect", phrases=["dog"]), say("Two."))


def test_failed_calls_and_the_assistants_own_tools_are_left_out(tmp_path: Path) -> None:
    file = file_of(
        tmp_path, [("How many dogs?", [RED]), ("why?", [])],
        call("detect", picture="img:abcdef", phrases=["dog"]), call("detect", phrases=["dog"]), say("Two."), calls(("explain", {})), say("So."),
        name="detect.py",
    )  # fmt: skip
    text = file.read_text()
    assert text.count("steps(detect") == 1 and "explain" not in text and "def detect_again(" in text
    assert len(run(file, BLUE).steps) == 1


def test_another_model_stops_it_with_advice(tmp_path: Path) -> None:
    file = file_of(tmp_path, [("How many dogs?", [RED])], call("detect", phrases=["dog"]), say("Two."))
    other = bench()
    other.tool("detector").fingerprint = "newer-detector"
    with other.used(), pytest.raises(BadInput, match="was scripted-detector when this was frozen") as stopped:
        found(str(file))[0](RED)
    assert "freeze the conversation again" in stopped.value.hint or "--profile" in stopped.value.hint


@pytest.mark.parametrize("pictures", [[{"x": 1}], "img:123456", ["picture); import os"], [["img:123456"]]])
def test_a_session_from_elsewhere_cannot_write_code_as_handles(tmp_path: Path, pictures: Any) -> None:
    with Assistant(bench(), model=ScriptedChat(), home=tmp_path / "home") as assistant:
        conversation = assistant.open()
        assistant.store.add_run(conversation.id, Run("1", "detect", {"phrases": ["x"], "pictures": pictures}, "", {}))
        with pytest.raises(BadInput, match="by handle"):
            frozen(conversation, tmp_path / "x.py")
        assistant.store.forget_after(conversation.id, (0, 0))
        assistant.store.add_run(conversation.id, Run("2", "detect", {"os": "x"}, "", {}))
        with pytest.raises(BadInput, match="no argument 'os'"):
            frozen(conversation, tmp_path / "x.py")
        assistant.store.forget_after(conversation.id, (0, 0))
        assistant.store.add_run(conversation.id, Run("3", "os", {}, "", {}))
        with pytest.raises(BadInput, match="no recipe"):
            frozen(conversation, tmp_path / "x.py")
