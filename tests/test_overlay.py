"""What is laid over a picture can be seen, lies where it should, and leaves the rest alone."""

from __future__ import annotations

import numpy as np
import pytest
from doubles import picture

from socratic.overlay import contact_sheet, overlay
from socratic.regions import Box, Mask, Region, Regions


def test_masks_tint_their_pixels_alone() -> None:
    plain = picture((200, 200, 200), size=(600, 500))
    on = np.zeros((500, 600), bool)
    on[100:200, 100:300] = True
    shown = np.asarray(overlay(plain, Regions(600, 500, (Region("", 0.9, Box(100, 100, 300, 200), Mask.of(on)),))))
    assert shown.shape == (500, 600, 3)
    assert (shown[140:160, 150:250] != 200).any(-1).all(), "inside is tinted"
    assert (shown[250:] == 200).all() and (shown[:, 350:] == 200).all(), "outside is untouched"


def test_small_pictures_are_enlarged_and_labels_stay_inside() -> None:
    shown = overlay(picture(size=(64, 48)), Regions(64, 48, (Region("dog", 0.5, Box(0, 0, 63, 47)),)))
    assert max(shown.size) >= 480 and shown.width * 48 == shown.height * 64
    assert (np.asarray(shown)[2:8, 20:60] != (200, 30, 30)).any(), "a label at the upper edge is drawn inside"


def test_one_label_has_one_colour() -> None:
    def frame(label: str) -> tuple[int, ...]:
        shown = overlay(picture(size=(600, 600)), Regions(600, 600, (Region(label, 0.5, Box(50, 200, 550, 550)),)))
        return tuple(int(v) for v in np.asarray(shown)[549, 300])

    assert frame("dog") == frame("dog") != (200, 30, 30)
    assert len({frame(label) for label in ("dog", "cat", "owl", "bus", "tent", "drum")}) > 2


def test_a_contact_sheet_holds_every_picture() -> None:
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]
    pictures = [picture(c, size=(30 + 10 * i, 40)).pil for i, c in enumerate(colours)]
    sheet = contact_sheet(
        pictures, [f"seed {i} of a very long caption that does not fit below its tile" for i in range(5)]
    )
    found = {tuple(int(v) for v in p) for p in np.asarray(sheet).reshape(-1, 3)[::7]}
    assert set(colours) <= found
    with pytest.raises(ValueError, match="1 pictures and 0 captions"):
        contact_sheet(pictures[:1], [])
