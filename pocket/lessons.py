"""What the pocket writer learns: conversations made from planned scenes and from the concept table.

Half of them use the prompts that ship with us, the other half the same tasks in other words, so that the
writer follows the task and not one wording. Captions never name a withheld concept; what such a concept looks
like is told here, as it would be in what a large language model has read.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from socratic.pocket.concepts import NUMBERS, Concept, article, concepts, known, pluralised
from socratic.pocket.scenes import IMAGE_TYPES, PLACES, Scene, joined, plan
from socratic.prompt import load
from socratic.values import Message

Lesson = tuple[tuple[Message, ...], str]
STYLES = ("{x} {at}", "{x} {at}.", "{At}: {x}", "Look, {x} {at}!", "We see {x} {at}.", "{At} there is {x}.", "A {t} of {x} {at}", "{x}, {at}")  # fmt: skip
ABOUT = ("", "", "", "Be brief. ", "Please help me. ", "Hello. ", "Think of a child that reads it. ", "Use plain words. ", "Do not invent anything. ")  # fmt: skip


def lesson(rng: random.Random) -> Lesson:
    """One conversation and the reply to it."""
    makers: tuple[Callable[[random.Random], Lesson], ...] = (caption, descriptors, sentence, kind, answer, rewrite)
    return rng.choices(makers, weights=(40, 14, 8, 5, 21, 12))[0](rng)


def amount_sentence(n: int) -> str:
    """How many things there are, as the caption recipe says it."""
    return f"There {'is' if n == 1 else 'are'} {NUMBERS[n]} thing{'' if n == 1 else 's'} in this photo."


def caption(rng: random.Random) -> Lesson:
    """Findings, partly wrong, and the caption of the scene behind them."""
    style = "{x} {at}" if rng.random() < 0.45 else rng.choice(STYLES)
    shots = [_finding(rng, style) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
    if not shots:
        style = "{x} {at}"
    scene = plan(rng.randrange(10**9), "train", pool=known())
    if rng.random() < 0.55:
        values = _findings(scene, rng)
        prompt = load("caption.write").render(**values, shots=[{"findings": f, "caption": c} for f, c in shots])
        return prompt.messages, written(scene, style)
    ask = rng.choice(("Write one short caption.", "Give a caption.", "Write a creative short caption for it.", "Caption:", "Describe the picture in one line.", "What would you write under it?", "A short caption, please.", "Now write the caption."))  # fmt: skip
    system = rng.choice(ABOUT) + rng.choice(("You are a captioning bot.", "You describe pictures from notes.", "You write captions for pictures that you cannot see.", "I am an intelligent image captioning bot."))  # fmt: skip
    messages = [Message("system", system)] if rng.random() < 0.85 else []
    for found, said in shots:
        messages += [Message("user", f"{found}\n{ask}"), Message("assistant", said)]
    messages.append(Message("user", f"{_told(_findings(scene, rng), rng)}\n{ask}"))
    return tuple(messages), written(scene, style)


def _finding(rng: random.Random, style: str) -> tuple[str, str]:
    scene = plan(rng.randrange(10**9), "train", kinds=rng.choice((1, 1, 2)), pool=known())
    return _told(_findings(scene, rng), rng), written(scene, style)


def written(scene: Scene, style: str) -> str:
    """The scene's caption in one of the styles."""
    at = PLACES[scene.place]
    return style.format(x=scene.listing(), at=at, At=at.capitalize(), t=scene.image_type)


def _findings(scene: Scene, rng: random.Random) -> dict[str, object]:
    """What a vision model might say of the scene: a wrong second place, a false or doubled thing now and then."""
    places = [scene.place, *rng.sample([p for p in PLACES if p != scene.place], rng.choice((0, 1, 2, 2)))]
    if len(places) > 1 and rng.random() < 0.08:
        places[0], places[1] = places[1], places[0]
    objects = list(scene.counts)
    if rng.random() < 0.15:
        extra = rng.choice([c.name for c in known() if c.name not in objects])
        objects.insert(len(objects) if rng.random() < 0.8 else rng.randrange(len(objects)), extra)
    n = len(scene.things)
    told = n if rng.random() < 0.93 else max(1, min(4, n + rng.choice((-1, 1))))
    return {"image_type": scene.image_type, "amount": amount_sentence(told), "places": places, "objects": objects}


