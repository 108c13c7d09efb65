"""BLIP-2 on tiny checkpoints, OPT and T5: the same tokens as the library's own calls, one look per picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_blip2 import QUESTIONS, checkpoint, pictures

from socratic.capability import Answerer, Captioner, LikelihoodAnswerer, members
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.tasks import Ask, Describe, Shot
from socratic.tools import blip2 as tool
from socratic.tools.blip2 import prompt
from socratic.torchvision_guard import guard
from socratic.values import Picture, Statement

guard()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: checkpoint(tmp_path_factory.mktemp(kind), kind) for kind in ("opt", "t5")}


def load(folders: dict[str, Path], kind: str, **settings: Any) -> tool.Blip2:
    return tool.load(str(folders[kind]), device="cpu", **settings)


def theirs(folder: Path, shown: Picture, text: str, **search: Any) -> tuple[list[int], str]:
    """The new tokens and the text of transformers' own processor and `generate`."""
    from transformers import AutoProcessor, Blip2ForConditionalGeneration

    model = Blip2ForConditionalGeneration.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder, backend="pil")
    inputs = processor(images=shown.pil, text=text, return_tensors="pt")
    out = model.generate(**inputs, do_sample=False, **search)[0].tolist()
    start = inputs["input_ids"].shape[1] if model.config.use_decoder_only_language_model else 1
    tokens = out[start:]
    tokens = tokens[: tokens.index(2)] if 2 in tokens else tokens
    return tokens, processor.tokenizer.decode(tokens, skip_special_tokens=True).strip()


@pytest.mark.parametrize("kind", ["opt", "t5"])
@pytest.mark.parametrize("beams", [1, 3])
def test_answers_equal_the_librarys_own_generate(folders: dict[str, Path], kind: str, beams: int) -> None:
    """Greedy and by beams, in a batch of prompts of different lengths and two pictures."""
    ours = load(folders, kind, num_beams=beams, answer_length_penalty=-1.0)
    shown = pictures(2)
    said = ours.answer.batch([Ask((p,), q, max_tokens=12) for p in shown for q in QUESTIONS])
    expected = [
        theirs(
            folders[kind], p, f"Question: {q} Short answer:", num_beams=beams, length_penalty=-1.0, max_new_tokens=12
        )
        for p in shown
        for q in QUESTIONS
    ]
    assert [s.text for s in said] == [text for _, text in expected]
    assert len({s.text for s in said}) > 2, "the parity of models that always say the same would show nothing"
    assert [s.finished for s in said] == [len(tokens) < 12 for tokens, _ in expected]


@pytest.mark.parametrize("kind", ["opt", "t5"])
def test_captions_equal_the_librarys_own_and_hold_the_prefix(folders: dict[str, Path], kind: str) -> None:
    ours = load(folders, kind)
    shown = pictures(2)
    plain, asked = ours.describe.batch([Describe(shown[0], max_tokens=8), Describe(shown[1], "a photo of", 8)])
    assert plain.text == theirs(folders[kind], shown[0], "", max_new_tokens=8)[1]
    assert asked.text == "a photo of " + theirs(folders[kind], shown[1], "a photo of", max_new_tokens=8)[1]
    assert load(folders, kind, prefix="a photo of").describe(Describe(shown[1], max_tokens=8)).text == asked.text


@pytest.mark.parametrize("kind", ["opt", "t5"])
def test_a_picture_is_looked_at_once(folders: dict[str, Path], kind: str) -> None:
    """Any number of questions, captions and likelihoods, in one call or in several, share one vision pass."""
    ours = load(folders, kind)
    (shown,) = pictures(1)
    ours.answer.batch([Ask((shown,), q, max_tokens=3) for q in QUESTIONS])
    ours.answer_likelihood.batch([(Ask((shown,), "what?"), "dog"), (Ask((shown,), "what?"), "cat")])
    ours.describe(Describe(shown, max_tokens=3))
    assert (ours.calls["vision"].items, ours.calls["vision"].forwards) == (1, 1)
    assert (ours.calls["answer"].items, ours.calls["answer"].forwards) == (3, 1)


