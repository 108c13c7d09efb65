"""Trains the pocket generator, a latent diffusion pipeline: `python -m socratic.pocket train generator`.

First an autoencoder (64 pixels to 16 x 16 x 6 latents), then text encoder and denoiser together on the latents
(Rombach et al. 2022; v-prediction, Salimans & Ho 2022), with a tenth of the captions left empty for guidance.
"""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from socratic.pocket import course
from socratic.pocket.drawing_prompts import prompt_of
from socratic.pocket.drawn import as_tensor, drawn
from socratic.pocket.scenes import Scene, plan
from socratic.torchvision_guard import guard

SIZE, SCENES, BASE = 64, 32_000, 10_000_000
CONTEXT, WORDS, WIDTH = 48, 900, 128
AUTOENCODER: dict[str, Any] = {
    "block_out_channels": (32, 64, 96), "down_block_types": ("DownEncoderBlock2D",) * 3,
    "up_block_types": ("UpDecoderBlock2D",) * 3, "layers_per_block": 1, "latent_channels": 6, "norm_num_groups": 8,
    "mid_block_add_attention": False, "sample_size": SIZE,
}  # fmt: skip
TEXT: dict[str, Any] = {
    "hidden_size": WIDTH, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": CONTEXT, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
}  # fmt: skip
DENOISER: dict[str, Any] = {
    "sample_size": SIZE // 4, "in_channels": 6, "out_channels": 6, "block_out_channels": (48, 96, 160),
    "layers_per_block": 1, "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), "cross_attention_dim": WIDTH,
    "attention_head_dim": 4, "norm_num_groups": 16,
}  # fmt: skip


def scene_plans(count: int) -> list[Scene]:
    """What the generator learns to draw: upright things, one in the middle or two side by side, mostly as cartoons.

    Narrower than the scenes that the other models see, so that a small model can learn it; in every eighth scene
    things stand as anywhere else.
    """
    scenes = [plan(n, "train", single=n % 2 == 0, kinds=None if n % 2 == 0 else 2) for n in range(BASE, BASE + count)]
    return [_arranged(s, random.Random(f"arranged-{s.seed}")) for s in scenes]


def _arranged(scene: Scene, rng: random.Random) -> Scene:
    things = [replace(t, turn=0.0, flipped=False) for t in scene.things]
    if len(things) <= 2 and rng.random() < 7 / 8:
        slots = [(0.5, 0.68)] if len(things) == 1 else [(0.26, 0.47), (0.74, 0.47)]
        things = [
            replace(t, x=x + rng.uniform(-0.02, 0.02), y=0.54 + rng.uniform(-0.03, 0.03), side=side * rng.uniform(0.95, 1.05))
            for t, (x, side) in zip(things, slots, strict=True)
        ]  # fmt: skip
    manner = scene.image_type if rng.random() < 0.1 else "cartoon"
    return replace(scene, things=tuple(things), image_type=manner)


def train_autoencoder(out: Path, work: Path, *, steps: int = 4400, batch: int = 8, lr: float = 1.6e-3) -> None:
    """Trains and writes `out/vae`; its scale is set so that latents have unit variance."""
    guard()
    from diffusers import AutoencoderKL

    pixels, owners = drawn(scene_plans(SCENES), SIZE, work / f"generator-{SCENES}")
    torch.manual_seed(0)
    model: Any = AutoencoderKL(**AUTOENCODER)
    model.to(memory_format=torch.channels_last)

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(np.random.default_rng(step).integers(0, len(pixels), batch))
        x = as_tensor(pixels[rows])
        weight = 1 + 2 * torch.from_numpy(owners[rows] > 0).float()[:, None]  # things matter more than what is behind
        with torch.autocast("cpu", torch.bfloat16):
            mean = model.encode(x).latent_dist.mean
            y = model.decode(
                mean + 0.05 * torch.randn(mean.shape, generator=torch.Generator().manual_seed(step))
            ).sample
        off, mean = (y.float() - x).abs(), mean.float()
        edges = sum(functional.l1_loss(y.float().diff(dim=d), x.diff(dim=d)) for d in (2, 3))
        # The mean alone is used: a mild pull to unit variance keeps latents easy to denoise.
        pull = (mean.mean() ** 2 + (mean.std((0, 2, 3)) - 1).pow(2).mean()) * 0.05
        loss = (weight * (off + 3 * off**2)).mean() + edges + pull
        return loss, {"l1": float(off.detach().mean()), "std": float(mean.detach().std())}

    def save(trained: Any) -> None:
        half: Any = AutoencoderKL(**AUTOENCODER)
        half.load_state_dict(trained.state_dict())
        half.half().save_pretrained(out / "vae")

    course.run("autoencoder", model, loss_of, steps=steps, lr=lr, work=work, save=save)


