"""Trains the pocket writer, a small causal language model with a chat template: `python -m socratic.pocket train writer`.

Starts from random weights and learns the conversations of `lessons.py`; only the replies are scored. Resumable. Knows
nothing of how the writer is used. A second course (`train_leader.py`) makes the leader of the assistant of it.
"""

from __future__ import annotations

import json
import random
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from socratic.pocket.lessons import Lesson, lesson
from socratic.torchvision_guard import guard

VOCABULARY, CONTEXT = 3072, 1024
ARCHITECTURE: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 5,
    "num_attention_heads": 8, "num_key_value_heads": 4, "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": 2, "pad_token_id": 0, "use_cache": True,
}  # fmt: skip
# Tools are told in one line each, `detect(picture?, phrases)`, because the context is short; `?` marks what may be left
# out. Without tools and calls this renders what the first weights were trained on.
CHAT_TEMPLATE = (
    "{% if tools %}{% endif %}"  # it learnt its tools by heart, and its calls are held to those that are offered
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] }}"
    "{% for c in m['tool_calls'] or [] %}{{ '\\n' if m['content'] or not loop.first else '' }}"
    "{{ '<tool_call>' }}{{ {'name': c['function']['name'], 'arguments': c['function']['arguments']} | tojson }}"
    "{{ '</tool_call>' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
SPECIAL = ["<|pad|>", "<|im_start|>", "<|im_end|>"]


def train(out: Path, work: Path, *, steps: int = 3200, batch: int = 32, lr: float = 1.5e-3) -> None:
    """Trains and writes the model with its tokenizer to `out`; `work` keeps the resumable state.

    Args:
        steps: of the first course; the second one has its own length.
    """
    guard()
    from transformers import Qwen2Config, Qwen2ForCausalLM

    work.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(out)
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(Qwen2Config(**ARCHITECTURE))
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, lr, total_steps=steps, pct_start=0.05, final_div_factor=50
    )
    state, first = work / "writer-state.pt", 0
    if state.is_file():
        kept = torch.load(state, weights_only=True)
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        schedule.load_state_dict(kept["schedule"])
        first = kept["step"]
    began = time.time()
    for step in range(first, steps):
        ids, scored = _encoded(_block(step // 4, batch)[step % 4], tokenizer)
        loss = reply_loss(model, ids, scored)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % 50 == 0:
            print(
                json.dumps({"step": step + 1, "loss": round(loss.item(), 4), "seconds": round(time.time() - began)}),
                flush=True,
            )
        if (step + 1) % 250 == 0 or step + 1 == steps:
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(),
                    "step": step + 1,
                },
                state,
            )
            save(model, out)


@lru_cache(maxsize=1)
def _block(number: int, batch: int) -> list[list[Lesson]]:
    """Four batches of lessons of like length, in random order, so that little padding is computed."""
    rng = random.Random(f"writer-{number}")
    lessons = sorted((lesson(rng) for _ in range(4 * batch)), key=lambda one: sum(len(m.text) for m in one[0]))
    return rng.sample([lessons[i * batch : (i + 1) * batch] for i in range(4)], 4)


def _tokenizer(out: Path) -> Any:
    """A byte-level BPE learnt from the lessons; made once."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if not (out / "tokenizer.json").is_file():
        rng = random.Random("tokenizer")
        lessons = (lesson(rng) for _ in range(20_000))
        texts = ("\n".join([*(m.text for m in messages), reply]) for messages, reply in lessons)
        core = Tokenizer(models.BPE())
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        core.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=[AddedToken(t, special=True) for t in SPECIAL],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        core.train_from_iterator(texts, trainer)
        fast = PreTrainedTokenizerFast(
            tokenizer_object=core, pad_token=SPECIAL[0], eos_token=SPECIAL[2], model_max_length=CONTEXT
        )
        fast.chat_template = CHAT_TEMPLATE
        fast.save_pretrained(out)
    return AutoTokenizer.from_pretrained(out)


def _encoded(lessons: list[Lesson], tokenizer: Any) -> tuple[Tensor, Tensor]:
    """Token ids, padded on the right, and which of them belong to a reply."""
    rows, masks = [], []
    for messages, reply in lessons:
        asked = tokenizer.apply_chat_template(
            [m.as_dict() for m in messages], add_generation_prompt=True, tokenize=False
        )
        prompt = tokenizer(asked, add_special_tokens=False)["input_ids"]
        said = tokenizer(f"{reply}<|im_end|>", add_special_tokens=False)["input_ids"]
        rows.append(prompt + said)
        masks.append([0] * len(prompt) + [1] * len(said))
    longest = max(map(len, rows))
    ids = torch.tensor([r + [0] * (longest - len(r)) for r in rows])
    return ids, torch.tensor([m + [0] * (longest - len(m)) for m in masks]).bool()


def reply_loss(model: Any, ids: Tensor, scored: Tensor) -> Tensor:
    """Cross entropy on reply tokens; the vocabulary projection is done for those alone."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(input_ids=ids).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[scored[:, 1:]])
    return functional.cross_entropy(logits.float(), ids[:, 1:][scored[:, 1:]])


def save(model: Any, out: Path) -> None:
    """Writes the weights in half precision without changing the model in training."""
    half = type(model)(model.config)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(out)
