"""Names that tests give to their sessions and cassettes: safe in a URL and in a file name, one for each test.

Rule: what is replaced or cut leaves a digest of the whole behind, so two tests never share a name.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path

import pytest

__all__ = ["cassette_folder", "cassette_name", "cassette_of", "name_of", "session_name"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
#: How long a file's name may get, without its ending: most file systems end at 255 bytes, and others put more behind.
_LONGEST = 150


def name_of(item: pytest.Item) -> str:
    """`TestClass.test_name[parameters]`: what a test is called within its module."""
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return ".".join([*classes, item.name])


def cassette_name(name: str) -> str:
    """The name of the file that a test called `name` is recorded into, without `.yaml`.

    Only a parameter's id can hold a hyphen, so the first one stands for the bracket: `test_pay[eur]` is `test_pay-eur`.
    """
    function, bracket, rest = name.partition("[")
    parameters = rest.removesuffix("]")
    plain = f"{function}-{parameters}" if bracket else function
    empty = bracket and not parameters
    safe = _UNSAFE.sub("-", plain)
    return safe if safe == plain and len(safe) <= _LONGEST and not empty else f"{safe[:_LONGEST]}-{_digest(name)}"


def session_name(node_id: str) -> str:
    """The name of the session of the test with that id."""
    name = _UNSAFE.sub("-", node_id.rpartition("::")[2]).strip(".-")[:100]
    return f"{name or 'test'}-{_digest(node_id)}"


def cassette_folder(module: Path, folder: str) -> Path:
    """Where the cassettes of the tests in the file `module` are; `folder` is a path relative to the module's own."""
    return module.parent / folder / module.stem


def cassette_of(item: pytest.Item, folder: str, named: str | Path | None) -> Path:
    """The cassette of a test: the one that its marker named, relative to the folder of cassettes, or its own."""
    if named is None:
        return cassette_folder(item.path, folder) / f"{cassette_name(name_of(item))}.yaml"
    path = item.path.parent / folder / named
    return path if path.suffix in (".yaml", ".yml") else path.with_name(f"{path.name}.yaml")


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
