"""What is printed on a terminal: text from strangers made harmless, tables, colours, the pager, JSON.

Rules:
1. Whatever holds text of a cassette, a file's name or an error goes through here, since any of them may steer a
   terminal; so nothing but line ends and tabs is printed that is no character to be seen. Colours are put around text
   that was made printable, and no text is read as markup.
2. Colours are for a terminal, or for whoever says FORCE_COLOR; NO_COLOR has the last word (https://no-color.org).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["Cell", "coloured", "console", "page", "print_json", "print_table", "printable", "say", "styled"]

#: A cell of a table: its text, or its text and how it looks on a terminal.
Cell = str | tuple[str, str]

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


def coloured(*, err: bool = False) -> bool:
    """Whether standard output, or standard error with `err`, is to be written to in colours."""
    if os.environ.get("NO_COLOR"):
        return False
    stream = sys.stderr if err else sys.stdout
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def styled(text: str, style: str = "") -> Text:
    """Text, made printable, that looks like `style` (of rich) where there are colours. It holds no markup."""
    from rich.text import Text  # here and below, since most commands print neither colours nor tables

    return Text().append(printable(text), style)  # as a part: what is appended to it has a look of its own


def console(*, err: bool = False) -> Console:
    """A console on the standard output, or the standard error, of now; a file or pipe has no width to cut lines at."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    return Console(
        stderr=err,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if stream.isatty() else _WIDE,
        color_system="standard" if coloured(err=err) else None,
        force_terminal=coloured(err=err) or None,
    )


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Sequence[int] = ()) -> None:
    """A table on standard output; `right` are the numbers of the columns that are aligned to the right. Cells are made
    printable, and hold no markup."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(styled(cell) if isinstance(cell, str) else styled(*cell) for cell in row))
    console().print(table)


def page(lines: Sequence[Text], *, pager: bool = True) -> None:
    """Prints lines on standard output, with the pager when that is a terminal which they do not fit on."""
    text = _ansi(lines) if coloured() else "\n".join(line.plain for line in lines)
    if pager and sys.stdout.isatty() and sys.stdin.isatty() and not _fits("\n".join(line.plain for line in lines)):
        click.echo_via_pager(f"{text}\n")
    else:
        click.echo(text, color=coloured())


def _ansi(lines: Iterable[Text]) -> str:
    shown = console()
    with shown.capture() as captured:
        for line in lines:
            shown.print(line, soft_wrap=True)
    return captured.get().removesuffix("\n")


def _fits(text: str) -> bool:
    width, height = shutil.get_terminal_size()
    return sum(1 + max(0, len(line) - 1) // max(1, width) for line in text.split("\n")) < height


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
