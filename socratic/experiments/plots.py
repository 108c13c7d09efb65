"""Pictures of numbers: differences, scores, costs, confusions and repeats, as SVG for pages and figures for notebooks.

Draws what it is given and computes nothing but places. The same numbers give the same bytes. Colours are far apart for
people who confuse red and green (Okabe & Ito 2008) and never stand alone: marks differ in shape. In a page that defines
them, colours follow its light or dark style.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from html import escape
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
INK, FAINT = "#1b1f24", "#8b9199"
BETTER, WORSE, UNSURE = "#0072b2", "#d55e00", "#6f7780"
_STYLED = {INK: "currentColor", FAINT: "var(--faint, #8b9199)", BETTER: "var(--better, #0072b2)", WORSE: "var(--worse, #d55e00)", UNSURE: "var(--unsure, #6f7780)"}  # fmt: skip
_MARKS = {"better": (BETTER, "^"), "worse": (WORSE, "v"), "same": (UNSURE, "s")}
_LONGEST = 27
_SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "socratic", "font.size": 10.5, "font.family": "sans-serif", "axes.edgecolor": FAINT, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK, "text.parse_math": False}  # fmt: skip


@dataclass(frozen=True)
class Plot:
    """A figure, and what it shows in a sentence for those who do not see it. Notebooks show it as it is."""

    name: str
    about: str
    figure: Figure = field(repr=False)

    def svg(self) -> str:
        """An `<svg>` element with text as text, without anything that changes from run to run."""
        import matplotlib as mpl

        out = io.StringIO()
        with mpl.rc_context(_SETTINGS), _unmeasured():
            self.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        return _inline(out.getvalue(), self.name, self.about)

    def _repr_svg_(self) -> str:
        return self.svg()


@dataclass(frozen=True)
class Bar:
    """A difference from the baseline: its value and the ends of its interval, in units of the metric.

    Attributes:
        verdict: `better`, `worse`, `same`; anything else is drawn as undecided.
        seen: the least difference that the data could show (minimum detectable effect); None where not known.
    """

    name: str
    value: float
    low: float
    high: float
    verdict: str = ""
    seen: float | None = None


def _settled(draw: Callable[P, Plot]) -> Callable[P, Plot]:
    """Draws with our settings, and lays out once: matplotlib would move things a little at every later drawing."""

    @wraps(draw)
    def settled(*args: P.args, **settings: P.kwargs) -> Plot:
        import matplotlib as mpl

        with mpl.rc_context(_SETTINGS), _unmeasured():
            plot = draw(*args, **settings)
            for _ in range(2):  # the first one does not know yet how much room turned labels take
                plot.figure.draw_without_rendering()
            plot.figure.set_layout_engine("none")
            return plot

    return settled


@contextmanager
def _unmeasured() -> Iterator[None]:
    """Without warnings of signs that our font lacks: text stays text, and the reader's fonts have them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


@_settled
def differences(bars: Sequence[Bar], metric: str, baseline: str, margin: float | None = None) -> Plot:
    """A forest plot (Lewis & Clarke 2001): a row per variant; the margin as a band, what could be seen as brackets."""
    figure, axes = _rows([bar.name for bar in bars])
    if margin:
        axes.axvspan(-margin, margin, color=FAINT, alpha=0.22, lw=0)
    axes.axvline(0, color=INK, lw=1)
    for y, bar in enumerate(bars):
        colour, mark = _MARKS.get(bar.verdict, (UNSURE, "o"))
        if bar.seen is not None and math.isfinite(bar.seen):
            axes.plot([-bar.seen, bar.seen], [y, y], linestyle="none", marker="|", markersize=15, color=FAINT)
        axes.plot([bar.low, bar.high], [y, y], color=colour, lw=2.4, solid_capstyle="butt")
        full = colour if bar.verdict in _MARKS else "none"
        axes.plot([bar.value], [y], marker=mark, color=colour, markersize=8, markerfacecolor=full, markeredgewidth=1.8)
    axes.set_xlabel(f"difference in {metric} from {_short(baseline)}")
    told = "; ".join(f"{b.name} {b.value:+.3f} from {b.low:+.3f} to {b.high:+.3f}" for b in bars)
    return Plot("differences", f"Differences in {metric} from {baseline}: {told}", figure)


@_settled
def distributions(scores: Mapping[str, Sequence[float]], metric: str, binary: bool = False) -> Plot:
    """The scores of each variant: shares where they are 0 or 1, else every score with quartiles."""
    figure, axes = _rows(list(scores))
    for y, values in enumerate(scores.values()):
        if binary and values:
            share = sum(values) / len(values)
            axes.barh(y, share, height=0.55, color=BETTER, alpha=0.55)
            axes.text(min(share + 0.015, 1.02), y, f"{sum(values):.0f} of {len(values)}", va="center")
        elif values:
            _strip(axes, y, values)
    if binary:
        axes.set_xlim(0, 1.2)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xlabel(f"share with {metric} 1" if binary else f"{metric}: every score, quartiles")
    told = "; ".join(f"{n}: {len(v)} scores, mean {sum(v) / len(v):.3f}" if v else f"{n}: none" for n, v in scores.items())  # fmt: skip
    return Plot("distributions", f"Scores in {metric}. {told}", figure)


