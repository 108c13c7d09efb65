"""The stage cache: what comes back is what went in, and no damage to it becomes an error."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from doubles import hash_vector, picture
from hypothesis import given
from hypothesis import strategies as st

from socratic.cache import MISSING, StageCache, default_path, item_key, stage_key
from socratic.values import Message, Reply, Request, Usage

ROOT = Path(__file__).parents[1]
REQUEST = Request((Message("user", "hello"),))


def kept(cache: StageCache, value: Any) -> Any:
    cache.put_many({"key": value})
    return cache.get_many(["key"])[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "stages.sqlite"


def test_the_path_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOCRATIC_CACHE", str(tmp_path / "mine.sqlite"))
    assert default_path() == tmp_path / "mine.sqlite"
    monkeypatch.delenv("SOCRATIC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_path() == tmp_path / "socratic" / "stages.sqlite"


def test_vectors_come_back_bit_by_bit(path: Path) -> None:
    vector = np.array([0.1, -0.0, np.nan, np.inf, 1e-45, 3.4e38], np.float32)
    StageCache(path).put_many({"key": vector})
    found = StageCache(path).get_many(["key"])[0]
    assert found.dtype == np.float32 and found.tobytes() == vector.tobytes()


@pytest.mark.parametrize("value", [Reply("“hé”\n\x00🦓", Usage(3, 4), finished=False), Reply(""), -12.345678901234567, 0.0, "text", None, ["a", "b"]])  # fmt: skip
def test_other_values_come_back_equal(path: Path, value: Any) -> None:
    StageCache(path).put_many({"key": value})
    assert StageCache(path).get_many(["key"]) == [value]


def test_answers_come_in_the_order_of_the_keys_with_gaps() -> None:
    cache = StageCache(":memory:")
    cache.put_many({str(i): i for i in range(0, 2000, 2)})
    found = cache.get_many([str(i) for i in range(2000)])
    assert found == [i if i % 2 == 0 else MISSING for i in range(2000)]


def test_what_was_stored_first_stays() -> None:
    cache = StageCache(":memory:")
    cache.put_many({"key": "first"})
    cache.put_many({"key": "second"})
    assert cache.get_many(["key"]) == ["first"]


def test_repeats_of_a_request_do_not_share_an_entry() -> None:
    cache = StageCache(":memory:")
    keys = [stage_key("writer", "write", replace(REQUEST, repeat=i)) for i in range(3)]
    cache.put_many({keys[0]: Reply("one"), keys[1]: Reply("two")})
    assert cache.get_many(keys) == [Reply("one"), Reply("two"), MISSING]


def test_tool_operation_and_item_are_all_in_the_key() -> None:
    keys = [stage_key(*parts) for parts in [("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "b", "x")]]
    assert len(set(keys)) == 4 and all(len(key) == 64 for key in keys)


ITEMS = st.recursive(
    st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none()),
    lambda parts: st.lists(parts, max_size=3).map(tuple),
    max_leaves=5,
)


@given(ITEMS, ITEMS)
def test_only_equal_items_share_a_key(one: Any, other: Any) -> None:
    assert (item_key(one) == item_key(other)) == (repr(one) == repr(other))


def test_a_text_cannot_pose_as_a_picture_or_a_request() -> None:
    seen = picture()
    posing = ["picture:" + seen.sha256, "request:" + REQUEST.key(), '["a"]']
    assert not {item_key(text) for text in posing} & {item_key(seen), item_key(REQUEST), item_key(("a",))}
    assert item_key((REQUEST, "yes")) != item_key((REQUEST, "no"))


def test_an_item_without_identity_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        item_key(object())


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all, but long enough" * 200, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_file_that_is_no_database_still_gives_a_working_cache(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    cache = StageCache(path)
    assert cache.get_many(["key"]) == [MISSING]
    cache.put_many({"key": "value"})
    assert cache.get_many(["key"]) == ["value"]


def test_a_file_that_is_damaged_later_only_costs_its_entries(path: Path) -> None:
    StageCache(path).put_many({str(i): "x" * 500 for i in range(300)})
    for log in path.parent.glob("*-*"):
        log.unlink()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * (size - 8192))
    cache = StageCache(path)
    assert set(cache.get_many([str(i) for i in range(300)])) <= {"x" * 500, MISSING}
    cache.put_many({"new": 1.0})


def test_a_path_that_cannot_be_written_still_gives_a_working_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "stages.sqlite", tmp_path, "/proc/stages.sqlite"):
        assert kept(StageCache(path), 0.5) == 0.5


def test_a_cache_that_only_can_be_read_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    StageCache(path).put_many({"key": "value"})
    connect = sqlite3.connect  # the tests may run as root, whom file modes do not stop
    monkeypatch.setattr(sqlite3, "connect", lambda name, **how: connect(f"file:{name}?mode=ro", uri=True, **how))
    cache = StageCache(path)
    cache.put_many({"other": "value"})
    assert cache.get_many(["key", "other"]) == ["value", MISSING]


def test_a_table_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as table:
        table.execute("CREATE TABLE stages (name TEXT)")
    assert kept(StageCache(path), 0.5) is MISSING


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("vector", b"123"),
        ("json", b'{"half'),
        ("json", b"\xff\xfe"),
        ("json", None),
        ("reply", b"[]"),
        ("reply", b'{"text": "an older version"}'),
        ("reply", b'{"text": "a newer version", "usage": {"prompt_tokens": 1, "euros": 2}, "finished": true}'),
    ],
)
def test_an_unreadable_entry_is_a_miss_and_its_neighbours_are_not(path: Path, kind: str, raw: bytes | None) -> None:
    cache = StageCache(path)
    cache.put_many({key: hash_vector(key) for key in "abyz"})
    with sqlite3.connect(path) as table:
        table.execute("INSERT INTO stages VALUES ('m', ?, ?)", (kind, raw))
    found = cache.get_many(list("abmyz"))
    assert found.pop(2) is MISSING
    assert [v.tobytes() for v in found] == [hash_vector(key).tobytes() for key in "abyz"]


def test_threads_share_a_cache(path: Path) -> None:
    cache = StageCache(path)
    found: dict[str, list[Any]] = {}

    def work(name: str) -> None:
        for i in range(50):
            cache.put_many({f"{name}{i}": f"{name}{i}", f"both{i}": i})
        found[name] = cache.get_many([f"{name}{i}" for i in range(50)] + [f"both{i}" for i in range(50)])

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {name: [f"{name}{i}" for i in range(50)] + list(range(50)) for name in "ab"}


WORK = """
import sys
from socratic.cache import StageCache
name, path = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
cache = StageCache(path)  # both open the new file at the same moment
for i in range(100):
    cache.put_many({f"{name}{i}": f"{name}{i}", f"both{i}": i})
print(cache.get_many([f"{name}{i}" for i in range(100)]) == [f"{name}{i}" for i in range(100)])
"""


def test_processes_share_a_cache(path: Path) -> None:
    command = [sys.executable, "-c", WORK]
    running = [subprocess.Popen([*command, n, str(path)], stdin=-1, stdout=-1, text=True, cwd=ROOT) for n in "abcd"]
    for process in running:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in running] == ["True\n"] * 4
    wanted = [f"{name}{i}" for name in "abcd" for i in range(100)]
    assert StageCache(path).get_many(wanted) == wanted
    assert StageCache(path).get_many([f"both{i}" for i in range(100)]) == list(range(100))