@pytest.mark.parametrize("kind", ["opt", "t5"])
@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_the_batch_changes_nothing(folders: dict[str, Path], kind: str, temperature: float) -> None:
    ours = load(folders, kind)
    tasks = [
        Ask((p,), q, max_tokens=n, temperature=temperature, seed=n, repeat=r)
        for p in pictures(2)
        for q, n, r in zip(QUESTIONS, (3, 9, 6), (0, 1, 2), strict=True)
    ]
    together = ours.answer.batch(tasks)
    backwards = ours.answer.batch(tasks[::-1])[::-1]
    for alone, one, other in zip([ours.answer(t) for t in tasks], together, backwards, strict=True):
        assert alone.text == one.text == other.text and alone.finished == one.finished
        assert alone.confidence == pytest.approx(one.confidence, abs=1e-5)


def test_seeds_and_repeats_make_samples(folders: dict[str, Path]) -> None:
    ours = load(folders, "opt")
    (shown,) = pictures(1)
    texts = [ours.describe(Describe(shown, temperature=3.0, seed=s, repeat=r)).text for s in (0, 1) for r in (0, 1)]
    again = [ours.describe(Describe(shown, temperature=3.0, seed=s, repeat=r)).text for s in (0, 1) for r in (0, 1)]
    assert texts == again and len(set(texts)) == 4
    assert ours.describe(Describe(shown, seed=0)).text == ours.describe(Describe(shown, seed=1)).text


@pytest.mark.parametrize("kind", ["opt", "t5"])
def test_likelihoods_equal_the_librarys_own_loss(folders: dict[str, Path], kind: str) -> None:
    import torch
    from transformers import AutoProcessor, Blip2ForConditionalGeneration

    ours = load(folders, kind)
    model = Blip2ForConditionalGeneration.from_pretrained(folders[kind]).eval()
    processor = AutoProcessor.from_pretrained(folders[kind], backend="pil")
    shown = pictures(2)
    pairs = [(Ask((shown[0],), "what is it?"), "a red dog"), (Ask((shown[1],), "two?"), "no")]
    for (ask, answer), score in zip(pairs, ours.answer_likelihood.batch(pairs), strict=True):
        inputs = processor(images=ask.pictures[0].pil, text=prompt(ask.question, ()), return_tensors="pt")
        reply = torch.tensor([[*processor.tokenizer(answer, add_special_tokens=False)["input_ids"], 2]])
        with torch.no_grad():
            if kind == "opt":
                ids = torch.cat([inputs["input_ids"], reply], 1)
                logits = model(pixel_values=inputs["pixel_values"], input_ids=ids).logits[0, -reply.shape[1] - 1 : -1]
            else:
                logits = model(**inputs, labels=reply).logits[0]
        expected = float(logits.log_softmax(-1).gather(1, reply.T).mean())
        assert score == pytest.approx(expected, abs=1e-4) and score <= 0


@pytest.mark.parametrize("kind", ["opt", "t5"])
@pytest.mark.parametrize("beams", [1, 3])
def test_confidence_is_the_likelihood_of_what_was_said(folders: dict[str, Path], kind: str, beams: int) -> None:
    ours = load(folders, kind, num_beams=beams)
    asked = [Ask((p,), q, max_tokens=30) for p in pictures(4) for q in QUESTIONS]
    whole = [(a, s) for a, s in zip(asked, ours.answer.batch(asked), strict=True) if s.finished and s.text]
    assert whole, "some replies must end by themselves"
    for ask, said in whole:
        assert said.confidence == pytest.approx(math.exp(ours.answer_likelihood((ask, said.text))), rel=1e-3)


def test_the_prompt_has_blip2s_own_form() -> None:
    assert prompt("is it red?", ()) == "Question: is it red? Short answer:"
    history = (("what?", "a dog"), ("why?", "no."))
    told = "Question: what? Answer: a dog. Question: why? Answer: no. Question: now? Short answer:"
    assert prompt(" now? ", history) == told
    assert prompt("{0} {q}", (), "Q: {q} A:") == "Q: {0} {q} A:"


