"""BLIP-2 through transformers: captions, answers about a picture, and how likely given answers are.

Takes a hub name or a local folder with `Blip2ForConditionalGeneration` in its OPT (decoder-only) or T5
(encoder-decoder) form (Li et al. 2023, BLIP-2). Each picture goes through the vision tower and the Q-Former once,
for all captions, questions and likelihoods. It sees one picture at a time and takes no examples.

What the language model reads, in the order of transformers' `Blip2Processor`, queries before everything else:

    OPT: query embeddings, tokenizer(prompt), tokenizer(" " + reply, no special tokens), end
    T5:  encoder: query embeddings, tokenizer(prompt); decoder: start, tokenizer(reply, no special tokens), end

`tokenizer(prompt)` brings the special tokens that the tokenizer itself adds (`</s>` before the text for OPT, after
it for T5, nothing where it adds none). `end` is the `eos_token_id` of the generation settings. The caption prompt
is the prefix, which may be empty. A question's prompt is `Question: {q} Short answer:`; earlier turns stand before
it as `Question: q Answer: a.`, joined by spaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from socratic.decoding import Manner, Said, around_errors, continued
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, SocraticError
from socratic.features import PictureFeatures
from socratic.hub import find_weights
from socratic.tasks import Ask, Describe
from socratic.tool import Tool, operation
from socratic.tools._blip2_voice import Voice
from socratic.values import Picture, Statement
from socratic.weights import kind_of, library, load_folder, reading

FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]
QUESTION = "Question: {q} Short answer:"


@dataclass(frozen=True)
class Habits:
    """The settings of `load` that change what is said."""

    prefix: str = ""
    question_template: str = QUESTION
    num_beams: int = 1
    caption_min_tokens: int = 0
    answer_length_penalty: float = 0.0


@dataclass(frozen=True)
class Turn:
    """One reply that is wanted: the picture, the prompt's ids, how to choose; and the reply where it is given."""

    picture: Picture
    ids: tuple[int, ...]
    manner: Manner
    prefix: str = ""
    reply: tuple[int, ...] = ()


class Blip2(Tool):
    """A captioner and answerer on this machine. Made by `load`."""

    def __init__(self, model: Any, processor: Any, fingerprint: str, habits: Habits) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._model = model
        self._images = processor.image_processor
        self._tokenizer = processor.tokenizer
        self._habits = habits
        self._voice = Voice(model, processor.tokenizer, habits.num_beams)
        self._features: PictureFeatures[Any] = PictureFeatures(256)

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    @operation(batch=32)
    def describe(self, tasks: Sequence[Describe]) -> list[Statement | SocraticError]:
        """One sentence per picture, beginning with the prefix. Equal seeds give equal sentences in any batch."""
        return around_errors([self._caption_turn(t) for t in tasks], self._captions)

    @operation(batch=32)
    def answer(self, tasks: Sequence[Ask]) -> list[Statement | SocraticError]:
        """One short answer per question.

        Where the history does not fit, the oldest turns are left out. Several pictures, shots, and a question that
        is too long by itself are a `BadInput`.
        """
        return around_errors([self._question_turn(t) for t in tasks], self._answers)

    @operation(batch=32)
    def answer_likelihood(self, pairs: Sequence[tuple[Ask, str]]) -> list[float | SocraticError]:
        """The mean log-probability per token (<= 0) of each given answer and its end; an empty one is a `BadInput`."""
        return around_errors([self._given(task, answer) for task, answer in pairs], self._scores)

    def _caption_turn(self, task: Describe) -> Turn | SocraticError:
        prefix = (task.prefix or self._habits.prefix).strip()
        ids = self._ids(prefix)
        return self._misfit(len(ids), task) or Turn(task.picture, ids, task, prefix)

    def _question_turn(self, task: Ask, answer: tuple[int, ...] = ()) -> Turn | SocraticError:
        if len(task.pictures) != 1 or task.shots:
            return BadInput(
                f"BLIP-2 answers about one picture without examples; it got {len(task.pictures)} pictures and "
                f"{len(task.shots)} shots",
                hint="ask about one picture at a time, or use the tool image_text_to_text",
            )
        if not task.question.strip():
            return BadInput("the question is empty", hint="write what you want to know about the picture")
        misfit = None
        for dropped in range(len(task.history) + 1):
            ids = self._ids(prompt(task.question, task.history[dropped:], self._habits.question_template))
            misfit = self._misfit(len(ids), task, len(answer))
            if misfit is None:
                return Turn(task.pictures[0], ids, task, reply=answer)
        return misfit or BadInput("the question does not fit")

    def _given(self, task: Ask, answer: str) -> Turn | SocraticError:
        if not answer.strip():
            return BadInput("the answer whose likelihood is asked is empty", hint="give at least one word")
        text = answer.strip() if self._voice.seq2seq else f" {answer.strip()}"
        return self._question_turn(task, (*self._ids(text, add_special_tokens=False), self._voice.ends[0]))

    def _misfit(self, length: int, task: Describe | Ask, given: int = 0) -> BadInput | None:
        """Why a prompt of this length cannot be read; None when it can."""
        if task.max_tokens < 1:
            return BadInput(f"a reply of at most {task.max_tokens} tokens says nothing", hint="max_tokens >= 1")
        room = self._voice.room - (0 if self._voice.seq2seq else max(given, task.max_tokens))
        if length <= room:
            return None
        return BadInput(
            f"a prompt of {length} tokens, and beside the picture and the reply there is room for {room}",
            hint="shorten the text",
        )

    def _ids(self, text: str, *, add_special_tokens: bool = True) -> tuple[int, ...]:
        """The ids of a text; words that look like special tokens are words."""
        found = self._tokenizer(text, add_special_tokens=add_special_tokens, split_special_tokens=True)
        return tuple(int(i) for i in found["input_ids"])

    def _captions(self, turns: list[Turn]) -> list[Statement]:
        return self._said(turns, min_new_tokens=self._habits.caption_min_tokens or None)

    def _answers(self, turns: list[Turn]) -> list[Statement]:
        return self._said(turns, length_penalty=self._habits.answer_length_penalty)

    def _said(self, turns: list[Turn], **search: Any) -> list[Statement]:
        import torch

        with torch.inference_mode():
            said = self._voice.said(self._prompts(turns), [t.manner for t in turns], **search)
        return [Statement(self._text(t, s), s.confidence, s.finished) for t, s in zip(turns, said, strict=True)]

    def _scores(self, turns: list[Turn]) -> list[float]:
        import torch

        with torch.inference_mode():
            return self._voice.scores(self._prompts(turns), [t.reply for t in turns])

    def _text(self, turn: Turn, said: Said) -> str:
        """The prefix and what follows it."""
        text: str = self._tokenizer.decode(said.tokens, skip_special_tokens=True).strip()
        if not turn.prefix or (self._voice.seq2seq and text.startswith(turn.prefix)):
            return text
        if self._voice.seq2seq:
            return f"{turn.prefix} {text}".strip()
        return turn.prefix + continued(self._tokenizer, turn.ids, said.tokens)

    def _prompts(self, turns: list[Turn]) -> list[Any]:
        """What the language model reads for each turn: query embeddings, then the prompt's (length x width)."""
        import torch

        seen = self._features.of([t.picture for t in turns], self._encode, self.calls["vision"])
        return [torch.cat([features, self._voice.embedded(t.ids)]) for features, t in zip(seen, turns, strict=True)]

    def _encode(self, pictures: list[Picture]) -> list[Any]:
        """The query embeddings of each picture as the language model reads them (queries x width)."""
        pixels = self._images([p.pil for p in pictures], return_tensors="pt", input_data_format="channels_last")
        values = pixels["pixel_values"].to(self._model.device, self._model.dtype)
        features = self._model.get_image_features(values).pooler_output
        return list(features.to(self._voice.embedded([0]).dtype).unbind(0))


