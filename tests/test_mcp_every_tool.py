"""Every tool of the MCP server, listed and called by the official SDK's client on the pocket models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client, MCPError
from mcp.server import Server
from mcp.shared.tool_name_validation import validate_tool_name
from mcp_calls import BEYOND, CALLS, DRAWS, S1, S2, write_files
from mcp_talk import called, talk, told, tools
from mcp_types import ImageContent

from socratic.mcp.server import make_server
from socratic.workbench import open_profile


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server[Any], Path]]:
    """A server on the pocket models, and the folder that it may read."""
    bench = open_profile("pocket", keep=False)
    folder = write_files(tmp_path_factory.mktemp("root"), bench)
    yield make_server(bench, roots=[folder]), folder


def test_every_tool_has_a_call_in_the_table(served: tuple[Server[Any], Path]) -> None:
    assert sorted(tools(served[0])) == sorted(CALLS)


def test_names_descriptions_schemas_and_hints(served: tuple[Server[Any], Path]) -> None:
    for name, tool in tools(served[0]).items():
        assert validate_tool_name(name).is_valid and "." not in name, "some models' APIs refuse dots"
        assert tool.description and len(tool.description) > 20 and "Args:" not in tool.description
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.output_schema is not None
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.input_schema["additionalProperties"] is False
        assert not {"embedder", "writer", "talk"} & set(tool.input_schema["properties"])
        hints = tool.annotations
        assert hints is not None and hints.destructive_hint is False and hints.open_world_hint is False
        assert hints.read_only_hint is (name not in DRAWS), name
        assert hints.idempotent_hint is (name != "chat")
        Draft202012Validator(tool.input_schema).validate(dict(CALLS[name]))


def test_served_models_are_an_open_world() -> None:
    names = ["caption", "detect", "generate", "writer_write"]
    hints = [t.annotations for t in tools(make_server(open_profile("openai", keep=False), only=names)).values()]
    assert [h.open_world_hint for h in hints if h] == [True, False, True, True]
    assert [h.idempotent_hint for h in hints if h] == [True, True, False, True], "each drawing is another one"


@pytest.mark.parametrize("name", sorted(set(CALLS) - set(BEYOND)))
def test_every_tool_answers(served: tuple[Server[Any], Path], name: str) -> None:
    result = called(served[0], name, **CALLS[name])
    assert not result.is_error, told(result)
    Draft202012Validator(tools(served[0])[name].output_schema or {}).validate(result.structured_content)
    assert told(result).strip()
    whole = result.model_dump_json()
    assert len(whole) < 1_000_000 and "base64" not in json.dumps(result.structured_content)
    sent = [part for part in result.content if isinstance(part, ImageContent)]
    assert result.structured_content is not None
    assert len(sent) == sum(row["sent"] for row in result.structured_content["pictures"])
    for part in sent:
        assert whole.count(part.data) == 1


@pytest.mark.parametrize("name", sorted(BEYOND))
def test_what_the_pocket_models_cannot_do_is_an_error_that_advises(served: tuple[Server[Any], Path], name: str) -> None:
    result = called(served[0], name, **CALLS[name])
    assert result.is_error and BEYOND[name] in told(result) and "What to do:" in told(result)


def test_a_picture_that_was_drawn_or_seen_has_a_handle(served: tuple[Server[Any], Path]) -> None:
    drawn = called(served[0], "generate", prompt="a lemon on a beach", steps=2)
    assert drawn.structured_content is not None
    (row,) = drawn.structured_content["pictures"]
    assert row["kind"] == "drawn" and row["sent"] and row["handle"] in told(drawn)
    asked = called(served[0], "caption_verified", picture=row["handle"], text="a lemon")
    assert not asked.is_error and asked.structured_content is not None
    assert [p["handle"] for p in asked.structured_content["pictures"]] == [row["handle"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"picture": S1}, "phrases_or_text"),
        ({"picture": S1, "phrases": ["snake"], "colour": "red"}, "colour: Extra inputs"),
        ({"picture": S1, "phrases": "snake"}, "phrases: "),
        ({"picture": "gone.png", "phrases": ["snake"]}, "there is no 'gone.png'"),
        ({"picture": "words.txt", "phrases": ["snake"]}, "words.txt"),
        ({"picture": "img:000000", "phrases": ["snake"]}, "there is no picture 'img:000000'"),
        ({"phrases": ["snake"]}, "picture: Field required"),
    ],
)
def test_our_errors_are_results_with_advice(
    served: tuple[Server[Any], Path], arguments: dict[str, Any], message: str
) -> None:
    result = called(served[0], "detect", **arguments)
    assert result.is_error and result.structured_content is None
    if message != "phrases_or_text":
        assert message in told(result)
    assert "Traceback" not in told(result) and "What to do:" in told(result)


def test_unknown_tools_and_arguments_of_operations_are_refused(served: tuple[Server[Any], Path]) -> None:
    async def asks(client: Client) -> str:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("detector.find", {"picture": S1, "phrases": ["snake"]})
        return str(refused.value)

    assert talk(served[0], asks).startswith("there is no tool 'detector.find'; near: detector_find")
    for name, arguments in (("detector_find", CALLS["detector_find"]), ("embedder_embed_text", {"text": "a dog"})):
        result = called(served[0], name, **arguments, more=1)
        assert result.is_error and "more" in told(result) and "it takes: " in told(result)


def test_a_second_client_in_process_shares_pictures(served: tuple[Server[Any], Path]) -> None:
    seen = called(served[0], "captioner_describe", picture=S2)
    assert seen.structured_content is not None
    handle = seen.structured_content["pictures"][0]["handle"]
    assert not called(served[0], "captioner_describe", picture=handle).is_error
