"""BLIP's three kinds and BLIP-2's matcher on tiny random checkpoints: the library's own results, one look per picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from socratic.capability import Captioner, LikelihoodAnswerer, Matcher, members
from socratic.errors import BadInput, ModelUnavailable
from socratic.tasks import Ask, Describe, Match, Shot
from socratic.tools import blip, blip2_match
from socratic.torchvision_guard import guard
from socratic.values import Picture, Statement

guard()

KNOWN = "what is it how many a photo of dog cat two red yes no in the big small green blue one man tree car"
SPECIALS = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[DEC]"]
VISION = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
          "image_size": 32, "patch_size": 8}  # fmt: skip
ONE = "BlipForConditionalGeneration"
TWO = "BlipForQuestionAnswering"
THREE = "BlipForImageTextRetrieval"


def tokenizer() -> Any:
    from transformers import BertTokenizer

    words = [*SPECIALS, "?", *KNOWN.split()]
    return BertTokenizer(vocab={w: i for i, w in enumerate(words)}, bos_token="[DEC]")


def livelier(model: Any) -> Any:
    """Wider weights: small ones make every picture and text give the same."""
    import torch

    dice = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "norm" not in name.lower():
                weight.normal_(0, 2.0 if "position" in name else 0.35, generator=dice)
            elif name == "text_decoder.cls.predictions.bias":
                weight[[0, 1, 3, 4, -1]] = -30.0  # no special tokens in replies
                weight[2] = 4.0  # and an end now and then
    return model


def checkpoint(folder: Path, kind: str) -> Path:
    import transformers
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    words = tokenizer()
    text = {"vocab_size": len(words), "hidden_size": 32, "encoder_hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 40, "pad_token_id": 0,
            "bos_token_id": 4, "sep_token_id": 2, "eos_token_id": 2}  # fmt: skip
    config = transformers.BlipConfig(
        text_config={**text, "projection_dim": 16}, vision_config=VISION, projection_dim=16, image_text_hidden_size=16
    )
    livelier(getattr(transformers, kind)(config)).save_pretrained(folder)
    transformers.BlipProcessor(BlipImageProcessorPil(size={"height": 32, "width": 32}), words).save_pretrained(folder)
    return folder


def matcher_checkpoint(folder: Path) -> Path:
    """A small random `Blip2ForImageTextRetrieval`."""
    from transformers import Blip2Config, Blip2ForImageTextRetrieval, Blip2Processor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    words = tokenizer()
    processor = Blip2Processor(BlipImageProcessorPil(size={"height": 32, "width": 32}), words, num_query_tokens=4)
    config = Blip2Config(
        vision_config=VISION,
        qformer_config={"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
                        "cross_attention_frequency": 1, "vocab_size": len(words), "max_position_embeddings": 40,
                        "use_qformer_text_input": True},
        text_config={"model_type": "opt", "hidden_size": 16, "word_embed_proj_dim": 16, "ffn_dim": 16,
                     "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 40},
        num_query_tokens=4, image_text_hidden_size=16, image_token_index=len(words) - 1,
    )  # fmt: skip
    livelier(Blip2ForImageTextRetrieval(config)).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {kind: checkpoint(tmp_path_factory.mktemp(kind), kind) for kind in (ONE, TWO, THREE)}
    return {**made, "matcher": matcher_checkpoint(tmp_path_factory.mktemp("matcher"))}


def captioner(folders: dict[str, Path]) -> blip.BlipCaptioner:
    made = blip.load(str(folders[ONE]), device="cpu")
    assert isinstance(made, blip.BlipCaptioner)
    return made


def answerer(folders: dict[str, Path]) -> blip.BlipAnswerer:
    made = blip.load(str(folders[TWO]), device="cpu")
    assert isinstance(made, blip.BlipAnswerer)
    return made


def matcher(folders: dict[str, Path], kind: str) -> blip.BlipMatcher | blip2_match.Blip2Matcher:
    if kind == "matcher":
        return blip2_match.load(str(folders[kind]), device="cpu")
    made = blip.load(str(folders[kind]), device="cpu")
    assert isinstance(made, blip.BlipMatcher)
    return made


def pictures(n: int) -> list[Picture]:
    dice = np.random.default_rng(1)
    return [Picture.of(Image.fromarray(dice.integers(0, 255, (40 + 7 * i, 50, 3), np.uint8))) for i in range(n)]


def library(folder: Path, kind: str) -> tuple[Any, Any]:
    import transformers

    processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil")
    return getattr(transformers, kind).from_pretrained(folder).eval(), processor


QUESTIONS = ["what is it?", "how many dog in the big photo of a man?", "two?"]


def test_captions_equal_the_librarys_own_generate(folders: dict[str, Path]) -> None:
    """With and without a prefix, in one batch of different lengths."""
    ours, (model, processor) = captioner(folders), library(folders[ONE], ONE)
    tasks = [Describe(p, prefix, 12) for p in pictures(2) for prefix in ("", "a photo of", "the")]
    expected = []
    for task in tasks:
        inputs = processor(images=task.picture.pil, text=task.prefix, return_tensors="pt")
        out = model.generate(**inputs, max_new_tokens=12, do_sample=False)[0]
        expected.append(processor.tokenizer.decode(out, skip_special_tokens=True))
    said = ours.describe.batch(tasks)
    assert [s.text for s in said] == expected
    assert len(set(expected)) > 3 and all(s.text.startswith(t.prefix) for s, t in zip(said, tasks, strict=True))
    assert (ours.calls["vision"].items, ours.calls["vision"].forwards) == (2, 1)


def test_answers_equal_the_librarys_own_generate(folders: dict[str, Path]) -> None:
    ours, (model, processor) = answerer(folders), library(folders[TWO], TWO)
    tasks = [Ask((p,), q, max_tokens=12) for p in pictures(3) for q in QUESTIONS]
    expected = []
    for task in tasks:
        inputs = processor(images=task.pictures[0].pil, text=task.question, return_tensors="pt")
        out = model.generate(**inputs, max_new_tokens=12, do_sample=False)[0]
        expected.append(processor.tokenizer.decode(out, skip_special_tokens=True))
    said = ours.answer.batch(tasks)
    assert [s.text for s in said] == expected and len(set(expected)) > 3
    assert (ours.calls["vision"].items, ours.calls["vision"].forwards) == (3, 1)


def test_confidence_is_the_likelihood_of_what_was_said(folders: dict[str, Path]) -> None:
    ours = answerer(folders)
    asked = [Ask((p,), q, max_tokens=25, temperature=2.0) for p in pictures(5) for q in QUESTIONS]
    whole = [(a, s) for a, s in zip(asked, ours.answer.batch(asked), strict=True) if s.finished and s.text]
    assert len(whole) > 3, "some replies must end by themselves"
    for ask, said in whole:
        assert said.confidence == pytest.approx(math.exp(ours.answer_likelihood((ask, said.text))), rel=1e-3)


def test_likelihoods_equal_the_librarys_own_loss(folders: dict[str, Path]) -> None:
    import torch

    ours, (model, processor) = answerer(folders), library(folders[TWO], TWO)
    model.text_decoder.label_smoothing = 0.0  # the loss in training is smoothed
    pairs = [(Ask((p,), q), a) for p in pictures(2) for q, a in zip(QUESTIONS, ["a dog", "two", "no"], strict=True)]
    for (ask, answer), score in zip(pairs, ours.answer_likelihood.batch(pairs), strict=True):
        inputs = processor(images=ask.pictures[0].pil, text=ask.question, return_tensors="pt")
        labels = processor.tokenizer(answer, return_tensors="pt")["input_ids"]
        labels[0, 0] = 4
        with torch.no_grad():
            loss = model(**{k: v for k, v in inputs.items() if k != "token_type_ids"}, labels=labels).loss
        assert score == pytest.approx(-float(loss), abs=1e-4)


@pytest.mark.parametrize("kind", [THREE, "matcher"])
def test_probabilities_equal_the_librarys_own(folders: dict[str, Path], kind: str) -> None:
    """Texts of different lengths in one batch, each against the library's single call; one look per picture."""
    import torch

    ours = matcher(folders, kind)
    model, processor = library(folders[kind], THREE if kind == THREE else "Blip2ForImageTextRetrieval")
    tasks = [Match(p, t) for p in pictures(2) for t in ("a dog", "two red cat in the big photo", "no")]
    expected = []
    for task in tasks:
        inputs = processor(images=task.picture.pil, text=task.text, return_tensors="pt")
        with torch.no_grad():
            if kind == THREE:
                logits = model(**inputs).itm_score
            else:
                logits = model(**inputs, use_image_text_matching_head=True).logits_per_image
        expected.append(float(logits.softmax(-1)[0, 1]))
    found = ours.match.batch(tasks)
    assert found == pytest.approx(expected, abs=1e-5)
    assert all(0 <= p <= 1 for p in found) and max(found) - min(found) > 0.01
    assert (ours.calls["vision"].items, ours.calls["vision"].forwards) == (2, 1)
    ours.match.batch([Match(pictures(1)[0], "the man")])
    assert ours.calls["vision"].forwards == 1
    assert [ours.match(t) for t in tasks] == pytest.approx(found, abs=1e-5)


