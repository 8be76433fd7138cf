"""Catalogs for the command line: the shipped one or a user's, and an operation by its name."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import click

from replayproxy import openai_api
from replayproxy.core.catalog import Catalog, Operation
from replayproxy.core.catalog_form import read_catalog
from replayproxy.errors import ConfigError

__all__ = [
    "LIST_HINT",
    "catalog_form",
    "catalog_header",
    "catalog_option",
    "named_operation",
    "read_bytes",
    "similar",
    "the_catalog",
]

_F = TypeVar("_F", bound=Callable[..., Any])
_MOST_SIMILAR = 3
#: Names that have less in common are not called similar (1.0: all).
_NEAR = 0.75

LIST_HINT = "All of them: `replayproxy catalog list`"


def catalog_option(command: _F) -> _F:
    """Add `--catalog`, given as `catalog_file: Path | None`."""
    return click.option(
        "--catalog",
        "catalog_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A catalog that `replayproxy catalog import` made.  [default: the OpenAI API's, which ships with this]",
    )(command)


def the_catalog(file: Path | None) -> Catalog:
    """The catalog in `file`, the shipped one without; ConfigError names the file."""
    return _read(file, read_bytes(file)) if file else openai_api.catalog()


def catalog_form(file: Path | None) -> Mapping[str, Any]:
    """The same as JSON, once it is sure to be a catalog."""
    if file is None:
        text = resources.files(openai_api).joinpath("catalog.json").read_bytes()
    else:
        _read(file, text := read_bytes(file))
    form: Mapping[str, Any] = json.loads(text)
    return form


def catalog_header(catalog: Catalog) -> str:
    """Which API, as of when, and how much of it."""
    about = " ".join(filter(None, (catalog.title or "A catalog", catalog.version)))
    dated = f"{about}, {catalog.date}" if catalog.date else about
    families = "family" if len(catalog.families) == 1 else "families"
    return f"{dated}: {len(catalog)} operations in {len(catalog.families)} {families}"


def named_operation(catalog: Catalog, name: str) -> Operation:
    """The operation called `name`; ConfigError tells the nearest names."""
    try:
        return catalog.operation(name)
    except KeyError:
        near = similar(name, (operation.id for operation in catalog))
        raise ConfigError(f"there is no operation {name!r:.80}{near or '.'} {LIST_HINT}") from None


def similar(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, to be put after a message about `name`; "" when nothing known comes near."""
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower()[:100], by_lower, n=_MOST_SIMILAR, cutoff=_NEAR)
    return f"; did you mean {' or '.join(repr(by_lower[each]) for each in near)}?" if near else ""


def read_bytes(file: Path) -> bytes:
    """The content of a file that the user named; ConfigError when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from error


def _read(file: Path, text: bytes) -> Catalog:
    try:
        return read_catalog(text)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
