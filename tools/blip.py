"""BLIP through transformers: captions, answers about a picture, or how well a text fits a picture.

A BLIP checkpoint (Li et al. 2022) was tuned for one of the three, and `load` gives the tool that its configuration
names: `BlipForConditionalGeneration` a captioner, `BlipForQuestionAnswering` an answerer,
`BlipForImageTextRetrieval` a matcher. Each picture goes through the vision tower once for all texts. The answerer
knows single questions: it takes one picture, no examples and no earlier turns. BLIP-2 has files of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from socratic.decoding import Said, around_errors, by_groups, generated, padded
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, SocraticError
from socratic.features import PictureFeatures
from socratic.hub import find_weights
from socratic.tasks import Ask, Describe, Match
from socratic.tool import Tool, operation
from socratic.values import Picture, Statement
from socratic.weights import kind_of, library, load_folder, reading

FILES = ["*.json", "*.safetensors", "*.txt"]
Row = TypeVar("Row")
Out = TypeVar("Out")


class Blip(Tool):
    """What the three kinds share: a vision tower that looks once, and a tokenizer."""

    def __init__(self, model: Any, processor: Any, fingerprint: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._model = model
        self._images = processor.image_processor
        self._tokenizer = processor.tokenizer
        self._text = model.config.text_config
        self._features: PictureFeatures[Any] = PictureFeatures(64)

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    def _seen(self, pictures: Sequence[Picture]) -> Any:
        """The vision tower's states (pictures x patches x width)."""
        import torch

        return torch.stack(self._features.of(pictures, self._encode, self.calls["vision"]))

    def _encode(self, pictures: list[Picture]) -> list[Any]:
        pixels = self._images([p.pil for p in pictures], return_tensors="pt", input_data_format="channels_last")
        values = pixels["pixel_values"].to(self._model.device, self._model.dtype)
        return list(self._model.vision_model(values).last_hidden_state.unbind(0))

    def _ids(self, text: str) -> list[int]:
        """The ids of a text between the tokenizer's start and end; words that look like special tokens are words."""
        found: list[int] = self._tokenizer(text, split_special_tokens=True)["input_ids"]
        return found

    def _padded(self, rows: list[list[int]], *, left: bool = False) -> tuple[Any, Any]:
        ids, mask = padded(rows, self._text.pad_token_id, left=left)
        return ids.to(self._model.device), mask.to(self._model.device)

    def _misfit(self, text: str, more: int = 0) -> BadInput | None:
        """Why a text cannot be read together with so many tokens of a reply; None when it can."""
        room = self._text.max_position_embeddings - more
        length = len(self._ids(text))
        if length <= room:
            return None
        return BadInput(f"a text of {length} tokens, and there is room for {room}", hint="shorten it")

    def _generated(self, tasks: Sequence[Describe | Ask], **inputs: Any) -> list[Said]:
        decoder = self._model.text_decoder
        return generated(decoder, tasks, [self._text.sep_token_id], self._text.pad_token_id, **inputs)

    def _said(self, said: Said) -> str:
        text: str = self._tokenizer.decode(said.tokens, skip_special_tokens=True)
        return text.strip()


class BlipCaptioner(Blip):
    """A captioner. Made by `load`."""

    @operation(batch=32)
    def describe(self, tasks: Sequence[Describe]) -> list[Statement | SocraticError]:
        """One sentence per picture, beginning with the prefix. Equal seeds give equal sentences in any batch."""
        checked = [_no_room(t) or self._misfit(t.prefix, t.max_tokens) or t for t in tasks]
        return around_errors(checked, self._captions)

    def _captions(self, tasks: list[Describe]) -> list[Statement]:
        import torch

        start = self._text.bos_token_id
        ids, mask = self._padded([[start, *self._ids(t.prefix.strip())[1:-1]] for t in tasks], left=True)
        with torch.inference_mode():
            seen = self._seen([t.picture for t in tasks])
            said = self._generated(
                tasks, input_ids=ids, attention_mask=mask, encoder_hidden_states=seen, encoder_attention_mask=_all(seen)
            )
        return [
            Statement(f"{t.prefix.strip()} {self._said(s)}".strip(), s.confidence, s.finished)
            for t, s in zip(tasks, said, strict=True)
        ]


