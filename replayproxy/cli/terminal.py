"""What is printed on a terminal: text from strangers made harmless, tables, JSON.

Rule: whatever holds text of a cassette, a file's name or an error goes through here, since any of them may steer a
terminal; so nothing but line ends and tabs is printed that is no character to be seen.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence

import click

__all__ = ["print_json", "print_table", "printable", "say"]

# Controls but tab and line end, C1, what is not seen (zero-width and format characters, tags, the byte order mark),
# line separators, bidirectional controls and lone surrogates: they move the cursor, set titles and clipboards, or show
# another text than is there.
_HARMFUL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_WIDE = 240


def printable(text: str) -> str:
    """Text that a terminal only shows: what could do something else is spelled out (`\\x1b`)."""
    return _HARMFUL.sub(_spelled, text)


def say(text: str, *, err: bool = False) -> None:
    """Prints text, made printable, on standard output, or on standard error with `err`."""
    click.echo(printable(text), err=err)


def print_json(value: object, *, indent: int | None = 2) -> None:
    """Prints a value as JSON in ASCII, without control characters."""
    click.echo(json.dumps(value, indent=indent).replace("\x7f", "\\u007f"))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """A table on standard output, without colours; `right` are the numbers of the columns that are aligned to the
    right. Cells are made printable, and hold no markup."""
    from rich.console import Console  # here, since most commands print no table
    from rich.table import Table
    from rich.text import Text

    # Made here, since the standard output of now counts; a file or pipe has no width to cut lines at.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE, color_system=None)
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
