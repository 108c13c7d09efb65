"""The demonstration: sample pictures, what the models said about them, and a page that shows it all."""

from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from socratic.gallery import Shown, ledger_of, write_page
from socratic.images import expand
from socratic.overlay import overlay
from socratic.pocket.concepts import known
from socratic.recipes.ask import ask
from socratic.recipes.caption import caption
from socratic.recipes.classify import classify
from socratic.recipes.generate import generate
from socratic.recipes.segment import segment
from socratic.transcript import Transcript
from socratic.values import Picture
from socratic.workbench import open_profile

QUESTIONS = ("What is in the picture?", "How many things are there?", "Where is this?", "Is there a dog?")
PROMPTS = ("a lemon on a beach", "a car in a city", "an owl and a banana in a forest")
LABELS = ("giraffe", "zebra", "flamingo", "dog", "cat", "car", "umbrella", "strawberry")


def show(out: Path) -> None:
    """Prints the conversations and writes `out/index.html`."""
    console, began = Console(), time.perf_counter()
    pictures = Path(str(files("socratic.pocket").joinpath("pictures")))
    scenes = [p for p in expand([pictures]) if "scene-" in p]
    photos = [p for p in expand([pictures]) if "photo-" in p]
    shown: list[Shown] = []
    with open_profile("pocket").used():
        for row in caption.map(scenes):
            assert row.value is not None and row.transcript is not None
            shown.append(Shown(row.value.text, row.transcript))
            _print(console, Path(row.source), row.value.text, row.transcript)
        console.rule("a concept whose name CLIP never saw, told by its descriptors")
        withheld = [p for p in scenes if "withheld" in p]
        for source in withheld:
            told = classify(source, labels=LABELS, explain=True)
            shown.append(Shown(f"{told.label} (by descriptors)", told.transcript))
            console.print(Text(f"{Path(source).name}: {told.say()}\n"))
        for title, show_one in (("found and cut out", _found), ("asked", _asked), ("drawn", _drawn)):
            console.rule(title)
            shown += show_one(console, scenes)
        console.rule("photographs: what pocket cannot do (its world is drawn); try --profile small")
        for source in photos:
            value = caption(source)
            shown.append(Shown(f"{value.text} (wrong: a photograph is outside the drawn world)", value.transcript))
            console.print(Text(f"{Path(source).name}: {value.text}"))
    out.mkdir(parents=True, exist_ok=True)
    write_page(out / "index.html", shown, "socratic: the models talk")
    console.rule()
    console.print(f"replies: {ledger_of([s.transcript for s in shown])}; {time.perf_counter() - began:.1f} s")
    console.print(f"the same with the pictures: {out / 'index.html'}")


def _found(console: Console, scenes: list[str]) -> list[Shown]:
    """Text to masks: every known name is looked for in each picture."""
    names = [c.name for c in known()]
    shown = []
    for source in scenes[:6]:
        cut = segment(source, phrases=names)
        laid = overlay(cut.transcript.pictures[0], cut.regions)
        shown.append(Shown(cut.say(), cut.transcript, [Picture.of(laid, "what was found")]))
        row = Table.grid(padding=(0, 2))
        row.add_row(
            _thumbnail(shown[-1].laid_over[0]), Text(f"{Path(source).name}\n{cut.say().replace('; ', chr(10))}")
        )
        console.print(row)
    return shown


def _asked(console: Console, scenes: list[str]) -> list[Shown]:
    shown = []
    for source in scenes[:4]:
        told = ask(source, questions=QUESTIONS)
        direct = caption(source, method="direct")
        shown.append(Shown(direct.text, told.transcript))
        console.print(Text(f"{Path(source).name}: {direct.text}\n    " + told.say().replace("\n", "\n    ") + "\n"))
    return shown


def _drawn(console: Console, scenes: list[str]) -> list[Shown]:
    shown = []
    for prompt in PROMPTS:
        drawn = generate(prompt, n=2)
        shown.append(Shown(f"drawn: {prompt}", drawn.transcript))
        row = Table.grid(padding=(0, 2))
        row.add_row(*(_thumbnail(d.picture) for d in drawn.drawings), Text(prompt))
        console.print(row)
    return shown


def _print(console: Console, source: Path, text: str, talk: Transcript) -> None:
    said = Text()
    for turn in talk.turns:
        if turn.name.startswith("proposal") and turn.name not in ("proposal 1", "proposal 2", "proposal 3"):
            continue
        said.append(f"{'writer' if turn.prompt else 'CLIP':>6}  ", style="green" if turn.prompt else "blue")
        said.append(f"{turn.name}: ", style="dim")
        said.append(turn.text + "\n")
    said.append(f"    =>  {text}", style="bold")
    row = Table.grid(padding=(0, 2))
    row.add_row(_thumbnail(talk.pictures[0]), said)
    console.print(Panel(row, title=source.name, title_align="left"))


def _thumbnail(picture: Picture, columns: int = 28) -> Text:
    """The picture in half blocks: two pixels, one above the other, in each character."""
    small = picture.pil.resize((columns, columns))
    text = Text()
    for y in range(0, columns, 2):
        for x in range(columns):
            upper, lower = small.getpixel((x, y)), small.getpixel((x, y + 1))
            assert isinstance(upper, tuple) and isinstance(lower, tuple)
            text.append("▀", style="rgb({},{},{}) on rgb({},{},{})".format(*upper, *lower))
        text.append("\n")
    return text
