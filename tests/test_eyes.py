"""What an embedder says of a picture: labels, judgements, and the level that means something; with planted vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from doubles import ScriptedEmbedder, hash_vector, picture

from socratic.descriptors import noise
from socratic.errors import BadInput, SocraticError
from socratic.eyes import NEUTRAL_PAIRS, Eyes, neutral_level
from socratic.tool import operation
from socratic.transcript import Transcript
from socratic.values import Vector

SHOWN = picture()


def eyes(past: Any = None, **texts: Any) -> Eyes:
    planted = {f"a {name}": vector for name, vector in texts.items()}
    embedder = ScriptedEmbedder(planted, {SHOWN.sha256: (1, 0, 0)}, dimension=3, fingerprint="planted")
    return Eyes(embedder, SHOWN, Transcript(past=past))


def test_labels_are_stated_as_turns_and_the_picture_is_encoded_once() -> None:
    look = eyes(dog=(1, 0.1, 0), cat=(1, 1, 0), cow=(0, 1, 0))
    assert look.one("thing", ["cow", "dog", "cat"], "a {}") == "dog"
    assert look.some("things", ["cow", "dog", "cat"], "a {}", 2, 0.0) == ["dog", "cat"]
    assert look.embedder.calls["embed_picture"].items == 1  # type: ignore[attr-defined]
    assert [t.name for t in look.talk.turns] == ["thing", "things"]
    again = eyes(look.talk, dog=(1, 0.1, 0), cat=(1, 1, 0), cow=(0, 1, 0))
    assert again.one("thing", ["cow", "dog", "cat"], "a {}") == "dog"
    assert again.embedder.calls["embed_picture"].items == 0  # type: ignore[attr-defined]


def test_near_synonyms_are_left_out() -> None:
    """Cosines: sofa-couch 0.98, sofa-bench 0.71."""
    planted = {"sofa": (1.0, 0, 0), "couch": (0.98, 0.199, 0), "bench": (0.7, 0, 0.7)}
    assert eyes(**planted).some("things", list(planted), "a {}", 3, 0.0, synonyms=0.8) == ["sofa", "bench"]


class ShortTower(ScriptedEmbedder):
    """Reads eight characters."""

    @operation()
    def embed_text(self, texts: Sequence[str]) -> list[Vector | SocraticError]:
        return [hash_vector(t) if len(t) <= 8 else BadInput(f"{t!r} is too long") for t in texts]


def test_texts_that_cannot_be_embedded_are_rejected_with_the_reason() -> None:
    look = Eyes(ShortTower(), SHOWN, Transcript())
    turn = look.judge("judgement", ["a dog", "a very long dog"])
    assert turn.text == "a dog" and set(turn.evidence["cosine"]) == {"a dog"}
    assert "too long" in turn.evidence["rejected"]["a very long dog"]
    with pytest.raises(BadInput, match="none of the texts"):
        look.judge("another", ["a very long dog"])
    with pytest.raises(BadInput, match="none of the texts"):
        look.judge("nothing", [])


def test_the_neutral_level_is_the_percentile_of_texts_without_meaning() -> None:
    tower, seen = ScriptedEmbedder(), hash_vector("a picture")
    words = noise(0, NEUTRAL_PAIRS)
    assert len(words) == 2 * NEUTRAL_PAIRS
    cosines = [float(hash_vector(f"a photo of a {w}.") @ seen) for w in words if w[0] not in "aeiou"]
    level = neutral_level(tower, seen, "a photo of a {}.")
    assert np.percentile(cosines, 97) < level <= 1
    assert (
        neutral_level(tower, seen, "a photo of a {}.", 100) > level > neutral_level(tower, seen, "a photo of a {}.", 50)
    )
    assert tower.calls["embed_text"].items == len(set(words)), "once per tower and template"
    with pytest.raises(BadInput, match="percentile"):
        neutral_level(tower, seen, percentile=0)


def test_what_is_above_neutral_texts_is_told_and_numbers_are_not_edited() -> None:
    look = eyes(dog=(1, 0, 0), cow=(0, 1, 0))
    cosines, level = look.above_neutral("there", ["cow", "dog"], "a {}")
    assert cosines == {"cow": 0.0, "dog": 1.0} and 0 < level < 1
    assert look.talk.turns[0].value == ["dog"]
    nothing = eyes(cow=(-1, 0, 0))
    nothing.above_neutral("there", ["cow"], "a {}")
    assert nothing.talk.turns[0].text == "nothing above neutral texts"
    with pytest.raises(BadInput, match="cannot be edited"):
        eyes(look.talk.edited({"there": "cow"})).above_neutral("there", ["cow", "dog"], "a {}")
