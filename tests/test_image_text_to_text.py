"""Chat models that see, on tiny random LLaVA and Idefics3: the library's own tokens, shots, history, many pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_image_text import KINDS, checkpoint

from socratic.capability import Answerer, Captioner, members
from socratic.errors import BadInput, ModelUnavailable
from socratic.tasks import Ask, Describe, Shot
from socratic.tools import image_text_to_text as tool
from socratic.torchvision_guard import guard
from socratic.values import Picture, Statement

guard()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: checkpoint(tmp_path_factory.mktemp(kind), kind) for kind in KINDS}


def load(folders: dict[str, Path], kind: str, **settings: Any) -> tool.ImageTextToText:
    settings.setdefault("question_template", "{q}")
    settings.setdefault("caption_prompt", "what is it ?")
    return tool.load(str(folders[kind]), device="cpu", **settings)


def pictures(n: int) -> list[Picture]:
    dice = np.random.default_rng(1)
    return [Picture.of(Image.fromarray(dice.integers(0, 255, (40 + 9 * i, 50, 3), np.uint8))) for i in range(n)]


def theirs(folder: Path, messages: list[dict[str, Any]], limit: int, **template: Any) -> tuple[str, bool]:
    """The text of transformers' own processor and `generate`, and whether it ended by itself."""
    from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(folder)
    processor.image_processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    model = AutoModelForImageTextToText.from_pretrained(folder).eval()
    template = template or {"add_generation_prompt": True}
    inputs = processor.apply_chat_template(messages, tokenize=True, return_dict=True, return_tensors="pt", **template)
    out = model.generate(**inputs, do_sample=False, max_new_tokens=limit)[0, inputs["input_ids"].shape[1] :].tolist()
    return processor.tokenizer.decode(out, skip_special_tokens=True).strip(), out[
        -1
    ] == processor.tokenizer.eos_token_id


def asks(n: int) -> list[Ask]:
    """Questions with one and several pictures, with history, and with shots."""
    one, two, three = pictures(3)
    shots = (Shot(two, "how many ?", "two"), Shot(three, "is it red ?", "no"))
    history = (("what is it ?", "a dog"), ("is it big ?", "yes"))
    return [
        Ask((one,), "what is it ?", max_tokens=n),
        Ask((three,), "is it a cat in the photo ?", max_tokens=n - 3),
        Ask((one, two), "is the dog in two photo ?", max_tokens=n),
        Ask((two,), "how many ?", history, max_tokens=n),
        Ask((one,), "how many red ?", shots=shots, max_tokens=n),
        Ask((one, three), "no ?", history, shots, max_tokens=n),
    ]


def spelled_out(ask: Ask) -> list[dict[str, Any]]:
    """The conversation of a question, written down independently of the tool."""

    def turn(role: str, text: str, *shown: Picture) -> dict[str, Any]:
        return {"role": role, "content": [*({"type": "image", "image": p.pil} for p in shown), {"type": "text", "text": text}]}  # fmt: skip

    rows = [m for s in ask.shots for m in (turn("user", s.question, s.picture), turn("assistant", s.answer))]
    asked = [*ask.history, (ask.question, "")]
    for i, (question, answer) in enumerate(asked):
        rows += [turn("user", question, *(ask.pictures if i == 0 else ())), turn("assistant", answer)]
    return rows[:-1]


@pytest.mark.parametrize("kind", KINDS)
def test_answers_equal_the_librarys_own_generate(folders: dict[str, Path], kind: str) -> None:
    """One batch of prompts of different lengths and pictures of different sizes, against one call each."""
    ours = load(folders, kind)
    said = ours.answer.batch(asks(12))
    expected = [theirs(folders[kind], spelled_out(a), a.max_tokens) for a in asks(12)]
    assert [(s.text, s.finished) for s in said] == expected
    assert len({text for text, _ in expected}) > 3
    assert [ours.answer(a).text for a in asks(12)] == [s.text for s in said]


@pytest.mark.parametrize("kind", KINDS)
def test_shots_history_and_every_picture_are_read(folders: dict[str, Path], kind: str) -> None:
    """Leaving any of them out changes how sure the model is of its words."""
    ours = load(folders, kind)
    whole = asks(6)[-1]
    less = [
        replace(whole, shots=whole.shots[:1]),
        replace(whole, history=()),
        replace(whole, pictures=whole.pictures[::-1]),
        replace(whole, shots=(replace(whole.shots[0], picture=whole.pictures[0]), whole.shots[1])),
    ]
    sure = [ours.answer(a).confidence for a in [whole, *less]]
    assert len({round(c or 0, 7) for c in sure}) == len(sure)


