"""The verbs `socratic experiment ablate` and `optimise`: what each piece of a prompt contributes, and better words for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from socratic.cli.sheet import NoCache
from socratic.errors import BadInput

if TYPE_CHECKING:
    from socratic.experiments.spec import Spec
    from socratic.experiments.values import Results

SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The spec, a YAML file; docs/experiments.md tells its keys.")]  # fmt: skip
Out = Annotated[Path, typer.Option("-o", "--out", help="The folder; where it is there, the work goes on.")]
PromptName = Annotated[str, typer.Option("--prompt", help="Its name or file; that of the spec's baseline when absent.")]
Metric = Annotated[str, typer.Option(help="Which one decides; the spec's primary when absent.")]
Alpha = Annotated[float, typer.Option(help="The chance of a false verdict that is allowed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def add_to(group: typer.Typer) -> None:
    """Adds these verbs to the group `socratic experiment`."""
    group.command(
        epilog="Examples:  socratic experiment ablate wording.yaml -o pieces/   |   "
        'socratic experiment ablate birds.yaml -o pieces/ --descriptors birds.json --edit "heron+=a long grey neck"'
    )(ablate)
    group.command(
        epilog="Example:  socratic experiment optimise wording.yaml --prompt caption.write --calls 200 --writer openai -o search/"
    )(optimise)


def ablate(
    spec: SpecFile,
    out: Out,
    prompt: PromptName = "",
    descriptors: Annotated[
        Path | None, typer.Option(help="Leave out descriptors of this file instead of sections of a prompt.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Another descriptor file: show how labels move from one to the other.")
    ] = None,
    edit: Annotated[
        list[str] | None,
        typer.Option(help='The same after an edit: "CLASS=text; text", "CLASS+=text" or "CLASS-=text". Repeatable.'),
    ] = None,
    reference: Annotated[str, typer.Option(help="The field that says which label is right.")] = "label",
    metric: Annotated[
        str, typer.Option(help="Which one decides; the primary one when absent. With --descriptors: label or chance.")
    ] = "",
    alpha: Alpha = 0.05,
    margin: Annotated[float | None, typer.Option(help="Contributions up to this make no difference.")] = None,
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Tells what each section of a prompt, or each descriptor of a class, contributes."""
    from socratic.experiments import ablate as pieces
    from socratic.experiments.spec import Spec

    told = Spec.load(spec)
    if descriptors is None:
        if against or edit:
            raise BadInput("--against and --edit go with --descriptors FILE", hint="name the file that is edited")
        found: Any = pieces.sections(
            told, out, prompt=prompt, metric=metric, alpha=alpha, margin=margin, run=_runner(no_cache)
        )
    else:
        found = _described(
            told, out, descriptors, against, edit or [], reference, metric or "label", alpha, margin, no_cache
        )
    _keep(found, out / "ablation.json", as_json)


def _described(spec: Spec, out: Path, file: Path, against: Path | None, changes: list[str], reference: str, metric: str, alpha: float, margin: float | None, no_cache: bool) -> Any:  # fmt: skip
    from socratic.descriptors import read_descriptors
    from socratic.experiments import ablate as pieces
    from socratic.experiments import described
    from socratic.experiments.items import read_items
    from socratic.workbench import open_profile

    given = read_descriptors(file)
    settings = {**spec.arguments, **spec.all_variants()[spec.baseline or next(iter(spec.all_variants()))].arguments}
    aggregate = str(settings.get("aggregate", "renormalised-mean"))
    items = read_items(spec, out / "pictures")
    embedder = open_profile(str(spec.located(spec.profile)), keep=not no_cache).tool("embedder")
    if not (against or changes):
        return pieces.descriptors(
            items, given, embedder, reference=reference, metric=metric, alpha=alpha, margin=margin, aggregate=aggregate
        )
    after = described.edited(read_descriptors(against) if against else given, changes)
    return pieces.edit(
        items, given, after, embedder, reference=reference, metric=metric, alpha=alpha, aggregate=aggregate
    )


def optimise(
    spec: SpecFile,
    out: Out,
    prompt: PromptName = "",
    section: Annotated[str, typer.Option(help="Word only this section of it anew.")] = "",
    calls: Annotated[
        int, typer.Option(help="How many times an item may be run in the search; the test comes on top.", min=1)
    ] = 100,
    writer: Annotated[str, typer.Option(help="The profile whose writer proposes words; the spec's when absent.")] = "",
    metric: Metric = "",
    seed: Annotated[int, typer.Option(help="Of the splits and of the search.")] = 0,
    alpha: Alpha = 0.05,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Write the file though the test does not say better.")
    ] = False,
    as_json: AsJson = False,
    no_cache: NoCache = False,
) -> None:
    """Searches for better words of a prompt, and tests them once on items that the search never saw."""
    from socratic.experiments.optimise import optimise as search
    from socratic.experiments.spec import Spec
    from socratic.workbench import open_profile

    told = Spec.load(spec)
    proposes = open_profile(writer or str(told.located(told.profile)), keep=not no_cache).tool("writer")
    found = search(
        told, out, proposes, _runner(no_cache), prompt=prompt, section=section, calls=calls, metric=metric, seed=seed,
        alpha=alpha, anyway=anyway,
    )  # fmt: skip
    _keep(found, out / "optimised.json", as_json)


def _runner(no_cache: bool) -> Callable[[Spec, Path], Results]:
    """The runner with one workbench for all runs, so that models are loaded once."""
    from socratic.experiments.runner import run
    from socratic.workbench import Workbench, open_profile

    benches: dict[str, Workbench] = {}

    def go(spec: Spec, folder: Path) -> Results:
        profile = str(spec.located(spec.profile))
        if profile not in benches:
            benches[profile] = open_profile(profile, keep=not no_cache)
        return run(spec, folder, keep=not no_cache, benches=benches)

    return go


def _keep(found: Any, file: Path, as_json: bool) -> None:
    """Prints what was found and writes it beside the run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.as_dict(), ensure_ascii=False, default=str)
    file.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    typer.echo(text if as_json else found.say())
    print(f"the same as data: {file}", file=sys.stderr)