class BlipAnswerer(Blip):
    """An answerer of single questions. Made by `load`."""

    @operation(batch=32)
    def answer(self, tasks: Sequence[Ask]) -> list[Statement | SocraticError]:
        """One short answer per question; several pictures, shots and earlier turns are a `BadInput`."""
        checked = [_no_room(t) or self._unanswerable(t) or t for t in tasks]
        return around_errors(checked, self._answers)

    @operation(batch=32)
    def answer_likelihood(self, pairs: Sequence[tuple[Ask, str]]) -> list[float | SocraticError]:
        """The mean log-probability per token (<= 0) of each given answer and its end; an empty one is a `BadInput`."""
        checked = [_empty(answer, "answer") or self._unanswerable(task) or (task, answer) for task, answer in pairs]
        return around_errors(checked, self._scores)

    def _unanswerable(self, task: Ask) -> BadInput | None:
        if len(task.pictures) != 1 or task.shots or task.history:
            return BadInput(
                f"BLIP answers one question about one picture; it got {len(task.pictures)} pictures, "
                f"{len(task.shots)} shots and {len(task.history)} earlier turns",
                hint="ask without them, or use the tool blip2 or image_text_to_text",
            )
        return _empty(task.question, "question") or self._misfit(task.question)

    def _answers(self, tasks: list[Ask]) -> list[Statement]:
        return self._by_length(tasks, lambda task: task, self._answers_of_one_length)

    def _scores(self, pairs: list[tuple[Ask, str]]) -> list[float]:
        return self._by_length(pairs, lambda pair: pair[0], self._scores_of_one_length)

    def _by_length(
        self, rows: list[Row], ask: Callable[[Row], Ask], work: Callable[[list[Row]], list[Out]]
    ) -> list[Out]:
        """Questions of one length share a pass: the cross-attention of transformers 5 also reads masked padding."""
        import torch

        with torch.inference_mode():
            self._seen([ask(row).pictures[0] for row in rows])
            return by_groups(rows, lambda row: len(self._ids(ask(row).question.strip())), work)

    def _understood(self, tasks: Sequence[Ask]) -> Any:
        """The questions as the text encoder understands them before the pictures (rows x length x width)."""
        ids, mask = self._padded([self._ids(t.question.strip()) for t in tasks])
        seen = self._seen([t.pictures[0] for t in tasks])
        return self._model.text_encoder(
            input_ids=ids, attention_mask=mask, encoder_hidden_states=seen, encoder_attention_mask=_all(seen)
        ).last_hidden_state

    def _answers_of_one_length(self, tasks: list[Ask]) -> list[Statement]:
        ids, mask = self._padded([[self._text.bos_token_id]] * len(tasks))
        states = self._understood(tasks)
        said = self._generated(
            tasks, input_ids=ids, attention_mask=mask, encoder_hidden_states=states, encoder_attention_mask=_all(states)
        )
        return [Statement(self._said(s), s.confidence, s.finished) for s in said]

    def _scores_of_one_length(self, pairs: list[tuple[Ask, str]]) -> list[float]:
        replies = [[*self._ids(answer.strip())[1:-1], self._text.sep_token_id] for _, answer in pairs]
        ids, mask = self._padded([[self._text.bos_token_id, *r[:-1]] for r in replies])
        states = self._understood([task for task, _ in pairs])
        out = self._model.text_decoder(
            input_ids=ids, attention_mask=mask, encoder_hidden_states=states, encoder_attention_mask=_all(states)
        )
        chances = out.logits.float().cpu().log_softmax(-1)
        return [float(chances[i, range(len(r)), r].mean().clamp(max=0)) for i, r in enumerate(replies)]


class BlipMatcher(Blip):
    """A matcher. Made by `load`."""

    @operation(batch=64)
    def match(self, tasks: Sequence[Match]) -> list[float | SocraticError]:
        """The probability, in [0, 1], that the text fits the picture, by the matching head; no text is a `BadInput`."""
        return around_errors([_empty(t.text, "text") or self._misfit(t.text) or t for t in tasks], self._matches)

    def _matches(self, tasks: list[Match]) -> list[float]:
        import torch

        ids, mask = self._padded([self._ids(t.text.strip()) for t in tasks])
        with torch.inference_mode():
            seen = self._seen([t.picture for t in tasks])
            states = self._model.text_encoder(
                input_ids=ids, attention_mask=mask, encoder_hidden_states=seen, encoder_attention_mask=_all(seen)
            ).last_hidden_state
            return [float(p) for p in self._model.itm_head(states[:, 0]).float().softmax(-1)[:, 1]]


KINDS: dict[str, type[BlipCaptioner] | type[BlipAnswerer] | type[BlipMatcher]] = {
    "BlipForConditionalGeneration": BlipCaptioner,
    "BlipForQuestionAnswering": BlipAnswerer,
    "BlipForImageTextRetrieval": BlipMatcher,
}


def load(model: str, *, device: str = "auto", dtype: str = "auto") -> BlipCaptioner | BlipAnswerer | BlipMatcher:
    """Loads BLIP from a hub name (`org/name[@revision]`) or a local folder, as the tool that it was tuned for.

    Raises:
        ModelUnavailable: transformers or the weights are missing, or the folder holds another model.
    """
    transformers = library()
    folder, revision = find_weights(model, FILES)
    where, number = place(device, dtype)
    with reading("BLIP", model):
        kind = kind_of(folder, KINDS)
        processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
        weights = load_folder(getattr(transformers, kind), folder, number)
    return KINDS[kind](weights.to(where), processor, f"blip:{revision}:{number}")


def _no_room(task: Describe | Ask) -> BadInput | None:
    if task.max_tokens >= 1:
        return None
    return BadInput(f"a reply of at most {task.max_tokens} tokens says nothing", hint="max_tokens >= 1")


def _empty(text: str, what: str) -> BadInput | None:
    return None if text.strip() else BadInput(f"the {what} is empty", hint="give at least one word")


def _all(states: Any) -> Any:
    """A mask that hides nothing of the states (rows x length x width)."""
    import torch

    return torch.ones(states.shape[:2], dtype=torch.long, device=states.device)
