"""The verbs of films: `socratic video caption`, `ask`, `find` and `narrate`. A film is a file or a folder of pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from socratic.budget import Budget
from socratic.cli.sheet import AsJson, Kept, NoCache, Profile, Sheet, opened, over_sources
from socratic.errors import BadInput, SocraticError

video = typer.Typer(no_args_is_help=True, help="Caption, ask, search and narrate films, or folders of pictures that follow each other.")  # fmt: skip
Films = Annotated[list[str], typer.Argument(help="Films, folders of films, or folders of pictures that follow each other.", show_default=False)]  # fmt: skip
Rate = Annotated[float, typer.Option("--fps", help="How many pictures of a folder make a second; films know it.", min=0.001)]  # fmt: skip
Said = Annotated[str, typer.Option("--speech", help="What is said in the film: FILE.vtt, .srt or .txt.")]
Limit = Annotated[str, typer.Option("--budget", help="What each film may cost, e.g. calls=20,seconds=30.")]
Count = Annotated[int, typer.Option(help="How many frames are looked at; 0 lets the length decide.", min=0)]


class _Rated(dict[str, Any]):
    """A folder with its rate, told by its name."""

    def __str__(self) -> str:
        return str(self["source"])


def add_to(app: typer.Typer) -> None:
    """Adds these verbs to the command."""
    video.command(epilog="Examples:  socratic video caption film.mp4   |   socratic video caption frames/ --fps 2 --json")(caption)  # fmt: skip
    video.command(epilog='Example:  socratic video ask film.mp4 -q "What does the dog do?" --budget calls=20')(ask)
    video.command(epilog='Example:  socratic video find films/ -t "a dog on a beach without people"')(find)
    video.command(epilog="Example:  socratic video narrate film.mp4 --speech film.vtt -o film.narration.vtt")(narrate)
    app.add_typer(video, name="video")


def caption(
    films: Films,
    frames: Count = 0,
    words: Annotated[int, typer.Option(help="The longest sentence.", min=1)] = 40,
    speech: Said = "",
    fps: Rate = 1.0,
    budget: Limit = "",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Says in one sentence what happens, and what each frame shows."""
    from socratic.recipes.video_caption import VideoCaption
    from socratic.recipes.video_caption import video_caption as recipe

    def told(value: VideoCaption) -> str:
        return "\n    ".join([value.text, *value.lines])

    settings = {"frames": frames, "words": words, "speech": speech, "budget": _budget(budget)}
    sheet = Sheet(as_json, transcript, "socratic video caption", key="video")
    over_sources(recipe, _sources(films, fps, speech), settings, sheet, profile, no_cache, told)


