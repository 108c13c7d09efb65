"""Plans: what to find, crop, count, ask, compare and combine, in which order, as typed data that is checked whole.

A plan comes from a language model as JSON and stays data: names are looked up, never evaluated, there are no loops,
and a step can use only what stands before it. `read` tells everything that is wrong at once. Carries nothing out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Type = Literal["picture", "regions", "number", "truth", "text"]
SIDES = ("inside", "left of", "right of", "above", "below")
SAME = ("equal", "not equal")
ORDERED = ("more than", "less than", "at least", "at most")
PLACED = ("left of", "right of", "above", "below")
MAKES: dict[str, Type] = {
    "find": "regions", "crop": "picture", "count": "number", "where": "text", "ask": "text", "compare": "truth",
    "combine": "truth",
}  # fmt: skip
NEEDED = {
    "find": ("phrase",), "crop": ("around",), "count": ("of",), "where": ("of",), "ask": ("question",),
    "compare": ("left", "is", "right"), "combine": ("how", "of"),
}  # fmt: skip
ALLOWED = {"find": ("in",), "crop": ("side",), "ask": ("about", "as")}
CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("crop", "side"): SIDES, ("ask", "as"): ("text", "truth", "number"), ("compare", "is"): (*SAME, *ORDERED, *PLACED),
    ("combine", "how"): ("and", "or", "xor", "not", "sum", "difference", "if"),
}  # fmt: skip
REFERENCES: dict[tuple[str, str], Type] = {
    ("find", "in"): "picture", ("crop", "around"): "regions", ("count", "of"): "regions", ("where", "of"): "regions",
    ("ask", "about"): "picture",
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_HOLE = re.compile(r"\{([^{}]*)\}")
MOST_CHARACTERS = 20_000


@dataclass(frozen=True)
class Problem:
    """What is wrong with a plan: a kind to count by, the step (from 1; 0 is the whole plan), and a sentence."""

    kind: str
    step: int
    message: str

    def say(self) -> str:
        return f"step {self.step}: {self.message}" if self.step else self.message


class BadPlan(ValueError):
    """A plan that must not run; `problems` are all that were found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(p.say() for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Step:
    """One step: the name of what it makes, what it does, and with what."""

    name: str
    do: str
    given: Mapping[str, Any]
    makes: Type

    def say(self) -> str:
        told = ", ".join(f"{field} {json.dumps(value, ensure_ascii=False)}" for field, value in self.given.items())
        return f"{self.name}: {self.do} {told}"

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "do": self.do, **self.given}

    def uses(self) -> set[str]:
        """The names that the step looks up."""
        return set(_uses(self.given))


@dataclass(frozen=True)
class Plan:
    """Steps that were checked, and the name of the answer. As text it is the JSON that reads back."""

    steps: tuple[Step, ...]
    answer: str

    def as_dict(self) -> dict[str, Any]:
        return {"steps": [s.as_dict() for s in self.steps], "answer": self.answer}

    def __str__(self) -> str:
        rows = ",\n  ".join(json.dumps(s.as_dict(), ensure_ascii=False) for s in self.steps)
        return f'{{"steps": [\n  {rows}],\n "answer": {json.dumps(self.answer)}}}'


