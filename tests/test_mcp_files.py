"""What MCP calls may read: nothing outside the allowed folders, by whatever name, link, list or URL it is asked for."""

from __future__ import annotations

import base64
import io
import os
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from socratic.assistant.album import Album
from socratic.assistant.store import Store
from socratic.errors import BadInput, SocraticError
from socratic.mcp.files import MOST_PICTURES, Files, Roots, SharedAlbum, one_or_many

SECRET = (1, 2, 3)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an allowed folder `in` and, beside it, a secret one `out`, with links from the one to the other."""
    for name, colour in (("in", (200, 0, 0)), ("out", SECRET)):
        (tmp_path / name / "frames").mkdir(parents=True)
        for path in (tmp_path / name / "one.png", tmp_path / name / "frames" / "frame-0.png"):
            Image.new("RGB", (8, 8), colour).save(path)
        (tmp_path / name / "words.txt").write_text(f"{name}\n")
        (tmp_path / name / "mine.prompty").write_text("---\nname: x\n---\nuser:\nhello\n")
        (tmp_path / name / "one.txt").write_text(f"a caption of {name}")
    inside = tmp_path / "in"
    (inside / "link.png").symlink_to(tmp_path / "out" / "one.png")
    (inside / "link").symlink_to(tmp_path / "out")
    (inside / "fine.png").symlink_to(inside / "one.png")
    (inside / "mixed").mkdir()
    (inside / "mixed" / "frame-1.png").symlink_to(tmp_path / "out" / "one.png")
    (inside / "mixed" / "frame-1.txt").write_text("a caption")
    (inside / "list.jsonl").write_text('{"image": "../out/one.png", "caption": "a dog"}\n')
    os.mkfifo(inside / "pipe.png")
    return tmp_path


@pytest.fixture
def files(place: Path) -> Files:
    store = Store(place / "home")
    return Files(Roots([place / "in"]), Album(store, store.begin()), store)


OUTSIDE = [
    "../out/one.png", "link.png", "link/one.png", "frames/../../out/one.png", "{out}/one.png", "{out}",
    "/etc/passwd", "..", "/", "/proc/self/environ", "in/../../out/one.png", "~/../out/one.png/..//../../..",
]  # fmt: skip
READERS = ["picture", "file", "text", "shown", "film", "examples", "prompt"]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_is_read_by_any_reader(
    files: Files, place: Path, reader: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(place / "out"))
    name = name.replace("{out}", str(place / "out"))
    name = f"{name.removesuffix('/one.png')}/mine.prompty" if reader == "prompt" and "one" in name else name
    with pytest.raises(BadInput) as refused:
        getattr(files, reader)(name)
    assert not files.given and "caption of out" not in str(refused.value)
    assert any(w in refused.value.message for w in ("outside the folders", "there is no prompt", "there is no '"))


_opened: list[str] = []
_heeding = False


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heeding and event in ("open", "os.listdir", "os.scandir"):
        _opened.append(str(arguments[0]))


def test_python_itself_saw_nothing_outside_opened(files: Files, place: Path) -> None:
    global _heeding
    sys.addaudithook(_hear)
    _heeding = True
    try:
        for name in (*OUTSIDE, "mixed", "list.jsonl", "one.png"):
            for reader in READERS:
                with suppress(BadInput):
                    getattr(files, reader)(name.replace("{out}", str(place / "out")))
    finally:
        _heeding = False
    opened = [Path(name).resolve() for name in _opened]
    assert place / "in" / "one.png" in opened, "what lies inside is opened"
    assert [p for p in opened if p.is_relative_to(place / "out") or p == Path("/etc/passwd")] == []


def test_outside_names_are_refused_alike_whether_or_not_they_exist(files: Files, place: Path) -> None:
    for name in (str(place / "out" / "one.png"), str(place / "out" / "nothing.png"), "/nowhere/at/all"):
        with pytest.raises(BadInput, match="is outside the folders that may be read") as refused:
            files.picture(name)
        assert refused.value.hint == f"give a path in: {place / 'in'}"


@pytest.mark.parametrize("reader", ["shown", "film", "examples"])
def test_a_folder_or_list_that_leads_outside_is_refused_whole(files: Files, reader: str) -> None:
    with pytest.raises(BadInput, match="'mixed' names 'frame-1.png', which lies outside"):
        getattr(files, reader)("mixed")
    if reader == "examples":
        with pytest.raises(BadInput, match="'list.jsonl' names 'one.png', which lies outside"):
            files.examples("list.jsonl")


@pytest.mark.parametrize(
    "name", ["file:///etc/passwd", "http://127.0.0.1:1/a.png", "https://x.org/a.png", "ftp:x", "FILE:one.png", "s3://a/b"]
)  # fmt: skip
@pytest.mark.parametrize("reader", READERS[:-1])
def test_urls_are_refused_and_nothing_is_fetched(files: Files, reader: str, name: str) -> None:
    with pytest.raises(BadInput, match="wanted a path, got the URL"):
        getattr(files, reader)(name)


@pytest.mark.parametrize(
    "name", ["", "  ", "a\0b", "x" * 5000, "pipe.png", "frames", "gone.png", "img:zz", "data:text/plain,hi"]
)
def test_what_is_no_picture_is_told(files: Files, name: str) -> None:
    with pytest.raises(BadInput):
        files.picture(name)
    assert not files.given


def test_what_lies_inside_is_read(files: Files, place: Path) -> None:
    assert files.picture("one.png").sha256 == files.picture(str(place / "in" / "fine.png")).sha256
    assert files.text("words.txt") == files.file("words.txt") == str(place / "in" / "words.txt")
    assert files.text("") == files.examples("") == ""
    assert files.prompt("caption.write") == files.prompt("caption.write.prompty") == "caption.write"
    assert files.prompt("mine.prompty").endswith("in/mine.prompty")
    assert files.film("frames").endswith("in/frames") and files.shown("frames").endswith("in/frames")
    assert files.shown(next(iter(files.given))).endswith(".png")
    with pytest.raises(BadInput, match="a film is given by its path"):
        files.film("img:aabbcc")
    with pytest.raises(BadInput, match="there is no prompt 'words.txt'"):
        files.prompt("words.txt")
    with pytest.raises(BadInput, match="'frames' is a folder"):
        files.text("frames")


def test_several_roots_and_one_or_many_names(place: Path) -> None:
    store = Store(place / "home")
    both = Files(Roots([place / "in", place / "out", place / "in"]), Album(store, store.begin()), store)
    assert len(both.roots.folders) == 2
    first, second = both.picture("one.png"), both.picture(str(place / "out" / "one.png"))
    assert first.pil.getpixel((0, 0)) == (200, 0, 0) and second.pil.getpixel((0, 0)) == SECRET
    many = one_or_many(Files.text)
    assert many(both, ["words.txt", ""]) == [str(place / "in" / "words.txt"), ""]
    assert many(both, None) is None and many(both, "") == ""


def test_roots_are_folders_and_never_the_whole_machine_unasked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="is no folder"):
        Roots([place / "in" / "one.png"])
    monkeypatch.chdir("/")
    with pytest.raises(BadInput, match="the working directory is the whole machine"):
        Roots()
    monkeypatch.chdir(place / "in")
    assert Roots().folders == (place / "in",)


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def test_data_urls_are_pictures_with_handles(files: Files) -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "blue").save(out, "PNG")
    seen = files.picture(data_url(out.getvalue()))
    assert seen.source == f"img:{seen.sha256[:6]}" and files.picture(seen.source) == seen


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says that it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def test_bombs_are_refused_before_they_are_decoded(files: Files, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="pixels"):
        files.picture(data_url(bomb(60_000)))
    monkeypatch.setattr("socratic.mcp.files.MOST_DATA_URL", 1000)
    with pytest.raises(BadInput, match="a data URL of more than 1,000 characters"):
        files.picture(data_url(b"x" * 2000))
    monkeypatch.setattr("socratic.mcp.files.MOST_TEXT", 3)
    with pytest.raises(BadInput, match="has more than 3 bytes"):
        files.text("one.txt")
    for _ in range(3):
        files.picture("one.png")
    monkeypatch.setattr("socratic.mcp.files.MOST_PICTURES", 1)
    with pytest.raises(BadInput, match="one call may give at most 1 pictures"):
        files.picture("fine.png")
    assert MOST_PICTURES >= 10


def test_clients_without_a_session_have_handles_that_nobody_guesses(place: Path) -> None:
    store = Store(place / "home")
    shared = Files(Roots([place / "in"]), SharedAlbum(store, store.begin()), store)
    whole = shared.picture("one.png").sha256
    assert list(shared.given) == [f"img:{whole[:32]}"]
    for guess in (f"img:{whole[:6]}", "img:000000", "img:"):
        with pytest.raises(BadInput) as refused:
            shared.picture(guess)
        assert whole[:8] not in str(refused.value).replace(guess, ""), "no handle of another client is told"


def test_pictures_of_one_client_are_none_of_another(place: Path) -> None:
    store = Store(place / "home")
    one, other = (Files(Roots([place / "in"]), Album(store, store.begin()), store) for _ in range(2))
    one.picture("one.png")
    (handle,) = one.given
    assert one.picture(handle)
    with pytest.raises(BadInput, match="pictures: none yet"):
        other.picture(handle)


PARTS = st.sampled_from(
    ["..", ".", "in", "out", "one.png", "link", "link.png", "frames", "mixed", "", "/", "~", "words.txt"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(PARTS | st.text(max_size=6), max_size=7), absolute=st.booleans())
def test_whatever_the_name_only_what_lies_inside_is_found(files: Files, place: Path, parts: list[str], absolute: bool) -> None:  # fmt: skip
    name = "/".join([str(place), *parts] if absolute else parts)
    try:
        found = files.roots.find(name)
    except SocraticError:
        return
    assert found.resolve().is_relative_to((place / "in").resolve())
