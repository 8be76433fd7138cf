"""A config file as a flat list of entries, each with the line it stands on.

Rules:
1. Nothing is constructed: the YAML's nodes are walked, so a tag can make no object and a scalar stays the text it is.
2. What would be lost silently is an error: a key given twice, a list, a tag, a second document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from replayproxy.errors import ConfigError

if TYPE_CHECKING:
    import yaml

__all__ = ["Entry", "read_config"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A setting as a source spells it.

    `name` is how the source names it (`record.failures`, `REPLAYPROXY_RECORD__FAILURES`), `text` its value (None: the
    name stands there with nothing behind it), `place` where it was found, for people.
    """

    name: str
    text: str | None
    place: str


def read_config(path: Path, shown: str) -> tuple[Entry, ...]:
    """The entries of the YAML file `path`, which messages call `shown`; nested names are joined by dots.

    Raises ConfigError, naming the line, when it cannot be read or is not a plain YAML mapping.
    """
    import yaml  # costs 30 ms, which a start without a file need not pay

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(path.read_bytes(), Loader=loader)
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{shown}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{shown}: not YAML: {' '.join(str(error).split())}") from None
    return tuple(_entries(root, (), shown, 1)) if root is not None and root.tag != _NULL else ()


def _entries(node: yaml.Node, name: tuple[str, ...], shown: str, line: int) -> Iterator[Entry]:
    import yaml

    if node.tag not in _TAGS:
        raise ConfigError(f"{shown}:{line}: the tag {node.tag} is not supported here")
    empty = node.tag == _NULL or (isinstance(node, yaml.MappingNode) and not node.value)
    if empty or (isinstance(node, yaml.ScalarNode) and name):
        yield Entry(".".join(name), None if empty else node.value, f"{shown}:{line}")
    elif isinstance(node, yaml.MappingNode):
        yield from _mapping(node, name, shown)
    else:
        expected = f"one value for `{'.'.join(name)}`, not a list" if name else "a mapping of settings"
        raise ConfigError(f"{shown}:{line}: expected {expected}")


def _mapping(node: yaml.MappingNode, name: tuple[str, ...], shown: str) -> Iterator[Entry]:
    import yaml

    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{shown}:{line}: expected the name of a setting, not a list or a mapping")
        if key.value in lines:
            raise ConfigError(f"{shown}:{line}: `{key.value}` is given twice, first on line {lines[key.value]}")
        lines[key.value] = line
        if len(name) == _DEEPEST:
            raise ConfigError(f"{shown}:{line}: `{'.'.join(name)}` holds no further settings")
        yield from _entries(value, (*name, key.value), shown, line)


_NULL = "tag:yaml.org,2002:null"
_TAGS = {f"tag:yaml.org,2002:{word}" for word in ("bool", "float", "int", "map", "null", "seq", "str", "timestamp")}

#: Settings are nested two levels deep; a little further it is not worth saying what is wrong (and an alias that
#: contains itself ends here).
_DEEPEST = 3
