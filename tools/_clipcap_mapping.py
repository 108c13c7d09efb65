"""ClipCap's mapping networks, read from a published checkpoint: from a CLIP vector to embeddings that GPT-2 reads.

Part of `clipcap.py`. Arithmetic on the tensors of the checkpoint, whose names are those of the published code
(Mokady et al. 2021, github.com/rmokady/CLIP_prefix_caption); the shapes tell the sizes. It trains nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Named
from typing import Any

PREFIX = "clip_project."
HEADS = 8


class Mapping:
    """A multi-layer perceptron (layers parted by tanh) or a transformer of eight heads (normalised first, ReLU).

    Args:
        tensors: the checkpoint's tensors by name; those of the mapping begin with `clip_project.`.
        width: of GPT-2's embeddings.

    Raises:
        KeyError, ValueError: the names or shapes are not of either network.
    """

    def __init__(self, tensors: Named[str, Any], width: int) -> None:
        self._tensors = {n.removeprefix(PREFIX): t for n, t in tensors.items() if n.startswith(PREFIX)}
        self._width = width
        self.is_transformer = "prefix_const" in self._tensors
        self._layers = self._layer_numbers()
        first = "linear" if self.is_transformer else f"model.{self._layers[0]}"
        last = "linear" if self.is_transformer else f"model.{self._layers[-1]}"
        self.reads = int(self._tensors[f"{first}.weight"].shape[1])
        self.length = len(self._tensors["prefix_const"]) if self.is_transformer else self._cut(last)
        self._looked_at = self._cut("linear") if self.is_transformer else 0

    def _layer_numbers(self) -> list[int]:
        pattern = r"transformer\.layers\.(\d+)\.norm1\.weight" if self.is_transformer else r"model\.(\d+)\.weight"
        found = [int(match[1]) for name in self._tensors if (match := re.fullmatch(pattern, name))]
        if not found:
            raise KeyError(f"no {PREFIX}model.0.weight and no {PREFIX}transformer.layers.0.norm1.weight")
        return sorted(found)

    def _cut(self, name: str) -> int:
        """How many embeddings a layer writes side by side."""
        out = len(self._tensors[f"{name}.weight"])
        if out % self._width:
            raise ValueError(f"{PREFIX}{name} writes {out} numbers, no multiple of GPT-2's width {self._width}")
        return int(out // self._width)

    def __call__(self, features: Any) -> Any:
        """Embeddings (rows x length x width) from CLIP vectors (rows x dimension)."""
        return self._transformed(features) if self.is_transformer else self._perceived(features)

    def to(self, device: str, dtype: Any) -> Mapping:
        """Moves the tensors."""
        self._tensors = {name: tensor.to(device, dtype) for name, tensor in self._tensors.items()}
        return self

    def size_in_bytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in self._tensors.values())

    def _linear(self, x: Any, name: str) -> Any:
        from torch.nn.functional import linear

        return linear(x, self._tensors[f"{name}.weight"], self._tensors.get(f"{name}.bias"))

    def _norm(self, x: Any, name: str) -> Any:
        from torch.nn.functional import layer_norm

        return layer_norm(x, x.shape[-1:], self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _perceived(self, x: Any) -> Any:
        for layer in self._layers:
            x = self._linear(x if layer == self._layers[0] else x.tanh(), f"model.{layer}")
        return x.view(len(x), self.length, self._width)

    def _transformed(self, features: Any) -> Any:
        import torch

        seen = self._linear(features, "linear").view(len(features), self._looked_at, self._width)
        learnt = self._tensors["prefix_const"].expand(len(features), -1, -1)
        x = torch.cat([seen, learnt], 1)
        for layer in self._layers:
            name = f"transformer.layers.{layer}"
            x = x + self._attended(self._norm(x, f"{name}.norm1"), f"{name}.attn")
            hidden = self._linear(self._norm(x, f"{name}.norm2"), f"{name}.mlp.fc1").relu()
            x = x + self._linear(hidden, f"{name}.mlp.fc2")
        return x[:, self._looked_at :]

    def _attended(self, x: Any, name: str) -> Any:
        from torch.nn.functional import scaled_dot_product_attention

        rows, length, width = x.shape
        queries = self._linear(x, f"{name}.to_queries").view(rows, length, HEADS, -1).transpose(1, 2)
        both = self._linear(x, f"{name}.to_keys_values").view(rows, length, 2, HEADS, -1)
        keys, values = both[:, :, 0].transpose(1, 2), both[:, :, 1].transpose(1, 2)
        out = scaled_dot_product_attention(queries, keys, values).transpose(1, 2).reshape(rows, length, width)
        return self._linear(out, f"{name}.project")
