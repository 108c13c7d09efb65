"""What the arguments of an MCP call may name: pictures by path, data URL or handle, and files under allowed folders.

Whoever calls is not trusted with paths. A name counts only if it leads, links followed, into one of the folders that
the person who started the server named; all others are refused alike, whether or not they exist, and are never opened.
Nothing here writes, and nothing fetches.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from socratic import images
from socratic.assistant.album import Album, Entry, file_words
from socratic.assistant.store import Origin, Store
from socratic.errors import BadInput
from socratic.examples import read_examples
from socratic.prompt import shipped
from socratic.values import Picture

MOST_TEXT = 20_000_000
"""Bytes of a word list, a prompt or a transcript."""
MOST_DATA_URL = 40_000_000
"""Characters of a picture that comes as a data URL."""
MOST_PICTURES = 100
"""Pictures that one call may give."""
_URL = re.compile(r"(?i)[a-z][a-z0-9+.-]+:")


class Roots:
    """The folders that a server may read."""

    def __init__(self, folders: Sequence[str | Path] = ()) -> None:
        """Takes the folders; the working directory when there are none.

        Raises:
            BadInput: one is no folder, or the working directory is the whole machine.
        """
        chosen = [Path(f).expanduser().resolve() for f in folders] or [Path.cwd().resolve()]
        for folder in chosen:
            if not folder.is_dir():
                raise BadInput(f"{folder} is no folder", hint="name a folder that is there with --root")
        if not folders and chosen[0] == Path(chosen[0].anchor):
            raise BadInput("the working directory is the whole machine", hint="name the folders to read with --root")
        self.folders = tuple(dict.fromkeys(chosen))

    def say(self) -> str:
        return ", ".join(map(str, self.folders))

    def holds(self, path: Path) -> bool:
        """Whether a path that is resolved lies in one of the folders."""
        return any(path.is_relative_to(folder) for folder in self.folders)

    def find(self, name: str) -> Path:
        """The file or folder of that name: absolute, or seen from one of the folders.

        Raises:
            BadInput: it lies outside, is not there, or is neither a file nor a folder.
        """
        brief = repr(name[:120])
        if not name.strip() or "\0" in name or len(name) > 4096:
            raise BadInput(f"{brief} is no path", hint=self._hint())
        if _URL.match(name):
            raise BadInput(f"wanted a path, got the URL {brief}", hint=f"nothing is fetched; {self._hint()}")
        inside = [path for path in self._meant(name) if self.holds(path)]
        if not inside:
            raise BadInput(f"{brief} is outside the folders that may be read", hint=self._hint())
        for path in inside:
            if path.exists():
                return _plain(path, brief)
        raise BadInput(f"there is no {brief}", hint=self._hint())

    def _meant(self, name: str) -> list[Path]:
        """Where a name may lead, links followed."""
        try:
            return [(folder / name).resolve() for folder in self.folders]
        except (OSError, RuntimeError) as error:
            raise BadInput(f"{name[:120]!r} cannot be followed", hint="is it a link to itself?") from error

    def _hint(self) -> str:
        return f"give a path in: {self.say()}"


def _plain(path: Path, brief: str) -> Path:
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a pipe would never end
        raise BadInput(f"{brief} is neither a file nor a folder", hint="name a file")
    return path


class SharedAlbum(Album):
    """The pictures of all clients that tell no session: a handle is too long to guess, and errors list none."""

    def add(self, picture: Picture, origin: Origin) -> str:
        handle = f"img:{picture.sha256[:32]}"
        if not any(e.handle == handle for e in self.entries()):
            self._store.add_picture(self._session, handle, picture, origin.as_dict())
        return handle

    def entry(self, handle: str) -> Entry:
        found = next((e for e in self.entries() if e.handle == handle), None)
        if found is None:
            raise BadInput(f"there is no picture {handle[:80]!r}", hint="handles stand in the results of earlier calls")
        return found


class Files:
    """Reads what the arguments of one call name, for one client. `given` are the handles of its pictures."""

    def __init__(self, roots: Roots, album: Album, store: Store) -> None:
        self.roots, self.album, self._store = roots, album, store
        self.given: dict[str, Picture] = {}

    def picture(self, name: Any) -> Picture:
        """A picture by path, `data:` URL or handle; it has a handle from then on.

        Raises:
            BadInput: it cannot be read, lies outside, or there are too many.
        """
        if len(self.given) >= MOST_PICTURES:
            raise BadInput(f"one call may give at most {MOST_PICTURES} pictures", hint="call more than once")
        picture = self._loaded(str(name))
        handle = self.album.add(picture, Origin("given", file_words(picture.source)))
        self.given[handle] = picture
        return replace(picture, source=handle) if picture.source == "data URL" else picture

    def _loaded(self, name: str) -> Picture:
        if name.startswith("img:"):
            return replace(self.album.get(name), source=name)
        if name[:5].lower() != "data:":
            return images.load(self.roots.find(name))
        if len(name) > MOST_DATA_URL:
            raise BadInput(f"a data URL of more than {MOST_DATA_URL:,} characters", hint="give a smaller picture, or a path")  # fmt: skip
        return images.load(name)

    def file(self, name: str) -> str:
        """A file of any size."""
        path = self.roots.find(name)
        if not path.is_file():
            raise BadInput(f"{name[:120]!r} is a folder", hint="name a file in it")
        return str(path)

    def text(self, name: str) -> str:
        """A text file; an empty name stays empty."""
        if not name:
            return name
        path = self.file(name)
        if Path(path).stat().st_size > MOST_TEXT:
            raise BadInput(f"{name[:120]!r} has more than {MOST_TEXT:,} bytes", hint="is it a text file?")
        return path

    def prompt(self, name: str) -> str:
        """A prompt by its name, or the file of one."""
        if (plain := name.removesuffix(".prompty")) in shipped():
            return plain  # with its ending, a file of the working directory would come first
        if not name.endswith(".prompty"):
            hint = "socratic prompts list, or a .prompty file"
            raise BadInput(f"there is no prompt {name[:80]!r}", hint=hint)
        return self.text(name)

    def shown(self, name: str) -> str:
        """Where a picture or a folder of pictures is, for code that opens it itself."""
        if name.startswith("img:") or name[:5].lower() == "data:":
            return str(self._store.path_of(self.picture(name).sha256))
        path = self.roots.find(name)
        if path.is_dir():
            self._all_inside(images.expand([path]), name)
        return str(path)

    def film(self, name: str) -> str:
        """A film, or a folder of its frames."""
        if name.startswith("img:") or name[:5].lower() == "data:":
            raise BadInput("a film is given by its path", hint=f"a file or a folder in: {self.roots.say()}")
        return self.shown(name)

    def examples(self, name: str) -> str:
        """Captioned pictures; those that the file names must lie inside as well. An empty name stays empty."""
        if not name:
            return name
        path = self.roots.find(name)
        if path.is_dir():
            self._all_inside([str(p) for p in path.iterdir() if p.suffix.lower() in (".txt", *images.SUFFIXES)], name)
        else:
            self.text(name)
        self._all_inside([e.path for e in read_examples(path)], name)
        return str(path)

    def _all_inside(self, paths: Sequence[str], name: str) -> None:
        """Refuses a folder or a list with a link or a name that leads outside."""
        for path in paths:
            if not self.roots.holds(Path(path).resolve()):
                message = f"{name[:120]!r} names {Path(path).name[:80]!r}, which lies outside the folders that may be read"  # fmt: skip
                raise BadInput(message, hint=f"folders: {self.roots.say()}")


Read = Callable[[Files, Any], Any]
"""Turns one argument as it came into what a recipe takes."""


def as_it_is(files: Files, value: Any) -> Any:
    """Words and numbers."""
    return value


def one_or_many(read: Callable[[Files, str], Any]) -> Read:
    """The same for one name, for a list of names, and for nothing."""

    def reads(files: Files, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [read(files, v) for v in value]
        return value if value is None else read(files, value)

    return reads
