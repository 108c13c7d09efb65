"""`socratic experiment report|compare|gate` on runs of real pocket models, in a scratch repository as CI has it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from typer.testing import CliRunner, Result

from socratic.cli import app
from socratic.errors import BadInput

RECIPE = '''"""Names what a picture shows, by a wording in a prompt file."""
from __future__ import annotations
from collections.abc import Sequence
from dataclasses import dataclass
from socratic.capability import Embedder
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.transcript import Transcript
from socratic.values import Picture, Ranking

@dataclass(frozen=True)
class Named:
    label: str
    transcript: Transcript

    def say(self) -> str:
        return self.label

    def as_dict(self) -> dict[str, str]:
        return {"label": self.label}

@recipe
def name_it(picture: Picture, *, labels: Sequence[str], prompt: str = "", embedder: Embedder, talk: Transcript) -> Named:
    """Chooses the label whose sentence fits best."""
    wording = load(prompt)
    texts = [wording.render(label=label).messages[0].text for label in labels]
    seen, said = embedder.embed_picture(picture), embedder.embed_text.batch(texts)
    cosines = [float(seen @ vector) for vector in said]
    label = Ranking.of(list(labels), cosines, embedder.space).best
    talk.state("label", embedder.fingerprint, [picture.sha256, *texts], lambda: (label, {}))
    return Named(label, talk)
'''
PROMPT = """---
name: naming
description: Says what a picture would show.
source: CLIP, Radford et al. 2021, prompt templates
inputs:
  label: {kind: string, description: a class}
