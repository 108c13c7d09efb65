"""Tiny BLIP-2 checkpoints, OPT and T5, that were taught a handful of answers by heart: for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from socratic.torchvision_guard import guard
from socratic.values import Picture

guard()

KNOWN = "question : short answer ? . what is it how many a photo of dog cat two red yes no in the { }"
WORDS = KNOWN.split()
QUESTIONS = ["what is it?", "how many in the photo of a red dog?", "two?"]
LESSONS = [
    *zip([0] * 5, [*(f"Question: {q} Short answer:" for q in QUESTIONS), "", "a photo of"],
         ["a red dog", "two", "yes", "a dog in the photo", "a red dog"], strict=True),
    *zip([1] * 5, [*(f"Question: {q} Short answer:" for q in QUESTIONS), "", "a photo of"],
         ["the cat", "how many dog is it", "no", "two red cat", "cat in red"], strict=True),
]  # fmt: skip


def tokenizer(*, begins: bool) -> Any:
    """Words as tokens; `<s>` in front where `begins`, `</s>` behind where not, as OPT and T5 have it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    specials = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
    inner = Tokenizer(models.WordLevel({w: i for i, w in enumerate([*specials, *WORDS])}, unk_token="<unk>"))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    shape, mark = ("<s> $A", ("<s>", 1)) if begins else ("$A </s>", ("</s>", 2))
    inner.post_processor = processors.TemplateProcessing(single=shape, special_tokens=[mark])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def checkpoint(folder: Path, kind: str, **text: Any) -> Path:
    """A small BLIP-2, taught ten replies, whose folder is whole: configuration, weights, tokenizer, image processor."""
    import torch
    from transformers import Blip2Config, Blip2ForConditionalGeneration, Blip2Processor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    words = tokenizer(begins=kind == "opt")
    shared = {"vocab_size": 5 + len(WORDS), "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, **text}
    opt = {"model_type": "opt", "hidden_size": 32, "word_embed_proj_dim": 32, "ffn_dim": 64, "num_hidden_layers": 2,
           "num_attention_heads": 4, "max_position_embeddings": 64, **shared}  # fmt: skip
    t5 = {"model_type": "t5", "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4,
          "decoder_start_token_id": 0, **shared}  # fmt: skip
    config = Blip2Config(
        vision_config={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
                       "image_size": 32, "patch_size": 8},
        qformer_config={"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
                        "encoder_hidden_size": 32, "cross_attention_frequency": 1, "vocab_size": 40},
        text_config=opt if kind == "opt" else t5, num_query_tokens=4, image_token_index=4,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Blip2ForConditionalGeneration(config)
    processor = Blip2Processor(BlipImageProcessorPil(size={"height": 32, "width": 32}), words, num_query_tokens=4)
    teach(model, processor, kind)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def teach(model: Any, processor: Any, kind: str) -> None:
    """A few steps on the lessons, in the order of ids that the tool names, so that replies differ and end."""
    import torch

    torch.nn.init.normal_(model.query_tokens)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    rows = [lesson(processor, kind, *one) for one in LESSONS]
    for step in range(120 if kind == "opt" else 240):
        optimizer.zero_grad()
        model(**rows[step * 3 % len(rows)]).loss.backward()
        optimizer.step()


def lesson(processor: Any, kind: str, which: int, text: str, reply: str) -> dict[str, Any]:
    import torch

    inputs = dict(processor(images=pictures(2)[which].pil, text=text, return_tensors="pt"))
    said = torch.tensor([[*processor.tokenizer(reply, add_special_tokens=False)["input_ids"], 2]])
    if kind == "t5":
        return {**inputs, "labels": said}
    ids = torch.cat([inputs["input_ids"], said], 1)
    labels = torch.cat([torch.full_like(inputs["input_ids"], -100), said], 1)
    return {"pixel_values": inputs["pixel_values"], "input_ids": ids, "labels": labels}


def pictures(n: int) -> list[Picture]:
    dice = np.random.default_rng(1)
    return [Picture.of(Image.fromarray(dice.integers(0, 255, (40 + 7 * i, 50, 3), np.uint8))) for i in range(n)]
