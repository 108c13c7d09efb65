"""Chat models that see, through transformers: answers with examples, several pictures and history; captions.

Takes a hub name or a local folder of any `AutoModelForImageTextToText` checkpoint with a chat template: LLaVA,
Idefics, SmolVLM, Qwen2-VL and their kin. Examples stand before the question as earlier turns with pictures of their
own, in the manner of Flamingo (Alayrac et al. 2022). Pictures are encoded anew for every question, as no common way
to keep them exists; BLIP-2 keeps them (`blip2.py`). It takes no video and calls no tools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from socratic.decoding import Manner, around_errors, by_groups, continued, generated
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable, SocraticError
from socratic.hub import find_weights
from socratic.tasks import Ask, Describe
from socratic.tool import Tool, operation
from socratic.values import Picture, Statement
from socratic.weights import library, load_folder, reading

FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
QUESTION = "{q}\nAnswer the question using a single word or phrase."
CAPTION = "Describe this picture in one sentence."
ALONG_THE_TEXT = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")


@dataclass(frozen=True, eq=False)
class Prompt:
    """What the model reads for one reply: tensors by name with one row each, and how to choose the reply."""

    inputs: dict[str, Any]
    manner: Manner
    prefix: str = ""

    @property
    def shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Prompts whose pictures have equal shapes share a pass, so that no picture is padded."""
        return tuple(sorted((k, tuple(v.shape)) for k, v in self.inputs.items() if k not in ALONG_THE_TEXT))


class ImageTextToText(Tool):
    """An answerer and captioner on this machine. Made by `load`."""

    def __init__(self, model: Any, processor: Any, fingerprint: str, question: str, caption: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._model = model
        self._processor = processor
        self._tokenizer = processor.tokenizer
        self._question, self._caption = question, caption
        self._room = int(getattr(model.config.get_text_config(), "max_position_embeddings", None) or 2048)
        ends = model.generation_config.eos_token_id
        ends = self._tokenizer.eos_token_id if ends is None else ends
        self._ends: list[int] = [ends] if isinstance(ends, int) else ends
        pad = self._tokenizer.pad_token_id
        self._pad = self._ends[0] if pad is None else pad
        self._control = [t.content for t in self._tokenizer.added_tokens_decoder.values() if t.content.strip()]

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=16)
    def describe(self, tasks: Sequence[Describe]) -> list[Statement | SocraticError]:
        """One sentence per picture, beginning with the prefix. Equal seeds give equal sentences in any batch."""
        return around_errors([self._caption_prompt(t) for t in tasks], self._said)

    @operation(batch=16)
    def answer(self, tasks: Sequence[Ask]) -> list[Statement | SocraticError]:
        """One short answer per question, after its examples and earlier turns.

        All pictures of a question stand before its first turn, in order. Where the history does not fit, the
        oldest turns are left out; a question that is too long with its shots and pictures is a `BadInput`.
        """
        return around_errors([self._question_prompt(t) for t in tasks], self._said)

    def _caption_prompt(self, task: Describe) -> Prompt | SocraticError:
        prefix = task.prefix.strip()
        messages = [user(self._caption, task.picture), *([assistant(prefix)] if prefix else [])]
        prompt = self._control_in([prefix]) or self._prompt(messages, task)
        return replace(prompt, prefix=prefix) if isinstance(prompt, Prompt) else prompt

    def _question_prompt(self, task: Ask) -> Prompt | SocraticError:
        if not task.question.strip():
            return BadInput("the question is empty", hint="write what you want to know")
        told = [task.question, *(x for turn in task.history for x in turn), *(x for s in task.shots for x in (s.question, s.answer))]  # fmt: skip
        if refused := self._control_in(told):
            return refused
        prompt = self._prompt(conversation(task, self._question), task)
        if isinstance(prompt, TooLong) and task.history:
            return self._question_prompt(replace(task, history=task.history[1:]))
        return prompt

    def _control_in(self, texts: Sequence[str]) -> BadInput | None:
        """A text that would open a message or stand for a picture."""
        for token in self._control:
            if any(token in text for text in texts):
                return BadInput(f"{token!r} is a control token of this model", hint="leave it out of the text")
        return None

    def _prompt(self, messages: list[dict[str, Any]], task: Describe | Ask) -> Prompt | BadInput:
        """The conversation in the model's own chat template; one that ends with the assistant is continued."""
        if task.max_tokens < 1:
            return BadInput(f"a reply of at most {task.max_tokens} tokens says nothing", hint="max_tokens >= 1")
        begun = messages[-1]["role"] == "assistant"
        try:
            inputs = self._processor.apply_chat_template(
                messages, tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=not begun,
                continue_final_message=begun,
            )  # fmt: skip
        except ValueError as error:  # pictures of a shape that the processor refuses, templates that know no pictures
            return BadInput(f"this model cannot read that: {error}", hint="change the picture or the text")
        length = inputs["input_ids"].shape[1] + task.max_tokens
        if length > self._room:
            return TooLong(
                f"question and answer take {length} tokens with their pictures, and the model reads {self._room}",
                hint="give fewer shots or pictures, or shorten the text",
            )
        return Prompt(dict(inputs), task)

    def _said(self, prompts: list[Prompt]) -> list[Statement]:
        return by_groups(prompts, lambda p: p.shapes, self._said_together)

    def _said_together(self, prompts: list[Prompt]) -> list[Statement]:
        import torch

        with torch.inference_mode():
            inputs = collated([p.inputs for p in prompts], self._pad)
            placed = {k: self._placed(v) for k, v in inputs.items()}
            said = generated(self._model, [p.manner for p in prompts], self._ends, self._pad, **placed)
        return [
            Statement(self._text(p.prefix, s.tokens), s.confidence, s.finished)
            for p, s in zip(prompts, said, strict=True)
        ]

    def _placed(self, values: Any) -> Any:
        """The tensor on the model's device, pixels in its number format."""
        return values.to(self._model.device, self._model.dtype if values.is_floating_point() else None)

    def _text(self, prefix: str, tokens: Sequence[int]) -> str:
        before = self._tokenizer(prefix, add_special_tokens=False)["input_ids"] if prefix else []
        return (prefix + continued(self._tokenizer, before, tokens)).strip()


