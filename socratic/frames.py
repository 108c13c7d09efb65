"""Frames of a film, or of a folder of pictures, each with its time. Knows no model, plays nothing, hears nothing.

    clip = load_clip("film.mp4")                 # reads the header
    clip.seconds, clip.spread(5)                 # how long; the middles of five equal parts
    [f.picture for f in clip.at([1.0, 7.5])]     # only these frames become pictures

A film is read with PyAV (`pip install 'socratic[video]'`); a folder of pictures needs nothing. Its pictures follow
each other by the numbers in their names, one per second, or as often as `rate` says; names that all end in seconds
(`frame-12.5s.png`) tell the times themselves.
"""

from __future__ import annotations

import os
import re
import statistics
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from PIL import Image

from socratic import images
from socratic.errors import BadInput, ModelUnavailable
from socratic.values import Picture

# What a film may come in. Playlists (HLS, concat) are left out: they make a reader open other files and addresses.
SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".ogv", ".wmv", ".gif")
FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,ogg,gif,asf,mxf,ivf,m4v"
_HINT = "convert it, e.g. ffmpeg -i FILE -c:v libx264 film.mp4"
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s$")
_NEAR = 2.0  # seconds that are rather decoded through than jumped over


@dataclass(frozen=True)
class Frame:
    """One frame, and the second at which it comes on screen."""

    picture: Picture
    time: float


class _Reel(Protocol):
    """Where frames come from."""

    def read(self, times: Sequence[float]) -> list[Frame]: ...


@dataclass(frozen=True)
class Clip:
    """A film or a folder of pictures. Made by `load_clip`.

    Attributes:
        source: its path.
        seconds: how long it lasts.
        rate: frames per second, on average.
    """

    source: str
    seconds: float
    rate: float
    _reel: _Reel = field(repr=False, compare=False)
    _shown: set[float] = field(default_factory=set, init=False, repr=False, compare=False)

    argument: ClassVar[type] = str
    pictures: ClassVar[tuple[Picture, ...]] = ()

    @classmethod
    def from_source(cls, source: Any) -> Clip:
        """A clip from what a recipe is given: a clip, a path, or what `as_source` tells."""
        if isinstance(source, Clip):
            return source
        if isinstance(source, Mapping):
            return load_clip(str(source["source"]), rate=float(source["rate"]))
        return load_clip(source)

    def as_source(self) -> dict[str, Any]:
        """What makes this clip again, as plain data."""
        return {"source": self.source, "rate": self.rate}

    @property
    def frames_read(self) -> int:
        """How many different frames have become pictures so far."""
        return len(self._shown)

    def at(self, times: Sequence[float]) -> list[Frame]:
        """The frames on screen at these seconds, in the order asked for. Two times may have the same frame.

        Raises:
            BadInput: a time outside the clip, or frames that cannot be decoded.
        """
        for time in times:
            if not 0 <= time <= self.seconds:
                raise BadInput(f"{self.source} has no frame at {time:g} s", hint=f"it lasts {self.seconds:.2f} s")
        found = self._reel.read(times)
        self._shown.update(frame.time for frame in found)
        return found

    def spread(self, count: int, start: float = 0.0, end: float | None = None) -> list[float]:
        """The middles of `count` equal parts of the clip, or of a stretch of it."""
        stop = self.seconds if end is None else min(end, self.seconds)
        step = max(0.0, stop - start) / max(1, count)
        return [round(start + (i + 0.5) * step, 3) for i in range(count)]

    def __str__(self) -> str:
        return self.source


def load_clip(source: str | os.PathLike[str], *, rate: float = 1.0) -> Clip:
    """Opens a film, or a folder of pictures.

    Args:
        rate: how many pictures of a folder make a second; a film knows it itself.

    Raises:
        BadInput: it is missing, holds no frame, or is no film.
        ModelUnavailable: a film, and PyAV is not installed.
    """
    path = os.fsdecode(source)
    if os.path.isdir(path):
        return _folder(path, rate)
    if not os.path.isfile(path):
        raise BadInput(f"wanted a film or a folder of pictures, and {path!r} is neither", hint="check the path")
    film = _Film(path)
    return Clip(path, *film.header(), film)


