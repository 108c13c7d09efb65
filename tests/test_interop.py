"""Recipes inside LangChain: runnable, batch through `.map`, tool with schema and artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socratic.errors import BadInput
from socratic.recipes.classify import classify
from socratic.workbench import Workbench

Scenes = dict[str, list[dict[str, Any]]]


def files_of(scenes: Scenes, folder: Path, n: int) -> list[str]:
    paths = []
    for i, item in enumerate(scenes["single"][:n]):
        item["picture"].pil.save(folder / f"{i}.png")
        paths.append(str(folder / f"{i}.png"))
    return paths


def test_runnable_batches_through_map(pocket: Workbench, scenes: Scenes, tmp_path: Path) -> None:
    from langchain_core.runnables import RunnableLambda

    paths = files_of(scenes, tmp_path, 5)
    runnable = classify.as_runnable()
    values = runnable.batch(paths, labels=["dog", "car", "tree"], method="names")
    assert [v.label in ("dog", "car", "tree") for v in values] == [True] * 5
    assert pocket.tool("embedder").calls["embed_picture"].forwards == 1
    chain = runnable | RunnableLambda(lambda v: v.label)
    assert chain.invoke({"picture": paths[0], "labels": ["dog", "car"], "method": "names"}) in ("dog", "car")
    mixed = runnable.batch([paths[0], "gone.png"], labels=["dog"], method="names", return_exceptions=True)
    assert mixed[0].label == "dog" and isinstance(mixed[1], BadInput)
    with pytest.raises(BadInput):
        runnable.batch(["gone.png"], labels=["dog"], method="names")


def test_tool_schema_comes_from_the_signature(pocket: Workbench, scenes: Scenes, tmp_path: Path) -> None:
    tool = classify.as_tool()
    schema = tool.tool_call_schema.model_json_schema()
    assert tool.name == "classify" and "Chooses one of the labels" in tool.description
    assert schema["properties"]["labels"]["type"] == "array"
    assert schema["properties"]["picture"]["type"] == "string"
    assert schema["properties"]["labels"]["description"] == "the classes."
    assert "embedder" not in schema["properties"] and "talk" not in schema["properties"]
    call = {
        "name": "classify",
        "args": {"picture": files_of(scenes, tmp_path, 1)[0], "labels": ["dog", "car"], "method": "names"},
        "id": "1",
        "type": "tool_call",
    }
    message = tool.invoke(call)
    assert message.artifact["label"] in ("dog", "car") and "%" in message.content
    call["args"] = {"picture": "gone.png", "labels": ["dog"]}
    failed = tool.invoke(call)
    assert failed.status == "error" and "gone.png" in failed.content