def ask(
    films: Films,
    question: Annotated[str, typer.Option("-q", "--question", help="What to ask.")],
    option: Annotated[list[str] | None, typer.Option(help="An answer to choose from. Repeatable.")] = None,
    method: Annotated[str, typer.Option(help="How: search (looks again where it is unsure) or summary.")] = "search",
    start: Annotated[int, typer.Option(help="How many frames are looked at first.", min=1)] = 5,
    rounds: Annotated[int, typer.Option(help="How often more frames are looked at.", min=0)] = 3,
    most: Annotated[int, typer.Option(help="How many frames are read at all.", min=1)] = 8,
    speech: Said = "",
    fps: Rate = 1.0,
    budget: Limit = "",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Answers a question from as few frames as it needs, and says on which it rests."""
    from socratic.recipes.video_ask import VideoAnswer
    from socratic.recipes.video_ask import video_ask as recipe

    if method not in ("search", "summary"):
        raise BadInput(f"there is no method {method!r}", hint="search or summary")

    def told(value: VideoAnswer) -> str:
        return f"{question}  {value.say()}\n    {value.frames_read} frames read in {value.rounds + 1} looks"

    settings = {
        "question": question, "options": option or [], "method": method, "start": start, "rounds": rounds,
        "most": most, "speech": speech, "budget": _budget(budget),
    }  # fmt: skip
    sheet = Sheet(as_json, transcript, "socratic video ask", key="video")
    over_sources(recipe, _sources(films, fps, speech), settings, sheet, profile, no_cache, told)


def find(
    films: Films,
    text: Annotated[str, typer.Option("-t", "--text", help="What to find; `without people` is understood.")],
    frames: Count = 0,
    moments: Annotated[int, typer.Option(help="How many moments of each film are told at most.", min=1)] = 3,
    speech: Annotated[
        list[str] | None, typer.Option("--speech", help="A transcript for each film, in their order, or: beside.")
    ] = None,
    fusion: Annotated[str, typer.Option(help="How pictures and speech are weighed: rank or z.")] = "rank",
    fps: Rate = 1.0,
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Ranks films by how well a text fits them, and finds the moments that it tells of."""
    from socratic.frames import Clip
    from socratic.recipe import Row
    from socratic.recipes.video_find import video_find as recipe

    sheet = Sheet(as_json, transcript, "socratic video find", key="video")
    clips = []
    for source in _sources(films, fps, ""):
        try:
            clips.append(Clip.from_source(source))
        except SocraticError as error:
            sheet.put(Row(str(source), error=error), str)
    said = [_beside(clip.source) for clip in clips] if speech == ["beside"] else speech or []
    with ExitStack() as stack:
        opened(stack, profile, no_cache)
        value = recipe(clips, text=text, frames=frames, moments=moments, speech=said, fusion=fusion)
    for rank, film in enumerate(value.films, start=1):
        if as_json:
            sheet.line({"rank": rank, **film.as_dict()})
        else:
            typer.echo(f"{rank}. {film.source}: {', '.join(m.say() for m in film.moments)} (cosine {film.cosine:.3f})")
    sheet.remember(Row(text, value, transcript=value.transcript))
    sheet.keep()
    if sheet.failed:
        raise typer.Exit(1)


def narrate(
    films: Films,
    speech: Said = "",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="FILE.vtt for one film, else a folder.")] = None,
    rate: Annotated[float, typer.Option(help="Words per second of speech.", min=0.1)] = 2.5,
    every: Annotated[float, typer.Option(help="Longer gaps are told in parts of about so many seconds.", min=1)] = 6.0,
    least: Annotated[float, typer.Option(help="The shortest gap that is narrated, in seconds.", min=0.5)] = 2.0,
    frames: Annotated[int, typer.Option(help="How many frames of each part are looked at.", min=1)] = 2,
    fps: Rate = 1.0,
    budget: Limit = "",
    profile: Profile = "pocket",
    as_json: AsJson = False,
    transcript: Kept = None,
    no_cache: NoCache = False,
) -> None:
    """Writes lines that tell what is seen, timed to fit between what is said; as WebVTT with -o."""
    from socratic.recipes.video_narrate import Narration
    from socratic.recipes.video_narrate import video_narrate as recipe

    sources = _sources(films, fps, speech)
    if out and out.suffix == ".vtt" and len(sources) > 1:
        raise BadInput(f"{len(sources)} films do not fit into one file", hint="give -o a folder")
    written: dict[int, Path] = {}

    def write(row: Any) -> None:
        if out is not None:
            path = out if out.suffix == ".vtt" else out / f"{Path(str(row.source)).stem}.narration.vtt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(row.value.as_vtt(), encoding="utf-8")
            written[id(row.value)] = path

    def told(value: Narration) -> str:
        where = [f"see {written[id(value)]}"] if id(value) in written else []
        return "\n    ".join(["", *value.say().splitlines(), *where])

    def lines(value: Narration) -> list[Mapping[str, Any]]:
        return [{**value.as_dict(), "path": str(written[id(value)]) if id(value) in written else None}]

    settings = {"speech": speech, "rate": rate, "every": every, "least": least, "frames": frames, "budget": _budget(budget)}  # fmt: skip
    sheet = Sheet(as_json, transcript, "socratic video narrate", key="video")
    over_sources(recipe, sources, settings, sheet, profile, no_cache, told, lines, write)


def _sources(films: list[str], fps: float, speech: str) -> list[Any]:
    from socratic.frames import expand

    found = expand(films)
    if speech and len(found) > 1:
        raise BadInput(f"one transcript for {len(found)} films", hint="run each film with its own --speech")
    return [_Rated(source=f, rate=fps) if os.path.isdir(f) and fps != 1 else f for f in found]


def _beside(film: str) -> str:
    """The transcript of the same name, where there is one."""
    paths = (Path(film).with_suffix(suffix) for suffix in (".vtt", ".srt", ".txt"))
    return next((str(path) for path in paths if path.is_file()), "")


def _budget(text: str) -> Budget | None:
    return Budget.of(text) if text else None
