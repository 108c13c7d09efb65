"""Turns of a conversation as the page shows them: what was asked, each step, the answer with its pictures.

Made from stored messages or, while a turn goes on, from its events: both look the same. Then told as rows of gradio's
Chatbot, in which all that a user, a file or a model wrote is text and no markup. Runs nothing, imports no gradio.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from socratic.assistant import Conversation, Event
from socratic.assistant.album import HANDLE, Entry
from socratic.assistant.store import Run
from socratic.transcript import Transcript

Row = dict[str, Any]
Link = Callable[[str], str]
"""The address of a picture by its handle."""
MOST_STATEMENTS = 8
LONGEST = 600


@dataclass
class Step:
    """A call of a tool; `ok` is None until it is done."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    said: str = ""
    ok: bool | None = None
    pictures: tuple[str, ...] = ()
    run: str = ""


@dataclass
class Exchange:
    """One turn. `draft` is an answer that is being written, `approvals` are calls that wait for a person."""

    asked: str
    given: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)
    answer: str = ""
    draft: str = ""
    approvals: list[Mapping[str, Any]] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Adds what happened."""
        if event.kind == "token":
            self.draft += event.text
        elif event.kind == "text":
            self.answer, self.draft = event.text, ""
        elif event.kind == "call":
            self.draft = ""
            if all(step.id != event.data["id"] for step in self.steps):
                self.steps.append(Step(str(event.data["id"]), event.name, dict(event.data["arguments"])))
        elif event.kind == "result":
            self._done(event)
        else:
            self.approvals = list(event.data["calls"])

    def _done(self, event: Event) -> None:
        for step in self.steps:
            if step.id == event.data["id"]:
                step.said, step.ok = event.text, event.ok
                step.pictures, step.run = tuple(event.data.get("pictures", ())), str(event.data.get("run", ""))

    @property
    def shown(self) -> list[str]:
        """Handles of the pictures that belong to the answer: new ones, and those that it cites and the user did not just give."""
        made = [handle for step in self.steps for handle in step.pictures]
        cited = [handle for handle in HANDLE.findall(self.answer) if handle not in self.given]
        return list(dict.fromkeys([*made, *cited]))


def exchanges(conversation: Conversation) -> list[Exchange]:
    """The turns of a conversation so far, with what waits for approval."""
    told: list[Exchange] = []
    for message in conversation.messages:
        if isinstance(message, HumanMessage):
            told.append(Exchange(str(message.text), tuple(message.additional_kwargs.get("given", ()))))
        elif told:
            for event in _events(message):
                told[-1].take(event)
    if told:
        told[-1].approvals = [{"name": p.name, "arguments": p.arguments, "told": p.told} for p in conversation.pending]
    return told


def _events(message: AnyMessage) -> Iterator[Event]:
    if isinstance(message, AIMessage):
        for call in message.tool_calls:
            yield Event("call", call["name"], data={"arguments": call["args"], "id": call["id"]})
        if message.text and not message.tool_calls:
            yield Event("text", text=str(message.text))
    elif isinstance(message, ToolMessage):
        artifact = message.artifact if isinstance(message.artifact, dict) else {}
        data = {"id": message.tool_call_id, "pictures": artifact.get("pictures", []), "run": artifact.get("run", "")}
        yield Event("result", message.name or "", str(message.text), data, message.status != "error")


def rows(turns: Iterable[Exchange], entries: Sequence[Entry], runs: Mapping[str, Run], link: Link, decided: int = 0, first: int = 0) -> list[Row]:  # fmt: skip
    """Turns as rows of a Chatbot.

    Args:
        entries: the session's pictures.
        runs: what tools did, by id; their statements stand inside the steps.
        decided: how many of the last turn's approvals are answered already.
        first: the number of the first turn.
    """
    known = {entry.handle: entry for entry in entries}
    return [row for n, turn in enumerate(turns, first) for row in _rows(n, turn, known, runs, link, decided)]


def _rows(n: int, turn: Exchange, known: Mapping[str, Entry], runs: Mapping[str, Run], link: Link, decided: int) -> Iterator[Row]:  # fmt: skip
    asked = [plain(turn.asked)] if turn.asked.strip() else []
    yield {"role": "user", "content": [*asked, *(_file(known[h], link) for h in turn.given if h in known)]}
    waits = {a["name"] for a in turn.approvals}
    for k, step in enumerate(turn.steps):
        yield from _step_rows(f"{n}.{k}", step, runs.get(step.run), waiting=step.name in waits)
    if answer := turn.answer or turn.draft:
        pictures = [known[h] for h in turn.shown if h in known]
        captions = ["\n".join(plain(p.say()[:200]) for p in pictures)] if pictures else []
        yield {"role": "assistant", "content": [prose(answer), *(_file(p, link) for p in pictures), *captions]}
    if len(turn.approvals) > decided:
        yield _question(turn.approvals[decided], decided + 1, len(turn.approvals))


def _step_rows(number: str, step: Step, run: Run | None, waiting: bool) -> Iterator[Row]:
    title = f"{step.name}{': ' + _brief(step.arguments) if step.arguments else ''}"
    metadata: Row = {"title": plain(title[:160]), "id": number}
    if step.ok is None:
        metadata["log"] = "waits for you" if waiting else "at work"
        if not waiting:
            metadata["status"] = "pending"
    else:
        metadata["status"] = "done"
        metadata["log"] = "" if step.ok else "did not work"
    if run is not None:
        metadata["duration"] = round(run.seconds, 1)
    yield {"role": "assistant", "content": plain(step.said[:LONGEST]) or "…", "metadata": metadata}
    for k, (who, name, text) in enumerate(_statements(run)):
        yield {
            "role": "assistant", "content": plain(text[:LONGEST]) or "…",
            "metadata": {"title": plain(name), "log": plain(who), "id": f"{number}.{k}", "parent_id": number, "status": "done"},
        }  # fmt: skip


def _statements(run: Run | None) -> Iterator[tuple[str, str, str]]:
    """Who said what in a run; repeats of one question, such as ten proposals, as one."""
    if run is None:
        return
    turns = Transcript.from_dict(run.transcript).turns
    groups = [list(g) for _, g in groupby(turns, key=lambda t: t.asked or t.name)]
    for group in groups[:MOST_STATEMENTS]:
        name = group[0].name if len(group) == 1 else f"{group[0].name} and {len(group) - 1} more"
        yield group[0].speaker.split(":")[0], name, "\n".join(turn.text for turn in group)
    if len(groups) > MOST_STATEMENTS:
        yield "", f"{len(groups) - MOST_STATEMENTS} more statements", "They stand under “Reasoning”."


def _question(call: Mapping[str, Any], number: int, total: int) -> Row:
    of = f" ({number} of {total})" if total > 1 else ""
    options = [{"value": "approve", "label": "Go ahead"}, {"value": "reject", "label": "Do not"}]
    told = plain(str(call["told"]) or f"{call['name']} {json.dumps(dict(call['arguments']), ensure_ascii=False)}")
    return {"role": "assistant", "content": f"**May I do this?**{of}\n{told}", "options": options}


def _file(entry: Entry, link: Link) -> Row:
    url = link(entry.handle)
    file = {"path": url, "url": url, "mime_type": "image/png", "orig_name": f"{entry.handle.replace(':', '-')}.png", "meta": {"_type": "gradio.FileData"}}  # fmt: skip
    return {"file": file, "alt_text": entry.say()[:200]}


def _brief(arguments: Mapping[str, Any]) -> str:
    """Arguments as a person reads them."""
    told = [", ".join(map(str, v)) if isinstance(v, list) else str(v) for v in arguments.values()]
    return " · ".join(told)


def plain(text: str) -> str:
    """Text that shows letter by letter as it is, whatever marks of Markdown or HTML stand in it."""
    marked = re.sub(
        r"([\\`*_{}\[\]#+!|~$-])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )
    return re.sub(r"(?m)^(\s*\d+)([.)])", r"\1\\\2", marked)


def prose(text: str) -> str:
    """An answer of a model: its emphasis and lists show; HTML, pictures and links in it are text."""
    bare = text.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"!?\[", lambda m: m[0].replace("[", "\\[").replace("!", "\\!"), bare)
