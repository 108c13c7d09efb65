"""CLIP and SigLIP through open_clip: pictures and texts as unit vectors of one space.

Takes any open_clip name (`ViT-B-32` with a `pretrained` tag), `hf-hub:org/name` and `local-dir:path`, and
uses each tower's own tokenizer, preprocessing, logit scale and bias. It embeds; ranking and averaging are
arithmetic on vectors and live in the recipes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, SocraticError, ToolError
from socratic.tool import Tool, operation
from socratic.tools._open_clip_towers import towers
from socratic.values import Picture, Space, Vector


class OpenClip(Tool):
    """A tower pair. Made by `load`."""

    def __init__(self, model: Any, preprocess: Any, tokenizer: Any, fingerprint: str, device: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._model = model.eval().to(device)
        self._preprocess = preprocess
        self._tokenizer = tokenizer
        self._device = device
        bias = getattr(model, "logit_bias", None)
        self.space = Space(
            scale=float(model.logit_scale.detach().exp()),
            bias=0.0 if bias is None else float(bias.detach()),
            kind="softmax" if bias is None else "sigmoid",
        )

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=32)
    def embed_picture(self, pictures: Sequence[Picture]) -> list[Vector]:
        """One unit vector per picture (dimension of the tower, float32)."""
        import torch

        with torch.inference_mode():
            return _unit_rows(self._encoded(pictures))

    @operation(batch=32)
    def picture_features(self, pictures: Sequence[Picture]) -> list[Vector]:
        """The same before it is made a unit vector: long where the tower sees much."""
        import torch

        with torch.inference_mode():
            return _finite_rows(self._encoded(pictures).float())

    def _encoded(self, pictures: Sequence[Picture]) -> Any:
        import torch

        pixels = torch.stack([self._preprocess(p.pil) for p in pictures]).to(self._device)
        return self._model.encode_image(pixels)

    @operation(batch=256)
    def embed_text(self, texts: Sequence[str]) -> list[Vector | SocraticError]:
        """One unit vector per text; a text longer than the tower reads is a `BadInput`, never cut."""
        import torch

        results: list[Vector | SocraticError] = [self._too_long(t) or np.empty(0, np.float32) for t in texts]
        fitting = [i for i, r in enumerate(results) if not isinstance(r, SocraticError)]
        if fitting:
            ids = self._tokenizer([texts[i] for i in fitting]).to(self._device)
            with torch.inference_mode():
                rows = _unit_rows(text_features(self._model, ids))
            for i, row in zip(fitting, rows, strict=True):
                results[i] = row
        return results

    def _too_long(self, text: str) -> BadInput | None:
        limit = self._tokenizer.context_length
        if len(text) <= limit - 2:  # a token is at least one character
            return None
        inner = getattr(self._tokenizer, "tokenizer", None)
        count = len(inner(text)["input_ids"]) if inner else len(self._tokenizer.encode(text)) + 2
        if count <= limit:
            return None
        return BadInput(
            f"a text of {count} tokens, and the text tower reads {limit}: {text[:60]!r}…", hint="shorten it"
        )


def load(model: str, *, pretrained: str | None = None, device: str = "auto") -> OpenClip:
    """Loads a tower pair.

    Args:
        model: an open_clip name, `hf-hub:org/name[@revision]` or `local-dir:path`.
        pretrained: open_clip's weights tag for a plain name. Random weights are never used silently.
        device: a torch device, or `auto` for the GPU where there is one.

    Raises:
        ModelUnavailable: open_clip or the weights are missing.
    """
    where, _ = place(device)
    made, preprocess, tokenizer, revision = towers(model, pretrained)
    return OpenClip(made, preprocess, tokenizer, f"open_clip:{revision}", where)


def _unit_rows(features: Any) -> list[Any]:
    """Features as unit vectors; a `ToolError` in the place of one that is not finite."""
    from torch.nn.functional import normalize

    return _finite_rows(normalize(features.float(), dim=-1))


def _finite_rows(features: Any) -> list[Any]:
    rows = features.cpu().numpy()
    return [row if np.isfinite(row).all() else ToolError("the model gave NaN for this input") for row in rows]


def text_features(model: Any, ids: Any) -> Any:
    """Text features (rows x dimension), not normalised; the trimmed pass where the tower allows it."""
    tower = getattr(model, "text", model)
    causal = getattr(tower, "attn_mask", None) is not None and getattr(tower, "cls_emb", None) is None
    pool = getattr(tower, "pool_type", getattr(tower, "text_pool_type", None))
    if causal and pool in ("argmax", "eos") and hasattr(tower, "token_embedding"):
        return trimmed_text_features(tower, ids, pool)
    return model.encode_text(ids)


def trimmed_text_features(tower: Any, ids: Any, pool: str = "argmax") -> Any:
    """The text pass over the columns in use alone.

    A causal tower never looks past the token that it is read at, so the padding behind the longest text of
    the batch changes nothing; leaving it away saves most of the work on short texts.
    """
    end = (
        ids.argmax(-1)
        if pool == "argmax"
        else (ids == getattr(tower, "text_eos_id", getattr(tower, "eos_id", -1))).int().argmax(-1)
    )
    length = int(end.max()) + 1
    x = tower.token_embedding(ids[:, :length]) + tower.positional_embedding[:length]
    x = tower.ln_final(tower.transformer(x, attn_mask=tower.attn_mask[:length, :length]))
    x = x.gather(1, end[:, None, None].expand(-1, 1, x.shape[-1]))[:, 0]
    projection = tower.text_projection
    if projection is None:
        return x
    return projection(x) if callable(projection) else x @ projection
