"""Drawing by an OpenAI-compatible images API: from words, or from words and a picture, with or without a mask.

The server draws differently each time: `Draw.seed` is not sent, it only tells drawings apart in the cache, and
`strength` means nothing to it. A negative prompt, steps or guidance are a `BadInput`, since it would not hear them.
Prompts are neither counted nor cut here. Pictures come inside the reply; addresses of pictures are never opened.
"""

from __future__ import annotations

import base64
import binascii
import io
import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from socratic import images
from socratic.errors import BadInput, SocraticError, ToolError
from socratic.tasks import Draw
from socratic.tool import Tool, operation
from socratic.tools import _openai_wire as wire
from socratic.tools._openai_server import Server, connect
from socratic.values import Drawing, Picture, TokenCount

if TYPE_CHECKING:
    import openai

_MAY_BE_LEFT_OUT = ("response_format", "n")
Size = tuple[int, int]


class OpenAIImages(Tool):
    """A `Generator` that asks a model over HTTP. Made by `load`."""

    def __init__(self, server: Server, sizes: Sequence[Size], *, nearest: bool, quality: str, longest: int) -> None:
        super().__init__()
        told = " ".join(f"{w}x{h}" for w, h in sizes)
        self.fingerprint = f"openai_images:{server.where} {server.model} {told} {nearest} {quality} {longest}px"
        self._server = server
        self._sizes = sizes
        self._nearest = nearest
        self._quality = quality
        self._longest = longest
        self._left_out: set[str] = set()

    def count_tokens(self, prompt: str, /) -> tuple[TokenCount, ...]:
        """Nothing: the server does not tell how it reads prompts."""
        return ()

    @operation(batch=8)
    def draw(self, items: Sequence[Draw]) -> list[Drawing | SocraticError]:
        """One picture per request; all are asked for at the same time.

        `Drawing.revised` is the prompt as the server rewrote it, where it says so. With `init` the picture is
        edited; with `mask` only where the mask is set. The size is one of the server's own.
        """
        return self._server.each(items, self._drawn)

    def _drawn(self, item: Draw, clock: wire.Clock) -> Drawing:
        _check(item)
        body: dict[str, Any] = {
            "model": self._server.model,
            "prompt": item.prompt,
            "size": "{}x{}".format(*self._size(item)),
            "n": 1,
            "response_format": "b64_json",
            **({"quality": self._quality} if self._quality else {}),
            **_files(item, self._longest),
        }
        picture, revised = self._server.whole(
            _generating if item.init is None else _editing,
            {name: value for name, value in body.items() if name not in self._left_out},
            clock,
            _read,
            give_in=self._give_in,
        )
        return Drawing(picture, item.prompt, item.seed, revised)

    def _size(self, item: Draw) -> Size:
        """The size to ask for: the one wanted, the first of the server's, or the nearest where that was allowed."""
        wanted = (item.width, item.height)
        if wanted == (0, 0):
            if item.init is None:
                return self._sizes[0]
            return _nearest(self._sizes, (item.init.width, item.init.height))
        near = _nearest(self._sizes, (item.width or item.height, item.height or item.width))
        if near != wanted and not self._nearest:
            known = ", ".join(f"{w} x {h}" for w, h in self._sizes)
            raise BadInput(
                f"{wanted[0]} x {wanted[1]} pixels, and the server draws {known}",
                hint=f"ask for {near[0]} x {near[1]}, or load it with nearest = true",
            )
        return near

    def _give_in(self, body: dict[str, Any], error: openai.BadRequestError) -> bool:
        """Leaves out, from now on, a setting that the model does not take, as newer ones refuse `response_format`."""
        name = error.param or ""
        if name not in body or name not in _MAY_BE_LEFT_OUT:
            return False
        del body[name]
        self._left_out.add(name)
        logging.getLogger(__name__).warning("%s does not take %s: left out", self._server.model, name)
        return True


def _generating(client: openai.OpenAI) -> Any:
    return client.images.with_streaming_response.generate


def _editing(client: openai.OpenAI) -> Any:
    return client.images.with_streaming_response.edit


