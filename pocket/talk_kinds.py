"""Requests to the assistant by kind, each with its call, what the tool says to it, and the answer.

A `Desk` is what a conversation knows: its pictures, and what was talked about. Wordings stand in `talk/`, the words
of tools in `told.py`; follow-ups are in `talk_next.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from socratic.pocket import told
from socratic.pocket.concepts import NUMBERS, article, known
from socratic.pocket.scenes import IMAGE_TYPES, PLACES
from socratic.pocket.talk_desk import Desk, Seen, Turn
from socratic.pocket.talk_words import COLOURS, Things
from socratic.pocket.wordings import POINTING, worded

CAN_DO = "I can describe pictures, count, find and cut out things, check, compare, search your folder, draw and change pictures."  # fmt: skip
OUTSIDE = "I cannot do that: I know a small drawn world. I can describe, find, check, compare, search, draw and change pictures."  # fmt: skip
NO_PICTURE = "There is no picture yet: give me one, or ask me to draw one."
ONE_PICTURE = "There is only one picture: give me a second one, or ask me to draw one."
WORDS = {"city": ("paris", "berlin", "london", "rome", "tokyo", "my town"), "country": ("france", "italy", "china", "the moon"),
         "language": ("french", "german", "spanish", "italian", "chinese", "latin", "english"), "word": ("hello", "dog", "good night", "cat", "house"),
         "things": ("love", "the sea", "dogs", "winter", "my cat", "space", "autumn", "the moon")}  # fmt: skip
FAILURES = (
    "the detector failed on this picture (try another picture)", "it took longer than 300 seconds (ask for less at once)",
    "the budget of 200 calls is used up (ask for less at once)", "there is no picture 'img:99' here (pictures: {h})",
    "the model is not here (run `socratic doctor` to see how to get it)", "out of memory (close other programs, or use a smaller picture)",
)  # fmt: skip


def pictured(desk: Desk, kind: str, tool: str, arguments: dict[str, Any], slots: dict[str, str], make: Callable[[str], tuple[str, str]], **more: Any) -> Turn:  # fmt: skip
    """A request about one picture: named in the call where the words name it.

    Args:
        make: what the tool says and the answer, from the picture's handle.
    """
    seen = desk.picked()
    if seen is None:
        said = worded(desk.rng, kind, {"pic": "the picture", "in": "in the picture", **slots})
        return Turn(kind, said, NO_PICTURE)
    said, named = pointed(desk, kind, slots, seen, 0.35)
    call = (tool, {**({"picture": seen.handle} if named else {}), **arguments})
    handle = seen.handle if named else desk.latest.handle
    if failure := failed(desk, tool):
        return desk.turn(kind, said, call, *failure)
    say, answer = make(handle)
    return desk.turn(kind, said, call, say, answer, handle=handle, **more)


def pointed(desk: Desk, kind: str, slots: dict[str, str], seen: Seen, beside: float) -> tuple[str, bool]:
    """A request in words, and whether they name the picture; `beside` is how often a name stands beside the request."""
    if seen.named and desk.rng.random() < beside:
        said = worded(desk.rng, kind, {"pic": "it", "in": "", **slots})
        said = worded(desk.rng, POINTING, {"pic": seen.words, "said": said}, decorated=False)
    else:
        said = worded(desk.rng, kind, {"pic": seen.words, "in": seen.inside, **slots})
    return said, seen.named and (seen.words in said.lower() or seen.words in said)


def failed(desk: Desk, tool: str) -> tuple[str, str] | None:
    """Now and then a tool fails: what it says, and the answer."""
    if desk.rng.random() > 0.03:
        return None
    error = desk.rng.choice(FAILURES).format(h=desk.latest.handle if desk.pictures else "none yet")
    return error, sorry(error)


def sorry(error: str) -> str:
    return f"Sorry, that did not work: {error}."


def caption(desk: Desk) -> Turn:
    scene = desk.scene()

    def make(handle: str) -> tuple[str, str]:
        return scene, f"It shows {scene}."

    return pictured(desk, "caption", "caption", {}, {}, make, content=scene, account=desk.account("caption", scene))


def found(desk: Desk, kind: str, things: Things | None = None) -> Turn:
    """How many, where, find and cut out: all rest on the detector."""
    things = things or desk.things()
    names = things.names
    finds = told.found(desk.rng, names)
    marked = desk.fresh_handle()
    tool = "segment" if kind == "segment" else "detect"

    def make(handle: str) -> tuple[str, str]:
        say = finds.say() + (f"\n{marked} (marked of {handle}: {finds.marked()})" if finds.rows else "")
        return say, told_of(kind, finds, names, marked)

    apart = len(names) == 2 and desk.rng.random() < 0.4
    wording, slots = (f"{kind} two", things.apart()) if apart else (kind, things.slots())
    turn = pictured(desk, wording, tool, {"phrases": phrases(names)}, slots, make, names=names, account=desk.account(tool, finds.say()))  # fmt: skip
    return replace(turn, kind=kind)


def phrases(names: Sequence[str]) -> list[str]:
    """Things as a call names them: with an article, as they stand in the words of people, which is easier to copy."""
    return [
        one if (one := told.one(name)).endswith(f" {name}") and " of " not in one else f"the {name}" for name in names
    ]


def told_of(kind: str, finds: told.Found, names: Sequence[str], marked: str) -> str:
    if kind == "how many":
        return told.answer_count(finds, names)
    if kind == "where":
        return told.answer_where(finds, names)
    return (told.answer_cut if kind == "segment" else told.answer_found)(finds, names, marked)


def check(desk: Desk) -> Turn:
    said, prompt = desk.facts()
    say, answer = told.checked(desk.rng, prompt)
    return pictured(desk, "check", "check", {"prompt": prompt}, {"facts": said}, lambda h: (say, answer), account=desk.account("check", say))  # fmt: skip


def contrast(desk: Desk) -> Turn:
    if len(desk.pictures) < 2:
        said = worded(desk.rng, "contrast", {"one": "this one", "other": "the other one", "both": "the two pictures"})
        return Turn(
            "contrast", said, ONE_PICTURE if desk.pictures else NO_PICTURE, pictures_before=tuple(desk.pictures)
        )
    one, other, both = desk.pair()
    said = worded(desk.rng, "contrast", {"one": one.words, "other": other.words, "both": both})
    by_name = one.words in said or one.words in said.lower()
    chosen = (one.handle, other.handle) if by_name else tuple(p.handle for p in desk.pictures[-2:])
    pair = [p.handle for p in desk.pictures if p.handle in chosen]  # the older first, as people take `the first`
    say, answer = told.contrasted(desk.rng)
    return desk.turn(
        "contrast", said, ("contrast", {"pictures": pair}), say, answer, account=desk.account("contrast", say)
    )


def retrieve(desk: Desk) -> Turn:
    rng = desk.rng
    if desk.pictures and rng.random() < 0.12:
        seen = desk.picked()
        assert seen is not None
        return _searched(desk, worded(rng, "retrieve like", {"pic": seen.words}), {"pictures": [seen.handle]})
    said, text, without = desk.wanted()
    return _searched(desk, worded(rng, "retrieve", {"scene": said}), {"text": text, **({"without": phrases(without)} if without else {})})  # fmt: skip


def _searched(desk: Desk, said: str, arguments: dict[str, Any]) -> Turn:
    rng, call = desk.rng, ("retrieve", arguments)
    if rng.random() < 0.1:
        error = "there is no folder to search yet (the user can name one, e.g. with /folder DIR)"
        return desk.turn("retrieve", said, call, error, sorry(error))
    files = [desk.file() for _ in range(rng.choice((0, 1, 2, 3, 4, 4, 4)))]
    fresh = [desk.entry("found", name) for name in files]
    scores = sorted((rng.uniform(0.1, 0.6) for _ in files), reverse=True)
    rows = [
        f"{i + 1}. {entry.handle} ({score:.3f})" for i, (entry, score) in enumerate(zip(fresh, scores, strict=True))
    ]
    say = "\n".join(rows) or "nothing was found"
    answer = f"I found {told.many('picture', len(fresh))}, the best first: {', '.join(e.handle for e in fresh)}."
    answer = answer if len(fresh) > 1 else f"I found one picture: {fresh[0].handle}." if fresh else "I found no picture of that in your folder."  # fmt: skip
    return desk.turn("retrieve", said, call, say, answer, fresh=tuple(fresh), account=desk.account("retrieve", say, str(arguments.get("text", ""))))  # fmt: skip


def draw(desk: Desk) -> Turn:
    rng = desk.rng
    said, prompt = desk.request()
    k = rng.choice((2, 2, 3, 4)) if rng.random() < 0.12 else 1
    words = {"scene": said, "k": rng.choice((NUMBERS[k], str(k)))}
    text = worded(rng, "draw several" if k > 1 else "draw", words)
    return drawn(desk, "draw", text, ("generate", {"prompt": prompt, **({"n": k} if k > 1 else {})}), prompt, k)


def drawn(desk: Desk, kind: str, said: str, call: tuple[str, dict[str, Any]], prompt: str, k: int = 1, parent: str = "") -> Turn:  # fmt: skip
    """A request that makes pictures."""
    fresh = tuple(desk.entry("changed" if parent else "drawn", prompt, (parent,) if parent else ()) for _ in range(k))
    if failure := failed(desk, call[0]) or rejected(desk, call[0]):
        return desk.turn(kind, said, call, *failure)
    say = told.drawn(prompt, [e.handle for e in fresh])
    account = desk.account(call[0], say, prompt)
    return desk.turn(kind, said, call, say, told.answer_drawn([e.handle for e in fresh]), fresh=fresh, content=prompt, account=account)  # fmt: skip


def rejected(desk: Desk, tool: str) -> tuple[str, str] | None:
    """Now and then a person does not approve."""
    if desk.rng.random() > 0.04:
        return None
    why = desk.rng.choice((f" with id call_{desk.rng.randrange(16**8):08x}. The tool was not executed. Do not retry this tool call unless the user explicitly requests it.", " with reason: no", " with reason: too slow"))  # fmt: skip
    return f"User rejected the tool call for `{tool}`{why}", "All right, I did not do it."


def edit(desk: Desk) -> Turn:
    kind = desk.rng.choice(("edit replace", "edit colour", "edit place", "edit place"))
    return changed(desk, kind)


def changed(desk: Desk, kind: str, by_pronoun: bool = False) -> Turn:
    """A part repainted or recoloured, or the whole put elsewhere."""
    rng = desk.rng
    seen = desk.unnamed() if by_pronoun else desk.picked()
    if seen is None:
        slots = desk.edit_slots(desk.name(), False)
        return Turn(kind, worded(rng, kind, {"pic": "the picture", "in": "in the picture", **slots}), NO_PICTURE)
    content = desk.content(seen.handle)
    name = rng.choice(content.names) if content and (by_pronoun or rng.random() < 0.6) else desk.name()
    inside = bool(content and name in content.names)
    it = inside and content is not None and len(content.names) == 1 and (by_pronoun or rng.random() < 0.5)
    slots = desk.edit_slots(name, it)
    said, named = pointed(desk, kind, slots, seen, 1.0)
    colour, new, place = slots["colour"], slots["newn"], slots["key"]
    arguments: dict[str, Any] = {"picture": seen.handle} if named else {}
    if kind == "edit place":
        whole = f"{content.listing} {PLACES[place]}" if inside and content else ""
        alone = f"{told.one(name)} {PLACES[place]}" if name in said.lower() else told.one(place)
        arguments |= {"prompt": whole or alone}
    else:
        prompt = told.one(new) if kind == "edit replace" else f"{article(colour)} {colour} {name}"
        arguments |= {"prompt": prompt, "phrases": phrases([name])}
        if rng.random() < 0.1:
            error = f"nothing in the picture was found for '{name}', so nothing was changed (use another word, lower the threshold, or leave the phrases out to change the whole picture)"
            return desk.turn(kind, said, ("edit", arguments), error, sorry(error))
    return drawn(desk, kind, said, ("edit", arguments), arguments["prompt"], 1, seen.handle)


def ask(desk: Desk, kind: str = "", name: str = "") -> Turn:
    rng = desk.rng
    kind = kind or rng.choice(
        ("ask colour", "ask colour", "ask place", "ask is place", "ask manner", "ask total", "ask what")
    )
    things = desk.things(1, name)
    name, place, spot = things.names[0], rng.choice(list(PLACES)), rng.choice(told.WHERE)
    thing = rng.choice(known())
    asked, reply = {
        "ask colour": (f"What colour is the {name}?", rng.choice(COLOURS)),
        "ask place": ("Where is this?", rng.choice(list(PLACES.values()))),
        "ask is place": (f"Is this {told.one(place)}?", rng.choice(("yes", "no"))),
        "ask manner": ("What kind of picture is this?", rng.choice(IMAGE_TYPES)),
        "ask total": ("How many things are there?", rng.choice(NUMBERS[1:5])),
        "ask what": (f"What is {spot}?", thing.counted(1)),
    }[kind]
    places = {
        "place": rng.choice((told.one(place), told.one(place), f"the {place}")),
        "spot": rng.choice((spot, spot.replace("at the", "on the"))),
    }
    slots = {**things.slots(), "the": rng.choice((f"the {name}", f"the {name}", f"this {name}")), **places}
    make = lambda h: (f"{asked} {reply}", told.answer_question(asked, reply))  # noqa: E731
    return pictured(desk, kind, "ask", {"questions": [asked]}, slots, make, names=(name,) if kind == "ask colour" else (), account=desk.account("ask", reply, asked))  # fmt: skip


def save(desk: Desk) -> Turn:
    name = desk.rng.choice((desk.name().replace(" ", "-"), "result", "picture", "final", "my drawing", "best", desk.file().rsplit(".", 1)[0]))  # fmt: skip
    kind = desk.rng.choice(("save", "save as"))
    file = f"{name}{desk.rng.choice(('', '', '.png'))}"
    arguments = {"name": file} if kind == "save as" else {}
    kept = name.replace(" ", "-") if kind == "save as" else ""

    def make(handle: str) -> tuple[str, str]:
        path = f"{kept or f'img-{desk.rng.randrange(16**6):06x}'}.png"
        if failure := rejected(desk, "save"):
            return failure
        if desk.rng.random() < 0.12:
            error = "there is no folder to save to (the user can name one, e.g. with /saves DIR)"
            return error, sorry(error)
        return f"saved {handle} as {path}", f"I saved it as {path}." if kept else "I saved it."

    return pictured(desk, kind, "save", arguments, {"file": file}, make)


def no_tool(desk: Desk, kind: str = "") -> Turn:
    """What no tool is for: manners, and requests outside the drawn world."""
    rng = desk.rng
    kind = kind or rng.choices(("outside", "hello", "can do", "thanks", "bye"), weights=(64, 9, 12, 9, 6))[0]
    slots = {name: rng.choice(options) for name, options in WORDS.items()} | {"digits": str(rng.randint(2, 999))}
    said = worded(rng, kind, slots)
    answers = {
        "outside": OUTSIDE, "can do": CAN_DO, "thanks": "You are welcome.", "bye": "Goodbye!",
        "hello": "Hello! Give me a picture, or ask me to draw one.",
    }  # fmt: skip
    return Turn(kind, said, answers[kind], pictures_before=tuple(desk.pictures))


def explain(desk: Desk) -> Turn:
    """Why: what the last run rests on; an error where nothing ran yet."""
    said = worded(desk.rng, "explain", {})
    if desk.run is None:
        error = "nothing was looked at yet, so there is nothing to explain"
        return desk.turn("explain", said, ("explain", {}), error, sorry(error))
    say, rests = desk.run
    return desk.turn("explain", said, ("explain", {}), say, rests)


KINDS: Sequence[tuple[Callable[[Desk], Turn], float]] = (
    (caption, 11), (lambda d: found(d, "how many"), 13), (lambda d: found(d, "where"), 10), (lambda d: found(d, "find"), 9),
    (lambda d: found(d, "segment"), 9), (check, 14), (contrast, 12), (retrieve, 13), (draw, 12), (edit, 21), (ask, 8),
    (save, 3), (no_tool, 20), (explain, 7),
)  # fmt: skip
