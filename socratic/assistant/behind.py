"""What stands behind the last answer: the transcripts of the tools that were called for it, with their pictures.

Reads the session's store; runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage

from socratic.assistant.conversation import Conversation
from socratic.assistant.store import Run
from socratic.errors import SocraticError
from socratic.gallery import Shown
from socratic.transcript import Transcript


def runs_of_last(conversation: Conversation, messages: Sequence[AnyMessage] | None = None) -> list[Run]:
    """What tools did in the last turn, in order."""
    said = conversation.messages if messages is None else messages
    last = next((m for m in reversed(said) if isinstance(m, HumanMessage)), None)
    runs = conversation.room.store.runs(conversation.id)
    return runs[last.additional_kwargs["marks"][1] :] if last is not None else []


def behind(conversation: Conversation) -> list[Shown]:
    """Each call of the last turn as a conversation of models, for `gallery.page`; empty where no tool was called."""
    return [_shown(conversation, run) for run in runs_of_last(conversation)]


def _shown(conversation: Conversation, run: Run) -> Shown:
    talk = Transcript.from_dict(run.transcript)
    by_hash = {entry.sha256: entry for entry in conversation.album.entries()}
    for source in talk.sources:
        try:
            if source["sha256"] in by_hash:
                talk.pictures.append(conversation.album.get(by_hash[source["sha256"]].handle))
        except SocraticError:  # a file that is gone; what was said about it is still there
            continue
    marked = [e.handle for e in by_hash.values() if e.origin.run == run.id and e.origin.kind == "marked"]
    return Shown(f"{run.recipe}: {run.said}", talk, [conversation.album.get(handle) for handle in marked])
