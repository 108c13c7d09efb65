"""A session as a test: the leading model says what it said, every tool really runs, and results must come out the same.

`recorded` writes `test_x.py` and `test_x.json`, `replay` tells what came out otherwise. Pictures that a generator drew
may differ by pixels where the machine differs; what follows from such a picture is then compared by success alone. Only
words that the record holds lead the replay: nothing is asked of a language model, and nothing goes to a network.
"""

from __future__ import annotations

import base64
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field, ValidationError

from socratic.assistant import Assistant
from socratic.assistant.album import HANDLE
from socratic.assistant.conversation import Conversation
from socratic.assistant.kept import Kept, messages_of
from socratic.assistant.moving import kept_of, session_of
from socratic.errors import BadInput, ReplyError, SocraticError
from socratic.index import Index
from socratic.workbench import Workbench, open_profile, profile_names

FORMAT, VERSION = "socratic cassette", 1
DRAWN = ("drawn", "changed")
_REJECTED = "User rejected"
_TEST = '''"""A session that was recorded, replayed: the leading model's words are those of then, every tool really runs.

{about}

Written by `socratic sessions cassette`; record it anew where a difference is meant.
"""

from __future__ import annotations

from pathlib import Path

from socratic.assistant.cassette import replay


def test_the_session_comes_out_as_recorded(tmp_path: Path) -> None:
    assert replay(Path(__file__).with_suffix(".json"), tmp_path) == []
'''


class Replies(BaseChatModel):
    """A chat model that says given replies in order, and then nothing more."""

    replies: list[Any] = Field(default_factory=list)
    now: Any = Field(default=lambda text: text, exclude=True)

    @property
    def _llm_type(self) -> str:
        return "replies"

    def bind_tools(self, tools: Sequence[Any], **settings: Any) -> Any:
        return self

    def get_num_tokens_from_messages(self, messages: Any, tools: Any = None) -> int:
        return 0  # nobody reads them

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **settings: Any) -> ChatResult:
        if not self.replies:
            raise ReplyError("the record is over, and the model is asked again", reply="")
        reply: AIMessage = self.replies.pop(0)
        made = AIMessage(self.now(reply.content), tool_calls=[{**c, "args": _renamed(c["args"], self.now)} for c in reply.tool_calls])  # fmt: skip
        return ChatResult(generations=[ChatGeneration(message=made)])


