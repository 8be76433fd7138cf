"""Things that are there from the start, under ids of somebody else's choice: a `fixtures:` file.

A mapping from kinds ("thread", "vector store", as the API's errors call them) to lists of objects, as the API answers
them; fields that are left out get the emulator's defaults. `parent` is the id of what the object hangs from, `content`
the text of a file, or `path` where it is (relative to the fixtures file).

    assistant:
      - {id: asst_made_in_a_dashboard, name: Helper, model: gpt-4o}
    message:
      - {id: msg_1, parent: thread_1, role: user}
    file:
      - {id: file-manual, filename: manual.md, path: manual.md}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from replayproxy.emulator.records import Kind, Record
from replayproxy.emulator.state import State
from replayproxy.errors import ConfigError

__all__ = ["Fixtures", "add_fixtures", "read_fixtures"]

#: Objects by kind, the contents of files as bytes under `content`.
Fixtures = Mapping[str, list[dict[str, Any]]]

_OWN = ("parent", "content", "path")


def read_fixtures(path: Path, kinds: Iterable[str]) -> Fixtures:
    """The objects of a file, by kind; the contents of files are read. ConfigError when something is wrong with it."""
    import yaml  # costs 30 ms, which a start without fixtures need not pay

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        found = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 -- a safe one
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: the fixtures cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: fixtures are a mapping from kinds (thread, file) to lists of objects")
    for kind, objects in found.items():
        _check(path, str(kind), objects, tuple(kinds))
    return {str(kind): [_whole(path, each) for each in objects] for kind, objects in found.items()}


def add_fixtures(state: State, fixtures: Fixtures) -> None:
    """Puts the objects of `read_fixtures` into a state; those that are there already are replaced."""
    for name, objects in fixtures.items():
        for given in objects:
            _add(state, state.kinds[name], given)


def _add(state: State, kind: Kind, given: dict[str, Any]) -> None:
    def fill(record: Record) -> None:
        kind.invent(state, record)
        record.json |= {name: value for name, value in given.items() if name not in _OWN}
        if "content" in given:
            record.blob = given["content"]

    state.add(kind, fill, id_=given["id"], under=given.get("parent", ""))


def _check(path: Path, kind: str, objects: Any, kinds: tuple[str, ...]) -> None:
    if kind not in kinds:
        near = difflib.get_close_matches(kind, kinds, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(kinds))}"
        raise ConfigError(f"{path}: there is no kind {kind!r:.60}; {hint}")
    if not isinstance(objects, list):
        raise ConfigError(f"{path}: {kind}: expected a list of objects")
    for number, each in enumerate(objects, 1):
        if not isinstance(each, dict) or not isinstance(each.get("id"), str) or not each["id"]:
            raise ConfigError(f"{path}: {kind} {number}: expected a mapping with an `id`")
        wrong = [name for name in _OWN if name in each and not isinstance(each[name], str)]
        if wrong:
            raise ConfigError(f"{path}: {kind} {number}: `{wrong[0]}` is no text; put it in quotes")


def _whole(path: Path, given: dict[str, Any]) -> dict[str, Any]:
    if "path" in given:
        try:
            return given | {"content": (path.parent / given["path"]).read_bytes()}
        except OSError as error:
            raise ConfigError(f"{path}: the content of {given['id']} cannot be read: {error}") from None
    return given | {"content": given["content"].encode()} if "content" in given else given
