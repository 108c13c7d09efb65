"""Turns what a user has (a path, bytes, a data URL, a PIL image) into an upright RGB `Picture`, or says why not.

It never goes to the network, never returns half a picture, decodes one frame only and does not resize.
"""

from __future__ import annotations

import base64
import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress

import numpy as np
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from socratic.errors import BadInput
from socratic.values import Picture

MAX_PIXELS = 120_000_000
MAX_BYTES = 200_000_000
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")

# Without ICO, because PIL decodes icons before it tells their size. JPEG includes MPO.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_WANTED = "wanted a PNG, JPEG, WebP, GIF, BMP, TIFF or PPM picture"
_MEND = "download or export it again"
_SMALLER = "save it smaller, or cut it into tiles"
_CONVERT = "convert it to PNG or JPEG"
_LOOKS_LIKE = (
    (rb"version https://git-lfs", "a git-LFS pointer", "run `git lfs pull`"),
    (rb"(?i)\s*<(!doctype html|html)", "an HTML page", "download the picture itself, not the page around it"),
    (rb"(?is)\s*<(?=.{0,500}svg)", "an SVG drawing", _CONVERT),
    (rb"(?s).{4}ftyp", "a HEIC or AVIF picture or a film", _CONVERT),
    (rb"8BPS|%PDF|%!PS", "a Photoshop, PDF or PostScript file", _CONVERT),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF|II\*\0|MM\0\*|P[1-7]\s", "one with a broken header", _MEND),
    (rb"[\s!-~]+$", "text", "check that the path is the right one"),
)
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}

_pil_lock = threading.Lock()
_quiet_lock = threading.Lock()
_quiet_filters = ExitStack()
_quiet_users = 0


def load(
    source: str | os.PathLike[str] | bytes | Image.Image | Picture,
    *,
    background: tuple[int, int, int] = (255, 255, 255),
) -> Picture:
    """Loads one picture from a path, bytes, a base64 `data:image/...` URL or a PIL image; a Picture stays itself.

    - The content decides the format, not the suffix. Of an animation the first frame is taken (of a PIL image the
      current one); `Picture.frames` says how many there are, counted up to about ten thousand.
    - The EXIF orientation is applied; broken EXIF is ignored.
    - Transparency is composited onto `background`, so colours hidden under it never show.
    - Colours become sRGB, through the embedded ICC profile where it is valid and fits the colour mode.
    - 16-bit grey is divided by 257, and so is 32-bit grey whose values all lie in 0..65535; other 32-bit grey is
      stretched so that its least value becomes 0 and its greatest 255. Float grey within [0, 1] is multiplied by
      255, other float grey stretched. Where there is no contrast to stretch, and at NaN or infinity, it is 0.

    Raises BadInput, before decoding, above `MAX_PIXELS` or `MAX_BYTES` and for anything that is not a regular
    file; also for URLs (nothing is downloaded) and for damaged, cut-off or entirely non-finite pictures.
    """
    if isinstance(source, Picture):
        return source
    if len(background) != 3 or not all(isinstance(c, int) and 0 <= c <= 255 for c in background):
        raise BadInput(f"wanted a background of three integers from 0 to 255, got {background!r}")
    if isinstance(source, Image.Image):
        name, data = os.fsdecode(getattr(source, "filename", "")) or "memory", b""
    else:
        name, data = _content(source)
    file = _Metered(data)
    with _blaming(name, data):
        opened = source if isinstance(source, Image.Image) else Image.open(file, formats=_FORMATS)
        _check_size(*opened.size, name)
        with _pil_lock if opened is source else nullcontext():  # threads must not read the file of one image at once
            image = opened.copy()
            file.left = 400_000  # to count frames: enough for 10,000, and over within about two seconds
            frames = _frames(opened)
        return Picture.of(_flat(_upright(image), background), name, frames)


