"""What the pocket writer learns of the assistant: which tool a request needs, and how to tell what the tool said.

A lesson is the latest turn of a conversation of one to three turns: request, call, what the tool said, answer. Pictures
stand at the end of the latest request, as `socratic/assistant/seeing.py` tells them. Draws nothing: what tools say is
made up in their own words by `told.py`, and requests are worded by `talk.yaml`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from socratic.assistant.album import Entry
from socratic.pocket.talk_desk import Desk, Turn
from socratic.pocket.talk_kinds import KINDS
from socratic.pocket.talk_next import follow_up
from socratic.prompt import load
from socratic.values import Call, Message, Offer

NOTES = ("the pocket models know a small drawn world and nothing else; for photographs try --profile small", "the models know little", "")  # fmt: skip
LACKING = "I have no tool for that here."
LONGEST, LONGEST_PLAIN = 560, 400
"""Characters of a conversation, without the system text; longer ones cost too much to learn."""


@dataclass(frozen=True)
class TalkLesson:
    """A conversation; `scored` tells for each message whether the writer learns to say it."""

    messages: tuple[Message, ...]
    scored: tuple[bool, ...]
    tools: tuple[Offer, ...]


@dataclass(frozen=True)
class Setting:
    """What the lessons of one batch share.

    Attributes:
        told: whether the tools are listed.
        brief: whether conversations are of one turn, about one or two pictures.
        cut: the share of lessons that end with the call.
    """

    system: str
    tools: tuple[Offer, ...] = field(repr=False)
    told: bool = True
    brief: bool = False
    cut: float = 0.35

    @property
    def names(self) -> frozenset[str]:
        return frozenset(t.name for t in self.tools)


def offered() -> tuple[Offer, ...]:
    """The tools of the assistant in its own order, all of them."""
    from socratic.assistant.offers import offers, tool_of
    from socratic.assistant.own_tools import own_tools

    nobody: Any = None  # the tools are only described
    tools = [*(tool_of(o, nobody) for o in offers()), *own_tools(nobody)]
    return tuple(Offer(t.name, t.description, json.dumps(t.args_schema.model_json_schema())) for t in tools)  # type: ignore[union-attr]


def setting(rng: random.Random, tools: Sequence[Offer], usual: Sequence[str] = ("classify", "vary")) -> Setting:
    """The setting of a batch: mostly the pocket profile's, else with tools dropped or in another order.

    Args:
        usual: the tools that the profile leaves out.
    """
    chance = rng.random()
    kept = [t for t in tools if t.name not in usual]
    if chance > 0.62:
        kept = list(tools) if chance > 0.72 else kept
    if chance > 0.8:
        kept = [t for t in kept if rng.random() > 0.2] or kept
        rng.shuffle(kept)
    note = NOTES[0] if rng.random() < 0.8 else rng.choice(NOTES)
    return Setting(load("assistant.system").render(note=note, pictures=[]).messages[0].text, tuple(kept))


def plain_setting(tools: Sequence[Offer], *, brief: bool = False, cut: float = 0.35) -> Setting:
    """A setting of few words, in which a beginner learns faster: all tools may be called, and none is listed."""
    return Setting(
        "Help." if brief else "You help people with pictures.", tuple(tools), told=False, brief=brief, cut=cut
    )


def talk_lesson(rng: random.Random, where: Setting) -> TalkLesson:
    """A short conversation in this setting."""
    while True:
        made = _conversation(rng, where)
        if sum(len(m.text) for m in made.messages[1:]) <= (LONGEST if where.told else LONGEST_PLAIN):
            return made


def _conversation(rng: random.Random, where: Setting) -> TalkLesson:
    desk = Desk(rng, 2 if where.brief else 4)
    turns: list[Turn] = []
    for _ in range(1 if where.brief else rng.choices((1, 2, 3), weights=(76, 21, 3))[0]):
        turn = follow_up(desk, turns[-1]) if turns and rng.random() < 0.65 else None
        turns.append(turn or _opening(desk))
        desk.take(turns[-1])
    return _told(rng, where, desk, turns)


def _opening(desk: Desk) -> Turn:
    makers: Sequence[Callable[[Desk], Turn]] = [maker for maker, _ in KINDS]
    maker = desk.rng.choices(makers, weights=[weight for _, weight in KINDS])[0]
    return maker(desk)


def _told(rng: random.Random, where: Setting, desk: Desk, turns: Sequence[Turn]) -> TalkLesson:
    messages, scored = [Message("system", where.system)], [False]
    last = turns[-1]
    if last.call and last.call[0] not in where.names:
        last = replace(last, call=None, answer=LACKING)
    for turn in (*turns[:-1], last):
        new = turn is last
        shown = turn.pictures_before
        whole = True
        if new and turn.call and turn.fresh:
            whole = (
                where.cut >= 1 or rng.random() < 0.45
            )  # the list of pictures is longer when the answer is written than at the call
            shown = turn.pictures_before if whole else (*turn.pictures_before, *turn.fresh)
        said = f"{turn.said}\n{_listed(shown)}" if new and shown else turn.said
        messages.append(Message("user", said))
        scored.append(False)
        if turn.call:
            call = Call(turn.call[0], json.dumps(turn.call[1], ensure_ascii=False), "call_0")
            messages.append(Message("assistant", "", calls=(call,)))
            scored.append(new and (whole or not turn.fresh))
            if scored[-1] and (turn.fresh or rng.random() < where.cut):
                return TalkLesson(tuple(messages), tuple(scored), where.tools if where.told else ())
            messages.append(Message("tool", turn.told, answers="call_0"))
            scored.append(False)
        messages.append(Message("assistant", turn.answer))
        scored.append(bool(new or turn.call))
    return TalkLesson(tuple(messages), tuple(scored), where.tools if where.told else ())


def _listed(pictures: Sequence[Entry]) -> str:
    """The latest pictures as the assistant tells them."""
    return load("assistant.system").render(pictures=[p.say() for p in pictures[-4:]]).messages[-1].text
