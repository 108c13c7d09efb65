"""Diffusion pipelines of diffusers' real classes with tiny random weights, saved to a folder. They draw noise."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

from socratic.torchvision_guard import guard

guard()

import torch  # noqa: E402
from diffusers import (  # noqa: E402
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer  # noqa: E402

WORDS = 20
"""Tokens that the text encoders read, with the two special ones: a token is a letter."""


def tokenizer() -> CLIPTokenizer:
    """Letters as tokens; a letter that ends a word is a token of its own."""
    marks = ["<|startoftext|>", "<|endoftext|>"]
    letters = [*string.ascii_lowercase, *string.digits, ",", "."]
    vocabulary = {token: i for i, token in enumerate([*marks, *letters, *(f"{a}</w>" for a in letters)])}
    made = CLIPTokenizer(vocab=vocabulary, merges=[])
    made.model_max_length = WORDS
    return made


def text_config(**settings: Any) -> CLIPTextConfig:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    marks = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    return CLIPTextConfig(vocab_size=80, max_position_embeddings=WORDS, **{**sizes, **marks, **settings})


def vae(levels: int = 2, channels: int = 4) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=[4, *[8] * (levels - 1)],
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels,
        latent_channels=channels,
        norm_num_groups=2,
    )


def unet(**settings: Any) -> UNet2DConditionModel:
    given: dict[str, Any] = {
        "sample_size": 8,
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 16,
        "attention_head_dim": 4,
        "norm_num_groups": 2,
    }
    return UNet2DConditionModel(**{**given, **settings})


def stable_diffusion(folder: Path, seed: int = 0, latents: int = 4, **settings: Any) -> Path:
    """A Stable Diffusion 1 pipeline that draws 16 x 16 pixels. `settings` are of its denoiser."""
    torch.manual_seed(seed)
    pipe: Any = StableDiffusionPipeline(
        vae=vae(channels=latents),
        text_encoder=CLIPTextModel(text_config()),
        tokenizer=tokenizer(),
        unet=unet(**settings),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False, set_alpha_to_one=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return saved(pipe, folder)


def saved(pipe: Any, folder: Path) -> Path:
    pipe.save_pretrained(folder)
    return folder
