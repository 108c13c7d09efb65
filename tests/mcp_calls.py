"""A call of every tool that the MCP server offers on the pocket profile, and the files that they name. Checks nothing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from socratic.images import expand
from socratic.indexing import refreshed
from socratic.workbench import Workbench

PICTURES = Path(__file__).parent.parent / "pocket" / "pictures"
S1, S2, S3 = "scene-1.png", "scene-2.png", "scene-3.png"
ASKED = {"messages": [{"role": "user", "text": "Say hello."}], "max_tokens": 8}
DRAWN = {"prompt": "a lemon on a beach", "steps": 2}
CALLS: Mapping[str, Mapping[str, Any]] = {
    "ask": {"picture": S1, "questions": ["Where is this?"]},
    "ask_captions": {"picture": S1, "questions": ["Is there a snake?"], "n": 2},
    "ask_program": {"picture": S1, "questions": ["How many snakes are there?"]},
    "ask_statement": {"pictures": [S1, S3], "statement": "The left picture shows a snake."},
    "ask_vote": {"picture": S1, "questions": ["Is there a snake?"], "ways": ["direct", "program"]},
    "blend": {"pictures": [S1, S2], "fractions": [0.5], "steps": 2},
    "caption": {"picture": S1, "n": 1, "objects": "words.txt", "examples": "captioned"},
    "caption_interactive": {"picture": S1, "rounds": 1},
    "caption_search": {"picture": S1, "rounds": 1, "per_round": 2},
    "caption_verified": {"picture": S1, "text": "a snake and a lion on a beach"},
    "check": {"picture": S1, "prompt": "a snake on a beach"},
    "classify": {"picture": S1, "labels": ["snake", "dog"], "method": "names"},
    "classify_open": {"picture": S2, "n": 2},
    "classify_regions": {"picture": S1, "labels": ["snake", "cow"], "phrases": ["snake"]},
    "compare": {"first": ["captioned"], "second": [S1, S3], "hypotheses": ["a snake"]},
    "contrast": {"pictures": [S1, S2]},
    "describe": {"picture": S1, "layout": "words"},
    "detect": {"picture": S1, "phrases": ["snake"]},
    "edit": {"picture": S2, "prompt": "a lemon", "steps": 2},
    "filter_pairs": {"pair": {"image": S1, "text": "a snake on a beach"}, "replace": False},
    "generate": DRAWN,
    "generate_layout": {"prompt": "two lemons on a beach", "steps": 2},
    "generate_refined": {"prompt": "a lemon on a beach", "rounds": 1, "steps": 2},
    "generate_suite": {"categories": ["counting"], "most": 1, "steps": 2},
    "ground": {"picture": S1, "text": "a snake and a lion on a beach"},
    "label": {"picture": S1, "phrases": ["snake"]},
    "recaption": {"pair": {"image": S1, "text": "my holiday"}},
    "retrieve": {"gallery": "gallery.npz", "text": "a lemon", "k": 1},
    "retrieve_composed": {"picture": S2, "change": "on a beach"},
    "rewrite": {"request": "a lemon on a beach", "k": 1},
    "segment": {"picture": S1, "phrases": ["snake"]},
    "vary": {"picture": S2, "n": 1, "steps": 2},
    "video_ask": {"clip": "film", "question": "Is there a lemon?", "start": 2, "rounds": 1},
    "video_caption": {"clip": "film", "frames": 2, "speech": "said.vtt"},
    "video_find": {"clips": ["film"], "text": "a lemon", "frames": 2},
    "video_narrate": {"clip": "film", "frames": 1},
    "embedder_embed_picture": {"picture": S1},
    "embedder_picture_features": {"picture": S1},
    "embedder_embed_text": {"text": "a dog"},
    "writer_write": ASKED,
    "writer_likelihood": {"item": [ASKED, "Hello."]},
    "detector_find": {"picture": S1, "phrases": ["snake", "cow"]},
    "segmenter_cut": {"picture": S1, "boxes": [{"x0": 40, "y0": 15, "x1": 160, "y1": 135}]},
    "captioner_describe": {"picture": S1},
    "answerer_answer": {"pictures": [S1], "question": "Where is this?"},
    "answerer_answer_likelihood": {"item": [{"pictures": [S1], "question": "Where is this?"}, "on a beach"]},
    "generator_draw": DRAWN,
    "generator_vary": {"picture": S2, "steps": 2},
    "generator_blend": {"first": "a lemon", "second": "an apple", "steps": 2},
    "chat": {"text": "What is in the picture?", "pictures": [S2]},
}
BEYOND = {"generate_layout": "the model reads 1024"}
"""Calls that the pocket models cannot carry out, and what they say."""
DRAWS = frozenset(
    [
        "blend",
        "chat",
        "edit",
        "generate",
        "generate_layout",
        "generate_refined",
        "generate_suite",
        "generator_blend",
        "generator_draw",
        "generator_vary",
        "vary",
    ]
)
"""Tools that make pictures."""


def write_files(folder: Path, bench: Workbench) -> Path:
    """The folder that the calls may read, with pictures, a film, words, a transcript, examples and a gallery."""
    for name in (S1, S2, S3):
        shutil.copy(PICTURES / name, folder / name)
    for part, names in (("film", (S1, S2)), ("captioned", (S2, S3))):
        (folder / part).mkdir()
        for i, name in enumerate(names):
            shutil.copy(PICTURES / name, folder / part / f"frame-{i}.png")
            (folder / part / f"frame-{i}.txt").write_text("a picture of something")
    (folder / "words.txt").write_text("snake\ncow\nlemon\n")
    (folder / "said.vtt").write_text("WEBVTT\n\n00:00.200 --> 00:01.000\nLook at that!\n")
    refreshed(None, expand([folder]), bench.tool("embedder"), None).index.save(folder / "gallery.npz")
    return folder
