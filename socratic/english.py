"""The closed classes of English words that captions and requests are read by, and singular, plural and numbers.

Word lists and inflection (by the inflection library) only; `claims.py` reads with them.
"""

from __future__ import annotations

import re
from functools import cache

import inflection


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLOURS = _words(
    "red orange yellow green blue purple violet pink brown black white grey gray gold golden silver beige tan"
)
_COUNTING = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {word: n for n, word in enumerate(_COUNTING)}
AMOUNTS = {"a": 1, "an": 1, "another": 1, "single": 1, "couple": 2, "both": 2, "zero": 0, **NUMBERS}
"""Words that tell how many."""
DETERMINERS = _words(
    "the this that these those some several many few any all more most its his her their my our your each every"
)
"""Words in front of a noun that do not tell how many."""
PLACING = _words(
    "on in at under inside outside near beside behind above below over beneath against by into onto across along "
    "around through between among before"
)
BREAKS = PLACING | _words(
    "and or but nor while as with without of to from for than then is are was were be been being has have had there "
    "it they he she we you i who which where when what how not do does did can could will would should may might must "
    "up down off out away together alone also too very really just still quite here there's it's neither either if "
    "because so next left right top front back bottom middle center centre side look looks see shows show showing "
    "seen stands stand sits sit lies lie underwater outdoors indoors nearby"
)
"""Words that end a noun phrase."""
KINDS = _words("picture photo photograph image drawing painting sketch cartoon illustration view scene shot")
"""Words for the picture itself, not for what is in it."""
MEASURES = _words("pair slice piece wedge ear head block bar sheet glass cup bottle can jar box bag loaf")
UNITS = MEASURES | _words("group bunch bowl plate stack pile row herd flock")
PAIRED = _words(
    "scissors glasses trousers jeans shorts pants tongs pliers binoculars goggles headphones cherries grapes sunglasses"
)
"""Things of which a pair, or a bunch, is one."""
COUNTED_BY = {word: "pair" for word in PAIRED - {"cherries", "grapes"}} | {
    "grapes": "bunch", "bread": "loaf", "cheese": "piece", "corn": "ear", "broccoli": "head",
}  # fmt: skip
"""What is said of one of them: `a loaf of bread`."""
PLAIN = _words("small big large little tiny huge young old tall long short beautiful lovely cute nice bright dark lone")
"""Adjectives that tell a person something and a detector nothing."""
NOT_DOING = _words("building ring king wing string spring painting drawing ceiling swing clothing earring thing sling")
"""Nouns that end like verb forms."""
VERBS = _words(
    "run walk jump fly swim eat play sleep rest wait hold wear ride carry drink smile watch grow shine hang float"
)


_IRREGULAR = {
    "cow": "cows",
    "slice": "slices",
    "loaf": "loaves",
    "scarf": "scarves",
    "calf": "calves",
    "goose": "geese",
    "foot": "feet",
    "tooth": "teeth",
    "leaf": "leaves",
    "lens": "lenses",
    "octopus": "octopuses",
    "walrus": "walruses",
    "platypus": "platypuses",
    "hippopotamus": "hippopotamuses",
}
_SINGULARS = _words("gas lens canvas christmas slice police splice")
_PLURALS = {many: one for one, many in _IRREGULAR.items()}


@cache
def singular(noun: str) -> str:
    """`mice` -> `mouse`; a singular stays as it is."""
    first, last = _split(noun)
    if re.search(r"(?:ss|us|is|x)$", last) or last in _SINGULARS:
        return noun
    return first + (_PLURALS.get(last) or inflection.singularize(last) or last)


@cache
def plural(noun: str) -> str:
    """`mouse` -> `mice`; a plural stays as it is."""
    if singular(noun) != noun:
        return noun
    first, last = _split(noun)
    return first + (_IRREGULAR.get(last) or inflection.pluralize(last) or last)


def _split(noun: str) -> tuple[str, str]:
    """What stands before the last word, and that word."""
    at = noun.rfind(" ") + 1
    return noun[:at], noun[at:]


def number_word(count: int) -> str:
    """`two`; digits above twelve; `none` for zero."""
    return "none" if not count else _COUNTING[count] if count < len(_COUNTING) else str(count)


def counted(noun: str, count: int) -> str:
    """`a dog`, `two dogs`, `no dogs`, `13 dogs`, `two loaves of bread`."""
    if count and noun in COUNTED_BY:
        return f"{counted(COUNTED_BY[noun], count)} of {noun}"
    if count == 1:
        return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"
    return f"{number_word(count) if count else 'no'} {plural(noun)}"
