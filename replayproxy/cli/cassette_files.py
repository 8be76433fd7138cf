"""Cassettes as the command line names them: a file, a folder of them, an interaction by its number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from replayproxy.errors import CassetteError

if TYPE_CHECKING:
    from replayproxy.core.cassette import Interaction
    from replayproxy.stores import FileStore

__all__ = ["InteractionNumber", "cassettes_in", "interaction_in", "store_of", "told_size"]

#: What the head of a cassette says, and what the first line of an interaction that was recorded says.
_HEAD = re.compile(rb"^replayproxy[ \t]*:", re.MULTILINE)
_TITLE = re.compile(rb"^---[ \t]+#[ \t]*(\d+)(?::[ \t]*([^\r\n]*))?", re.MULTILINE)
#: So much of a file is looked at: to see whether it is a cassette, and to offer its interactions while somebody types.
_BEGINNING, _OFFERED = 64 * 1024, 16 * 1024 * 1024


class InteractionNumber(click.IntRange):
    """The number of an interaction. Completion offers those of the cassette that the argument `path` names."""

    def __init__(self) -> None:
        super().__init__(min=1)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """The numbers that begin as typed, each with its request where the recorder wrote it down."""
        from replayproxy.cli.terminal import printable

        try:
            with Path(ctx.params.get("path") or "").open("rb") as file:
                text = file.read(_OFFERED)
        except OSError:
            return []
        found = (
            (number.decode(), printable(title.decode("utf-8", "replace"))) for number, title in _TITLE.findall(text)
        )
        return [CompletionItem(number, help=title or None) for number, title in found if number.startswith(incomplete)]


def store_of(path: Path) -> FileStore:
    """The cassette that somebody named, a link on purpose."""
    from replayproxy.stores import FileStore
    from replayproxy.stores.plain_files import followed

    return FileStore(followed(path))


def interaction_in(path: Path, number: int) -> Interaction:
    """Interaction `number` of the cassette in `path`; CassetteError says how many there are."""
    interactions = store_of(path).load().interactions
    if not 1 <= number <= len(interactions):
        what = f"there is no interaction {number}"
        cure = f"It has {len(interactions)}: `replayproxy cassette list {path}`"
        raise CassetteError(what, path=str(path), cure=cure)
    return interactions[number - 1]


def cassettes_in(paths: Iterable[Path]) -> list[Path]:
    """The cassettes that are named, and those in the folders that are named; CassetteError when nothing is there."""
    found = list[Path]()
    for path in paths:
        if not path.exists():
            raise CassetteError("there is no such file or folder", path=str(path), cure="Name a cassette or a folder")
        found += sorted(filter(_is_cassette, path.rglob("*.yaml"))) if path.is_dir() else [path]
    return found


def told_size(count: int) -> str:
    """So many bytes, for people."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def _is_cassette(path: Path) -> bool:
    """Whether it looks like one; a folder of cassettes may have other YAML in it."""
    try:
        with path.open("rb") as file:
            return bool(_HEAD.search(file.read(_BEGINNING)))
    except OSError:
        return False
