"""`python -m socratic.pocket`: the drawn world's concepts and scenes, training, scores and the demonstration."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from socratic.pocket.concepts import concepts
from socratic.pocket.scenes import plan

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The models that ship with us and the world they know."
)
HERE = Path(str(files("socratic.pocket")))
MODELS = ("clip", "writer", "leader", "detector", "segmenter", "answerer", "generator")


@app.command("concepts")
def list_concepts(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False) -> None:
    """Lists every concept with its attributes."""
    rows = [{**asdict(c), "is": list(c.is_), "parts": list(c.has)} for c in concepts().values()]
    for row in rows:
        del row["is_"]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for c in concepts().values():
        typer.echo(
            f"{c.emoji} {c.name:14} {c.category:18} {', '.join(c.attributes)}"
            + (" (name withheld)" if c.withheld else "")
        )


@app.command()
def draw(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the pictures and truth.jsonl.")],
    seed: Annotated[int, typer.Option(help="Seed of the first scene.")] = 0,
    n: Annotated[int, typer.Option("-n", help="How many scenes.")] = 8,
    size: Annotated[int, typer.Option(help="Width and height in pixels.")] = 192,
    split: Annotated[str, typer.Option(help="train, or test (holds withheld combinations).")] = "test",
    single: Annotated[bool, typer.Option("--single", help="Exactly one thing.")] = False,
) -> None:
    """Draws scenes; truth.jsonl holds boxes, masks, captions, questions and attribute sentences of each."""
    from socratic.pocket.paint import paint_with_masks
    from socratic.pocket.truth import truth

    if split not in ("train", "test"):
        raise typer.BadParameter("train or test", param_hint="--split")
    out.mkdir(parents=True, exist_ok=True)
    with (out / "truth.jsonl").open("w", encoding="utf-8") as lines:
        for number in range(seed, seed + n):
            scene = plan(number, "test" if split == "test" else "train", single=single)
            picture, masks = paint_with_masks(scene, size)
            picture.save(out / f"scene-{number}.png")
            row = {"image": f"scene-{number}.png", **truth(scene, masks)}
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    typer.echo(f"{n} scenes and truth.jsonl are in {out}", err=True)


@app.command()
def train(
    model: Annotated[
        str, typer.Argument(help="clip, writer, leader, detector, segmenter, answerer, generator, or all.")
    ],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Where the model goes; not with all.")] = None,
    work: Annotated[Path, typer.Option(help="Drawn scenes and the resumable state.")] = Path("pocket-work"),
    steps: Annotated[int, typer.Option(help="How long; 0 for the trainer's own length.")] = 0,
) -> None:
    """Trains a pocket model from random weights, the leader from the writer. Run again to resume.

    On two CPU cores 20 to 90 minutes each, the leader about three hours.
    """
    from importlib import import_module

    if model not in (*MODELS, "all") or (model == "all" and (out or steps)):
        raise typer.BadParameter(f"{', '.join(MODELS)}, or all without --out and --steps", param_hint="model")
    for name in MODELS if model == "all" else (model,):
        length = {"steps": steps} if steps else {}
        import_module(f"socratic.pocket.train_{name}").train(out or HERE / name, work, **length)


@app.command()
def score(
    out: Annotated[Path, typer.Option("-o", "--out", help="The report.")] = HERE / "SCORES.md",
    part: Annotated[
        str, typer.Option(help="all, words (CLIP and writer), sight (the others), recipes or assistant.")
    ] = "all",
) -> None:
    """Scores the pocket models on freshly drawn unseen scenes; writes the report, and pictures beside it."""
    from socratic.pocket.score import report

    if part not in ("all", "words", "sight", "recipes", "assistant"):
        raise typer.BadParameter("all, words, sight, recipes or assistant", param_hint="--part")
    text = report(out.read_text(encoding="utf-8") if out.is_file() else "", part, out.parent / "gallery")
    out.write_text(text, encoding="utf-8")
    typer.echo(text)


@app.command()
def demo(out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the page.")] = Path("demo")) -> None:
    """Captions and classifies the sample pictures and shows the conversations."""
    from socratic.pocket.demo import show

    show(out)


if __name__ == "__main__":
    app()
