"""The report: one page that needs nothing else, trusts nothing, shows what changed first; and its other forms."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from doubles_experiments import results
from PIL import Image

from socratic.errors import BadInput
from socratic.experiments import page
from socratic.experiments.exports import plain
from socratic.experiments.report import write, write_against, write_one
from socratic.experiments.snapshot import Snapshot
from socratic.experiments.thumbnails import Thumbnails, drawn_of
from socratic.experiments.values import Cell, Item, Metric, Results

HOSTILE = '</script><script>alert(1)</script>"><img src=https://evil.example onerror=alert(1)>{{ 7*7 }} | `x` [a](https://evil.example)\x07'
TURN = {"name": HOSTILE, "speaker": HOSTILE, "text": HOSTILE, "asked": HOSTILE, "prompt": HOSTILE, "evidence": {HOSTILE: 1}}  # fmt: skip


class Seen(HTMLParser):
    """What a browser would see: tags with their attributes, and text outside of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self._in = "", ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        self.text += "" if self._in in ("script", "style") else data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def run(tmp_path: Path) -> Results:
    """Twelve items with pictures, a better variant, a control; one item lost, one trial failed; boxes are found."""
    for n in range(12):
        Image.effect_noise((240, 180), 60 + n).convert("RGB").save(tmp_path / f"{n}.png")
    keys = [f"i{n:02}" for n in range(12)]
    base = {k: [0.0, 0.0] if n > 2 else [1.0, 1.0] for n, k in enumerate(keys)}
    new = {k: [1.0, 1.0] if n else [0.0, 0.0] for n, k in enumerate(keys)}
    made = results({"base": base, "new": new, "control: x": dict.fromkeys(keys, [0.0, 0.0])}, controls=["control: x"], said="{variant} said")  # fmt: skip
    items = {k: Item(k, str(tmp_path / f"{n}.png"), {"caption": "a lemon"}, k) for n, k in enumerate(keys)}
    found = {"width": 240, "height": 180, "regions": [{"label": "dog", "score": 0.9, "box": [20, 20, 120, 120]}]}
    failed, boxed = Cell("new", "i05", 1), Cell("new", "i00", 0)
    error = {"type": "ReplyError", "message": "unread", "hint": "raise max_tokens"}
    trials = {c: replace(t, error=error) if c == failed else replace(t, value=found) if c == boxed else t for c, t in made.trials.items()}  # fmt: skip
    prompts = {"base": {"prompt": "Write one caption."}, "new": {"prompt": "Write a caption."}}
    return replace(made, items=items, trials=trials, prompts=prompts, spec={"recipe": "caption"}, folder=str(tmp_path))


def hostile(run: Results) -> Results:
    """The same with hostile text wherever text can be."""

    def cell(c: Cell) -> Cell:
        return Cell(c.variant + HOSTILE, c.item + HOSTILE, c.repeat)

    error = {"type": HOSTILE, "message": HOSTILE, "hint": HOSTILE}
    trials = {cell(c): replace(t, cell=cell(c), said=HOSTILE, value={"label": HOSTILE}, error=error if t.error else None, transcript={"turns": [TURN]}) for c, t in run.trials.items()}  # fmt: skip
    items = {k + HOSTILE: Item(k + HOSTILE, i.picture, {HOSTILE: HOSTILE, "label": HOSTILE}, k) for k, i in run.items.items()}  # fmt: skip
    return replace(
        run, name=HOSTILE, spec={HOSTILE: HOSTILE}, items=items, trials=trials,
        metrics={HOSTILE: Metric(HOSTILE, HOSTILE)}, scores={HOSTILE: {cell(c): s for c, s in run.scores["right"].items()}},
        variants={v + HOSTILE: {} for v in run.variants}, baseline="base" + HOSTILE, primary=HOSTILE,
        controls=tuple(c + HOSTILE for c in run.controls),
        prompts={v + HOSTILE: {HOSTILE: v + HOSTILE} for v in run.variants},
    )  # fmt: skip


def test_the_page_says_what_was_found_and_shows_what_changed_first(run: Results) -> None:
    html = page.render(page.view(run, margin=0.05))
    seen = Seen(html)
    for text in ("“new” is better than “base” by right", "control", "Write", "unread", "raise max_tokens", "recipe: caption", "socratic experiment report"):  # fmt: skip
        assert text in re.sub(r"\s+", " ", seen.text)
    keys = re.findall(r'<p class="key">(.*?)</p>', html)
    assert keys[0] == "i00" and set(keys[-2:]) == {"i01", "i02"} and len(keys) == 12
    assert "<del>one</del><ins>a</ins>" in html
    assert seen.all("article")[0]["data-tags"] == "1:worse 2:worse"
    assert html.index("“new” is better") < html.index("<table>") < html.index("<svg") < html.index("<article")


def test_boxes_are_drawn_and_pictures_are_there(run: Results) -> None:
    shown = page.view(run)
    first = shown.deck.cards[0]
    boxed = first.columns[1].answers[0].pictures
    assert len(boxed) == 1 and first.picture is not None and boxed[0].url != first.picture.url
    urls = [i["src"] or "" for i in Seen(page.render(shown)).all("img")]
    assert len(urls) == 13 and all(u.startswith("data:image/webp;base64,") for u in urls)


