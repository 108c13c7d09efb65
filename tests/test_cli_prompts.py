"""`socratic prompts`: listed, shown, checked, filled in, compared, and tried on one picture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from socratic.cli import app
from socratic.errors import BadInput, PromptError
from socratic.inventory import prompt_home
from socratic.prompt import load, parse

ROOT = Path(__file__).parent.parent
SCENE = str(ROOT / "pocket" / "pictures" / "scene-1.png")
runner = CliRunner()


def said(*arguments: str, code: int = 0) -> str:
    result = runner.invoke(app, ["prompts", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    with pytest.raises((PromptError, BadInput)) as caught:
        runner.invoke(app, ["prompts", *arguments], catch_exceptions=False)
    return str(caught.value)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A copy of `caption.write` whose last line says something else."""
    path = tmp_path / "mine.prompty"
    text = (ROOT / "prompts" / "caption.write.prompty").read_text()
    path.write_text(text[::-1].replace("short"[::-1], "long"[::-1], 1)[::-1])
    return path


def test_list_tells_version_recipe_and_what_it_does() -> None:
    rows = {row["name"]: row for row in map(json.loads, said("list", "--json").splitlines())}
    assert rows["caption.write"] == {
        "name": "caption.write", "version": load("caption.write").sha256[:8], "recipe": "caption", "argument": "prompt",
        "sections": ["type and amount", "places", "objects"],
        "description": "Writes one caption from what a vision model found, without seeing the picture.",
    }  # fmt: skip
    line = next(line for line in said("list").splitlines() if line.startswith("caption.write "))
    assert line.split()[1:3] == [load("caption.write").version, "caption"]


@pytest.mark.parametrize(
    ("name", "recipe", "argument"),
    [
        ("caption.write", "caption", "prompt"),
        ("generate.rewrite", "generate", "rewriting"),
        ("retrieve.describe", "retrieve", "prompt"),
        ("caption.search", "caption_search", "prompt"),
        ("classify.descriptors", "classify", ""),
        ("assistant.system", "", ""),
    ],
)
def test_a_prompt_knows_its_recipe_and_the_argument_that_names_it(name: str, recipe: str, argument: str) -> None:
    home = prompt_home(load(name))
    assert (home.recipe, home.argument, home.default) == (recipe, argument, name if argument else "")


def test_a_variant_belongs_where_the_prompt_of_its_name_does_if_it_takes_the_same_inputs() -> None:
    text = load("caption.write").as_text()
    assert prompt_home(parse(text.replace("name: caption.write", "name: caption.write.short").encode(), "x")).recipe == "caption"  # fmt: skip
    other = load("classify.descriptors").as_text().replace("name: classify.descriptors", "name: caption.write.odd")
    assert prompt_home(parse(other.encode(), "x")).argument == ""
    assert prompt_home(load("caption.search.one")).argument == ""


def test_show_prints_the_file_alone_on_stdout_and_its_version_beside(tmp_path: Path) -> None:
    result = runner.invoke(app, ["prompts", "show", "caption.write"])
    assert result.stdout == (ROOT / "prompts" / "caption.write.prompty").read_text()
    assert load("caption.write").version in result.stderr and "sections: type and amount, places" in result.stderr
    assert json.loads(said("show", "caption.write", "--json"))["sha256"] == load("caption.write").sha256


def test_lint_tells_errors_doubts_and_length(tmp_path: Path) -> None:
    assert "caption.write: fine\ncaption.write: about 58 tokens without values" in said("lint")
    assert "'note' is free text in a system message" in said("lint", "assistant.system")
    bad = tmp_path / "bad.prompty"
    bad.write_text("---\nname: bad\ndescription: x\n---\nuser:\n{{ nothing }}\n{# section: a #}\n")
    told = said("lint", str(bad), code=1)
    assert "'nothing' is used and not declared" in told and "section 'a' is never closed" in told


def test_render_fills_in() -> None:
    rendered = said("render", "classify.descriptors", "--set", "category=zebra")
    assert "telling a zebra" in rendered and "sha256" in rendered
    assert "--set wants name=value" in refused("render", "classify.descriptors", "--set", "zebra")


def test_diff_shows_words_and_settings(mine: Path) -> None:
    assert "Write one [-short-]{+long+} caption." in said("diff", "caption.write", str(mine))
    told = json.loads(said("diff", "caption.write", str(mine), "--json"))
    assert [p for p in told["pieces"] if p[0] != "same"] == [["removed", "short"], ["added", "long"]]
    assert told["old"]["version"] != told["new"]["version"] and told["settings"] == []
    assert "model.temperature: 0.0 -> 0.7" in said("diff", "classify.descriptors", "caption.write")
    assert "the bodies are the same" in said("diff", "caption.write", "caption.write")


def test_diff_is_coloured_in_a_terminal_and_reads_no_markup_in_prompts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    from socratic.cli import prompts
    from socratic.wording import rewritten

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("rich.console.Console", lambda **_: Console(force_terminal=True, color_system="standard", highlight=False))  # fmt: skip
    prompts._show(rewritten("say [bold]this[/bold]", "say [bold]that[/bold]"))
    out = capsys.readouterr().out
    assert "\x1b[9;31mthis" in out and "\x1b[32mthat" in out and "[bold]" in out


def test_try_runs_the_recipe_with_the_prompt_and_the_shipped_one(mine: Path) -> None:
    told = json.loads(said("try", str(mine), SCENE, "-n", "1", "--set", "temperature=0", "--json"))
    assert told["recipe"] == "caption" and [row["prompt"] for row in told["tried"]] == [str(mine), "caption.write"]
    assert [row["version"] for row in told["tried"]] == [load(mine).version, load("caption.write").version]
    assert all(len(row["value"]["candidates"]) == 1 and row["answer"] for row in told["tried"])


def test_try_of_the_shipped_prompt_runs_once(tmp_path: Path) -> None:
    copy = tmp_path / "scene.png"
    shutil.copy(SCENE, copy)
    told = said("try", "caption.write", str(copy), "-n", "1")
    assert "this is the shipped prompt" in told and f"caption.write  {load('caption.write').version}  a " in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("classify.descriptors", SCENE), "takes no other"),
        (("assistant.system", SCENE), "belongs to no recipe"),
        (("caption.write", SCENE, "--set", "colour=red"), "no parameter 'colour'"),
        (("caption.write", "missing.png"), "missing.png"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_advice(arguments: tuple[str, ...], told: str) -> None:
    assert told in refused("try", *arguments)


@pytest.mark.parametrize("name", ["missing.prompty", "no-such-prompt"])
def test_unknown_prompts_are_errors_of_ours(name: str) -> None:
    assert "there is no prompt" in refused("show", name)


def test_an_answer_that_failed_is_told_beside_the_other(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from socratic.errors import ReplyError
    from socratic.recipes import caption as module

    class Double:
        def say(self) -> str:
            return "a cow\non a beach"

        def as_dict(self) -> dict[str, Any]:
            return {}

    def scripted(source: str, prompt: str = "") -> Double:
        if prompt == str(mine):
            raise ReplyError("unreadable", reply="?")
        return Double()

    prompt_home(load("caption.write"))  # signatures are read before the recipe is doubled
    monkeypatch.setattr(module, "caption", scripted)
    result = runner.invoke(app, ["prompts", "try", str(mine), SCENE])
    assert result.exit_code == 1 and "unreadable" in result.stderr and "a cow" in result.stdout
