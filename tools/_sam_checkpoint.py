"""Original SAM checkpoints (`sam_vit_b_01ec64.pth`, vit_l, vit_h) as transformers models.

Names are mapped and sizes read from the shapes of the tensors, so the name of the file says nothing. Needs no
segment-anything. The originals: Kirillov et al. 2023, github.com/facebookresearch/segment-anything.
"""

from __future__ import annotations

import re
from typing import Any

from socratic.errors import ModelUnavailable
from socratic.weights import Weights, layers, load_weights, read_file

HEADS = 8
"""Attention heads of the mask decoder: the same in all originals, and in no tensor's shape."""
NAMES = [
    (r"^image_encoder\.", "vision_encoder."),
    (r"patch_embed\.proj\.", "patch_embed.projection."),
    (r"vision_encoder\.blocks\.", "vision_encoder.layers."),
    (r"neck\.0\.", "neck.conv1."),
    (r"neck\.1\.", "neck.layer_norm1."),
    (r"neck\.2\.", "neck.conv2."),
    (r"neck\.3\.", "neck.layer_norm2."),
    (r"pe_layer\.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
    (r"point_embeddings\.", "point_embed."),
    (r"mask_downscaling\.0\.", "mask_embed.conv1."),
    (r"mask_downscaling\.1\.", "mask_embed.layer_norm1."),
    (r"mask_downscaling\.3\.", "mask_embed.conv2."),
    (r"mask_downscaling\.4\.", "mask_embed.layer_norm2."),
    (r"mask_downscaling\.6\.", "mask_embed.conv3."),
    (r"output_upscaling\.0\.", "upscale_conv1."),
    (r"output_upscaling\.1\.", "upscale_layer_norm."),
    (r"output_upscaling\.3\.", "upscale_conv2."),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
]
PERCEPTRON = re.compile(r"(.*(?:output_hypernetworks_mlps\.\d+|iou_prediction_head)\.)layers\.(\d+)\.(.*)")


def load(path: str, dtype: Any) -> tuple[Any, Any, str]:
    """The model, its processor, and the hash of the file.

    Raises:
        ModelUnavailable: there is no such file, or it is no SAM checkpoint.
    """
    from transformers import SamModel, SamProcessor
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    weights, revision = read_file(path)
    try:
        settings = read_config(weights)
    except KeyError as error:
        raise ModelUnavailable(f"{path} is no SAM checkpoint: it has no {error}", hint="check the path") from error
    model = load_weights(SamModel, settings, converted(weights), dtype, path)
    side = settings.vision_config.image_size
    square = {"height": side, "width": side}
    return model, SamProcessor(SamImageProcessorPil(size={"longest_edge": side}, pad_size=square)), revision


def converted(weights: Weights) -> Weights:
    """The same tensors under the names of `SamModel`."""
    last = {m[1]: max(int(n[2]) for k in weights if (n := PERCEPTRON.match(k)) and n[1] == m[1])
            for k in weights if (m := PERCEPTRON.match(k))}  # fmt: skip
    found: Weights = {}
    for name, tensor in weights.items():
        if match := PERCEPTRON.match(name):
            head, layer, rest = match[1], int(match[2]), match[3]
            place = "proj_in" if layer == 0 else "proj_out" if layer == last[head] else f"layers.{layer - 1}"
            name = f"{head}{place}.{rest}"
        for old, new in NAMES:
            name = re.sub(old, new, name)
        found[name] = tensor
    found["shared_image_embedding.positional_embedding"] = found["prompt_encoder.shared_embedding.positional_embedding"]
    return found


def read_config(weights: Weights) -> Any:
    """The sizes of the model, from the shapes of its tensors.

    Raises:
        KeyError: a tensor that every SAM has is not there.
    """
    from transformers import SamConfig

    _, grid, _, width = weights["image_encoder.pos_embed"].shape
    patch = weights["image_encoder.patch_embed.proj.weight"].shape[-1]
    depth = layers(weights, "image_encoder.blocks.")
    spans = [(len(weights[f"image_encoder.blocks.{i}.attn.rel_pos_h"]) + 1) // 2 for i in range(depth)]
    hidden = weights["prompt_encoder.no_mask_embed.weight"].shape[-1]
    image = {"image_size": grid * patch, "patch_size": patch}
    decoder = "mask_decoder.transformer.layers."
    return SamConfig(
        vision_config={
            **image,
            "hidden_size": width,
            "output_channels": len(weights["image_encoder.neck.0.weight"]),
            "num_hidden_layers": depth,
            "num_attention_heads": width // weights["image_encoder.blocks.0.attn.rel_pos_h"].shape[-1],
            "mlp_dim": len(weights["image_encoder.blocks.0.mlp.lin1.weight"]),
            "window_size": min(spans),
            "global_attn_indexes": [i for i, span in enumerate(spans) if span == grid],
            "num_pos_feats": weights["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"].shape[-1],
        },
        prompt_encoder_config={
            **image,
            "hidden_size": hidden,
            "image_embedding_size": grid,
            "mask_input_channels": len(weights["prompt_encoder.mask_downscaling.3.weight"]),
        },
        mask_decoder_config={
            "hidden_size": hidden,
            "num_hidden_layers": layers(weights, decoder),
            "num_attention_heads": HEADS,
            "attention_downsample_rate": hidden // len(weights[f"{decoder}0.cross_attn_token_to_image.q_proj.weight"]),
            "mlp_dim": len(weights[f"{decoder}0.mlp.lin1.weight"]),
            "iou_head_depth": layers(weights, "mask_decoder.iou_prediction_head.layers."),
            "iou_head_hidden_dim": len(weights["mask_decoder.iou_prediction_head.layers.0.weight"]),
            "num_multimask_outputs": len(weights["mask_decoder.mask_tokens.weight"]) - 1,
            "layer_norm_eps": 1e-5,
        },
    )
