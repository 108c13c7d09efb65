"""SAM and SAM 2 through transformers: boxes, points or everything in, masks out.

A picture goes through the image encoder once, however many boxes and points ask about it and however many calls
they come in; prompts go through the small decoder in batches. It knows no words: a detector turns phrases into
boxes first. After Kirillov et al. 2023, arXiv:2304.02643, and Ravi et al. 2024, arXiv:2408.00714.

Original SAM checkpoints (`sam_vit_b_01ec64.pth`) are converted when they are loaded; the package
segment-anything is not needed. SAM 2 needs torchvision, since its image processor knows no other backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable, SocraticError, ToolError
from socratic.features import PictureFeatures
from socratic.hub import find_weights
from socratic.regions import Mask, Region, Regions
from socratic.tasks import Cut
from socratic.tool import Tool, operation
from socratic.tools import _sam_checkpoint
from socratic.tools._sam_prompts import Prompts, grid, prompts_of
from socratic.tools._suppression import checked_share, suppressed
from socratic.values import Picture
from socratic.weights import is_file, library, load_folder, reading

FILES = ["*.json", "*.safetensors"]
FAMILY = {
    "sam": ("SamModel", "SamProcessor"),
    "sam2": ("Sam2Model", "Sam2Processor"),
    "sam2_video": ("Sam2Model", "Sam2Processor"),  # published checkpoints hold the tracker of films too
    "sam3_tracker": ("Sam3TrackerModel", "Sam3TrackerProcessor"),
    "sam3_video": ("Sam3TrackerModel", "Sam3TrackerProcessor"),
}
CHUNK = 64
"""The most prompts of one decoder pass."""
PIXELS = 2**25
"""The most mask pixels that are enlarged at once: 128 MB of float32."""


class Sam(Tool):
    """A segmenter. Made by `load`."""

    def __init__(
        self,
        model: Any,
        processor: Any,
        fingerprint: str,
        *,
        points_per_side: int = 32,
        least_iou: float = 0.88,
        least_stability: float = 0.95,
        overlap: float = 0.7,
    ) -> None:
        super().__init__()
        if not 1 <= points_per_side <= 256:
            raise BadInput(f"points_per_side = {points_per_side}", hint="a number from 1 to 256")
        self.fingerprint = f"{fingerprint}:{points_per_side}:{least_iou}:{least_stability}:{overlap}"
        self._model = model
        self._processor = processor
        self._features: PictureFeatures[Any] = PictureFeatures(32)
        self._points_per_side = points_per_side
        self._least_iou = checked_share("least_iou", least_iou)
        self._least_stability = checked_share("least_stability", least_stability)
        self._overlap = checked_share("overlap", overlap)

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=8)
    def cut(self, items: Sequence[Cut]) -> list[Regions | SocraticError]:
        """One mask per box in their order, one for all points together, or everything there is, the surest first.

        A region's score is the IoU that the model predicts for its mask, in [0, 1]; its box is the tight box of
        the mask, or the asked box where the mask is empty; its label is empty. Passes of the image encoder are
        counted in `calls["vision"]`, those of the decoder in `calls["decoder"]`.
        """
        asked = [self._prompts(item) for item in items]
        busy = [i for i, prompts in enumerate(asked) if not isinstance(prompts, SocraticError) and len(prompts)]
        pictures = [items[i].picture for i in busy]
        features = self._features.of(pictures, self._encoded, self.calls["vision"]) if busy else []
        by_item = dict(zip(busy, features, strict=True))
        results: list[Regions | SocraticError] = []
        for i, (item, prompts) in enumerate(zip(items, asked, strict=True)):
            if isinstance(prompts, SocraticError):
                results.append(prompts)
            elif i not in by_item:
                results.append(Regions(item.picture.width, item.picture.height))
            else:
                results.append(self._cut(item, prompts, by_item[i]))
        return results

    def _prompts(self, item: Cut) -> Prompts | SocraticError:
        width, height = item.picture.width, item.picture.height
        try:
            if 0 in self._content(width, height):
                raise BadInput(f"a picture of {width} x {height} is too thin for this model", hint="crop it")
            if not item.everything:
                return prompts_of(item)
            if item.boxes or item.points:
                raise BadInput("everything, and also boxes or points", hint="ask for one or the other")
            return grid(width, height, self._points_per_side)
        except BadInput as error:
            return error

    @property
    def _side(self) -> int:
        """The longer side of what the encoder reads, in pixels."""
        size = self._processor.image_processor.size
        return int(size["longest_edge"] if size["longest_edge"] else size["height"])

    def _encoded(self, pictures: list[Picture]) -> list[Any]:
        """What the decoder needs of each picture; SAM 2 has three levels of it."""
        import torch

        pixels = self._processor(images=[p.pil for p in pictures], return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            seen = self._model.get_image_embeddings(pixels.to(self._model.device, self._model.dtype))
        rows = range(len(pictures))  # copies, or one remembered picture would hold on to the whole batch
        if isinstance(seen, list):
            return [[level[i : i + 1].clone() for level in seen] for i in rows]
        return [seen[i : i + 1].clone() for i in rows]

    def _cut(self, item: Cut, prompts: Prompts, features: Any) -> Regions | SocraticError:
        logits, scores = self._decoded(prompts, features, item.picture)
        if not np.isfinite(scores).all():
            return ToolError("the segmenter gave NaN for this picture", hint='set dtype = "float32" in the profile')
        width, height = item.picture.width, item.picture.height
        asked = prompts.boxes
        if item.everything:
            kept = self._unlike(self._inside(logits, item.picture), scores)
            logits, scores = logits[kept], scores[kept]
        masks = self._enlarged(logits, width, height)
        found = [
            Region("", float(score), mask.box if mask.area or not asked else asked[i], mask)
            for i, (mask, score) in enumerate(zip(masks, scores.clip(0, 1), strict=True))
        ]
        if item.everything:
            found = sorted((r for r in found if r.mask and r.mask.area), key=_surest_first)
        return Regions(width, height, tuple(found))

    def _decoded(self, prompts: Prompts, features: Any, picture: Picture) -> tuple[Any, Any]:
        """Mask logits (n, h, w) at the decoder's own size, and predicted IoUs (n,).

        One mask per prompt; with `everything` those of the three of each point that are sure and stable.
        """
        import torch

        logits, scores = [], []
        for some in prompts.chunks(CHUNK):
            inputs = self._inputs(some, picture)
            with torch.inference_mode():
                out = self._model(image_embeddings=features, multimask_output=some.ambiguous, **inputs)
            calls = self.calls["decoder"]
            calls.items, calls.forwards = calls.items + len(some), calls.forwards + 1
            masks, ious = out.pred_masks[0].float(), out.iou_scores[0].float()
            if prompts.everything:
                keep = self._sure(self._inside(masks, picture), ious)
                masks, ious = masks[keep], ious[keep]
            else:
                best = ious.argmax(-1)
                rows = torch.arange(len(best), device=best.device)
                masks, ious = masks[rows, best], ious[rows, best]
            logits.append(masks)
            scores.append(ious.cpu().numpy())
        return torch.cat(logits), np.concatenate(scores)

    def _inputs(self, prompts: Prompts, picture: Picture) -> dict[str, Any]:
        """The prompts in the model's own pixels, one row per mask."""
        import torch

        height, width = self._content(picture.width, picture.height)
        scale = np.array([width / picture.width, height / picture.height])
        inputs: dict[str, Any] = {}
        if prompts.boxes:
            boxes = np.array([[b.x0, b.y0, b.x1, b.y1] for b in prompts.boxes]) * np.tile(scale, 2)
            inputs["input_boxes"] = torch.tensor(boxes[None], dtype=torch.float32)
        if prompts.points:
            inputs["input_points"] = torch.tensor(
                np.array([[(p.x, p.y) for p in row] for row in prompts.points])[None] * scale, dtype=torch.float32
            )
            inputs["input_labels"] = torch.tensor([[[int(p.inside) for p in row] for row in prompts.points]])
        return {name: value.to(self._model.device) for name, value in inputs.items()}

    def _content(self, width: int, height: int) -> tuple[int, int]:
        """Height and width of the picture inside the square that the encoder reads; SAM 2 fills it."""
        if self._model.config.model_type != "sam":
            return self._side, self._side
        found: tuple[int, int] = self._processor.image_processor._get_preprocess_shape((height, width), self._side)
        return found

    def _enlarged(self, logits: Any, width: int, height: int) -> list[Mask]:
        """Masks at the size of the picture, a few at a time."""
        some = max(1, PIXELS // max(width * height, self._side**2))
        sizes = [[(height, width)]]
        if self._model.config.model_type == "sam":
            sizes.append([self._content(width, height)])
        masks: list[Mask] = []
        for i in range(0, len(logits), some):
            large = self._processor.post_process_masks([logits[None, i : i + some]], *sizes)[0][0]
            masks += [Mask.of(m) for m in large.cpu().numpy()]
        return masks

    def _inside(self, logits: Any, picture: Picture) -> Any:
        """Mask logits without the padding beside the picture."""
        content = np.array(self._content(picture.width, picture.height)) * logits.shape[-1] / self._side
        height, width = np.ceil(content).astype(int)
        return logits[..., :height, :width]

    def _sure(self, logits: Any, ious: Any) -> Any:
        """Which masks the model is sure of, and whose area hardly changes with the threshold."""
        stability = (logits > 1).sum((-1, -2)) / (logits > -1).sum((-1, -2)).clip(min=1)
        sure = (ious >= self._least_iou) & (stability >= self._least_stability) & (logits > 0).any(-1).any(-1)
        return sure | ious.isnan()  # NaN goes on, to be reported

    def _unlike(self, logits: Any, scores: Any) -> list[int]:
        """Which masks stay, when those go that are nearly a surer one: by their boxes at the decoder's size."""
        boxes = [Mask.of(m).box for m in (logits > 0).cpu().numpy()]
        corners = np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes]).reshape(-1, 4)
        return suppressed(corners, scores, np.zeros(len(scores), int), self._overlap)


