"""Where the page gets pictures: of the sessions of the browser that asks, and of nobody else's. Serves nothing else."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
from PIL import Image

from socratic.errors import SocraticError
from socratic.overlay import colours
from socratic.regions import Region
from socratic.web.guard import COOKIE, owner_of
from socratic.web.panes import regions_of, run_of
from socratic.web.sessions import Sessions

HEADERS = {"cache-control": "private, max-age=600", "cross-origin-resource-policy": "same-origin"}
EDGE = 3  # pixels of a box's frame


def picture_path(session: str, handle: str) -> str:
    """The path of a picture on the page's server."""
    return f"/pictures/{session}/{handle.replace(':', '-')}.png"


def mask_path(session: str, run: str, number: int) -> str:
    """The path of the picture that marks one region of what a step found."""
    return f"/pictures/{session}/{run}/{number}.png"


def add_routes(app: Any, sessions: Sessions) -> None:
    """Adds the two paths to a FastAPI app."""
    from fastapi import Request, Response

    def picture(session: str, name: str, request: Request) -> Response:
        return _png(lambda: _picture(sessions, request, session, name))

    def mask(session: str, run: str, name: str, request: Request) -> Response:
        return _png(lambda: _mask(sessions, request, session, run, name))

    def _png(read: Any) -> Response:
        try:
            return Response(read(), media_type="image/png", headers=HEADERS)
        except (
            SocraticError,
            ValueError,
            IndexError,
            OSError,
        ):  # the same for what is not there and for what is another's
            return Response("there is no such picture", 404, media_type="text/plain")

    for path, function in (("/pictures/{session}/{name}", picture), ("/pictures/{session}/{run}/{name}", mask)):
        function.__annotations__.update({"request": Request, "return": Response})
        app.add_api_route(path, function, methods=["GET"], include_in_schema=False)


def _picture(sessions: Sessions, request: Any, session: str, name: str) -> bytes:
    conversation = sessions.open(owner_of(request.cookies.get(COOKIE)), session)
    if not (found := re.fullmatch(r"img-([0-9a-f]{6,64})\.png", name)):
        raise ValueError(name)
    entry = conversation.album.entry(f"img:{found[1]}")
    return sessions.assistant.store.path_of(entry.sha256).read_bytes()


def _mask(sessions: Sessions, request: Any, session: str, run: str, name: str) -> bytes:
    conversation = sessions.open(owner_of(request.cookies.get(COOKIE)), session)
    looked = regions_of(run_of(conversation, run))
    if looked is None:
        raise ValueError(run)
    _, regions = looked
    number = int(name.removesuffix(".png"))
    if number < 0:
        raise ValueError(name)
    return marked(list(regions)[number], colours(list(regions))[number], (regions.height, regions.width))


def marked(region: Region, colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    """A region as a transparent PNG of that size (height, width): its mask, or its box with a frame."""
    strength = np.zeros(size, np.uint8)
    if region.mask is not None:
        strength[region.mask.pixels] = 170
    else:
        x0, y0, x1, y1 = (max(0, round(v)) for v in (region.box.x0, region.box.y0, region.box.x1, region.box.y1))
        strength[y0:y1, x0:x1] = 255
        strength[y0 + EDGE : max(y0 + EDGE, y1 - EDGE), x0 + EDGE : max(x0 + EDGE, x1 - EDGE)] = 60
    pixels = np.zeros((*size, 4), np.uint8)
    pixels[:, :, :3] = colour
    pixels[:, :, 3] = strength
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
