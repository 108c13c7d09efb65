"""Plots: text as text, the same bytes each time, hostile names as names; and word-level differences of prompts."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from doubles_experiments import results

from socratic.experiments import plots
from socratic.experiments.figures import figures
from socratic.experiments.plots import Bar, Plot
from socratic.experiments.values import Item
from socratic.experiments.wordings import rewordings

HOSTILE = ["$x^2$ and $", "</text><script>alert(1)</script>", "a & b < c", "tab\tand\x07bell", "名前 🦓", "'\"`" * 30]


def drawn(names: list[str]) -> list[Plot]:
    spread = {name: [0.1 * n, 0.5, 0.6] for n, name in enumerate(names)}
    return [
        plots.differences([Bar(n, 0.1, -0.1, 0.3, "better", 0.2) for n in names], "share", names[0], 0.05),
        plots.distributions(spread, "share"),
        plots.distributions({n: [0.0, 1.0, 1.0] for n in names}, "right", binary=True),
        plots.costs({n: (0.5 + i, 0.1 * i) for i, n in enumerate(names)}, "seconds", "share"),
        plots.repeats(spread, "share"),
        plots.confusion({(names[0], names[1]): 2, (names[0], names[0]): 3}, names[:2]),
    ]


def test_names_of_any_kind_stand_in_every_plot_as_text() -> None:
    for plot in drawn(HOSTILE):
        tree = ElementTree.fromstring(plot.svg())
        assert not [e for e in tree.iter() if "script" in e.tag]
        said = [e.text for e in tree.iter() if e.tag.endswith("text")]
        assert "$x^2$ and $" in said, plot.name
        assert tree.attrib["aria-label"].strip() and tree.attrib["role"] == "img"


def test_the_same_numbers_give_the_same_bytes() -> None:
    one, other = drawn(["a", "b"]), drawn(["a", "b"])
    assert [p.svg() for p in one] == [p.svg() for p in other] == [p.svg() for p in one]


def test_plots_fetch_nothing_and_share_no_id() -> None:
    whole = "".join(plot.svg() for plot in {p.name: p for p in drawn(["a", "b"])}.values())
    ids = re.findall(r'\bid="([^"]+)"', whole)
    assert len(ids) == len(set(ids))
    for address in re.findall(r'href="([^"]+)"|url\(([^)]+)\)', whole):
        assert "".join(address).startswith("#")
    assert "metadata" not in whole and "<!DOCTYPE" not in whole


def test_margin_and_detectable_difference_are_drawn_and_verdicts_differ_in_shape() -> None:
    bar = Bar("a", 0.1, 0.0, 0.2, "better")
    bare = plots.differences([bar], "share", "base").svg()
    assert plots.differences([bar], "share", "base", 0.05).svg() != bare
    assert plots.differences([replace(bar, seen=0.3)], "share", "base").svg() != bare
    worse = plots.differences([replace(bar, verdict="worse")], "share", "base").svg()
    assert "var(--better" in bare and "var(--worse" in worse
    marks = [re.findall(r'<path id="differences-m[^"]+" d="([^"]+)"', svg) for svg in (bare, worse)]
    assert marks[0] != marks[1]


def test_a_run_gives_its_plots_and_a_notebook_shows_them() -> None:
    run = results({"base": {f"i{n}": [0.0, 1.0] for n in range(8)}, "new": {f"i{n}": [1.0, 1.0] for n in range(8)}})
    items = {k: Item(k, fields={"label": "ab"[n % 2]}, group=k) for n, k in enumerate(run.items)}
    trials = {c: replace(t, value={"label": "a"}, seconds=n * 0.01) for n, (c, t) in enumerate(run.trials.items())}
    made = figures(replace(run, items=items, trials=trials))
    assert [p.name for p in made] == ["differences", "distributions", "costs", "repeats", "confusions-0"]
    assert all(p._repr_svg_().startswith("<svg") for p in made)
    assert "base: 8 of 16 right; new: 8 of 16 right" in made[-1].about


def test_only_prompts_that_differ_are_told() -> None:
    prompts = {"base": {"prompt": "one", "other": "x"}, "new": {"prompt": "two", "other": "x"}, "same": {"prompt": "one", "other": "x"}}  # fmt: skip
    found = rewordings(prompts, [("base", "new"), ("base", "same")])
    assert [(r.variant, r.argument, r.changed) for r in found] == [("new", "prompt", 2)]


def test_what_a_prompt_says_is_compared_and_its_front_matter_only_where_nothing_else_differs() -> None:
    said = {name: f"---\nname: {name}\n---\nuser:\n{words}\n" for name, words in (("a", "Say it."), ("b", "Say so."), ("c", "Say it."))}  # fmt: skip
    found = rewordings({name: {"prompt": text} for name, text in said.items()}, [("a", "b"), ("a", "c")])
    told = ["".join(p.text for p in r.pieces if p.kind != "removed") for r in found]
    assert told == ["user:\nSay so.\n", said["c"]]