def test_samples_follow_their_seeds_in_any_batch(folders: dict[str, Path]) -> None:
    ours = captioner(folders)
    tasks = [Describe(p, x, 9, 1.5, seed=s, repeat=1 - s) for p in pictures(2) for x in ("", "a photo") for s in (0, 1)]
    together = [s.text for s in ours.describe.batch(tasks)]
    assert together == [ours.describe(t).text for t in tasks] and len(set(together)) > 4


def test_bad_items_are_errors_in_their_place(folders: dict[str, Path]) -> None:
    one, two = pictures(2)
    answers = answerer(folders).answer.each(
        [
            Ask((one,), "what?", max_tokens=4),
            Ask((one, two), "what?"),
            Ask((one,), "what?", history=(("how?", "no"),)),
            Ask((one,), "what?", shots=(Shot(one, "what?", "dog"),)),
            Ask((one,), " "),
            Ask((one,), "dog " * 60),
            Ask((one,), "what?", max_tokens=0),
        ]
    )
    assert isinstance(answers[0], Statement) and all(isinstance(a, BadInput) and a.hint for a in answers[1:])
    assert "room for 40" in str(answers[5])
    good, *bad = captioner(folders).describe.each(
        [Describe(one, max_tokens=4), Describe(one, "dog " * 60), Describe(one, max_tokens=0)]
    )
    assert isinstance(good, Statement) and all(isinstance(b, BadInput) for b in bad)
    scores = answerer(folders).answer_likelihood.each([(Ask((one,), "what?"), ""), (Ask((one,), "what?"), "no")])
    assert isinstance(scores[0], BadInput) and isinstance(scores[1], float)
    for kind in (THREE, "matcher"):
        ours = matcher(folders, kind)
        fits, *wrong = ours.match.each([Match(one, "a dog"), Match(one, ""), Match(one, "dog " * 60)])
        assert isinstance(fits, float) and all(isinstance(w, BadInput) for w in wrong)
        assert ours.match.batch([]) == [] and ours.calls["vision"].forwards == 1


def test_each_kind_stands_behind_its_capability(folders: dict[str, Path]) -> None:
    for made, protocol in (
        (captioner(folders), Captioner),
        (answerer(folders), LikelihoodAnswerer),
        (matcher(folders, THREE), Matcher),
        (matcher(folders, "matcher"), Matcher),
    ):
        assert all(hasattr(made, name) for name in members(protocol))
        assert made.size_in_bytes() > 50_000 and made.fingerprint.startswith("blip")


def test_what_is_missing_or_something_else_is_said(folders: dict[str, Path], tmp_path: Path) -> None:
    for load in (blip.load, blip2_match.load):
        with pytest.raises(ModelUnavailable) as info:
            load("someone/has-no-blip")
        assert info.value.hint == "hf download someone/has-no-blip"
        with pytest.raises(ModelUnavailable):
            load(str(tmp_path))
    with pytest.raises(ModelUnavailable, match="holds Blip2ForImageTextRetrieval"):
        blip.load(str(folders["matcher"]))
    with pytest.raises(ModelUnavailable, match="BlipForImageTextRetrieval"):
        blip2_match.load(str(folders[THREE]))
