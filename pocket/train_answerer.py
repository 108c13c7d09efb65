"""Trains the pocket answerer, a small BLIP-2 (Li et al. 2023): `python -m socratic.pocket train answerer`.

Four stages. The vision transformer first learns to name what stands in each patch, then the Q-Former to hand on
what stands where (answerer_parts.py), then the language model to read that. Last, all learn together to caption and
to answer, one picture with several texts at a time, so that the picture is encoded once. Sequences are those of Blip2Processor: image tokens, <s>,
prompt, reply, </s>.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from socratic.pocket import course
from socratic.pocket.answerer_parts import Cells, Patches, train_queries, train_vision
from socratic.pocket.drawn import Mirrored, augmented, drawn
from socratic.pocket.questions import caption, question
from socratic.pocket.scenes import Scene
from socratic.pocket.train_detector import SIZE, scene_plans
from socratic.torchvision_guard import guard

SCENES = 72_000  # and as many mirrored: with half of them, unseen pictures were named less well than seen ones
PATCH, QUERIES, TEXTS, VOCABULARY = 12, 16, 4, 900
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
WIDTH = 192
VISION: dict[str, Any] = {
    "hidden_size": WIDTH, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 6,
    "image_size": SIZE, "patch_size": PATCH,
}  # fmt: skip
QFORMER: dict[str, Any] = {
    "hidden_size": WIDTH, "intermediate_size": 384, "num_hidden_layers": 2, "num_attention_heads": 6,
    "encoder_hidden_size": WIDTH, "cross_attention_frequency": 1, "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0, "vocab_size": 8, "max_position_embeddings": 8,
}  # fmt: skip
TEXT: dict[str, Any] = {
    "model_type": "opt", "hidden_size": WIDTH, "word_embed_proj_dim": WIDTH, "ffn_dim": 512, "num_hidden_layers": 4,
    "num_attention_heads": 6, "max_position_embeddings": 192, "dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2,
    "pad_token_id": 0,
}  # fmt: skip
OFFSET = 2  # OPT keeps two rows free in its table of places
TEMPLATE = "Question: {} Short answer:"


def train(out: Path, work: Path, *, steps: int = 1000, batch: int = 32, lr: float = 2e-4) -> None:
    """Trains and writes the answerer with its processor to `out`."""
    guard()
    plans = scene_plans(SCENES)
    pixels, owners = map(Mirrored, drawn(plans, SIZE, work / f"world-{SCENES}"))
    plans += [scene.mirrored() for scene in plans]
    words = tokenizer(plans)
    model = _model(len(words))
    patches, cells = Patches(plans, owners, WIDTH, SIZE // PATCH), Cells(words, WIDTH)
    train_vision(model.vision_model, patches, pixels, work)
    train_queries(model, patches, cells, plans, pixels, work)
    _train_language(model, words, plans, pixels, work)
    embeddings = model.language_model.get_input_embeddings()

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = random.Random(f"answerer-{step}")
        rows = sorted(rng.sample(range(len(plans)), batch))
        seen = model.get_image_features(augmented(pixels[rows], step))
        texts = [text for i in rows for text in lessons(plans[i], rng)]
        loss, right = _reply_loss(model, seen.pooler_output, texts, words)
        naming, patches_right = patches.loss(seen.last_hidden_state, rows)
        placing, cells_right = cells.loss(seen.pooler_output, embeddings, [plans[i] for i in rows])
        return loss + 0.3 * naming + placing, {"right": right, "patches": patches_right, "cells": cells_right}

    parts = nn.ModuleDict({"model": model, "patches": patches, "cells": cells})
    course.run(
        "answerer", parts, loss_of, steps=steps, lr=lr, work=work,
        average=0.995, save=lambda trained: _save(trained["model"], words, out),
    )  # fmt: skip


def _train_language(model: Any, words: Any, plans: list[Scene], pixels: Any, work: Path, *, steps: int = 3000) -> None:
    """Teaches the language model alone to read what the Q-Former hands on, in place.

    Learning all at once from here would first spoil what the other parts know: the language model's errors are large.
    """

    def loss_of(step: int) -> tuple[Tensor, dict[str, float]]:
        rng = random.Random(f"language-{step}")
        rows = sorted(rng.sample(range(len(plans)), 32))
        with torch.no_grad():
            handed = model.get_image_features(augmented(pixels[rows], step)).pooler_output
        texts = [text for i in rows for text in lessons(plans[i], rng)]
        loss, right = _reply_loss(model, handed, texts, words)
        return loss, {"right": right}

    course.run("language", model.language_model, loss_of, steps=steps, lr=1e-3, work=work, save=lambda trained: None)


def lessons(scene: Scene, rng: random.Random) -> list[tuple[str, str]]:
    """A caption and some questions about a scene, each as prompt and reply."""
    said = caption(scene)
    begins = rng.choice(("", "", "", "a picture of ", "a photo of "))
    made = [(begins.strip(), f" {said}" if begins else said)]
    while len(made) < TEXTS:
        if asked := question(scene, rng):
            made.append((TEMPLATE.format(asked[0]), f" {asked[1]}"))
    return made


def tokenizer(plans: list[Scene]) -> Any:
    """A byte-level BPE learnt from the lessons, in which most names are one token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    rng = random.Random("tokenizer")
    texts = ["".join(pair) for scene in plans[:8000] for pair in lessons(scene, rng)]
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    )  # fmt: skip
    core.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"}, model_max_length=TEXT["max_position_embeddings"],
    )  # fmt: skip


