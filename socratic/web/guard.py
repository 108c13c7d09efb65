"""Keeps the browsers of the page apart: a token per browser, uploads that only their browser sees, nothing from outside.

The token is a cookie that no script can read, so that it comes with every request, also with those for pictures. A
session keeps its hash. Knows no page and no assistant; `web.py` puts it around both.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from socratic.errors import BadInput

COOKIE = "socratic_owner"
YEAR = 365 * 24 * 3600
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; worker-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""The browser itself refuses whatever would come from, or go to, another place. The page's own code is built by eval."""

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def owner_of(token: str | None) -> str:
    """Who a browser is: the hash of its token, which is what sessions keep.

    Raises:
        BadInput: there is no token.
    """
    if not token or len(token) < 32:
        raise BadInput("this browser sent no cookie, so it can have no sessions", hint="allow cookies for this page and reload it")  # fmt: skip
    return hashlib.sha256(token.encode()).hexdigest()


class Uploads:
    """Which browser uploaded which file: only that one may see it, or hand it to the assistant."""

    def __init__(self) -> None:
        self._owners: dict[str, set[str]] = {}

    def add(self, path: str, owner: str) -> None:
        self._owners.setdefault(path, set()).add(owner)

    def has(self, path: str, owner: str) -> bool:
        return owner in self._owners.get(path, ())

    def done(self, paths: Iterable[str]) -> None:
        """Lets go of files that the assistant has taken in."""
        for path in paths:
            self._owners.pop(path, None)
            Path(path).unlink(missing_ok=True)


class Guard:
    """Stands in front of the page."""

    def __init__(self, app: App, uploads: Uploads, hosts: Collection[str] | None = None) -> None:
        """Sets it up.

        Args:
            hosts: the names under which the page may be asked for; any when None. A page of another name that leads
                to this machine (DNS rebinding) is refused so.
        """
        self._app, self._uploads, self._hosts = app, uploads, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        token = _token(headers.get("cookie", ""))
        if told := self._refusal(scope["path"], headers, token):
            return await _refuse(send, *told)
        fresh = "" if token or scope["path"] != "/" else secrets.token_urlsafe(32)
        uploading = scope["method"] == "POST" and scope["path"].endswith("/upload")
        return await self._app(scope, receive, self._watched(send, fresh, token if uploading else ""))

    def _refusal(self, path: str, headers: dict[str, str], token: str) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return 421, f"this page is not at {host[:80]!r}; open it under the address that `socratic web` printed"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "another page may not use this one"
        if "/proxy=" in path:
            return 404, "there is no such page"
        if "/file=" in path:
            file = path.split("/file=", 1)[1]
            if not token or not self._uploads.has(file, owner_of(token)):
                return 404, "there is no such file"
        return None

    def _watched(self, send: Send, fresh: str, uploader: str) -> Send:
        body = bytearray()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_headers(fresh)]
            elif uploader and message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self._note(bytes(body), uploader)
            await send(message)

        return watched

    def _note(self, body: bytes, token: str) -> None:
        try:
            paths = json.loads(body)
        except ValueError:  # a refusal in words
            return
        for path in paths if isinstance(paths, list) else []:
            self._uploads.add(str(path), owner_of(token))


def _headers(fresh: str) -> list[tuple[bytes, bytes]]:
    told = {
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    if fresh:  # Lax: a link to the page from elsewhere finds its sessions; requests that other pages send do not
        told["set-cookie"] = f"{COOKIE}={fresh}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax"
    return [(name.encode(), value.encode()) for name, value in told.items()]


def _token(cookies: str) -> str:
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None and len(found.value) >= 32 else ""


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    return host.rsplit("]", 1)[0].lstrip("[") if host.startswith("[") else host.rsplit(":", 1)[0]


async def _refuse(send: Send, status: int, told: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_headers("")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": told.encode()})
