"""The other ways to caption and classify, and describe, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from socratic.cli import app
from socratic.errors import BadInput

PICTURE = str(Path(__file__).parent.parent / "pocket" / "pictures" / "scene-2.png")


def lines(*arguments: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, [*arguments, "--json", "--no-cache"])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize(
    ("method", "how", "more"),
    [
        ("search", ["-n", "2", "--budget", "calls=8"], {"rounds", "stopped"}),
        ("interactive", ["-n", "1"], {"exchanges", "unsupported", "stopped"}),
        ("verified", [], set()),
    ],
)
def test_every_method_gives_text_and_candidates(method: str, how: list[str], more: set[str]) -> None:
    (row,) = lines("caption", PICTURE, "--method", method, *how)
    assert {"image", "text", "candidates"} | more <= set(row)
    assert row["text"] == row["candidates"][0]["text"]  # type: ignore[index]
    if method == "search":
        assert row["stopped"] == "budget", "four calls a round beside those that look"


def test_regions_and_descriptions() -> None:
    (row,) = lines("classify", PICTURE, "--labels", "lemon,cow", "--regions", "10,10,120,120")
    assert list(row) == ["image", "label", "scores", "explanation", "regions"] and len(row["regions"]) == 1  # type: ignore[arg-type]
    (told,) = lines("describe", PICTURE, "--layout", "captions", "-n", "1", "-q", "Where?")
    assert set(told) == {"image", "text", "layout", "tags", "attributes", "captions"} and "Where?" in str(told["text"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["caption", PICTURE, "--method", "guess"], ["caption", PICTURE, "--method", "search", "--budget", "lots"],
        ["caption", PICTURE, "--method", "direct", "--shots", "x.jsonl"], ["describe", PICTURE, "--layout", "long"],
        ["classify", PICTURE, "--open", "--labels", "dog"], ["classify", PICTURE, "--regions", "animal"],
        ["classify", PICTURE, "--labels", "dog", "--regions", "1,2,3"],
        ["classify", PICTURE, "--labels", "dog", "--regions", "animal", "--regions", "1,2,3,4"],
    ],
)  # fmt: skip
def test_wrong_usage_says_what_to_do(arguments: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert caught.value.message


def test_shots_that_are_missing_are_an_error_of_the_row(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["caption", PICTURE, "--shots", str(tmp_path / "no.jsonl"), "--json", "-n", "1"])
    assert result.exit_code == 1 and "cannot be read" in result.stdout
