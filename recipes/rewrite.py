"""Spells out a drawing request before it is drawn, and proves that nothing of it was lost.

Prompt upsampling of DALL-E 3 (Betker et al. 2023, Improving Image Generation with Better Captions), with what it lacks:

1. Exclusions (`without people`) leave the text and become a negative prompt: naming a thing invites it.
2. The facts of the request are read by rules: things with number and colour, how they stand, quoted words. They are
   locks, and the user may add phrases of their own.
3. With a history, the writer says whether the request changes the last picture. A change keeps all other facts locked.
4. The writer rewrites. A rewriting that breaks a lock is rejected, and asked for once more with what it lost.
5. What the generator's text encoders would not see is cut at clauses, locked facts last, and told.

The user's own words are always kept, and nothing is drawn here. Limits: the check reads words, so a synonym of a locked
noun counts as lost, and a fact that the rules do not find is not protected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from socratic.ask import Question, ask_all, choose
from socratic.capability import Generator, Writer
from socratic.claims import claims, without
from socratic.errors import BadInput, BudgetExceeded, ReplyError, SocraticError
from socratic.locks import Lock, changed_locks, excluded, locks, lost
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.transcript import Transcript, Turn, key_of
from socratic.wording import Difference, clauses, difference, shortened

Mode = Literal["off", "suggest", "auto"]


@dataclass(frozen=True)
class Suggestion:
    """One rewriting; `dropped` clauses did not fit the generator, and `rejected` says why it is not to be used."""

    text: str
    dropped: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    rejected: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "dropped": list(self.dropped), "lost": list(self.lost), "rejected": self.rejected or None}  # fmt: skip


@dataclass(frozen=True)
class Rewriting:
    """What to draw, and where it comes from.

    Attributes:
        request: the user's own words.
        text: what to draw; the request itself where nothing was chosen.
        negative: what must not be drawn.
        decision: `new`, or `change` of the last picture in the history.
        suggestions: all rewritings, those that can be used first.
    """

    request: str
    text: str
    negative: str
    decision: str
    locks: tuple[Lock, ...]
    suggestions: tuple[Suggestion, ...]
    difference: Difference
    warnings: tuple[str, ...]
    transcript: Transcript = field(repr=False, compare=False)

    @property
    def usable(self) -> tuple[Suggestion, ...]:
        return tuple(s for s in self.suggestions if not s.rejected)

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        return {
            "request": self.request, "text": self.text, "negative": self.negative, "decision": self.decision,
            "locks": [k.say() for k in self.locks], "suggestions": [s.as_dict() for s in self.suggestions],
            "difference": self.difference.as_list(), "warnings": list(self.warnings),
        }  # fmt: skip


@recipe
def rewrite(
    request: str,
    *,
    mode: Mode = "auto",
    k: int = 3,
    keep: Sequence[str] = (),
    history: Sequence[str] = (),
    temperature: float | None = None,
    seed: int = 0,
    prompt: str = "generate.rewrite",
    generator: Generator,
    writer: Writer,
    talk: Transcript,
) -> Rewriting:
    """Rewrites a drawing request so that every fact of it stays and the looks are spelled out.

    Args:
        request: what the user wants to see, or wants changed.
        mode: `auto` takes one rewriting; `suggest` proposes several and takes none; `off` only looks for exclusions.
        k: how many are suggested.
        keep: phrases that must stand in the result besides the facts that are found.
        history: what was drawn before, oldest first; empty where nothing was.
        temperature: how freely the writer samples; the prompt's own for one, 0.7 for several.
        seed: makes the sampling repeatable.
        prompt: the name or file of the rewriting prompt; `generate.rewrite.locked` tells a large writer the facts.
    """
    if k < 1:
        raise BadInput(f"k must be at least 1, not {k}")
    told = _noted(talk, "prompt", "user", [request], lambda: (request, {})).text.strip()
    if not told:
        raise BadInput("there is nothing to draw", hint='give a prompt, e.g. "a cat on a beach"')
    if mode not in ("off", "suggest", "auto"):
        raise BadInput(f"there is no rewriting {mode!r}", hint="off, suggest or auto")
    if mode == "off":
        pinned = locks(told, keep)
        return Rewriting(told, told, ", ".join(excluded(pinned)), "new", pinned, (), difference(told, told), (), talk)
    earlier = [h.strip() for h in history if h.strip()]
    changes = _is_change(told, earlier, writer, talk)
    wish = _Wish(told, earlier[-1] if changes else "", tuple(keep))
    count = k if mode == "suggest" else 1
    heat = temperature if temperature is not None or count < 2 else 0.7
    desk = _Desk(wish, prompt, generator, writer, talk)
    suggestions = desk.judged(desk.asked(count, seed, heat), seed)
    chosen = _noted(talk, "rewritten", "rewrite", [suggestions, mode], lambda: _chosen(mode, wish, suggestions))
    warnings = _warnings(chosen.text, chosen.origin == "edited", wish, suggestions, desk)
    return Rewriting(
        told, chosen.text, ", ".join(wish.avoid), "change" if changes else "new", wish.locks, suggestions,
        difference(wish.earlier or told, chosen.text), warnings, talk,
    )  # fmt: skip


@dataclass(frozen=True)
class _Wish:
    """What is wanted: the user's words, and the description that they change, or nothing."""

    told: str
    earlier: str
    keep: tuple[str, ...]

    @property
    def locks(self) -> tuple[Lock, ...]:
        return changed_locks(self.earlier, self.told, self.keep) if self.earlier else locks(self.told, self.keep)

    @property
    def avoid(self) -> tuple[str, ...]:
        return excluded(self.locks)

    @property
    def plain(self) -> str:
        """The request without its exclusions; as it is where nothing else would be left."""
        return self.told if self.earlier else without(self.told)[0] or self.told

    @property
    def stays(self) -> list[str]:
        """The locks as a writer is told of them."""
        return [k.say() for k in self.locks if k.kind != "exclusion"]


