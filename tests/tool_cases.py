"""One row per tool for the contract test: a small real checkpoint of it, what to ask, and what it must refuse.

Checkpoints are those of the tools' own tests: the library's real classes with small weights. Servers are the
loopback one, whose replies are scripted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import test_blip
import test_clipcap
import test_coca
import test_open_clip
import test_owl
import tiny_image_text
import tiny_pipelines
from detector_cases import detector_folder
from PIL import Image
from segmenter_cases import segmenter_folder

from socratic.regions import Box
from socratic.tasks import Ask, Cut, Describe, Draw, Find, Match
from socratic.values import Message, Picture, Request


@dataclass(frozen=True)
class Case:
    """A tool under contract.

    Attributes:
        settings: what a profile's table holds beside `tool`, made from an empty folder.
        good: items that it answers, all different.
        bad: an item that it must refuse with a typed error.
        served: whether the model lives on a server; its address stands for the folder then.
    """

    tool: str
    capability: str
    operation: str
    settings: Callable[[Any], dict[str, Any]]
    good: Sequence[Any]
    bad: Any
    served: bool = False


def shown(n: int) -> list[Picture]:
    """Pictures of different sizes with something to see."""
    dice = np.random.default_rng(3)
    return [
        Picture.of(Image.fromarray(dice.integers(0, 255, (9 + i, 12, 3), np.uint8)).resize((48 + 8 * i, 64)))
        for i in range(n)
    ]


ONE, TWO, THREE = shown(3)
NOWHERE = Box(900, 900, 950, 950)
LONG = "word " * 4000
POCKET = Path(str(files("socratic.pocket")))


def _said(text: str) -> Request:
    return Request((Message("user", text),), max_tokens=6)


def _clipcap(folder: Path) -> dict[str, Any]:
    from safetensors.torch import save_file

    test_clipcap.language(folder / "gpt2")
    test_clipcap.sight(folder / "clip")
    save_file(test_clipcap.mapping_tensors("mlp"), folder / "mlp.safetensors")
    return {
        "model": str(folder / "mlp.safetensors"),
        "gpt2": str(folder / "gpt2"),
        "clip": f"local-dir:{folder / 'clip'}",
    }


def _server(model: str) -> Callable[[Any], dict[str, Any]]:
    return lambda url: {"model": model, "base_url": url, "deadline": 10, "retries": 1}


CASES = [
    Case("open_clip", "embedder", "embed_picture", lambda f: {"model": f"local-dir:{test_open_clip.random_checkpoint(f)}"}, [ONE, TWO, THREE], None),
    Case("open_clip", "embedder", "embed_text", lambda f: {"model": f"local-dir:{test_open_clip.random_checkpoint(f)}"}, ["a", "two dogs", "three"], LONG),
    Case("causal_lm", "writer", "write", lambda f: {"model": str(POCKET / "writer")}, [_said("a"), _said("what is a dog?"), _said("c")], _said(LONG)),
    Case("grounding_dino", "detector", "find", lambda f: {"model": str(detector_folder(f)), "threshold": 0.05}, [Find(ONE, ("dog",)), Find(TWO, ("cat", "dog")), Find(ONE, ())], Find(THREE, ("a. b",))),
    Case("owl", "detector", "find", lambda f: (test_owl.owl_folder(f), {"model": str(f), "threshold": 0.05})[1], [Find(ONE, ("dog",)), Find(TWO, ("cat", "dog")), Find(ONE, ())], Find(THREE, ("",))),
    Case("sam", "segmenter", "cut", lambda f: {"model": str(segmenter_folder(f))}, [Cut(ONE, (Box(2, 2, 30, 40),)), Cut(TWO, (Box(1, 1, 9, 9), Box(5, 5, 40, 40))), Cut(THREE)], Cut(ONE, (NOWHERE,))),
    Case("blip", "captioner", "describe", lambda f: {"model": str(test_blip.checkpoint(f, test_blip.ONE))}, [Describe(ONE, max_tokens=5), Describe(TWO, max_tokens=5)], Describe(ONE, prefix=LONG)),
    Case("blip", "answerer", "answer", lambda f: {"model": str(test_blip.checkpoint(f, test_blip.TWO))}, [Ask((ONE,), "what is it ?", max_tokens=5), Ask((TWO,), "where ?", max_tokens=5)], Ask((ONE, TWO), "what ?")),
    Case("blip", "matcher", "match", lambda f: {"model": str(test_blip.checkpoint(f, test_blip.THREE))}, [Match(ONE, "a dog"), Match(TWO, "a cat")], Match(ONE, "")),
    Case("blip2_match", "matcher", "match", lambda f: {"model": str(test_blip.matcher_checkpoint(f))}, [Match(ONE, "a dog"), Match(TWO, "a cat")], Match(ONE, "")),
    Case("blip2", "captioner", "describe", lambda f: {"model": str(POCKET / "answerer")}, [Describe(ONE, max_tokens=5), Describe(TWO, max_tokens=5)], Describe(ONE, prefix=LONG)),
    Case("blip2", "answerer", "answer", lambda f: {"model": str(POCKET / "answerer")}, [Ask((ONE,), "what is it ?", max_tokens=5), Ask((ONE,), "where ?", max_tokens=5)], Ask((ONE, TWO), "what ?")),
    Case("image_text_to_text", "answerer", "answer", lambda f: {"model": str(tiny_image_text.checkpoint(f, tiny_image_text.KINDS[0])), "question_template": "{q}", "caption_prompt": "what is it ?"}, [Ask((ONE,), "what is it ?", max_tokens=5), Ask((TWO,), "where is it ?", max_tokens=5)], Ask((ONE,), LONG)),
    Case("coca", "captioner", "describe", lambda f: {"model": f"local-dir:{test_coca.checkpoint(f)}"}, [Describe(ONE, max_tokens=5), Describe(TWO, max_tokens=5)], Describe(ONE, prefix=LONG)),
    Case("clipcap", "captioner", "describe", _clipcap, [Describe(ONE, max_tokens=5), Describe(TWO, max_tokens=5)], Describe(ONE, prefix=LONG)),
    Case("diffusion", "generator", "draw", lambda f: {"model": str(tiny_pipelines.stable_diffusion(f)), "steps": 2}, [Draw("a cat"), Draw("a cat", seed=1), Draw("a dog")], Draw("a cat", width=3)),
    Case("openai_chat", "writer", "write", _server("echo"), [_said("a"), _said("b")], None, True),
    Case("openai_vision", "answerer", "answer", _server("echo"), [Ask((ONE,), "a"), Ask((TWO,), "b")], Ask((), "c"), True),
    Case("openai_images", "generator", "draw", lambda url: {**_server("echo")(url), "sizes": ["16x16"]}, [Draw("a cat"), Draw("a dog")], Draw("a cat", negative="a dog"), True),
]  # fmt: skip
