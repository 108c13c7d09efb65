"""A session as one file, to keep or to take elsewhere: `exported` writes it, `imported` makes a new session of it.

The zip holds `session.json` (messages, origins of pictures, runs) and the pictures as PNG by the hash of their pixels. It
tells no path of the machine and no folder of the user. A file from elsewhere is checked as a whole before anything of it
is kept, and nothing is ever unpacked under a name that it chose.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage, messages_to_dict
from pydantic import ValidationError

from socratic.assistant import Assistant
from socratic.assistant.conversation import Conversation
from socratic.assistant.engine import whole_turns
from socratic.assistant.kept import FORMAT, VERSION, Kept, messages_of
from socratic.assistant.store import Run
from socratic.errors import BadInput, SocraticError
from socratic.images import load
from socratic.transcript import Transcript

MOST_BYTES = 512_000_000
MOST_TOLD = 64_000_000
MOST_FILES = 5_000
MOST_PIXELS = 1_000_000_000
_PICTURE = re.compile(r"pictures/([0-9a-f]{64})\.png")
_PATH = re.compile(r"(?:/|~/|[A-Za-z]:[\\/]).*[^/\\]")


def exported(conversation: Conversation, path: Path) -> int:
    """Writes the whole turns of a session to a zip file; returns how many messages that are.

    Raises:
        BadInput: the file is there already, or cannot be written.
    """
    if path.exists():
        raise BadInput(f"{path} is there already", hint="choose another name, or delete it")
    told, hashes = session_of(conversation)
    store, fresh = conversation.room.store, path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ZipFile(fresh, "w", ZIP_DEFLATED) as archive:
            archive.writestr("session.json", json.dumps(told, ensure_ascii=True, indent=1))
            for sha256 in hashes:
                archive.writestr(f"pictures/{sha256}.png", store.picture(sha256).png(), ZIP_STORED)
        fresh.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}", hint="choose another place") from error
    finally:
        fresh.unlink(missing_ok=True)
    return len(told["messages"])


def session_of(conversation: Conversation) -> tuple[dict[str, Any], list[str]]:
    """A session as JSON without paths, and the hashes of its pictures; a turn that waits or was cut off is left out."""
    everything = conversation.messages
    messages = whole_turns(everything)
    store, session = conversation.room.store, conversation.id
    pictures, runs = store.pictures(session), store.runs(session)
    if len(messages) < len(everything):
        first, second = everything[len(messages)].additional_kwargs["marks"]
        pictures, runs = pictures[:first], runs[:second]
    told = {
        "format": FORMAT,
        "version": VERSION,
        "title": store.session(session).title,
        "messages": [_message(row) for row in messages_to_dict([_plain(m) for m in messages])],
        "pictures": [{"handle": handle, "sha256": sha256, "origin": origin} for handle, sha256, origin in pictures],
        "runs": [_run(run) for run in runs],
    }
    folders = {str(store.home), *map(str, store.session(session).settings.values())}
    return _without_paths(told, folders), list(dict.fromkeys(sha256 for _, sha256, _ in pictures))


def imported(assistant: Assistant, path: Path) -> Conversation:
    """Makes a new session of an exported one.

    Raises:
        BadInput: the file is no export, is damaged, or holds anything that an export does not; nothing of it is kept.
    """
    try:
        kept, pictures = _read(path)
        messages = messages_of(kept)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _broken(path, f"{where}: {first['msg']}") from error
    except (OSError, ValueError, BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, RecursionError, SocraticError) as error:  # fmt: skip
        raise _broken(path, getattr(error, "message", "") or str(error) or type(error).__name__) from error
    return _kept(assistant, kept, pictures, messages)


def _kept(assistant: Assistant, kept: Kept, pictures: dict[str, bytes], messages: list[AnyMessage]) -> Conversation:
    store = assistant.store
    conversation = assistant.open()
    try:
        for row in kept.pictures:
            store.add_picture(conversation.id, row.handle, load(pictures[row.sha256]), row.origin.as_origin().as_dict())
        for run in kept.runs:
            store.add_run(conversation.id, Run(**run.model_dump()))
        conversation._loop.run(conversation._graph.rewrite(messages))
        store.touch(conversation.id, title=kept.title)
    except BaseException:
        assistant.delete(conversation.id)
        raise
    return conversation


def _read(path: Path) -> tuple[Kept, dict[str, bytes]]:
    """All that the file holds, checked; every picture is decoded."""
    with ZipFile(path) as archive:
        rows = archive.infolist()
        names = [row.filename for row in rows]
        if len(names) > MOST_FILES or len(set(names)) < len(names):
            raise BadInput("it holds too many files, or one twice")
        if strange := next((n for n in names if n != "session.json" and not _PICTURE.fullmatch(n)), None):
            raise BadInput(f"it holds a file {strange[:60]!r}")
        if "session.json" not in names:
            raise BadInput("it holds no session.json")
        kept = kept_of(_unpacked(archive, archive.getinfo("session.json"), MOST_TOLD))
        pictures = dict(_pictures(archive, [row for row in rows if row.filename != "session.json"]))
    if {row.sha256 for row in kept.pictures} != set(pictures):
        raise BadInput("its pictures are not those that session.json names")
    return kept, pictures


def kept_of(data: bytes | str) -> Kept:
    """A session from its JSON, checked in all its parts but the order of the messages.

    Raises:
        ValueError, RecursionError, SocraticError: it is not one.
    """
    told = json.loads(data.decode("utf-8") if isinstance(data, bytes) else data)
    kept = Kept.model_validate_json(json.dumps(told, allow_nan=False))
    for run in kept.runs:
        _check_transcript(run.transcript)
    return kept


def _pictures(archive: ZipFile, rows: Sequence[ZipInfo]) -> Iterator[tuple[str, bytes]]:
    """The PNG files, each decoded once to see that it is what its name says."""
    left, pixels = MOST_BYTES, MOST_PIXELS
    for row in rows:
        data = _unpacked(archive, row, left)
        left -= len(data)
        sha256 = _PICTURE.fullmatch(row.filename)[1]  # type: ignore[index]
        if not data.startswith(b"\x89PNG\r\n\x1a\n"):
            raise BadInput(f"{row.filename[:20]}… is no PNG picture")
        picture = load(data)
        pixels -= picture.width * picture.height
        if pixels < 0:
            raise BadInput("its pictures are larger than a session may hold")
        if picture.sha256 != sha256:
            raise BadInput(f"the pixels of {row.filename[:20]}… are not those of its name")
        yield sha256, data


def _unpacked(archive: ZipFile, row: ZipInfo, most: int) -> bytes:
    """The bytes of a member, of which no more than allowed are unpacked, whatever its header says."""
    with archive.open(row) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise BadInput("it unpacks to more than a session may hold")
    return data


def _check_transcript(told: dict[str, Any]) -> None:
    try:
        talk = Transcript.from_dict(told)
        talk.say()
        whole = all(isinstance(source["sha256"], str) for source in talk.sources)
        whole = whole and all(isinstance(turn.evidence, dict) for turn in talk.turns)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"a run's transcript cannot be read: {error!r}") from error
    if not whole:
        raise BadInput("a run's transcript cannot be read")


def _broken(path: Path, why: str) -> BadInput:
    return BadInput(f"{path} is no session that can be imported: {why}", hint="`socratic sessions export` makes them")


def _plain(message: AnyMessage) -> AnyMessage:
    """A message with its words alone: no blocks, no provider's remarks."""
    given = {k: message.additional_kwargs[k] for k in ("marks", "given") if k in message.additional_kwargs}
    plain = message.model_copy(update={"content": message.text, "additional_kwargs": given, "response_metadata": {}})
    if isinstance(plain, AIMessage):
        return plain.model_copy(update={"invalid_tool_calls": [], "usage_metadata": None})
    if isinstance(plain, ToolMessage):
        artifact = message.artifact if isinstance(message.artifact, dict) else {}  # type: ignore[union-attr]
        return plain.model_copy(update={"artifact": {k: artifact[k] for k in ("run", "pictures") if k in artifact}})
    return plain