def recorded(conversation: Conversation, test: Path) -> list[Path]:
    """Writes a session as a test, its record, and the gallery that it searched; returns the files.

    Raises:
        BadInput: the name is no test's, a file is there already, or nothing was said.
    """
    if not re.fullmatch(r"test_\w+\.py", test.name):
        raise BadInput(f"{test.name} is no name of a test", hint="e.g. -o tests/test_dogs.py")
    told, _ = session_of(conversation)
    if not told["messages"]:
        raise BadInput("nothing was said in this session", hint="`socratic sessions list` shows others")
    files, gallery = [test, test.with_suffix(".json")], _gallery(conversation, told)
    files += [test.with_suffix(".gallery")] if gallery else []
    if taken := next((f for f in files if f.exists()), None):
        raise BadInput(f"{taken} is there already", hint="choose another name, or delete it")
    row = {
        "format": FORMAT, "version": VERSION, "profile": _profile(told, conversation), "session": told,
        "pictures": _given(conversation, told),
    }  # fmt: skip
    test.parent.mkdir(parents=True, exist_ok=True)
    files[1].write_text(json.dumps(row, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")
    if gallery:
        gallery.save(files[2])
    test.write_text(_TEST.format(about=_about(told)), encoding="utf-8")
    return files


def _about(told: Mapping[str, Any]) -> str:
    """What the user said, as words that no docstring can end on."""
    said = [row["data"]["content"] for row in told["messages"] if row["type"] == "human"]
    plain = (re.sub(r"[^\w ,.?!;:()-]", " ", " ".join(text.split()))[:200] for text in said[:5])
    return "\n".join(textwrap.fill(f"- {text}", 116, subsequent_indent="  ") for text in plain)


def _given(conversation: Conversation, told: Mapping[str, Any]) -> dict[str, str]:
    wanted = {row["sha256"] for row in told["pictures"] if row["origin"]["kind"] == "given"}
    store = conversation.room.store
    return {sha256: base64.b64encode(store.picture(sha256).png()).decode() for sha256 in sorted(wanted)}


def _profile(told: Mapping[str, Any], conversation: Conversation) -> str:
    used = [str(run["transcript"].get("profile", "")) for run in told["runs"]]
    return used[-1] if used and used[-1] else Path(conversation.room.bench.name).name


def _gallery(conversation: Conversation, told: Mapping[str, Any]) -> Index | None:
    searched = any(run["recipe"] == "retrieve" for run in told["runs"])
    return Index.load(conversation.room.setting("gallery")) if searched else None


def replay(record: Path, home: Path, bench: Workbench | None = None) -> list[str]:
    """Runs a recorded session again in an empty home and tells what came out otherwise, one line each.

    Args:
        bench: the models; those of the recorded profile when absent.

    Raises:
        BadInput: the record cannot be read, or its profile is not one that ships with us.
    """
    tape = _read(record)
    bench = bench or _bench(tape)
    model = Replies(replies=[m for m in tape.messages if isinstance(m, AIMessage)])
    with Assistant(bench, model=model, home=home / "sessions", approve="costly") as assistant:
        conversation = assistant.open()
        conversation.room.set("saves", home / "saves")
        if (gallery := record.with_suffix(".gallery")).is_file():
            conversation.room.set("gallery", gallery)
        model.now = lambda text: HANDLE.sub(lambda m: _handles(tape.kept, conversation).get(m[0], m[0]), text)
        try:
            for turn in tape.turns:
                _said(conversation, tape, turn)
        except SocraticError as error:
            return [*_differences(tape.kept, conversation), f"it stopped: {error}"]
        return list(_differences(tape.kept, conversation))


@dataclass(frozen=True)
class Tape:
    """A record that was read and checked."""

    profile: str
    kept: Kept
    messages: list[AnyMessage]
    pictures: Mapping[str, bytes]

    @property
    def turns(self) -> Iterator[list[AnyMessage]]:
        starts = [i for i, m in enumerate(self.messages) if isinstance(m, HumanMessage)]
        for start, end in zip(starts, [*starts[1:], len(self.messages)], strict=True):
            yield self.messages[start:end]


def _read(record: Path) -> Tape:
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        if told["format"] != FORMAT or told["version"] != VERSION:
            raise ValueError("its format is another")
        kept = kept_of(json.dumps(told["session"]))
        pictures = {str(k): base64.b64decode(v, validate=True) for k, v in told["pictures"].items()}
        return Tape(str(told["profile"]), kept, messages_of(kept), pictures)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError, SocraticError) as error:  # fmt: skip
        hint = "`socratic sessions cassette` makes them"
        raise BadInput(f"{record} is no recorded session: {error}", hint=hint) from error


def _bench(tape: Tape) -> Workbench:
    if tape.profile not in profile_names():
        raise BadInput(f"the session ran on the profile {tape.profile!r}, which is a file of its own", hint="give the models: replay(record, home, open_profile(FILE))")  # fmt: skip
    return open_profile(tape.profile, keep=False)


def _said(conversation: Conversation, tape: Tape, turn: Sequence[AnyMessage]) -> None:
    """One turn: what the user said and gave, and what the user decided."""
    asked, *rest = turn
    album, given = conversation.album, asked.additional_kwargs["given"]
    hashes = {row.handle: row.sha256 for row in tape.kept.pictures}
    before = tape.kept.pictures[len(album.entries()) : asked.additional_kwargs["marks"][0]]
    for row in before:  # pictures that came without a word
        if row.origin.kind == "given":
            conversation.add(tape.pictures[row.sha256])
    conversation.ask(asked.text, [tape.pictures[hashes[handle]] for handle in given])
    said_no = {m.tool_call_id for m in rest if isinstance(m, ToolMessage) and m.text.startswith(_REJECTED)}
    for reply in (m for m in rest if isinstance(m, AIMessage)):
        if pending := conversation.pending:
            calls = list(reply.tool_calls)
            if not any(call["name"] == pending[0].name for call in calls):
                continue
            conversation.decide([_decision(p.name, calls, said_no) for p in pending])


def _decision(name: str, calls: list[Any], said_no: set[str]) -> str:
    call = next((c for c in calls if c["name"] == name), None)
    if call is None:
        return "approve"
    calls.remove(call)
    return "reject" if call["id"] in said_no else "approve"


def _differences(kept: Kept, conversation: Conversation) -> Iterator[str]:
    """What the replay tells otherwise than the record, message by message."""
    told, _ = session_of(conversation)
    new = Kept.model_validate_json(json.dumps(told))
    names = _handles(kept, conversation)
    then = {row.handle: row for row in kept.pictures}
    now = {row.handle: row.sha256 for row in new.pictures}
    loose = {h for h, row in then.items() if row.origin.kind in DRAWN and now.get(names.get(h, "")) != row.sha256}
    for row in kept.pictures:
        if loose & set(row.origin.parents):
            loose.add(row.handle)
    if len(new.messages) != len(kept.messages):
        yield f"{len(kept.messages)} messages were recorded, {len(new.messages)} came"
    runs = {run.id: run.arguments.get("pictures", []) for run in kept.runs}
    for number, (old, fresh) in enumerate(zip(kept.messages, new.messages, strict=False)):
        if old.type != fresh.type:
            yield f"message {number}: {old.type} was recorded, {fresh.type} came"
            return
        expected = HANDLE.sub(lambda m: names.get(m[0], m[0]), old.data.content)
        if old.type == "tool" and fresh.type == "tool":
            if old.data.status != fresh.data.status:
                yield f"{old.data.name}: {old.data.status} was recorded, {fresh.data.status} came: {fresh.data.content}"
                continue
            if loose & {*old.data.artifact.pictures, *runs.get(old.data.artifact.run, [])}:
                continue
        if expected != fresh.data.content:
            yield f"message {number}: recorded was {expected!r}, came {fresh.data.content!r}"


def _handles(kept: Kept, conversation: Conversation) -> dict[str, str]:
    """What each picture of the record is called now: pictures come in the same order."""
    return {row.handle: entry.handle for row, entry in zip(kept.pictures, conversation.album.entries(), strict=False)}


def _renamed(value: Any, now: Any) -> Any:
    if isinstance(value, str):
        return now(value)
    if isinstance(value, Mapping):
        return {k: _renamed(v, now) for k, v in value.items()}
    return [_renamed(v, now) for v in value] if isinstance(value, list) else value
