"""Frames of films and folders: the right ones at the right times, and no others; errors that say what to do."""

from __future__ import annotations

import builtins
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from doubles_video import number_of, shade, write_film, write_folder

from socratic.errors import BadInput, ModelUnavailable
from socratic.frames import Clip, clock, expand, load_clip

SHADES = [shade(i) for i in range(40)]
ASKED = [0, 0.3, 5.01, 9.9, 2.5, 10.0]


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4"), ("mkv", "libx264"), ("ts", "libx264")])  # fmt: skip
def test_a_film_gives_the_frame_that_is_on_screen(tmp_path: Path, suffix: str, codec: str) -> None:
    clip = load_clip(write_film(tmp_path / f"film.{suffix}", SHADES, codec=codec))
    assert clip.seconds == pytest.approx(10) and clip.rate == pytest.approx(4) and clip.frames_read == 0
    found = clip.at(ASKED)
    assert [f.time for f in found] == [0, 0.25, 5, 9.75, 2.5, 9.75]
    assert [abs(number_of(f.picture) - n) <= 1 for f, n in zip(found, [0, 1, 20, 39, 10, 39], strict=True)] == [
        True
    ] * 6
    assert clip.frames_read == 5, "two times showed one frame"
    assert found[2].picture.source == f"{tmp_path}/film.{suffix}#t=5"


def test_an_animation_is_a_film(tmp_path: Path) -> None:
    SHADES[0].save(tmp_path / "film.gif", save_all=True, append_images=SHADES[1:], duration=250)
    assert [f.time for f in load_clip(tmp_path / "film.gif").at([3.1, 9])] == [3, 9]


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    clip = load_clip(write_folder(tmp_path / "frames", SHADES[:12]), rate=2)
    assert (clip.seconds, clip.rate) == (6, 2)
    found = clip.at([0, 1.2, 5.9])
    assert [(number_of(f.picture), f.time) for f in found] == [(0, 0), (2, 1), (11, 5.5)] and clip.frames_read == 3
    assert found[2].picture.source.endswith("frame-11.png")


def test_names_that_end_in_seconds_tell_the_times(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "frames", SHADES[:3], ["a-0s.png", "b-12.5s.png", "a-2.5s.png"])
    clip = load_clip(folder)
    assert [f.time for f in clip.at([2, 3, 18])] == [0, 2.5, 12.5]
    assert [number_of(f.picture) for f in clip.at([0, 3, 18])] == [0, 2, 1]
    SHADES[3].save(folder / "c-2.50s.png")
    with pytest.raises(BadInput, match="same time"):
        load_clip(folder)


def test_times_are_spread_over_the_middles_of_equal_parts() -> None:
    clip = Clip("x", 10, 4, None)  # type: ignore[arg-type]
    assert clip.spread(5) == [1, 3, 5, 7, 9] and clip.spread(2, 4, 8) == [5, 7] and clip.spread(2, 8, 99) == [8.5, 9.5]
    assert clip.spread(0) == []


def test_a_clip_is_opened_again_from_what_it_tells(tmp_path: Path) -> None:
    clip = load_clip(write_folder(tmp_path / "frames", SHADES[:4]), rate=2)
    assert Clip.from_source(clip) is clip and Clip.from_source(clip.as_source()) == clip
    assert Clip.from_source(clip.source).rate == 1 and str(clip) == clip.source


def test_a_film_that_was_filmed_upright_stands_upright(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", SHADES[:4])
    raw, one = path.read_bytes(), (1 << 16).to_bytes(4, "big")
    none, back, unit = bytes(4), (-(1 << 16)).to_bytes(4, "big", signed=True), (1 << 30).to_bytes(4, "big")
    as_it_is = one + none + none + none + one + none + none + none + unit
    turned = none + one + none + back + none + none + none + none + unit
    at = raw.rindex(as_it_is)
    path.write_bytes(raw[:at] + turned + raw[at + 36 :])
    picture = load_clip(path).at([0])[0].picture
    assert (picture.width, picture.height) == (48, 64)


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        out.mux([*stream.encode(av.VideoFrame.from_image(SHADES[0])), *stream.encode()])
    assert load_clip(path).at([0])[0].picture.width == 128


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("film.mp4", b"", "cannot be read as a film"),
        ("film.mp4", b"no film at all, only words", "cannot be read as a film"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nsecret.ts\n", "cannot be read as a film"),
        ("list.txt", b"ffconcat version 1.0\nfile secret.mp4\n", "cannot be read as a film"),
    ],
)
def test_what_is_no_film_is_an_error_with_advice(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    write_film(tmp_path / "secret.mp4", SHADES[:4])
    with pytest.raises(BadInput, match=told) as caught:
        load_clip(tmp_path / name)
    assert "ffmpeg" in caught.value.hint


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    for missing in (tmp_path / "missing.mp4", "http://127.0.0.1/film.mp4", "concat:a|b"):
        with pytest.raises(BadInput, match="is neither"):
            load_clip(missing)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="found none"):
        load_clip(tmp_path / "empty")
    clip = load_clip(write_folder(tmp_path / "frames", SHADES[:2]))
    for time in (-1, 2.5):
        with pytest.raises(BadInput, match="has no frame at"):
            clip.at([time])
    with pytest.raises(BadInput, match="positive"):
        load_clip(tmp_path / "frames", rate=0)


def test_sound_without_pictures_is_an_error(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mp4"), "w") as out:
        stream: Any = out.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        out.mux([*stream.encode(frame), *stream.encode()])
    with pytest.raises(BadInput, match="holds no pictures, only audio"):
        load_clip(tmp_path / "film.mp4")


def test_a_film_that_was_cut_off_gives_what_is_there(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mkv", [shade(i, (320, 240)) for i in range(40)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = load_clip(path).at([0, 9.9])
    assert found[0].time == 0 and 1 < found[1].time < 9


def test_without_pyav_a_folder_still_works_and_a_film_says_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, folder = write_film(tmp_path / "film.mp4", SHADES[:4]), write_folder(tmp_path / "frames", SHADES[:4])
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "av":
            raise ImportError("no module av", name="av")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert load_clip(folder).at([1])[0].time == 1
    with pytest.raises(ModelUnavailable, match="package av is missing") as caught:
        load_clip(film)
    assert "pip install 'socratic[video]'" in caught.value.hint


def test_a_folder_of_films_holds_several_and_one_of_pictures_is_one(tmp_path: Path) -> None:
    write_folder(tmp_path / "frames", SHADES[:2])
    (tmp_path / "films").mkdir()
    for name in ("b.MP4", "a.webm", ".hidden.mp4", "notes.txt"):
        (tmp_path / "films" / name).touch()
    found = expand([tmp_path / "films", tmp_path / "frames", "missing.mp4"])
    assert [Path(f).name for f in found] == ["a.webm", "b.MP4", "frames", "missing.mp4"]


def test_times_are_told_like_a_clock() -> None:
    assert [clock(s) for s in (0, 2.5, 65, 600.25, 59.999)] == ["0:00", "0:02.50", "1:05", "10:00.25", "1:00"]
