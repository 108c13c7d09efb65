"""What a diffusion pipeline makes of words: prompts encoded once and remembered, and tokens counted.

Part of `diffusion.py`. Knows the argument names of diffusers' families; draws nothing.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from socratic.errors import BadInput
from socratic.tool import Calls
from socratic.tools._diffusion_pipes import text_parts
from socratic.values import TokenCount

_PLAIN = ("prompt_embeds", "negative_prompt_embeds")
_POOLED = (*_PLAIN, "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
_MASKED = (_PLAIN[0], "prompt_attention_mask", _PLAIN[1], "negative_prompt_attention_mask")
# What `encode_prompt` returns, by the text-to-image class. Families that are not here encode inside their call.
_RETURNED: dict[str, tuple[str, ...]] = {
    "StableDiffusionPipeline": _PLAIN,
    "StableUnCLIPImg2ImgPipeline": _PLAIN,
    "LatentConsistencyModelPipeline": _PLAIN,
    "StableDiffusionXLPipeline": _POOLED,
    "StableDiffusion3Pipeline": _POOLED,
    "FluxPipeline": ("prompt_embeds", "pooled_prompt_embeds", ""),
    "PixArtAlphaPipeline": _MASKED,
    "PixArtSigmaPipeline": _MASKED,
}
_AS_CALLED = ("clean_caption", "max_sequence_length")

Side = dict[str, Any]
"""The arguments of a pipeline call that stand for one text, by name: tensors of one row."""


class Texts:
    """The text side of one pipeline."""

    def __init__(self, pipe: Any, calls: dict[str, Calls], most: int = 64) -> None:
        """`calls["text"]` counts the texts that were encoded, and the runs of `encode_prompt`."""
        self._pipe = pipe
        self._calls = calls
        self._most = most
        self._returned = _RETURNED.get(type(pipe).__name__, ())
        self._kept: OrderedDict[tuple[bool, str], Side] = OrderedDict()

    @property
    def encodes(self) -> bool:
        """Whether prompts can be encoded apart from the drawing."""
        return bool(self._returned)

    def must_encode(self) -> None:
        """Raises a `BadInput` where prompts cannot be mixed."""
        if not self.encodes:
            raise BadInput(
                f"{type(self._pipe).__name__} gives no access to its encoded prompts", hint="blend two pictures"
            )

    @property
    def takes_negative(self) -> bool:
        """Whether the pipeline listens to a negative prompt."""
        if self._returned:
            return any(name.startswith("negative_") for name in self._returned) and self._takes("negative_prompt")
        return self._takes("negative_prompt")

    def _takes(self, name: str) -> bool:
        return name in inspect.signature(self._pipe.__call__).parameters

    def plain(self, prompts: Sequence[tuple[str, str]], guided: bool) -> dict[str, Any]:
        """The arguments of a call that encodes prompts and negative prompts itself; counted as one more pass."""
        self._calls["text"].items += len(prompts)
        self._calls["text"].forwards += 1
        negative = {"negative_prompt": [n for _, n in prompts]} if guided and any(n for _, n in prompts) else {}
        return {"prompt": [p for p, _ in prompts], **negative}

    def side(self, prompt: str, negative: str, guided: bool) -> Side:
        """The encoded prompt, and with guidance the encoded negative prompt. Each text is encoded alone, so that
        its numbers do not depend on what else is drawn."""
        wanted = [(False, prompt), (True, negative)] if guided and self.takes_negative else [(False, prompt)]
        missing = [key for key in wanted if key not in self._kept]
        found: Side = {}
        for key in wanted:
            if key in self._kept:
                self._kept.move_to_end(key)
                found |= self._kept[key]
        if missing:
            found |= self._encoded(prompt, negative, len(wanted) == 2, found)
            self._calls["text"].items += len(missing)
            self._calls["text"].forwards += 1
            for key in missing:
                self._kept[key] = {n: t for n, t in found.items() if n.startswith("negative_") == key[0]}
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found

    def _encoded(self, prompt: str, negative: str, guided: bool, known: Side) -> Side:
        """One run of the pipeline's own `encode_prompt`, which leaves alone what is known already."""
        import torch

        takes = inspect.signature(self._pipe.encode_prompt).parameters
        called = inspect.signature(self._pipe.__call__).parameters
        given: dict[str, Any] = {
            "prompt": prompt,
            "prompt_2": None,
            "prompt_3": None,
            "device": self._pipe._execution_device,
            "num_images_per_prompt": 1,
            "do_classifier_free_guidance": guided,
            **({"negative_prompt": negative} if negative else {}),
            **{name: called[name].default for name in _AS_CALLED if name in called},
            **known,
        }
        with torch.no_grad():
            returned = self._pipe.encode_prompt(**{name: value for name, value in given.items() if name in takes})
        pairs = zip(self._returned, returned, strict=True)
        return {name: tensor for name, tensor in pairs if name and tensor is not None}

    def count(self, prompt: str) -> tuple[TokenCount, ...]:
        """How each text encoder reads a prompt, with the special tokens."""
        return tuple(self._count(name, *pair, prompt) for name, pair in text_parts(self._pipe).items())

    def _count(self, name: str, tokenizer: Any, encoder: Any, prompt: str) -> TokenCount:
        limit = self._limit(tokenizer, encoder)
        tokens = len(tokenizer(prompt, verbose=False)["input_ids"])
        cut = _unseen(tokenizer, prompt, limit) if tokens > limit else ""
        return TokenCount(name, tokens, limit, cut)

    def _limit(self, tokenizer: Any, encoder: Any) -> int:
        """How many tokens an encoder reads."""
        called = inspect.signature(self._pipe.__call__).parameters
        if "max_sequence_length" in called and not str(encoder.config.model_type).startswith("clip"):
            return int(called["max_sequence_length"].default)
        return int(tokenizer.model_max_length)

    def refusal(self, prompt: str) -> BadInput | None:
        """The error for a prompt whose end none of the encoders would see."""
        counts = self.count(prompt)
        if not counts or not all(c.cut for c in counts):
            return None
        most = min(counts, key=lambda c: len(c.cut))
        return BadInput(
            f"a prompt of {most.tokens} tokens, and the model reads {most.limit}: it would not see {most.cut!r}",
            hint="shorten it, or load the generator with truncate = true",
        )


def stacked(sides: Sequence[Side]) -> dict[str, Any]:
    """Rows as one batch; a single one stays as it is."""
    import torch

    if len(sides) == 1:
        return dict(sides[0])
    return {name: torch.cat([side[name] for side in sides]) for name in sides[0]}


def _unseen(tokenizer: Any, prompt: str, limit: int) -> str:
    """The end of the prompt behind the last token that fits."""
    if not tokenizer.is_fast:
        ids = tokenizer(prompt, add_special_tokens=False, verbose=False)["input_ids"]
        room = limit - tokenizer.num_special_tokens_to_add()
        return str(tokenizer.decode(ids[room:])).strip()
    spans = tokenizer(prompt, truncation=True, max_length=limit, return_offsets_mapping=True)["offset_mapping"]
    return prompt[max(end for _, end in spans) :].strip()
