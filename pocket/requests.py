"""A hundred requests to the assistant, ten of each kind, in words that no lesson has; and ten from outside its world.

Written by hand, each with pictures from unseen scenes, the right call, and what its answer must tell. Slots are filled
from the truth of the scenes: {a}, {n}, {ns} for the first thing of the picture that is meant, {a2}, {n2}, {ns2} for its
second, {o}, {on}, {ons} for one that is not there, {at} and {place} for where it is, {other at} for elsewhere.
Asks nothing and judges nothing: that is `score_assistant.py`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from socratic.pocket.concepts import known
from socratic.pocket.questions import place_of
from socratic.pocket.scenes import PLACES, Scene, plan, unseen_in_training
from socratic.pocket.talk_words import plural
from socratic.pocket.told import one

FIRST_SEED = 32_000_000
"""Seeds from here on are used nowhere else."""


@dataclass(frozen=True)
class Asked:
    """A request as it is written below.

    Attributes:
        said: the words, with slots.
        call: tool and arguments, with slots; the picture is named where `target` is not the latest one.
        kinds: how many kinds of things each picture shows, oldest first; negative for a picture that was drawn.
        target: which picture is meant, counted from the latest, 0.
        before: what was said earlier in the conversation.
    """

    kind: str
    said: str
    call: tuple[str, dict[str, Any]] | None
    kinds: tuple[int, ...] = (2,)
    target: int = 0
    before: str = ""


@dataclass(frozen=True)
class Request:
    """A request with its scenes, ready to be asked.

    Attributes:
        scenes: of the pictures, oldest first; `drawn` tells which of them count as drawn by the assistant.
        arguments: of the right call, without pictures.
    """

    kind: str
    said: str
    tool: str
    arguments: dict[str, Any]
    scenes: tuple[Scene, ...]
    drawn: tuple[bool, ...]
    target: int
    before: str
    slots: dict[str, str] = field(repr=False)


_D, _S, _C = "detect", "segment", "check"
ASKED: tuple[Asked, ...] = (
    Asked("caption", "My eyes are not what they used to be. Tell me what can be seen in this picture, would you?", ("caption", {}), (2,)),
    Asked("caption", "Could you please put into a sentence or two what this picture shows? I need an alt text for my website.", ("caption", {}), (2,)),
    Asked("caption", "whats in this pic", ("caption", {}), (1,)),
    Asked("caption", "I'm on the phone with my sister and she can't see my screen. What should I tell her is in this picture?", ("caption", {}), (2,)),
    Asked("caption", "Please to describe me the image, I must write it in my report.", ("caption", {}), (1,)),
    Asked("caption", "short caption for this one pls, its going in the newsletter", ("caption", {}), (2,)),
    Asked("caption", "Sum the scene up for me in a single line, that's all that fits under it.", ("caption", {}), (1,)),
    Asked("caption", "A friend sent me this without a word of explanation. So what have we got in it?", ("caption", {}), (1,)),
    Asked("caption", "The first picture I gave you, not the second: what does it show?", ("caption", {}), (1, 1), 1),
    Asked("caption", "describe the earlier picture pls, i forgot what was on it", ("caption", {}), (1, 1), 1),
    Asked("how many", "How many {ns} can you make out in there?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "just the number, no long talk: {ns} in this picture", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("how many", "Settle a bet for us: how many {ns} does this picture have?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "Run a headcount of the {ns} in this picture, I have to enter the figure in a form.", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("how many", "Would you mind counting the {ns} in this image for me? I keep losing track.", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "how much {ns} are on the photo please", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("how many", "i need the exact count of {ns} here, its for my homework", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "I have two tallies to fill in from this picture, one for the {ns} and one for the {ns2}. What numbers go in?", (_D, {"phrases": ["{n}", "{n2}"]}), (2,)),
    Asked("how many", "For the stock list I'm filling in: what is the total number of {ns} in this picture?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "Let's go back to the first picture. How many {ns} does it have?", (_D, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("where", "I can't for the life of me spot the {n}. Where is it hiding in this picture?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "Whereabouts in this picture would I see the {n}?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "been staring at this for ages with no luck, which side is hiding the {n}", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "For our exhibition label I require the position of the {n} within this image, thank you.", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "My little girl is hunting for the {n} in this picture and is about to give up. Which part should she look at?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "In what place of the photo I can see the {n}?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "Top, bottom, left or right: where did the {n} end up?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "{n} location in the image, needed for my notes", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "In the picture before this one, where do you see the {n}?", (_D, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("where", "one more thing about the first picture, where in it do i have to look for the {n}", (_D, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("find", "Please draw a box on this picture so that one sees at once where the {n} is, the {n} should be inside it.", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("find", "mark the {n} for me so everybody in the meeting sees what i mean", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "Frames around the {n} and the {n2}, please, both in this picture.", (_D, {"phrases": ["{n}", "{n2}"]}), (2,)),
    Asked("find", "Could you point out the {n} in my picture? A little rectangle would do.", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("find", "Mark the {n} in the first picture, I'm showing that one to my class.", (_D, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("find", "Take your scissors to this picture and leave me with nothing but the {n}.", (_S, {"phrases": ["{n}"]}), (2,)),
    Asked("find", "I want to make a sticker, so please snip the {n} out exactly along the outline.", (_S, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "i need only the {n} with no background, cut out cleanly", (_S, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "Please make for me a cutout of the {n}, it is for my slides.", (_S, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "Would you cut the {n} out of the earlier picture? Not out of this last one.", (_S, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("check", "A plain yes or no will do, I'm in a hurry: does {a} show up anywhere in this picture?", (_C, {"prompt": "{a}"}), (2,)),
    Asked("check", "Check this for me: {o} in the picture, or not?", (_C, {"prompt": "{o}"}), (2,)),
    Asked("check", "My colleague says that this shows {a} {at}. Is he right?", (_C, {"prompt": "{a} {at}"}), (1,)),
    Asked("check", "this is {a} {other at}, true or false", (_C, {"prompt": "{a} {other at}"}), (1,)),
    Asked("check", "Please verify that {a} and {a2} both appear in the image before I print it.", (_C, {"prompt": "{a} and {a2}"}), (2,)),
    Asked("check", "Is it correct that on this picture are {a} and {o}?", (_C, {"prompt": "{a} and {o}"}), (1,)),
    Asked("check", "i could swear theres {o} in here. am i right", (_C, {"prompt": "{o}"}), (1,)),
    Asked("check", "Does the title \"{a} {at}\" fit this picture?", (_C, {"prompt": "{a} {at}"}), (1,)),
    Asked("check", "I only keep pictures that have {a} in them. Does this one qualify?", (_C, {"prompt": "{a}"}), (2,)),
    Asked("check", "Did the first picture have {a} in it?", (_C, {"prompt": "{a}"}), (1, 1), 1),
    Asked("contrast", "My two pictures look nearly alike to me. Where do they differ?", ("contrast", {}), (1, 1)),
    Asked("contrast", "compare both pics", ("contrast", {}), (1, 2)),
    Asked("contrast", "I got the second picture a good while after the first. What has changed?", ("contrast", {}), (1, 2)),
    Asked("contrast", "Please say me the differences of the two images.", ("contrast", {}), (1, 1)),
    Asked("contrast", "Let's play spot the difference with my two pictures. You go first!", ("contrast", {}), (1, 2)),
    Asked("contrast", "Take the first picture, then the second: which things are no longer the same?", ("contrast", {}), (1, 1)),
    Asked("contrast", "Put them side by side and tell me what one has that the other hasn't.", ("contrast", {}), (1, 2)),
    Asked("contrast", "Would you be so kind as to hold the two pictures against each other and list what is not the same?", ("contrast", {}), (1, 1)),
    Asked("contrast", "what sets these two apart, i only had a quick look", ("contrast", {}), (1, 1)),
    Asked("contrast", "The older picture I know by heart, so just tell me what the newer one does differently.", ("contrast", {}), (1, 1)),
    Asked("retrieve", "Go through my folder and get me the pictures with {a}.", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "which of my saved pictures have {a} in them", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "I remember saving {a} {at} ages ago. Can you fish that picture out of my folder?", ("retrieve", {"text": "{a} {at}"}), (1,)),
    Asked("retrieve", "folder search please, looking for {a}", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "I'm putting together a calendar and need {a} {at}. Which pictures from my own folder would fit?", ("retrieve", {"text": "{a} {at}"}), (1,)),
    Asked("retrieve", "Please to search in my folder the photos where one can see {a}.", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "Out of my folder I'd like pictures with {a}, but none that also have {o} in them.", ("retrieve", {"text": "{a}", "without": ["{on}"]}), (1,)),
    Asked("retrieve", "get pics of {a} from my folder but leave out any with {ons}", ("retrieve", {"text": "{a}", "without": ["{on}"]}), (1,)),
    Asked("retrieve", "I have a feeling that I once saved {a} {at}. Would you look through my folder for pictures like that?", ("retrieve", {"text": "{a} {at}"}), (1,)),
    Asked("retrieve", "Dig out whatever pictures of {a} I have stored.", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("draw", "Drawing wanted: {a} {at}.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "hey could you paint {a} {at}, its a present for my grandma", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "I need an illustration for a birthday invitation: {a} {at}, if you would be so kind.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "make a pic of {a}", ("generate", {"prompt": "{a}"}), ()),
    Asked("draw", "It's my son's birthday and he has wished for a picture with {a} and {a2} {at}. Would you paint it for him?", ("generate", {"prompt": "{a} and {a2} {at}"}), ()),
    Asked("draw", "Please you create one image with {a} {at}.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "Whip up a quick drawing of {a} {at} for my kid's bedroom door.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "I'm after a scene with {a} and {a2} {at}, sketch it for me.", ("generate", {"prompt": "{a} and {a2} {at}"}), ()),
    Asked("draw", "Never mind this picture. I'd like a brand new one showing {a} {at}.", ("generate", {"prompt": "{a} {at}"}), (1,)),
    Asked("draw", "ok and now draw a separate picture from scratch, just {a}", ("generate", {"prompt": "{a}"}), (1,)),
    Asked("edit", "Where the {n} is now I would rather have {o}, so please trade the one for the other.", ("edit", {"prompt": "{o}", "phrases": ["{n}"]}), (2,)),
    Asked("edit", "i dont like the {n}, put {o} there instead", ("edit", {"prompt": "{o}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "For my joke to work, the {n} in this picture must turn into {o}. Could you change that?", ("edit", {"prompt": "{o}", "phrases": ["{n}"]}), (2,)),
    Asked("edit", "Purple would suit the {n} far better. Could you recolour it that way?", ("edit", {"prompt": "a purple {n}", "phrases": ["{n}"]}), (2,)),
    Asked("edit", "could you do the {n} in pink? my daughter is mad about pink", ("edit", {"prompt": "a pink {n}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "Nice drawing! Now colour the {n} in it blue.", ("edit", {"prompt": "a blue {n}", "phrases": ["{n}"]}), (-1,)),
    Asked("edit", "The boring {place} has to go. I'd rather have the {n} {other at}.", ("edit", {"prompt": "{a} {other at}"}), (1,)),
    Asked("edit", "keep the {n} but change the whole background so that we are {other at}", ("edit", {"prompt": "{a} {other at}"}), (1,)),
    Asked("edit", "That one came out well, but I would prefer to see it {other at}. Can you move the whole thing there?", ("edit", {"prompt": "{a} {other at}"}), (-1,)),
    Asked("edit", "Please change this picture, the {n} should be not {at} but {other at}.", ("edit", {"prompt": "{a} {other at}"}), (1,)),
    Asked("explain", "That number surprises me. What makes you say so?", ("explain", {}), (1,), 0, "How many {ns} are there?"),
    Asked("explain", "interesting, and how did you arrive at this description", ("explain", {}), (1,), 0, "What is in the picture?"),
    Asked("explain", "you sound very certain, whats behind that answer", ("explain", {}), (1,), 0, "Is there {o} in the picture?"),
    Asked("explain", "I have to note down everything for the minutes. Which steps led you to that answer?", ("explain", {}), (1,), 0, "Where is the {n}?"),
    Asked("explain", "Please explain me how you have got this result.", ("explain", {}), (2,), 0, "How many {ns} are there?"),
    Asked("explain", "and you know that from what exactly", ("explain", {}), (1,), 0, "Is there {a} in the picture?"),
    Asked("explain", "Hmm, I have my doubts. What did you use to get to that answer?", ("explain", {}), (1,), 0, "How many {ns} are there?"),
    Asked("explain", "Would you be willing to walk me through how you worked that out?", ("explain", {}), (2,), 0, "What is in the picture?"),
    Asked("explain", "Reasons for that answer, please.", ("explain", {}), (2,), 0, "Where is the {n}?"),
    Asked("explain", "My teacher will want to know how that answer of yours came about. What shall I tell her?", ("explain", {}), (1,), 0, "What is in the picture?"),
    Asked("outside", "Will I need an umbrella tomorrow?", None, ()),
    Asked("outside", "whats 15 percent of 240", None, (1,)),
    Asked("outside", "Who won the football world cup in 1998?", None, ()),
    Asked("outside", "The guy in this photo, isn't he some famous actor? What's his name?", None, (1,)),
    Asked("outside", "please answer the last mail from my landlord for me, tell him i pay on friday", None, (1,)),
    Asked("outside", "How do you say \"good morning\" in Japanese?", None, ()),
    Asked("outside", "In what directory of my hard disk is lying my tax return from last year?", None, (1,)),
    Asked("outside", "We need a laugh at the office: five rhyming lines about Mondays, a proper limerick, please.", None, (1,)),
    Asked("outside", "Do you think I should quit my job? I can't stand my boss any longer.", None, ()),
    Asked("outside", "book me a table for two tonight at the italian round the corner", None, (1,)),
)  # fmt: skip


def requests(asked: Sequence[Asked] = ASKED) -> list[Request]:
    """The requests with their scenes; the same every time."""
    return [_filled(number, a) for number, a in enumerate(asked)]


def _filled(number: int, asked: Asked) -> Request:
    rng = random.Random(f"request-{number}")
    seed = FIRST_SEED + 1000 * number
    scenes = tuple(_scene(seed + 100 * i, abs(k)) for i, k in enumerate(asked.kinds))
    meant = scenes[-1 - asked.target] if scenes and asked.kind != "draw" else _scene(seed + 900, 2)
    slots = _slots(meant, rng)
    tool, arguments = asked.call or ("", {})
    told = {k: [v.format_map(slots) for v in values] if isinstance(values, list) else values.format_map(slots) for k, values in arguments.items()}  # fmt: skip
    drawn = tuple(k < 0 for k in asked.kinds)
    said = asked.said.format_map(slots)
    return Request(
        asked.kind, said[:1] + said[1:], tool, told, scenes, drawn, asked.target, asked.before.format_map(slots), slots
    )


def _scene(seed: int, kinds: int) -> Scene:
    """An unseen scene of so many kinds of known things, each standing clearly in one part of the picture."""
    while True:
        scene = plan(seed, "test", kinds=kinds)
        if all(place_of(t) for t in scene.things):
            return scene
        seed += 1


def _slots(scene: Scene, rng: random.Random) -> dict[str, str]:
    names = list(scene.counts)
    away = rng.choice([c.name for c in known() if c.name not in names])
    elsewhere = rng.choice([p for p in PLACES if p != scene.place and not unseen_in_training(names[0], p)])
    slots = {
        "at": PLACES[scene.place],
        "place": scene.place,
        "other at": PLACES[elsewhere],
        "o": one(away),
        "on": away,
        "ons": plural(away),
    }
    for name, mark in zip(names, ("", "2", "3"), strict=False):
        slots |= {f"a{mark}": one(name), f"n{mark}": name, f"ns{mark}": plural(name)}
    return slots
