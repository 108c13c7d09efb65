"""The body of a prompt as text: its role lines, the sandbox that renders it, and text that poses as a message of its own.

Knows no front matter and no values.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

ROLE_LINE = re.compile(r"^[ \t]*(system|user|assistant|tool|developer)[ \t]*:[ \t]*$", re.IGNORECASE | re.MULTILINE)
# What the chat templates of common model families mean as structure: ChatML and Llama 3, DeepSeek, Mistral, Gemma.
_CONTROL_TOKEN = re.compile(r"<[|｜][^|｜<>\n]{1,60}[|｜]>|\[/?INST\]|</?s>|<(?:start|end)_of_turn>")


def smuggled(text: str) -> str:
    """The part of a text that would open a message of its own, and for which a prompt refuses it; mostly empty."""
    lines = "\n".join(text.splitlines())  # \r and U+2028 end a line too
    found = ROLE_LINE.search(lines) or _CONTROL_TOKEN.search(lines)
    return found[0].strip() if found else ""


def roles_marked(body: str, nonce: str) -> str:
    """The body with each role line as `<nonce>role:<role>;`, so that no value can be taken for one."""
    return ROLE_LINE.sub(lambda m: f"{nonce}role:{m[1].lower()};", body)


@cache
def sandbox() -> ImmutableSandboxedEnvironment:
    """Where bodies are rendered: nothing can be changed, and a name that nobody gave is an error."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )
