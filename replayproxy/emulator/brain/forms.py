"""Mappings of a YAML file, read key by key; each complaint names the file, the line, the place and a cure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from replayproxy.config.nodes import similar
from replayproxy.core.json_layout import Number
from replayproxy.core.yaml_read import Mapping, Sequence, read_document
from replayproxy.errors import CassetteError, ConfigError

__all__ = ["Form", "plain", "read_form"]


def read_form(text: str, shown: str) -> Form:
    """The mapping that a YAML file is; an empty file is an empty one. ConfigError, with its line, when it is none."""
    try:
        found = read_document(text)
    except CassetteError as error:
        raise ConfigError(f"{shown}:{error.line}: {error.what}. Mend the line: plain YAML is expected") from None
    if found is None:
        found = Mapping(1)
    if not isinstance(found, Mapping):
        raise ConfigError(f"{shown}:1: expected a mapping, not {_shape(found)}. Begin with `replies:`")
    return Form(found, "", shown)


class Form:
    """A mapping of the file; `path` is where it stands in it (`replies[0].when`), `shown` what the file is called."""

    def __init__(self, mapping: Mapping, path: str, shown: str) -> None:
        self.mapping, self.path, self.shown = mapping, path, shown

    def __contains__(self, key: str) -> bool:
        return self.mapping.get(key) is not None

    def fail(self, key: str, what: str) -> NoReturn:
        """ConfigError about what stands under a key; about the whole mapping for ""."""
        line = self.mapping.lines.get(key, self.mapping.line)
        raise ConfigError(f"{self.shown}:{line}: {self._place(key)}: {what}")

    def check(self, known: Iterable[str]) -> None:
        """Refuses keys that are not known."""
        names = tuple(known)
        for key in self.mapping:
            if key not in names:
                near = similar(key, names) or f"; known here are {', '.join(names)}"
                self.fail(key, f"unknown key{near}")

    def text(self, key: str) -> str | None:
        """Text."""
        return self._text(key, self.mapping.get(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Text, or a list of texts."""
        found = self.mapping.get(key)
        items = found if isinstance(found, list) else [] if found is None else [found]
        return tuple(str(self._text(key, each)) for each in items)

    def word(self, key: str, *words: str) -> str | None:
        """One of several words."""
        found = self.mapping.get(key)
        if found is not None and found not in words:
            self.fail(key, f"expected one of {', '.join(words)}, not {found!r:.80}{similar(str(found), words)}")
        return found

    def whole(self, key: str, least: int = 0) -> int | None:
        """A whole number."""
        found = self.mapping.get(key)
        if found is not None and (not isinstance(found, int) or isinstance(found, bool) or found < least):
            self.fail(key, f"expected a whole number from {least}, not {found!r:.80}")
        return found

    def seconds(self, key: str) -> float | None:
        """A number of seconds."""
        found = self.mapping.get(key)
        if found is None:
            return None
        number = float(found) if isinstance(found, int | float | Number) and not isinstance(found, bool) else math.nan
        if not (math.isfinite(number) and number >= 0):
            self.fail(key, f"expected a number of seconds from 0, not {found!r:.80}")
        return number

    def flag(self, key: str) -> bool | None:
        """True or false."""
        found = self.mapping.get(key)
        if found is not None and not isinstance(found, bool):
            self.fail(key, f"expected true or false, not {found!r:.80}")
        return found

    def pattern(self, key: str) -> re.Pattern[str]:
        """A regular expression."""
        try:
            return re.compile(self.text(key) or "")
        except re.error as error:
            self.fail(key, f"no regular expression: {error}. Write a backslash in 'single quotes' or without any")

    def form(self, key: str) -> Form:
        """A mapping; an empty one when there is nothing."""
        found = self.mapping.get(key)
        if found is None:
            found = Mapping(self.mapping.lines.get(key, self.mapping.line))
        if not isinstance(found, Mapping):
            self.fail(key, f"expected a mapping, not {_shape(found)}")
        return Form(found, self._place(key), self.shown)

    def forms(self, key: str) -> tuple[Form, ...]:
        """A list of mappings; an empty one when there is nothing."""
        found = self.mapping.get(key)
        if found is None:
            return ()
        if not isinstance(found, Sequence):
            self.fail(key, f"expected a list, not {_shape(found)}. Begin each item with `- `")
        return tuple(self._item(key, found, place) for place in range(len(found)))

    def _item(self, key: str, items: Sequence, place: int) -> Form:
        item, path = items[place], f"{self._place(key)}[{place}]"
        if not isinstance(item, Mapping):
            line = items.lines[place]
            raise ConfigError(f"{self.shown}:{line}: {path}: expected a mapping, not {_shape(item)}")
        return Form(item, path, self.shown)

    def _text(self, key: str, found: Any) -> str | None:
        if found is not None and (not isinstance(found, str) or isinstance(found, Number)):
            self.fail(key, f"expected text, not {_shape(found)}. Put it in quotes")
        return found

    def _place(self, key: str) -> str:
        return f"{self.path}.{key}".strip(".")


def plain(value: Any) -> Any:
    """What the file has, as JSON has it."""
    if isinstance(value, dict):
        return {name: plain(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [plain(inside) for inside in value]
    if isinstance(value, Number):
        return float(value) if set(value) & set(".eE") else int(value)
    return value


def _shape(value: Any) -> str:
    if isinstance(value, bool | int | float | Number):
        return f"{value}".lower() if isinstance(value, bool) else f"the number {value}"
    return (
        "nothing"
        if value is None
        else "text"
        if isinstance(value, str)
        else ("a list" if isinstance(value, list) else "a mapping")
    )
