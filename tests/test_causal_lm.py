"""The local chat model on the pocket writer: batches, seeds, likelihoods, limits."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from socratic.errors import BadInput, ModelUnavailable
from socratic.tools import causal_lm
from socratic.values import Message, Picture, Request


@pytest.fixture(scope="module")
def writer() -> causal_lm.CausalLM:
    return causal_lm.load(str(files("socratic.pocket").joinpath("writer")), device="cpu")


def request(text: str, **settings: object) -> Request:
    return Request((Message("user", text),), **settings)  # type: ignore[arg-type]


def test_greedy_replies_equal_those_of_transformers(writer: causal_lm.CausalLM) -> None:
    """Our batched loop says what `generate` says for each request alone."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = str(files("socratic.pocket").joinpath("writer"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    asked = [
        request(f"What does a {name} look like? Make a list.", max_tokens=30)
        for name in ("zebra", "car", "tree with many words around it")
    ]
    for ours, r in zip(writer.write.batch(asked), asked, strict=True):
        text = tokenizer.apply_chat_template(
            [m.as_dict() for m in r.messages], add_generation_prompt=True, tokenize=False
        )
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        out = model.generate(ids, max_new_tokens=30, do_sample=False)
        assert ours.text == str(tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)).strip()


def test_seeds_repeat_and_do_not_depend_on_the_batch(writer: causal_lm.CausalLM) -> None:
    asked = [request("Describe a dog.", temperature=1.3, seed=s, max_tokens=20) for s in range(6)]
    together = [r.text for r in writer.write.batch(asked)]
    assert len(set(together)) > 1, "sampling must differ between seeds"
    assert together[4] == writer.write(asked[4]).text


def test_a_cut_off_reply_is_not_finished(writer: causal_lm.CausalLM) -> None:
    reply = writer.write(request("What does a zebra look like? Make a list.", max_tokens=2))
    assert not reply.finished and reply.usage.reply_tokens == 2


def test_likelihood_equals_the_sum_by_hand(writer: causal_lm.CausalLM) -> None:
    import torch

    asked = request("Is it a dog? yes or no")
    yes, no = writer.likelihood.batch([(asked, "yes"), (asked, "no, not at all")])
    prompt = writer._ids(str(writer._prompt(asked)))
    reply = writer._ids("yes<|im_end|>")
    with torch.no_grad():
        chances = writer._model(torch.tensor([prompt + reply])).logits[0].float().log_softmax(-1)
    by_hand = sum(float(chances[len(prompt) - 1 + i, t]) for i, t in enumerate(reply)) / len(reply)
    assert abs(yes - by_hand) < 1e-4
    assert no != yes


def test_what_it_cannot_read_is_refused_alone(writer: causal_lm.CausalLM) -> None:
    picture = Picture.of(Image.new("RGB", (8, 8)))
    seen = Request((Message("user", "what is it?", (picture,)),))
    fine, blind, long = writer.write.each([request("hello", max_tokens=3), seen, request("word " * 3000)])
    assert not isinstance(fine, BadInput)
    assert isinstance(blind, BadInput) and "see" in blind.message
    assert isinstance(long, BadInput) and "1024" in long.message


def test_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as info:
        causal_lm.load("someone/no-such-model")
    assert info.value.hint == "hf download someone/no-such-model"
    with pytest.raises(ModelUnavailable):
        causal_lm.load(str(tmp_path))
