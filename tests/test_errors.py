"""The error tree: one root, plain dicts, text that says what to do next."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from socratic import errors
from socratic.errors import BadInput, ModelUnavailable, PromptError, ReplyError, SocraticError

KINDS = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, SocraticError)]


def made(kind: type[SocraticError]) -> SocraticError:
    return (
        ReplyError("what came", hint="do this", reply="hm") if kind is ReplyError else kind("what came", hint="do this")
    )


def test_one_except_catches_every_error() -> None:
    assert len(KINDS) == 7
    for kind in KINDS:
        with pytest.raises(SocraticError):
            raise made(kind)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    for kind in KINDS:
        assert kind.__name__ in str(errors.__doc__)
        assert kind is SocraticError or kind.__bases__ == (SocraticError,)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_its_hint(kind: type[SocraticError]) -> None:
    assert str(made(kind)) == "what came (do this)"


def test_without_a_hint_there_are_no_brackets() -> None:
    assert str(BadInput("what came")) == "what came" and BadInput("what came").hint == ""


@pytest.mark.parametrize("kind", [PromptError, ModelUnavailable])
def test_as_dict_is_what_the_command_line_prints(kind: type[SocraticError]) -> None:
    row = {"type": kind.__name__, "message": "what came", "hint": "do this"}
    assert json.loads(json.dumps(made(kind).as_dict())) == row


def test_a_reply_error_carries_the_reply() -> None:
    error = ReplyError("could not be read", reply="I am not sure.")
    assert error.reply == "I am not sure." == error.as_dict()["reply"]
    assert "I am not sure." not in str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_travel_between_processes(kind: type[SocraticError]) -> None:
    for same in (pickle.loads(pickle.dumps(made(kind))), copy.copy(made(kind))):
        assert type(same) is kind and same.as_dict() == made(kind).as_dict() and str(same) == str(made(kind))