def _model(vocabulary: int) -> Any:
    from transformers import Blip2Config, Blip2ForConditionalGeneration

    torch.manual_seed(0)
    config = Blip2Config(
        vision_config=VISION, qformer_config=QFORMER, text_config={**TEXT, "vocab_size": vocabulary},
        num_query_tokens=QUERIES, image_token_index=SPECIAL.index("<image>"),
    )  # fmt: skip
    model = Blip2ForConditionalGeneration(config)
    with torch.no_grad():
        model.query_tokens.normal_(std=0.5)
        model.vision_model.embeddings.position_embedding.normal_(std=0.1)
        # What is handed on is ten times as large as words are; as small as words' places, its place would be lost.
        model.language_model.model.decoder.embed_positions.weight[OFFSET : OFFSET + QUERIES].normal_(std=1.5)
    return model.train()


def _reply_loss(model: Any, seen: Tensor, texts: list[tuple[str, str]], words: Any) -> tuple[Tensor, float]:
    """Cross entropy on the reply tokens, and how many replies are right word for word."""
    prompts = [words(prompt)["input_ids"] for prompt, _ in texts]
    replies = [words(reply, add_special_tokens=False)["input_ids"] + [2] for _, reply in texts]
    rows = [p + r for p, r in zip(prompts, replies, strict=True)]
    longest = max(map(len, rows))
    ids = torch.tensor([r + [0] * (longest - len(r)) for r in rows])
    scored = torch.tensor([[False] * len(p) + [True] * len(r) + [False] * (longest - len(p) - len(r)) for p, r in zip(prompts, replies, strict=True)])  # fmt: skip
    seen = seen.repeat_interleave(len(texts) // len(seen), 0)
    opt = model.language_model
    inputs = torch.cat([seen, opt.get_input_embeddings()(ids)], 1)
    mask = torch.cat([torch.ones(seen.shape[:2], dtype=torch.long), (ids > 0).long()], 1)
    hidden = opt.model(inputs_embeds=inputs, attention_mask=mask).last_hidden_state[:, QUERIES:-1]
    logits = opt.lm_head(hidden[scored[:, 1:]])
    truth = ids[:, 1:][scored[:, 1:]]
    with torch.no_grad():
        hit = torch.ones_like(scored[:, 1:])
        hit[scored[:, 1:]] = logits.argmax(-1) == truth
    return functional.cross_entropy(logits, truth), float(hit.all(1).float().mean())


def _save(model: Any, words: Any, out: Path) -> None:
    from transformers import Blip2ForConditionalGeneration, Blip2Processor, BlipImageProcessorPil

    half = Blip2ForConditionalGeneration(model.config)
    half.load_state_dict(model.state_dict())
    half.generation_config.update(bos_token_id=1, eos_token_id=2, pad_token_id=0)
    half.half().save_pretrained(out)
    mean = [0.5, 0.5, 0.5]
    seer = BlipImageProcessorPil(size={"height": SIZE, "width": SIZE}, image_mean=mean, image_std=mean)
    Blip2Processor(seer, words, num_query_tokens=QUERIES).save_pretrained(out)
