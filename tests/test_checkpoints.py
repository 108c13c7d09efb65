"""Original `.pth` checkpoints give what the originals gave; files that are not what they say are refused."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detector_cases import bert_vocabulary, pictures, scattered

from socratic.errors import ModelUnavailable
from socratic.regions import Box, Point
from socratic.tasks import Cut, Find
from socratic.tools import grounding_dino, sam
from socratic.torchvision_guard import guard
from socratic.values import Picture

BOXES = (Box(10, 5, 60, 70), Box(30, 20, 119, 88))


SEED = 4
"""One whose masks are neither empty nor whole."""


def original_sam(depth: int = 3) -> Any:
    """A tiny Sam of the original package."""
    guard()
    import torch
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    torch.manual_seed(SEED)
    eye = ImageEncoderViT(
        img_size=64,
        patch_size=16,
        embed_dim=32,
        depth=depth,
        num_heads=4,
        qkv_bias=True,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=2,
        global_attn_indexes=(1,),
        out_chans=32,
    )
    hand = MaskDecoder(
        transformer_dim=32,
        transformer=TwoWayTransformer(depth=2, embedding_dim=32, mlp_dim=64, num_heads=8),
        num_multimask_outputs=3,
        iou_head_depth=3,
        iou_head_hidden_dim=48,
    )
    model = Sam(eye, PromptEncoder(32, (4, 4), (64, 64), 16), hand)
    for name, parameter in model.named_parameters():  # tables that start as zeros would hide a wrong name
        scale = "norm" in name and name.endswith("weight") and parameter.ndim == 1
        torch.nn.init.normal_(parameter, mean=float(scale), std=0.3 if parameter.ndim > 1 else 0.1)
    model.mask_decoder.iou_prediction_head.layers[-1].weight.data.mul_(0.2)  # scores inside 0 to 1
    return model.eval()


def test_an_original_sam_gives_the_masks_of_its_own_package(tmp_path: Path) -> None:
    """Boxes, a point, and points with a box: masks equal, and predicted IoUs within 1e-4."""
    guard()
    import torch
    from segment_anything import SamPredictor

    model = original_sam()
    torch.save(model.state_dict(), tmp_path / "any_name.pth")
    (picture,) = pictures(1, (120, 90))
    predictor = SamPredictor(model)
    predictor.set_image(np.asarray(picture.pil))
    tool = sam.load(str(tmp_path / "any_name.pth"), device="cpu")
    for box, region in zip(BOXES, tool.cut(Cut(picture, BOXES)), strict=True):
        masks, ious, _ = predictor.predict(box=np.array(box.as_list()), multimask_output=False)
        assert region.mask and np.array_equal(region.mask.pixels, masks[0]) and 0 < masks[0].sum() < 120 * 90
        assert abs(region.score - ious[0].clip(0, 1)) < 1e-4
    (one,) = tool.cut(Cut(picture, points=(Point(30, 40),)))
    masks, ious, _ = predictor.predict(np.array([[30, 40]]), np.array([1]), multimask_output=True)
    assert one.mask and np.array_equal(one.mask.pixels, masks[ious.argmax()])
    (both,) = tool.cut(Cut(picture, BOXES[:1], (Point(30, 40), Point(70, 70, inside=False))))
    masks, _, _ = predictor.predict(
        np.array([[30, 40], [70, 70]]), np.array([1, 0]), np.array(BOXES[0].as_list()), multimask_output=False
    )
    assert both.mask and np.array_equal(both.mask.pixels, masks[0])
    logits = predictor.get_image_embedding() - tool._features._kept[picture.sha256]
    assert float(logits.abs().max()) < 1e-5


def test_the_sizes_of_the_published_sams_are_read_from_their_tensors() -> None:
    """vit_b, vit_l and vit_h, as tensors without memory."""
    guard()
    import torch
    from segment_anything import sam_model_registry

    from socratic.tools._sam_checkpoint import converted, read_config

    for kind, heads, layers, globally in [
        ("vit_b", 12, 12, [2, 5, 8, 11]),
        ("vit_l", 16, 24, [5, 11, 17, 23]),
        ("vit_h", 16, 32, [7, 15, 23, 31]),
    ]:
        with torch.device("meta"):
            weights = sam_model_registry[kind]().state_dict()
        config = read_config(weights)
        vision = config.vision_config
        assert (vision.num_attention_heads, vision.num_hidden_layers, vision.window_size) == (heads, layers, 14)
        assert list(vision.global_attn_indexes) == globally and vision.image_size == 1024
        from transformers import SamModel

        with torch.device("meta"):
            wanted = SamModel(config).state_dict()
        found = converted(weights)
        assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in wanted.items()}


ORIGINAL_NAMES = [
    (r"^model\.text_backbone\.", "bert."),
    (r"^model\.backbone\.conv_encoder\.model\.embeddings\.patch_embeddings\.projection", "backbone.0.patch_embed.proj"),
    (r"^model\.backbone\.conv_encoder\.model\.embeddings\.norm", "backbone.0.patch_embed.norm"),
    (r"^model\.backbone\.conv_encoder\.model\.encoder\.", "backbone.0."),
    (r"^model\.backbone\.conv_encoder\.model\.hidden_states_norms\.stage2", "backbone.0.norm1"),
    (r"^model\.backbone\.conv_encoder\.model\.hidden_states_norms\.stage3", "backbone.0.norm2"),
    (r"^model\.backbone\.conv_encoder\.model\.hidden_states_norms\.stage4", "backbone.0.norm3"),
    (r"(backbone.*)layernorm_before", r"\1norm1"),
    (r"(backbone.*)layernorm_after", r"\1norm2"),
    (r"(backbone.*)attention\.output\.dense", r"\1attn.proj"),
    (r"(backbone.*)attention\.self", r"\1attn"),
    (r"(backbone.*)intermediate\.dense", r"\1mlp.fc1"),
    (r"(backbone.*)output\.dense", r"\1mlp.fc2"),
    (r"^model\.text_projection\.", "feat_map."),
    (r"^model\.input_proj_vision\.", "input_proj."),
    (r"^model\.query_position_embeddings", "transformer.tgt_embed"),
    (r"^model\.encoder_output_bbox_embed", "transformer.enc_out_bbox_embed"),
    (r"^model\.decoder\.reference_points_head", "transformer.decoder.ref_point_head"),
    (r"^model\.decoder\.layer_norm", "transformer.decoder.norm"),
    (r"^model\.encoder\.layers\.(\d+)\.deformable_layer", r"transformer.encoder.layers.\1"),
    (r"^model\.encoder\.layers\.(\d+)\.text_enhancer_layer", r"transformer.encoder.text_layers.\1"),
    (r"^model\.encoder\.layers\.(\d+)\.fusion_layer", r"transformer.encoder.fusion_layers.\1"),
    (r"^model\.", "transformer."),
    (r"(encoder\.layers\.\d+)\.self_attn_layer_norm", r"\1.norm1"),
    (r"(encoder\.layers\.\d+)\.final_layer_norm", r"\1.norm2"),
    (r"(text_layers\.\d+)\.layer_norm_before", r"\1.norm1"),
    (r"(text_layers\.\d+)\.layer_norm_after", r"\1.norm2"),
    (r"vision_param", "gamma_v"),
    (r"text_param", "gamma_l"),
    (r"(fusion_layers.*)vision", r"\1v"),
    (r"(fusion_layers.*)text", r"\1l"),
    (r"(decoder\.layers\.\d+)\.encoder_attn_layer_norm", r"\1.norm1"),
    (r"(decoder\.layers\.\d+)\.self_attn_layer_norm", r"\1.norm2"),
    (r"(decoder\.layers\.\d+)\.final_layer_norm", r"\1.norm3"),
    (r"(decoder\.layers\.\d+)\.encoder_attn_text_layer_norm", r"\1.catext_norm"),
    (r"(decoder\.layers\.\d+)\.encoder_attn_text", r"\1.ca_text"),
    (r"(decoder\.layers\.\d+)\.encoder_attn", r"\1.cross_attn"),
    (r"^(transformer.*)\.fc(\d)", r"\1.linear\2"),
]


def original_weights(weights: dict[str, Any]) -> dict[str, Any]:
    """A transformers detector's weights as the original package names and fuses them."""
    import torch

    found: dict[str, Any] = {}
    for name, tensor in weights.items():
        if ".swin.layernorm." in name:  # the original has no such layer; nothing reads it
            continue
        for new, old in ORIGINAL_NAMES:
            name = re.sub(new, old, name)
        found[f"module.{name}"] = tensor
    for name in [n for n in found if ".query." in n and ".bert." not in n]:
        kind = name.rpartition(".")[2]
        parts = torch.cat([found.pop(name.replace(".query.", f".{p}.")) for p in ("query", "key", "value")])
        fused = f"qkv.{kind}" if "backbone" in name else f"in_proj_{kind}"
        found[name.replace(f"query.{kind}", fused)] = parts
    found["module.bert.pooler.dense.weight"] = torch.zeros(32, 32)
    return found


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """One detector twice: as a transformers folder, and as an original checkpoint with the folder of its words."""
    guard()
    import torch
    from safetensors.torch import load_file
    from transformers import (
        BertConfig,
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoProcessor,
        SwinConfig,
    )
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil

    where = tmp_path_factory.mktemp("twins")
    stages: Any = {"out_features": ["stage2", "stage3", "stage4"]}
    tower = SwinConfig(
        image_size=224, window_size=3, embed_dim=16, depths=[1, 1, 2, 1], num_heads=[2, 2, 4, 4], **stages
    )
    text = BertConfig(vocab_size=1100, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
    config = GroundingDinoConfig(
        backbone_config=tower,
        text_config=text,
        encoder_layers=2,
        decoder_layers=2,
        encoder_ffn_dim=40,
        decoder_ffn_dim=24,
        num_queries=12,
        d_model=32,
    )
    model = scattered(GroundingDinoForObjectDetection(config), 0)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, mean=0.3 * ("norm" in name and "weight" in name), std=0.1)
    words = BertTokenizer(vocab=bert_vocabulary())
    model.save_pretrained(where / "folder")
    GroundingDinoProcessor(GroundingDinoImageProcessorPil(), words).save_pretrained(where / "folder")
    words.save_pretrained(where / "words")
    text.save_pretrained(where / "words")
    torch.save({"model": original_weights(load_file(where / "folder" / "model.safetensors"))}, where / "tiny.pth")
    return where / "folder", where / "tiny.pth", where / "words"


