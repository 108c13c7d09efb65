"""Prompt files: found, checked, rendered to messages. Does not talk to a model; parses no reply.

A `.prompty` file is YAML front matter (name, description, typed inputs, reply contract, model hints) and a
Jinja2 body in which a line `system:`, `user:` or `assistant:` opens a message. Values are data: they are
rendered in an immutable sandbox, cannot open a message, and are refused when they try.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from socratic import sections as marks
from socratic.errors import PromptError
from socratic.frontmatter import front_matter
from socratic.reply import ReplyContract
from socratic.template import ROLE_LINE, roles_marked, sandbox
from socratic.template import smuggled as smuggled
from socratic.values import Message, Picture

MAX_BYTES = 100_000
Kind = Literal["string", "number", "boolean", "array", "object", "image"]
_PYTHON = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "array": (list, tuple),
    "object": dict,
    "image": Picture,
}


class Input(BaseModel):
    """One declared input of a prompt."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind = "string"
    description: str = ""
    required: bool = True
    default: Any = None


class ModelHints(BaseModel):
    """How the prompt likes to be sampled; a caller may say otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    temperature: float = Field(default=0.0, ge=0, le=2)
    max_tokens: int = Field(default=200, ge=1)


class Header(BaseModel):
    """The front matter. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    description: str
    source: str = ""
    inputs: dict[str, Input] = {}
    reply: ReplyContract = ReplyContract()
    model: ModelHints = ModelHints()


@dataclass(frozen=True)
class Rendered:
    """A prompt with its values filled in. The hash covers roles, texts and pictures."""

    prompt: str
    messages: tuple[Message, ...]

    @property
    def sha256(self) -> str:
        said = [(m.role, m.text, [p.sha256 for p in m.pictures]) for m in self.messages]
        return hashlib.sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True)