@dataclass
class _Desk:
    """Where rewritings are asked for and checked."""

    wish: _Wish
    prompt: str
    generator: Generator
    writer: Writer
    talk: Transcript

    def asked(self, count: int, seed: int, heat: float | None) -> list[str | SocraticError]:
        prompt = load("generate.change" if self.wish.earlier else self.prompt)
        values = {"request": self.wish.plain, "earlier": self.wish.earlier, "keep": self.wish.stays, "avoid": list(self.wish.avoid)}  # fmt: skip
        known = {name: value for name, value in values.items() if name in prompt.header.inputs}
        questions = [Question(f"rewriting {i + 1}", known, seed=seed * 1000 + i) for i in range(count)]
        return ask_all(self.talk, self.writer, prompt, questions, temperature=heat)

    def judged(self, replies: Sequence[str | SocraticError], seed: int) -> tuple[Suggestion, ...]:
        """The replies after the check, those that failed it asked for once more; the usable ones first."""
        if failures := [r for r in replies if isinstance(r, SocraticError) and not isinstance(r, ReplyError)]:
            raise failures[0]
        made = [self.checked(reply) for reply in replies]
        wrong = [i for i, s in enumerate(made) if s.rejected and s.text]
        again = [Question(f"rewriting {i + 1} again", self._complaint(made[i]), seed=seed * 1000 + i) for i in wrong]
        try:
            second = ask_all(self.talk, self.writer, load("generate.again"), again) if again else []
        except BudgetExceeded:
            if len(wrong) == len(made):
                raise
            wrong, second = [], []
        for i, reply in zip(wrong, second, strict=True):
            made[i] = self.checked(reply)
        different: dict[str, Suggestion] = {}
        for suggestion in made:
            different.setdefault(suggestion.text.lower().strip(" .!"), suggestion)
        return tuple(sorted(different.values(), key=lambda s: bool(s.rejected)))

    def checked(self, reply: str | SocraticError) -> Suggestion:
        """A rewriting cut to what the generator reads, and whether all locks hold in it."""
        if isinstance(reply, SocraticError):
            return Suggestion(getattr(reply, "reply", ""), rejected=reply.message)
        text, dropped = shortened(reply, self.fits, self.weight)
        if missing := lost(self.wish.locks, reply):
            names = tuple(k.say() for k in missing)
            return Suggestion(reply, lost=names, rejected=f"it does not keep: {', '.join(names)}")
        if missing := lost(self.wish.locks, text):
            names = tuple(k.say() for k in missing)
            return Suggestion(reply, dropped, names, f"too long for the generator, {self.meter(reply)}")
        return Suggestion(text, dropped)

    def fits(self, text: str) -> bool:
        return not any(c.tokens > c.limit for c in self.generator.count_tokens(text))

    def meter(self, text: str) -> str:
        return "; ".join(f"{c.encoder} reads {c.limit} tokens and it has {c.tokens}" for c in self.generator.count_tokens(text) if c.tokens > c.limit)  # fmt: skip

    def weight(self, clause: str) -> int:
        """2 for a clause that holds locked facts, 1 for one that names things, 0 for mood and manner."""
        heads = {k.claim.noun.split()[-1] for k in self.wish.locks if k.claim and k.kind != "exclusion"}
        words = [k.text.strip('"') for k in self.wish.locks if k.claim is None]
        named = {c.noun.split()[-1] for c in claims(clause)}
        return 2 if heads & named or any(w in clause for w in words) else 1 if named else 0

    def _complaint(self, rejected: Suggestion) -> Mapping[str, Any]:
        broken = [k for k in self.wish.locks if k.say() in rejected.lost]
        too_long = "too long" in rejected.rejected
        request = f"{self.wish.earlier}\nChange: {self.wish.told}" if self.wish.earlier else self.wish.plain
        return {
            "request": request, "reply": rejected.text, "room": self.meter(rejected.text) if too_long else "",
            "missing": [k.say() for k in broken if k.kind != "exclusion"] if not too_long else self.wish.stays,
            "unwanted": [k.claim.phrase for k in broken if k.kind == "exclusion" and k.claim],
        }  # fmt: skip


