"""Tiny random checkpoints of chat models that see, LLaVA, Idefics3 and Qwen2-VL: for tests."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from socratic.torchvision_guard import guard

guard()

KINDS = ["llava", "idefics3", "qwen2_vl"]
KNOWN = "USER ASSISTANT User Assistant : what is it ? how many a photo of dog cat two red yes no in the big . answer"
SPECIALS = [
    "<pad>",
    "<s>",
    "</s>",
    "<unk>",
    "<image>",
    "<fake_token_around_image>",
    "<end_of_utterance>",
    "<global-img>",
]
SEEN = ["<|vision_start|>", "<|image_pad|>", "<|vision_end|>", "<|video_pad|>"]
LLAVA = """{% for m in messages %}{{ m.role.upper() }} : {% for c in m.content %}{% if c.type == 'image' %}<image>
{% else %}{{ c.text }}{% endif %}{% endfor %} {% if m.role == 'assistant' %}</s>{% endif %}{% endfor %}\
{% if add_generation_prompt %}ASSISTANT :{% endif %}"""
IDEFICS = """<s>{% for m in messages %}{{ m.role.capitalize() }}: {% for c in m.content %}{% if c.type == 'image' %}\
<image>{% else %}{{ c.text }}{% endif %}{% endfor %}<end_of_utterance>
{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"""
QWEN = IDEFICS.replace("<image>", "<|vision_start|><|image_pad|><|vision_end|>")
LAYERS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def tokenizer(kind: str) -> Any:
    """Words as tokens; for Qwen2-VL, which knows one kind of tokenizer, that of the pocket writer."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if kind == "qwen2_vl":
        found: Any = AutoTokenizer.from_pretrained(str(files("socratic.pocket").joinpath("writer")))
        found.add_tokens(SEEN, special_tokens=True)
        return found
    words = {w: i for i, w in enumerate([*SPECIALS, *KNOWN.split()])}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        extra_special_tokens=SPECIALS[4:],
    )  # fmt: skip


def parts(kind: str, words: Any) -> tuple[Any, Any]:
    """A processor and an untrained model."""
    import transformers
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    text = {"model_type": "llama", "vocab_size": len(words), "max_position_embeddings": 300 if kind == "qwen2_vl" else 160, "pad_token_id": 0,
            "bos_token_id": 1, "eos_token_id": words.eos_token_id, **LAYERS}  # fmt: skip
    sight = {"image_size": 32, "patch_size": 8, **LAYERS}
    if kind == "llava":
        config: Any = transformers.LlavaConfig(
            vision_config={"model_type": "clip_vision_model", "projection_dim": 16, **sight}, text_config=text,
            image_token_index=4, vision_feature_layer=-1, image_seq_length=16,
        )  # fmt: skip
        pixels: Any = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
        processor: Any = transformers.LlavaProcessor(
            pixels, words, patch_size=8, vision_feature_select_strategy="default", chat_template=LLAVA,
            num_additional_image_tokens=1,
        )  # fmt: skip
        return processor, transformers.LlavaForConditionalGeneration(config)
    if kind == "qwen2_vl":
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

        config = transformers.Qwen2VLConfig(
            vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "patch_size": 8},
            text_config={**text, "model_type": "qwen2_vl_text", "num_key_value_heads": 4,
                         "rope_parameters": {"rope_type": "default", "mrope_section": [2, 1, 1]}},
            **{f"{name}_token_id": words.convert_tokens_to_ids(token)
               for name, token in zip(["vision_start", "image", "vision_end", "video"], SEEN, strict=True)},
        )  # fmt: skip
        pixels = Qwen2VLImageProcessorPil(patch_size=8, min_pixels=256, max_pixels=1024)
        processor = transformers.Qwen2VLProcessor(pixels, words, transformers.Qwen2VLVideoProcessor(), QWEN)
        return processor, transformers.Qwen2VLForConditionalGeneration(config)
    config = transformers.Idefics3Config(vision_config=sight, text_config=text, scale_factor=2, image_token_id=4)
    pixels = Idefics3ImageProcessorPil(
        size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False
    )
    processor = transformers.Idefics3Processor(pixels, words, image_seq_len=4, chat_template=IDEFICS)
    return processor, transformers.Idefics3ForConditionalGeneration(config)


def checkpoint(folder: Path, kind: str) -> Path:
    import torch

    processor, model = parts(kind, tokenizer(kind))
    dice = torch.Generator().manual_seed(5)
    with torch.no_grad():  # small weights make every picture say the same
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "norm" not in name:
                weight.normal_(0, 0.3, generator=dice)
        model.lm_head.weight[[0, 1, 3, 4, 5, 6, 7]] = 0  # few special tokens in replies
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
