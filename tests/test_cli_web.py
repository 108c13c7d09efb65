"""The verb `web`: refuses before it loads, says where it is, and ends cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from doubles import ScriptedEmbedder, picture

from socratic.cli.web import _gallery
from socratic.errors import BadInput
from socratic.index import Index
from socratic.workbench import Workbench

WEB = [sys.executable, "-m", "socratic", "web"]


def test_it_refuses_other_machines_without_a_password() -> None:
    done = subprocess.run([*WEB, "--host", "0.0.0.0"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert "no password is set" in done.stderr and "--auth" in done.stderr and "Traceback" not in done.stderr


def test_it_says_where_it_is_and_ends_cleanly_at_ctrl_c(tmp_path: Path) -> None:
    env = {**os.environ, "SOCRATIC_HOME": str(tmp_path)}
    running = subprocess.Popen([*WEB, "--port", "0"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.status == 200 and b"gradio-app" in answer.read()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 0 and out == "" and "the sessions are kept" in err and "Traceback" not in err


BENCH = Workbench.of(embedder=ScriptedEmbedder())


def test_a_folder_is_indexed_and_again_when_it_grew(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.png").write_bytes(picture((1, 2, 3)).png())
    kept = _gallery(photos, BENCH, tmp_path)
    assert len(Index.load(Path(kept))) == 1
    (photos / "b.png").write_bytes(picture((4, 5, 6)).png())
    assert _gallery(photos, BENCH, tmp_path) == kept and len(Index.load(Path(kept))) == 2
    assert _gallery(Path(kept), BENCH, tmp_path) == kept, "a gallery file stays itself"


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        _gallery(tmp_path / "missing", BENCH, tmp_path)