def expand(sources: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Lists pictures: a folder becomes the files in it with a picture's suffix, sorted and without hidden ones.

    Everything else stays as it is, even what is missing: that shows at `load`.
    """
    if isinstance(sources, str | bytes | os.PathLike):
        raise BadInput(f"wanted a list of paths, got the single path {sources!r}", hint="put it into [ ]")
    names = [os.fspath(source) for source in sources]
    return [found for name in names for found in (_pictures_in(name) if os.path.isdir(name) else [name])]


def _pictures_in(folder: str) -> list[str]:
    try:
        files = sorted(entry.name for entry in os.scandir(folder) if not entry.is_dir())
    except OSError as fault:
        raise _unreadable(folder, fault) from fault
    found = [name for name in files if name.lower().endswith(SUFFIXES) and not name.startswith(".")]
    if not found:
        hint = f"their names end in {' '.join(SUFFIXES)}; folders inside are not searched"
        raise BadInput(f"wanted pictures in the folder {folder!r}, found none among its {len(files)} files", hint=hint)
    return [os.path.join(folder, name) for name in found]


def _content(source: object) -> tuple[str, bytes]:
    """The name of the source, for errors and transcripts, and its bytes, of which there is at least one."""
    if isinstance(source, bytes):
        name, data = "bytes", source
    elif isinstance(source, str) and source[:5].lower() == "data:":
        name, data = "data URL", _from_data_url(source)
    elif isinstance(source, str) and (url := re.match(r"(?i)[a-z][\w+.-]*(?=://)|file(?=:)", source)):
        raise BadInput(f"wanted a picture file, got a {url[0]} URL", hint="download it and pass its path or bytes")
    elif isinstance(source, str | os.PathLike):
        name = os.fsdecode(source)
        data = _read(name)
    else:
        message = f"wanted a path, bytes, a data URL or a PIL image, got {type(source).__name__}"
        raise BadInput(message, hint="make an array a PIL image with PIL.Image.fromarray")
    if not data:
        raise BadInput(f"{_WANTED}, but {name!r} is empty (0 bytes)", hint=_MEND)
    _check_bytes(len(data), name)
    return name, data


def _read(path: str) -> bytes:
    try:
        # Looked at before it is opened: opening a FIFO would block, opening a device may act on it.
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
            hint = "pass bytes, or name a file; socratic.images.expand lists the pictures in a folder"
            raise BadInput(f"wanted a picture file, but {path!r} is {kind}", hint=hint)
        _check_bytes(status.st_size, path)
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as fault:
        raise _unreadable(path, fault) from fault


def _unreadable(path: str, fault: OSError | ValueError) -> BadInput:
    reason = fault.strerror if isinstance(fault, OSError) else fault
    if isinstance(fault, FileNotFoundError) and os.path.islink(path):
        reason = f"it is a link to {os.readlink(path)!r}, which does not exist"
    hint = "`chmod +r` gives permission" if isinstance(fault, PermissionError) else "check the path"
    return BadInput(f"wanted a picture, but cannot read {path!r}: {reason}", hint=hint)


def _from_data_url(url: str) -> bytes:
    head = re.match(r"(?i)data:image/[^;,]+(;[^;,]+)*;base64,", url[:200])
    if not head:
        raise BadInput(f"wanted `data:image/png;base64,...`, got {url[:40]!r}", hint="encode the file with base64")
    _check_bytes(len(url) * 3 // 4 - 200, "data URL")
    try:
        return base64.b64decode("".join(url[head.end() :].split()), validate=True)
    except ValueError as fault:
        raise BadInput(f"the data URL is not valid base64: {fault}", hint="check that it was copied whole") from fault


def _check_bytes(count: int, name: str) -> None:
    if count > MAX_BYTES:
        raise BadInput(f"wanted at most {MAX_BYTES:,} bytes, but {name!r} has {count:,}", hint=_SMALLER)


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise BadInput(f"wanted at most {MAX_PIXELS:,} pixels, but {name!r} has {width} x {height}", hint=_SMALLER)
    if width * height < 1:
        raise BadInput(f"wanted a picture, but {name!r} has no pixels ({width} x {height})")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences PIL's warnings, and no others, while any thread is inside."""
    global _quiet_users
    with _quiet_lock:
        _quiet_users += 1
        if _quiet_users == 1:  # once for all threads: they would restore each other's filters in the wrong order
            _quiet_filters.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_users -= 1
            if not _quiet_users:
                _quiet_filters.close()


@contextmanager
def _blaming(name: str, data: bytes = b"") -> Iterator[None]:
    """Makes whatever PIL's decoders raise a BadInput: on damaged data that can be any exception."""
    try:
        with _quiet():
            yield
    except BadInput:
        raise
    except Image.DecompressionBombError as fault:
        raise BadInput(f"wanted at most {MAX_PIXELS:,} pixels in {name!r}: {fault}", hint=_SMALLER) from fault
    except UnidentifiedImageError as fault:
        looks = ((what, hint) for pattern, what, hint in _LOOKS_LIKE if re.match(pattern, data[:1024]))
        what, hint = next(looks, (f"something else, {data[:8]!r}", _CONVERT))
        raise BadInput(f"{_WANTED}, but {name!r} looks like {what}", hint=hint) from fault
    except Exception as fault:
        message = f"wanted a whole picture, but {name!r} is damaged or cut off: {fault or type(fault).__name__}"
        raise BadInput(message, hint=_MEND) from fault


class _Metered(io.BytesIO):
    """Bytes that seem to end, once, `left` reads after that was set."""

    left = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if not self.left:
            raise EOFError
        return super().read(size)


def _frames(image: Image.Image) -> int:
    """Counts frames by their headers, at a bounded cost where the file is ours."""
    with suppress(Exception):  # later frames may be broken in many ways; the first one is whole all the same
        return int(getattr(image, "n_frames", 1))
    return max(1, image.tell())


def _upright(image: Image.Image) -> Image.Image:
    orientation = 1
    with suppress(Exception):  # malformed EXIF says nothing about the pixels
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    turn = Image.Transpose
    turns = [turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM]
    turns += [turn.TRANSPOSE, turn.ROTATE_270, turn.TRANSVERSE, turn.ROTATE_90]
    return image.transpose(turns[orientation - 2]) if orientation in range(2, 9) else image


def _flat(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """An opaque sRGB image without metadata: a profile or colour key would leak into what is saved from it."""
    profile = image.info.get("icc_profile")
    image, alpha = _eight_bit(image), None
    if image.has_transparency_data:
        colours = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
        image = image.convert(colours + "A")
        image, alpha = image.convert(colours), image.getchannel("A")
    canvas = Image.new("RGB", image.size, background)
    canvas.paste(_srgb(image, profile), (0, 0), alpha)
    return canvas


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    if image.mode == "LAB":
        image = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), srgb, outputMode="RGB") or image
    elif profile:
        image = image.convert("RGB") if image.mode == "P" else image
        with suppress(Exception):  # lcms fails in many ways; without a usable profile the colours are taken as sRGB
            own = ImageCms.getOpenProfile(io.BytesIO(profile))
            # From sRGB to sRGB costs time and shifts some pixels by one.
            if "srgb" not in ImageCms.getProfileDescription(own).lower():
                image = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB") or image
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits as L, or as LA if one of its values stands for transparency; other modes as they are."""
    if image.mode[0] not in "IF":
        return image
    grey = np.asarray(image)
    finite = grey[np.isfinite(grey)]
    if not finite.size:
        raise BadInput("wanted a picture, but all its pixels are NaN or infinite", hint=_MEND)
    low, high, usual = float(finite.min()), float(finite.max()), 1.0 if image.mode == "F" else 65535.0
    low, high = (0.0, usual) if low >= 0 and high <= usual else (low, high)
    result = np.empty(grey.shape, np.uint8)
    for top in range(0, len(grey), 256):  # in strips: a whole large picture in float64 would be huge
        strip = grey[top : top + 256].astype(np.float64)
        result[top : top + 256] = np.rint((np.where(np.isfinite(strip), strip, low) - low) / (high - low or 1) * 255)
    shown = Image.fromarray(result)
    if isinstance(hidden := image.info.get("transparency"), int):
        shown.putalpha(Image.fromarray(np.where(grey == hidden, 0, 255).astype(np.uint8)))
    return shown