reply: {kind: text}
---
user:
WORDS
"""
GOOD, ALIKE, BAD = "a {{ label }}", "a photo of a {{ label }}", "a thing that begins with {{ label | first }}"


def socratic(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["experiment", *map(str, arguments)], catch_exceptions=True)


def git(folder: Path, *arguments: str) -> None:
    own = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *own, *arguments], check=True, capture_output=True)


def worded(repository: Path, words: str) -> None:
    (repository / "naming.prompty").write_text(PROMPT.replace("WORDS", words), encoding="utf-8")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, scenes: dict[str, list[dict[str, Any]]]) -> Iterator[Path]:
    """A repository with data, a recipe, a prompt, and what it scored, all of it checked in."""
    home = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCRATIC_CACHE", str(tmp_path_factory.mktemp("cache") / "stages.sqlite"))
        _filled(home, scenes)
        yield home


def _filled(home: Path, scenes: dict[str, list[dict[str, Any]]]) -> None:
    (home / "pictures").mkdir()
    rows = []
    for n, scene in enumerate(scenes["single"][:48]):
        scene["picture"].pil.save(home / "pictures" / f"{n:02}.png")
        rows.append({"picture": f"pictures/{n:02}.png", "label": scene["things"][0]["name"]})
    (home / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (home / "name_it.py").write_text(RECIPE)
    labels = sorted({row["label"] for row in rows})
    spec = {
        "recipe": "name_it.py", "data": {"jsonl": "data.jsonl"}, "arguments": {"labels": labels}, "controls": False,
        "variants": {"ours": {"prompt": "naming.prompty"}}, "scorers": ["label"],
    }  # fmt: skip
    (home / "naming.yaml").write_text(json.dumps(spec))
    worded(home, GOOD)
    done = socratic("run", home / "naming.yaml", "-o", home / "runs" / "old")
    assert done.exit_code == 0, done.output
    assert socratic("report", home / "runs" / "old", "-o", home / "results.json").exit_code == 0
    (home / ".gitignore").write_text("runs/\n")
    git(home, "init", "-q")
    git(home, "add", ".")
    git(home, "commit", "-q", "-m", "naming")


def ran(repository: Path, words: str, name: str, *more: object) -> Path:
    """A run with other words, as CI makes one from a changed checkout."""
    git(repository, "checkout", "-q", "--", ".")
    worded(repository, words)
    done = socratic("run", repository / "naming.yaml", "-o", repository / "runs" / name, *more)
    assert done.exit_code == 0, done.output
    return repository / "runs" / name


def gated(repository: Path, run: Path, *more: object) -> tuple[int, dict[str, Any]]:
    done = socratic("gate", run, "--baseline", repository / "results.json", "--max-drop", 0.1, "--json", *more)
    return done.exit_code, json.loads(done.stdout)


def test_the_gate_fails_on_worse_words(repository: Path, tmp_path: Path) -> None:
    code, told = gated(repository, ran(repository, BAD, "bad"), "--junit", tmp_path / "gate.xml")
    assert (code, told["outcome"], told["code"]) == (4, "worse", 4)
    assert told["gain"]["high"] < -0.1 and told["items"] == 48 and told["notes"] == []
    (case,) = next(iter(JUnitXml.fromfile(str(tmp_path / "gate.xml"))))
    assert case.result[0].type == "worse"


def test_the_gate_passes_on_the_same_words_and_on_words_that_do_as_well(repository: Path) -> None:
    same = ran(repository, GOOD, "same")
    code, told = gated(repository, same)
    assert (code, told["outcome"]) == (0, "pass") and "nothing changed" in told["why"]
    code, told = gated(repository, ran(repository, ALIKE, "alike"))
    assert (code, told["outcome"]) == (0, "pass") and told["gain"]["low"] > -0.1
    folder = socratic("gate", same, "--baseline", repository / "runs" / "old", "--metric", "label", "--max-drop", 0)
    assert folder.exit_code == 0 and folder.stdout.startswith("pass")


def test_the_gate_says_where_there_is_too_little_data(repository: Path) -> None:
    code, told = gated(repository, ran(repository, ALIKE, "few", "--limit", 5))
    assert (code, told["outcome"]) == (5, "inconclusive") and told["needed"] >= 1
    assert told["notes"] == ["43 items are in the baseline only and were left out"]


def test_the_gate_leaves_changed_data_out_and_says_so(repository: Path) -> None:
    changed = (repository / "data.jsonl").read_text().splitlines()
    changed[0] = json.dumps({**json.loads(changed[0]), "label": "lemon"})
    run = repository / "runs" / "data"
    git(repository, "checkout", "-q", "--", ".")
    (repository / "data.jsonl").write_text("\n".join(changed) + "\n")
    assert socratic("run", repository / "naming.yaml", "-o", run).exit_code == 0
    _, told = gated(repository, run)
    assert told["items"] == 47 and told["notes"][0].startswith("1 items changed since the baseline")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--baseline", "nowhere.json", "--max-drop", "0.1"], "not a stored run"),
        (["--baseline", "results.json", "--max-drop", "-1"], "from 0 on"),
        (["--baseline", "results.json", "--max-drop", "0.1", "--metric", "cider"], "cider"),
        (["--baseline", "results.json", "--max-drop", "0.1", "--variant", "theirs"], "theirs"),
    ],
)
def test_wrong_use_of_the_gate_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str) -> None:  # fmt: skip
    monkeypatch.chdir(repository)
    done = socratic("gate", "runs/old", *arguments)
    assert isinstance(done.exception, BadInput) and told in str(done.exception)


def test_a_gate_without_a_drop_or_a_baseline_is_wrong_use(repository: Path) -> None:
    assert socratic("gate", repository / "runs" / "old", "--max-drop", 0.1).exit_code == 2
    assert socratic("gate", repository / "runs" / "old", "--baseline", repository / "results.json").exit_code == 2


def test_report_writes_all_four_and_says_what_was_found(repository: Path) -> None:
    home = repository / "runs" / "old"
    done = socratic("report", home)
    assert done.exit_code == 0 and "Nothing was compared" in done.stdout and str(home / "report.html") in done.stdout
    for name in ("report.html", "report.md", "results.json", "junit.xml"):
        assert (home / name).stat().st_size > 100


def test_compare_sets_two_runs_side_by_side(repository: Path, tmp_path: Path) -> None:
    old, new = repository / "runs" / "old", ran(repository, BAD, "worse")
    done = socratic("compare", old, new, "-o", tmp_path / "compared.html")
    assert done.exit_code == 0 and "“ours” in the newer run is worse than in the older run by label" in done.stdout
    page = (tmp_path / "compared.html").read_text(encoding="utf-8")
    assert "ours, old" in page and "ours, new" in page
    assert "<ins>" in page and "thing that begins with" in page
    assert page.index('class="key"') < page.index("data-against")
    assert isinstance(socratic("compare", old, new, "-o", tmp_path / "compared.pdf").exception, BadInput)
    assert isinstance(socratic("compare", repository / "results.json", new, "-o", tmp_path / "x.html").exception, BadInput)  # fmt: skip


@pytest.mark.parametrize("verb", ["report", "compare", "gate"])
def test_help_has_examples(verb: str) -> None:
    assert "socratic experiment " + verb in " ".join(socratic(verb, "--help").stdout.split())