class TooLong(BadInput):
    """A prompt that the model cannot read whole."""


def user(text: str, *pictures: Picture) -> dict[str, Any]:
    """A message of the user, pictures first."""
    shown = [{"type": "image", "image": p.pil} for p in pictures]
    return {"role": "user", "content": [*shown, {"type": "text", "text": text}]}


def assistant(text: str) -> dict[str, Any]:
    """A message of the model."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def conversation(task: Ask, template: str = QUESTION) -> list[dict[str, Any]]:
    """The messages of a question: each shot as a turn with its own picture, then the history, then the question."""
    messages: list[dict[str, Any]] = []
    for shot in task.shots:
        messages += [user(template.replace("{q}", shot.question.strip()), shot.picture), assistant(shot.answer)]
    pictures = task.pictures
    for question, answer in task.history:
        messages += [user(template.replace("{q}", question.strip()), *pictures), assistant(answer)]
        pictures = ()
    return [*messages, user(template.replace("{q}", task.question.strip()), *pictures)]


def collated(rows: Sequence[dict[str, Any]], pad: int) -> dict[str, Any]:
    """Inputs of one row each as one batch: what runs along the text padded on the left, pictures one after another."""
    import torch

    longest = max(row["input_ids"].shape[1] for row in rows)

    def along(name: str, values: Any) -> Any:
        if name not in ALONG_THE_TEXT:
            return values
        filling = pad if name == "input_ids" else 0
        return torch.nn.functional.pad(values, (longest - values.shape[1], 0), value=filling)

    return {name: torch.cat([along(name, row[name]) for row in rows]) for name in rows[0]}


def load(
    model: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    question_template: str = QUESTION,
    caption_prompt: str = CAPTION,
) -> ImageTextToText:
    """Loads a chat model that sees from a hub name (`org/name[@revision]`) or a local folder.

    Args:
        question_template: what stands in each turn of the user, with `{q}` for the question; the default is how
            LLaVA-1.5 (Liu et al. 2023) asks for short answers.
        caption_prompt: what asks for a caption.

    Raises:
        BadInput: the template has no `{q}`.
        ModelUnavailable: transformers or the weights are missing, or there is no chat template.
    """
    if "{q}" not in question_template:
        raise BadInput("question_template must hold {q}", hint=f"e.g. {QUESTION!r}")
    transformers = library()
    folder, revision = find_weights(model, FILES)
    where, number = place(device, dtype)
    with reading("a chat model that sees", model):
        processor = _processor(folder)
        weights = load_folder(transformers.AutoModelForImageTextToText, folder, number)
    if not getattr(processor, "chat_template", None):
        raise ModelUnavailable(f"{model} lacks a chat template", hint="choose an instruction-tuned model that sees")
    fingerprint = f"image_text_to_text:{revision}:{number}:{question_template!r},{caption_prompt!r}"
    return ImageTextToText(weights.to(where), processor, fingerprint, question_template, caption_prompt)


def _processor(folder: Path) -> Any:
    """The checkpoint's own processor, with pictures prepared by Pillow."""
    from transformers import AutoImageProcessor, AutoProcessor

    try:
        return AutoProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
    except ImportError:  # processors of videos know no such backend, and we show none
        processor: Any = AutoProcessor.from_pretrained(folder, trust_remote_code=False)
        processor.image_processor = AutoImageProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
        return processor
