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

FIRST_SEED = 31_000_000
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
    Asked("caption", "I am curious, which items made it into my picture?", ("caption", {})),
    Asked("caption", "Talk me through this image.", ("caption", {})),
    Asked("caption", "my eyes are bad. what does the photo show me", ("caption", {}), (1,)),
    Asked("caption", "Could you put a few words under this picture so that a blind friend knows what is there?", ("caption", {}), (1,)),
    Asked("caption", "Give me the gist of the picture.", ("caption", {})),
    Asked("caption", "What kind of scene is that, and what is in it?", ("caption", {}), (1,)),
    Asked("caption", "Would you describe the first picture to me?", ("caption", {}), (1, 1), 1),
    Asked("caption", "whats on the picture i sent", ("caption", {})),
    Asked("caption", "One line about the contents of this photo, please", ("caption", {}), (1,)),
    Asked("caption", "Forget the second one. What did the first image show?", ("caption", {}), (1, 2), 1),
    Asked("how many", "I make it three {ns}. How many do you get?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "What would you say, how many {ns} have gathered here?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "Please do a quick count of {ns} for me.", (_D, {"phrases": ["{n}"]})),
    Asked("how many", "is it one {n} or are there more, how many exactly", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "How many {ons} does the artist show us in this picture?", (_D, {"phrases": ["{on}"]})),
    Asked("how many", "My daughter asks how many {ns} live in that picture.", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "{ns} - how many of those?", (_D, {"phrases": ["{n}"]})),
    Asked("how many", "Do me a favour and count both {ns} and {ns2}.", (_D, {"phrases": ["{n}", "{n2}"]})),
    Asked("how many", "for the first picture, give me how many {ns} it has", (_D, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("how many", "I need a headcount of the {ns} please", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "I can not see the {n}. Where should I look?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "Where abouts has the {n} been put in this picture?", (_D, {"phrases": ["{n}"]})),
    Asked("where", "Which corner of the picture is the {n} in?", (_D, {"phrases": ["{n}"]})),
    Asked("where", "Tell me the spot where the {n2} is.", (_D, {"phrases": ["{n2}"]})),
    Asked("where", "the {n}, is that more to the left or more to the right?", (_D, {"phrases": ["{n}"]})),
    Asked("where", "Where exactly is the {n} standing in the picture?", (_D, {"phrases": ["{n}"]})),
    Asked("where", "where do i have to look to see the {n}", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "In the first picture, where did they place the {n}?", (_D, {"phrases": ["{n}"]}), (1, 2), 1),
    Asked("where", "Can you direct my eyes to where the {n} is?", (_D, {"phrases": ["{n}"]})),
    Asked("where", "Describe the position of the {n} in this image", (_D, {"phrases": ["{n}"]})),
    Asked("find", "Hunt down the {n} in this picture for me.", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "Put a little box around the {n} so I can see it", (_D, {"phrases": ["{n}"]})),
    Asked("find", "Please try to find {a} in the picture.", (_D, {"phrases": ["{n}"]})),
    Asked("find", "could the {n} be marked for my report", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "Find both the {n} and the {n2} and mark them.", (_D, {"phrases": ["{n}", "{n2}"]})),
    Asked("find", "I need the {n} as a cutout with no background.", (_S, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "Take scissors and cut the {n} out neatly.", (_S, {"phrases": ["{n}"]})),
    Asked("find", "Please cut out just the {n2} from this image, nothing else.", (_S, {"phrases": ["{n2}"]})),
    Asked("find", "segment the {n} in the first picture for me, would you kindly", (_S, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("find", "Peel the {n} away from its background", (_S, {"phrases": ["{n}"]})),
    Asked("check", "Somebody told me that there is {a} {at}. True?", (_C, {"prompt": "{a} {at}"}), (1,)),
    Asked("check", "Would it be honest to say that the picture shows {a}?", (_C, {"prompt": "{a}"}), (1,)),
    Asked("check", "Is it really true that it shows {o}?", (_C, {"prompt": "{o}"})),
    Asked("check", "My brother bets there is {o} in this picture. Is he right?", (_C, {"prompt": "{o}"}), (1,)),
    Asked("check", "please confirm: {a} and {a2}", (_C, {"prompt": "{a} and {a2}"})),
    Asked("check", "Fact check: {a} {other at}.", (_C, {"prompt": "{a} {other at}"}), (1,)),
    Asked("check", "Does the first picture happen to show {a}?", (_C, {"prompt": "{a}"}), (1, 1), 1),
    Asked("check", "i say there is {a2} in it. am i right or wrong", (_C, {"prompt": "{a2}"})),
    Asked("check", "Can it be true that we see {a} and {o} here?", (_C, {"prompt": "{a} and {o}"})),
    Asked("check", "Is there by any chance {o} in the picture?", (_C, {"prompt": "{o}"})),
    Asked("contrast", "Please compare my two pictures with each other.", ("contrast", {}), (1, 1)),
    Asked("contrast", "In what way do the two images differ?", ("contrast", {}), (1, 1)),
    Asked("contrast", "I sent you two photos, what do they have in common and what not?", ("contrast", {}), (1, 2)),
    Asked("contrast", "Spot what is different from one picture to the other.", ("contrast", {}), (1, 1)),
    Asked("contrast", "how alike would you say the two pictures are", ("contrast", {}), (1, 1)),
    Asked("contrast", "Which things are only in one of the two pictures?", ("contrast", {}), (2, 1)),
    Asked("contrast", "Take the first picture and the second one and compare them for me.", ("contrast", {}), (1, 1)),
    Asked("contrast", "Make a list of differences between my first and my second picture.", ("contrast", {}), (1, 1)),
    Asked("contrast", "Are these two really the same picture?", ("contrast", {}), (1, 1)),
    Asked("contrast", "old one against new one: what changed between the two pictures?", ("contrast", {}), (1, 1)),
    Asked("retrieve", "Is {a} hiding anywhere in my folder?", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "Somewhere in my folder there must be a picture with {a}, find it.", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "dig up all pictures of {ns} you can find in my collection", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "Please search through all my pictures for {a}.", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "Which pictures in my folder have {a} in them?", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "I once saved a photo of {a}. Find it in the folder again.", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "search folder, keyword {n}", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "Go and look in my gallery whether we have pictures of {a} {at}.", ("retrieve", {"text": "{a} {at}"}), (1,)),
    Asked("retrieve", "Pick out pictures with {a} but without {o} from my folder", ("retrieve", {"text": "{a}", "without": ["{on}"]}), (1,)),
    Asked("retrieve", "Help me find a picture with {ns} in my files.", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("draw", "Grab your brush and paint {a} {at}.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "It would be lovely to have a picture of {a} {at}.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "Please draw something nice for my son: {a} {at}.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "new drawing please, {a} and {a2}", ("generate", {"prompt": "{a} and {a2}"}), ()),
    Asked("draw", "Could you come up with an image of {a}?", ("generate", {"prompt": "{a}"}), ()),
    Asked("draw", "I have no picture yet. Draw me {a} {at} to begin with.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "For my card I need {a} {at}, can you draw that?", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "Let us draw {a} {at}", ("generate", {"prompt": "{a} {at}"}), (1,), 0),
    Asked("draw", "surprise me with a painting of {a}", ("generate", {"prompt": "{a}"}), ()),
    Asked("draw", "Now paint another picture, this time with {a} and {a2} {at}.", ("generate", {"prompt": "{a} and {a2} {at}"}), (1,)),
    Asked("edit", "I am tired of the {n}, make {o} out of it.", ("edit", {"prompt": "{o}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "Please replace the {n} in the picture by {o}.", ("edit", {"prompt": "{o}", "phrases": ["{n}"]})),
    Asked("edit", "what I want is {o} where now the {n} is", ("edit", {"prompt": "{o}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "Would you turn that {n} into {o} for me?", ("edit", {"prompt": "{o}", "phrases": ["{n}"]})),
    Asked("edit", "The {n} would look better in red. Make it red.", ("edit", {"prompt": "a red {n}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "give me the same picture, but with a blue {n}", ("edit", {"prompt": "a blue {n}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "I want that one to turn blue", ("edit", {"prompt": "a blue {n}", "phrases": ["{n}"]}), (-1,)),
    Asked("edit", "I would rather see the {n} {other at}.", ("edit", {"prompt": "{a} {other at}"}), (1,)),
    Asked("edit", "Nice. Now put it {other at} instead.", ("edit", {"prompt": "{a} {other at}"}), (-1,)),
    Asked("edit", "Let the {n} stand {other at}", ("edit", {"prompt": "{a} {other at}"}), (1,)),
    Asked("explain", "And what makes you so sure of it?", ("explain", {}), (1,), 0, "How many {ns} are there?"),
    Asked("explain", "Please tell me how you came to this answer.", ("explain", {}), (1,), 0, "What is in the picture?"),
    Asked("explain", "Show your work", ("explain", {}), (1,), 0, "Where is the {n}?"),
    Asked("explain", "On which observations does your answer rest?", ("explain", {}), (1,), 0, "Is it true that there is {a}?"),
    Asked("explain", "hm, why is this so?", ("explain", {}), (1,), 0, "Is it true that there is {o}?"),
    Asked("explain", "I doubt that. Explain yourself.", ("explain", {}), (1,), 0, "How many {ns} are in the picture?"),
    Asked("explain", "Which of your models came up with that?", ("explain", {}), (1,), 0, "Describe the picture."),
    Asked("explain", "Where did you get this answer from?", ("explain", {}), (1,), 0, "What colour is the {n}?"),
    Asked("explain", "can you justify what you just said", ("explain", {}), (1, 1), 0, "Compare the two pictures."),
    Asked("explain", "Explain your last answer to me please", ("explain", {}), (1,), 0, "Find the {n}."),
    Asked("outside", "Any chance of rain where I live this evening?", None, (1,)),
    Asked("outside", "Please add 17 and 25 for me.", None, (1,)),
    Asked("outside", "Which painter do we owe this picture to?", None, (1,)),
    Asked("outside", "Portuguese please, not English.", None, (1,)),
    Asked("outside", "Do you recognise the lady in the photo, what is she called?", None, (1,)),
    Asked("outside", "Write a short poem on autumn.", None, ()),
    Asked("outside", "Norway's capital, which city is that?", None, ()),
    Asked("outside", "Please email this to my boss.", None, (1,)),
    Asked("outside", "Which football team is the best?", None, ()),
    Asked("outside", "Delete all the files on my computer.", None, (1,)),
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
