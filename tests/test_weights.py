"""Weights are read completely or not at all, and what cannot be read is one kind of error with advice."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from socratic.errors import BadInput, ModelUnavailable
from socratic.weights import is_file, kind_of, layers, library, load_folder, read_file, reading


def test_checkpoints_are_read_as_tensors_whatever_wraps_them(tmp_path: Path) -> None:
    tensors = {"module.a.0.weight": torch.ones(2), "module.a.1.weight": torch.zeros(2), "step": 3}
    for wrapper in ("", "model", "state_dict"):
        torch.save({wrapper: tensors} if wrapper else tensors, tmp_path / "one.pth")
        found, revision = read_file(str(tmp_path / "one.pth"))
        assert set(found) == {"a.0.weight", "a.1.weight"} and len(revision) == 16
    assert layers(found, "a.") == 2 and layers(found, "b.") == 0


def test_code_and_rubbish_are_refused(tmp_path: Path) -> None:
    torch.save({"model": Path("x")}, tmp_path / "code.pth")  # an object, which unpickling would have to build
    (tmp_path / "rubbish.pth").write_bytes(b"not a checkpoint")
    for name in ("code.pth", "rubbish.pth", "missing.pth"):
        with pytest.raises(ModelUnavailable) as error:
            read_file(str(tmp_path / name))
        assert name in error.value.message and error.value.hint
    assert is_file("sam.pth") and not is_file("org/name")


def test_what_the_library_raises_becomes_one_error() -> None:
    for problem in (OSError("no file"), KeyError("word"), RuntimeError("shapes"), ValueError("odd")):
        with pytest.raises(ModelUnavailable, match="cannot load a model from org/name") as error, reading("a model", "org/name"):  # fmt: skip
            raise problem
        assert error.value.hint == "hf download org/name"
    with pytest.raises(ModelUnavailable, match="package"), reading("a model", "org/name"):
        raise ImportError("gone")
    with pytest.raises(BadInput), reading("a model", "org/name"):
        raise BadInput("ours goes through")


def test_a_folder_of_another_kind_or_without_all_its_weights(tmp_path: Path) -> None:
    transformers = library()
    config = transformers.CLIPTextConfig(vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)  # fmt: skip
    transformers.CLIPTextModel(config).save_pretrained(tmp_path)
    assert kind_of(tmp_path, ["CLIPTextModel"]) == "CLIPTextModel"
    assert load_folder(transformers.CLIPTextModel, tmp_path, torch.float32).dtype == torch.float32
    with pytest.raises(ModelUnavailable, match="holds CLIPTextModel") as error:
        kind_of(tmp_path, ["SamModel"])
    assert "SamModel" in error.value.hint
    from safetensors.torch import load_file, save_file

    kept = load_file(tmp_path / "model.safetensors")
    kept.pop(sorted(kept)[0])
    save_file(kept, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelUnavailable, match="lacks 1 weights"):
        load_folder(transformers.CLIPTextModel, tmp_path, torch.float32)
