"""Which answers are no knowledge: empty, evasive, unsure, or posing as a message. Decides nothing about what is true."""

from __future__ import annotations

import re

from socratic.errors import SocraticError
from socratic.prompt import smuggled
from socratic.values import Statement

_EVASIVE = re.compile(
    r"\b(?:do not|don['’]?t|does not|doesn['’]?t|cannot|can['’]?t|could not|couldn['’]?t|not able to|unable to|hard to|"
    r"impossible to) (?:really |quite |exactly )?(?:know|tell|say|see|determine|answer|mention|specify|identify)"
    r"|\b(?:not|un)[ -]?(?:sure|certain|clear|known|visible|specified|mentioned)\b|\bno idea\b|^n/?a$|^none of the above$",
    re.IGNORECASE,
)


def doubtful(said: Statement | SocraticError, question: str = "", at_least: float = 0.0) -> str:
    """Why an answer must not be taken for knowledge; empty for one that may.

    Args:
        question: what was asked; a model that gives it back has not answered.
        at_least: the least confidence, in [0, 1]; answers of models that tell none pass.
    """
    if isinstance(said, SocraticError):
        return said.message
    text = said.text.strip()
    if not re.search(r"\w", text):
        return "the answer is empty"
    if smuggled(text):
        return "the answer poses as a message"
    if question and _bare(text) == _bare(question):
        return "the answer is the question"
    if _EVASIVE.search(text):
        return "the model does not know"
    if said.confidence is not None and said.confidence < at_least:
        return f"the model is unsure ({said.confidence:.0%})"
    return ""


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()
