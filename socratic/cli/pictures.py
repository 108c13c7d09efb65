"""The verbs that find things in pictures: detect and segment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.cli.sheet import AsJson, Images, Kept, NoCache, Profile, Sheet, over_images
from socratic.errors import BadInput

Out = Annotated[Path | None, typer.Option("-o", "--out", help="Folder for pictures with what was found laid over.")]
Threshold = Annotated[
    float | None, typer.Option(help="The least score of a box; the detector's own when absent.", min=0.0, max=1.0)
]


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    app.command(
        epilog="Examples:  socratic detect photo.jpg -p dog -p 'a red car' -o found/   |   socratic detect pictures/ -p cat --json"
    )(detect)
    app.command(
        epilog="Examples:  socratic segment photo.jpg -p dog -o cut/   |   socratic segment photo.jpg --box 10,20,200,180 --json"
    )(segment)


def detect(
    images: Images,
    phrase: Annotated[list[str] | None, typer.Option("-p", "--phrase", help="What to look for. Repeatable.")] = None,
    text: Annotated[str, typer.Option("--text", help="A whole caption: every thing it names is looked for.")] = "",
    threshold: Threshold = None,
    out: Out = None,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Finds what phrases name and draws boxes; a phrase that names nothing there gives no box."""
    from socratic.recipes.detect import detect as recipe

    if not phrase and not text:
        raise BadInput("detect wants a phrase or a text", hint='-p dog, or --text "a dog on a beach"')
    settings = {"phrases": phrase or [], "text": text, "threshold": threshold}
    sheet = Sheet(as_json, transcript, "socratic detect")
    with Album(out) as album:
        over_images(recipe, images, settings, sheet, profile, no_cache, album.told, each=album.put)


def segment(
    images: Images,
    phrase: Annotated[list[str] | None, typer.Option("-p", "--phrase", help="What to cut out. Repeatable.")] = None,
    text: Annotated[str, typer.Option("--text", help="A whole caption: every thing it names is cut out.")] = "",
    box: Annotated[list[str] | None, typer.Option(help="x0,y0,x1,y1 in pixels. Repeatable: one mask each.")] = None,
    point: Annotated[
        list[str] | None, typer.Option(help="x,y in pixels. Repeatable: all on one thing, one mask.")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Cut out everything there is.")] = False,
    threshold: Threshold = None,
    out: Out = None,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Cuts things out, named by phrases, boxes or points: one mask each, as large as the picture."""
    from socratic.recipes.segment import segment as recipe

    settings = {
        "phrases": phrase or [], "text": text, "boxes": [_numbers(b, 4, "--box") for b in box or []],
        "points": [_numbers(p, 2, "--point") for p in point or []], "everything": everything, "threshold": threshold,
    }  # fmt: skip
    if sum(bool(settings[name]) for name in ("phrases", "text", "boxes", "points", "everything")) != 1:
        raise BadInput(
            "segment wants exactly one of -p, --text, --box, --point, --everything", hint="socratic segment --help"
        )
    sheet = Sheet(as_json, transcript, "socratic segment")
    with Album(out) as album:
        over_images(recipe, images, settings, sheet, profile, no_cache, album.told, each=album.put)


class Album:
    """The pictures with what was found laid over them, in the folder that was asked for, and a contact sheet."""

    def __init__(self, out: Path | None) -> None:
        self.out = out
        self.files: dict[str, Path] = {}
        self._tiles: list[tuple[Any, str]] = []

    def put(self, row: Any) -> None:
        """Writes one picture."""
        if self.out is None:
            return
        from socratic.overlay import overlay

        self.out.mkdir(parents=True, exist_ok=True)
        picture = row.transcript.pictures[0]
        shown = overlay(picture, row.value.regions)
        path = self.out / f"{Path(str(row.source)).stem}.regions.png"
        if path in self.files.values():  # two folders may hold a file of one name
            path = path.with_name(f"{Path(str(row.source)).stem}-{picture.sha256[:6]}.regions.png")
        shown.save(path)
        self.files[picture.sha256] = path
        self._tiles.append((shown, f"{Path(str(row.source)).name}: {_counted(row.value.regions.counts)}"))

    def told(self, value: Any) -> str:
        """What was found, a line each, and where the picture is."""
        rows = [f"{r.label or 'a thing'} {r.score:.0%}  {r.box.as_list()}" + (f"  {r.mask.area} pixels" if r.mask else "") for r in value.regions]  # fmt: skip
        text = "\n    ".join([_counted(value.regions.counts), *rows])
        path = self.files.get(value.transcript.pictures[0].sha256)
        return text + (f"\n    see {path}" if path else "")

    def __enter__(self) -> Album:
        return self

    def __exit__(self, *problem: object) -> None:
        """Writes the contact sheet where there are several pictures, also when some inputs failed."""
        if self.out is None or len(self._tiles) < 2:
            return
        from socratic.overlay import contact_sheet

        contact_sheet([t for t, _ in self._tiles], [c for _, c in self._tiles]).save(self.out / "sheet.png")
        print(f"all of them side by side: {self.out / 'sheet.png'}", file=sys.stderr)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} x {label or 'a thing'}" for label, n in counts.items()) or "nothing was found"


def _numbers(text: str, count: int, option: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count:
        raise BadInput(f"{option} wants {count} numbers with commas between, not {text!r}")
    return values
