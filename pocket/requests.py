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
        meant: the scene that the words speak of; what is searched for is one that the folder has.
        arguments: of the right call, without pictures.
    """

    kind: str
    said: str
    tool: str
    arguments: dict[str, Any]
    scenes: tuple[Scene, ...]
    meant: Scene
    drawn: tuple[bool, ...]
    target: int
    before: str
    slots: dict[str, str] = field(repr=False)


_D, _S, _C = "detect", "segment", "check"
ASKED: tuple[Asked, ...] = (
    Asked("caption", "so what have we got here then", ("caption", {}), (1,)),
    Asked("caption", "I need alt text for a blind colleague, one sentence about what's visible would do.", ("caption", {}), (2,)),
    Asked("caption", "My glasses are upstairs, dear. Would you kindly tell me what this shows?", ("caption", {}), (1,)),
    Asked("caption", "pls discribe foto", ("caption", {}), (1,)),
    Asked("caption", "Hmm, my niece sent me this without a word of explanation. Any idea what it's supposed to be?", ("caption", {}), (2,)),
    Asked("caption", "Brief scene summary, plain language.", ("caption", {}), (2,)),
    Asked("caption", "Put into words everything you see in it, as if you were on the telephone with me", ("caption", {}), (2,)),
    Asked("caption", "It makes me curious, what is there to see on the image I have uploaded now?", ("caption", {}), (1,)),
    Asked("caption", "Before we go on, go back to the first picture and tell me what it shows.", ("caption", {}), (1, 1), 1),
    Asked("caption", "and the earlier one, not this, what was on it?", ("caption", {}), (1, 1), 1),
    Asked("how many", "{ns}, so that makes what, three, four?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "My pupils keep arguing about this one. Could you settle how many {ns} there really are?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "count teh {ns} for me thx", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("how many", "Is there just a single {n}, or several of them, and if so, how many exactly?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("how many", "I bet grandpa there's more than one {n}!! how many do you get", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "For the inventory sheet I have to enter a figure: total {ns} visible, please.", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("how many", "Please, how much {ns} do you can see on here?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("how many", "Give me a tally of {ns} and of {ns2} separately.", (_D, {"phrases": ["{n}", "{n2}"]}), (2,)),
    Asked("how many", "Forget the new image for a second. In the first picture, what was the number of {ns}?", (_D, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("how many", "I lost track while counting, tell me the quantity of {ns} in there", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "cant see any {n}, which bit do i look at", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "Left half or right half: which one has the {n} in it?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "I'm going to put a headline across the top, so I'd like to know what part of the frame the {n} takes up.", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "{n} position in image?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "Excuse me, on which side of the picture stands the {n}, please?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "is the {n} more up or down, like near the bottom or what", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "My son can't spot the {n}. Which corner should he be looking at?", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("where", "Would you say that the {n} sits in the middle or off towards an edge?", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("where", "And in the picture before this one, where was the {n}?", (_D, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("where", "Talking about the first image again: tell me the area where the {n} is located", (_D, {"phrases": ["{n}"]}), (1, 2), 1),
    Asked("find", "Stick a box on that {n}, would you, so nobody overlooks it", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "bounding boxes, class: {n}", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("find", "I'm making a seek-and-find page for year two and need the {n} clearly marked on the solution sheet.", (_D, {"phrases": ["{n}"]}), (2,)),
    Asked("find", "can u put a frame arond every {n} so i see them better", (_D, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "No, not on this one. Take the earlier picture and highlight the {n} there with a box.", (_D, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked("find", "just the {n} by itself, no backdrop", (_S, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "We're printing stickers on Friday, so could I have only the {n}, with the background gone?", (_S, {"phrases": ["{n}"]}), (1,)),
    Asked("find", "Isolate {n} from rest, transparent bg", (_S, {"phrases": ["{n}"]}), (2,)),
    Asked("find", "I was going to do it with scissors on paper, but maybe you'd rather cut out the {n} along its outline?", (_S, {"phrases": ["{n}"]}), (2,)),
    Asked("find", "From the first picture I sent I'd like the {n} extracted as a cutout, if it's not too much trouble.", (_S, {"phrases": ["{n}"]}), (1, 1), 1),
    Asked(_C, "true or false: this shows {a}", (_C, {"prompt": "{a}"}), (1,)),
    Asked(_C, "My brother swears he sees {o} in it. Is he right?", (_C, {"prompt": "{o}"}), (1,)),
    Asked(_C, "Someone captioned this \"{a} {at}\" and I have to sign it off, does that hold?", (_C, {"prompt": "{a} {at}"}), (1,)),
    Asked(_C, "wait isnt that {a} {other at}??", (_C, {"prompt": "{a} {other at}"}), (1,)),
    Asked(_C, "Verify: {a} and {a2} both present.", (_C, {"prompt": "{a} and {a2}"}), (2,)),
    Asked(_C, "I have here written that it is {a} and {o} on the picture, can you confirm me this?", (_C, {"prompt": "{a} and {o}"}), (1,)),
    Asked(_C, "Would it be a lie if I told the class there's {o} to be seen here?", (_C, {"prompt": "{o}"}), (2,)),
    Asked(_C, "Am I correct in thinking, young man, that we're looking at {a} {at}?", (_C, {"prompt": "{a} {at}"}), (1,)),
    Asked(_C, "Regarding the first picture, my notes claim it had {a}. Does that match?", (_C, {"prompt": "{a}"}), (1, 1), 1),
    Asked(_C, "The label says {a} {other at}. Looks wrong to me, please test whether it fits.", (_C, {"prompt": "{a} {other at}"}), (1,)),
    Asked("contrast", "whats diffrent", ("contrast", {}), (1, 1)),
    Asked("contrast", "Hold the two side by side and tell me what changed between them.", ("contrast", {}), (1, 2)),
    Asked("contrast", "I can't decide which to hang in the hallway. What do they have in common and what sets them apart?", ("contrast", {}), (2, 2)),
    Asked("contrast", "diff image 1 vs image 2", ("contrast", {}), (1, 1)),
    Asked("contrast", "Do these two pictures look alike at all, in your opinion?", ("contrast", {}), (1, 1)),
    Asked("contrast", "For a spot-the-difference puzzle I'd need a list of all that isn't the same in both.", ("contrast", {}), (2, 2)),
    Asked("contrast", "Please to compare my both photos", ("contrast", {}), (1, 2)),
    Asked("contrast", "hey is there anything the old pic has in common with the new pic", ("contrast", {}), (1, 2)),
    Asked("contrast", "My wife insists that I've sent you the same one twice. Haven't I? How does the second differ from the first?", ("contrast", {}), (1, 1)),
    Asked("contrast", "A comparison of this picture with the previous one would be lovely.", ("contrast", {}), (2, 2)),
    Asked("retrieve", "look thru my folder for {a}", ("retrieve", {"text": "{a}"}), ()),
    Asked("retrieve", "Years ago I saved something with {a} {at}. Could you dig it up among my pictures?", ("retrieve", {"text": "{a} {at}"}), ()),
    Asked("retrieve", "Do I own any picture with {a} on it?", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "Query my collection: {a} {at}", ("retrieve", {"text": "{a} {at}"}), ()),
    Asked("retrieve", "The newsletter goes out at noon and I still haven't got an illustration. Anything with {a} in my files?", ("retrieve", {"text": "{a}"}), ()),
    Asked("retrieve", "Which of my stored images show {a}? I want to see them", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("retrieve", "somewhere on my disk must be one with {a} {at}, be so nice and search it for me", ("retrieve", {"text": "{a} {at}"}), (1,)),
    Asked("retrieve", "Pull up from my album the ones showing {a} but no {ons}.", ("retrieve", {"text": "{a}", "without": ["{on}"]}), ()),
    Asked("retrieve", "I'm after a picture of {a} without {o}, there should be one in my folder", ("retrieve", {"text": "{a}", "without": ["{on}"]}), ()),
    Asked("retrieve", "ok new thing, my pictures, get me {a}", ("retrieve", {"text": "{a}"}), (1,)),
    Asked("draw", "u any good with crayons? {a} {at} then", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "I want a picture with {a} and {a2}!!! pleeease make one", ("generate", {"prompt": "{a} and {a2}"}), ()),
    Asked("draw", "It's my mother's eightieth birthday and I thought of a card. Would you sketch {a} {at} for it?", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("draw", "New artwork wanted, motif {a} and {a2} {at}.", ("generate", {"prompt": "{a} and {a2} {at}"}), ()),
    Asked("draw", "Could you come up with a brand-new image for me, two {ns}, nothing else?", ("generate", {"prompt": "two {ns}"}), (1,)),
    Asked("draw", "That one's done, thanks. Now create an illustration of three {ns} {at}.", ("generate", {"prompt": "three {ns} {at}"}), (1,)),
    Asked("draw", "how about u draw {a}", ("generate", {"prompt": "{a}"}), ()),
    Asked("draw", "Since the lesson tomorrow treats the word \"{n}\", I'd need a fresh drawing that shows {a}.", ("generate", {"prompt": "{a}"}), ()),
    Asked("draw", "I have never such thing tried. Make please for me one new picture where is {a} and {a2}", ("generate", {"prompt": "{a} and {a2}"}), (1,)),
    Asked("draw", "What would {a} {at} look like? Draw it from scratch, I'd love to see.", ("generate", {"prompt": "{a} {at}"}), ()),
    Asked("edit", "let {o} have the spot of that {n}", ("edit", {"prompt": "{o}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "You know, I asked for the wrong thing. Where you've drawn the {n} there should be {o} instead.", ("edit", {"prompt": "{o}", "phrases": ["{n}"]}), (-1,)),
    Asked("edit", "Our client doesn't like the {n}. Turn it into {o}, leave everything else as is.", ("edit", {"prompt": "{o}", "phrases": ["{n}"]}), (2,)),
    Asked("edit", "purple suits that {n} better, dont u think? do it", ("edit", {"prompt": "a purple {n}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "It's a bit dull for a children's book, so I'd prefer an orange {n} in there rather than the present one.", ("edit", {"prompt": "an orange {n}", "phrases": ["{n}"]}), (2,)),
    Asked("edit", "Recolour {n} -> green", ("edit", {"prompt": "a green {n}", "phrases": ["{n}"]}), (1,)),
    Asked("edit", "Nice one! But the {place} bores me, put the {n} {other at}", ("edit", {"prompt": "{a} {other at}"}), (-1,)),
    Asked("edit", "Same {n}, different background: I'd like it to be {other at}.", ("edit", {"prompt": "{a} {other at}"}), (1,)),
    Asked("edit", "Might one perhaps move the {n} somewhere else, so that it ends up {other at}?", ("edit", {"prompt": "{a} {other at}"}), (1,)),
    Asked("edit", "i wish the {n} wasnt {at} but {other at}, change pls", ("edit", {"prompt": "{a} {other at}"}), (1,)),
    Asked("explain", "huh, and that follows from what", ("explain", {}), (1,), 0, "How many {ns} are there?"),
    Asked("explain", "What makes you so sure of that?", ("explain", {}), (2,), 0, "Is there {a} in the picture?"),
    Asked("explain", "My teacher always wants us to show our working. How did you get to this answer?", ("explain", {}), (1,), 0, "How many {ns} can you see?"),
    Asked("explain", "Justify last output.", ("explain", {}), (2,), 0, "Where is the {n}?"),
    Asked("explain", "I find that a little hard to believe, to be honest. What are you basing it on?", ("explain", {}), (1,), 0, "What is in the picture?"),
    Asked("explain", "and how do u know", ("explain", {}), (1,), 0, "Is there {o} in the picture?"),
    Asked("explain", "Please to explain me from where comes this result", ("explain", {}), (2,), 0, "What is in the picture?"),
    Asked("explain", "Before I write that into the report I'd better see the evidence behind what you just said.", ("explain", {}), (2,), 0, "How many {ns2} are there?"),
    Asked("explain", "Walk me through your reasoning for the reply above", ("explain", {}), (1,), 0, "Where is the {n}?"),
    Asked("explain", "Did you just guess, or is there a reason why you answered like that?", ("explain", {}), (2,), 0, "Where are the {ns}?"),
    Asked("outside", "wake me at quarter to seven tmrw", None, ()),
    Asked("outside", "Cut the second paragraph of my essay down to fifty words, would you?", None, ()),
    Asked("outside", "What would {a} cost me at the flea market these days?", None, (1,)),
    Asked("outside", "I can't find my house keys anywhere, have you any idea where I left them?", None, ()),
    Asked("outside", "Who won the football last night?", None, ()),
    Asked("outside", "Compare the two cheapest phone contracts and tell me which I should sign", None, ()),
    Asked("outside", "Text my sister that I'm running late, and send her some flowers too.", None, (1,)),
    Asked("outside", "My landlord wants a notice of termination by Monday, draw one up", None, ()),
    Asked("outside", "count my calories from lunch, i had soup and 2 rolls", None, (1,)),
    Asked("outside", "Why does Excel keep showing me a circular reference warning when I open the budget file?", None, ()),
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
        asked.kind,
        said[:1] + said[1:],
        tool,
        told,
        scenes,
        meant,
        drawn,
        asked.target,
        asked.before.format_map(slots),
        slots,
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
