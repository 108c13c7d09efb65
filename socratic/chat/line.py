"""A line that a person typed into the chat: a command, or words with the pictures that are named in it by path.

Paths come as terminals drop them: quoted, with escaped blanks, as `file:` URLs, with `~`. Only what a person typed comes
here, never what a model or a file said. Loads no picture and runs nothing.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from socratic.errors import BadInput
from socratic.images import SUFFIXES

# Quotes count at the start of a word only, since people write "what's". Shells quote a quote as '\'' or '"'"'.
_WORD = re.compile(r"""'[^'\n]*'(?:(?:\\'|"'")'[^'\n]*')*|"[^"\n]*"|(?:\\.|[^\s\\])+""")
_ENDS = "?!,.;:)"


@dataclass(frozen=True)
class Line:
    """What was typed.

    Attributes:
        command: the word after the slash, in small letters; empty for words.
        words: what was said, or what follows the command.
        pictures: the files that are named, as they stand in the words, and where they are.
        missing: paths that look like pictures' and are none.
    """

    command: str
    words: str
    pictures: tuple[tuple[str, Path], ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """What follows the command, split as a shell does.

        Raises:
            BadInput: a quotation mark is not closed.
        """
        try:
            return shlex.split(self.words)
        except ValueError as error:
            raise BadInput(f"/{self.command}: {error}", hint="close the quotation mark") from error

    def said(self, handles: Sequence[str]) -> str:
        """The words with the handles of the pictures in the place of their paths; empty if nothing else was said."""
        text, rest = self.words, self.words
        for (typed, _), handle in zip(self.pictures, handles, strict=True):
            text, rest = text.replace(typed, handle, 1), rest.replace(typed, "", 1)
        return text.strip() if rest.strip(" \t\n,.;") else ""


def read(typed: str, commands: Sequence[str]) -> Line:
    """Reads a line.

    Raises:
        BadInput: it begins with a slash, is no file, and is no command.
    """
    text = typed.strip()
    word, _, rest = text.partition(" ")
    if text.startswith("/") and word[1:].lower() in commands:
        return Line(word[1:].lower(), rest.strip())
    if re.fullmatch(r"/[a-z]*", word) and not os.path.exists(word):
        raise BadInput(f"there is no command {word}", hint="/help lists them")
    found = list(_named(text))
    there = tuple((said, path) for said, path in found if path.is_file())
    missing = (said for said, path in found if not path.is_file() and os.sep in said)
    return Line("", text, there, tuple(missing))


def _named(text: str) -> Iterator[tuple[str, Path]]:
    """Words that end as pictures' names do, as they were typed and as paths; each once."""
    seen = set()
    for match in _WORD.finditer(text):
        for typed in (match[0], match[0].rstrip(_ENDS)):
            path = path_of(typed)
            if path is not None and path.suffix.lower() in SUFFIXES and typed not in seen:
                seen.add(typed)
                yield typed, path
                break


def path_of(typed: str) -> Path | None:
    """The path that a word means; None where it cannot be one."""
    plain = re.sub(r"\\(.)", r"\1", typed)
    if typed[:1] in "'\"" and typed[-1:] == typed[:1] and len(typed) > 2:
        plain = re.sub(r"""'(?:\\'|"'")'""", "'", typed[1:-1]) if typed[0] == "'" else typed[1:-1]
    if plain.lower().startswith("file://"):
        plain = unquote(urlsplit(plain).path)
    try:
        return Path(plain).expanduser() if plain and "\0" not in plain and "://" not in plain else None
    except RuntimeError:  # the home of a user who is not there
        return None


def endings(word: str, commands: Sequence[str], handles: Sequence[str]) -> Iterator[str]:
    """What a word that is being typed may become: a command, a handle, a folder or a file."""
    if word.startswith("/") and "/" not in word[1:]:
        named = [f"/{c}" for c in commands if f"/{c}".startswith(word)]
        yield from named
        if named:
            return
    if word.startswith("img"):
        yield from (h for h in handles if h.startswith(word))
    if word and word != "/":
        yield from _paths(word, lambda path: path.is_dir() or path.suffix.lower() in (*SUFFIXES, ".gallery"))


def _paths(word: str, wanted: Callable[[Path], bool]) -> Iterator[str]:
    folder, _, start = word.rpartition("/")
    place = Path((folder or ("/" if word.startswith("/") else ".")).replace("\\ ", " ")).expanduser()
    try:
        names = sorted(p.name for p in place.iterdir() if p.name.startswith(start.replace("\\ ", " ")) and wanted(p))
    except OSError:
        return
    for name in names[:50]:
        if start or not name.startswith("."):
            ending = "/" if (place / name).is_dir() else ""
            yield (f"{folder}/" if "/" in word else "") + name.replace(" ", "\\ ") + ending
