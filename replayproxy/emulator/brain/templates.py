"""Texts with places for values: `Hello {name}`.

Rules:
1. `{NAME}` is replaced where NAME (letters, digits, `_`) is a value that is known; all other braces are only text, so
   JSON can stand in a text as it is. `{{NAME}}` gives `{NAME}`.
2. A value is put in as it is, and never read as a template again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["filled", "filled_value", "names_in"]

_NAME = re.compile(r"\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}", re.ASCII)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text of a template."""
    return _NAME.sub(lambda found: f"{{{found[1]}}}" if found[1] else values.get(found[2], found[0]), template)


def filled_value(template: Any, values: Mapping[str, str]) -> Any:
    """A structure of JSON with all its texts filled; names of members are no templates."""
    if isinstance(template, Mapping):
        return {name: filled_value(inside, values) for name, inside in template.items()}
    if isinstance(template, list | tuple):
        return [filled_value(inside, values) for inside in template]
    return filled(template, values) if isinstance(template, str) else template


def names_in(template: Any) -> Iterator[str]:
    """The names of the values that a structure of JSON has places for."""
    if isinstance(template, Mapping | list | tuple):
        for inside in template.values() if isinstance(template, Mapping) else template:
            yield from names_in(inside)
    elif isinstance(template, str):
        yield from (found[2] for found in _NAME.finditer(template) if found[2])
