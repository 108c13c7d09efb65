"""The leader's own tokens: things are the same in a request and in a call, a call is short, and a model carries over."""

from __future__ import annotations

from typing import Any

import pytest

from socratic.guided import CLOSE, OPEN, Guide
from socratic.pocket.concepts import known
from socratic.pocket.leader_tokens import FORM, ROLES, VOCABULARY, carried
from socratic.torchvision_guard import guard

guard()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained("pocket/leader")


@pytest.mark.parametrize("name", [c.name for c in known() if c.plural == f"{c.name}s" and len(c.name) > 2])
def test_several_things_begin_with_the_tokens_of_one(tokenizer: Any, name: str) -> None:
    one, many = tokenizer.tokenize(f"how many {name}"), tokenizer.tokenize(f"how many {name}s")
    assert many == [*one, "s"]


def test_a_request_and_its_call_name_a_thing_by_the_same_token(tokenizer: Any) -> None:
    said = tokenizer.tokenize(
        tokenizer.apply_chat_template([{"role": "user", "content": "dogs, how many"}], tokenize=False)
    )
    called = tokenizer.tokenize(f'{OPEN}{{"name": "detect", "arguments": {{"phrases": ["a dog"]}}}}{CLOSE}')
    assert "Ġdog" in said and "Ġdog" in called and len(called) <= 7


def test_every_role_is_one_token_and_no_piece_of_a_call_is_a_control_token(tokenizer: Any) -> None:
    assert len(tokenizer) == VOCABULARY and all(len(tokenizer.tokenize(role)) == 1 for role in ROLES)
    tokens = Guide(tokenizer, len(tokenizer))._tokens
    assert not any(tokens.is_special_token(tokenizer.convert_tokens_to_ids(piece)) for piece in FORM)


def test_a_model_carries_over_and_a_new_token_is_the_mean_of_what_spelt_it(tokenizer: Any) -> None:
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    old = AutoTokenizer.from_pretrained("pocket/writer")
    config: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}  # fmt: skip
    torch.manual_seed(0)
    model: Any = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(old), tie_word_embeddings=True, **config))
    made = carried(model, old, tokenizer)
    known_rows, rows = model.get_input_embeddings().weight, made.get_input_embeddings().weight
    where = tokenizer.convert_tokens_to_ids("Ġwhereabout")
    spelt = old(" whereabout", add_special_tokens=False)["input_ids"]
    assert len(spelt) > 1 and torch.allclose(rows[where], known_rows[spelt].mean(0))
    assert made.get_output_embeddings().weight is rows and rows.shape == (VOCABULARY, 16)
    assert torch.equal(made.model.layers[0].mlp.up_proj.weight, model.model.layers[0].mlp.up_proj.weight)