def _is_change(told: str, earlier: list[str], writer: Writer, talk: Transcript) -> bool:
    """Whether the request changes the last picture: the writer's word, where there is a picture to change."""
    if not earlier:
        return False
    return choose(talk, writer, load("generate.turn"), "turn", ["change", "new"], earlier=earlier, request=told) == "change"  # fmt: skip


def _noted(
    talk: Transcript,
    name: str,
    speaker: str,
    made_from: Sequence[object],
    said: Callable[[], tuple[str, Mapping[str, Any]]],
) -> Turn:
    """A turn that can be edited like any other, and costs no call, since no model says it."""
    key = key_of(name, speaker, *made_from)
    if (turn := talk.recall(name, key)) is not None:
        return turn
    text, evidence = said()
    return talk.add(Turn(name, speaker, text, evidence=evidence, key=key))


def _chosen(mode: Mode, wish: _Wish, suggestions: Sequence[Suggestion]) -> tuple[str, Mapping[str, Any]]:
    """The text to draw.

    Raises:
        ReplyError: no rewriting keeps all locks.
    """
    evidence = {"suggestions": [s.as_dict() for s in suggestions], "avoid": list(wish.avoid)}
    usable = [s for s in suggestions if not s.rejected]
    if mode == "suggest" and not wish.earlier:
        return wish.plain, evidence
    if not usable:
        last = suggestions[0]
        raise ReplyError(
            f"no rewriting of {wish.told!r} can be used: {last.rejected}",
            reply=last.text,
            hint="draw your own words (rewriting off), or try another writer",
        )
    return usable[0].text, evidence


def _warnings(text: str, edited: bool, wish: _Wish, suggestions: Sequence[Suggestion], desk: _Desk) -> tuple[str, ...]:
    """What a person should know about the text that is to be drawn."""
    said = []
    dropped = next((s.dropped for s in suggestions if s.text == text), ())
    if dropped:
        said.append(f"left out, since the generator would not read it: {'; '.join(dropped)}")
    if wish.earlier and (strayed := _strayed(wish, text)):
        said.append(f"changed besides: {'; '.join(strayed)}")
    if edited and (missing := lost(wish.locks, text)):
        said.append(f"your own words lose: {', '.join(k.say() for k in missing)}")
    if not desk.fits(text):
        said.append(f"the generator will not read its end: {desk.meter(text)}")
    return tuple(said)


def _strayed(wish: _Wish, text: str) -> list[str]:
    """Clauses of the earlier description that the change does not speak of, and that are not there any more."""
    named = {word for c in claims(wish.told) for word in c.noun.split()}
    apart = [c.strip(" ,;.") for c in clauses(wish.earlier) if not named & {w for k in claims(c) for w in k.noun.split()}]  # fmt: skip
    return [c for c in apart if c.lower() not in text.lower()]
