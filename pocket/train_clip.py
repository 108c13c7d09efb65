"""Trains the pocket CLIP pair from random weights on drawn scenes: `python -m socratic.pocket train clip`.

Contrastive loss (Radford et al. 2021) in which the truth of every text for every picture of the batch is
known, so that no true pair is pushed apart; a third of the texts are captions with one detail changed.
Resumable: the optimiser's state is kept beside the log. Knows nothing of how the pair is used.
"""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from socratic.pocket.paint import paint
from socratic.pocket.phrases import Phrase, distort, facts_of, say
from socratic.pocket.scenes import Scene, plan
from socratic.torchvision_guard import guard

SIZE, CONTEXT, VOCABULARY = 64, 48, 2048
ARCHITECTURE: dict[str, Any] = {
    "embed_dim": 128,
    "vision_cfg": {"image_size": SIZE, "layers": [1, 1, 2, 1], "width": 24, "head_width": 64},
    "text_cfg": {
        "context_length": CONTEXT,
        "vocab_size": VOCABULARY,
        "width": 128,
        "heads": 4,
        "layers": 3,
        "hf_tokenizer_name": "pocket",
    },
}
PREPROCESS = {
    "size": [SIZE, SIZE], "mode": "RGB", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic", "resize_mode": "squash",
}  # fmt: skip


def train(
    out: Path, work: Path, *, steps: int = 6500, scenes: int = 45_000, batch: int = 128, lr: float = 1.2e-3
) -> None:
    """Trains and writes the pair to `out`; `work` keeps the drawn scenes and the resumable state."""
    guard()
    work.mkdir(parents=True, exist_ok=True)
    plans = [plan(seed, "train", single=seed % 5 < 2) for seed in range(scenes)]
    pixels = _drawn(plans, work / f"scenes-{scenes}-{SIZE}.npy")
    facts, held = _fact_table(plans)
    tokenizer = _tokenizer(plans, out)
    model = _model(out).to(memory_format=torch.channels_last)
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    plain = [p for p in model.parameters() if p.ndim < 2]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=lr, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, lr, total_steps=steps, pct_start=0.06, final_div_factor=50
    )
    state, first = work / "clip-state.pt", 0
    if state.is_file():
        kept = torch.load(state, weights_only=True)
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        schedule.load_state_dict(kept["schedule"])
        first = kept["step"]
    began = time.time()
    for step in range(first, steps):
        rng = random.Random(f"clip-{step}")
        rows = [rng.randrange(scenes) for _ in range(batch)]
        phrases = [say(plans[i], rng) for i in rows] + [distort(plans[i], rng) for i in rows[::2]]
        truth = torch.from_numpy(_truth([held[i] for i in rows], phrases, facts))
        ids = tokenizer([p.text for p in phrases])
        loss = _loss(model, _augmented(pixels[rows], step), ids, truth)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=float(np.log(100)))
        if (step + 1) % 100 == 0:
            print(
                json.dumps({"step": step + 1, "loss": round(loss.item(), 4), "seconds": round(time.time() - began)}),
                flush=True,
            )
        if (step + 1) % 500 == 0 or step + 1 == steps:
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(),
                    "step": step + 1,
                },
                state,
            )
            _save(model, out)


def _drawn(plans: list[Scene], path: Path) -> NDArray[np.uint8]:
    """Every scene as SIZE x SIZE pixels, drawn once and kept."""
    if not path.is_file():
        with ProcessPoolExecutor() as pool:
            pixels = np.stack(list(pool.map(_pixels, plans, chunksize=250)))
        np.save(path, pixels)
    loaded: NDArray[np.uint8] = np.load(path)
    return loaded


