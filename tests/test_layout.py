"""The tree is the architecture: direction of imports, flatness, file size, and names."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("socratic", "tools", "recipes", "pocket", "prompts")
# Each module may import those of earlier lines, and of its own line only where named in the same row of PEERS.
DIRECTION = [
    {"values", "errors", "torchvision_guard", "decoding"},
    {"regions", "device", "budget", "english", "plan", "placed", "conditions", "fusion"},
    {"tasks", "claims"},
    {"clauses"},
    {
        "locks",
        "template",
        "wording",
        "patches",
        "capability",
        "images",
        "question",
        "reply",
        "cache",
        "gather",
        "guided",
        "descriptors",
        "frontmatter",
        "progress",
    },
    {"frames", "speech", "pairs", "coco", "sections", "slots"},
    {"prompt", "hub", "tool", "vocabulary", "transcript"},
    {
        "ask",
        "consult",
        "eyes",
        "doubt",
        "crops",
        "examples",
        "gallery",
        "features",
        "index",
        "overlay",
        "schema",
        "weights",
    },
    {"evidence", "indexing"},
    {"viewing"},
    {"recipe", "interop"},
    {"workbench", "frozen"},
    {"inventory"},
    {"named"},
    {"chat_model"},
    {"assistant"},
    {"chat", "mcp", "web", "experiments"},
    {"cli"},
    {"__main__", "__init__"},
]
PEERS = {("hub", "cache"), ("recipe", "interop"), ("interop", "recipe"), ("interop", "hub"), ("interop", "schema")}
PACKAGES = {
    "assistant": [
        {"store"}, {"album", "kept"}, {"room", "shows"}, {"offers", "seeing"}, {"own_tools", "guards", "engine"},
        {"numbers"}, {"conversation"}, {"behind"}, {"__init__"}, {"moving"}, {"cassette", "freeze"},
    ],
    "chat": [{"__init__"}, {"line", "screen"}, {"talk"}, {"commands"}, {"prompt"}],
    "mcp": [{"__init__"}, {"files"}, {"offers"}, {"operations", "results"}, {"chat"}, {"server", "transport"}],
    "web": [
        {"guard", "turns"}, {"sessions", "panes"}, {"routes", "parts"}, {"shelf"}, {"desk"}, {"page"}, {"__init__"},
    ],
    "experiments": [
        {"values", "data", "pictures"}, {"drawn"}, {"spec", "statistics", "scorers", "plots"}, {"items", "scorers_text", "scorers_things", "scorers_boxes", "scorers_seen", "pairing"}, {"verdicts", "scorers_judge"},
        {"store", "controls", "splits", "made_from"}, {"plan"}, {"runner"}, {"table", "forecast", "headline"}, {"thumbnails", "wordings", "snapshot"}, {"cards", "gate"}, {"figures"}, {"page"}, {"exports"}, {"report"},
        {"confusion", "described", "edits"}, {"ablate", "proposals"}, {"optimise"}, {"__init__"},
    ],
    "cli": [
        {"house", "sheet"}, {"report", "improve"}, {"prompts", "experiment", "chat", "sessions", "mcp", "web", "suite", "run"},
        {"words", "ask", "pictures", "generate", "retrieve", "video", "data"}, {"check"}, {"__init__"},
    ],
}  # fmt: skip
"""The same for the parts of the packages."""
INSIDE = sorted(p for name in PACKAGES for p in (ROOT / "socratic" / name).glob("*.py"))
SOURCES = sorted([*(p for f in FOLDERS for p in (ROOT / f).glob("*.py")), *INSIDE])
LIMIT = 300


def imported(path: Path) -> set[str]:
    """The modules of this project that a file imports, also inside functions; not those for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checked_only = {
        id(n)
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.dump(guard.test)
        for n in ast.walk(guard)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in checked_only:
            continue
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{a.name}" for a in node.names} | {node.module}
    return {name for name in found if name.split(".")[0] == "socratic"}


def rank(module: str) -> int:
    return next(i for i, names in enumerate(DIRECTION) if module in names)


def engine_modules(path: Path) -> set[str]:
    names = {name.split(".")[1] for name in imported(path) if name.count(".")}
    return {n for n in names if (ROOT / "socratic" / f"{n}.py").is_file() or n in PACKAGES}


@pytest.mark.parametrize("path", sorted((ROOT / "socratic").glob("*.py")), ids=lambda p: p.stem)
def test_engine_imports_only_what_stands_below(path: Path) -> None:
    for other in engine_modules(path) - {path.stem}:
        assert rank(other) < rank(path.stem) or (path.stem, other) in PEERS, f"{path.stem} imports {other}"


@pytest.mark.parametrize("path", INSIDE, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_packages_stand_on_the_engine_and_their_parts_on_each_other(path: Path) -> None:
    package = path.parent.name
    height = {name: n for n, names in enumerate(PACKAGES[package]) for name in names}
    for name in imported(path):
        _, home, *rest = [*name.split("."), ""]
        if home == package and rest[0] in height:
            assert height[rest[0]] < height[path.stem], f"{path.stem} imports {rest[0]}"
    for other in engine_modules(path) - {package}:
        assert rank(other) < rank(package), f"{path.stem} imports {other}"


@pytest.mark.parametrize("path", [*sorted((ROOT / "socratic").glob("*.py")), *INSIDE], ids=lambda p: f"{p.parent.name}/{p.stem}")  # fmt: skip
def test_engine_knows_no_tool_recipe_or_pocket_by_name(path: Path) -> None:
    if path.parent.name == "cli":
        return
    for name in imported(path):
        assert not name.startswith(("socratic.tools.", "socratic.recipes.", "socratic.pocket.")), f"{path.name}: {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.py")), ids=lambda p: p.stem)