def prompt(question: str, history: Sequence[tuple[str, str]], template: str = QUESTION) -> str:
    """A question in BLIP-2's own form, after the earlier questions and answers; ends with the cue, without a space."""
    turns = [f"Question: {q.strip()} Answer: {a.strip().rstrip('.')}." for q, a in history]
    return " ".join([*turns, template.replace("{q}", question.strip()).strip()])


def load(
    model: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    prefix: str = "",
    question_template: str = QUESTION,
    num_beams: int = 1,
    caption_min_tokens: int = 0,
    answer_length_penalty: float = 0.0,
) -> Blip2:
    """Loads BLIP-2 from a hub name (`org/name[@revision]`) or a local folder.

    The paper's numbers were made with `num_beams=5`, `prefix="a photo of"`, `caption_min_tokens=8` and
    `answer_length_penalty=-1`; the defaults are greedy.

    Args:
        prefix: how captions begin where the task does not say.
        question_template: the prompt of a question, with `{q}` in its place.
        num_beams: beams at temperature 0; 1 is greedy. Sampling uses no beams.
        caption_min_tokens: no caption ends before so many tokens.
        answer_length_penalty: for beams; below 0 prefers short answers.

    Raises:
        BadInput: the template has no `{q}`, or `num_beams` is less than 1.
        ModelUnavailable: transformers or the weights are missing, or the folder holds another model.
    """
    habits = Habits(prefix, question_template, num_beams, caption_min_tokens, answer_length_penalty)
    if "{q}" not in question_template or num_beams < 1:
        raise BadInput("question_template must hold {q}, and num_beams must be at least 1", hint=f"e.g. {QUESTION!r}")
    transformers = library()
    folder, revision = find_weights(model, FILES)
    where, number = place(device, dtype)
    with reading("BLIP-2", model):
        kind = kind_of(folder, ["Blip2ForConditionalGeneration"])
        processor = transformers.AutoProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
        weights = load_folder(getattr(transformers, kind), folder, number)
    settings = ",".join(repr(v) for v in vars(habits).values())
    return Blip2(weights.to(where), processor, f"blip2:{revision}:{number}:{settings}", habits)
