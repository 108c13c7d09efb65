"""A local language model through transformers: chat template in, text or calls of tools out, likelihoods of replies.

Takes a hub name or a local folder with a causal model whose tokenizer has a chat template. Loads safetensors
only and never remote code. It does not see pictures and runs no tool. Calls, and replies to a schema, are decoded under
a grammar (`guided.py`), so that they fit; where a tokenizer has another form of calls, it reads them itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from socratic.decoding import around_errors, chosen_token, padded
from socratic.device import place, size_in_bytes
from socratic.errors import BadInput, ModelUnavailable, ReplyError, SocraticError
from socratic.guided import CLOSE, OPEN, Guide, Held, read, understood
from socratic.hub import find_weights
from socratic.tool import Tool, operation
from socratic.values import Call, Reply, Request, Usage
from socratic.weights import library, load_folder, reading

_MARKS = {OPEN, CLOSE, "<tool_response>", "</tool_response>"}
FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]


class CausalLM(Tool):
    """A chat model on this machine. Made by `load`."""

    def __init__(self, model: Any, tokenizer: Any, fingerprint: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._model = model
        self._tokenizer = tokenizer
        self._guide: Guide | None = None
        special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
        self._marks = sorted(mark for mark in special | _MARKS if len(mark) > 1)
        self.context = int(getattr(model.config, "max_position_embeddings", 2048))
        """The most tokens of a prompt and its reply together."""

    def size_in_bytes(self) -> int:
        return size_in_bytes(self._model)

    def room(self, request: Request) -> int:
        """How many tokens the reply to a request can have; negative where the prompt alone is too long.

        Raises:
            BadInput: the request cannot be put to this model.
        """
        return self.context - len(self._ids(self._told(request)))

    @operation(batch=64)
    def write(self, requests: Sequence[Request]) -> list[Reply | SocraticError]:
        """One reply per request. Equal seeds give equal replies, whatever else is in the batch.

        A reply that the token limit cuts off inside a call is a `ReplyError`: there are no half calls.
        """
        return around_errors([self._started(r) for r in requests], self._written)

    @operation(batch=64)
    def likelihood(self, pairs: Sequence[tuple[Request, str]]) -> list[float]:
        """The mean log-probability per token of each given reply (<= 0; higher is likelier)."""
        import torch

        prompts = [self._ids(str(self._prompt(request))) for request, _ in pairs]
        replies = [self._ids(reply + self._tokenizer.eos_token) for _, reply in pairs]
        ids, mask = padded(
            [p + r for p, r in zip(prompts, replies, strict=True)], self._tokenizer.pad_token_id or 0, left=False
        )
        with torch.inference_mode():
            logits = (
                self._model(input_ids=ids.to(self._model.device), attention_mask=mask.to(self._model.device))
                .logits.float()
                .cpu()
            )
        chances = logits.log_softmax(-1)
        return [
            float(chances[row, range(len(p) - 1, len(p) + len(r) - 1), r].mean())
            for row, (p, r) in enumerate(zip(prompts, replies, strict=True))
        ]

    def _written(self, rows: list[_Row]) -> list[Reply | SocraticError]:
        said = self._generated(rows)
        return [self._heard(row, tokens) for row, tokens in zip(rows, said, strict=True)]

    def _heard(self, row: _Row, tokens: list[int]) -> Reply | SocraticError:
        """The reply that the tokens are."""
        finished = bool(tokens) and tokens[-1] == self._tokenizer.eos_token_id
        usage = Usage(len(row.prompt), len(tokens))
        calls: tuple[Call, ...] = ()
        told = tokens[:-1] if finished else tokens
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True).strip()
        try:
            if row.held:
                text = row.held.text(told)
                text, calls = read(text, row.request, finished=finished) if row.request.tools else (text, ())
            elif row.request.tools:
                text, calls = self._parsed(row, told, text)
        except ReplyError as error:
            return error
        return Reply(text, usage, finished, calls)

    def _parsed(self, row: _Row, tokens: list[int], text: str) -> tuple[str, tuple[Call, ...]]:
        """Words and calls as the tokenizer's own `response_template` finds them."""
        offered = [offer.as_dict() for offer in row.request.tools]
        try:
            parsed = self._tokenizer.parse_response(tokens, prefix=row.prompt, tools=offered)
        except ValueError as error:
            reason = f"the call of the model could not be read: {error}"
            raise ReplyError(reason, reply=text, hint="raise max_tokens, or ask in another way") from None
        return understood(parsed, text, row.request)

    def _started(self, request: Request) -> _Row | SocraticError:
        """The prompt as tokens, and what holds the reply."""
        try:
            prompt = self._prompt(request)
            if isinstance(prompt, SocraticError):
                return prompt
            free = bool(request.tools) and not self._writes_marked_calls(request)
            return _Row(request, self._ids(prompt), None if free else self._hold(request))
        except SocraticError as error:
            return error

    def _hold(self, request: Request) -> Held | None:
        if not (request.tools or request.schema or request.must_call):
            return None
        if self._guide is None:
            self._guide = Guide(self._tokenizer, int(self._model.config.get_text_config().vocab_size))
        return self._guide.hold(request)

    def _writes_marked_calls(self, request: Request) -> bool:
        """Whether calls are written as `<tool_call>{...}</tool_call>`; else the tokenizer must know how to read them."""
        template = str(self._tokenizer.get_chat_template(tools=[offer.as_dict() for offer in request.tools]))
        marked = OPEN in template and "<function=" not in template
        if "tools" in template and (marked or getattr(self._tokenizer, "response_template", None)):
            return marked
        told = "in a form that cannot be read" if "tools" in template else "of which its chat template knows nothing"
        raise BadInput(
            f"this language model is offered tools, {told}", hint="choose a writer that calls tools, e.g. Qwen2.5"
        )

    def _prompt(self, request: Request) -> str | SocraticError:
        """The conversation in the model's own chat template, where it leaves room for the reply."""
        try:
            text = self._told(request)
        except BadInput as error:
            return error
        length = len(self._ids(text)) + request.max_tokens
        if length > self.context:
            return BadInput(
                f"prompt and reply take {length} tokens, and the model reads {self.context}", hint="shorten the prompt"
            )
        return text

    def _told(self, request: Request) -> str:
        if any(m.pictures for m in request.messages):
            raise BadInput(
                "this language model does not see pictures",
                hint="choose a profile whose writer sees, or describe the picture",
            )
        rows = [self._plain(m.as_dict()) for m in request.messages]
        offered = [self._plain(offer.as_dict()) for offer in request.tools]
        try:
            text: str = self._tokenizer.apply_chat_template(
                rows, tools=offered or None, add_generation_prompt=True, tokenize=False
            )
        except TemplateError as error:
            reason = f"the model's chat template refuses these messages: {error}"
            raise BadInput(reason, hint="order them as it asks") from error
        return text

    def _plain(self, value: Any) -> Any:
        """The value with a blank inside what would be a control token: no text may end its message and open another."""
        if isinstance(value, str):
            for mark in self._marks:
                value = value.replace(mark, f"{mark[0]} {mark[1:]}")
            return value
        if isinstance(value, dict):
            return {key: self._plain(each) for key, each in value.items()}
        return [self._plain(each) for each in value] if isinstance(value, list) else value

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def _generated(self, rows: Sequence[_Row]) -> list[list[int]]:
        """Token by token for the whole batch; each row has its own random generator, made from its seed."""
        import torch

        device, end = self._model.device, self._tokenizer.eos_token_id
        ids, mask = padded([row.prompt for row in rows], self._tokenizer.pad_token_id or 0, left=True)
        step, mask, past = ids.to(device), mask.to(device), None
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        dice = [torch.Generator().manual_seed(r.request.seed * 1_000_003 + r.request.repeat) for r in rows]
        said: list[list[int]] = [[] for _ in rows]
        running = set(range(len(rows)))
        with torch.inference_mode():
            while running:
                out = self._model(
                    input_ids=step, attention_mask=mask, position_ids=positions, past_key_values=past, use_cache=True
                )
                past, logits = out.past_key_values, out.logits[:, -1].float().cpu()
                chosen = [row.next_token(logits[i], dice[i]) if i in running else end for i, row in enumerate(rows)]
                for i in list(running):
                    said[i].append(chosen[i])
                    if chosen[i] == end or len(said[i]) >= rows[i].request.max_tokens:
                        running.discard(i)
                step = torch.tensor(chosen, device=device)[:, None]
                mask = torch.cat([mask, torch.ones_like(step)], 1)
                positions = positions[:, -1:] + 1
        return said


@dataclass(frozen=True)
class _Row:
    """A request on its way through the model."""

    request: Request
    prompt: list[int]
    held: Held | None

    def next_token(self, logits: Any, dice: Any) -> int:
        """Chooses among the tokens that may come."""
        if self.held is None:
            return chosen_token(logits, self.request.temperature, dice)
        token = chosen_token(self.held.masked(logits), self.request.temperature, dice)
        self.held.take(token)
        return token


def load(model: str, *, device: str = "auto", dtype: str = "auto") -> CausalLM:
    """Loads a chat model from a hub name (`org/name[@revision]`) or a local folder.

    Raises:
        ModelUnavailable: transformers or the weights are missing, or the tokenizer has no chat template.
    """
    transformers = library()
    folder, revision = find_weights(model, FILES)
    where, number = place(device, dtype)
    with reading("a chat model", model):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        weights = load_folder(transformers.AutoModelForCausalLM, folder, number)
    if not tokenizer.chat_template:
        raise ModelUnavailable(f"{model} has no chat template", hint="choose an instruction-tuned model")
    tokenizer.padding_side = "left"
    return CausalLM(weights.to(where), tokenizer, f"causal_lm:{revision}")
