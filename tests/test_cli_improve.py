"""`socratic experiment ablate` and `optimise` as a user runs them, on the pocket models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from doubles import ScriptedEmbedder, ScriptedWriter
from typer.testing import CliRunner

from socratic import workbench
from socratic.cli import app
from socratic.errors import BadInput
from socratic.prompt import load
from socratic.workbench import Workbench

ROOT = Path(__file__).parent.parent
runner = CliRunner()
Scenes = dict[str, list[dict[str, Any]]]


@pytest.fixture
def spec(scenes: Scenes, tmp_path: Path) -> Path:
    """Ten withheld things with their names."""
    rows = []
    for i, row in enumerate(scenes["withheld"][:10]):
        row["picture"].pil.save(tmp_path / f"{i}.png")
        rows.append({"picture": f"{i}.png", "label": row["things"][0]["name"]})
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump({"recipe": "classify", "data": {"jsonl": "items.jsonl"}, "scorers": ["label"]}))
    return path


def said(*arguments: object, code: int = 0) -> str:
    result = runner.invoke(app, ["experiment", *map(str, arguments)])
    assert result.exit_code == code, f"{result.output} {result.exception}"
    return result.stdout


def test_ablate_descriptors_and_an_edit_of_them(spec: Path, tmp_path: Path) -> None:
    given = ROOT / "pocket" / "descriptors.json"
    told = json.loads(said("ablate", spec, "-o", tmp_path / "out", "--descriptors", given, "--json"))
    assert len(told["pieces"]) == sum(len(lines) for lines in json.loads(given.read_text()).values())
    assert json.loads((tmp_path / "out" / "ablation.json").read_text()) == told
    text = said("ablate", spec, "-o", tmp_path / "out", "--descriptors", given, "--edit", "flamingo=a tail", "--edit", "crown-=jewels")  # fmt: skip
    assert "before: " in text and "after: " in text and "what moved:" in text


def test_an_edit_without_a_file_is_refused(spec: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--descriptors FILE"):
        runner.invoke(app, ["experiment", "ablate", str(spec), "-o", str(tmp_path), "--edit", "a=b"], catch_exceptions=False)  # fmt: skip


@pytest.fixture
def captions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment with captions by scripted models, under the name of the pocket profile."""
    for path in sorted((ROOT / "pocket" / "pictures").glob("*.png")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "rain.py").write_text("def rain(said):\n    return float('rain' in said)\n")
    (tmp_path / "words.txt").write_text("cow\nlemon\n")
    arguments = {"n": 1, "objects": "words.txt", "places": "words.txt"}
    told = {"recipe": "caption", "data": {"folder": "."}, "arguments": arguments, "scorers": ["rain.py:rain"]}
    (tmp_path / "captions.yaml").write_text(yaml.safe_dump(told))
    better = load("caption.write").body.replace("Write one short caption.", "Tell the weather.")
    shown = better.replace("system:", "=== system ===").replace("user:", "=== user ===").replace("assistant:", "=== assistant ===")  # fmt: skip

    def scripted(request: Any) -> str:
        last = request.messages[-1].text
        return f"```\n{shown}\n```" if "instructions" in last else "rain" if "weather" in last or "It may show" not in last else "a cow"  # fmt: skip

    def opened(name: str = "pocket", *, keep: bool = True) -> Workbench:
        bench = Workbench.of(embedder=ScriptedEmbedder(fingerprint="e"), writer=ScriptedWriter(scripted))
        bench.name = name
        return bench

    monkeypatch.setattr(workbench, "open_profile", opened)
    return tmp_path / "captions.yaml"


def test_ablate_sections_goes_through_the_runner(captions: Path, tmp_path: Path) -> None:
    text = said("ablate", captions, "-o", tmp_path / "out")
    assert text.splitlines()[0].startswith("caption.write: rain 0.000")
    assert "hurts                objects" in text
    assert (tmp_path / "out" / "run.sqlite").is_file()


def test_optimise_tells_and_keeps_what_it_found(captions: Path, tmp_path: Path) -> None:
    told = json.loads(said("optimise", captions, "--calls", 20, "--seed", 4, "-o", tmp_path / "out", "--json"))
    assert told["validation"] == [0.0, 1.0] and told["contrast"]["verdict"] == "inconclusive"
    assert not told["recommended"] and not told["written"]
    assert json.loads((tmp_path / "out" / "optimised.json").read_text()) == told
    text = said("optimise", captions, "--calls", 20, "--seed", 4, "-o", tmp_path / "out", "--anyway")
    assert "inconclusive, not better: this is no recommendation; written: " in text
    assert load(tmp_path / "out" / "caption.write.optimised.prompty").header.source.count("inconclusive") == 1
