"""How tests talk to an MCP server: the official SDK's client in process, one connection for each thing that is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp import Client
from mcp.server import Server
from mcp_types import CallToolResult, TextContent, Tool

Talk = Callable[[Client], Awaitable[Any]]


def talk(server: Server[Any], what: Talk, **how: Any) -> Any:
    """What a client that connects in process comes to."""

    async def connected() -> Any:
        async with Client(server, **how) as client:
            return await what(client)

    return anyio.run(connected)


def called(server: Server[Any], name: str, **arguments: Any) -> CallToolResult:
    found: CallToolResult = talk(server, lambda client: client.call_tool(name, arguments))
    return found


def told(result: CallToolResult) -> str:
    first = result.content[0]
    assert isinstance(first, TextContent)
    return first.text


def tools(server: Server[Any]) -> dict[str, Tool]:
    listed = talk(server, lambda client: client.list_tools())
    return {tool.name: tool for tool in listed.tools}
