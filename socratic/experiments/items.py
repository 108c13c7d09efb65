"""Reads the data of an experiment into items: folders, tables, COCO, Hugging Face data on disk. Runs and scores nothing.

Keys are stable from run to run: a field that tells them, else the picture's name, else a hash of the row. Pictures that
stand in no file of their own are written to the folder that is given, named after their content.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from socratic import images
from socratic.errors import BadInput, ModelUnavailable
from socratic.experiments.drawn import drawn
from socratic.experiments.pictures import kept
from socratic.experiments.spec import Spec
from socratic.experiments.values import Item

PICTURE_FIELDS = ("picture", "image", "path", "file_name", "image_path")
KEY_FIELDS = ("key", "id", "question_id")
Row = dict[str, Any]


def read_items(spec: Spec, pictures: Path | None = None) -> dict[str, Item]:
    """The items of a spec by key, in the order of the data, or shuffled; of a limit only the first.

    Args:
        pictures: the folder for pictures that are drawn or stand within the data; a temporary one when absent.

    Raises:
        BadInput: the data cannot be read, two rows have one key, or there is no row.
        ModelUnavailable: a package that reads it is missing.
    """
    store = pictures or Path(tempfile.mkdtemp(prefix="socratic-pictures-"))
    data = spec.data
    found: dict[str, Item] = {}
    enough = spec.limit if spec.shuffle is None else None
    for place, row in enumerate(islice(_rows(spec, store), enough), start=1):
        item = _item(spec, row, place, store)
        if item.key in found:
            hint = "keys tell rows apart: write `key: FIELD` under data, with a field that differs in each row"
            raise BadInput(f"data: rows {list(found).index(item.key) + 1} and {place} both have the key {item.key!r}", hint=hint)  # fmt: skip
        found[item.key] = item
    if not found:
        raise BadInput(f"data: there is no item in the {data.source}", hint="see that the path and the split are right")
    keys = list(found)
    if spec.shuffle is not None:
        random.Random(f"items-{spec.shuffle}").shuffle(keys)
    return {key: found[key] for key in keys[: spec.limit]}


def _rows(spec: Spec, store: Path) -> Iterator[Row]:
    """The rows as the data has them; the picture of each is a path, or an object with its bytes."""
    data = spec.data
    match data.source:
        case "folder":
            yield from _folder(spec.path(data.folder or ""))
        case "jsonl":
            yield from _jsonl(spec.path(data.jsonl or ""))
        case "csv":
            yield from _csv(spec.path(data.csv or ""))
        case "parquet":
            yield from _parquet(spec.path(data.parquet or ""))
        case "coco":
            assert data.coco
            yield from _coco(spec.path(data.coco.annotations), spec.path(data.coco.pictures))
        case "datasets":
            assert data.datasets
            yield from _datasets(spec.path(data.datasets.path), data.datasets.split)
        case "drawn":
            assert data.drawn
            yield from drawn(data.drawn, store)
        case _:
            yield from (dict(row) for row in data.items or ())


def _item(spec: Spec, row: Row, place: int, store: Path) -> Item:
    data = spec.data
    for chosen, what in ((data.picture, "picture"), (data.key, "key"), (data.group, "group")):
        if chosen and chosen not in row:
            raise BadInput(f"data: row {place} has no field {chosen!r}, which `{what}` names", hint=f"its fields: {', '.join(row)}")  # fmt: skip
    field = data.picture or next((f for f in PICTURE_FIELDS if row.get(f)), "")
    given = row.get(field) if field else None
    name = (
        given if isinstance(given, str) else str((given or {}).get("path") or "") if isinstance(given, Mapping) else ""
    )
    picture = str(_picture(given, _home(spec), store)) if given else ""
    fields = {k: v for k, v in row.items() if k != field}
    told = data.key or next((f for f in KEY_FIELDS if row.get(f) not in (None, "")), "")
    key = str(row[told]) if told else name or _hash(fields, picture)
    group = str(row[data.group]) if data.group else str(row.get("group") or "") or name or (Path(picture).name or key)
    return Item(key, picture, fields, group)


def _home(spec: Spec) -> Path:
    """The folder from which the data names its pictures."""
    file = spec.data.jsonl or spec.data.csv or spec.data.parquet
    return spec.path(file).parent if file else spec.path(".")


def _picture(given: Any, home: Path, store: Path) -> Path:
    if isinstance(given, Mapping) and given.get("bytes"):
        return kept(bytes(given["bytes"]), store)
    if isinstance(given, Mapping):
        given = given.get("path")
    if isinstance(given, (str, Path)):
        return (home / Path(given)).resolve()
    if hasattr(given, "convert"):
        return kept(images.load(given).png(), store)
    raise BadInput(f"data: a picture is a path or the bytes of one, not {type(given).__name__}", hint="write `picture: FIELD` under data")  # fmt: skip


def _hash(fields: Mapping[str, Any], picture: str) -> str:
    said = json.dumps(fields, sort_keys=True, default=str)
    return hashlib.sha256(f"{said}\n{Path(picture).name}".encode()).hexdigest()[:12]


def _folder(folder: Path) -> Iterator[Row]:
    """Pictures by name, each with the text of the .txt file beside it, where there is one."""
    if not folder.is_dir():
        raise BadInput(f"data: there is no folder {folder}", hint="write data: {folder: PATH}, from the spec's folder")
    for file in map(Path, images.expand([folder])):
        said = file.with_suffix(".txt")
        text = {"text": said.read_text(encoding="utf-8-sig", errors="replace").strip()} if said.is_file() else {}
        yield {"picture": str(file.resolve()), "id": file.name, **text, "group": file.name}


def _jsonl(file: Path) -> Iterator[Row]:
    for number, line in enumerate(_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{file}: line {number} is not JSON: {error}", hint="an object per line") from error
        if not isinstance(row, dict):
            raise BadInput(f"{file}: line {number} is no object", hint='e.g. {"image": "a.jpg", "question": "…"}')
        yield row


def _csv(file: Path) -> Iterator[Row]:
    """Rows by the names of the first line. What stands in a cell is text."""
    rows = csv.DictReader(_text(file).splitlines(keepends=True))
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise BadInput(f"{file}: row {number} has another number of cells than the first", hint="quote commas")
        yield dict(row)


def _parquet(file: Path) -> Iterator[Row]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ModelUnavailable("parquet needs pyarrow", hint="pip install -c constraints.txt '.[experiment]'") from error  # fmt: skip
    try:
        batches = parquet.ParquetFile(file).iter_batches()
        yield from (row for batch in batches for row in batch.to_pylist())
    except (OSError, ValueError) as error:
        raise BadInput(f"data: {file} cannot be read: {error}", hint="wanted a parquet file") from error


def _datasets(folder: Path, split: str) -> Iterator[Row]:
    """The rows of `datasets.load_from_disk`, pictures as the bytes that are stored."""
    try:
        import datasets
    except ImportError as error:
        raise ModelUnavailable("Hugging Face data need the package `datasets`", hint="pip install datasets") from error
    try:
        table: Any = datasets.load_from_disk(str(folder))
    except (OSError, ValueError) as error:
        raise BadInput(f"data: {folder} holds no data set: {error}", hint="write one with save_to_disk") from error
    if isinstance(table, dict):
        if (split or "") not in table:
            raise BadInput(f"data: {folder} holds the splits {', '.join(table)}", hint=f"write datasets: {{path: …, split: {next(iter(table), '…')}}}")  # fmt: skip
        table = table[split]
    for name, feature in table.features.items():
        if isinstance(feature, datasets.Image):
            table = table.cast_column(name, datasets.Image(decode=False))
    classes = {n: f.names for n, f in table.features.items() if isinstance(f, datasets.ClassLabel)}
    for row in table:
        yield {**row, **{n: names[row[n]] for n, names in classes.items() if row[n] is not None and row[n] >= 0}}


def _coco(file: Path, folder: Path) -> Iterator[Row]:
    """A row per picture: `captions`, or `objects` with name and box (x0 y0 x1 y1 in pixels), and `counts`."""
    try:
        told = json.loads(_text(file))
        names = {c["id"]: str(c["name"]) for c in told.get("categories", [])}
        rows = {i["id"]: {"picture": str((folder / i["file_name"]).resolve()), "id": i["file_name"], "width": i.get("width"), "height": i.get("height"), "group": i["file_name"]} for i in told["images"]}  # fmt: skip
        for note in told["annotations"]:
            row = rows[note["image_id"]]
            if "caption" in note:
                row.setdefault("captions", []).append(note["caption"])
            else:
                x, y, w, h = note["bbox"]
                thing = {"name": names[note["category_id"]], "box": [x, y, x + w, y + h], "crowd": bool(note.get("iscrowd"))}  # fmt: skip
                row.setdefault("objects", []).append(thing)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"data: {file} is not COCO's: {error!r}", hint="captions or instances as COCO has them") from error  # fmt: skip
    for row in rows.values():
        objects = row.setdefault("objects", []) if names else []
        counts = {"counts": {n: sum(o["name"] == n for o in objects) for n in dict.fromkeys(o["name"] for o in objects)}} if names else {}  # fmt: skip
        yield {**row, **counts}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"data: {file} cannot be read: {error}", hint="paths are named from the spec's folder") from error  # fmt: skip
