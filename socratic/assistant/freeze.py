"""A conversation as a recipe: a file that repeats its tool calls, in order and with their arguments, for any picture.

The picture that the user gave becomes the argument; pictures that one call made feed the later ones; the models are
pinned. Nothing that a model wrote is executed: names of recipes and arguments are checked against ours, and every value
goes in as a literal of checked JSON. No model leads the file, and it runs without LangChain.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from socratic.assistant.album import HANDLE
from socratic.assistant.behind import runs_of_last
from socratic.assistant.conversation import Conversation
from socratic.assistant.offers import Offered, offers
from socratic.assistant.store import Run
from socratic.capability import CAPABILITIES
from socratic.errors import BadInput

WIDTH = 116
DEPTH = 12


@dataclass
class Call:
    """One tool call of the conversation.

    Attributes:
        pictures: handles that it was given.
        made: handles that it showed.
        asked: what the user had said.
    """

    offered: Offered
    arguments: dict[str, Any]
    pictures: list[str]
    made: list[str]
    asked: str

    @property
    def name(self) -> str:
        return self.offered.name

    def same(self, other: Call) -> bool:
        return (self.name, self.arguments, self.pictures) == (other.name, other.arguments, other.pictures)


def frozen(conversation: Conversation, path: Path, *, last: bool = False) -> str:
    """Writes the conversation, or its last turn, as a recipe file, and tells in a sentence what it does.

    Raises:
        BadInput: no tool was called for a picture of the user, an argument is none of ours, or the file is there.
    """
    name = path.stem
    if path.suffix != ".py" or not name.isidentifier() or keyword.iskeyword(name):
        raise BadInput(f"{path.name} is no name for a recipe's file", hint="letters, digits and _, e.g. dogs.py")
    if path.exists():
        raise BadInput(f"{path} is there already", hint="choose another name, or delete it")
    runs = runs_of_last(conversation) if last else conversation.room.store.runs(conversation.id)
    calls = _calls(conversation, runs)
    text = _Writing(conversation, name, calls, runs).text()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}", hint="choose another place") from error
    return f"{len(calls)} steps for each picture: {', '.join(call.name for call in calls)}"


def _calls(conversation: Conversation, runs: Sequence[Run]) -> list[Call]:
    """The calls that came to something, each once."""
    known = {o.name: o for o in offers(conversation.room.bench.profile.get("assistant", {}).get("offers"))}
    told = _told(conversation.messages)
    calls: list[Call] = []
    for run in runs:
        if run.recipe not in known:
            raise BadInput(f"{run.recipe!r} is no recipe that is offered here", hint="freeze with the profile of the conversation")  # fmt: skip
        offered = known[run.recipe]
        chosen = {k: v for k, v in run.arguments.items() if k not in ("picture", "pictures")}
        if wrong := next((k for k in chosen if k not in offered.arguments), None):
            raise BadInput(f"{run.recipe} takes no argument {wrong!r}")
        given = run.arguments.get("pictures", [])
        if not isinstance(given, list) or not all(isinstance(h, str) and HANDLE.fullmatch(h) for h in given):
            raise BadInput(f"a call of {run.recipe} names no pictures by handle", hint="freeze another conversation")
        asked, made = told.get(run.id, ("", []))
        call = Call(offered, {**offered.fixed, **chosen}, list(given), list(made), asked)
        if (twin := next((c for c in calls if c.same(call)), None)) is None:
            calls.append(call)
        elif not twin.made:
            twin.made = call.made
    return calls


def _told(messages: Sequence[AnyMessage]) -> dict[str, tuple[str, list[str]]]:
    """By run: what the user had said, and the handles of the pictures that it showed."""
    found: dict[str, tuple[str, list[str]]] = {}
    asked = ""
    for message in messages:
        if isinstance(message, HumanMessage):
            asked = message.text
        elif isinstance(message, ToolMessage) and isinstance(message.artifact, dict) and message.name != "explain":
            found.setdefault(message.artifact.get("run", ""), (asked, message.artifact.get("pictures", [])))
    return found


@dataclass
class _Writing:
    """The text of the file."""

    conversation: Conversation
    name: str
    calls: Sequence[Call]
    runs: Sequence[Run]
    names: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        self._name_pictures()
        body = "\n".join(self._steps())
        profile, models = self._profile(), self._models()
        shown = "".join(f"    {literal(k)}: {literal(v)},\n" for k, v in models.items())
        imports = "".join(f"from socratic.recipes.{n} import {n}\n" for n in sorted({c.name for c in self.calls}))
        function = self.name if self.name not in {*(c.name for c in self.calls), *_TAKEN} else f"{self.name}_again"
        template = files("socratic.assistant").joinpath("frozen.txt").read_text(encoding="utf-8")
        made = template.format(
            title=self._title(), file=f"{self.name}.py", stem=self.name, imports=imports,
            profile=literal(profile), models=f"{{\n{shown}}}" if shown else "{}", function=function,
            parameters=self._parameters(), body=body, asked="\n".join(self._asked()), more=self._more(),
        )  # fmt: skip
        ast.parse(made)
        return made

    def _name_pictures(self) -> None:
        """What each handle is called: the user's pictures are parameters, others come from the step that made them."""
        made: dict[str, str] = {}
        for number, call in enumerate(self.calls, 1):
            for handle in call.pictures:
                if handle not in made and handle not in self.names:
                    given = sum(n.startswith("picture") for n in self.names.values())
                    self.names[handle] = "picture" if not given else f"picture_{given + 1}"
            for i, handle in enumerate(call.made):
                if handle not in self.names:
                    made.setdefault(handle, f"step_{number}.pictures[{i}]")
        self._made = made
        if "picture" not in self.names.values():
            hint = "give a picture, ask about it, and freeze then"
            raise BadInput("no tool was called for a picture of yours, so there is nothing to run it over", hint=hint)

    @property
    def _others(self) -> list[str]:
        return [name for name in self.names.values() if name != "picture"]

    @property
    def _searches(self) -> bool:
        return any(c.offered.session for c in self.calls)

    def _parameters(self) -> str:
        extra = [f"{name}: Picture" for name in self._others] + (["gallery: str"] if self._searches else [])
        return ", ".join(["picture: Picture", "*", *extra, "talk: Transcript"])

    def _more(self) -> str:
        """What the command needs beside the folder."""
        named = [f" --set {name}=FILE.png" for name in self._others]
        return "".join([*named, " --set gallery=FILE.gallery" if self._searches else ""])

    def _steps(self) -> list[str]:
        said, lines = "", []
        used = {place.split(".")[0] for call in self.calls for h in call.pictures if (place := self._place(h))}
        for number, call in enumerate(self.calls, 1):
            if call.asked != said and (told := words(call.asked)):
                lines.append(f"    # {told}")
            said = call.asked
            start = f"step_{number} = steps(" if f"step_{number}" in used else "steps("
            parts = [call.name, *self._pictures(call), *(f"{k}={literal(v)}" for k, v in call.arguments.items())]
            parts += [f"{name}={name}" for name in call.offered.session]
            line = f"    {start}{', '.join(parts)})"
            lines += (
                [line] if len(line) <= WIDTH else [f"    {start}", *(f"        {part}," for part in parts), "    )"]
            )
        return lines

    def _place(self, handle: str) -> str:
        return self.names.get(handle) or self._made[handle]

    def _pictures(self, call: Call) -> list[str]:
        places = [self._place(handle) for handle in call.pictures]
        return [f"[{', '.join(places)}]"] if places and "pictures" in call.offered.arguments else places

    def _profile(self) -> str:
        return Path(str(self.runs[-1].transcript.get("profile", ""))).name if self.runs else ""

    def _models(self) -> dict[str, str]:
        """The fingerprints of the models that spoke, by capability."""
        speakers = {str(turn.get("speaker", "")) for run in self.runs for turn in run.transcript.get("turns", [])}
        kinds, bench = {s.split(":")[0] for s in speakers}, self.conversation.room.bench
        asked = [c for c in CAPABILITIES.values() if c in bench.loaded or bench.profile.get(c, {}).get("tool") in kinds]
        prints = {capability: str(bench.tool(capability).fingerprint) for capability in asked}
        return {capability: told for capability, told in prints.items() if told in speakers}

    def _title(self) -> str:
        told = next((told for c in self.calls if (told := words(c.asked))), "a conversation")
        return told[0].upper() + told[1:]

    def _asked(self) -> list[str]:
        return [f"- {told}" for told in dict.fromkeys(words(c.asked) for c in self.calls) if told]


_TAKEN = ("steps", "talk", "picture", "gallery", "recipe", "Steps", "Outcome", "Picture", "Transcript", "PROFILE", "MODELS", "annotations")  # fmt: skip


def words(text: str) -> str:
    """Words of a user for a comment or a docstring: on one line, without marks that end either."""
    plain = re.sub(r"[^\w ,.?!;:()-]", " ", " ".join(HANDLE.sub("the picture", text).split()))
    return " ".join(plain.split())[:100]


def literal(value: Any, depth: int = 0) -> str:
    """A JSON value as Python writes it.

    Raises:
        BadInput: it is no JSON value, or nested too deeply.
    """
    if depth > DEPTH:
        raise BadInput("an argument is nested too deeply to be frozen")
    if isinstance(value, str):
        plain = value.isprintable() and '"' not in value and "\\" not in value
        return f'"{value}"' if plain else repr(value)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(v, depth + 1) for v in value)}]"
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return f"{{{', '.join(f'{literal(k)}: {literal(v, depth + 1)}' for k, v in value.items())}}}"
    raise BadInput(f"an argument is {type(value).__name__}, which no JSON holds")