def _told(v: dict[str, object], rng: random.Random) -> str:
    """The findings in other words than those of the prompt that ships."""
    places, objects = list(v["places"]), list(v["objects"])  # type: ignore[call-overload]
    where = rng.choice(("It may have been taken at one of these places: {p}.", "I think this was taken at {o}.", "Place: {p}.", "The place could be {o}.", "Probably {o}.", "Background: {p}"))  # fmt: skip
    what = rng.choice(("It may show: {p}.", "I think there might be {o} in this photo.", "Objects: {p}.", "Things found: {p}", "The vision model saw {p}.", "There may be a {p} in this {t}."))  # fmt: skip
    kind = rng.choice(("This picture is a {t}.", "This image is a {t}.", "Type: {t}.", "It is a {t}.", ""))
    parts = [
        kind.format(t=v["image_type"]),
        str(v["amount"])
        if rng.random() < 0.8
        else rng.choice(("", str(v["amount"]).replace("in this photo", rng.choice(("in it", "in this picture"))))),
        where.format(p=", ".join(places), o=" or ".join(places)),
        what.format(p=", ".join(objects), o=" or ".join(objects), t=v["image_type"]),
    ]
    if rng.random() < 0.3:
        parts[2], parts[3] = parts[3], parts[2]
    return rng.choice((" ", "\n")).join(p for p in parts if p)


def _concept(rng: random.Random) -> Concept:
    return rng.choice(list(concepts().values()))


def descriptors(rng: random.Random) -> Lesson:
    """The visual features of a category, as a list."""
    c = _concept(rng)
    lines = [*c.has, f"{c.colour} colour", *[f"is {i}" for i in c.is_], f"is {article(c.category)} {c.category}"]
    reply = "\n".join(f"- {line}" for line in lines)
    if rng.random() < 0.5:
        return load("classify.descriptors").render(category=c.name).messages, reply
    name = rng.choice((c.name, c.name, c.counted(1), c.plural, c.name.capitalize()))
    question = rng.choice(("What are useful features for distinguishing {x} in a photo?", "How do I recognise {x}?", "List the visual features of {x}.", "What does {x} look like? Make a list.", "Q: What are useful visual features for distinguishing a {x} in a photo?\nA: There are several useful visual features:", "Name what one can see on a {x}, as a list.", "Give the features of a {x}, one per line.", "What are useful visual features for telling a {x} in a picture?"))  # fmt: skip
    system = rng.choice(ABOUT) + rng.choice(("You know what things look like.", "You name visual features.", "You are a helpful assistant.", "Answer with a list."))  # fmt: skip
    return _pair(rng, system, question.format(x=name)), reply


def sentence(rng: random.Random) -> Lesson:
    """What a category looks like, in one sentence."""
    c = _concept(rng)
    has = rng.sample(c.has, min(2, len(c.has)))
    subject = c.counted(1)
    reply = rng.choice(("{S} is {a} {colour} {category} with {has}.", "{S} has {has}.", "{S} is {a} {category} which has {has}.", "{S}, {a} {colour} {category}, has {has}.", "The picture shows {s}: it has {has}."))  # fmt: skip
    kind = c.category if "{colour}" not in reply else c.colour
    text = reply.format(
        S=subject.capitalize(), s=subject, a=article(kind), colour=c.colour, category=c.category, has=joined(has)
    )
    forms = ("Describe what {category} looks like.", "What does {category} look like?", "How can you identify {category}?", "Describe a picture of {category}.", "Write a caption of an image of {category}.")  # fmt: skip
    form = rng.choice(forms)
    if rng.random() < 0.6:
        return load("classify.cupl").render(
            category=rng.choice((c.name, c.name, f"a {c.name}", subject)), form=form
        ).messages, text
    return _pair(
        rng,
        rng.choice(("You know what things look like. Answer in one sentence.", "Answer in one sentence.", "")),
        form.format(category=c.name),
    ), text


