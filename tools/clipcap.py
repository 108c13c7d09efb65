"""ClipCap: captions by a language model that reads a CLIP vector as if it were the first words.

Reads checkpoints as published (Mokady et al. 2021): one state dict with `clip_project.*`, a perceptron or a
transformer, and `gpt.*`, a GPT-2; where `gpt.*` is absent, the GPT-2 named in `load` is used as it is. CLIP is not
part of a checkpoint: it comes through open_clip, by default ViT-B/32 of OpenAI, RN50x4 for the published
transformer. A sentence ends at its full stop, which is left out of the statement. Each picture is encoded once.
It trains nothing and searches no beams.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socratic.decoding import around_errors, continued, generated, padded_embeddings
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.features import PictureFeatures
from socratic.hub import content_hash, find_weights, local_snapshot, missing_package
from socratic.tasks import Describe
from socratic.tool import Tool, operation
from socratic.tools._clipcap_mapping import Mapping
from socratic.torchvision_guard import guard
from socratic.values import Picture, Statement

LANGUAGE_FILES = ["*.json", "*.safetensors", "*.txt"]
CLIP_FILES = ["*.json", "*.txt", "*.model", "open_clip_model.safetensors"]


class ClipCap(Tool):
    """A captioner on this machine. Made by `load`.

    Args:
        sight: an open_clip model and its preprocessing.
        normalize: whether the mapping reads CLIP vectors of unit length.
    """

    def __init__(
        self, sight: tuple[Any, Any], mapping: Mapping, language: Any, tokenizer: Any, normalize: bool, fingerprint: str
    ) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._sight, self._preprocess = sight
        self._mapping = mapping
        self._language = language
        self._tokenizer = tokenizer
        self._normalize = normalize
        self._ends = [*tokenizer(".")["input_ids"][:1], tokenizer.eos_token_id]
        self._room = int(language.config.n_positions) - mapping.length
        self._features: PictureFeatures[Any] = PictureFeatures(256)

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._sight, self._language) + self._mapping.size_in_bytes()

    @operation(batch=32)
    def describe(self, tasks: Sequence[Describe]) -> list[Statement | SocraticError]:
        """One sentence per picture, beginning with the prefix. Equal seeds give equal sentences in any batch.

        A prefix that leaves no room for the sentence is a `BadInput`.
        """
        return around_errors([self._misfit(t) or t for t in tasks], self._captions)

    def _misfit(self, task: Describe) -> BadInput | None:
        if task.max_tokens < 1:
            return BadInput(f"a reply of at most {task.max_tokens} tokens says nothing", hint="max_tokens >= 1")
        length = len(self._ids(task)) + task.max_tokens
        if length <= self._room:
            return None
        return BadInput(f"prefix and sentence take {length} tokens of {self._room}", hint="shorten the prefix")

    def _ids(self, task: Describe) -> list[int]:
        """The ids of the prefix; words that look like special tokens are words."""
        found: list[int] = self._tokenizer(task.prefix.strip(), split_special_tokens=True)["input_ids"]
        return [int(i) for i in found]

    def _captions(self, tasks: list[Describe]) -> list[Statement]:
        import torch

        begun = [self._ids(t) for t in tasks]
        with torch.inference_mode():
            seen = self._features.of([t.picture for t in tasks], self._encode, self.calls["vision"])
            rows = [torch.cat([s, self._embedded(ids)]) for s, ids in zip(seen, begun, strict=True)]
            embeddings, mask = padded_embeddings(rows)
            said = generated(
                self._language, tasks, self._ends, self._ends[-1], inputs_embeds=embeddings, attention_mask=mask
            )
        texts = [continued(self._tokenizer, ids, s.tokens) for ids, s in zip(begun, said, strict=True)]
        return [
            Statement(f"{t.prefix.strip()}{text}".strip(), s.confidence, s.finished)
            for t, text, s in zip(tasks, texts, said, strict=True)
        ]

    def _embedded(self, ids: list[int]) -> Any:
        import torch

        return self._language.transformer.wte(torch.tensor(ids, dtype=torch.long, device=self._language.device))

    def _encode(self, pictures: list[Picture]) -> list[Any]:
        """What GPT-2 reads in place of each picture (length x width)."""
        import torch

        pixels = torch.stack([self._preprocess(p.pil) for p in pictures]).to(self._language.device)
        vectors = self._sight.encode_image(pixels, normalize=self._normalize).float()
        return list(self._mapping(vectors).unbind(0))


def load(
    model: str,
    *,
    gpt2: str = "openai-community/gpt2",
    clip: str = "ViT-B-32-quickgelu",
    pretrained: str | None = "openai",
    normalize: bool | None = None,
    device: str = "auto",
) -> ClipCap:
    """Loads a published ClipCap checkpoint, in float32 as its authors ran it.

    Args:
        model: the checkpoint, a `.pt` or `.safetensors` file.
        gpt2: a folder or hub name (`org/name[@revision]`): the sizes and tokenizer of the GPT-2, and its weights
            where the checkpoint holds none.
        clip: the open_clip name of the CLIP that it was trained on (`RN50x4-quickgelu` for the published
            transformer), `hf-hub:org/name[@revision]` or `local-dir:path`.
        pretrained: open_clip's weights tag; not for `hf-hub:` and `local-dir:`.
        normalize: whether the mapping reads vectors of unit length; when absent as published, which is yes for
            the transformer and no for the perceptron.

    Raises:
        ModelUnavailable: a package or weights are missing, or the parts do not fit each other.
    """
    try:
        guard()
        import open_clip  # noqa: F401
        from transformers import AutoConfig, AutoTokenizer
    except ImportError as error:
        raise missing_package(error, "local") from error
    where, _ = place(device)
    tensors = _tensors(Path(model))
    folder, revision = find_weights(gpt2, LANGUAGE_FILES)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        mapping = Mapping(tensors, config.n_embd)
        language = _language(folder, config, tensors)
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        raise ModelUnavailable(
            f"{model} and the GPT-2 of {folder} do not make a ClipCap: {error}", hint="name the GPT-2 it was trained on"
        ) from error
    sight, preprocess, seen_by = _sight(clip, pretrained)
    dimension = getattr(sight.visual, "output_dim", mapping.reads)
    if dimension != mapping.reads:
        raise ModelUnavailable(
            f"{clip} gives vectors of {dimension} numbers, and {model} reads {mapping.reads}",
            hint="512: clip='ViT-B-32-quickgelu'; 640: clip='RN50x4-quickgelu'",
        )
    unit = mapping.is_transformer if normalize is None else normalize
    fingerprint = f"clipcap:{_hash(Path(model))}:{revision}:{seen_by}:{unit}"
    parts = (sight.eval().to(where), preprocess), mapping.to(where, language.dtype), language.eval().to(where)
    return ClipCap(*parts, tokenizer, unit, fingerprint)


def _tensors(path: Path) -> dict[str, Any]:
    """The tensors of a checkpoint by name, in float32. Nothing but tensors is read."""
    if not path.is_file():
        raise ModelUnavailable(f"there is no file {path}", hint="give the path of a .pt or .safetensors checkpoint")
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: dict[str, Any] = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.float() for name, tensor in found.items()}
    except Exception as error:  # the readers raise a dozen kinds
        raise ModelUnavailable(
            f"{path} is no state dict ({type(error).__name__})", hint="save it with torch.save(model.state_dict(), …)"
        ) from error


def _language(folder: Path, config: Any, tensors: dict[str, Any]) -> Any:
    """The GPT-2 of the checkpoint, or where it holds none the one of the folder."""
    import torch
    from transformers import GPT2LMHeadModel

    own = {n.removeprefix("gpt."): t for n, t in tensors.items() if n.startswith("gpt.")}
    if not own:
        return GPT2LMHeadModel.from_pretrained(folder, config=config, dtype=torch.float32, use_safetensors=True)
    language = GPT2LMHeadModel(config).float()
    missing, _ = language.load_state_dict(own, strict=False)  # older files also hold attention masks
    lacking = [name for name in missing if name != "lm_head.weight"]  # the same tensor as the embeddings
    if lacking:
        raise ValueError(f"the checkpoint lacks gpt.{lacking[0]}")
    return language


def _sight(clip: str, pretrained: str | None) -> tuple[Any, Any, str]:
    """An open_clip model, its preprocessing, and what tells its weights apart."""
    import open_clip

    if clip.startswith("hf-hub:"):
        clip = f"local-dir:{local_snapshot(clip.removeprefix('hf-hub:'), CLIP_FILES)}"
    local = clip.startswith("local-dir:")
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)  # open_clip logs each step of loading to the root logger
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(
            clip, pretrained=None if local else pretrained, require_pretrained=True
        )
    except (FileNotFoundError, RuntimeError, ValueError, OSError) as error:
        raise ModelUnavailable(
            f"open_clip cannot load {clip!r}: {error}", hint="give a name and tag of open_clip.list_pretrained()"
        ) from error
    finally:
        logging.getLogger().setLevel(level)
    return model, preprocess, content_hash(Path(clip.removeprefix("local-dir:"))) if local else f"{clip}:{pretrained}"


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
