"""GroundingDINO through transformers: phrases in, boxes out. Also MM-GroundingDINO.

All phrases of a picture go through one forward pass; those that do not fit the model's text go through as many
as they need. The score of a phrase is taken over its own tokens, so a label is always the asked phrase, word
for word, and never read back from tokens. It draws no masks. After Liu et al. 2023, arXiv:2303.05499.

Original checkpoints (`groundingdino_swint_ogc.pth`) are converted when they are loaded; the package
groundingdino-py is not needed for that, nor for anything else here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from socratic.decoding import padded
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable, SocraticError, ToolError
from socratic.hub import find_weights
from socratic.regions import Regions
from socratic.tasks import Find
from socratic.tool import Tool, operation
from socratic.tools import _grounding_dino_checkpoint
from socratic.tools._grounding_dino_captions import Caption, CaptionWriter
from socratic.tools._suppression import Numbers, checked_share, corners, regions_of
from socratic.values import Picture
from socratic.weights import is_file, library, load_folder, reading

FILES = ["*.json", "*.safetensors", "*.txt"]
FAMILY = ("grounding-dino", "mm-grounding-dino")
Row = tuple[str, Caption]
Seen = tuple[Numbers, Numbers]
"""Boxes (queries, 4) as centre and size in [0, 1], and scores (queries, phrases) in [0, 1]."""


class GroundingDino(Tool):
    """A detector for phrases. Made by `load`."""

    def __init__(
        self,
        model: Any,
        image_processor: Any,
        tokenizer: Any,
        fingerprint: str,
        *,
        threshold: float = 0.3,
        overlap: float = 0.7,
        across_labels: bool = True,
        pooling: Literal["max", "mean"] = "max",
    ) -> None:
        import torch

        super().__init__()
        if pooling not in ("max", "mean"):
            raise BadInput(f"pooling = {pooling!r}", hint="max or mean")
        self.fingerprint = f"{fingerprint}:{threshold}:{overlap}:{across_labels}:{pooling}"
        self._model = model
        self._image_processor = image_processor
        self._writer = CaptionWriter(tokenizer, int(model.config.max_text_len))
        self._threshold = checked_share("threshold", threshold)
        self._overlap = checked_share("overlap", overlap)
        self._across_labels = across_labels
        self._pool = np.max if pooling == "max" else np.mean
        # the class knows the ids of bert-base-uncased; another vocabulary has its full stop elsewhere
        model.model.special_tokens = torch.tensor(self._writer.delimiters, device=model.device)

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=8)
    def find(self, items: Sequence[Find]) -> list[Regions | SocraticError]:
        """The regions that phrases name, the surest first; no phrases, or none that is there: no regions.

        Forward passes of the model are counted in `calls["vision"]`. Phrases that share a picture compete: each
        box goes to the phrase that fits it best.
        """
        asked = [self._captions(item) for item in items]
        rows: dict[Row, Picture] = {}
        for item, captions in zip(items, asked, strict=True):
            if not isinstance(captions, SocraticError):
                rows |= {(item.picture.sha256, caption): item.picture for caption in captions}
        seen = self._seen(rows)
        return [
            captions if isinstance(captions, SocraticError) else self._regions(item, captions, seen)
            for item, captions in zip(items, asked, strict=True)
        ]

    def _captions(self, item: Find) -> list[Caption] | SocraticError:
        try:
            checked_share("threshold", self._threshold if item.threshold is None else item.threshold)
            return self._writer.captions(item.phrases)
        except BadInput as error:
            return error

    def _regions(
        self, item: Find, captions: list[Caption], seen: dict[Row, Seen | SocraticError]
    ) -> Regions | SocraticError:
        """Puts the passes of one item together; a phrase counts only in the pass that asked for it."""
        width, height = item.picture.width, item.picture.height
        parts: list[Seen] = []
        for caption in captions:
            part = seen[item.picture.sha256, caption]
            if isinstance(part, SocraticError):
                return part
            parts.append(part)
        if not parts:
            return Regions(width, height)
        return regions_of(
            item.picture,
            [phrase for caption in captions for phrase in caption.phrases],
            corners(np.concatenate([boxes for boxes, _ in parts]), width, height),
            _side_by_side([scores for _, scores in parts]),
            threshold=self._threshold if item.threshold is None else item.threshold,
            overlap=self._overlap,
            across_labels=self._across_labels,
        )

    def _seen(self, rows: dict[Row, Picture]) -> dict[Row, Seen | SocraticError]:
        """Every picture with every caption, in passes of pictures of one size: padding pictures moves boxes."""
        pixels: dict[str, Any] = {}
        found: dict[Row, Seen | SocraticError] = {}
        for picture in rows.values():
            if picture.sha256 not in pixels:
                pixels[picture.sha256] = self._pixels(picture)
        sizes: dict[tuple[int, ...], list[Row]] = {}
        for row in rows:
            size = pixels[row[0]]
            if isinstance(size, SocraticError):
                found[row] = size
            else:
                sizes.setdefault(tuple(size.shape), []).append(row)
        for alike in sizes.values():
            for some in (alike[i : i + 8] for i in range(0, len(alike), 8)):
                found |= zip(some, self._pass([pixels[sha] for sha, _ in some], [c for _, c in some]), strict=True)
        return found

    def _pixels(self, picture: Picture) -> Any:
        try:
            return self._image_processor(images=[picture.pil], return_tensors="pt")["pixel_values"][0]
        except (ValueError, ZeroDivisionError) as error:
            return _unusable(picture.width, picture.height, error)

    def _pass(self, pixels: list[Any], captions: list[Caption]) -> Iterator[Seen | SocraticError]:
        """One forward pass. What the model itself refuses is an error of these rows, not of the whole batch."""
        import torch

        calls = self.calls["vision"]
        calls.items, calls.forwards = calls.items + len(pixels), calls.forwards + 1
        ids, mask = (
            t.to(self._model.device) for t in padded([[*c.ids] for c in captions], self._writer.pad, left=False)
        )
        seen = torch.stack(pixels).to(self._model.device, self._model.dtype)
        try:
            with torch.inference_mode():
                out = self._model(pixel_values=seen, input_ids=ids, attention_mask=mask)
        except (ValueError, RuntimeError) as error:  # a picture so thin that it has fewer patches than queries
            if "memory" in str(error):
                raise
            height, width = pixels[0].shape[-2:]
            return iter([_unusable(width, height, error)] * len(pixels))
        chances, boxes = out.logits.float().sigmoid().cpu().numpy(), out.pred_boxes.float().cpu().numpy()
        return (self._scored(*row) for row in zip(boxes, chances, captions, strict=True))

    def _scored(self, boxes: Numbers, chances: Numbers, caption: Caption) -> Seen | SocraticError:
        scores = np.stack([self._pool(chances[:, a:b], axis=-1) for a, b in caption.spans], -1)
        if not (np.isfinite(scores).all() and np.isfinite(boxes).all()):
            return ToolError("the detector gave NaN for this input", hint='set dtype = "float32" in the profile')
        return boxes, scores


def _side_by_side(blocks: list[Numbers]) -> Numbers:
    """Blocks down the diagonal of a matrix of zeros."""
    whole = np.zeros(np.sum([block.shape for block in blocks], axis=0))
    row = column = 0
    for block in blocks:
        n, m = block.shape
        whole[row : row + n, column : column + m] = block
        row, column = row + n, column + m
    return whole


def _unusable(width: int, height: int, error: Exception) -> ToolError:
    return ToolError(
        f"the detector cannot take a picture of this shape ({width} x {height}): {error}", hint="crop the picture"
    )


def load(
    model: str,
    *,
    tokenizer: str = "",
    device: str = "auto",
    dtype: str = "auto",
    threshold: float = 0.3,
    overlap: float = 0.7,
    across_labels: bool = True,
    pooling: Literal["max", "mean"] = "max",
) -> GroundingDino:
    """Loads a detector from a hub name (`org/name[@revision]`), a local folder, or an original `.pth` file.

    Args:
        tokenizer: folder or hub name of the text tower, such as `google-bert/bert-base-uncased`; only for `.pth`.
        dtype: `auto` is float32 on every device, since bfloat16 holds a place to 1/256 of the picture only.
        threshold: the least score of a region where a request does not say.
        overlap: of two boxes with a higher intersection over union the surer one stays.
        across_labels: whether that holds between boxes of different phrases.
        pooling: how a phrase's score comes from the chances of its tokens: `max` compares with transformers'
            own thresholds, `mean` wants every word to fit.

    Raises:
        ModelUnavailable: transformers or the weights are missing, or they are of another family.
        BadInput: a setting is out of range.
    """
    transformers = library()
    where, number = place(device, "float32" if dtype == "auto" else dtype)
    weights, images, words, revision = _read(model, tokenizer, number, transformers)
    return GroundingDino(
        weights.to(where),
        images,
        words,
        f"grounding_dino:{revision}",
        threshold=threshold,
        overlap=overlap,
        across_labels=across_labels,
        pooling=pooling,
    )


def _read(model: str, tokenizer: str, dtype: Any, transformers: Any) -> tuple[Any, Any, Any, str]:
    """The model, its image processor, its tokenizer, and what tells its weights apart."""
    if is_file(model):
        return _grounding_dino_checkpoint.load(model, tokenizer, dtype)
    folder, revision = find_weights(model, FILES)
    with reading("a detector", model):
        kind = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False).model_type
        if kind not in FAMILY:
            raise ModelUnavailable(f"{model} is of the family {kind}", hint=f"this tool loads {' and '.join(FAMILY)}")
        processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
        weights = load_folder(transformers.AutoModelForZeroShotObjectDetection, folder, dtype)
    return weights, processor.image_processor, processor.tokenizer, revision