def train(out: Path, work: Path, *, steps: int = 5600, batch: int = 64, lr: float = 1.5e-3) -> None:
    """Trains the autoencoder, then text encoder and denoiser; writes the pipeline to `out`."""
    train_autoencoder(out, work)
    plans = scene_plans(SCENES)
    latents, scale = _latents(out, work)
    words = tokenizer(plans)
    model = _model(len(words))
    noise = _schedule()
    ramp = noise.alphas_cumprod

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng, dice = random.Random(f"generator-{step}"), torch.Generator().manual_seed(step)
        rows = [rng.randrange(len(plans)) for _ in range(batch)]
        prompts = ["" if rng.random() < 0.1 else prompt_of(plans[i], rng) for i in rows]
        ids = words(prompts, padding="max_length", truncation=True, return_tensors="pt")["input_ids"]
        clean = torch.from_numpy(latents[rows]).float()
        grain = torch.randn(clean.shape, generator=dice)
        when = ((torch.arange(batch) + torch.rand(batch, generator=dice)) * (len(ramp) / batch)).long()
        signal = ramp[when].sqrt()[:, None, None, None]
        rest = (1 - ramp[when]).sqrt()[:, None, None, None]
        said = model["text"](input_ids=ids).last_hidden_state
        guess = model["unet"](signal * clean + rest * grain, when, said).sample
        loss = functional.mse_loss(guess, signal * grain - rest * clean)
        return loss, {}

    def save(trained: Any) -> None:
        _save(trained, words, noise, scale, out)

    course.run("generator", model, loss_of, steps=steps, lr=lr, work=work, save=save, average=0.999, every=500)


def _latents(out: Path, work: Path) -> tuple[Any, float]:
    """The latents of all scenes, scaled to unit variance, and that scale; made once."""
    from diffusers import AutoencoderKL

    path = work / f"generator-{SCENES}.latents.npy"
    if not path.is_file():
        pixels, _ = drawn(scene_plans(SCENES), SIZE, work / f"generator-{SCENES}")
        coder = AutoencoderKL.from_pretrained(out / "vae", torch_dtype=torch.float32).eval()
        with torch.inference_mode():
            parts = [coder.encode(as_tensor(pixels[i : i + 100])).latent_dist.mean for i in range(0, len(pixels), 100)]
        np.save(path, torch.cat(parts).numpy().astype(np.float16))
    found = np.load(path)
    scale = 1 / float(found[:2000].astype(np.float32).std())
    return found * np.float16(scale), scale


def tokenizer(plans: list[Scene]) -> Any:
    """CLIP's own tokenizer over a small vocabulary learnt from the prompts."""
    from tokenizers import Tokenizer, models, trainers
    from transformers import CLIPTokenizer

    special = ["<|startoftext|>", "<|endoftext|>"]
    shape = CLIPTokenizer(vocab={t: n for n, t in enumerate(special)}, merges=[]).backend_tokenizer
    core = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    core.normalizer, core.pre_tokenizer = shape.normalizer, shape.pre_tokenizer
    rng = random.Random("tokenizer")
    letters = [c for n in range(33, 127) for c in (chr(n), chr(n) + "</w>")]
    core.train_from_iterator(
        (prompt_of(s, rng) for s in plans[:20_000]),
        trainers.BpeTrainer(
            vocab_size=WORDS, special_tokens=[*special, *letters], end_of_word_suffix="</w>", show_progress=False
        ),
    )
    learnt = json.loads(core.to_str())["model"]
    merges: Any = [tuple(m) for m in learnt["merges"]]
    return CLIPTokenizer(vocab=learnt["vocab"], merges=merges, model_max_length=CONTEXT)


def _model(vocabulary: int) -> nn.ModuleDict:
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    text = CLIPTextModel(CLIPTextConfig(vocab_size=vocabulary, **TEXT))
    unet: Any = UNet2DConditionModel(**DENOISER)
    unet.to(memory_format=torch.channels_last)
    return nn.ModuleDict({"text": text, "unet": unet})


def _schedule() -> Any:
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        num_train_timesteps=1000, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012,
        prediction_type="v_prediction", timestep_spacing="trailing", clip_sample=False, steps_offset=1,
        set_alpha_to_one=True, rescale_betas_zero_snr=True,
    )  # fmt: skip


def _save(model: nn.ModuleDict, words: Any, noise: Any, scale: float, out: Path) -> None:
    from diffusers import AutoencoderKL, StableDiffusionPipeline

    coder: Any = AutoencoderKL(**{**AUTOENCODER, "scaling_factor": scale})
    coder.load_state_dict(AutoencoderKL.from_pretrained(out / "vae").state_dict())
    parts = copy.deepcopy(model).half()
    pipeline: Any = StableDiffusionPipeline(
        vae=coder.half(), text_encoder=parts["text"], tokenizer=words, unet=parts["unet"], scheduler=noise,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(out)
