"""`socratic data` as a user runs it: appended results, runs that go on, broken rows, sources that stay as they are."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles import ScriptedEmbedder, ScriptedWriter
from doubles_video import ScriptedCaptioner, number_of, shade
from PIL import Image
from pycocotools.coco import COCO
from test_label import Cutter, Finder
from typer.testing import CliRunner

from socratic.cli import app
from socratic.cli import data as verbs
from socratic.values import Picture
from socratic.workbench import Workbench


class Stopped(BaseException):
    """What a kill does to a run: nothing after it is done."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten pictures; the texts of the first five are true."""
    for i in range(10):
        shade(i).save(tmp_path / f"{i}.png")
    rows = [{"image": f"{i}.png", "text": f"shade {i if i < 5 else i + 20}"} for i in range(10)]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return tmp_path


@pytest.fixture
def captioner(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedCaptioner]:
    """Scripted models in the place of a profile's."""
    one_hot = {n: [float(n == i) + 0.01 for i in range(40)] for n in range(40)}
    texts = {f"shade {n}": v for n, v in one_hot.items()} | {f"seen {n}": v for n, v in one_hot.items()}
    pictures = {Picture.of(shade(n)).sha256: v for n, v in one_hot.items() if n < 10}
    embedder = ScriptedEmbedder(texts=texts, pictures=pictures, dimension=40)
    seer = ScriptedCaptioner(lambda p: f"seen {number_of(p)}")
    bench = Workbench.of(embedder=embedder, captioner=seer, writer=ScriptedWriter(lambda r: "seen 1 of shade 1"), detector=Finder(), segmenter=Cutter())  # fmt: skip
    monkeypatch.setattr(verbs, "opened", lambda stack, profile, no_cache: stack.enter_context(bench.used()))
    yield seer


def run(*arguments: object) -> tuple[int, list[dict[str, Any]], str]:
    done = CliRunner().invoke(app, ["data", *map(str, arguments), "--json"])
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_filter_appends_verdicts_and_leaves_the_source_alone(data: Path, captioner: ScriptedCaptioner) -> None:
    before = {p.name: p.read_bytes() for p in data.iterdir()}
    code, rows, told = run("filter", data / "data.jsonl", "-o", data / "out.jsonl")
    assert code == 0 and [r["decision"] for r in rows] == ["keep"] * 5 + ["replace"] * 5
    assert rows[7]["text"] == "seen 7" and rows[7]["source_text"] == "shade 27"
    assert "5 keep, 5 replace; written to" in told
    assert [json.loads(line) for line in (data / "out.jsonl").read_text().splitlines()] == rows
    assert {n: (data / n).read_bytes() for n in before} == before
    assert {"image", "source_text", "decision", "text", "score", "seen", "new_score", "why", "made_with"} == set(
        rows[0]
    )


