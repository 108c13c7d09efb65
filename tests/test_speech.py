"""Transcripts of what is said: the three forms, silent gaps, lines about a question, and WebVTT written."""

from __future__ import annotations

from pathlib import Path

import pytest

from socratic.errors import BadInput
from socratic.speech import Cue, Gap, about, gaps, load_speech, webvtt

VTT = """WEBVTT - a film
Kind: captions

STYLE
::cue { color: red }

NOTE a remark
--> that is none

intro
00:01.000 --> 00:02.500 align:start
<v Ann>Look, <i>a dog</i> &amp; a cat!</v>
On two lines.

01:00:03.250 --> 01:00:04.000
Much later.

00:09.000 --> 00:08.000
Ends before it begins.
"""
SRT = "1\r\n00:00:01,000 --> 00:00:02,500\r\n{\\an8}Look, <b>a dog</b>!\r\n\r\n2\r\n00:00:04,000 --> 00:00:05,000\r\n- Yes.\r\n"


def read(tmp_path: Path, text: str, name: str = "said.vtt") -> list[tuple[str, float | None, float | None]]:
    (tmp_path / name).write_text(text, encoding="utf-8-sig", newline="")
    return [(c.text, c.start, c.end) for c in load_speech(tmp_path / name)]


def test_webvtt_is_read_without_its_dress(tmp_path: Path) -> None:
    assert read(tmp_path, VTT) == [("Look, a dog & a cat! On two lines.", 1, 2.5), ("Much later.", 3603.25, 3604)]


def test_subrip_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, SRT, "said.srt") == [("Look, a dog!", 1, 2.5), ("- Yes.", 4, 5)]


def test_plain_text_may_tell_times(tmp_path: Path) -> None:
    assert read(tmp_path, "Look, a dog.\n\nAt 5:00 we eat.", "a.txt") == [("Look, a dog.", None, None), ("At 5:00 we eat.", None, None)]  # fmt: skip
    timed = read(tmp_path, "[0:01] Look, a dog.\n0:10 - Yes.\n", "b.txt")
    assert timed == [("Look, a dog.", 1, 3.5), ("Yes.", 10, 11.5)]


@pytest.mark.parametrize("content", [b"", b"WEBVTT\n\n", b"\n \n", b"\xff\xfe\x00bad", b"1\n00:01 --> soon\n\n"])
def test_what_holds_no_words_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "said.vtt").write_bytes(content)
    with pytest.raises(BadInput) as caught:
        load_speech(tmp_path / "said.vtt")
    assert ".srt" in caught.value.hint
    with pytest.raises(BadInput, match="cannot be read"):
        load_speech(tmp_path / "missing.vtt")


def test_gaps_are_what_speech_leaves() -> None:
    said = [Cue("a", 3, 4), Cue("b", 3.5, 6), Cue("c", 6.5, 7), Cue("d", 12, 13)]
    assert gaps(said, 20) == (Gap(0, 2.75), Gap(7.25, 11.75), Gap(13.25, 20))
    assert gaps(said, 14) == (Gap(0, 2.75), Gap(7.25, 11.75)) and gaps([], 5) == (Gap(0, 5),)
    assert gaps([Cue("all", 0, 9)], 9) == () and gaps([Cue("late", 30, 40)], 9) == (Gap(0, 9),)
    with pytest.raises(BadInput, match="tells no times"):
        gaps([Cue("a")], 9)


def test_lines_about_the_question_come_in_first() -> None:
    said = [Cue("we walk and we walk"), Cue("the giraffe eats"), Cue("we walk home now")]
    assert about(said, "Where is the giraffe?", 3) == ["the giraffe eats"]
    assert about(said, "Where is the giraffe?", 8) == ["we walk and we walk", "the giraffe eats"]
    assert about(said, "", 100) == [c.text for c in said] and about([], "x", 9) == []


def test_webvtt_is_written_so_that_it_can_be_read(tmp_path: Path) -> None:
    cues = [Cue("A dog\n\n00:00.000 --> 00:09.000\nruns & <b>barks</b>", 1, 2.5), Cue("Then", 3661.5, 3662)]
    text = webvtt(cues, ["two lines\n\nof notes"])
    assert text.startswith("WEBVTT\n\nNOTE two lines of notes\n\n00:00:01.000 --> 00:00:02.500\n")
    back = read(tmp_path, text)
    assert back == [("A dog 00:00.000 -> 00:09.000 runs & <b>barks</b>", 1, 2.5), ("Then", 3661.5, 3662)]
