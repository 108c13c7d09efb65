"""A tiny chat model with random weights and a tokenizer of Qwen2's class, saved to a folder: for tests of tool calls.

It says nothing of sense. As in Qwen2.5, `<tool_call>` is one token that is not special, calls stand on lines of their
own, and the model has more logits than the tokenizer has tokens.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from socratic.torchvision_guard import guard

TEMPLATE = (
    "{% if tools %}{{ '<|im_start|>system\\n# Tools\\n' }}{% for t in tools %}{{ t | tojson + '\\n' }}{% endfor %}"
    "{{ 'Call as <tool_call>\\n{...}\\n</tool_call><|im_end|>\\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] }}"
    "{% for c in m['tool_calls'] or [] %}"
    "{{ '\\n<tool_call>\\n{\"name\": \"' + c['function']['name'] + '\", \"arguments\": ' }}"
    "{{ c['function']['arguments'] | tojson }}{{ '}\\n</tool_call>' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def tokenizer(template: str = TEMPLATE) -> Any:
    """A tokenizer of Qwen2's class; its pieces of words are the pocket writer's."""
    guard()
    from transformers import AddedToken, Qwen2Tokenizer

    source = files("socratic.pocket").joinpath("writer/tokenizer.json").read_text(encoding="utf-8")
    pieces = json.loads(source)["model"]
    merges: Any = [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in pieces["merges"]]
    marks: dict[str, Any] = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None}
    made = Qwen2Tokenizer(vocab=pieces["vocab"], merges=merges, **marks)
    made.add_tokens([AddedToken("<|im_start|>", special=True)], special_tokens=True)
    made.add_tokens([AddedToken(mark, special=False) for mark in ("<tool_call>", "</tool_call>")])
    made.chat_template = template
    return made


def checkpoint(folder: Path, template: str = TEMPLATE) -> Path:
    """The folder is whole: configuration, weights, tokenizer and chat template."""
    words = tokenizer(template)
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(
        hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
        max_position_embeddings=2048, vocab_size=len(words) + 37,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