def _pixels(scene: Scene) -> NDArray[np.uint8]:
    from PIL import Image

    canvas = random.Random(scene.seed).choice((96, 128, 160))
    return np.asarray(paint(scene, canvas).resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def _fact_table(plans: list[Scene]) -> tuple[dict[str, int], list[NDArray[np.int64]]]:
    """A number for each fact, and the numbers that hold for each scene."""
    facts: dict[str, int] = {}
    held = [np.array([facts.setdefault(f, len(facts)) for f in facts_of(s)]) for s in plans]
    return facts, held


def _truth(held: list[NDArray[np.int64]], phrases: list[Phrase], facts: dict[str, int]) -> NDArray[np.float32]:
    """Pictures x texts: 1 where every claim of the text holds for the picture."""
    known = len(facts)  # one more column stands for claims that hold for no training scene
    there = np.zeros((len(held), known + 1), np.float32)
    for row, numbers in enumerate(held):
        there[row, numbers] = 1
    claimed = np.zeros((len(phrases), known + 1), np.float32)
    for row, phrase in enumerate(phrases):
        claimed[row, [facts.get(f, known) for f in phrase.facts]] = 1
    truth: NDArray[np.float32] = (there @ claimed.T >= claimed.sum(1) - 0.5).astype(np.float32)
    return truth


def _tokenizer(plans: list[Scene], out: Path) -> Any:
    """A lower-case byte-level BPE learnt from the training texts; made once, then loaded by open_clip itself."""
    import open_clip
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    out.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": ARCHITECTURE, "preprocess_cfg": PREPROCESS}
    (out / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n")
    if not (out / "tokenizer.json").is_file():
        rng = random.Random("tokenizer")
        texts = [say(s, rng).text for s in plans[:40_000]]
        core = Tokenizer(models.BPE())
        core.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
        core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        core.decoder = decoders.ByteLevel()
        core.train_from_iterator(
            texts,
            trainers.BpeTrainer(
                vocab_size=VOCABULARY - 1,
                special_tokens=["<pad>", "<start>"],
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                show_progress=False,
            ),
        )
        # The towers read the text at the highest id, so the end mark must be the last token of the vocabulary.
        missing = [f"<unused{i}>" for i in range(VOCABULARY - 1 - core.get_vocab_size())]
        core.add_special_tokens([*missing, "<end>"])
        core.post_processor = processors.TemplateProcessing(
            single="<start> $A <end>", special_tokens=[("<start>", 1), ("<end>", VOCABULARY - 1)]
        )
        fast = PreTrainedTokenizerFast(
            tokenizer_object=core, pad_token="<pad>", bos_token="<start>", eos_token="<end>", model_max_length=CONTEXT
        )
        fast.save_pretrained(out)
    return open_clip.get_tokenizer(f"local-dir:{out}")


def _model(out: Path) -> Any:
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

    torch.manual_seed(0)
    return CLIP(
        ARCHITECTURE["embed_dim"],
        CLIPVisionCfg(**ARCHITECTURE["vision_cfg"]),
        CLIPTextCfg(**ARCHITECTURE["text_cfg"]),
    )


def _save(model: Any, out: Path) -> None:
    from safetensors.torch import save_file

    half = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous() for k, v in half.items()}, out / "open_clip_model.safetensors")


def _augmented(pixels: NDArray[np.uint8], step: int) -> Tensor:
    """Brightness, contrast, noise and a small shift, then the preprocessing's normalisation."""
    dice = torch.Generator().manual_seed(step)
    x = (
        torch.from_numpy(pixels)
        .permute(0, 3, 1, 2)
        .contiguous(memory_format=torch.channels_last)
        .float()
        .div_(127.5)
        .sub_(1)
    )
    n = len(x)
    gain = 1 + 0.3 * (torch.rand(n, 1, 1, 1, generator=dice) - 0.5)
    shift = 0.3 * (torch.rand(n, 1, 1, 1, generator=dice) - 0.5)
    x = x * gain + shift + 0.04 * torch.randn(x.shape, generator=dice)
    dx, dy = (int(torch.randint(-3, 4, (1,), generator=dice)) for _ in range(2))
    return torch.roll(x, (dy, dx), (2, 3)).clamp_(-1, 1)


def _loss(model: Any, images: Tensor, ids: Tensor, truth: Tensor) -> Tensor:
    from socratic.tools.open_clip import trimmed_text_features

    with torch.autocast("cpu", torch.bfloat16):
        seen = model.encode_image(images)
    said = trimmed_text_features(model, ids)  # its matrices are too small to gain from bfloat16
    logits = (
        model.logit_scale.exp()
        * functional.normalize(seen.float(), dim=-1)
        @ functional.normalize(said.float(), dim=-1).T
    )
    # A text that holds for many pictures tells little of one: specific texts carry more of the target.
    rare = truth / truth.sum(0).clamp(min=1).sqrt()
    to_text = -(rare / rare.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()
    some = truth.sum(0) > 0
    per_text = truth[:, some] / truth[:, some].sum(0)
    to_image = -(per_text * logits[:, some].log_softmax(0)).sum(0).mean()
    loss: Tensor = (to_text + to_image) / 2
    return loss