def test_an_original_grounding_dino_finds_what_its_twin_finds(twins: tuple[Path, Path, Path]) -> None:
    folder, checkpoint, words = twins
    settings: dict[str, Any] = {"device": "cpu", "threshold": 0.0, "overlap": 1.0}
    asked = Find(Picture.of(pictures(1)[0].pil.resize((80, 60))), ("Red Car", "cats", "a dog"))
    expected = grounding_dino.load(str(folder), **settings).find(asked)
    tool = grounding_dino.load(str(checkpoint), tokenizer=str(words), **settings)
    found = tool.find(asked)
    assert len(found) == 12 and [r.label for r in found] == [r.label for r in expected]
    for one, other in zip(found, expected, strict=True):
        assert abs(one.score - other.score) < 1e-5
        assert np.abs(np.array(one.box.as_list()) - other.box.as_list()).max() < 0.02
    assert len({round(r.score, 4) for r in found}) > 6  # not all alike, or nothing were shown
    assert tool.fingerprint.startswith("grounding_dino:") and tool.fingerprint.count(":") == 6


def test_an_original_grounding_dino_needs_its_words(twins: tuple[Path, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as info:
        grounding_dino.load(str(twins[1]), device="cpu")
    assert 'tokenizer = "google-bert/bert-base-uncased"' in info.value.hint
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelUnavailable, match="tokenizer"):
        grounding_dino.load(str(twins[1]), tokenizer=str(tmp_path / "empty"), device="cpu")


class Trap:
    """What runs when a pickle of it is opened."""

    sprung = False

    def __reduce__(self) -> Any:
        return setattr, (Trap, "sprung", True)


def test_files_that_are_no_checkpoint_are_refused(twins: tuple[Path, Path, Path], tmp_path: Path) -> None:
    import torch

    load_both: list[Any] = [
        partial(sam.load, device="cpu"),
        partial(grounding_dino.load, device="cpu", tokenizer=str(twins[2])),
    ]
    (tmp_path / "text.pth").write_text("not found")
    torch.save({"model": Trap()}, tmp_path / "trap.pth")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    for load in load_both:
        for name in ("missing.pth", "text.pth", "trap.pth", "other.pth"):
            with pytest.raises(ModelUnavailable, match=name):
                load(str(tmp_path / name))
    assert not Trap.sprung


def test_a_checkpoint_that_lacks_weights_is_refused(twins: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """transformers would fill them with random numbers."""
    import torch

    weights = original_sam().state_dict()
    del weights["image_encoder.blocks.2.attn.proj.weight"]
    torch.save(weights, tmp_path / "sam.pth")
    with pytest.raises(ModelUnavailable, match="lacks 1 weights"):
        sam.load(str(tmp_path / "sam.pth"), device="cpu")
    weights = torch.load(twins[1], weights_only=True)["model"]
    del weights["module.transformer.decoder.layers.1.norm3.bias"]
    torch.save({"model": weights}, tmp_path / "dino.pth")
    with pytest.raises(ModelUnavailable, match="lacks 1 weights"):
        grounding_dino.load(str(tmp_path / "dino.pth"), tokenizer=str(twins[2]), device="cpu")
