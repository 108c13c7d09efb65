"""Original GroundingDINO checkpoints (`groundingdino_swint_ogc.pth`, swinb) as transformers models.

Names are mapped to those of transformers 4, which transformers itself brings up to date; fused projections are
split; sizes are read from the shapes of the tensors, so the name of the file says nothing. Needs no
groundingdino-py. The originals: Liu et al. 2023, github.com/IDEA-Research/GroundingDINO.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from socratic.errors import ModelUnavailable
from socratic.hub import find_weights
from socratic.weights import Weights, layers, load_weights, read_file

HEADS = 8
"""Attention heads of the detector: the same in all originals, and in no tensor's shape."""
SWIN = "model.backbone.conv_encoder.model."
UNUSED = re.compile(r"bert\.pooler\.|.*\.relative_position_index$|bert\.embeddings\.position_ids$|label_enc\.")
NAMES = [
    (r"^backbone\.0\.patch_embed\.proj\.", SWIN + "embeddings.patch_embeddings.projection."),
    (r"^backbone\.0\.patch_embed\.norm\.", SWIN + "embeddings.norm."),
    (r"^backbone\.0\.layers\.", SWIN + "encoder.layers."),
    (r"(blocks\.\d+)\.norm1\.", r"\1.layernorm_before."),
    (r"(blocks\.\d+)\.norm2\.", r"\1.layernorm_after."),
    (r"(blocks\.\d+)\.attn\.proj\.", r"\1.attention.output.dense."),
    (r"(blocks\.\d+)\.attn\.", r"\1.attention.self."),
    (r"(blocks\.\d+)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"(blocks\.\d+)\.mlp\.fc2\.", r"\1.output.dense."),
    (r"^bert\.", "model.text_backbone."),
    (r"^feat_map\.", "model.text_projection."),
    (r"^input_proj\.", "model.input_proj_vision."),
    (r"^transformer\.tgt_embed\.", "model.query_position_embeddings."),
    (r"^transformer\.enc_out_bbox_embed\.", "model.encoder_output_bbox_embed."),
    (r"^transformer\.decoder\.ref_point_head\.", "model.decoder.reference_points_head."),
    (r"^transformer\.decoder\.norm\.", "model.decoder.layer_norm."),
    (r"^transformer\.encoder\.layers\.(\d+)\.", r"model.encoder.layers.\1.deformable_layer."),
    (r"^transformer\.encoder\.text_layers\.(\d+)\.", r"model.encoder.layers.\1.text_enhancer_layer."),
    (r"^transformer\.encoder\.fusion_layers\.(\d+)\.", r"model.encoder.layers.\1.fusion_layer."),
    (r"^transformer\.", "model."),
    (r"(deformable_layer)\.norm1\.", r"\1.self_attn_layer_norm."),
    (r"(deformable_layer)\.norm2\.", r"\1.final_layer_norm."),
    (r"(text_enhancer_layer)\.norm1\.", r"\1.layer_norm_before."),
    (r"(text_enhancer_layer)\.norm2\.", r"\1.layer_norm_after."),
    (r"(fusion_layer)\.gamma_v$", r"\1.vision_param"),
    (r"(fusion_layer)\.gamma_l$", r"\1.text_param"),
    (r"(fusion_layer.*[._])v(_proj)?\.", r"\1vision\2."),
    (r"(fusion_layer.*[._])l(_proj)?\.", r"\1text\2."),
    (r"(decoder\.layers\.\d+)\.norm1\.", r"\1.encoder_attn_layer_norm."),
    (r"(decoder\.layers\.\d+)\.norm2\.", r"\1.self_attn_layer_norm."),
    (r"(decoder\.layers\.\d+)\.norm3\.", r"\1.final_layer_norm."),
    (r"(decoder\.layers\.\d+)\.catext_norm\.", r"\1.encoder_attn_text_layer_norm."),
    (r"(decoder\.layers\.\d+)\.ca_text\.", r"\1.encoder_attn_text."),
    (r"(decoder\.layers\.\d+)\.cross_attn\.", r"\1.encoder_attn."),
    (r"\.linear(\d)\.", r".fc\1."),
]
FUSED = re.compile(r"(.*\.)(?:in_proj_|qkv\.)(weight|bias)$")


def load(path: str, tokenizer: str, dtype: Any) -> tuple[Any, Any, Any, str]:
    """The model, its image processor and tokenizer, and what tells the weights apart.

    Args:
        tokenizer: folder or hub name of the text tower that the model was trained with; its weights are in the
            checkpoint, its vocabulary is not.

    Raises:
        ModelUnavailable: a file is missing, or it is no GroundingDINO checkpoint.
    """
    from transformers import AutoTokenizer, GroundingDinoForObjectDetection
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    if not tokenizer:
        raise ModelUnavailable(
            f"{path} holds no vocabulary", hint='add tokenizer = "google-bert/bert-base-uncased" to the profile'
        )
    weights, revision = read_file(path)
    folder, words = find_weights(tokenizer, ["*.json", "vocab.txt"])
    try:
        settings = read_config(weights, folder)
        read = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except KeyError as error:
        raise ModelUnavailable(f"{path} is no GroundingDINO checkpoint: it has no {error}", hint="check the path") from error  # fmt: skip
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"there is no tokenizer in {folder}: {error}", hint=f"hf download {tokenizer}") from error  # fmt: skip
    model = load_weights(GroundingDinoForObjectDetection, settings, converted(weights), dtype, path)
    return model, GroundingDinoImageProcessorPil(), read, f"{revision}:{words}"


