"""BLIP-2's language model: from what it reads (embeddings of queries and prompt) to what it says, for OPT and T5.

Part of `blip2.py`, in a file of its own for its length. It knows no picture and no task.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from socratic.decoding import Manner, Said, by_groups, generated, padded, padded_embeddings


class Voice:
    """Greedy, sampled and beam-searched replies, and the likelihood of given ones.

    Prompts are embeddings (length x width), one tensor per row; replies are ids and close with the end.
    """

    def __init__(self, model: Any, tokenizer: Any, num_beams: int) -> None:
        self._language = model.language_model
        self._beams = num_beams
        self.seq2seq = bool(self._language.config.is_encoder_decoder)
        self.ends = _ends(self._language.generation_config, model.generation_config, tokenizer)
        self._pad = self.ends[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        self.room = _context(self._language.config) - model.config.num_query_tokens

    def embedded(self, ids: Sequence[int]) -> Any:
        """The embeddings of ids (length x width)."""
        import torch

        table = self._language.get_input_embeddings()
        return table(torch.tensor(ids, dtype=torch.long, device=table.weight.device))

    def said(self, prompts: list[Any], manners: Sequence[Manner], **search: Any) -> list[Said]:
        """One reply per prompt: beams at temperature 0 where they are set, greedy or sampled otherwise.

        Args:
            search: `min_new_tokens`, and for beams `length_penalty`.
        """
        rows = list(zip(prompts, manners, strict=True))
        return by_groups(rows, lambda row: self._limit(row[1]), lambda some: self._said_together(some, search))

    def _limit(self, manner: Manner) -> int:
        """What rows of one beam search must share; 0 for a row that is chosen without beams."""
        return manner.max_tokens if self._beams > 1 and manner.temperature <= 0 else 0

    def _said_together(self, rows: list[tuple[Any, Manner]], search: dict[str, Any]) -> list[Said]:
        prompts, manners = [p for p, _ in rows], [m for _, m in rows]
        embeddings, mask = padded_embeddings(prompts)
        if limit := self._limit(manners[0]):
            return self._by_beams(prompts, embeddings, mask, limit, search)
        least = search.get("min_new_tokens")
        return generated(
            self._language, manners, self.ends, self._pad, inputs_embeds=embeddings, attention_mask=mask,
            min_new_tokens=least,
        )  # fmt: skip

    def _by_beams(
        self, prompts: list[Any], embeddings: Any, mask: Any, limit: int, search: dict[str, Any]
    ) -> list[Said]:
        out = self._language.generate(
            inputs_embeds=embeddings, attention_mask=mask, num_beams=self._beams, do_sample=False,
            max_new_tokens=limit, eos_token_id=self.ends, pad_token_id=self._pad, **search,
        )  # fmt: skip
        rows = [self._to_the_end(row[int(self.seq2seq) :].tolist()) for row in out]
        scores = self.scores(prompts, rows)
        finished = [row[-1] in self.ends for row in rows]
        return [
            Said(tuple(row[:-1] if done else row), math.exp(score), done)
            for row, score, done in zip(rows, scores, finished, strict=True)
        ]

    def _to_the_end(self, ids: list[int]) -> list[int]:
        """The ids up to the first end, and with it."""
        return ids[: next((i + 1 for i, token in enumerate(ids) if token in self.ends), len(ids))]

    def scores(self, prompts: list[Any], replies: Sequence[Sequence[int]]) -> list[float]:
        """The mean log-probability per token (<= 0) of each reply after its prompt, in one forward pass."""
        logits = self._seq2seq_logits(prompts, replies) if self.seq2seq else self._decoder_logits(prompts, replies)
        return [
            float(row.float().log_softmax(-1)[range(len(reply)), list(reply)].mean().clamp(max=0))
            for row, reply in zip(logits, replies, strict=True)
        ]

    def _decoder_logits(self, prompts: list[Any], replies: Sequence[Sequence[int]]) -> list[Any]:
        """For each row the logits (reply length x vocabulary) that foretell its reply."""
        import torch

        rows = [torch.cat([p, self.embedded(r[:-1])]) for p, r in zip(prompts, replies, strict=True)]
        embeddings, mask = padded_embeddings(rows)
        logits = self._language(inputs_embeds=embeddings, attention_mask=mask).logits
        return [row[-len(r) :].cpu() for row, r in zip(logits, replies, strict=True)]

    def _seq2seq_logits(self, prompts: list[Any], replies: Sequence[Sequence[int]]) -> list[Any]:
        embeddings, mask = padded_embeddings(prompts)
        start = self._language.config.decoder_start_token_id
        ids, _ = padded([[start, *r[:-1]] for r in replies], self._pad, left=False)
        logits = self._language(
            inputs_embeds=embeddings, attention_mask=mask, decoder_input_ids=ids.to(embeddings.device)
        ).logits
        return [row[: len(r)].cpu() for row, r in zip(logits, replies, strict=True)]


def _ends(*sources: Any) -> list[int]:
    """The ids that end a reply: those of the generation settings, or the tokenizer's own where there are none."""
    *settings, tokenizer = sources
    found = [e for s in settings if s is not None and s.eos_token_id is not None for e in _listed(s.eos_token_id)]
    return list(dict.fromkeys(found)) or [tokenizer.eos_token_id]


def _listed(ids: int | list[int]) -> list[int]:
    return [ids] if isinstance(ids, int) else ids


def _context(config: Any) -> int:
    """How many tokens the language model reads; T5 has no hard limit, and was trained on 512."""
    return int(getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 512)
