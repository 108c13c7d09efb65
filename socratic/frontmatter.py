"""The YAML head of a prompt file as plain data; refuses what YAML allows and a reader would not expect."""

from __future__ import annotations

from typing import Any

from socratic.errors import PromptError

_DEEPEST = 20


def front_matter(text: str, path: str) -> dict[str, Any]:
    """The front matter as plain data. Aliases and repeated keys are refused, and nothing is constructed."""
    import yaml

    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise PromptError(f"{path}: YAML aliases are not allowed in front matter")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:  # the YAML reader needs 25 s for 20,000 levels
                raise PromptError(f"{path}: the front matter is nested more than {_DEEPEST} levels deep")
        _refuse_repeated_keys(yaml.compose(text, yaml.SafeLoader), path)
        data = yaml.safe_load(text)
    except PromptError:
        raise
    except Exception as error:  # also the ValueError of a date such as 2026-99-99
        raise PromptError(f"{path}: the front matter is not YAML: {error}") from error
    if not isinstance(data, dict):
        raise PromptError(f"{path}: the front matter must be a mapping")
    return data


def _refuse_repeated_keys(node: Any, path: str) -> None:
    children = getattr(node, "value", None)
    if not isinstance(children, list):
        return
    pairs = [c for c in children if isinstance(c, tuple)]
    keys = [key.value for key, _ in pairs]
    if repeated := {k for k in keys if keys.count(k) > 1}:
        raise PromptError(f"{path}: line {node.start_mark.line + 2}: repeated key {', '.join(sorted(repeated))}")
    for child in [value for _, value in pairs] + [c for c in children if not isinstance(c, tuple)]:
        _refuse_repeated_keys(child, path)
