"""The commands of the chat, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from chat_cases import Heard
from doubles import picture
from doubles_chat import call, say

from socratic.chat.commands import COMMANDS, Ended

RED = picture((200, 30, 30))
DOGS = call("detect", phrases=["dog"]), say("Two dogs.")


@pytest.fixture(autouse=True)
def red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    RED.pil.save(tmp_path / "red.png")
    return tmp_path / "red.png"


def test_help_lists_all_commands(tmp_path: Path) -> None:
    with Heard(tmp_path / "home") as heard:
        shown = heard.type("/help")
        assert all(f"/{name}" in shown and COMMANDS[name].tells in shown for name in COMMANDS)
        with pytest.raises(Ended):
            heard.type("/quit")


def test_pictures_are_listed_shown_and_saved(tmp_path: Path) -> None:
    with Heard(tmp_path / "home", *DOGS) as heard:
        assert "no picture yet" in heard.type("/pictures") and "there is no picture" in heard.type("/show img:123456")
        heard.type("how many dogs in red.png?")
        listed = heard.type("/pictures")
        assert f"{RED.handle}  given: red.png" in listed and "marked of" in listed
        assert "given: red.png, 8 x 6" in heard.type(f"/show {RED.handle}")
        for typed, file in (
            (f"/save {RED.handle} mine", "mine.png"),
            (f"/save {RED.handle} mine.png", "mine-1.png"),
            (f"/save {RED.handle} 'some/where else/x.png'", "some/where else/x.png"),
            (f"/save {RED.handle}", f"{RED.handle.replace(':', '-')}.png"),
        ):
            assert "saved" in heard.type(typed) and (tmp_path / file).is_file()
        heard.type("/saves kept")
        assert "kept" in heard.type(f"/save {RED.handle} y") and (tmp_path / "kept" / "y.png").is_file()
        assert "cannot be written" in heard.type(f"/save {RED.handle} red.png/x.png")


def test_undo_fork_new_and_open(tmp_path: Path) -> None:
    with Heard(tmp_path / "home", *DOGS, say("Three."), say("Four.")) as heard:
        first = heard.talk.conversation.id
        heard.type("how many dogs in red.png?")
        heard.type("and then?")
        assert "last turn is gone" in heard.type("/undo")
        heard.type("and now?")
        assert "copy" in heard.type("/fork 1") and len(heard.talk.conversation.messages) == 4
        fork = heard.talk.conversation.id
        assert "wants a number" in heard.type("/fork x") and "cannot be kept" in heard.type("/fork 9")
        assert "gone" in heard.type("/undo") and "nothing to undo" in heard.type("/undo")
        heard.type("/saves kept")
        heard.type("/new")
        assert heard.talk.conversation.id not in (first, fork) and heard.talk.conversation.room.setting("saves")
        listed = heard.type("/sessions")
        assert (
            f"* {heard.talk.conversation.id}".replace(" ", "") in listed.replace(" ", "") and "how many dogs" in listed
        )
        assert "the last words: Four." in heard.type(f"/open {first}") and heard.talk.conversation.id == first
        assert "0 sessions begin" in heard.type("/open zzz") and "wants a session" in heard.type("/open")


def test_trace_tells_what_the_models_said(tmp_path: Path) -> None:
    with Heard(tmp_path / "home", *DOGS, say("Hello.")) as heard:
        assert "nothing was looked at" in heard.type("/trace")
        heard.type("how many dogs in red.png?")
        assert "regions (scripted-detector): 2 x dog" in heard.type("/trace")
        heard.type("/trace -o talk.html")
        page = (tmp_path / "talk.html").read_text()
        assert "scripted-detector" in page and page.count("data:image/png") >= 2
        assert "takes -o FILE.html" in heard.type("/trace talk.txt")
        heard.type("hello")
        assert "nothing was looked at" in heard.type("/trace")


def test_export_and_freeze(tmp_path: Path) -> None:
    with Heard(tmp_path / "home", *DOGS) as heard:
        heard.type("how many dogs in red.png?")
        assert "sessions import" in heard.type("/export talk.zip") and (tmp_path / "talk.zip").is_file()
        assert "already" in heard.type("/export talk.zip") and "ends in .zip" in heard.type("/export talk.tar")
        shown = heard.type("/freeze dogs.py last")
        assert "1 steps for each picture: detect" in shown and "socratic run dogs.py FOLDER -o dogs.jsonl" in shown
        assert "steps(detect, picture" in (tmp_path / "dogs.py").read_text()
        assert "ends in .py" in heard.type("/freeze")


def test_folder(tmp_path: Path) -> None:
    with Heard(tmp_path / "home") as heard:
        assert "1 embedded" in heard.type(f"/folder {tmp_path}")
        assert "there is no folder" in heard.type("/folder nowhere") and "wants a folder" in heard.type("/folder")
        assert "wants a folder" in heard.type("/saves")