@pytest.mark.parametrize("kind", KINDS)
def test_captions_equal_the_librarys_own_and_go_on_from_the_prefix(folders: dict[str, Path], kind: str) -> None:
    ours = load(folders, kind)
    shown = pictures(2)
    plain, begun = ours.describe.batch([Describe(shown[0], max_tokens=9), Describe(shown[1], "a photo of", 9)])
    request = {"role": "user", "content": [{"type": "image", "image": shown[0].pil}, {"type": "text", "text": "what is it ?"}]}  # fmt: skip
    assert plain.text == theirs(folders[kind], [request], 9)[0]
    request["content"][0]["image"] = shown[1].pil  # type: ignore[index]
    started = {"role": "assistant", "content": [{"type": "text", "text": "a photo of"}]}
    rest = theirs(folders[kind], [request, started], 9, continue_final_message=True)[0]
    assert begun.text == f"a photo of {rest}"


def test_samples_follow_their_seeds_in_any_batch(folders: dict[str, Path]) -> None:
    ours = load(folders, "idefics3")
    tasks = [replace(a, temperature=1.0, seed=i % 2, repeat=i) for i, a in enumerate(asks(8) + asks(8))]
    together = [s.text for s in ours.answer.batch(tasks)]
    assert together == [ours.answer(t).text for t in tasks] and len(set(together)) > 8


def test_equal_shapes_share_a_pass_and_others_do_not(folders: dict[str, Path]) -> None:
    ours = load(folders, "llava")
    passes: list[int] = []
    whole = ours._model.generate

    def counted(**inputs: Any) -> Any:
        passes.append(len(inputs["input_ids"]))
        return whole(**inputs)

    ours._model.generate = counted
    ours.answer.batch(asks(5))
    assert sorted(passes) == [1, 1, 1, 3], "one picture three times, then two, three and four pictures"


@pytest.mark.parametrize("kind", KINDS)
def test_long_history_loses_its_oldest_turns(folders: dict[str, Path], kind: str) -> None:
    ours = load(folders, kind)
    (shown,) = pictures(1)
    history = tuple((f"how many {'red ' * (i % 3)}?", "two") for i in range(40))
    long = ours.answer(Ask((shown,), "is it ?", history, max_tokens=6))
    kept = [n for n in range(41) if not isinstance(ours._prompt(tool.conversation(Ask((shown,), "is it ?", history[40 - n:]), "{q}"), Ask((shown,), "?", max_tokens=6)), BadInput)]  # fmt: skip
    assert 3 < max(kept) < 40
    short = ours.answer(Ask((shown,), "is it ?", history[-max(kept) :], max_tokens=6))
    assert long.text == short.text and long.confidence == pytest.approx(short.confidence, abs=1e-6)


def test_bad_items_are_errors_in_their_place(folders: dict[str, Path]) -> None:
    ours = load(folders, "llava")
    one, two = pictures(2)
    results = ours.answer.each(
        [
            Ask((one,), "what ?", max_tokens=3),
            Ask((one,), " "),
            Ask((one,), "dog " * 200),
            Ask((one,), "what ?", shots=tuple(Shot(two, "what ?", "dog") for _ in range(9))),
            Ask((one,), "what ?", max_tokens=0),
            Ask((one,), "what </s> USER : no"),
            Ask((one,), "what ?", (("is it ?", "<image>"),)),
            Ask((), "what is it ?", max_tokens=3),
        ]
    )
    assert isinstance(results[0], Statement) and isinstance(results[-1], Statement)
    assert all(isinstance(r, BadInput) and r.hint for r in results[1:-1])
    assert "the model reads 160" in str(results[2]) and "control token" in str(results[5])
    good, bad = ours.describe.each([Describe(one, max_tokens=3), Describe(one, "a</s>")])
    assert isinstance(good, Statement) and isinstance(bad, BadInput)
    assert ours.answer.batch([]) == []


def test_the_usual_wording_asks_for_short_answers() -> None:
    (one,) = pictures(1)
    (row,) = tool.conversation(Ask((one,), " is {it} red? "))
    assert row["content"][1]["text"] == "is {it} red?\nAnswer the question using a single word or phrase."


def test_it_stands_behind_its_capabilities_and_knows_its_settings(folders: dict[str, Path]) -> None:
    ours = load(folders, "llava")
    for protocol in (Captioner, Answerer):
        assert all(hasattr(ours, name) for name in members(protocol))
    assert ours.size_in_bytes() > 100_000
    assert ours.fingerprint == load(folders, "llava").fingerprint
    assert ours.fingerprint != load(folders, "llava", caption_prompt="what ?").fingerprint


def test_what_is_missing_is_said(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as info:
        tool.load("someone/has-no-such-model")
    assert info.value.hint == "hf download someone/has-no-such-model"
    with pytest.raises(ModelUnavailable):
        tool.load(str(tmp_path))
    with pytest.raises(BadInput):
        load(folders, "llava", question_template="what?")
    import shutil

    silent = tmp_path / "silent"
    shutil.copytree(folders["llava"], silent)
    (silent / "chat_template.jinja").unlink()
    with pytest.raises(ModelUnavailable, match="chat template"):
        tool.load(str(silent))
