"""Serves MCP clients: one over stdin and stdout, or several of this machine over streamable HTTP. Never beyond it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio

from socratic.errors import BadInput
from socratic.mcp.files import MOST_DATA_URL

if TYPE_CHECKING:
    from mcp.server import Server


def run_stdio(server: Server[Any]) -> None:
    """Serves one client over stdin and stdout, until stdin ends; all other output goes to stderr."""
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(serve)


def http_app(server: Server[Any], host: str = "127.0.0.1", port: int = 8000) -> Any:
    """The ASGI application, at `/mcp`. Other names for this machine and pages of other origins are refused.

    Raises:
        BadInput: the address can be reached from other machines.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    checked_host(host)
    names = [f"{name}:{port}" for name in dict.fromkeys([_bracketed(host), "127.0.0.1", "localhost"])]
    security = TransportSecuritySettings(allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names])
    return server.streamable_http_app(host=host, transport_security=security, max_request_body_size=MOST_DATA_URL + 1_000_000)  # fmt: skip


def checked_host(host: str) -> None:
    """Refuses an address that is not of this machine alone.

    Raises:
        BadInput: it can be reached from other machines.
    """
    if not _loopback(host):
        hint = "use 127.0.0.1; from elsewhere, forward the port through ssh"
        raise BadInput(f"{host!r} can be reached from other machines, and there is no password", hint=hint)


def run_http(
    server: Server[Any], host: str = "127.0.0.1", port: int = 8000, told: Callable[[str], None] = print
) -> None:
    """Serves HTTP clients of this machine until it is interrupted.

    Args:
        port: any that is free when 0.
        told: is given the address before it begins.

    Raises:
        BadInput: the address can be reached from other machines, or is taken.
    """
    import uvicorn

    checked_host(host)
    try:
        taken = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise BadInput(f"{host}:{port} cannot be served: {error.strerror}", hint="choose another --port") from error
    with taken:
        port = taken.getsockname()[1]
        app = http_app(server, host, port)
        told(f"http://{_bracketed(host)}:{port}/mcp")
        uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)).run(sockets=[taken])


def _loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
