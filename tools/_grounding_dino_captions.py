"""Captions for GroundingDINO: phrases closed by full stops, as token ids, with the tokens of each phrase known.

The model cuts its caption at [CLS], [SEP], "." and "?", and lets only tokens of one phrase see each other. So a
phrase must hold none of those, and every caption ends with a full stop: otherwise the last phrase would be read
differently alone and in a batch. Runs no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from socratic.errors import BadInput, ModelUnavailable


@dataclass(frozen=True)
class Caption:
    """What one forward pass reads. `spans[i]` are the first and last-plus-one token of `phrases[i]`."""

    phrases: tuple[str, ...]
    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class CaptionWriter:
    """Writes captions with a tokenizer.

    Args:
        limit: the most tokens of a caption.

    Raises:
        ModelUnavailable: the tokenizer has no full stop, or no token to open or close a text with.
    """

    def __init__(self, tokenizer: Any, limit: int) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
        stop, question = (self._known(sign) for sign in ".?")
        if first is None or last is None or stop is None:
            raise ModelUnavailable(
                'the tokenizer of this detector has no [CLS], [SEP] or "."', hint="use the tokenizer it came with"
            )
        self._first, self._stop, self._last = int(first), stop, int(last)
        self.pad = int(tokenizer.pad_token_id or 0)
        self.delimiters = [i for i in (self._first, self._last, stop, question) if i is not None]

    def captions(self, phrases: Sequence[str]) -> list[Caption]:
        """As few captions as hold all phrases; equal phrases are asked once, under their first spelling.

        Raises:
            BadInput: a phrase is empty, holds a full stop or question mark, is longer than a caption, or has
                no word that the tokenizer knows.
        """
        captions: list[Caption] = []
        names: list[str] = []
        ids = [self._first]
        spans: list[tuple[int, int]] = []
        for name, tokens in self._different(phrases).items():
            if names and len(ids) + len(tokens) + 2 > self._limit:
                captions.append(Caption(tuple(names), (*ids, self._last), tuple(spans)))
                names, ids, spans = [], [self._first], []
            names.append(name)
            spans.append((len(ids), len(ids) + len(tokens)))
            ids += [*tokens, self._stop]
        return [*captions, Caption(tuple(names), (*ids, self._last), tuple(spans))] if names else []

    def _different(self, phrases: Sequence[str]) -> dict[str, list[int]]:
        """The tokens of each different phrase."""
        cleaned: dict[str, str] = {}
        for phrase in phrases:
            cleaned.setdefault(" ".join(phrase.lower().split()), phrase)
        return {name: self._tokens(text, name) for text, name in cleaned.items()}

    def _tokens(self, text: str, name: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
        banned = {*self.delimiters, *self._tokenizer.all_special_ids} - {self._tokenizer.unk_token_id}
        if not tokens:
            raise BadInput(f"the phrase {name!r} holds no word", hint="name what to look for: dog, a red car")
        if "." in text or banned & set(tokens):
            raise BadInput(
                f"the phrase {name!r} holds a full stop, a question mark or a control token",
                hint="give each phrase alone, without a stop: dog, a red car",
            )
        if set(tokens) == {self._tokenizer.unk_token_id}:
            raise BadInput(f"the detector knows no word of {name!r}", hint="use other words")
        if len(tokens) + 3 > self._limit:
            raise BadInput(
                f"a phrase of {len(tokens)} tokens, and the detector reads {self._limit - 3}: {name[:60]!r}",
                hint="shorten it",
            )
        return tokens

    def _known(self, sign: str) -> int | None:
        found = self._tokenizer.convert_tokens_to_ids(sign)
        return None if found is None or found == self._tokenizer.unk_token_id else int(found)