def pictures_named(n: int) -> tuple[str, ...]:
    """How plans call n pictures: `picture`; `left` and `right`; `picture_1`, `picture_2`, …"""
    return {1: ("picture",), 2: ("left", "right")}.get(n, tuple(f"picture_{i + 1}" for i in range(n)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """A phrase or question with the values in place of `{name}`."""
    return _HOLE.sub(lambda hole: values[hole[1]], text)


def read(text: str, pictures: Sequence[str] = ("picture",), most: int = 12, wants: Type | None = None) -> Plan:
    """Reads and checks a plan.

    Args:
        pictures: the names under which the plan may use the pictures.
        most: the most steps.
        wants: the type that the answer must have; text, number or truth when absent.

    Raises:
        BadPlan: it must not run, for all the reasons told.
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start or len(text) > MOST_CHARACTERS:
        raise BadPlan([Problem("bad_json", 0, f"the plan is no JSON object of at most {MOST_CHARACTERS} characters")])
    try:
        raw = json.loads(text[start : end + 1])
    except (ValueError, RecursionError) as error:
        raise BadPlan([Problem("bad_json", 0, f"the plan is not JSON: {error}")]) from error
    return checked(raw, pictures, most, wants)


def checked(raw: Any, pictures: Sequence[str] = ("picture",), most: int = 12, wants: Type | None = None) -> Plan:
    """A plan from plain data; see `read`."""
    steps = raw.get("steps") if isinstance(raw, dict) else None
    if not isinstance(steps, list) or not all(isinstance(s, dict) for s in steps) or not steps:
        raise BadPlan([Problem("bad_json", 0, 'the plan must hold "steps", a list of objects, and "answer"')])
    if len(steps) > most:
        raise BadPlan([Problem("too_many", 0, f"the plan has {len(steps)} steps; at most {most} are allowed")])
    return _Check(steps, pictures).plan(raw, wants)


class _Check:
    """One walk over the steps, which notes every problem and the type of every name."""

    def __init__(self, steps: list[dict[str, Any]], pictures: Sequence[str]) -> None:
        self.rows, self.pictures = steps, tuple(pictures)
        self.types: dict[str, Type] = dict.fromkeys(pictures, "picture")
        self.problems: list[Problem] = []
        self.at = 0

    def plan(self, raw: Mapping[str, Any], wants: Type | None) -> Plan:
        made = [self._step(number, row) for number, row in enumerate(self.rows, start=1)]
        self.at = 0
        for extra in raw.keys() - {"steps", "answer"}:
            self._note("unknown_field", f'the plan has no field {extra!r}, only "steps" and "answer"')
        answer = raw.get("answer")
        if not isinstance(answer, str) or answer not in self.types:
            self._note("no_answer", f'"answer" must name what a step makes, not {_short(answer)}')
        elif wants and self.types[answer] != wants:
            self._note("wrong_type", f"the answer must be {wants}, and {answer!r} is {self.types[answer]}")
        elif self.types[answer] in ("picture", "regions"):
            self._note("wrong_type", f"the answer is {self.types[answer]}: count it, ask about it, or tell where it is")
        if self.problems:
            raise BadPlan(self.problems)
        return Plan(tuple(s for s in made if s), str(answer))

    def _step(self, number: int, row: dict[str, Any]) -> Step | None:
        """The step; its name is known afterwards even where something else is wrong, to tell no problem twice."""
        self.at = number
        do, name = row.get("do"), row.get("name")
        if not isinstance(do, str) or do not in MAKES:
            self._note("unknown_step", f"there is no step {_short(do)}; the steps are: {', '.join(MAKES)}")
            makes: Type = "text"
        else:
            given = NEEDED[do] + ALLOWED.get(do, ())
            for field in row.keys() - {"name", "do", *given}:
                self._note("unknown_field", f"{do} has no field {_short(field)}; it takes: {', '.join(given)}")
            for field in (f for f in NEEDED[do] if f not in row):
                self._note("missing_field", f"{do} misses {field!r}")
            makes = self._fields(do, row)
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > 40:
            self._note("bad_name", f"{_short(name)} is no name: small letters, digits and single underscores")
            return None
        if name in self.types:
            self._note("repeated_name", f"the name {name!r} is taken")
        self.types.setdefault(name, makes)
        return Step(name, str(do), {k: v for k, v in row.items() if k not in ("name", "do")}, makes)

    def _fields(self, do: str, row: dict[str, Any]) -> Type:
        """Checks the fields of a known step and says what it makes."""
        for field, value in row.items():
            if (allowed := CHOICES.get((do, field))) and value not in allowed:
                self._note("bad_value", f"{field!r} must be one of {', '.join(allowed)}, not {_short(value)}")
            elif wanted := REFERENCES.get((do, field)):
                self._type_of(value, (wanted,))
            elif field in ("phrase", "question"):
                self._words(field, value)
        where = {"find": "in", "ask": "about"}.get(do)
        if where and where not in row and len(self.pictures) > 1:
            self._note("missing_field", f"{do} misses {where!r}: one of {', '.join(self.pictures)}")
        if do == "compare":
            self._compare(row)
        if do == "combine":
            return self._combine(row)
        kind = row.get("as")
        return kind if do == "ask" and kind in ("truth", "number") else MAKES[do]

    def _words(self, field: str, value: Any) -> None:
        if not isinstance(value, str) or not value.strip() or len(value) > 400:
            self._note("bad_value", f"{field!r} must be a short text, not {_short(value)}")
            return
        for hole in _HOLE.findall(value):
            self._type_of(hole, ("text", "number", "truth"))
        if set("{}") & set(_HOLE.sub("", value)):
            self._note("bad_value", f"{field!r} holds a brace that names nothing")

    def _compare(self, row: Mapping[str, Any]) -> None:
        how = row.get("is")
        wanted: tuple[Type, ...] = ("number",) if how in ORDERED else ("regions",) if how in PLACED else ("number", "text", "truth")  # fmt: skip
        left = self._type_of(row["left"], wanted) if "left" in row else None
        right = self._literal(row["right"], wanted) if "right" in row else None
        if how in SAME and left and right and left != right:
            self._note("wrong_type", f"compare wants two of a kind, and these are {left} and {right}")

    def _literal(self, value: Any, wanted: tuple[Type, ...]) -> Type | None:
        """The type of a constant, or of what a name stands for."""
        if isinstance(value, str):
            return self._type_of(value, wanted)
        if isinstance(value, dict) and list(value) == ["text"] and isinstance(value["text"], str):
            kind: Type = "text"
        elif isinstance(value, (bool, int, float)):
            kind = "truth" if isinstance(value, bool) else "number"
        else:
            self._note("bad_value", f'{_short(value)} is no name, number, true, false or {{"text": "…"}}')
            return None
        if kind not in wanted:
            self._note("wrong_type", f"{_short(value)} is {kind}, and {' or '.join(wanted)} is wanted")
        return kind

    def _combine(self, row: Mapping[str, Any]) -> Type:
        how, names = row.get("how"), row.get("of")
        if not isinstance(names, list):
            self._note("bad_value", f"'of' must be a list of names, not {_short(names)}")
            return "truth"
        sizes = {"not": (1, 1), "difference": (2, 2), "if": (3, 3)}
        least, largest = sizes.get(str(how), (2, 12))
        if not least <= len(names) <= largest:
            self._note("bad_value", f"combine {how!r} takes {least}{'' if least == largest else ' or more'} names, not {len(names)}")  # fmt: skip
        numbers = how in ("sum", "difference")
        wanted: tuple[Type, ...] = ("number",) if numbers else ("truth",)
        if how != "if":
            for name in names:
                self._type_of(name, wanted)
            return "number" if numbers else "truth"
        self._type_of(names[0] if names else None, ("truth",))
        branches = [self._type_of(name, ("text", "number", "truth")) for name in names[1:3]]
        if len(set(branches)) > 1 and all(branches):
            self._note("wrong_type", f"both ends of an if must be of a kind, not {' and '.join(map(str, branches))}")
        return branches[0] if branches and branches[0] else "truth"

    def _type_of(self, name: Any, wanted: tuple[Type, ...]) -> Type | None:
        """The type behind a name; a problem where there is none, or another."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._note("bad_name", f"{_short(name)} is no name; attributes, calls and indexing do not exist here")
            return None
        if name not in self.types:
            self._note(*self._missing(name))
            return None
        if self.types[name] not in wanted:
            self._note("wrong_type", f"{name!r} is {self.types[name]}, and {' or '.join(wanted)} is wanted")
            return None
        return self.types[name]

    def _missing(self, name: str) -> tuple[str, str]:
        """Why a name is not there yet."""
        maker = {str(row.get("name")): row for row in reversed(self.rows)}
        if name not in maker:
            return "undefined", f"{name!r} is undefined; so far there are: {', '.join(self.types)}"
        here, seen, waiting = str(self.rows[self.at - 1].get("name")), set[str](), [name]
        while waiting:
            if (one := waiting.pop()) == here:
                return "cycle", f"{here!r} and {name!r} wait for each other"
            if one in maker and one not in seen:
                seen.add(one)
                waiting += _uses(maker[one])
        return "order", f"{name!r} is made by a later step; put that step in front"

    def _note(self, kind: str, message: str) -> None:
        self.problems.append(Problem(kind, self.at, message))


def _uses(row: Mapping[str, Any]) -> Iterator[str]:
    """The names that a step looks up."""
    for field, value in row.items():
        if field in ("phrase", "question") and isinstance(value, str):
            yield from _HOLE.findall(value)
        elif field in ("in", "about", "around", "of", "left", "right"):
            yield from [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "…"