def converted(weights: Weights) -> Weights:
    """The same tensors under the names that `GroundingDinoForObjectDetection` had in transformers 4."""
    found: Weights = {}
    for name, tensor in weights.items():
        if UNUSED.match(name):
            continue
        if match := re.match(r"^backbone\.0\.norm(\d)\.(.*)", name):
            name = f"{SWIN}hidden_states_norms.stage{int(match[1]) + 1}.{match[2]}"
        for old, new in NAMES:
            name = re.sub(old, new, name)
        if fused := FUSED.match(name):
            for part, piece in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                found[f"{fused[1]}{part}.{fused[2]}"] = piece.clone()
        else:
            found[name] = tensor
    return found


def read_config(weights: Weights, text_tower: Path) -> Any:
    """The sizes of the model, from the shapes of its tensors.

    Raises:
        KeyError: a tensor that every GroundingDINO has is not there.
    """
    from transformers import GroundingDinoConfig

    levels, width = weights["transformer.level_embed"].shape
    encoder, decoder = "transformer.encoder.layers.", "transformer.decoder.layers."
    return GroundingDinoConfig(
        backbone_config=_swin(weights),
        text_config=_bert(weights, text_tower),
        d_model=width,
        num_feature_levels=levels,
        num_queries=len(weights["transformer.tgt_embed.weight"]),
        encoder_layers=layers(weights, encoder),
        decoder_layers=layers(weights, decoder),
        encoder_ffn_dim=len(weights[f"{encoder}0.linear1.weight"]),
        decoder_ffn_dim=len(weights[f"{decoder}0.linear1.weight"]),
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_n_points=len(weights[f"{encoder}0.self_attn.attention_weights.weight"]) // levels // HEADS,
        decoder_n_points=len(weights[f"{decoder}0.cross_attn.attention_weights.weight"]) // levels // HEADS,
    )


def _swin(weights: Weights) -> Any:
    from transformers import SwinConfig

    stages = layers(weights, "backbone.0.layers.")
    blocks = [f"backbone.0.layers.{i}.blocks." for i in range(stages)]
    tables = [weights[f"{b}0.attn.relative_position_bias_table"].shape for b in blocks]
    window = (round(tables[0][0] ** 0.5) + 1) // 2
    settings: dict[str, Any] = {
        "embed_dim": len(weights["backbone.0.patch_embed.proj.weight"]),
        "patch_size": weights["backbone.0.patch_embed.proj.weight"].shape[-1],
        "depths": [layers(weights, b) for b in blocks],
        "num_heads": [heads for _, heads in tables],
        "window_size": window,
        "image_size": 224 if window < 12 else 384,
        "out_features": [f"stage{i + 1}" for i in range(stages) if f"backbone.0.norm{i}.weight" in weights],
    }
    return SwinConfig(**settings)


def _bert(weights: Weights, folder: Path) -> Any:
    """The text tower. Its heads are in no shape: as its own folder says, or of 64 numbers each, as in every BERT."""
    from transformers import AutoConfig, BertConfig

    words, width = weights["bert.embeddings.word_embeddings.weight"].shape
    heads = max(1, width // 64)
    if (folder / "config.json").is_file():
        heads = int(AutoConfig.from_pretrained(folder, trust_remote_code=False).num_attention_heads)
    return BertConfig(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=layers(weights, "bert.encoder.layer."),
        num_attention_heads=heads,
        intermediate_size=len(weights["bert.encoder.layer.0.intermediate.dense.weight"]),
        max_position_embeddings=len(weights["bert.embeddings.position_embeddings.weight"]),
    )