@pytest.mark.parametrize("kind", ["opt", "t5"])
def test_long_history_loses_its_oldest_turns_and_never_the_cue(folders: dict[str, Path], kind: str) -> None:
    ours = load(folders, kind)
    (shown,) = pictures(1)
    many = 8 if kind == "opt" else 80
    history = tuple((f"how many {'red ' * (i % 3)}dog?", "two") for i in range(many))
    kept = next(
        n for n in range(many, 0, -1) if len(ours._ids(prompt("what?", history[-n:]))) + 8 * (kind == "opt") <= ours._voice.room
    )  # fmt: skip
    assert 0 < kept < many
    long = ours.answer(Ask((shown,), "what?", history, max_tokens=8))
    short = ours.answer(Ask((shown,), "what?", history[-kept:], max_tokens=8))
    assert long.text == short.text and long.confidence == pytest.approx(short.confidence, abs=1e-6)


def test_bad_items_are_errors_in_their_place(folders: dict[str, Path]) -> None:
    ours = load(folders, "opt")
    one, two = pictures(2)
    results: list[Statement | SocraticError] = list(
        ours.answer.each(
            [
                Ask((one,), "what?"),
                Ask((one, two), "what?"),
                Ask((), "what?"),
                Ask((one,), "what?", shots=(Shot(two, "what?", "dog"),)),
                Ask((one,), "  "),
                Ask((one,), "dog " * 60),
                Ask((one,), "what?", max_tokens=0),
            ]
        )
    )
    assert isinstance(results[0], Statement)
    assert all(isinstance(r, BadInput) and r.hint for r in results[1:])
    assert "2 pictures" in str(results[1]) and "1 shots" in str(results[3]) and "room for 36" in str(results[5])
    good, empty = ours.answer_likelihood.each([(Ask((one,), "what?"), "dog"), (Ask((one,), "what?"), " ")])
    assert isinstance(good, float) and isinstance(empty, BadInput)
    assert ours.answer.batch([]) == [] and ours.answer_likelihood.batch([]) == []


def test_special_tokens_in_a_question_are_words(folders: dict[str, Path]) -> None:
    ours = load(folders, "opt")
    assert ours._ids("what </s><image>?")[0] == 1, "the tokenizer's own start"
    assert not {2, 4} & set(ours._ids("what </s><image>?"))


def test_small_and_flat_pictures_and_short_numbers_pass(folders: dict[str, Path]) -> None:
    """A picture three pixels high is not taken for one with channels first; bfloat16 runs."""
    flat = Picture.of(Image.fromarray(np.random.default_rng(0).integers(0, 255, (3, 20, 3), np.uint8)))
    dot = Picture.of(Image.new("RGB", (1, 1), (9, 9, 9)))
    for number in ("float32", "bfloat16"):
        ours = load(folders, "opt", dtype=number)
        texts = ours.describe.batch([Describe(flat, max_tokens=4), Describe(dot, max_tokens=4)])
        assert all(t.confidence is not None and 0 < t.confidence <= 1 for t in texts)
    assert load(folders, "opt").describe(Describe(flat)).text == theirs(folders["opt"], flat, "", max_new_tokens=40)[1]


def test_it_stands_behind_its_capabilities_and_knows_its_settings(folders: dict[str, Path]) -> None:
    ours = load(folders, "opt")
    for protocol in (Captioner, Answerer, LikelihoodAnswerer):
        assert all(hasattr(ours, name) for name in members(protocol))
    assert ours.size_in_bytes() > 100_000
    assert ours.fingerprint.startswith("blip2:") and ours.fingerprint == load(folders, "opt").fingerprint
    assert ours.fingerprint != load(folders, "opt", prefix="a").fingerprint
    assert ours.fingerprint != load(folders, "t5").fingerprint


def test_what_is_missing_is_said(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as info:
        tool.load("someone/has-no-blip2")
    assert info.value.hint == "hf download someone/has-no-blip2"
    with pytest.raises(ModelUnavailable):
        tool.load(str(tmp_path))
    with pytest.raises(BadInput):
        load(folders, "opt", question_template="Question: Short answer:")
    import json
    import shutil

    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(folders["opt"], broken)
    tensors = load_file(broken / "model.safetensors")
    save_file({k: v for k, v in tensors.items() if "qformer" not in k}, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelUnavailable, match="lacks"):
        tool.load(str(broken))
    settings = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**settings, "architectures": ["Blip2ForImageTextRetrieval"]}))
    with pytest.raises(ModelUnavailable, match="holds"):
        tool.load(str(broken))