def _surest_first(region: Region) -> tuple[float, int, float, float]:
    return -region.score, -(region.mask.area if region.mask else 0), region.box.y0, region.box.x0


def load(
    model: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    points_per_side: int = 32,
    least_iou: float = 0.88,
    least_stability: float = 0.95,
    overlap: float = 0.7,
) -> Sam:
    """Loads a segmenter from a hub name (`org/name[@revision]`), a local folder, or an original `.pth` file.

    Args:
        dtype: `auto` is float32 on every device, since bfloat16 holds a place to 1/256 of the picture only.
        points_per_side: for everything: the grid of points that are asked about, 1 to 256.
        least_iou, least_stability: for everything: masks with a lower predicted IoU, or whose area changes by
            more when the threshold moves, are left out; in [0, 1].
        overlap: for everything: of two masks whose boxes have a higher IoU the surer one stays.

    Raises:
        ModelUnavailable: transformers or the weights are missing, or they are of another family.
        BadInput: a setting is out of range.
    """
    transformers = library()
    where, number = place(device, "float32" if dtype == "auto" else dtype)
    weights, processor, revision = _read(model, number, transformers)
    return Sam(
        weights.to(where),
        processor,
        f"sam:{revision}",
        points_per_side=points_per_side,
        least_iou=least_iou,
        least_stability=least_stability,
        overlap=overlap,
    )


def _read(model: str, dtype: Any, transformers: Any) -> tuple[Any, Any, str]:
    """The model, its processor, and what tells its weights apart."""
    if is_file(model):
        return _sam_checkpoint.load(model, dtype)
    folder, revision = find_weights(model, FILES)
    with reading("a segmenter", model):
        kind = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False).model_type
        if kind not in FAMILY:
            raise ModelUnavailable(f"{model} is of the family {kind}", hint=f"this tool loads {', '.join(FAMILY)}")
        model_class, processor_class = (getattr(transformers, name) for name in FAMILY[kind])
        processor = processor_class.from_pretrained(folder, **({"backend": "pil"} if kind == "sam" else {}))
        return load_folder(model_class, folder, dtype), processor, revision
