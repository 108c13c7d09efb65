"""The page of conversations: one file that needs nothing else and trusts nothing that was said."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from doubles import picture

from socratic.gallery import Shown, ledger_of, page, turns, write_page
from socratic.transcript import Transcript, Turn

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></title>&amp;",
    "' onload='alert(1)",
    "![x](https://evil.example/?q=1)",
]


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def shown(said: str = "A zebra.", source: str = "zoo.png", status: str = "clean") -> Shown:
    talk = Transcript("caption")
    talk.pictures = [picture(source=source)]
    talk.add(Turn("objects", "clip:ViT", said, evidence={said: 0.3}))
    talk.add(Turn("caption", said, said, prompt="caption.write", prompt_sha256="abc", asked=said, status=status))
    return Shown(said, talk)


def test_the_page_shows_picture_answer_turns_prompt_and_evidence() -> None:
    seen = Page(page([shown()], "My pictures"))
    assert [image["src"] for image in seen.all("img")] == [picture().data_url(512)]
    for text in ("My pictures", "zoo.png", "A zebra.", "objects", "clip", "caption.write", "0.3", "1 clean"):
        assert text in seen.text


def test_the_page_fetches_nothing() -> None:
    html = page([shown(), shown("A lion.")], "My pictures")
    seen = Page(html)
    links = [
        value
        for _, attributes in seen.tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "data", "background")
    ]
    assert len(links) == 2 and all(str(link).startswith("data:image/png;base64,") for link in links)
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in seen.tags}
    assert not re.search(r"@import|url\(|https?://", html)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_models_and_files_say_is_text(hostile: str) -> None:
    plain, seen = Page(page([shown("said", "name")], "title")), Page(page([shown(hostile, hostile)], hostile))
    assert [(tag, sorted(attributes)) for tag, attributes in seen.tags] == [(t, sorted(a)) for t, a in plain.tags]
    assert seen.text.count(hostile) >= 6
    assert seen.all("img")[0]["alt"] == hostile


def test_an_edited_or_repaired_turn_is_marked() -> None:
    talk = shown(status="repaired").transcript
    assert "repaired" in Page(page([Shown("A zebra.", talk)], "t")).text
    edited = page([Shown("A lion.", talk.edited({"caption": "A lion."}))], "t")
    assert "edited" in Page(edited).text and "A lion." in edited


def test_a_stored_conversation_without_its_picture_is_still_shown() -> None:
    stored = Transcript.from_dict(shown().transcript.as_dict())
    seen = Page(page([Shown("A zebra.", stored)], "t"))
    assert seen.all("img") == [] and "A zebra." in seen.text


def test_no_conversation_is_a_page_too() -> None:
    assert "nothing yet" in Page(page([], "nothing yet")).text


def test_ledgers_add_up() -> None:
    talks = [shown().transcript, shown().transcript, shown(status="failed").transcript]
    assert ledger_of(talks) == {"clean": 2, "repaired": 0, "re-asked": 0, "failed": 1}


def test_the_page_is_written_as_utf_8_whatever_the_file_name(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", [shown("Ein Zebra, größer als 🦓", "zoo \udcff.png")], "Straße")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Straße" in html and "größer als 🦓" in html and 'charset="utf-8"' in html


def test_statements_stand_escaped_in_another_page() -> None:
    html = turns(shown('<img src="https://evil.example">'))
    assert Page(html).all("img") == [] and "https://evil.example" in Page(html).text
    assert "caption.write" in html and html.strip() in page([shown('<img src="https://evil.example">')], "x")
