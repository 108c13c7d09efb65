"""A server double for tests: a real process that speaks OpenAI's APIs for text and images on a loopback port. No model
runs in it.

What it answers is scripted by the model's name up to a colon (`r429:stream` behaves as `r429`), see `SCRIPTS` in loopback_replies.py; a user
message with FAIL in it is refused by any of them. `with serving() as server:` starts it; `/counts` tells how often each
model was asked.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from loopback_replies import SCRIPTS, Asked, encoded, form, refused, sent


def make_app() -> Any:
    """The web application; imported and run only in the server's own process."""
    from fastapi import FastAPI, Request
    from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

    app = FastAPI()
    counts: Counter[str] = Counter()

    async def answered(asked: Asked) -> Response:
        if problem := refused(asked):
            return JSONResponse({"error": problem[1]}, problem[0], problem[2])
        if asked.script == "stall":
            await asyncio.sleep(60)
        while asked.script == "meet" and counts[asked.body["model"]] < 16:
            await asyncio.sleep(0.01)
        if asked.script in ("garbage", "badjson", "nochoices"):
            raw = {"garbage": "<html>Gateway</html>", "badjson": "{oops", "nochoices": '{"ok": true}'}[asked.script]
            return HTMLResponse(raw) if asked.script == "garbage" else Response(raw, media_type="application/json")
        kind = "text/event-stream" if asked.streams else "application/json"
        pieces, headers = sent(asked), {}
        if not asked.streams and asked.script in ("half", "flaky"):
            headers = {"content-length": str(sum(map(len, encoded(asked))))}
        return StreamingResponse(pieces, media_type=kind, headers=headers)

    async def ask(request: Request, api: str) -> Response:
        kind = request.headers.get("content-type", "")
        body = form(await request.body(), kind) if kind.startswith("multipart") else await request.json()
        body |= {"files": body.get("files", {})} if api == "images" else {}
        counts[body["model"]] += 1
        script, key = body["model"].partition(":")[0], request.headers.get("authorization", "")
        return await answered(Asked(api, body, script, counts[body["model"]], key))

    async def chat(request: Request) -> Response:
        return await ask(request, "chat")

    async def responses(request: Request) -> Response:
        return await ask(request, "responses")

    async def generations(request: Request) -> Response:
        return await ask(request, "images")

    async def edits(request: Request) -> Response:
        return await ask(request, "images")

    paths: dict[str, Any] = {"chat/completions": chat, "responses": responses}
    paths |= {"images/generations": generations, "images/edits": edits}
    for path, handler in paths.items():
        handler.__annotations__["request"] = Request  # FastAPI cannot look up a name that is only known in here
        app.post(f"/v1/{path}", response_model=None)(handler)
    app.get("/v1/models")(lambda: {"object": "list", "data": [{"id": name, "object": "model"} for name in SCRIPTS]})
    app.get("/counts")(lambda: counts)
    app.get("/health")(lambda: "ok")
    return app


def main() -> None:
    """Serves until the process that started it lets go of its standard input."""
    import uvicorn

    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    door = socket.create_server(("127.0.0.1", 0))
    print(door.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(make_app(), log_level="critical")).run(sockets=[door])


@dataclass
class Loopback:
    """A running server."""

    root: str

    @property
    def url(self) -> str:
        return self.root + "/v1"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.root + path, timeout=5) as answer:
            return json.load(answer)

    def asked(self, model: str) -> int:
        """How often a model was asked."""
        return int(self.get("/counts").get(model, 0))


@contextmanager
def serving() -> Iterator[Loopback]:
    """Starts the server, waits until it answers, and ends it afterwards."""
    command, pipe = [sys.executable, __file__], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        server = Loopback(f"http://127.0.0.1:{int(process.stdout.readline())}")
        try:
            for _ in range(200):
                try:
                    server.get("/health")
                    break
                except (urllib.error.URLError, ConnectionError, TimeoutError):
                    time.sleep(0.05)
            yield server
        finally:
            process.kill()


if __name__ == "__main__":
    main()
