"""What a person types: commands, words, and paths of pictures as terminals drop them."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import quote

import pytest
from doubles import picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socratic.chat.line import endings, read
from socratic.errors import BadInput

COMMANDS = ["help", "show", "save", "sessions"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a.png", "two words.png", "it's.jpg", "ünï.webp"):
        picture().pil.save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "name", "said"),
    [
        ("what is in a.png?", "a.png", "what is in img:1?"),
        ("'two words.png' what is it", "two words.png", "img:1 what is it"),
        ("two\\ words.png, how many", "two words.png", "img:1, how many"),
        ('is "it\'s.jpg" a dog', "it's.jpg", "is img:1 a dog"),
        ("'it'\\''s.jpg' what's it", "it's.jpg", "img:1 what's it"),
        ("./a.png", "a.png", ""),
        (" ~/a.png  ", "a.png", ""),
        ("compare ünï.webp!", "ünï.webp", "compare img:1!"),
    ],
)
def test_a_path_becomes_a_picture(folder: Path, typed: str, name: str, said: str) -> None:
    line = read(typed, COMMANDS)
    assert [path.resolve() for _, path in line.pictures] == [folder / name] and line.command == ""
    assert line.said(["img:1"]) == said


def test_several_pictures_and_urls_of_files(folder: Path) -> None:
    url = f"file://{quote(str(folder / 'two words.png'))}"
    line = read(f"compare {folder}/a.png and {url}", COMMANDS)
    assert len(line.pictures) == 2 and line.said(["img:1", "img:2"]) == "compare img:1 and img:2"


def test_what_is_no_file_stays_words_and_a_missing_path_is_told(folder: Path) -> None:
    line = read("save it as dog.png, not out/dog.png or https://x.org/a.png or notes.txt", COMMANDS)
    assert line.pictures == () and line.missing == ("out/dog.png",)


def test_commands(folder: Path) -> None:
    line = read("/Save img:1 'two words'", COMMANDS)
    assert line.command == "save" and line.arguments == ["img:1", "two words"]
    assert read(f"{folder}/a.png", COMMANDS).pictures
    with pytest.raises(BadInput, match="no command /nothing"):
        read("/nothing now", COMMANDS)
    with pytest.raises(BadInput, match="quotation"):
        _ = read("/save 'open", COMMANDS).arguments


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_characters="/\0\n", exclude_categories=["C", "Z"]), min_size=1, max_size=20), st.booleans()
)  # fmt: skip
def test_a_quoted_path_is_always_found(tmp_path: Path, name: str, word: bool) -> None:
    path = tmp_path / f"{name}.png"
    path.write_bytes(b"x")
    quoted = shlex.quote(str(path))
    line = read(f"{quoted} what" if word else quoted, COMMANDS)
    assert [p for _, p in line.pictures] == [path]


@given(st.text())
def test_any_line_is_read_or_refused(text: str) -> None:
    try:
        line = read(text, COMMANDS)
    except BadInput:
        return
    assert line.command or line.words == text.strip()


def test_endings(folder: Path) -> None:
    (folder / "sub").mkdir()
    assert list(endings("/s", COMMANDS, [])) == ["/show", "/save", "/sessions"]
    assert list(endings("img:1", COMMANDS, ["img:12", "img:34"])) == ["img:12"]
    assert list(endings("t", [], [])) == ["two\\ words.png"] and list(endings("s", [], [])) == ["sub/"]
    assert list(endings("./n", [], [])) == [] and list(endings("nowhere/x", [], [])) == []
    assert list(endings(f"{folder}/a", [], [])) == [f"{folder}/a.png"]
