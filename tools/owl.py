"""OWL-ViT and OWLv2 through transformers: phrases in, boxes out.

Each phrase is judged alone, so that the score of one does not depend on what else is looked for. A picture goes
through the vision tower once, however many phrases and calls ask about it. After Minderer et al. 2022,
arXiv:2205.06230, and 2023, arXiv:2306.09683. It draws no masks, and does not search by example picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable, SocraticError, ToolError
from socratic.features import PictureFeatures
from socratic.hub import find_weights, missing_package
from socratic.regions import Regions
from socratic.tasks import Find
from socratic.tool import Tool, operation
from socratic.tools._suppression import Numbers, checked_share, corners, regions_of
from socratic.values import Picture
from socratic.weights import library, load_folder, reading

FILES = ["*.json", "*.safetensors", "*.txt"]
FAMILY = ("owlvit", "owlv2")


class Owl(Tool):
    """A detector for phrases. Made by `load`."""

    def __init__(
        self,
        model: Any,
        processor: Any,
        fingerprint: str,
        *,
        threshold: float = 0.1,
        overlap: float = 0.7,
        across_labels: bool = True,
    ) -> None:
        super().__init__()
        self.fingerprint = f"{fingerprint}:{threshold}:{overlap}:{across_labels}"
        self._model = model
        self._towers = model.owlv2 if hasattr(model, "owlv2") else model.owlvit
        self._image_processor = processor.image_processor
        self._tokenizer = processor.tokenizer
        self._limit = int(model.config.text_config.max_position_embeddings)
        self._features: PictureFeatures[tuple[Any, Numbers]] = PictureFeatures(32)
        self._threshold = checked_share("threshold", threshold)
        self._overlap = checked_share("overlap", overlap)
        self._across_labels = across_labels

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=8)
    def find(self, items: Sequence[Find]) -> list[Regions | SocraticError]:
        """The regions that phrases name, the surest first; no phrases, or none that is there: no regions.

        Each box goes to the phrase that fits it best. Passes of the towers are counted in `calls["vision"]` and
        `calls["text"]`.
        """
        errors = [self._refused(item) for item in items]
        busy = [item for item, error in zip(items, errors, strict=True) if not error and item.phrases]
        phrases = list(dict.fromkeys(p for item in busy for p in item.phrases))
        vectors = dict(zip(phrases, self._embedded(phrases), strict=True)) if phrases else {}
        seen = self._features.of([item.picture for item in busy], self._encoded, self.calls["vision"]) if busy else []
        found = iter([self._regions(item, *features, vectors) for item, features in zip(busy, seen, strict=True)])
        return [
            error or (next(found) if item.phrases else Regions(item.picture.width, item.picture.height))
            for item, error in zip(items, errors, strict=True)
        ]

    def _refused(self, item: Find) -> BadInput | None:
        try:
            checked_share("threshold", self._threshold if item.threshold is None else item.threshold)
        except BadInput as error:
            return error
        for phrase in item.phrases:
            if not phrase.strip():
                return BadInput(f"the phrase {phrase!r} holds no word", hint="name what to look for: dog, a red car")
            if len(phrase) > self._limit - 2 and (count := len(self._tokenizer(phrase)["input_ids"])) > self._limit:
                return BadInput(
                    f"a phrase of {count} tokens, and the detector reads {self._limit}: {phrase[:60]!r}",
                    hint="shorten it",
                )
        return None

    def _embedded(self, phrases: list[str]) -> Any:
        """Unit vectors of the phrases (n, dimension)."""
        import torch

        calls = self.calls["text"]
        calls.items, calls.forwards = calls.items + len(phrases), calls.forwards + 1
        clean = [" ".join(p.lower().split()) for p in phrases]
        read = self._tokenizer(clean, padding="max_length", max_length=self._limit, return_tensors="pt")
        ids, mask = read["input_ids"].to(self._model.device), read["attention_mask"].to(self._model.device)
        with torch.inference_mode():
            vectors = self._towers.get_text_features(input_ids=ids, attention_mask=mask).pooler_output
        return vectors / vectors.norm(dim=-1, keepdim=True)

    def _encoded(self, pictures: list[Picture]) -> list[tuple[Any, Numbers]]:
        """The patches of each picture (patches, width), and the box that each proposes, in pixels."""
        import torch

        pixels = self._image_processor(images=[p.pil for p in pictures], return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            grid = self._model.image_embedder(pixels.to(self._model.device, self._model.dtype))[0]
            patches = grid.flatten(1, 2)
            boxes = self._model.box_predictor(patches, grid).float().cpu().numpy()
        return [
            (patch.clone(), corners(box, *self._canvas(picture)))
            for patch, box, picture in zip(patches, boxes, pictures, strict=True)
        ]

    def _canvas(self, picture: Picture) -> tuple[int, int]:
        """What a box of the model is a share of: OWLv2 sees the picture in the corner of a square."""
        longest = max(picture.width, picture.height)
        return (longest, longest) if self._model.config.model_type == "owlv2" else (picture.width, picture.height)

    def _regions(self, item: Find, patches: Any, boxes: Numbers, vectors: dict[str, Any]) -> Regions | SocraticError:
        import torch

        with torch.inference_mode():
            asked = torch.stack([vectors[p] for p in item.phrases])
            logits, _ = self._model.class_predictor(patches[None], asked[None])
            scores = logits[0].float().sigmoid().cpu().numpy()
        if not (np.isfinite(scores).all() and np.isfinite(boxes).all()):
            return ToolError("the detector gave NaN for this input", hint='set dtype = "float32" in the profile')
        return regions_of(
            item.picture,
            item.phrases,
            boxes,
            scores,
            threshold=self._threshold if item.threshold is None else item.threshold,
            overlap=self._overlap,
            across_labels=self._across_labels,
        )


def load(
    model: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    threshold: float = 0.1,
    overlap: float = 0.7,
    across_labels: bool = True,
) -> Owl:
    """Loads a detector from a hub name (`org/name[@revision]`) or a local folder.

    Args:
        dtype: `auto` is float32 on every device, since bfloat16 holds a place to 1/256 of the picture only.
        threshold: the least score of a region where a request does not say. OWL scores are lower than others'.
        overlap: of two boxes with a higher intersection over union the surer one stays.
        across_labels: whether that holds between boxes of different phrases.

    Raises:
        ModelUnavailable: transformers, scipy or the weights are missing, or they are of another family.
        BadInput: a setting is out of range.
    """
    transformers = library()
    try:
        import scipy  # noqa: F401  the image processor of OWLv2 asks for it at the first picture
    except ImportError as error:
        raise missing_package(error, "local") from error
    where, number = place(device, "float32" if dtype == "auto" else dtype)
    folder, revision = find_weights(model, FILES)
    with reading("a detector", model):
        kind = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False).model_type
        if kind not in FAMILY:
            raise ModelUnavailable(f"{model} is of the family {kind}", hint=f"this tool loads {' and '.join(FAMILY)}")
        processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
        weights = load_folder(transformers.AutoModelForZeroShotObjectDetection, folder, number)
    return Owl(
        weights.to(where),
        processor,
        f"owl:{revision}",
        threshold=threshold,
        overlap=overlap,
        across_labels=across_labels,
    )
