"""Prompts made for the tests of `prompt`, and what they say when they cannot be rendered."""

from __future__ import annotations

from typing import Any

import pytest

from socratic.errors import PromptError
from socratic.prompt import Prompt, parse


def made(body: str, inputs: str = "", more: str = "") -> Prompt:
    """A prompt with the body; its inputs are given as YAML flow, e.g. `question: {kind: string}`."""
    head = f"---\nname: test\ndescription: A test.\nsource: nobody\ninputs: {{{inputs}}}\n{more}---\n"
    return parse((head + body).encode(), "test.prompty")


def not_rendered(prompt: Prompt, **values: Any) -> str:
    with pytest.raises(PromptError) as caught:
        prompt.render(**values)
    return str(caught.value)


QUESTION = "question: {kind: string, description: d}"
ASK = made("system:\nBe short.\nuser:\nQuestion: {{ question }}\nAnswer:\n", QUESTION)
