"""Things with boxes as a language model writes them in JSON; checked one by one, in whatever unit the prompt asks for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator


class PlacedThing(BaseModel):
    """A thing and where it stands: x, y of the upper left corner, width, height."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    what: str = Field(min_length=1, max_length=200)
    box: list[float] = Field(min_length=4, max_length=4)

    @field_validator("box")
    @classmethod
    def _has_a_size(cls, box: list[float]) -> list[float]:
        if box[2] <= 0 or box[3] <= 0:
            raise ValueError("a box is [x, y, width, height], and width and height are above 0")
        return box


Placed = Annotated[list[PlacedThing], Field(min_length=1, max_length=40)]
"""What the field kind `boxes` of a reply holds."""