def expand(sources: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Lists films: a folder that holds films becomes them, sorted; a folder of pictures is a film itself."""
    found: list[str] = []
    for source in map(os.fsdecode, sources):
        inside = sorted(os.listdir(source)) if os.path.isdir(source) else []
        films = [name for name in inside if name.lower().endswith(SUFFIXES[:-1]) and not name.startswith(".")]
        found += [os.path.join(source, name) for name in films] or [source]
    return found


def clock(seconds: float) -> str:
    """`1:05`, with hundredths only where there are some: `0:02.50`."""
    hundredths = round(seconds * 100)
    whole, rest = divmod(hundredths, 100)
    told = f"{whole // 60}:{whole % 60:02d}"
    return told + (f".{rest:02d}" if rest else "")


class _Folder:
    """Pictures that follow each other."""

    def __init__(self, files: Sequence[str], times: Sequence[float]) -> None:
        self.files, self.times = files, times

    def read(self, times: Sequence[float]) -> list[Frame]:
        wanted = [max(0, bisect_right(self.times, time + 1e-6) - 1) for time in times]
        known = {i: Frame(images.load(self.files[i]), self.times[i]) for i in set(wanted)}
        return [known[i] for i in wanted]


def _folder(path: str, rate: float) -> Clip:
    if rate <= 0:
        raise BadInput(f"a rate is a positive number of pictures per second, not {rate:g}")
    files = sorted(images.expand([path]), key=_by_number)
    told = [_SECONDS.search(Path(f).stem) for f in files]
    if all(told):
        pairs = sorted((float(m[1]), f) for m, f in zip(told, files, strict=True) if m)
        times, files = [t for t, _ in pairs], [f for _, f in pairs]
        steps = [b - a for a, b in zip(times, times[1:], strict=False)]
        if min(steps, default=1.0) <= 0:
            raise BadInput(f"two pictures in {path!r} have the same time in their names", hint="e.g. frame-12.5s.png")
        step = statistics.median(steps) if steps else 1.0
        return Clip(path, times[-1] + step, 1 / step, _Folder(files, times))
    times = [round(i / rate, 6) for i in range(len(files))]
    return Clip(path, len(files) / rate, rate, _Folder(files, times))


def _by_number(name: str) -> list[tuple[bool, int, str]]:
    """`frame-2` comes before `frame-10`."""
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]


@dataclass(frozen=True)
class _Film:
    """A video file. It is opened for each reading, so that it can be read from many threads."""

    path: str

    def header(self) -> tuple[float, float]:
        """How long it lasts, and its frames per second."""
        with self._opened() as (container, stream):
            rate = float(stream.average_rate or 0) or 25.0
            return max(self._length(container, stream), 1 / rate), rate

    def _length(self, container: Any, stream: Any) -> float:
        if stream.duration:
            return float(stream.duration * stream.time_base)
        if container.duration:
            return float(container.duration) / 1_000_000
        ends = [(p.pts + (p.duration or 0)) for p in container.demux(stream) if p.pts is not None]
        begin = stream.start_time or 0
        return float((max(ends) - begin) * stream.time_base) if ends else 0.0

    def read(self, times: Sequence[float]) -> list[Frame]:
        wanted = sorted(set(times))
        with self._opened() as (container, stream):
            found = dict(zip(wanted, _at(container, stream, wanted, self.path), strict=True))
            made: dict[float, Frame] = {}
            for frame, begin in found.values():
                if begin not in made:
                    named = f"{self.path}#t={begin:g}"
                    made[begin] = Frame(Picture.of(_upright(frame, stream), named), begin)
        return [made[found[time][1]] for time in times]

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Any]]:
        try:
            import av
        except ImportError as error:
            raise ModelUnavailable(
                f"the package av is missing, and {self.path!r} is a film",
                hint="pip install 'socratic[video]', or give a folder of pictures",
            ) from error
        try:  # `file:` and the lists keep a name or a file from leading anywhere else
            options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
            with av.open(f"file:{self.path}", options=options) as container:
                if not container.streams.video:
                    raise BadInput(f"{self.path!r} holds no pictures, only {_kinds(container)}", hint=_HINT)
                stream = container.streams.video[0]
                if stream.width * stream.height > images.MAX_PIXELS:
                    size = f"{stream.width} x {stream.height}"
                    raise BadInput(f"{self.path!r} has {size} pixels, more than {images.MAX_PIXELS:,}", hint=_HINT)
                yield container, stream
        except (av.error.FFmpegError, ValueError, EOFError) as error:
            raise BadInput(f"{self.path!r} cannot be read as a film: {error}", hint=_HINT) from error


def _kinds(container: Any) -> str:
    return ", ".join(sorted({s.type for s in container.streams})) or "nothing"


def _at(container: Any, stream: Any, wanted: Sequence[float], path: str) -> list[tuple[Any, float]]:
    """The frame on screen at each of the rising times, with the second at which it came up."""
    origin = float((stream.start_time or 0) * stream.time_base)
    found: list[tuple[Any, float]] = []
    decoder: Iterator[tuple[Any, float]] = iter(())
    shown: tuple[Any, float] | None = None
    coming: tuple[Any, float] | None = None
    for time in wanted:
        if shown is None or time > max(shown[1], coming[1] if coming else 0.0) + _NEAR:
            decoder, shown, coming = _jumped(container, stream, time, origin)
        while coming is None or coming[1] <= time + 1e-6:
            shown = coming or shown
            coming = next(decoder, None)
            if coming is None:
                break
        if shown is None and coming is None:
            raise BadInput(f"{path!r} holds no frame that can be decoded", hint=_HINT)
        shown = shown or coming
        assert shown is not None
        found.append(shown)
    return found


def _jumped(container: Any, stream: Any, time: float, origin: float) -> tuple[Iterator[tuple[Any, float]], Any, Any]:
    """A decoder whose first frame is not later than the time, where the film allows it."""
    for back in (0.0, 5.0, time + origin + 10.0):  # some containers land too late, at the start even beyond it
        container.seek(int((time - back + origin) / stream.time_base), stream=stream)
        decoder = _timed(container.decode(stream), origin)
        first = next(decoder, None)
        if first is not None and first[1] <= time + 1e-6:
            break
    return decoder, first, first


def _timed(frames: Iterator[Any], origin: float) -> Iterator[tuple[Any, float]]:
    for frame in frames:
        if frame.time is not None:
            yield frame, max(0.0, round(frame.time - origin, 3))


def _upright(frame: Any, stream: Any) -> Image.Image:
    """The frame as it is meant to be seen: square pixels, turned as the camera was."""
    image: Image.Image = frame.to_image()
    aspect = float(stream.sample_aspect_ratio or 1)
    if aspect > 0 and abs(aspect - 1) > 0.01:
        image = image.resize((max(1, round(image.width * aspect)), image.height))
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image
