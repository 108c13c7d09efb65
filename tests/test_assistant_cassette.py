"""A session as a test: it replays, tools really run, and what comes out otherwise is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_scripted import leading
from doubles import ScriptedEmbedder, picture
from doubles_chat import ScriptedChat, call, calls, say
from doubles_generate import ScriptedGenerator
from doubles_sight import ScriptedDetector

from socratic.assistant import Assistant
from socratic.assistant.cassette import recorded, replay
from socratic.errors import BadInput
from socratic.images import load
from socratic.indexing import refreshed
from socratic.workbench import Workbench

DOGS = [(0, 0, 2, 2), (4, 2, 6, 4)]
EMBEDDER = ScriptedEmbedder(fingerprint="planted")


def bench(dogs: Any = DOGS) -> Workbench:
    return Workbench.of(detector=ScriptedDetector({"dog": dogs}), generator=ScriptedGenerator(), embedder=EMBEDDER)


def record(folder: Path, said: list[tuple[str, list[Any]]], *replies: Any, decide: str = "approve", **settings: Any) -> Path:  # fmt: skip
    with Assistant(bench(), model=ScriptedChat(replies=list(replies)), home=folder / "home") as assistant:
        conversation = assistant.open()
        for name, value in settings.items():
            conversation.room.set(name, value)
        for text, pictures in said:
            conversation.ask(text, pictures)
            if conversation.pending:
                conversation.decide([decide])
        files = recorded(conversation, folder / "test_talk.py")
    assert all(file.is_file() for file in files)
    return files[1]


def found(handle: str) -> Any:
    """A call that names the picture that came last, by its handle."""
    return lambda messages: call("detect", picture=handle, phrases=["dog"])


def test_a_session_replays_and_a_change_of_a_tool_is_told(tmp_path: Path) -> None:
    red = picture((200, 30, 30), "red.png")
    file = record(
        tmp_path, [('How many dogs?\n""" + evil', [red]), ("And which picture?", []), ("Draw a cat", [])],
        call("detect", phrases=["dog"]), say("Two."), found(red.handle), say(f"It is {red.handle}."), call("generate", prompt="a cat"), say("Here."),
    )  # fmt: skip
    assert replay(file, tmp_path / "same", bench()) == []
    fewer = replay(file, tmp_path / "fewer", bench(DOGS[:1]))
    assert fewer and "recorded was" in fewer[0] and "dog" in fewer[0]


def test_decisions_are_replayed(tmp_path: Path) -> None:
    red = picture((200, 30, 30), "red.png")
    for decision in ("approve", "reject"):
        folder = tmp_path / decision
        replies = calls(("save", {"name": "x"})), say("Done.")
        file = record(folder, [("save it", [red])], *replies, decide=decision, saves=folder / "there")
        assert replay(file, folder / "again", bench()) == []
        assert (folder / "again" / "saves" / "x.png").exists() == (decision == "approve")
        assert str(tmp_path) not in file.read_text()


def test_a_search_replays_on_the_gallery_that_is_kept_beside_it(tmp_path: Path) -> None:
    for i, colour in enumerate([(9, 9, 200), (9, 200, 9)]):
        picture(colour).pil.save(tmp_path / f"{i}.png")
    refreshed(None, [str(tmp_path / "0.png"), str(tmp_path / "1.png")], EMBEDDER).index.save(tmp_path / "all.gallery")
    file = record(tmp_path, [("find a fish", [])], call("retrieve", text="a fish", k=1), say("This."), gallery=tmp_path / "all.gallery")  # fmt: skip
    assert replay(file, tmp_path / "again", bench()) == []


def passes(test: Path) -> bool:
    """What pytest says of a file, in this process, which has the models behind it."""
    done = pytest.main([str(test), "-p", "no:cacheprovider", "--import-mode=importlib", f"--rootdir={test.parent}"])
    assert done in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    return done == pytest.ExitCode.OK


def test_what_was_written_runs_as_a_test_on_the_pocket_models(tmp_path: Path) -> None:
    scene = load(Path(__file__).parent.parent / "pocket" / "pictures" / "scene-3.png")
    model = leading([["detect", {"phrases": ["snake"]}], "Two snakes."])
    with Assistant(model=model, home=tmp_path / "home") as assistant:
        conversation = assistant.open()
        conversation.ask("How many snakes?", [scene])
        recorded(conversation, tmp_path / "test_snakes.py")
    assert passes(tmp_path / "test_snakes.py")
    file = tmp_path / "test_snakes.json"
    file.write_text(file.read_text().replace("at the lower right", "at the upper left"))
    assert not passes(tmp_path / "test_snakes.py")


def test_nothing_is_overwritten_and_a_broken_record_is_told(tmp_path: Path) -> None:
    file = record(tmp_path, [("hello", [])], say("Hello."))
    with Assistant(bench(), model=ScriptedChat(), home=tmp_path / "home") as assistant:
        conversation = assistant.open(assistant.sessions()[0].id)
        with pytest.raises(BadInput, match="already"):
            recorded(conversation, tmp_path / "test_talk.py")
        with pytest.raises(BadInput, match="no name of a test"):
            recorded(conversation, tmp_path / "talk.py")
        with pytest.raises(BadInput, match="nothing was said"):
            recorded(assistant.open(), tmp_path / "test_other.py")
    told = json.loads(file.read_text())
    broken: list[Any] = [{**told, "version": 2}, {**told, "session": {}}, {**told, "pictures": {"x": "?"}}, []]
    for bad in broken:
        file.write_text(json.dumps(bad))
        with pytest.raises(BadInput, match="no recorded session"):
            replay(file, tmp_path, bench())
    file.write_text(json.dumps({**told, "profile": "mine.toml"}))
    with pytest.raises(BadInput, match=r"mine\.toml"):
        replay(file, tmp_path)
