"""A recipe and a scorer of the example `questions.yaml`: one question, said in the wording of a variant. Sees by `ask` alone."""

from __future__ import annotations

import re
from typing import Any

from socratic.capability import Answerer
from socratic.experiments.scorers_text import vqa_normal
from socratic.recipe import recipe
from socratic.recipes.ask import Answer, Answers, ask
from socratic.transcript import Transcript
from socratic.values import Picture

OTHERWISE = (
    (r"How many (.+?)(?: are there| are in the picture| can be seen)\?", r"Count the \1."),
    (r"(?:What|Which) (?:is the )?colour (?:is|has|of) the (.+)\?", r"Name the hue of the \1."),
    (r"(?:Is there|Can you see|Does the picture show) (.+?)(?: in the picture)?\?", r"Do you notice \1?"),
    (r"Is this (an? \w+(?: \w+)?)\?", r"Would you call it \1?"),
    (r'Is this true: "(.+)"\?', r'Would it be right to say "\1"?'),
    (r"Where is the (.+)\?", r"In which part do you find the \1?"),
    (r"Where is this\?|Where was this picture taken\?|What place is it\?", r"Name the surroundings."),
    (r"What kind of picture is this\?|Is this a photo, .+\?", r"How was it made?"),
    (r"What is in the picture\?|What can be seen\?|What is this\?", r"Name all that you see."),
    (r"What is (.+)\?", r"Name the thing \1."),
)


@recipe
def asking(
    picture: Picture, *, question: str, wording: str = "{question}", answerer: Answerer, talk: Transcript
) -> Answers[Answer]:
    """Asks a question in a wording.

    Args:
        picture: what it is about.
        question: as the data have it.
        wording: what is said, with `{question}` as it stands, `{lower}` in lower case, `{unmarked}` without its mark,
            `{bare}` with neither, or `{otherwise}` in other words.
    """
    lower, unmarked = question[:1].lower() + question[1:], question.rstrip("?")
    forms = {"lower": lower, "unmarked": unmarked, "bare": lower.rstrip("?"), "otherwise": otherwise(question)}
    said = wording.format(question=question, **forms)
    return ask.inside(talk, picture, questions=[said], answerer=answerer)


def otherwise(question: str) -> str:
    """The question in words that no lesson of the pocket answerer has; itself where no rule fits."""
    for asked, instead in OTHERWISE:
        if re.fullmatch(asked, question):
            return re.sub(asked, instead, question)
    return question


def right(value: dict[str, Any], answer: str, asks: str, kind: str = "") -> float | None:
    """The answer is right but for capitals, marks and articles.

    Of a `kind` only questions of it are counted.
    """
    if kind not in ("", asks):
        return None
    return float(vqa_normal(value["answers"][0]["answer"]) == vqa_normal(answer))
