"""What a session file may hold, as strict types: messages of the user, the assistant and tools, pictures, and runs.

Whatever else stands in a file is refused: other roles, other keys, other types. Reads and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from socratic.assistant.store import Origin
from socratic.errors import BadInput

FORMAT, VERSION = "socratic session", 1
Words = Annotated[str, StringConstraints(max_length=1_000_000)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:|-]{1,128}$")]
RunId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,32}$")]
Handle = Annotated[str, StringConstraints(pattern=r"^img:[0-9a-f]{6,64}$")]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ToolCallRow(Strict):
    name: Name
    args: dict[str, Any]
    id: Id
    type: Literal["tool_call"] = "tool_call"


class Given(Strict):
    marks: Annotated[list[Count], Field(min_length=2, max_length=2)]
    given: list[Handle]


class Artifact(Strict):
    run: RunId | Literal[""] = ""
    pictures: list[Handle] = Field(default_factory=list)


class HumanData(Strict):
    content: Words
    additional_kwargs: Given


class AIData(Strict):
    content: Words
    tool_calls: list[ToolCallRow]


class ToolData(Strict):
    content: Words
    name: Name
    tool_call_id: Id
    status: Literal["success", "error"]
    artifact: Artifact


class Human(Strict):
    type: Literal["human"]
    data: HumanData


class AI(Strict):
    type: Literal["ai"]
    data: AIData


class Tool(Strict):
    type: Literal["tool"]
    data: ToolData


class OriginRow(Strict):
    kind: Literal["given", "drawn", "changed", "found", "marked"]
    words: Words
    parents: list[Handle]
    run: RunId | Literal[""]
    details: dict[str, Any]

    def as_origin(self) -> Origin:
        return Origin(self.kind, self.words, tuple(self.parents), self.run, self.details)


class PictureRow(Strict):
    handle: Handle
    sha256: Hash
    origin: OriginRow


class RunRow(Strict):
    id: RunId
    recipe: Name
    arguments: dict[str, Any]
    said: Words
    transcript: dict[str, Any]
    seconds: Annotated[float, Field(ge=0, le=1e9)]


class Kept(Strict):
    """A session as its file tells it."""

    format: Literal["socratic session"]
    version: Literal[1]
    title: Annotated[str, StringConstraints(max_length=60)]
    messages: Annotated[list[Annotated[Human | AI | Tool, Field(discriminator="type")]], Field(max_length=100_000)]
    pictures: Annotated[list[PictureRow], Field(max_length=5_000)]
    runs: Annotated[list[RunRow], Field(max_length=100_000)]


def messages_of(kept: Kept) -> list[AnyMessage]:
    """The messages, in an order that a conversation can have.

    Raises:
        BadInput: a reply answers nothing, a handle or a run is nowhere, a turn is not whole, or something is there twice.
    """
    _check_handles(kept)
    messages: list[AnyMessage] = []
    waiting: list[str] = []
    marks = (0, 0)
    for number, row in enumerate(kept.messages):
        if isinstance(row, Tool):
            if row.data.tool_call_id not in waiting:
                raise BadInput(f"message {number} answers a call that nobody made")
            waiting.remove(row.data.tool_call_id)
        elif waiting or (number == 0) != (isinstance(row, Human) and not messages):
            raise BadInput(f"message {number} comes before a call was answered, or nobody asked")
        elif isinstance(row, Human):
            if messages and (not isinstance(messages[-1], AIMessage) or messages[-1].tool_calls):
                raise BadInput(f"message {number} comes before the turn was over")
            marks = _marks_after(marks, row.data.additional_kwargs.marks, kept, number)
        else:
            waiting = [call.id for call in row.data.tool_calls]
        messages.append(_message(row))
    if messages and (not isinstance(messages[-1], AIMessage) or messages[-1].tool_calls):
        raise BadInput("its last turn is not whole")
    return messages


def _marks_after(before: tuple[int, int], marks: list[int], kept: Kept, number: int) -> tuple[int, int]:
    pictures, runs = marks
    if not (before[0] <= pictures <= len(kept.pictures) and before[1] <= runs <= len(kept.runs)):
        raise BadInput(f"message {number} counts pictures or runs that are not there")
    return pictures, runs


def _check_handles(kept: Kept) -> None:
    handles = [row.handle for row in kept.pictures]
    runs = [run.id for run in kept.runs]
    if len(set(handles)) < len(handles) or len(set(runs)) < len(runs):
        raise BadInput("a handle or a run is there twice")
    if wrong := next((r.handle for r in kept.pictures if not r.sha256.startswith(r.handle[4:])), None):
        raise BadInput(f"{wrong} is no handle of its picture")
    if lost := next((h for h in _named(kept) if h not in handles), None):
        raise BadInput(f"there is no picture {lost}")


def _named(kept: Kept) -> Iterator[str]:
    for picture in kept.pictures:
        yield from picture.origin.parents
    for row in kept.messages:
        if isinstance(row, Human):
            yield from row.data.additional_kwargs.given
        elif isinstance(row, Tool):
            yield from row.data.artifact.pictures


def _message(row: Human | AI | Tool) -> AnyMessage:
    if isinstance(row, Human):
        return HumanMessage(row.data.content, additional_kwargs=row.data.additional_kwargs.model_dump())
    if isinstance(row, AI):
        return AIMessage(row.data.content, tool_calls=[call.model_dump() for call in row.data.tool_calls])
    return ToolMessage(**row.data.model_dump())
