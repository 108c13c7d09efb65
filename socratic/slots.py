"""What a prompt's slots and blocks let happen: free text in a system message, blocks that are never reached, its length.

Looks at the template alone; what it finds are doubts, not errors, and no value is rendered.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from socratic.template import roles_marked, sandbox

if TYPE_CHECKING:
    from jinja2 import nodes

CHARACTERS_PER_TOKEN = 4
"""The rule of thumb for English; what a tokenizer makes of a text can be half or double of it."""
_FREE = {"string", "array", "object"}
_COUNTS = {"length", "count", "int", "float", "round", "abs"}
_MARK = "\x00"
_ROLE = re.compile(rf"{_MARK}role:(\w+);")


def tokens(body: str) -> int:
    """About how many tokens the fixed text of all blocks has, without values; never less than one."""
    texts = "".join(text for _, text in _read(body) if isinstance(text, str))
    return max(1, math.ceil(len(_ROLE.sub("", texts).strip()) / CHARACTERS_PER_TOKEN))


def doubts(body: str, kinds: Mapping[str, str]) -> list[str]:
    """Warnings about the slots and blocks of a body.

    Args:
        body: one that Jinja can read.
        kinds: the kind of each declared input.
    """
    return [*_injection_prone(body, kinds), *unreachable(body, set(kinds))]


def _injection_prone(body: str, kinds: Mapping[str, str]) -> list[str]:
    """Free text that would speak with the authority of a system message."""
    role, found = "", dict[str, int]()
    for line, part in _read(body):
        if isinstance(part, str):
            role = ([role, *_ROLE.findall(part)])[-1]
        elif role == "system":
            for name in part:
                if kinds.get(name) in _FREE:
                    found.setdefault(name, line)
    return [
        f"warning: line {line}: {name!r} is free text in a system message: whoever fills it gives orders; "
        "put it into a user: message"
        for name, line in found.items()
    ]


def _read(body: str) -> Iterator[tuple[int, str | set[str]]]:
    """The body in the order of reading: its line, and fixed text or the inputs that a slot shows."""
    from jinja2 import nodes

    tree = sandbox().parse(roles_marked(body, _MARK))
    sources: dict[str, set[str]] = {}

    def walk(node: nodes.Node) -> Iterator[tuple[int, str | set[str]]]:
        if isinstance(node, nodes.TemplateData):
            yield node.lineno, node.data
        elif isinstance(node, nodes.Output):
            for child in node.nodes:
                if isinstance(child, nodes.TemplateData):
                    yield child.lineno, child.data
                else:
                    yield child.lineno, _shown(child, sources)
        else:
            if isinstance(node, (nodes.For, nodes.Assign)):
                made_from = _shown(node.iter if isinstance(node, nodes.For) else node.node, sources)
                for name in _names(node.target):
                    sources[name] = made_from
            for inner in node.iter_child_nodes():
                if not isinstance(inner, nodes.Expr):
                    yield from walk(inner)

    return walk(tree)


def _shown(node: nodes.Node, sources: Mapping[str, set[str]]) -> set[str]:
    """The inputs whose text an expression shows: not those that it only counts or tests."""
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        return sources.get(node.name, {node.name})
    if isinstance(node, (nodes.Compare, nodes.Test, nodes.Not)):
        return set()
    if isinstance(node, nodes.Filter) and node.name in _COUNTS:
        return set()
    if isinstance(node, nodes.CondExpr):
        return _shown(node.expr1, sources) | (_shown(node.expr2, sources) if node.expr2 else set())
    return {name for child in node.iter_child_nodes() for name in _shown(child, sources)}


def _names(node: nodes.Node) -> set[str]:
    from jinja2 import nodes

    own = {node.name} if isinstance(node, nodes.Name) else set()
    return own | {found.name for found in node.find_all(nodes.Name)}


def unreachable(body: str, declared: set[str]) -> list[str]:
    """Blocks that no value reaches: their test is a constant, or was decided by a block around them."""
    from jinja2 import nodes

    tree = sandbox().parse(body)
    moving = {n for node in tree.find_all((nodes.For, nodes.Assign)) for n in _names(node.target)}  # type: ignore[attr-defined]
    fixed = declared - moving
    told: list[str] = []

    def walk(node: Any, known: Mapping[str, bool]) -> None:
        if isinstance(node, nodes.If):
            branches(node, known)
            return
        if isinstance(node, nodes.For) and isinstance(node.iter, (nodes.List, nodes.Tuple)) and not node.iter.items:
            told.append(f"warning: line {node.lineno}: this loop has nothing to go over")
        for child in node.iter_child_nodes():
            walk(child, known)

    def branches(node: Any, known: Mapping[str, bool]) -> None:
        now = dict(known)
        decided = False
        for branch in [node, *node.elif_]:
            holds = None if decided else _decided(branch.test, now)
            if decided or holds is False:
                told.append(f"warning: line {branch.lineno}: this block is never reached")
            inside = now if decided else {**now, **_learnt(branch.test, True, fixed)}
            for child in branch.body:
                walk(child, inside)
            now.update(_learnt(branch.test, False, fixed))
            decided = decided or holds is True
        if decided and node.else_:
            told.append(f"warning: line {node.else_[0].lineno}: this else is never reached")
        for child in node.else_:
            walk(child, now)

    walk(tree, {})
    return told


def _decided(test: Any, known: Mapping[str, bool]) -> bool | None:
    """Whether a test always holds, never does, or None where values decide."""
    from jinja2 import nodes

    if isinstance(test, nodes.Not):
        inner = _decided(test.node, known)
        return None if inner is None else not inner
    try:
        return bool(test.as_const())
    except nodes.Impossible:
        return known.get(repr(test))


def _learnt(test: Any, holds: bool, fixed: set[str]) -> dict[str, bool]:
    """What is known of tests where this one holds or not; only of values that stay the same."""
    from jinja2 import nodes

    if isinstance(test, nodes.Not):
        return _learnt(test.node, not holds, fixed)
    if isinstance(test, nodes.And if holds else nodes.Or):
        return {**_learnt(test.left, holds, fixed), **_learnt(test.right, holds, fixed)}
    return {repr(test): holds} if _names(test) <= fixed else {}
