"""What is printed on a terminal: tables, and text from strangers made harmless."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["print_table", "printable"]

# Controls but tab and line end, C1, line separators, bidirectional controls, the byte order mark and lone surrogates:
# they move the cursor, set titles and clipboards, or show another text than is there.
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_WIDE = 240


def printable(text: str) -> str:
    """Text that a terminal only shows: what could do something else is spelled out (`\\x1b`)."""
    return _HARMFUL.sub(_spelled, text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """A table on standard output, without colours unless it is a terminal that wants them; `right` are the numbers of
    the columns that are aligned to the right. Cells are made printable, and hold no markup."""
    # Made here, since the standard output of now counts; a file or pipe has no width to cut lines at.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
