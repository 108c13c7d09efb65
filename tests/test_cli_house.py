"""The verbs that look at the house."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from socratic.cli import app

runner = CliRunner()


def said(*arguments: str, code: int = 0) -> str:
    result = runner.invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_prompts_list_show_lint_render_diff(tmp_path: Path) -> None:
    assert "caption.write" in said("prompts", "list")
    assert "system:" in said("prompts", "show", "caption.write")
    assert "fine" in said("prompts", "lint")
    rendered = said("prompts", "render", "classify.descriptors", "--set", "category=zebra")
    assert "telling a zebra" in rendered and "sha256" in rendered
    bad = tmp_path / "bad.prompty"
    bad.write_text("---\nname: bad\ndescription: x\n---\nuser:\n{{ nothing }}\n")
    assert "'nothing' is used and not declared" in said("prompts", "lint", str(bad), code=1)
    assert "+" in said("prompts", "diff", "classify.descriptors", "classify.cupl")


def test_tools_and_recipes() -> None:
    tools = said("tools")
    assert "open_clip" in tools and "--profile pocket" in tools
    recipes = said("recipes")
    assert "caption: Writes one caption" in recipes and "labels" in recipes and "\n    embedder" not in recipes


def test_doctor() -> None:
    text = said("doctor")
    assert "torch" in text and "pocket" in text and "stage cache" in text


@pytest.mark.parametrize("name", ["missing.prompty", "no-such-prompt"])
def test_unknown_prompts_are_errors_of_ours(name: str) -> None:
    from socratic.errors import PromptError

    with pytest.raises(PromptError):
        runner.invoke(app, ["prompts", "show", name], catch_exceptions=False)