@pytest.mark.parametrize("kind", ["run", "two"])
def test_nothing_of_the_data_becomes_markup_or_is_fetched(run: Results, kind: str) -> None:
    bad = hostile(run)
    html = page.render(page.view(bad) if kind == "run" else page.view_against(bad, bad))
    seen = Seen(html)
    assert [s.get("type") for s in seen.all("script")] == ["application/json", None]
    assert html.count("</script>") == 2 and "{{ 7*7 }}" in seen.text
    assert not [a for _, attributes in seen.tags for a in attributes if a.startswith("on")]
    for tag, attributes in seen.tags:
        assert tag not in ("link", "iframe", "object", "base", "a", "audio", "video")
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
            assert (attributes.get(name) or "#").startswith(("data:image/webp", "#")), (tag, attributes)
    assert all(address.startswith("#") for address in re.findall(r"url\(([^)]*)", html))
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert data and json.loads(data[1])["comparison"]["metric"]["name"] == HOSTILE


def test_only_the_pages_own_script_may_run(run: Results) -> None:
    import base64
    import hashlib

    html = page.render(page.view(run))
    (policy,) = [m["content"] or "" for m in Seen(html).all("meta") if m.get("http-equiv")]
    script = html[html.rindex("<script>") + 8 : html.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy and f"script-src 'sha256-{digest}'" in policy


def test_the_same_run_gives_the_same_files(run: Results, tmp_path: Path) -> None:
    one, other = write(run, tmp_path / "a").parent, write(run, tmp_path / "b").parent
    for name in ("report.html", "report.md", "results.json", "junit.xml"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    assert str(tmp_path) not in (one / "report.html").read_text(encoding="utf-8")


def test_pictures_keep_to_their_budget_and_what_is_left_out_is_told(run: Results) -> None:
    picture = run.items["i00"].picture
    one = Thumbnails()
    size = len(one.of(picture).url)
    few = Thumbnails(budget=3 * size)
    made = [few.of(run.items[k].picture) for k in run.items]
    assert few.spent <= few.budget and few.left_out == sum(not t.url for t in made) > 0
    assert "too large" in made[-1].why
    assert Thumbnails().of("no such file.png").why.startswith("not shown")
    assert drawn_of("../secret.png", run.folder) == "" and drawn_of("pictures/a.png", run.folder)


def test_a_page_of_many_items_shows_some_and_says_so(run: Results) -> None:
    shown = page.view(run, most=5)
    assert len(shown.deck.cards) == 5
    assert "5 of 12 items are on this page; the others changed less" in Seen(page.render(shown)).text


def test_markdown_keeps_hostile_text_as_text(run: Results, tmp_path: Path) -> None:
    text = (write(hostile(run), tmp_path / "out").parent / "report.md").read_text(encoding="utf-8")
    assert (
        "<script" not in text and "<img" not in text and "https://" not in text and not re.search(r"(?<!\\)\]\(", text)
    )
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1 and len(rows) == 5
    assert plain("# not a heading\n- nor a list") == "\\# not a heading - nor a list"


def test_junit_fails_on_worse_alone_and_is_sound_xml(run: Results, tmp_path: Path) -> None:
    worse = replace(run, baseline="new")
    tree = ElementTree.parse(write(hostile(run), tmp_path / "a").parent / "junit.xml")
    assert len(list(tree.iter("testcase"))) == 2 and not list(tree.iter("failure"))
    tree = ElementTree.parse(write(worse, tmp_path / "b").parent / "junit.xml")
    outcome = {c.attrib["name"]: [e.tag for e in c if e.tag != "system-out"] for c in tree.iter("testcase")}
    assert outcome == {"base: right": ["failure"], "control: x: right": []}


def test_results_json_is_read_again_whole(run: Results, tmp_path: Path) -> None:
    home = write(run, tmp_path / "out").parent
    again = Snapshot.load(home / "results.json")
    assert again.results.scores == {"right": dict(run.scores["right"])} and set(again.results.items) == set(run.items)
    assert again.items == Snapshot.of(run).items and all(again.items.values())
    told: dict[str, Any] = json.loads((home / "results.json").read_text())
    assert told["comparisons"][0]["contrasts"][0]["verdict"] == "better"


def test_two_runs_stand_side_by_side(run: Results, tmp_path: Path) -> None:
    better = {c: 1.0 if c.variant == "base" else s for c, s in run.scores["right"].items()}
    prompts = {**run.prompts, "base": {"prompt": "Write two captions."}}
    newer = replace(run, scores={"right": better}, prompts=prompts)
    view = write_against(run, newer, tmp_path / "compared.html")
    html = (tmp_path / "compared.html").read_text(encoding="utf-8")
    assert "better: “base”; equal: “new”" in view.headline
    assert [side.name for side in view.sides] == ["base, old", "base, new", "new, old", "new, new"]
    assert "<ins>two</ins>" in html and "control: x" not in re.findall("<b>(.*?)</b>", html)


def test_wrong_use_is_said(run: Results, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing was scored"):
        write(replace(run, metrics={}, scores={}), tmp_path)
    with pytest.raises(BadInput, match=r"\.html"):
        write_one(run, tmp_path / "report.pdf")
    with pytest.raises(BadInput, match="in memory"):
        write(replace(run, folder=""))