def _check(item: Draw) -> None:
    if not item.prompt.strip():
        raise BadInput("the prompt is empty", hint="say what to draw")
    unheard = {"a negative prompt": item.negative, "steps": item.steps, "guidance": item.guidance is not None}
    if names := [name for name, given in unheard.items() if given]:
        raise BadInput(
            f"the images API does not take {' or '.join(names)}", hint="leave it out, or draw with a local model"
        )
    if item.mask is not None and item.init is None:
        raise BadInput("a mask without a picture", hint="give init, the picture whose part is repainted")
    if item.mask and item.init and (item.mask.width, item.mask.height) != (item.init.width, item.init.height):
        raise BadInput(
            f"a mask of {item.mask.width} x {item.mask.height} for a picture of {item.init.width} x {item.init.height}",
            hint="a mask has the size of its picture",
        )


def _nearest(sizes: Sequence[Size], wanted: Size) -> Size:
    """The size of the nearest proportions, and of these the one with the nearest number of pixels."""

    def far(size: Size) -> tuple[float, float]:
        proportions = abs(math.log(size[0] / size[1]) - math.log(wanted[0] / wanted[1]))
        return round(proportions, 6), abs(math.log(size[0] * size[1] / (wanted[0] * wanted[1])))

    if min(wanted) < 1:
        raise BadInput(f"a drawing of {wanted[0]} x {wanted[1]} pixels")
    return min(sizes, key=far)


def _files(item: Draw, longest: int) -> dict[str, Any]:
    """The picture and the mask as PNG files; the API edits where the mask is transparent."""
    from PIL import Image

    if item.init is None:
        return {}
    raw = item.init.png(longest)
    files = {"image": ("image.png", raw, "image/png")}
    if item.mask is not None:
        with Image.open(io.BytesIO(raw)) as sent:
            size = sent.size
        kept = Image.fromarray(~item.mask.pixels).convert("L").resize(size, Image.Resampling.NEAREST)
        image = Image.new("RGBA", size)
        image.putalpha(kept)
        out = io.BytesIO()
        image.save(out, "PNG")
        files["mask"] = ("mask.png", out.getvalue(), "image/png")
    return files


def _read(whole: Any) -> tuple[Picture, str]:
    """The picture of a reply, and the rewritten prompt."""
    first = whole["data"][0]
    coded = first.get("b64_json")
    if not coded:
        raise ToolError(
            "the server sent no picture in its reply" + (", only an address" if first.get("url") else ""),
            hint="choose a server that sends b64_json: addresses are never opened",
        )
    try:
        picture = images.load(base64.b64decode(coded, validate=True))
    except (binascii.Error, BadInput) as error:
        raise ToolError(f"the server sent a picture that cannot be read: {error}", hint="try again later") from error
    return picture, str(first.get("revised_prompt") or "")


def load(
    model: str,
    *,
    base_url: str | None = None,
    api_key_env: str = "OPENAI_API_KEY",
    sizes: Sequence[str] = ("1024x1024", "1536x1024", "1024x1536"),
    nearest: bool = False,
    quality: str = "",
    longest: int = 1536,
    timeout: float = 180,
    deadline: float = 300,
    retries: int = 2,
) -> OpenAIImages:
    """Prepares a model behind an images API; asks it nothing yet.

    Args:
        base_url: a server other than OpenAI, e.g. `http://127.0.0.1:8000/v1`; `$OPENAI_BASE_URL` counts as well.
        sizes: what the server draws, as width x height; the first is for requests that name none. An edited
            picture gets the one of the nearest proportions.
        nearest: whether another size is drawn in the nearest of these; else it is a `BadInput`.
        quality: the server's own word for it; its default when empty.
        longest: pixels on the longer side of a picture that is sent; larger ones are shrunk.
        timeout: seconds of silence after which a try is given up.
        deadline: seconds that a request may take in all, with every retry and wait.

    Raises:
        ModelUnavailable: the package openai or the key is missing.
        BadInput: a size that is none.
    """
    server = connect(
        model, base_url=base_url, api_key_env=api_key_env, timeout=timeout, deadline=deadline, retries=retries
    )
    server = replace(server, awaited="a picture", elsewhere="choose a server with an images API")
    return OpenAIImages(server, [_as_size(size) for size in sizes], nearest=nearest, quality=quality, longest=longest)


def _as_size(text: str) -> Size:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise BadInput(f"{text!r} is no size", hint='write it as "1024x1024"')
    return int(width), int(height)
