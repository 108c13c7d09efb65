"""The assistant in the browser: one page on this machine, which loads nothing from elsewhere.

    with Assistant() as assistant:
        serve(assistant, Served(port=7860))

Puts gradio's page (`page.py`) behind the guard (`guard.py`) and runs it. Refuses to be reached from other machines
without a password.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socratic.errors import BadInput, ModelUnavailable
from socratic.web.guard import Guard, Uploads

if TYPE_CHECKING:
    from socratic.assistant import Assistant

MOST_BYTES = 20 * 1024 * 1024
"""Of one uploaded picture."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Served:
    """Where the page is, and for whom.

    Attributes:
        users: names and passwords of those who may use it; whoever can reach it, when empty.
        settings: what every session is given: `gallery` and `saves`.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    users: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.users and not is_loopback(self.host):
            raise BadInput(
                f"{self.host} can be reached from other machines, and no password is set",
                hint="give --auth USER:PASSWORD or --auth FILE, or leave --host away",
            )
        if not 0 <= self.port < 65536:
            raise BadInput(f"wanted a port from 0 to 65535, not {self.port}")

    @property
    def hosts(self) -> tuple[str, ...] | None:
        """Under which names browsers may ask for it; any where passwords are asked."""
        return None if self.users else (*LOOPBACK, self.host)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name other than `localhost` may lead anywhere."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def users_of(told: str) -> tuple[tuple[str, str], ...]:
    """Names and passwords: `name:password`, or a file with one such line per user.

    Raises:
        BadInput: a line is not of that form.
    """
    path = Path(told)
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else [told]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read {told!r}: {error}", hint="one line NAME:PASSWORD per user") from error
    pairs = [line.strip().partition(":") for line in lines if line.strip() and not line.startswith("#")]
    if not pairs or any(not name or not password for name, _, password in pairs):
        raise BadInput("--auth wants NAME:PASSWORD, or a file with such lines", hint="for example --auth anna:correct-horse")  # fmt: skip
    return tuple((name, password) for name, _, password in pairs)


def build(assistant: Assistant, served: Served) -> Any:
    """The page with its guard, as an ASGI app.

    Raises:
        ModelUnavailable: gradio is not installed.
    """
    uploads_at = assistant.store.home / "uploads"
    uploads_at.mkdir(mode=0o700, exist_ok=True)
    # Both are read when gradio is imported or its page built; it has no arguments for them.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_TEMP_DIR=str(uploads_at), HF_HUB_DISABLE_TELEMETRY="1")
    try:
        import gradio
        from fastapi import FastAPI
    except ImportError as error:
        raise ModelUnavailable(f"the page needs gradio: {error}", hint="pip install -c constraints.txt '.[web]'") from error  # fmt: skip
    from socratic.web.page import CSS, page, theme
    from socratic.web.routes import add_routes
    from socratic.web.sessions import Sessions

    sessions, uploads = Sessions(assistant, served.settings), Uploads()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(app, sessions)
    gradio.mount_gradio_app(
        app, page(sessions, uploads), "/", server_name=served.host, server_port=served.port, footer_links=[],
        run_history=False, auth=list(served.users) or None, max_file_size=MOST_BYTES, ssr_mode=False, pwa=False,
        mcp_server=False, enable_monitoring=False, theme=theme(), css=CSS, show_error=True,
    )  # fmt: skip
    return Guard(app, uploads, served.hosts)


@contextmanager
def running(assistant: Assistant, served: Served) -> Iterator[str]:
    """Runs the page in a thread while the block lasts; gives its address. Port 0 takes a free one."""
    server, listening = _server(assistant, served)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="page", daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield address(listening)
    finally:
        server.should_exit = True
        thread.join(20)


def serve(assistant: Assistant, served: Served, told: Callable[[str], None] = print) -> None:
    """Runs the page until Ctrl-C or a polite kill.

    Args:
        told: is given the address once the page can be opened.

    Raises:
        BadInput: the port is taken, or the host is no address of this machine.
    """
    over = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: over.set())
    with running(assistant, served) as url:
        told(url)
        try:
            over.wait()
        except KeyboardInterrupt:
            return


def _server(assistant: Assistant, served: Served) -> tuple[Any, socket.socket]:
    listening = _bound(served)
    import uvicorn

    # Open streams to browsers would hold the end back.
    config = uvicorn.Config(build(assistant, served), log_level="warning", timeout_graceful_shutdown=1, access_log=False)  # fmt: skip
    server = uvicorn.Server(config)
    # Streams to pages that are still open are cut off at the end; that is no fault to tell with a traceback.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not server.should_exit)
    return server, listening


def _bound(served: Served) -> socket.socket:
    host = served.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, served.port))
    except OSError as error:
        listening.close()
        raise BadInput(
            f"cannot listen at {served.host} port {served.port}: {error.strerror}",
            hint="choose another --port, or 0 for a free one; --host takes an address of this machine",
        ) from error
    return listening


def address(listening: socket.socket) -> str:
    """The address of the page as a browser takes it."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
