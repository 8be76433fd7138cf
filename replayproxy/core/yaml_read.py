"""Reads one YAML document from a stranger into plain values, from the parser's events.

Rules:
1. No tags, anchors, aliases, directives or repeated keys; depth and number of nodes are limited. Depth is counted
   while the events come, since the C library takes quadratic time over deep nesting and its own loader crashes on it.
2. Plain `null`, `true`, `false`, numbers in JSON's grammar and nothing at all mean what they mean in JSON; every other
   scalar is a string, so that `NO`, `1:30`, `0777` and dates stay what they look like. Keys are always strings.
3. Everything that can go wrong is a `CassetteError` with a line.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import yaml

from replayproxy.core.json_layout import plain_or_number
from replayproxy.errors import CassetteError

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "MAX_NODES", "Mapping", "Sequence", "read_document"]

#: Budgets of one document.
MAX_CHARACTERS = 64 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 2_000_000

_CURE = "Mend the line, or set the file aside and record again"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"": None, "null": None, "true": True, "false": False}


class Mapping(dict[str, Any]):
    """A mapping of the file, with the line it begins on and the lines of its keys."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Sequence(list[Any]):
    """A sequence of the file, with the line it begins on and the lines of its items."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def read_document(text: str, first_line: int = 1, *, loader: Any = _LOADER, max_nodes: int = MAX_NODES) -> Any:
    """The value of the one document in `text`; `first_line` is the number of its first line in the file.

    Mappings and sequences tell their lines, except below a key `json`, where they are plain dicts and lists.
    """
    if len(text) > MAX_CHARACTERS:
        raise CassetteError(f"a document of {len(text):,} characters is too large", line=first_line)
    construction = _Construction(first_line, max_nodes)
    try:
        for event in yaml.parse(text, Loader=loader):
            construction.take(event)
    except CassetteError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line + (mark.line if mark else 0)
        raise CassetteError(f"this is not YAML: {error.problem or error.context}", line=line, cure=_CURE) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CassetteError(f"this is not YAML: {problem}", line=first_line, cure=_CURE) from error
    return construction.value


class _Construction:
    """Builds the value event by event, with a stack of its own instead of recursion."""

    def __init__(self, first_line: int, max_nodes: int) -> None:
        self._first_line, self._max_nodes = first_line, max_nodes
        self._stack: list[dict[str, Any] | list[Any]] = []
        self._keys: list[str | None] = []
        self._plain_from = 0  # the depth below which mappings are data of a body; 0: none
        self._nodes = self._documents = 0
        self.value: Any = None

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._check_node(event)
            self._put(event.value if event.style else _resolve(event.value), event, is_scalar=True)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._check_node(event)
            self._open(kind is yaml.MappingStartEvent, event)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close()
        elif kind is yaml.AliasEvent:
            self._refuse("an alias (*NAME) stands here", event, "Write the value out")
        elif kind is yaml.DocumentStartEvent:
            self._begin(event)

    def _begin(self, event: Any) -> None:
        self._documents += 1
        if event.version or event.tags:
            self._refuse("a directive (%…) stands here", event, "Remove it")
        if self._documents > 1:
            self._refuse("a document begins inside another one", event, "End each document with a line `...`")

    def _check_node(self, event: Any) -> None:
        if event.tag is not None:
            self._refuse(f"a tag stands here ({event.tag!r:.60})", event, "Cassettes hold plain data: remove it")
        if event.anchor is not None:
            self._refuse(f"an anchor stands here (&{event.anchor:.60})", event, "Remove it and write values out")
        self._nodes += 1
        if self._nodes > self._max_nodes:
            self._refuse(f"the document has more than {self._max_nodes:,} values", event)

    def _open(self, is_mapping: bool, event: Any) -> None:
        depth = len(self._stack) + 1
        if depth > MAX_DEPTH:
            self._refuse(f"the document is nested more than {MAX_DEPTH} levels deep", event)
        line = event.start_mark.line + self._first_line
        if not self._plain_from and self._keys and self._keys[-1] == "json":
            self._plain_from = depth
        node: dict[str, Any] | list[Any] = {} if is_mapping else []
        if not self._plain_from:
            node = Mapping(line) if is_mapping else Sequence(line)
        self._put(node, event, is_scalar=False)
        self._stack.append(node)
        self._keys.append(None)

    def _close(self) -> None:
        if len(self._stack) == self._plain_from:
            self._plain_from = 0
        self._stack.pop()
        self._keys.pop()

    def _put(self, value: Any, event: Any, *, is_scalar: bool) -> None:
        if not self._stack:
            self.value = value
            return
        parent = self._stack[-1]
        if isinstance(parent, list):
            parent.append(value)
            if isinstance(parent, Sequence):
                parent.lines.append(event.start_mark.line + self._first_line)
        elif (key := self._keys[-1]) is not None:
            parent[key] = value
            self._keys[-1] = None
        elif is_scalar:
            self._put_key(parent, event)
        else:
            self._refuse("a key is no string", event)

    def _put_key(self, parent: dict[str, Any], event: Any) -> None:
        key: str = event.value
        if key in parent:
            self._refuse(f"the key {key!r:.80} stands here twice", event, "Keep one of them")
        if isinstance(parent, Mapping):
            parent.lines[key] = event.start_mark.line + self._first_line
        self._keys[-1] = key

    def _refuse(self, what: str, event: Any, cure: str = "") -> NoReturn:
        raise CassetteError(what, line=event.start_mark.line + self._first_line, cure=cure)


def _resolve(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    return plain_or_number(text) if _NUMBER.fullmatch(text) else text