def test_a_run_that_was_killed_goes_on_where_it_was(data: Path, captioner: ScriptedCaptioner, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(verbs, "WINDOW", 5)
    real = captioner._said

    def killed(picture: Picture) -> Any:
        raise Stopped

    captioner._said = killed
    with pytest.raises(Stopped):
        CliRunner().invoke(app, ["data", "filter", str(data / "data.jsonl"), "-o", str(data / "out.jsonl")])
    out = data / "out.jsonl"
    assert len(out.read_text().splitlines()) == 5
    out.write_bytes(out.read_bytes() + b'{"image": "5.png", "sou')  # the kill came while it wrote
    captioner._said = real
    code, rows, told = run("filter", data / "data.jsonl", "-o", out)
    assert code == 0 and [r["image"] for r in rows] == [f"{i}.png" for i in range(5, 10)]
    assert "5 were done before" in told and len(out.read_text().splitlines()) == 10
    assert run("filter", data / "data.jsonl", "-o", out)[1] == [], "nothing is left to do"
    assert len(run("filter", data / "data.jsonl", "-o", out, "--overwrite")[1]) == 10


def test_broken_rows_are_told_and_tried_again(data: Path, captioner: ScriptedCaptioner) -> None:
    with (data / "data.jsonl").open("a") as file:
        file.write('{broken\n{"image": "missing.png", "text": "x"}\n')
    code, rows, told = run("filter", data / "data.jsonl", "-o", data / "out.jsonl")
    assert code == 1 and len(rows) == 12 and "2 failed" in told
    assert [r["image"] for r in rows if "error" in r] == ["data.jsonl:11", "missing.png"]
    assert rows[10]["error"]["type"] == "BadInput" and len((data / "out.jsonl").read_text().splitlines()) == 10
    shade(3).save(data / "missing.png")
    assert [r["image"] for r in run("filter", data / "data.jsonl", "-o", data / "out.jsonl")[1]] == ["data.jsonl:11", "missing.png"]  # fmt: skip


@pytest.mark.parametrize("wrong", [("-o", "data.jsonl"), ("-o", "0.png"), ("-o", "out.jsonl", "--by", "dice")])
def test_what_would_harm_is_refused(data: Path, captioner: ScriptedCaptioner, wrong: tuple[str, ...]) -> None:
    before = {p.name: p.read_bytes() for p in data.iterdir()}
    code, rows, _ = run("filter", data / "data.jsonl", *(str(data / w) if "." in w else w for w in wrong))
    assert code != 0 and rows == [] and {n: (data / n).read_bytes() for n in before} == before


def test_other_settings_are_not_mixed(data: Path, captioner: ScriptedCaptioner) -> None:
    run("filter", data / "data.jsonl", "-o", data / "out.jsonl")
    assert run("filter", data / "data.jsonl", "-o", data / "out.jsonl", "--at-least", 0.5)[0] != 0
    assert run("filter", data / "missing.jsonl", "-o", data / "new.jsonl")[0] != 0


def test_recaption_of_a_folder(data: Path, captioner: ScriptedCaptioner) -> None:
    (data / "1.txt").write_text("shade 1")
    code, rows, told = run("recaption", data, "-o", data / "new" / "out.jsonl")
    assert code == 0 and [r["text"] for r in rows] == [f"seen {i}" for i in range(10)] and "10 new" in told
    assert rows[1]["old"] == "shade 1" and (data / "1.txt").read_text() == "shade 1"
    fused = run("recaption", data, "-o", data / "fused.jsonl", "--method", "fused")[1]
    assert fused[1]["text"] == "seen 1 of shade 1" and fused[2]["text"] == "seen 2"
    assert run("recaption", data, "-o", data / "x.jsonl", "--method", "guess")[0] != 0


def test_pictures_with_alpha_or_turned_are_rows_like_any_other(tmp_path: Path, captioner: ScriptedCaptioner) -> None:
    Image.new("RGBA", (20, 10), (8, 8, 8, 255)).save(tmp_path / "alpha.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    shade(4, (20, 10)).save(tmp_path / "turned.jpg", exif=exif)
    Image.new("CMYK", (20, 10)).save(tmp_path / "print.jpg")
    code, rows, _ = run("recaption", tmp_path, "-o", tmp_path / "out.jsonl")
    assert code == 0 and [r["text"] for r in rows] == ["seen 2", "seen 64", "seen 4"]


def test_labels_become_one_coco_file(data: Path, captioner: ScriptedCaptioner) -> None:
    (data / "broken.png").write_bytes(b"no picture")
    code, rows, told = run("label", data, "-p", "dog", "-p", "bird", "-o", data / "out" / "labels.json")
    assert code == 1 and len(rows) == 11 and "10 pictures with labels" in told
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(str(data / "out" / "labels.json"))
    assert len(read.imgs) == 10 and {c["name"] for c in read.cats.values()} == {"dog"} and len(read.anns) == 10
    assert read.annToMask(read.anns[1]).sum() == 100 and read.imgs[1]["file_name"] == "0.png"
    shade(11).save(data / "broken.png")
    code, rows, told = run("label", data, "-p", "dog", "-p", "bird", "-o", data / "out" / "labels.json")
    assert code == 0 and [r["image"] for r in rows] == ["broken.png"] and "11 pictures with labels" in told
    assert run("label", data, "-p", "dog", "-o", data / "labels.jsonl")[0] != 0


def test_a_person_is_told_in_lines(data: Path, captioner: ScriptedCaptioner) -> None:
    done = CliRunner().invoke(app, ["data", "filter", str(data / "data.jsonl"), "-o", str(data / "out.jsonl")])
    assert done.exit_code == 0 and "0.png: keep: shade 0" in done.stdout and "9.png: replace: seen 9" in done.stdout
    for verb in ("filter", "recaption", "label"):
        assert "Example" in CliRunner().invoke(app, ["data", verb, "--help"]).stdout
