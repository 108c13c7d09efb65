"""Every error that a user of the framework can meet, in one tree. Raises nothing itself.

SocraticError
├── BadInput            a picture, label list or argument that cannot be used
├── PromptError         a prompt file, or the values for it, are wrong
├── ReplyError          a language model's reply could not be read; carries the reply
├── ToolError           a tool failed on valid input; an assistant sees it as an observation
├── ModelUnavailable    a package, weights or a device is missing; says the exact command
└── BudgetExceeded      calls, tokens or memory ran out
"""

from __future__ import annotations

from functools import partial
from typing import Any


class SocraticError(Exception):
    """Says what was wanted and what came (`message`) and what to do next (`hint`)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def as_dict(self) -> dict[str, str]:
        """The error as the CLI prints it."""
        return {"type": type(self).__name__, "message": self.message, "hint": self.hint}


class BadInput(SocraticError):
    """Input that cannot be used: an unreadable picture, an empty label list, a number out of range."""


class PromptError(SocraticError):
    """A prompt file that breaks its contract, or values that do not fit it."""


class ReplyError(SocraticError):
    """A reply that could not be parsed, also after one re-ask. `reply` is what the model said."""

    def __init__(self, message: str, *, reply: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reply = reply

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets the error travel between processes."""
        return partial(type(self), reply=self.reply, hint=self.hint), (self.message,)

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "reply": self.reply}


class ToolError(SocraticError):
    """A tool failed on input that looked right."""


class ModelUnavailable(SocraticError):
    """A package, weights, a server or a device is missing. `hint` is the command that mends it."""


class BudgetExceeded(SocraticError):
    """A limit that the caller set (calls, tokens, seconds, memory) was reached."""