def test_recipes_ask_capabilities_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for banned in (
        "import torch",
        "open_clip",
        "transformers",
        "socratic.tools",
        "socratic.pocket",
        "socratic.workbench",
    ):
        assert banned not in text, f"{path.name} reaches for {banned}"


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("[a-z]*.py")), ids=lambda p: p.stem)
def test_recipes_open_with_their_paper_steps_and_limits_and_read_in_one_screen(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = ast.get_docstring(tree) or ""
    assert re.search(r"(?:et al\.|&|[A-Z]\w+) \d{4}", told), "name the paper it follows, with its year"
    assert "\n1. " in told or "\n- `" in told, "tell its steps"
    assert "imits" in told, "tell its limits"
    (recipe,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and any(getattr(d, "id", "") == "recipe" for d in n.decorator_list)]  # fmt: skip
    assert (recipe.end_lineno or 0) - recipe.body[1].lineno < 40, "steps fit one screen; move parts below"


def test_recipes_that_use_others_form_no_circle() -> None:
    uses = {p.stem: {n.split(".")[2] for n in imported(p) if n.count(".") > 1 and n.startswith("socratic.recipes.")} for p in (ROOT / "recipes").glob("*.py")}  # fmt: skip
    TopologicalSorter(uses).prepare()


@pytest.mark.parametrize("path", sorted((ROOT / "tools").glob("*.py")), ids=lambda p: p.stem)
def test_tools_import_the_engine_and_no_sibling(path: Path) -> None:
    for name in imported(path):
        if name.startswith("socratic.tools._"):  # a part of one family, kept in a file of its own
            continue
        assert not name.startswith(("socratic.tools.", "socratic.recipes", "socratic.pocket", "socratic.workbench")), (
            name
        )


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_files_are_short_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LIMIT, "split it by value, family or verb"
    assert ast.get_docstring(ast.parse(text)), "open with what it is and what it does not do"


@pytest.mark.parametrize("folder", ["tools", "prompts", "recipes"])
def test_shipped_folders_are_flat(folder: str) -> None:
    """A nested folder would be left out of the wheel without a word."""
    nested = [p.name for p in (ROOT / folder).iterdir() if p.is_dir() and p.name != "__pycache__"]
    assert nested == []


@pytest.mark.parametrize("folder", ["tools", "prompts", "recipes", "pocket"])
def test_links_stand_inside_the_package(folder: str) -> None:
    link = ROOT / "socratic" / folder
    assert link.is_symlink() and link.resolve() == ROOT / folder


def test_every_engine_module_has_a_test_file() -> None:
    missing = [
        p.stem
        for p in (ROOT / "socratic").glob("*.py")
        if not p.stem.startswith("__") and not (ROOT / "tests" / f"test_{p.stem}.py").is_file()
    ]
    assert missing == []


def test_nothing_executes_text_or_loads_code() -> None:
    """No eval, exec, pickle or remote code anywhere in the shipped sources."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                assert name not in ("eval", "exec", "compile", "__import__"), f"{path.name}:{node.lineno}"
                for keyword in node.keywords:
                    value = getattr(keyword.value, "value", None)
                    assert not (keyword.arg == "trust_remote_code" and value is not False), f"{path.name}:{node.lineno}"
                    assert not (keyword.arg == "weights_only" and value is not True), f"{path.name}:{node.lineno}"
                    assert not (keyword.arg == "shell" and value is not False), f"{path.name}:{node.lineno}"


def test_importing_the_package_is_light() -> None:
    """No torch, no langchain, and less than 0.3 s of CPU time beyond the bare interpreter."""
    code = (
        "import time, sys; t = time.process_time(); import socratic; spent = time.process_time() - t;"
        "heavy = {'torch', 'langchain', 'langchain_core', 'transformers', 'openai'} & set(sys.modules);"
        "print(spent, sorted(heavy))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
        for _ in range(3)
    ]
    assert all(run.split(" ", 1)[1].strip() == "[]" for run in runs), runs
    assert min(float(run.split()[0]) for run in runs) < 0.3, runs
