"""What is kept of a session: all whole turns after kill -9, and little space for many turns with pictures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from chat_cases import bench
from chat_scripted import LightChat
from doubles import picture
from doubles_chat import call, say

from socratic.assistant import Assistant

KILLED = """
import sys, time
from pathlib import Path
from chat_cases import bench
from chat_scripted import LightChat
from doubles import picture
from doubles_chat import call, say
from socratic.assistant import Assistant

def never(messages):
    print("in the middle", flush=True)
    time.sleep(600)

replies = [call("detect", phrases=["dog"]), say("Two dogs."), call("generate", prompt="a cat"), never]
assistant = Assistant(bench(), model=LightChat(replies=replies), home=Path(sys.argv[1]))
conversation = assistant.open()
print(conversation.id, flush=True)
conversation.ask("How many dogs?", [picture()])
conversation.ask("Draw a cat", [picture((1, 2, 3))])
"""


def test_kill_9_in_the_middle_of_a_turn_loses_that_turn_alone(tmp_path: Path) -> None:
    tests = Path(__file__).parent
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        session = process.stdout.readline().strip()
        assert process.stdout.readline().strip() == "in the middle"
        os.kill(process.pid, signal.SIGKILL)
    with Assistant(bench(), model=LightChat(replies=[say("Hello.")]), home=tmp_path) as assistant:
        conversation = assistant.open(session)
        assert [m.text for m in conversation.messages if m.type == "human"] == ["How many dogs?"]
        assert conversation.lost == "Draw a cat"
        assert [e.origin.kind for e in conversation.album.entries()] == ["given", "marked"]
        assert [run.recipe for run in assistant.store.runs(session)] == ["detect"]
        assert conversation.ask("hello").text == "Hello." and len(assistant.sessions()) == 1


def size(home: Path) -> int:
    """Bytes of the database with its journal."""
    return sum(file.stat().st_size for file in home.glob("sessions.db*"))


def test_fifty_turns_with_pictures_take_less_than_five_megabytes(tmp_path: Path) -> None:
    def turn(i: int) -> list[Any]:
        return [call("detect", phrases=["dog"]), call("generate", prompt=f"cat {i}"), say(f"Two dogs, and cat {i}.")]

    replies = [reply for i in range(50) for reply in turn(i)]
    with Assistant(bench(), model=LightChat(replies=replies), home=tmp_path) as assistant:
        conversation = assistant.open()
        for i in range(50):
            answer = conversation.ask(f"How many dogs? Draw cat {i}.", [picture((i, 30, 30), size=(320, 240))])
            assert len(answer.images) == 2
            if i == 9:
                early = size(tmp_path)
        assert len(conversation.album.entries()) == 150 and size(tmp_path) < 5_000_000
        assert size(tmp_path) < 5 * early, "space grows with the turns, not with their square"
        session = conversation.id
    with Assistant(bench(), model=LightChat(replies=[say("Fifty.")]), home=tmp_path) as assistant:
        again = assistant.open(session)
        assert len(again.messages) == 300 and again.ask("how many turns?").text == "Fifty."
        fork = again.fork(25)
        assert len(fork.messages) == 150 and len(fork.album.entries()) == 75
        assert again.undo() and len(again.messages) == 300 and size(tmp_path) < 5_000_000
        assistant.delete(session)
        assert len(fork.album.entries()) == 75 and fork.album.get(fork.album.entries()[0].handle).width == 320
