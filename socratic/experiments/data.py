"""Where the items of an experiment come from, as a spec writes it under `data`. Reads nothing: `items.py` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_PLAIN = ConfigDict(extra="forbid", frozen=True)
SOURCES = ("folder", "jsonl", "csv", "parquet", "coco", "datasets", "drawn", "items")


class Drawn(BaseModel):
    """Scenes of the pocket world, drawn anew: `count` of them from the seed `first` on.

    Attributes:
        questions: about each scene.
        asked: `told` for questions that a caption answers, `seen` for one of each kind that only the picture answers.
    """

    model_config = _PLAIN
    count: int = Field(ge=1, le=100_000)
    first: int = Field(default=0, ge=0)
    kind: Literal["mixed", "single", "withheld"] = "mixed"
    split: Literal["train", "test"] = "test"
    size: int = Field(default=192, ge=16, le=1024)
    questions: int = Field(default=1, ge=1, le=12)
    asked: Literal["told", "seen"] = "told"


class Coco(BaseModel):
    """An annotation file of COCO's captions or instances, and the folder of its pictures."""

    model_config = _PLAIN
    annotations: str
    pictures: str


class OnDisk(BaseModel):
    """A Hugging Face data set as `save_to_disk` wrote it."""

    model_config = _PLAIN
    path: str
    split: str = ""


class Data(BaseModel):
    """Where items come from: exactly one source, and which of its fields tell the picture, the key and the group."""

    model_config = _PLAIN
    folder: str | None = None
    jsonl: str | None = None
    csv: str | None = None
    parquet: str | None = None
    coco: Coco | None = None
    datasets: OnDisk | None = None
    drawn: Drawn | None = None
    items: tuple[dict[str, Any], ...] | None = None
    picture: str = ""
    key: str = ""
    group: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        """A path alone, or a list of items or pictures."""
        if isinstance(given, (str, Path)):
            kind = Path(given).suffix.lower().removeprefix(".").replace("ndjson", "jsonl")
            return {kind if kind in ("jsonl", "csv", "parquet") else "folder": str(given)}
        if isinstance(given, Sequence):
            return {"items": [dict(i) if isinstance(i, Mapping) else {"picture": str(i)} for i in given]}
        if isinstance(given, Mapping) and isinstance(given.get("datasets"), str):
            return {**given, "datasets": {"path": given["datasets"]}}
        return given

    @property
    def source(self) -> str:
        """The kind of source that is given."""
        return next(name for name in SOURCES if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one(self) -> Data:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"wants exactly one of {', '.join(SOURCES)}, and has {', '.join(given) or 'none'}")
        return self
