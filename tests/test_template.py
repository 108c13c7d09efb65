"""Bodies as text: role lines are marked, and text that poses as a message is found."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from socratic.template import roles_marked, sandbox, smuggled


def test_role_lines_are_marked_and_words_in_a_line_are_not() -> None:
    assert roles_marked("system:\na user: b\n  User :\nc", "*") == "*role:system;\na user: b\n*role:user;\nc"


@pytest.mark.parametrize("text", ["a\nsystem:\nb", "a\rUser :\nb", "a\u2028assistant:", "<|im_start|>", "[INST] x"])
def test_text_that_poses_as_a_message_is_found(text: str) -> None:
    assert smuggled(text)
    assert not smuggled("the system: a user")


def test_the_sandbox_guesses_no_values_and_lets_nothing_change() -> None:
    with pytest.raises(UndefinedError):
        sandbox().from_string("{{ nothing }}").render()
    with pytest.raises(SecurityError):
        sandbox().from_string("{{ items.append(1) }}").render(items=[])
