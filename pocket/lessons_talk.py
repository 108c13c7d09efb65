"""What the pocket writer learns of the assistant: which tool a request needs, and how to tell what the tool said.

A lesson is the latest turn of a conversation of one to three turns: request, call, what the tool said, answer. Pictures
stand at the end of the latest request, as `socratic/assistant/seeing.py` tells them. Draws nothing: what tools say is
made up in their own words by `told.py`, and requests are worded by `wordings.py`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from socratic.assistant.album import Entry
from socratic.pocket.talk_desk import Desk, Turn
from socratic.pocket.talk_kinds import KINDS, draw, explain, no_tool, retrieve
from socratic.pocket.talk_next import follow_up
from socratic.prompt import load
from socratic.values import Call, Message

SYSTEM = load("assistant.system").render(brief=True, pictures=[]).messages[0].text
LONGEST = 640
"""Characters of a conversation, without the system text; longer ones cost too much to learn."""


EXPLAINED = 0.15
"""The share of longer lessons that ask why; few conversations come to it by themselves."""


@dataclass(frozen=True)
class TalkLesson:
    """A conversation; `scored` tells for each message whether the writer learns to say it."""

    messages: tuple[Message, ...]
    scored: tuple[bool, ...]


def talk_lesson(rng: random.Random, *, brief: bool = False, cut: float = 0.35) -> TalkLesson:
    """A short conversation.

    Args:
        brief: of one turn, about one or two pictures.
        cut: the share of lessons that end with the call.
    """
    while True:
        made = _told(rng, _conversation(rng, brief), cut)
        if sum(len(m.text) for m in made.messages[1:]) <= LONGEST:
            return made


def _conversation(rng: random.Random, brief: bool) -> list[Turn]:
    if not brief and rng.random() < EXPLAINED:
        return _explained(rng)
    desk = Desk(rng, 2 if brief else 4)
    turns: list[Turn] = []
    for _ in range(1 if brief else rng.choices((1, 2, 3), weights=(76, 21, 3))[0]):
        turn = follow_up(desk, turns[-1]) if turns and rng.random() < 0.65 else None
        turns.append(turn or _opening(desk))
        desk.take(turns[-1])
    return turns


def _explained(rng: random.Random) -> list[Turn]:
    """What a tool found, and what that rests on."""
    while True:
        desk = Desk(rng, 2)
        first = _opening(desk)
        if first.call and first.account:
            desk.take(first)
            return [first, explain(desk)]


def _opening(desk: Desk) -> Turn:
    if not desk.pictures and desk.rng.random() < 0.7:  # what people begin with where there is no picture
        return desk.rng.choice((draw, retrieve, no_tool))(desk)
    makers: Sequence[Callable[[Desk], Turn]] = [maker for maker, _ in KINDS]
    maker = desk.rng.choices(makers, weights=[weight for _, weight in KINDS])[0]
    return maker(desk)


def _told(rng: random.Random, turns: Sequence[Turn], cut: float) -> TalkLesson:
    messages, scored = [Message("system", SYSTEM)], [False]
    for turn in turns:
        new = turn is turns[-1]
        # The list of pictures is longer when the answer is written than at the call, so a lesson scores one of them.
        at_call = not (turn.call and turn.fresh) or cut >= 1 or rng.random() < 0.45
        shown = turn.pictures_before if at_call else (*turn.pictures_before, *turn.fresh)
        messages.append(Message("user", f"{turn.said}\n{listed(shown)}" if new and shown else turn.said))
        scored.append(False)
        if turn.call:
            call = Call(turn.call[0], json.dumps(turn.call[1], ensure_ascii=False), "call_0")
            messages.append(Message("assistant", "", calls=(call,)))
            scored.append(new and at_call)
            if scored[-1] and (turn.fresh or rng.random() < cut):
                return TalkLesson(tuple(messages), tuple(scored))
            messages.append(Message("tool", turn.told, answers="call_0"))
            scored.append(False)
        messages.append(Message("assistant", turn.answer))
        scored.append(bool(new or turn.call))
    return TalkLesson(tuple(messages), tuple(scored))


def listed(pictures: Sequence[Entry]) -> str:
    """The latest pictures as the assistant tells them."""
    head, row = _list_form()
    return "\n".join([head, *(row.replace("@", p.say()) for p in pictures[-4:])])


@cache
def _list_form() -> tuple[str, str]:
    """The head of the list and a row of it, @ for the picture; rendering it anew took most of a lesson's time."""
    head, _, row = load("assistant.system").render(pictures=["@"]).messages[-1].text.rpartition("\n")
    return head, row
