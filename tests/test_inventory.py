"""What is here is told from files and signatures, without loading a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from socratic import inventory
from socratic.capability import CAPABILITIES
from socratic.workbench import profile_names


def test_every_capability_has_a_tool_and_every_tool_a_capability() -> None:
    cards = {card.name: card for card in inventory.cards()}
    assert {c for card in cards.values() for c in card.capabilities} == set(CAPABILITIES.values())
    for card in cards.values():
        assert card.capabilities and card.operations and card.summary.endswith((".", ".", "it.")), card.name
        json.dumps(card.as_dict())
    assert cards["blip2"].capabilities == ("captioner", "answerer")
    assert set(cards["sam"].operations["cut"]["properties"]) == {"picture", "boxes", "points", "everything"}


def test_profiles_name_tools_that_can_do_what_they_stand_for() -> None:
    able = {card.name: card.capabilities for card in inventory.cards()}
    for name, places in inventory.profiles().items():
        assert name in profile_names() and places
        for place in places:
            assert place.capability in able[place.tool], f"{name}: {place}"


def test_pocket_is_complete_and_the_others_say_what_to_fetch(tmp_path: Path) -> None:
    found = inventory.profiles()
    assert all(p.bytes_here > 0 and not p.mend for p in found["pocket"])
    assert {p.capability for p in found["pocket"]} >= {"embedder", "writer", "detector", "segmenter", "captioner", "answerer", "generator"}  # fmt: skip
    missing = [p for p in found["small"] if not p.bytes_here]
    assert all(p.mend.startswith("hf download ") for p in missing)
    pinned = next(p for p in found["small"] if p.capability == "detector")
    assert not pinned.mend or "--revision a2bb814dd30d776dcf7e30523b00659f4f141c71" in pinned.mend


def test_taking_stock_imports_no_model_library() -> None:
    code = "import sys; from socratic import inventory; inventory.cards(); inventory.profiles(); inventory.packages(); print([m for m in ('torch', 'transformers', 'diffusers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert inventory.memory_gb() >= 0
