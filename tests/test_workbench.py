"""Profiles: checked, loaded lazily, within the memory budget."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from doubles import ScriptedEmbedder, ScriptedWriter

from socratic.errors import BadInput, BudgetExceeded, ModelUnavailable
from socratic.workbench import Workbench, open_profile, profile_names, tool_names


def profile(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profiles_are_sound(name: str) -> None:
    bench = open_profile(name, keep=False)
    assert bench.profile["description"] and bench.loaded == {}
    for capability in ("embedder", "writer"):
        assert bench.profile[capability]["tool"] in tool_names()


def test_nothing_loads_before_it_is_used_and_then_once() -> None:
    bench = open_profile("pocket", keep=False)
    assert bench.loaded == {}
    embedder = bench.tool("embedder")
    assert list(bench.loaded) == ["embedder"] and bench.tool("embedder") is embedder


def test_the_least_recently_used_tool_leaves_when_memory_is_short(tmp_path: Path) -> None:
    pocket = Path(str(files("socratic.pocket")))
    text = f'memory_gb = 0.02\n[embedder]\ntool = "open_clip"\nmodel = "local-dir:{pocket}/clip"\n[writer]\ntool = "causal_lm"\nmodel = "{pocket}/writer"\n'
    bench = open_profile(profile(tmp_path, text), keep=False)
    bench.tool("embedder")
    bench.tool("writer")
    assert list(bench.loaded) == ["writer"]
    bench.tool("embedder")
    assert list(bench.loaded) == ["embedder"]
    (tmp_path / "mine.toml").write_text(text.replace("0.02", "0.001"))
    with pytest.raises(BudgetExceeded, match="embedder alone takes"):
        open_profile(str(tmp_path / "mine.toml"), keep=False).tool("embedder")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[oracle]\ntool = 'x'", "unknown table 'oracle'"),
        ("[embedder", "cannot be read"),
    ],
)
def test_bad_profiles(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        open_profile(profile(tmp_path, text))


def test_errors_name_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no profile 'pockt'") as info:
        open_profile("pockt")
    assert "pocket" in info.value.hint
    with pytest.raises(BadInput, match="names the tool 'nothing'"):
        open_profile(profile(tmp_path, "[writer]\ntool = 'nothing'\nmodel = 'x'")).tool("writer")
    with pytest.raises(BadInput, match="colour"):
        open_profile(profile(tmp_path, "[writer]\ntool = 'causal_lm'\nmodel = 'x'\ncolour = 'red'")).tool("writer")
    with pytest.raises(ModelUnavailable, match="has no writer"):
        open_profile(profile(tmp_path, "[embedder]\ntool = 'open_clip'\nmodel = 'x'")).tool("writer")


def test_a_tool_must_have_what_its_capability_promises() -> None:
    with pytest.raises(BadInput, match="no embedder: it has no"):
        Workbench.of(embedder=ScriptedWriter([]))
    assert Workbench.of(embedder=ScriptedEmbedder()).tool("embedder")
