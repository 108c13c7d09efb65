"""Tiny random segmenters of the real classes. Nothing in them is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from detector_cases import scattered

from socratic.torchvision_guard import guard


def segmenter_folder(folder: Path, kind: str = "sam", *, seed: int = 0, half: bool = False) -> Path:
    """A segmenter as `save_pretrained` writes it; kind is sam, sam2, sam2_video or sam3_tracker."""
    guard()
    model, processor = {"sam": _sam, "sam2": _sam2, "sam2_video": _sam2_video, "sam3_tracker": _sam3}[kind]()
    model = scattered(model, seed)
    for head in model.mask_decoder.output_hypernetworks_mlps:  # sharper masks, so that some are stable
        head.proj_out.weight.data.mul_(12)
    (model.half() if half else model).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _sam() -> tuple[Any, Any]:
    from transformers import SamConfig, SamModel, SamProcessor
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    square = {"image_size": 64, "patch_size": 16}
    vision = {
        **square,
        "hidden_size": 16,
        "output_channels": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "window_size": 2,
        "global_attn_indexes": [0],
        "mlp_dim": 32,
        "num_pos_feats": 8,
    }
    prompt = {**square, "hidden_size": 16, "mask_input_channels": 4, "image_embedding_size": 4}
    decoder = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "mlp_dim": 16, "iou_head_hidden_dim": 16}  # fmt: skip
    config = SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    images = SamImageProcessorPil(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    return SamModel(config), SamProcessor(images)


def _prompts_and_masks(image: int, patch: int) -> dict[str, Any]:
    decoder = {"hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
    return {
        "prompt_encoder_config": {"hidden_size": 32, "image_size": image, "patch_size": patch},
        "mask_decoder_config": decoder,
    }


def _hiera() -> dict[str, Any]:
    tower = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 12,
        "num_attention_heads": 1,
        "embed_dim_per_stage": [12, 24, 48, 96],
        "num_attention_heads_per_stage": [1, 1, 2, 2],
        "blocks_per_stage": [1, 2, 2, 1],
        "window_size_per_stage": [8, 4, 2, 2],
        "window_positional_embedding_background_size": [2, 2],
        "image_size": [64, 64],
        "global_attention_blocks": [4],
    }
    levels = {"backbone_channel_list": [96, 48, 24, 12], "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]]}
    return {"backbone_config": tower, "fpn_hidden_size": 32, **levels}


def _sam2() -> tuple[Any, Any]:
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor

    config = Sam2Config(vision_config=_hiera(), **_prompts_and_masks(64, 16))
    return Sam2Model(config), Sam2Processor(Sam2ImageProcessor(size={"height": 64, "width": 64}))


def _sam2_video() -> tuple[Any, Any]:
    from transformers import (
        Sam2ImageProcessor,
        Sam2VideoConfig,
        Sam2VideoModel,
        Sam2VideoProcessor,
        Sam2VideoVideoProcessor,
    )

    small: dict[str, Any] = {
        "image_size": 64,
        "memory_attention_hidden_size": 32,
        "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 32,
        "memory_attention_num_attention_heads": 1,
        "memory_encoder_hidden_size": 32,
        "memory_encoder_output_channels": 16,
        "mask_downsampler_embed_dim": 32,
        "memory_fuser_embed_dim": 32,
        "memory_fuser_intermediate_dim": 32,
    }
    vision = {"model_type": "sam2_vision_model", **_hiera()}
    model = Sam2VideoModel(Sam2VideoConfig(vision_config=vision, **_prompts_and_masks(64, 16), **small))
    size: Any = {"height": 64, "width": 64}
    return model, Sam2VideoProcessor(Sam2ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size))


def _sam3() -> tuple[Any, Any]:
    from transformers import Sam3ImageProcessor, Sam3TrackerConfig, Sam3TrackerModel, Sam3TrackerProcessor

    tower = {
        "model_type": "sam3_vit_model",
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 56,
        "patch_size": 14,
        "window_size": 2,
        "global_attn_indexes": [1],
        "pretrain_image_size": 56,
    }
    vision = {
        "model_type": "sam3_vision_model",
        "backbone_config": tower,
        "fpn_hidden_size": 32,
        "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
    }
    model = Sam3TrackerModel(Sam3TrackerConfig(vision_config=vision, **_prompts_and_masks(56, 14)))
    return model, Sam3TrackerProcessor(Sam3ImageProcessor(size={"height": 56, "width": 56}))
