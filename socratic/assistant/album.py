"""The pictures of one session by short handles such as `img:3fa9c1`; no other session's can be reached through it.

Bytes never travel in messages: models and users name pictures by handle. A handle that does not exist is an error that
lists those that do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from socratic.assistant.store import Origin, Store
from socratic.errors import BadInput
from socratic.values import Picture

HANDLE = re.compile(r"img:[0-9a-f]{6,64}")


@dataclass(frozen=True)
class Entry:
    """A picture of the session by name."""

    handle: str
    sha256: str
    origin: Origin

    def say(self) -> str:
        return f"{self.handle} ({self.origin.say()})"


class Album:
    """The pictures of a session, oldest first."""

    def __init__(self, store: Store, session: str) -> None:
        self._store, self._session = store, session

    def entries(self) -> list[Entry]:
        return [Entry(h, s, Origin.from_dict(o)) for h, s, o in self._store.pictures(self._session)]

    def add(self, picture: Picture, origin: Origin) -> str:
        """Keeps a picture and returns its handle; one that is here already keeps its handle and its origin."""
        taken = {e.handle: e.sha256 for e in self.entries()}
        known = next((handle for handle, sha256 in taken.items() if sha256 == picture.sha256), None)
        if known:
            return known
        handle = next(h for n in range(6, 65, 2) if (h := f"img:{picture.sha256[:n]}") not in taken)
        self._store.add_picture(self._session, handle, picture, origin.as_dict())
        return handle

    def get(self, handle: str) -> Picture:
        """The picture of a handle.

        Raises:
            BadInput: the session has no such picture.
        """
        return self._store.picture(self.entry(handle).sha256)

    def entry(self, handle: str) -> Entry:
        """Handle, hash and origin of a picture; `latest` is the one that came last and is no marked copy.

        Raises:
            BadInput: the session has no such picture.
        """
        entries = self.entries()
        if handle in ("", "latest"):
            plain = [e for e in entries if e.origin.kind != "marked"]
            if plain:
                return plain[-1]
            raise BadInput("there is no picture yet", hint="ask the user for one, or draw one")
        found = next((e for e in entries if e.handle == handle.strip()), None)
        if found is None:
            known = ", ".join(e.handle for e in entries[-8:]) or "none yet"
            raise BadInput(f"there is no picture {handle[:80]!r} here", hint=f"pictures: {known}")
        return found

    def unknown_in(self, text: str) -> list[str]:
        """Handles that a text cites and that do not exist."""
        known = {e.handle for e in self.entries()}
        return [h for h in dict.fromkeys(HANDLE.findall(text)) if h not in known]


def file_words(name: str) -> str:
    """A file's name as harmless words: letters, digits, dots and dashes, at most 40 of them."""
    return re.sub(r"[^\w.-]+", " ", name.replace("\\", "/").rsplit("/", 1)[-1]).strip()[:40]


def harmless(text: str) -> str:
    """Words of a file, a model or a picture on one line, without marks that chat templates take for their own."""
    return re.sub(r"<\|?/?(?=\w)|\|>", " ", " ".join(text.split()))[:200]
