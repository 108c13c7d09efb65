"""Vision and language models that reason together in plain language, and in which you can read, edit and rerun the conversation.

    from socratic.recipes.caption import caption
    caption("photo.jpg").text

Importing this package loads no model library; what is named here is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from socratic.errors import BadInput as BadInput
    from socratic.errors import BudgetExceeded as BudgetExceeded
    from socratic.errors import ModelUnavailable as ModelUnavailable
    from socratic.errors import PromptError as PromptError
    from socratic.errors import ReplyError as ReplyError
    from socratic.errors import SocraticError as SocraticError
    from socratic.errors import ToolError as ToolError
    from socratic.images import load as load_picture  # noqa: F401
    from socratic.prompt import load as load_prompt  # noqa: F401
    from socratic.tool import Tool as Tool
    from socratic.tool import operation as operation
    from socratic.transcript import Transcript as Transcript
    from socratic.values import Picture as Picture
    from socratic.workbench import Workbench as Workbench
    from socratic.workbench import open_profile as open_profile

_HOMES = {
    "BadInput": "errors", "BudgetExceeded": "errors", "ModelUnavailable": "errors", "PromptError": "errors",
    "ReplyError": "errors", "SocraticError": "errors", "ToolError": "errors",
    "load_picture": "images:load", "load_prompt": "prompt:load", "Tool": "tool", "operation": "tool",
    "Transcript": "transcript", "Picture": "values", "Workbench": "workbench", "open_profile": "workbench",
}  # fmt: skip
__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'socratic' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(f"socratic.{module}"), attribute or name)
