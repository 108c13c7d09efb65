"""CoCa through open_clip: captions.

Takes an open_clip name with a `pretrained` tag (`coca_ViT-L-14`), `hf-hub:org/name[@revision]` or `local-dir:path`
of a contrastive captioner (Yu et al. 2022). open_clip's own `generate` needs a part of transformers that is gone, so
the loop is ours: greedy or sampled, without beams, the whole text through the decoder for each token. Each picture
is encoded once. CoCa is a tower pair too; for vectors load it with `open_clip.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from socratic.decoding import Choices, Said, around_errors, by_groups
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.features import PictureFeatures
from socratic.tasks import Describe
from socratic.tool import Tool, operation
from socratic.tools._open_clip_towers import towers
from socratic.values import Picture, Statement


class Coca(Tool):
    """A captioner on this machine. Made by `load`."""

    def __init__(self, model: Any, preprocess: Any, tokenizer: Any, fingerprint: str, device: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._model = model.eval().to(device)
        self._preprocess = preprocess
        self._tokenizer = tokenizer
        self._device = device
        self._room = int(model.context_length)
        self._features: PictureFeatures[tuple[Any, Any]] = PictureFeatures(64)

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=32)
    def describe(self, tasks: Sequence[Describe]) -> list[Statement | SocraticError]:
        """One sentence per picture, beginning with the prefix. Equal seeds give equal sentences in any batch.

        Prefix and sentence share the tokens that the decoder reads (76 in the published models); asking for more
        is a `BadInput`.
        """
        return around_errors([self._misfit(t) or t for t in tasks], self._captions)

    def _misfit(self, task: Describe) -> BadInput | None:
        if task.max_tokens < 1:
            return BadInput(f"a reply of at most {task.max_tokens} tokens says nothing", hint="max_tokens >= 1")
        length = len(self._start(task)) + task.max_tokens
        if length <= self._room:
            return None
        return BadInput(
            f"prefix and sentence take {length} tokens, and the decoder reads {self._room}",
            hint="shorten the prefix, or ask for fewer tokens",
        )

    def _start(self, task: Describe) -> list[int]:
        """What stands before the reply: the start of a text, and the prefix."""
        return [self._tokenizer.sot_token_id, *self._tokenizer.encode(task.prefix.strip())]

    def _captions(self, tasks: list[Describe]) -> list[Statement]:
        import torch

        with torch.inference_mode():
            self._features.of([t.picture for t in tasks], self._encode, self.calls["vision"])
            said = by_groups(tasks, lambda t: len(self._start(t)), self._said)
        return [Statement(self._text(t, s), s.confidence, s.finished) for t, s in zip(tasks, said, strict=True)]

    def _said(self, tasks: list[Describe]) -> list[Said]:
        """Replies to prefixes of one length, so that no row is padded: the text tower counts padding as text."""
        import torch

        seen = self._features.of([t.picture for t in tasks], self._encode, self.calls["vision"])
        latent, patches = (torch.stack(part) for part in zip(*seen, strict=True))
        ids = torch.tensor([self._start(t) for t in tasks], device=self._device)
        choices = Choices(tasks, [self._tokenizer.eot_token_id])
        while choices.running:
            logits = self._model(None, ids, image_latent=latent, image_embs=patches, output_labels=False)["logits"]
            chosen = torch.tensor(choices.choose(logits[:, -1]), device=self._device)
            ids = torch.cat([ids, chosen[:, None]], 1)
        return choices.said()

    def _encode(self, pictures: list[Picture]) -> list[tuple[Any, Any]]:
        """What each picture is to the decoder: its vector, and its patches (patches x width)."""
        import torch

        pixels = torch.stack([self._preprocess(p.pil) for p in pictures]).to(self._device)
        seen = self._model(pixels)
        return list(zip(seen["image_features"], seen["image_embs"], strict=True))

    def _text(self, task: Describe, said: Said) -> str:
        return f"{task.prefix.strip()} {self._tokenizer.decode(list(said.tokens)).strip()}".strip()


def load(model: str, *, pretrained: str | None = None, device: str = "auto") -> Coca:
    """Loads a contrastive captioner, in float32.

    Args:
        model: an open_clip name, `hf-hub:org/name[@revision]` or `local-dir:path`.
        pretrained: open_clip's weights tag for a plain name. Random weights are never used silently.
        device: a torch device, or `auto` for the GPU where there is one.

    Raises:
        ModelUnavailable: open_clip or the weights are missing, or the model writes no captions.
    """
    where, _ = place(device)
    captioner, preprocess, tokenizer, revision = towers(model, pretrained)
    if not hasattr(captioner, "text_decoder") or not hasattr(tokenizer, "sot_token_id"):
        raise ModelUnavailable(f"{model} writes no captions", hint="choose a CoCa with CLIP's own vocabulary")
    return Coca(captioner, preprocess, tokenizer, f"coca:{revision}", where)
