"""Tiny random pipelines of diffusers' other families, saved to a folder: SDXL, SD3, Flux, PixArt, unCLIP, Kandinsky."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

from socratic.torchvision_guard import guard

guard()

import torch  # noqa: E402
from diffusers import (  # noqa: E402
    DDIMScheduler,
    DDPMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    KandinskyV22Pipeline,
    KandinskyV22PriorPipeline,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    PriorTransformer,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionXLPipeline,
    StableUnCLIPImg2ImgPipeline,
    UnCLIPScheduler,
    UNet2DConditionModel,
    VQModel,
)
from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import (  # noqa: E402
    StableUnCLIPImageNormalizer,
)
from tiny_pipelines import WORDS, saved, text_config, tokenizer, unet, vae  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402
from transformers import (  # noqa: E402
    CLIPImageProcessorPil,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)


def words(limit: int = 30) -> PreTrainedTokenizerFast:
    """A tokenizer of letters in the manner of T5: an end mark, no beginning."""
    letters = ["<pad>", "</s>", "<unk>", *string.ascii_lowercase, *string.digits, " ", ",", "."]
    raw = Tokenizer(models.WordLevel({token: i for i, token in enumerate(letters)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    raw.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    marks = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=raw, model_max_length=limit, **marks)


def t5() -> T5EncoderModel:
    return T5EncoderModel(T5Config(vocab_size=60, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2))


def projecting(**settings: Any) -> CLIPTextModelWithProjection:
    return CLIPTextModelWithProjection(text_config(**settings))


def flow_vae() -> Any:
    made: Any = vae()
    made.register_to_config(scaling_factor=1.5, shift_factor=0.06)
    return made


def lcm(folder: Path) -> Path:
    """A latent consistency model, 16 x 16 pixels: guidance is an input of the denoiser."""
    torch.manual_seed(0)
    pipe = LatentConsistencyModelPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(text_config()),
        tokenizer=tokenizer(),
        unet=unet(time_cond_proj_dim=32),
        scheduler=LCMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return saved(pipe, folder)


def sdxl(folder: Path, **settings: Any) -> Path:
    """SDXL, 16 x 16 pixels: two text encoders, pooled embeddings, sizes as conditions."""
    torch.manual_seed(1)
    denoiser = unet(
        cross_attention_dim=32,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 16,
    )
    pipe = StableDiffusionXLPipeline(
        vae=vae(),
        text_encoder=CLIPTextModel(text_config(projection_dim=16)),
        text_encoder_2=projecting(projection_dim=16),
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(),
        unet=denoiser,
        scheduler=EulerDiscreteScheduler(steps_offset=1),
        add_watermarker=False,
        **settings,
    )
    return saved(pipe, folder)


def sd3(folder: Path) -> Path:
    """Stable Diffusion 3, 16 x 16 pixels: two CLIP encoders and T5."""
    torch.manual_seed(2)
    pipe = StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=8,
            patch_size=1,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=32,
            pooled_projection_dim=32,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=flow_vae(),
        text_encoder=projecting(projection_dim=16),
        tokenizer=tokenizer(),
        text_encoder_2=projecting(projection_dim=16),
        tokenizer_2=tokenizer(),
        text_encoder_3=t5(),
        tokenizer_3=words(),
    )
    return saved(pipe, folder)


def flux(folder: Path) -> Path:
    """Flux: a pooled CLIP text and T5, packed latents."""
    torch.manual_seed(3)
    pipe = FluxPipeline(
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=flow_vae(),
        text_encoder=CLIPTextModel(text_config()),
        tokenizer=tokenizer(),
        text_encoder_2=t5(),
        tokenizer_2=words(),
    )
    return saved(pipe, folder)


def pixart(folder: Path) -> Path:
    """PixArt-alpha: T5 with attention masks, sizes in bins around 256 x 256."""
    torch.manual_seed(4)
    pipe = PixArtAlphaPipeline(
        transformer=PixArtTransformer2DModel(
            sample_size=32,
            num_layers=1,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=3,
            caption_channels=32,
            in_channels=4,
            cross_attention_dim=24,
            out_channels=8,
            norm_type="ada_norm_single",
            use_additional_conditions=False,
        ),
        scheduler=DDIMScheduler(),
        vae=vae(4),
        text_encoder=t5(),
        tokenizer=words(),
    )
    return saved(pipe, folder)


def sees() -> CLIPVisionModelWithProjection:
    sizes: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    return CLIPVisionModelWithProjection(CLIPVisionConfig(image_size=16, patch_size=4, projection_dim=16, **sizes))


def image_processor() -> CLIPImageProcessorPil:
    return CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})


def unclip(folder: Path) -> Path:
    """Stable unCLIP, 16 x 16 pixels: draws from the embedding of a picture."""
    torch.manual_seed(5)
    pipe = StableUnCLIPImg2ImgPipeline(
        feature_extractor=image_processor(),
        image_encoder=sees(),
        image_normalizer=StableUnCLIPImageNormalizer(embedding_dim=16),
        image_noising_scheduler=DDPMScheduler(beta_schedule="squaredcos_cap_v2"),
        tokenizer=tokenizer(),
        text_encoder=CLIPTextModel(text_config()),
        unet=unet(class_embed_type="projection", projection_class_embeddings_input_dim=32),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False, set_alpha_to_one=False),
        vae=vae(),
    )
    return saved(pipe, folder)


def kandinsky(folder: Path) -> tuple[Path, Path]:
    """Kandinsky 2.2, 16 x 16 pixels: the folders of its decoder and of its prior."""
    torch.manual_seed(6)
    denoiser = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=8,
        addition_embed_type="image",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(8, 16),
        norm_num_groups=2,
        layers_per_block=1,
        encoder_hid_dim=16,
        encoder_hid_dim_type="image_proj",
        cross_attention_dim=20,
        attention_head_dim=4,
        resnet_time_scale_shift="scale_shift",
    )
    movq = VQModel(
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"),
        latent_channels=4,
        norm_num_groups=2,
        norm_type="spatial",
        num_vq_embeddings=12,
        vq_embed_dim=4,
    )
    prior: Any = PriorTransformer(
        num_attention_heads=2, attention_head_dim=8, embedding_dim=16, num_layers=1, num_embeddings=WORDS
    )
    prior.clip_std = torch.nn.Parameter(torch.ones(prior.clip_std.shape))
    first = KandinskyV22Pipeline(unet=denoiser, scheduler=DDPMScheduler(), movq=movq)
    other = KandinskyV22PriorPipeline(
        prior=prior,
        image_encoder=sees(),
        text_encoder=projecting(projection_dim=16),
        tokenizer=tokenizer(),
        scheduler=UnCLIPScheduler(variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=10.0),
        image_processor=image_processor(),
    )
    return saved(first, folder / "decoder"), saved(other, folder / "prior")
