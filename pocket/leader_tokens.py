"""The pocket leader's own tokens, learnt from its lessons: whole words of requests, and a call in a few pieces.

In the writer's tokens `where`, `exactly` and `user` are spelt, so that a request took 145 tokens instead of 80 and a word
had to be learnt from its letters. Makes the tokenizer, and carries a model over to it. Trains nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from socratic.pocket.lessons_talk import SYSTEM, talk_lesson
from socratic.pocket.train_writer import CHAT_TEMPLATE, CONTEXT, SPECIAL

VOCABULARY = 6144
ROLES = ("system", "user", "assistant", "tool")
FORM = (
    '<tool_call>{"name": "', '", "arguments": {', '}}</tool_call>', '"}}</tool_call>', '"]}}</tool_call>',
    '"prompt": "', '"phrases": ["', '"picture": "', '"pictures": ["', '"questions": ["', '"text": "', '"name": "', '", "',
    '", "phrases": ["', '", "questions": ["', '", "prompt": "', '", "name": "', '", "n": ', '", "without": ["', '"], "', "img:",
)  # fmt: skip
"""Pieces of calls that are one token each."""
KEPT = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "rms_norm_eps",
    "max_position_embeddings", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id", "rope_parameters",
)  # fmt: skip
"""What a Llama and a Qwen2 both say of their shape."""
# `dogs` is `dog` and `s`, so that a call, which says `a dog`, takes the very token that the request has.
PLURAL = r"(?<=[a-z]{3})(?<!thi|doe|phrase|argument)s(?![a-z])"
# The first word of a request has a blank before it, as the same word has elsewhere.
TEMPLATE = CHAT_TEMPLATE.replace("'\\n' + m['content']", "('\\n ' if m['role'] == 'user' else '\\n') + m['content']")


def tokenizer(out: Path, lessons: int = 30_000) -> Any:
    """A byte-level BPE learnt from the lessons; made once."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if not (out / "tokenizer.json").is_file():
        core = Tokenizer(models.BPE())
        split = pre_tokenizers.Split(Regex(PLURAL), "isolated")
        digits = pre_tokenizers.Digits(individual_digits=True)
        core.pre_tokenizer = pre_tokenizers.Sequence([split, digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
        core.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=VOCABULARY - len(FORM),
            special_tokens=[AddedToken(t, special=True) for t in SPECIAL],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        core.train_from_iterator(_texts(lessons), trainer)
        core.add_tokens([AddedToken(t, special=False, normalized=False) for t in FORM])
        fast = PreTrainedTokenizerFast(
            tokenizer_object=core, pad_token=SPECIAL[0], eos_token=SPECIAL[2], model_max_length=CONTEXT
        )
        fast.chat_template = TEMPLATE
        fast.save_pretrained(out)
    return AutoTokenizer.from_pretrained(out)


def _texts(lessons: int) -> Iterator[str]:
    rng = random.Random("leader-tokens")
    for _ in range(lessons // 10):
        yield from (*ROLES, SYSTEM)
    for _ in range(lessons):
        for message in talk_lesson(rng, brief=rng.random() < 0.7, cut=0.3).messages[1:]:
            yield (" " if message.role == "user" else "") + message.text
            yield from (call.arguments for call in message.calls)


def carried(model: Any, old: Any, new: Any) -> Any:
    """The model with the embeddings of new tokens, each the mean of the old tokens that spell it.

    As a Llama, which computes the same: transformers gives models of the class Qwen2 another splitting into words than
    the tokenizer's own.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    told = model.config.to_dict()
    kept = {key: told[key] for key in KEPT}
    config = LlamaConfig(vocab_size=len(new), attention_bias=True, **kept)
    made = LlamaForCausalLM._from_config(config, attn_implementation=model.config._attn_implementation)
    weights = model.state_dict()
    known = weights["model.embed_tokens.weight"]
    spelt = [old(new.decode([i]), add_special_tokens=False)["input_ids"] for i in range(len(new))]
    rows = torch.stack([known[ids].mean(0) if ids else known.mean(0) for ids in spelt])
    zeros = {name: torch.zeros_like(p) for name, p in made.named_parameters() if name.endswith("o_proj.bias")}
    made.load_state_dict(zeros | weights | {"model.embed_tokens.weight": rows, "lm_head.weight": rows})
    return made