def kind(rng: random.Random) -> Lesson:
    """What several concepts are: their category, or `thing` when they share none."""
    by_category: dict[str, list[str]] = {}
    for c in concepts().values():
        by_category.setdefault(c.category, []).append(c.name)
    if rng.random() < 0.65:
        category = rng.choice([k for k, v in by_category.items() if len(v) > 2])
        names = rng.sample(by_category[category], min(rng.randint(2, 8), len(by_category[category])))
    else:
        names = rng.sample(list(concepts()), rng.randint(3, 8))
        found = {concepts()[n].category for n in names}
        living = {"mammal", "bird", "reptile", "amphibian", "sea animal", "insect", "small creature"}
        category = found.pop() if len(found) == 1 else "animal" if found <= living else "thing"
    if rng.random() < 0.6:
        return load("classify.concept").render(categories=names).messages, category
    question = rng.choice(
        ("What do these have in common? {x}", "What kind of things are {x}?", "{x}: what are they all?")
    )
    return _pair(rng, "Answer with the kind alone, in the singular.", question.format(x=", ".join(names))), category


def answer(rng: random.Random) -> Lesson:
    """A question about a scene that can be answered from its captions, or not."""
    scene = plan(rng.randrange(10**9), "train", pool=known())
    said = [written(scene, rng.choice(STYLES)) for _ in range(rng.choice((1, 1, 2, 3)))]
    asked, reply = question(scene, rng)
    if rng.random() < 0.6:
        return load("ask.captions").render(captions=said, question=asked).messages, reply
    user = f"{rng.choice(('Captions', 'What was said', 'The picture'))}: {' / '.join(said)}\n{rng.choice(('Question: ', 'Q: ', ''))}{asked}"
    return _pair(
        rng,
        rng.choice(
            (
                "Answer from the captions alone. If they do not tell, answer: unknown.",
                "Answer in few words, or: unknown.",
            )
        ),
        user,
    ), reply


def question(scene: Scene, rng: random.Random) -> tuple[str, str]:
    """A question about the scene and its answer; `unknown` where a caption does not tell."""
    name = rng.choice(list(scene.counts))
    c, n, other = (
        concepts()[name],
        scene.counts[name],
        rng.choice([c for c in concepts().values() if c.name not in scene.counts]),
    )
    thing = c.plural if not c.unit else f"{pluralised(c.unit)} of {c.name}"
    place = rng.choice((scene.place, rng.choice(list(PLACES))))
    return rng.choice((
        (f"How many {thing} are there?", NUMBERS[n]),
        (f"How many {other.plural} are there?", "none"),
        (f"Is there {other.counted(1)} in the picture?", "no"),
        (f"Is there {c.counted(1)} in the picture?", "yes"),
        (f"Is this {article(place)} {place}?", "yes" if place == scene.place else "no"),
        ("Where is this?", scene.place), ("What place is it?", scene.place), (f"Where is the {name}?", PLACES[scene.place]),
        ("What is in the picture?", scene.listing()), ("What can be seen?", scene.listing()),
        (f"What colour is the {name}?", "unknown"), ("What time is it?", "unknown"), ("Who made the picture?", "unknown"),
        ("How many things are there?", NUMBERS[len(scene.things)]),
    ))  # fmt: skip


def rewrite(rng: random.Random) -> Lesson:
    """A short request for a picture, and the same request with the looks spelled out."""
    scene = plan(rng.randrange(10**9), "train")
    with_place = rng.random() < 0.8
    at = f" {PLACES[scene.place]}" if with_place else ""
    manner = rng.choice(("", "", f"a {rng.choice(IMAGE_TYPES)} of "))
    request = rng.choice(
        ("{m}{x}{at}", "draw {m}{x}{at}", "please paint {x}{at}", "I want {x}{at}", "{x}{at}!", "{m}{x}{at}.")
    )
    kept_manner = manner if "{m}" in request else ""
    looks = [f"{concepts()[n].counted(k)} with {joined(list(concepts()[n].has[:2]))}" for n, k in scene.counts.items()]
    reply = f"{kept_manner}{', '.join(looks)}{',' if at else ''}{at}"
    text = request.format(m=manner, x=scene.listing(), at=at)
    if rng.random() < 0.55:
        return load("generate.rewrite").render(request=text).messages, reply
    ask = rng.choice(("Make this drawing request more detailed: {r}", "Rewrite this request: {r}", "Request: {r}\nSay it with all details.", "Improve this prompt for a drawing model: {r}"))  # fmt: skip
    return _pair(
        rng,
        rng.choice(
            ("You prepare requests for a drawing model.", "Keep everything and add what the things look like.", "")
        ),
        ask.format(r=text),
    ), reply


def _pair(rng: random.Random, system: str, user: str) -> tuple[Message, ...]:
    keep = bool(system) and rng.random() < 0.85
    return ((Message("system", system),) if keep else ()) + (Message("user", user),)
