"""The assistant that the pocket leader leads, without any key: what people say, the tool that is called, what is answered.

Plain wordings on shipped scenes. How it does on a hundred held-out ones is a score (`socratic/pocket/score_assistant.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socratic.assistant import Assistant
from socratic.pocket.judge_assistant import plainly
from socratic.pocket.talk_kinds import OUTSIDE
from socratic.workbench import open_profile

PICTURES = Path(__file__).parent.parent / "pocket" / "pictures"
SNAKES = PICTURES / "scene-3.png"
SAID: list[tuple[str, str, dict[str, Any]]] = [
    ("What is in the picture?", "caption", {}),
    ("Describe this image in one sentence, please", "caption", {}),
    ("how many snakes are there", "detect", {"phrases": ["snake"]}),
    ("Count the palm trees in the picture.", "detect", {"phrases": ["palm tree"]}),
    ("Where is the palm tree?", "detect", {"phrases": ["palm tree"]}),
    ("in which corner do you see the snake", "detect", {"phrases": ["snake"]}),
    ("Mark the snakes in this picture", "detect", {"phrases": ["snake"]}),
    ("Cut out the palm tree", "segment", {"phrases": ["palm tree"]}),
    ("I need the snake without its background", "segment", {"phrases": ["snake"]}),
    ("Is there a dog in the picture?", "check", {"prompt": "a dog"}),
    ("Is it true that there is a snake in a desert?", "check", {"prompt": "a snake in a desert"}),
    ("What colour is the snake?", "ask", {"questions": ["What colour is the snake?"]}),
    ("Draw a lemon on a beach", "generate", {"prompt": "a lemon on a beach"}),
    ("please paint two dogs in a forest", "generate", {"prompt": "two dogs in a forest"}),
    ("Turn the snake into a cat", "edit", {"prompt": "a cat", "phrases": ["snake"]}),
    ("make the palm tree blue", "edit", {"prompt": "a blue palm tree", "phrases": ["palm tree"]}),
    ("Put the snake in the forest", "edit", {"prompt": "a snake in a forest"}),
    ("What will the weather be tomorrow?", "", {}),
    ("Translate good morning into French", "", {}),
    ("Tell me a joke", "", {}),
]


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with Assistant(open_profile("pocket", keep=False), home=tmp_path_factory.mktemp("home")) as made:
        yield made


def test_plain_requests_get_their_call(assistant: Assistant) -> None:
    wrong = []
    for said, tool, arguments in SAID:
        answer = assistant.ask(said, [SNAKES])
        called = [(t["name"], plainly({k: v for k, v in t["arguments"].items() if v})) for t in answer.tools[:1]]
        if called != ([(tool, plainly(arguments))] if tool else []):
            wrong.append(f"{said} -> {called}: {answer.text}")
    assert len(wrong) <= len(SAID) // 10, "\n".join(wrong)


def test_a_talk_about_one_picture_and_a_drawing(assistant: Assistant) -> None:
    talk = assistant.open()
    assert "two snakes" in talk.ask("How many snakes are there?", [SNAKES]).text.lower()
    drawing = talk.ask("Draw a lemon on a beach.")
    ((drawn, _),) = drawing.images
    assert drawn in drawing.text and talk.album.entry(drawn).origin.words == "a lemon on a beach"
    changed = talk.ask("Now put it in a forest.")
    origin = talk.album.entry(changed.images[-1][0]).origin
    assert (origin.words, origin.parents) == ("a lemon in a forest", (drawn,))
    assert "snake" in talk.ask("What is in the first picture?").text


def test_what_is_outside_its_world_is_said_so_and_nothing_is_called(assistant: Assistant) -> None:
    answer = assistant.ask("What will the weather be tomorrow?")
    assert answer.text == OUTSIDE and not answer.tools


def test_without_a_picture_it_asks_for_one(assistant: Assistant) -> None:
    answer = assistant.ask("How many dogs are in the picture?")
    assert "give me one" in answer.text and not answer.tools