def _message(row: dict[str, Any]) -> dict[str, Any]:
    kept = {"human": ("content", "additional_kwargs"), "ai": ("content", "tool_calls")}
    names = kept.get(row["type"], ("content", "name", "tool_call_id", "status", "artifact"))
    return {"type": row["type"], "data": {name: row["data"][name] for name in names}}


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id, "recipe": run.recipe, "arguments": dict(run.arguments), "said": run.said,
        "transcript": dict(run.transcript), "seconds": run.seconds,
    }  # fmt: skip


def _without_paths(told: Any, folders: set[str]) -> Any:
    """The same with file names in the place of paths, also where a text holds one of them."""
    found = {text for text in _texts(told) if len(text) < 4096 and "\n" not in text and _PATH.fullmatch(text)}
    places = folders | found | {os.path.dirname(path) for path in found} | {os.path.expanduser("~")}
    longest = sorted((p.rstrip("/\\") for p in places if len(p.rstrip("/\\")) > 1), key=len, reverse=True)
    anywhere = re.compile("|".join(rf"{re.escape(p)}(?:[/\\]|(?![\w.-]))" for p in longest))

    def shorter(match: re.Match[str]) -> str:
        place = match[0].rstrip("/\\")
        return re.split(r"[/\\]", place)[-1] if place in found else ""

    return _mapped(told, lambda text: anywhere.sub(shorter, text).encode(errors="replace").decode())


def _texts(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for key, value in told.items():
            yield key
            yield from _texts(value)
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value)


def _mapped(told: Any, change: Any) -> Any:
    if isinstance(told, str):
        return change(told)
    if isinstance(told, dict):
        return {change(k): _mapped(v, change) for k, v in told.items()}
    return [_mapped(v, change) for v in told] if isinstance(told, list | tuple) else told
