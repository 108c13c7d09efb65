"""ClipCap from checkpoints in the published layout, on a tiny GPT-2 and CLIP, against the networks written out here."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from socratic.capability import Captioner, members
from socratic.errors import BadInput, ModelUnavailable
from socratic.tasks import Describe
from socratic.tools import clipcap as tool
from socratic.torchvision_guard import guard
from socratic.values import Picture, Statement

guard()

WIDTH, SEES, LENGTH, LOOKS = 32, 24, 3, 2  # of GPT-2, of CLIP, embeddings that GPT-2 reads, those of the picture
CORPUS = ["a photo of a dog. a cat on a red table. two dogs and a big green tree. the man is in a blue car."] * 3


def language(folder: Path) -> Any:
    """A small random GPT-2 with byte-level pairs, saved as a folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"])
    )
    parts = json.loads(inner.to_str())["model"]
    pairs: Any = [tuple(m) for m in parts["merges"]]
    words = GPT2Tokenizer(vocab=parts["vocab"], merges=pairs)
    torch.manual_seed(2)
    config = GPT2Config(
        vocab_size=len(words), n_positions=48, n_embd=WIDTH, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0,
        initializer_range=0.5,
    )  # fmt: skip
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():  # full stops now and then
        model.transformer.wte.weight[words(".")["input_ids"][0]] *= 1.7
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return model


def sight(folder: Path) -> None:
    """A small random CLIP, saved as a folder that open_clip reads."""
    import torch
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
    from safetensors.torch import save_file

    vision = {"image_size": 32, "layers": 1, "width": 32, "patch_size": 8, "head_width": 16}
    text = {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
    torch.manual_seed(0)
    model = CLIP(SEES, CLIPVisionCfg(**vision), CLIPTextCfg(**text))
    with torch.no_grad():
        model.visual.proj.normal_()  # pictures must matter
    pixels = {"size": [32, 32], "mode": "RGB", "mean": [0.5] * 3, "std": [0.2] * 3, "interpolation": "bicubic"}
    config = {"embed_dim": SEES, "vision_cfg": vision, "text_cfg": text}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": pixels}))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")


def mapping_tensors(kind: str) -> dict[str, Any]:
    """Random tensors with the names and shapes of the published mappings."""
    import torch

    hidden = WIDTH * LENGTH // 2
    shapes: dict[str, tuple[int, ...]] = {
        "model.0.weight": (hidden, SEES), "model.0.bias": (hidden,),
        "model.2.weight": (WIDTH * LENGTH, hidden), "model.2.bias": (WIDTH * LENGTH,),
    }  # fmt: skip
    if kind == "transformer":
        shapes = {"linear.weight": (LOOKS * WIDTH, SEES), "linear.bias": (LOOKS * WIDTH,), "prefix_const": (LENGTH, WIDTH)}  # fmt: skip
        for layer in (0, 1):
            for name, shape in {
                "norm1.weight": (WIDTH,), "norm1.bias": (WIDTH,), "norm2.weight": (WIDTH,), "norm2.bias": (WIDTH,),
                "attn.to_queries.weight": (WIDTH, WIDTH), "attn.to_keys_values.weight": (2 * WIDTH, WIDTH),
                "attn.project.weight": (WIDTH, WIDTH), "attn.project.bias": (WIDTH,),
                "mlp.fc1.weight": (2 * WIDTH, WIDTH), "mlp.fc1.bias": (2 * WIDTH,),
                "mlp.fc2.weight": (WIDTH, 2 * WIDTH), "mlp.fc2.bias": (WIDTH,),
            }.items():  # fmt: skip
                shapes[f"transformer.layers.{layer}.{name}"] = shape
    dice = torch.Generator().manual_seed(7)
    return {f"clip_project.{n}": torch.randn(s, generator=dice) * 0.4 for n, s in shapes.items()}


