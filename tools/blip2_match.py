"""BLIP-2's matching head through transformers: how well a text fits a picture, as a probability.

Takes a hub name or a local folder with `Blip2ForImageTextRetrieval` (Li et al. 2023, BLIP-2, stage one): the
Q-Former reads the text and the picture together. Each picture goes through the vision tower once for all texts.
Captions and answers are in `blip2.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from socratic.decoding import around_errors, padded
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, SocraticError
from socratic.features import PictureFeatures
from socratic.hub import find_weights
from socratic.tasks import Match
from socratic.tool import Tool, operation
from socratic.values import Picture
from socratic.weights import kind_of, library, load_folder, reading

FILES = ["*.json", "*.safetensors", "*.txt"]


class Blip2Matcher(Tool):
    """A matcher. Made by `load`."""

    def __init__(self, model: Any, processor: Any, fingerprint: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._model = model
        self._images = processor.image_processor
        self._tokenizer = processor.tokenizer
        self._room = int(model.config.qformer_config.max_position_embeddings)
        self._features: PictureFeatures[Any] = PictureFeatures(64)

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=64)
    def match(self, tasks: Sequence[Match]) -> list[float | SocraticError]:
        """The probability, in [0, 1], that the text fits the picture.

        An empty text, and one that is longer than the Q-Former reads, are a `BadInput`.
        """
        return around_errors([self._misfit(t.text) or t for t in tasks], self._matches)

    def _misfit(self, text: str) -> BadInput | None:
        if not text.strip():
            return BadInput("the text is empty", hint="give at least one word")
        length = len(self._ids(text))
        if length <= self._room:
            return None
        return BadInput(f"a text of {length} tokens, and there is room for {self._room}", hint="shorten it")

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer(text, split_special_tokens=True)["input_ids"]
        return found

    def _matches(self, tasks: list[Match]) -> list[float]:
        import torch

        model = self._model
        ids, mask = padded([self._ids(t.text.strip()) for t in tasks], self._tokenizer.pad_token_id or 0, left=False)
        with torch.inference_mode():
            seen = torch.stack(self._features.of([t.picture for t in tasks], self._encode, self.calls["vision"]))
            queries = model.query_tokens.expand(len(tasks), -1, -1)
            states = model.qformer(
                query_embeds=model.embeddings(input_ids=ids.to(model.device), query_embeds=queries),
                query_length=queries.shape[1],
                attention_mask=torch.cat([torch.ones(queries.shape[:2], dtype=mask.dtype), mask], 1).to(model.device),
                encoder_hidden_states=seen,
            ).last_hidden_state[:, : queries.shape[1]]
            logits = model.itm_head(states.to(model.itm_head.weight.dtype)).mean(1)
            return [float(p) for p in logits.float().softmax(-1)[:, 1]]

    def _encode(self, pictures: list[Picture]) -> list[Any]:
        """The vision tower's states of each picture (patches x width)."""
        pixels = self._images([p.pil for p in pictures], return_tensors="pt", input_data_format="channels_last")
        values = pixels["pixel_values"].to(self._model.device, self._model.dtype)
        return list(self._model.vision_model(pixel_values=values).last_hidden_state.unbind(0))


def load(model: str, *, device: str = "auto", dtype: str = "auto") -> Blip2Matcher:
    """Loads a matcher from a hub name (`org/name[@revision]`) or a local folder.

    Raises:
        ModelUnavailable: transformers or the weights are missing, or the folder holds another model.
    """
    transformers = library()
    folder, revision = find_weights(model, FILES)
    where, number = place(device, dtype)
    with reading("a BLIP-2 matcher", model):
        kind = kind_of(folder, ["Blip2ForImageTextRetrieval"])
        processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
        weights = load_folder(getattr(transformers, kind), folder, number)
    return Blip2Matcher(weights.to(where), processor, f"blip2_match:{revision}:{number}")