@_settled
def costs(points: Mapping[str, tuple[float, float]], cost: str, metric: str) -> Plot:
    """What each variant costs against how well it does, as (cost, score); names stand in order at the right."""
    figure, axes = _canvas(max(2.4, 0.9 + 0.27 * len(points)))
    ordered = sorted(points.items(), key=lambda p: (p[1][1], p[0]))
    axes.plot([p[0] for _, p in ordered], [p[1] for _, p in ordered], linestyle="none", marker="o", color=BETTER)
    axes.margins(0.12, 0.15)
    places = (i / max(1, len(ordered) - 1) for i in range(len(ordered)))
    for (name, point), place in zip(ordered, places, strict=True):
        line = {"arrowstyle": "-", "color": FAINT, "lw": 0.7, "shrinkA": 0, "shrinkB": 4, "relpos": (0, 0.5)}
        axes.annotate(_short(name, 24), point, (1.04, place), textcoords="axes fraction", va="center", arrowprops=line)
    axes.set_xlabel(cost)
    axes.set_ylabel(metric)
    told = "; ".join(f"{n}: {x:.3g}, {y:.3f}" for n, (x, y) in points.items())
    return Plot("costs", f"{cost} and {metric}. {told}", figure)


@_settled
def repeats(means: Mapping[str, Sequence[float]], metric: str) -> Plot:
    """The mean of each repeat as a dot, and the span between them: how far luck alone moves a variant."""
    figure, axes = _rows(list(means))
    for y, values in enumerate(means.values()):
        if values:
            axes.plot([min(values), max(values)], [y, y], color=FAINT, lw=1.5)
            axes.plot(values, [y] * len(values), linestyle="none", marker="o", color=BETTER, alpha=0.75)
    axes.set_xlabel(f"mean {metric} of each repeat")
    told = "; ".join(f"{n} {min(v):.3f} to {max(v):.3f}" for n, v in means.items() if v)
    return Plot("repeats", f"Mean {metric} of each repeat: {told}", figure)


Counts = Mapping[tuple[str, str], int]
"""How often each (truth, told) came."""


def confusion(counts: Counts, labels: Sequence[str], title: str = "") -> Plot:
    """A confusion matrix: rows are the truth, columns what was told; the diagonal is right."""
    return confusions({title: counts}, labels, "confusion")


@_settled
def confusions(sides: Mapping[str, Counts], labels: Sequence[str], name: str = "confusions") -> Plot:
    """Confusion matrices side by side, such as before and after an edit, in one order of labels."""
    from matplotlib.figure import Figure

    side = 1.7 + 0.36 * len(labels)
    figure = Figure(figsize=(side * len(sides), side + 0.4), layout="constrained")
    for axes, (title, counts) in zip(figure.subplots(1, len(sides), squeeze=False)[0], sides.items(), strict=True):
        _matrix(axes, counts, labels)
        axes.set_title(_short(title, int(side * 7)), fontsize=11)
    right = {t: sum(n for (a, b), n in c.items() if a == b) for t, c in sides.items()}
    told = "; ".join(f"{title or 'all'}: {right[title]} of {sum(c.values())} right" for title, c in sides.items())
    return Plot(name, f"Confusions among {len(labels)} labels. {told}", figure)


def _matrix(axes: Axes, counts: Counts, labels: Sequence[str]) -> None:
    from matplotlib.patches import Rectangle

    for row, truth in enumerate(labels):
        total = sum(counts.get((truth, told), 0) for told in labels)
        for column, told in enumerate(labels):
            if n := counts.get((truth, told), 0):
                colour = BETTER if truth == told else WORSE
                axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=colour, alpha=0.12 + 0.5 * n / total, lw=0))  # fmt: skip
                axes.text(column, row, str(n), ha="center", va="center", fontsize=9)
    axes.set(xlim=(-0.5, len(labels) - 0.5), ylim=(len(labels) - 0.5, -0.5), xlabel="told", ylabel="truth")
    axes.set_xticks(range(len(labels)), [_short(name, 16) for name in labels], rotation=60, ha="right", rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(len(labels)), [_short(name, 16) for name in labels])
    axes.set_aspect("equal")


def _strip(axes: Axes, y: int, values: Sequence[float]) -> None:
    """Every score as a dot, equal ones beside each other, with median and quartiles over them."""
    import numpy as np

    low, middle, high = (float(q) for q in np.quantile(np.asarray(values, np.float64), [0.25, 0.5, 0.75]))
    lift = [0.3 * ((i * 0.6180339887) % 1 - 0.5) for i in range(len(values))]  # even, and the same each time
    axes.plot(values, [y + up for up in lift], linestyle="none", marker="o", markersize=3.4, color=BETTER, alpha=0.5, markeredgewidth=0)  # fmt: skip
    axes.plot([low, high], [y, y], color=INK, lw=4, alpha=0.55, solid_capstyle="butt")
    axes.plot([middle], [y], marker="|", markersize=15, color=INK, markeredgewidth=2)


def _rows(names: Sequence[str]) -> tuple[Figure, Axes]:
    """An empty figure with a row per name, the first one on top."""
    figure, axes = _canvas(0.85 + 0.36 * max(1, len(names)))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, alpha=0.25, lw=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _canvas(height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.2, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _short(name: str, longest: int = _LONGEST) -> str:
    """A name that fits beside a plot; long ones lose their middle."""
    name = _clean(name)
    half = (longest - 1) // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"


def _clean(text: str) -> str:
    """Text without the characters that XML does not know."""
    return re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+", " ", text)


def _inline(svg: str, name: str, about: str) -> str:
    """The `<svg>` element alone; its ids unlike those of other plots, its colours those of the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, style in _STYLED.items():
        svg = svg.replace(colour, style)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(_clean(about), quote=True)}"', 1)
