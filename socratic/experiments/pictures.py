"""Pictures of a run as files named after their content, so that equal ones are one file. Draws and reads nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path


def kept(content: bytes, folder: Path) -> Path:
    """The file with this content; it is whole or not there at all, also where a run is killed.

    Args:
        content: of a PNG or JPEG file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    suffix = "jpg" if content[:2] == b"\xff\xd8" else "png"
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
    if not path.exists():
        draft = path.with_suffix(".part")
        draft.write_bytes(content)
        draft.replace(path)
    return path.resolve()
