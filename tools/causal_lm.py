"""A local language model through transformers: chat template in, text out, and likelihoods of given replies.

Takes a hub name or a local folder with a causal model whose tokenizer has a chat template. Loads safetensors
only and never remote code. It does not see pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from socratic.decoding import chosen_token, padded
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.hub import find_weights
from socratic.tool import Tool, operation
from socratic.values import Reply, Request, Usage
from socratic.weights import library, load_folder, reading

FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]


class CausalLM(Tool):
    """A chat model on this machine. Made by `load`."""

    def __init__(self, model: Any, tokenizer: Any, fingerprint: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._model = model
        self._tokenizer = tokenizer
        self._context = int(getattr(model.config, "max_position_embeddings", 2048))

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=64)
    def write(self, requests: Sequence[Request]) -> list[Reply | SocraticError]:
        """One reply per request. Equal seeds give equal replies, whatever else is in the batch."""
        prompts = [self._prompt(r) for r in requests]
        results: list[Reply | SocraticError] = [p for p in prompts if isinstance(p, SocraticError)]
        if results:
            return self._around_errors(requests, prompts)
        ids = [self._ids(str(p)) for p in prompts]
        said = self._generated(ids, requests)
        end = self._tokenizer.eos_token_id
        return [
            Reply(
                self._tokenizer.decode(tokens, skip_special_tokens=True).strip(),
                Usage(len(prompt), len(tokens)),
                finished=bool(tokens) and tokens[-1] == end,
            )
            for prompt, tokens in zip(ids, said, strict=True)
        ]

    @operation(batch=64)
    def likelihood(self, pairs: Sequence[tuple[Request, str]]) -> list[float]:
        """The mean log-probability per token of each given reply (<= 0; higher is likelier)."""
        import torch

        prompts = [self._ids(str(self._prompt(request))) for request, _ in pairs]
        replies = [self._ids(reply + self._tokenizer.eos_token) for _, reply in pairs]
        ids, mask = padded(
            [p + r for p, r in zip(prompts, replies, strict=True)], self._tokenizer.pad_token_id or 0, left=False
        )
        with torch.inference_mode():
            logits = (
                self._model(input_ids=ids.to(self._model.device), attention_mask=mask.to(self._model.device))
                .logits.float()
                .cpu()
            )
        chances = logits.log_softmax(-1)
        return [
            float(chances[row, range(len(p) - 1, len(p) + len(r) - 1), r].mean())
            for row, (p, r) in enumerate(zip(prompts, replies, strict=True))
        ]

    def _around_errors(
        self, requests: Sequence[Request], prompts: Sequence[str | SocraticError]
    ) -> list[Reply | SocraticError]:
        good = [i for i, p in enumerate(prompts) if isinstance(p, str)]
        replies = CausalLM.write.function(self, [requests[i] for i in good]) if good else []
        by_index = dict(zip(good, replies, strict=True))
        return [p if isinstance(p, SocraticError) else by_index[i] for i, p in enumerate(prompts)]

    def _prompt(self, request: Request) -> str | SocraticError:
        """The conversation in the model's own chat template."""
        if any(m.pictures for m in request.messages):
            return BadInput(
                "this language model does not see pictures",
                hint="choose a profile whose writer sees, or describe the picture",
            )
        rows = [m.as_dict() for m in request.messages]
        text: str = self._tokenizer.apply_chat_template(rows, add_generation_prompt=True, tokenize=False)
        length = len(self._ids(text)) + request.max_tokens
        if length > self._context:
            return BadInput(
                f"prompt and reply take {length} tokens, and the model reads {self._context}", hint="shorten the prompt"
            )
        return text

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def _generated(self, prompts: list[list[int]], requests: Sequence[Request]) -> list[list[int]]:
        """Token by token for the whole batch; each row has its own random generator, made from its seed."""
        import torch

        device, end = self._model.device, self._tokenizer.eos_token_id
        ids, mask = padded(prompts, self._tokenizer.pad_token_id or 0, left=True)
        step, mask, past = ids.to(device), mask.to(device), None
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        dice = [torch.Generator().manual_seed(r.seed * 1_000_003 + r.repeat) for r in requests]
        said: list[list[int]] = [[] for _ in requests]
        running = set(range(len(requests)))
        with torch.inference_mode():
            while running:
                out = self._model(
                    input_ids=step, attention_mask=mask, position_ids=positions, past_key_values=past, use_cache=True
                )
                past, logits = out.past_key_values, out.logits[:, -1].float().cpu()
                chosen = [
                    chosen_token(logits[i], r.temperature, dice[i]) if i in running else end
                    for i, r in enumerate(requests)
                ]
                for i in list(running):
                    said[i].append(chosen[i])
                    if chosen[i] == end or len(said[i]) >= requests[i].max_tokens:
                        running.discard(i)
                step = torch.tensor(chosen, device=device)[:, None]
                mask = torch.cat([mask, torch.ones_like(step)], 1)
                positions = positions[:, -1:] + 1
        return said


def load(model: str, *, device: str = "auto", dtype: str = "auto") -> CausalLM:
    """Loads a chat model from a hub name (`org/name[@revision]`) or a local folder.

    Raises:
        ModelUnavailable: transformers or the weights are missing, or the tokenizer has no chat template.
    """
    transformers = library()
    folder, revision = find_weights(model, FILES)
    where, number = place(device, dtype)
    with reading("a chat model", model):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        weights = load_folder(transformers.AutoModelForCausalLM, folder, number)
    if not tokenizer.chat_template:
        raise ModelUnavailable(f"{model} has no chat template", hint="choose an instruction-tuned model")
    tokenizer.padding_side = "left"
    return CausalLM(weights.to(where), tokenizer, f"causal_lm:{revision}")
