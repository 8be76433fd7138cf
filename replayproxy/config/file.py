"""A config file as a flat list of entries, each with the line it stands on.

Rules:
1. Nothing is constructed: the YAML's nodes are walked, so a tag can make no object and a scalar stays the text it is.
2. What would be lost silently is an error: a key given twice, a tag, a second document.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from replayproxy.config.nodes import Node
from replayproxy.errors import ConfigError

if TYPE_CHECKING:
    import yaml

__all__ = ["Entry", "read_config"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A setting as a source spells it.

    `name` is how the source names it (`record.failures`, `REPLAYPROXY_RECORD__FAILURES`), `node` its value: nothing
    when the name stands there with nothing behind it.
    """

    name: str
    node: Node


def read_config(path: Path, shown: str, mappings: Container[str] = ()) -> tuple[Entry, ...]:
    """The entries of the YAML file `path`, which messages call `shown`; nested names are joined by dots.

    `mappings` are the names of settings that are mappings themselves. Raises ConfigError, naming the line, when the
    file cannot be read or is not a plain YAML mapping.
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
    return tuple(_entries(root, (), f"{shown}:1", mappings)) if root is not None and root.tag != _NULL else ()


def _entries(node: yaml.Node, name: tuple[str, ...], place: str, mappings: Container[str]) -> Iterator[Entry]:
    import yaml

    _refuse_tags(node, place)
    joined = ".".join(name)
    if isinstance(node, yaml.MappingNode) and node.value and joined not in mappings:
        for key, inside, here in _members(node, place):
            if len(name) == _DEEPEST:
                raise ConfigError(f"{here}: `{joined}` holds no further settings")
            yield from _entries(inside, (*name, key), here, mappings)
    elif name:
        yield Entry(joined, _node(node, place, _DEEPEST_VALUE))
    else:
        raise ConfigError(f"{place}: expected a mapping of settings")


def _node(node: yaml.Node, place: str, depth: int) -> Node:
    import yaml

    _refuse_tags(node, place)
    if not depth:
        raise ConfigError(f"{place}: nested too deeply")
    if isinstance(node, yaml.MappingNode) and node.value:
        return Node({key: _node(inside, here, depth - 1) for key, inside, here in _members(node, place)}, place)
    if isinstance(node, yaml.SequenceNode):
        items = ((item, _place(place, item)) for item in node.value)
        return Node(tuple(_node(item, here, depth - 1) for item, here in items), place)
    return Node(None if isinstance(node, yaml.MappingNode) or node.tag == _NULL else node.value, place)


def _refuse_tags(node: yaml.Node, place: str) -> None:
    if node.tag not in _TAGS:
        raise ConfigError(f"{place}: the tag {node.tag} is not supported here")


def _members(node: yaml.MappingNode, place: str) -> Iterator[tuple[str, yaml.Node, str]]:
    """The members of a mapping: name, value and place."""
    import yaml

    lines: dict[str, int] = {}
    for key, value in node.value:
        line, here = key.start_mark.line + 1, _place(place, key)
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{here}: expected the name of a setting, not a list or a mapping")
        if key.value in lines:
            raise ConfigError(f"{here}: `{key.value}` is given twice, first on line {lines[key.value]}")
        lines[key.value] = line
        yield key.value, value, here


def _place(place: str, node: yaml.Node) -> str:
    """The place of a node in the file that `place` is in."""
    return f"{place.rpartition(':')[0]}:{node.start_mark.line + 1}"


_NULL = "tag:yaml.org,2002:null"
_TAGS = {f"tag:yaml.org,2002:{word}" for word in ("bool", "float", "int", "map", "null", "seq", "str", "timestamp")}

#: Settings are nested two levels deep, and values three; a little further it is not worth saying what is wrong (and an
#: alias that contains itself ends here).
_DEEPEST, _DEEPEST_VALUE = 3, 4
