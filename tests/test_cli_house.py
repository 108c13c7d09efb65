"""The verbs that look at the house."""

from __future__ import annotations

from typer.testing import CliRunner

from socratic.cli import app

runner = CliRunner()


def said(*arguments: str, code: int = 0) -> str:
    result = runner.invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_tools_and_recipes() -> None:
    tools = said("tools")
    assert "open_clip" in tools and "--profile pocket" in tools
    recipes = said("recipes")
    assert "caption: Writes one caption" in recipes and "labels" in recipes and "\n    embedder" not in recipes


def test_doctor() -> None:
    text = said("doctor")
    assert "torch" in text and "pocket" in text and "stage cache" in text
