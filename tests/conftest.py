"""What tests share: the pocket workbench, shipped scenes, and a stage cache of their own. No network, no GPU."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import chromium

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SCENES = Path(__file__).parent / "scenes"
_LACKING = {
    "test_chat_tmux.py": "" if shutil.which("tmux") else "no tmux here: the chat was not tried in a terminal; apt-get install tmux",
    "test_web_browser.py": "" if chromium() else "no Chromium here: the page was not tried in a browser; `make browser` installs one",
    "test_experiments_browser.py": "" if chromium() else "no Chromium here: reports were not tried in a browser",
}  # fmt: skip
collect_ignore = [file for file, lack in _LACKING.items() if lack]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says aloud what was not tried; a test that is left out counts as nothing."""
    for lack in filter(None, _LACKING.values()):
        terminalreporter.write_line(lack)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the user's stage cache and sessions out of the tests, and the tests out of them."""
    own = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("SOCRATIC_CACHE", str(own / "stages.sqlite"))
    monkeypatch.setenv("SOCRATIC_HOME", str(own / "home"))


@pytest.fixture
def pocket() -> Iterator[object]:
    """The pocket workbench, fresh, with a cache in memory, used by every recipe of the test."""
    from socratic.workbench import open_profile

    with open_profile("pocket", keep=False).used() as bench:
        yield bench


@pytest.fixture(scope="session")
def scenes() -> dict[str, list[dict[str, object]]]:
    """The shipped held-out scenes by kind: `single`, `withheld`, `mixed`; each with its picture and truth."""
    from PIL import Image

    from socratic.values import Picture

    found: dict[str, list[dict[str, object]]] = {}
    for kind in ("single", "withheld", "mixed"):
        sheet = Image.open(SCENES / f"{kind}.png").convert("RGB")
        rows = [json.loads(line) for line in (SCENES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()]
        for row in rows:
            x, y, side = row["tile"]
            tile = sheet.crop((x, y, x + side, y + side))
            row["picture"] = Picture.of(tile, f"{kind}-{row['seed']}")
        found[kind] = rows
    return found


@pytest.fixture
def openai_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a server that is no hosted one."""
    from loopback_cases import KEY

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture(scope="module")
def server() -> Iterator[object]:
    """A server double on a loopback port, for the tests of one file."""
    from loopback_server import serving

    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def scene_file(
    scenes: dict[str, list[dict[str, object]]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, object]]:
    """A shipped scene of one thing as a picture file, and its truth."""
    item = scenes["single"][0]
    path = tmp_path_factory.mktemp("pictures") / "one.png"
    item["picture"].pil.save(path)  # type: ignore[attr-defined]
    return path, item


@pytest.fixture
def fresh_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets the vectors of texts, which are planted anew from test to test under one fingerprint."""
    from socratic import vocabulary

    monkeypatch.setattr(vocabulary, "_matrices", {})
