"""Capabilities are what a tool can do, seen from outside: the members it must have."""

from __future__ import annotations

import pytest
from doubles import ScriptedEmbedder, ScriptedLikelihoodWriter, ScriptedWriter

from socratic.capability import Embedder, LikelihoodWriter, Writer, members


@pytest.mark.parametrize(
    ("protocol", "names"),
    [
        (Embedder, ["embed_picture", "embed_text", "fingerprint", "space"]),
        (Writer, ["fingerprint", "write"]),
        (LikelihoodWriter, ["fingerprint", "likelihood", "write"]),
    ],
)
def test_members_are_the_names_that_a_tool_needs(protocol: type, names: list[str]) -> None:
    assert members(protocol) == names


def test_doubles_stand_behind_the_capabilities_that_they_play() -> None:
    embedder: Embedder = ScriptedEmbedder()
    writer: Writer = ScriptedWriter([])
    knower: LikelihoodWriter = ScriptedLikelihoodWriter({})
    assert isinstance(embedder, Embedder) and not isinstance(embedder, Writer)
    assert isinstance(writer, Writer) and not isinstance(writer, LikelihoodWriter | Embedder)
    assert isinstance(knower, LikelihoodWriter) and isinstance(knower, Writer)
