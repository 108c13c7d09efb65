"""Tiny random detectors of the real classes, and pictures for them. Nothing in them is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from socratic.torchvision_guard import guard
from socratic.values import Picture

WORDS = ["cat", "dog", "red", "car", "a", "big", "##s", "the", "snow", "##board", "dogs"]


def pictures(n: int, size: tuple[int, int] = (60, 80)) -> list[Picture]:
    """Blurred noise: different pictures of one size."""
    dice = np.random.default_rng(0)
    return [Picture.of(Image.fromarray(dice.integers(0, 255, (8, 6, 3), np.uint8)).resize(size)) for _ in range(n)]


def bert_vocabulary(shift: int = 0) -> dict[str, int]:
    """A small vocabulary with the control tokens at the ids of bert-base-uncased, or `shift` further on."""
    control = {"[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
    words = {word: 200 + i for i, word in enumerate(WORDS)}
    return {"[PAD]": 0, **{word: i + shift for word, i in {**control, **words}.items()}}


def detector_config(backbone: str, queries: int) -> Any:
    from transformers import GroundingDinoConfig, MMGroundingDinoConfig, ResNetConfig, SwinConfig

    stages: Any = {"out_features": ["stage2", "stage3", "stage4"]}
    tower: Any
    if backbone == "resnet":
        tower = ResNetConfig(
            embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1] * 4, layer_type="basic", **stages
        )
    else:
        tower = SwinConfig(
            image_size=64, patch_size=4, window_size=2, embed_dim=16, depths=[1] * 4, num_heads=[2, 2, 4, 4], **stages
        )
    text = {
        "model_type": "bert",
        "vocab_size": 1100,
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    sizes = {"encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
    kind: Any = MMGroundingDinoConfig if backbone == "mm" else GroundingDinoConfig
    return kind(
        backbone_config=tower,
        text_config=text,
        encoder_layers=1,
        decoder_layers=2,
        num_queries=queries,
        d_model=32,
        max_text_len=24,
        **sizes,
    )


def scattered(model: Any, seed: int) -> Any:
    """Random weights large enough that boxes and scores differ from one query to the next."""
    import torch

    torch.manual_seed(seed)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.25)
    return model.eval()


def detector_folder(
    folder: Path, backbone: str = "resnet", *, seed: int = 0, shift: int = 0, queries: int = 10, half: bool = False
) -> Path:
    """A detector as `save_pretrained` writes it: model, tokenizer and image processor."""
    guard()
    from transformers import AutoModelForZeroShotObjectDetection, BertTokenizer, GroundingDinoProcessor
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    model = scattered(AutoModelForZeroShotObjectDetection.from_config(detector_config(backbone, queries)), seed)
    if shift:  # the same words under other ids
        table = model.model.text_backbone.embeddings.word_embeddings.weight.data
        table[shift:] = table[:-shift].clone()
    (model.half() if half else model).save_pretrained(folder)
    images = GroundingDinoImageProcessorPil(size={"shortest_edge": 96, "longest_edge": 160})
    GroundingDinoProcessor(images, BertTokenizer(vocab=bert_vocabulary(shift))).save_pretrained(folder)
    return folder