def mapped(kind: str, t: dict[str, Any], x: Any) -> Any:
    """The published mapping of one vector, written out head by head: (length x width)."""
    import torch

    t = {n.removeprefix("clip_project."): v for n, v in t.items()}
    if kind == "mlp":
        hidden = torch.tanh(t["model.0.weight"] @ x + t["model.0.bias"])
        return (t["model.2.weight"] @ hidden + t["model.2.bias"]).reshape(LENGTH, WIDTH)

    def norm(rows: Any, name: str) -> Any:
        centred = rows - rows.mean(-1, keepdim=True)
        scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * t[f"{name}.weight"] + t[f"{name}.bias"]

    rows = torch.cat([(t["linear.weight"] @ x + t["linear.bias"]).reshape(LOOKS, WIDTH), t["prefix_const"]])
    each = WIDTH // 8
    for layer in (0, 1):
        name = f"transformer.layers.{layer}"
        read = norm(rows, f"{name}.norm1")
        queries = read @ t[f"{name}.attn.to_queries.weight"].T
        both = read @ t[f"{name}.attn.to_keys_values.weight"].T
        heads = []
        for head in range(8):
            at = slice(head * each, (head + 1) * each)
            keys, values = both[:, :WIDTH][:, at], both[:, WIDTH:][:, at]
            heads.append((queries[:, at] @ keys.T / math.sqrt(each)).softmax(-1) @ values)
        rows = rows + torch.cat(heads, 1) @ t[f"{name}.attn.project.weight"].T + t[f"{name}.attn.project.bias"]
        hidden = torch.relu(norm(rows, f"{name}.norm2") @ t[f"{name}.mlp.fc1.weight"].T + t[f"{name}.mlp.fc1.bias"])
        rows = rows + hidden @ t[f"{name}.mlp.fc2.weight"].T + t[f"{name}.mlp.fc2.bias"]
    return rows[LOOKS:]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a GPT-2, a CLIP, and checkpoints in both formats, with and without their GPT-2."""
    import torch
    from safetensors.torch import save_file

    root = tmp_path_factory.mktemp("clipcap")
    gpt = language(root / "gpt2")
    sight(root / "clip")
    gpt.transformer.wte.weight.data.mul_(0.9)  # the checkpoint's own GPT-2 was tuned
    own = {f"gpt.{n}": v.contiguous() for n, v in gpt.state_dict().items()}
    masks = {"gpt.transformer.h.0.attn.bias": torch.ones(1, 1, 48, 48), "gpt.transformer.h.0.attn.masked_bias": torch.tensor(-1e4)}  # fmt: skip
    torch.save({**mapping_tensors("mlp"), **own, **masks}, root / "mlp.pt")
    save_file(mapping_tensors("transformer"), root / "transformer.safetensors")
    return root


FILES = {"mlp": "mlp.pt", "transformer": "transformer.safetensors"}


def load(root: Path, kind: str, **settings: Any) -> tool.ClipCap:
    found = {"gpt2": str(root / "gpt2"), "clip": f"local-dir:{root / 'clip'}", "device": "cpu", **settings}
    return tool.load(str(root / FILES[kind]), **found)


def pictures(n: int) -> list[Picture]:
    """Pictures of one colour each."""
    return [Picture.of(Image.new("RGB", (40, 50), c)) for c in [(250, 20, 20), (20, 250, 20), (20, 20, 250)][:n]]


def reference(root: Path, kind: str, task: Describe) -> tuple[str, bool]:
    """Text and whether it ended, by the published inference: greedy, no cache, until the full stop."""
    import open_clip
    import torch
    from transformers import AutoTokenizer, GPT2LMHeadModel

    eyes, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{root / 'clip'}")
    words: Any = AutoTokenizer.from_pretrained(root / "gpt2")
    gpt = GPT2LMHeadModel.from_pretrained(root / "gpt2").eval()
    if kind == "mlp":
        gpt.transformer.wte.weight.data.mul_(0.9)
    stop = words(".")["input_ids"][0]
    said: list[int] = []
    with torch.no_grad():
        vector = eyes.eval().encode_image(preprocess(task.picture.pil)[None])[0].float()
        vector = vector / vector.norm() if kind == "transformer" else vector
        begun = gpt.transformer.wte(torch.tensor(words(task.prefix)["input_ids"], dtype=torch.long))
        rows = torch.cat([mapped(kind, mapping_tensors(kind), vector), begun])
        while len(said) < task.max_tokens and (not said or said[-1] not in (stop, 0)):
            said.append(int(gpt(inputs_embeds=rows[None]).logits[0, -1].argmax()))
            rows = torch.cat([rows, gpt.transformer.wte(torch.tensor(said[-1:]))])
    ended = said[-1] in (stop, 0)
    return (task.prefix + words.decode(said[:-1] if ended else said, skip_special_tokens=True)).strip(), ended


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_captions_equal_the_published_inference(root: Path, kind: str) -> None:
    """The perceptron on plain vectors with its tuned GPT-2, the transformer on unit vectors with the frozen one."""
    ours = load(root, kind)
    tasks = [Describe(p, prefix, n) for p in pictures(3) for prefix, n in (("", 14), ("a photo of", 9))]
    expected = [reference(root, kind, t) for t in tasks]
    said = ours.describe.batch(tasks)
    assert [(s.text, s.finished) for s in said] == expected
    assert len({s.text for s in said}) > 3
    assert [ours.describe(t).text for t in tasks] == [s.text for s in said]
    assert (ours.calls["vision"].items, ours.calls["vision"].forwards) == (3, 1)


def test_sentences_end_before_their_full_stop(root: Path) -> None:
    ours = load(root, "mlp")
    tasks = [Describe(p, max_tokens=40, temperature=1.0, seed=s) for p in pictures(3) for s in range(3)]
    said = ours.describe.batch(tasks)
    assert any(s.finished for s in said)
    assert all("." not in s.text for s in said)


def test_normalisation_can_be_chosen(root: Path) -> None:
    (one,) = pictures(1)
    task = Describe(one, max_tokens=8)
    usual, other = load(root, "mlp"), load(root, "mlp", normalize=True)
    assert usual.describe(task).confidence != other.describe(task).confidence
    assert load(root, "mlp", normalize=False).describe(task) == usual.describe(task)
    assert usual.fingerprint != other.fingerprint


def test_samples_follow_their_seeds_in_any_batch(root: Path) -> None:
    ours = load(root, "transformer")
    tasks = [Describe(p, x, 8, 1.0, seed=s, repeat=1 - s) for p in pictures(2) for x in ("", "a dog") for s in (0, 1)]
    together = [s.text for s in ours.describe.batch(tasks)]
    assert together == [ours.describe(t).text for t in tasks] and len(set(together)) > 4


def test_bad_items_are_errors_in_their_place(root: Path) -> None:
    ours = load(root, "mlp")
    (one,) = pictures(1)
    good, *bad = ours.describe.each(
        [Describe(one, max_tokens=4), Describe(one, "dog " * 60), Describe(one, max_tokens=46), Describe(one, "", 0)]
    )
    assert isinstance(good, Statement) and all(isinstance(b, BadInput) and b.hint for b in bad)
    assert "46 tokens of 45" in str(bad[1])
    assert ours.describe.batch([]) == []


def test_it_stands_behind_its_capability(root: Path) -> None:
    ours = load(root, "mlp")
    assert all(hasattr(ours, name) for name in members(Captioner))
    assert ours.size_in_bytes() > 100_000 and ours.fingerprint.startswith("clipcap:")
    assert ours.fingerprint != load(root, "transformer").fingerprint


def test_what_is_missing_or_does_not_fit_is_said(root: Path, tmp_path: Path) -> None:
    import pickle

    import torch
    from safetensors.torch import save_file

    def refused(tensors: dict[str, Any], match: str) -> None:
        save_file(tensors, tmp_path / "wrong.safetensors")
        with pytest.raises(ModelUnavailable, match=match):
            tool.load(str(tmp_path / "wrong.safetensors"), gpt2=str(root / "gpt2"), clip=f"local-dir:{root / 'clip'}")

    whole = mapping_tensors("mlp")
    refused({"something.else": torch.ones(1)}, "no clip_project")
    refused({**whole, "clip_project.model.0.weight": torch.ones(WIDTH * LENGTH // 2, 7)}, "vectors of 24 numbers")
    refused({**whole, "clip_project.model.2.weight": torch.ones(33, 48)}, "no multiple")
    refused({**whole, "gpt.transformer.wpe.weight": torch.ones(48, WIDTH)}, "lacks gpt")
    with pytest.raises(ModelUnavailable, match="no file"):
        tool.load(str(tmp_path / "nothing.pt"))
    (tmp_path / "code.pt").write_bytes(pickle.dumps({"clip_project.model.0.weight": print}, 2))
    with pytest.raises(ModelUnavailable, match="no state dict"):
        tool.load(str(tmp_path / "code.pt"))
    with pytest.raises(ModelUnavailable):
        load(root, "mlp", clip="RN50", pretrained=None)
    with pytest.raises(ModelUnavailable) as info:
        load(root, "mlp", gpt2="someone/has-no-gpt2")
    assert info.value.hint == "hf download someone/has-no-gpt2"