class Prompt:
    """A checked prompt file."""

    header: Header
    body: str
    path: str

    @property
    def name(self) -> str:
        return self.header.name

    @property
    def sha256(self) -> str:
        """The hash of the body, which tells versions of one prompt apart; marks of sections say nothing and count not."""
        return hashlib.sha256(marks.unmarked(self.body).encode()).hexdigest()

    @property
    def version(self) -> str:
        """The hash in short, as lists and tables have it."""
        return self.sha256[:8]

    @property
    def sections(self) -> dict[str, str]:
        """The text of each named block of the body, in the order in which they open."""
        return marks.sections(self.body)

    def without(self, section: str) -> Prompt:
        """The prompt without one of its sections.

        Raises:
            PromptError: there is no such section, or what is left is no prompt.
        """
        return self.reworded(marks.without(self.body, section), f"{self.path} without {section}")

    def reworded(self, body: str, path: str = "") -> Prompt:
        """The same front matter with another body, checked as a file is. `path` only names it in errors."""
        return _checked(Prompt(self.header, body.strip("\n"), path or f"{self.path} reworded"))

    def as_text(self) -> str:
        """The prompt as a file, whose front matter holds what was said and no defaults."""
        from yaml import safe_dump

        header = self.header.model_dump(mode="json", exclude_defaults=True)
        return f"---\n{safe_dump(header, sort_keys=False, allow_unicode=True, width=110)}---\n{self.body}\n"

    def render(self, **values: Any) -> Rendered:
        """Fills in the values.

        Raises:
            PromptError: a value is missing, unknown, of the wrong kind, or tries to open a message.
        """
        pictures: list[Picture] = []
        nonce = secrets.token_hex(8)
        given = {name: _plain(v, self.name, name, nonce, pictures) for name, v in self._complete(values).items()}
        source = roles_marked(self.body, nonce)
        try:
            text = sandbox().from_string(source).render(given)
        except Exception as error:
            raise PromptError(f"prompt {self.name} cannot be rendered: {error}", hint=f"see {self.path}") from error
        return Rendered(self.name, _messages(text, nonce, pictures, self.path))

    def _complete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The given values and the defaults of the others, checked against the declared inputs."""
        declared = self.header.inputs
        for name in values:
            if name not in declared:
                near = difflib.get_close_matches(name, declared, 1)
                raise PromptError(
                    f"prompt {self.name} has no input {name!r}",
                    hint=f"did you mean {near[0]!r}?" if near else f"inputs: {', '.join(declared) or 'none'}",
                )
        missing = [n for n, i in declared.items() if i.required and i.default is None and values.get(n) is None]
        if missing:
            raise PromptError(
                f"prompt {self.name} misses {', '.join(map(repr, missing))}", hint=f"inputs: {', '.join(declared)}"
            )
        chosen = {n: values[n] if values.get(n) is not None else i.default for n, i in declared.items()}
        for name, value in chosen.items():
            wanted = declared[name].kind
            if value is not None and not hasattr(value, "say") and not isinstance(value, _PYTHON[wanted]):  # type: ignore[arg-type]
                raise PromptError(f"prompt {self.name}: {name!r} wants {wanted}, got {type(value).__name__}")
        return chosen


def load(name: str | Path) -> Prompt:
    """Loads a prompt that ships with us by its name (`caption.write`), or any `.prompty` file by its path."""
    path = Path(name)
    if path.suffix == ".prompty" and (path.parent != Path(".") or path.is_file()):
        if not path.is_file():
            raise PromptError(f"there is no prompt file {path}", hint="socratic prompts list")
        if path.stat().st_size > MAX_BYTES:
            raise PromptError(
                f"{path} has more than {MAX_BYTES} bytes", hint="a prompt is a text that a person can read"
            )
        return parse(path.read_bytes(), str(path))
    return _shipped(str(name).removesuffix(".prompty"))


def shipped() -> list[str]:
    """The names of the prompts that ship with us."""
    return sorted(
        f.name.removesuffix(".prompty") for f in files("socratic.prompts").iterdir() if f.name.endswith(".prompty")
    )


@cache
def _shipped(name: str) -> Prompt:
    file = files("socratic.prompts").joinpath(f"{name}.prompty")
    if "/" in name or not file.is_file():
        near = difflib.get_close_matches(name, shipped(), 3)
        raise PromptError(
            f"there is no prompt {name!r}", hint=f"did you mean {', '.join(near)}?" if near else "socratic prompts list"
        )
    return parse(file.read_bytes(), f"prompts/{name}.prompty")


def parse(raw: bytes, path: str) -> Prompt:
    """Checks the bytes of a prompt file. `path` only names it in errors."""
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise PromptError(f"{path} is not UTF-8: byte {error.start}") from error
    parts = re.split(r"^---[ \t]*\n", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"{path} must open with front matter between two lines ---")
    try:
        header = Header.model_validate(front_matter(parts[1], path))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise PromptError(f"{path}: {problems}", hint="see docs/prompts.md for the keys") from error
    return _checked(Prompt(header, parts[2].strip("\n"), path))


def _checked(prompt: Prompt) -> Prompt:
    if errors := [p for p in lint(prompt) if p.startswith("error")]:
        raise PromptError(f"{prompt.path}: {'; '.join(errors)}")
    return prompt


def lint(prompt: Prompt) -> list[str]:
    """What is wrong (`error: …`) or doubtful (`warning: …`) about a prompt."""
    from jinja2 import TemplateSyntaxError, meta, nodes

    try:
        tree = sandbox().parse(prompt.body)
        used = meta.find_undeclared_variables(tree)
    except TemplateSyntaxError as error:
        return [f"error: line {error.lineno}: {error.message}"]
    except RecursionError:
        return ["error: the body is nested too deeply"]
    findings = marks.problems(prompt.body)
    if next(tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)), None):
        findings.append("error: a prompt stands alone: include, import and extends are not allowed")
    declared = set(prompt.header.inputs)
    findings += [f"error: {name!r} is used and not declared" for name in sorted(used - declared)]
    findings += [f"warning: input {name!r} is never used" for name in sorted(declared - used)]
    said = marks.unmarked(prompt.body)
    roles = [role.lower() for role in ROLE_LINE.findall(said)]
    if not roles or said[: ROLE_LINE.search(said).start()].strip():  # type: ignore[union-attr]
        findings.append("error: the body must open with a role line (system: or user:)")
    elif "user" not in roles:
        findings.append("error: there is no user: message")
    findings += [
        f"error: {r}: is not a role of a prompt (system, user, assistant)" for r in roles if r in ("tool", "developer")
    ]
    findings += [
        f"warning: input {n!r} has no description" for n, i in prompt.header.inputs.items() if not i.description
    ]
    if not prompt.header.source:
        findings.append("warning: no source: say which paper or idea the prompt follows")
    return findings


def _plain(value: Any, prompt: str, name: str, nonce: str, pictures: list[Picture]) -> Any:
    """A value as text and plain containers. Refuses text that poses as a message of its own."""
    if isinstance(value, Picture):
        pictures.append(value)
        return f"{nonce}picture{len(pictures) - 1};"
    if hasattr(value, "say"):
        value = value.say()
    if isinstance(value, str) and (found := smuggled(value)):
        raise PromptError(
            f"prompt {prompt}: the value of {name!r} tries to open a message of its own ({found!r})",
            hint="text from pictures, files and models is data: remove the line",
        )
    if isinstance(value, Mapping):
        return {
            _plain(str(k), prompt, name, nonce, pictures): _plain(v, prompt, name, nonce, pictures)
            for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(v, prompt, name, nonce, pictures) for v in value]
    return value


def _messages(text: str, nonce: str, pictures: list[Picture], path: str) -> tuple[Message, ...]:
    parts = re.split(rf"{nonce}role:(\w+);\n?", text)[1:]
    messages: list[Message] = []
    for role, said in zip(parts[::2], parts[1::2], strict=True):
        if role not in ("system", "user", "assistant"):
            raise PromptError(f"{path}: {role}: is not a role of a prompt (system, user, assistant)")
        marks = re.findall(rf"{nonce}picture(\d+);", said)
        said = re.sub(rf"{nonce}picture\d+;", "", said).strip()
        speaker = cast(Literal["system", "user", "assistant"], role)
        messages.append(Message(speaker, said, tuple(pictures[int(m)] for m in marks)))
    return tuple(m for m in messages if m.text or m.pictures)
