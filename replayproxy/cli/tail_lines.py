"""Exchanges as lines: the rows that a feed makes, and how they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from replayproxy.cli.styles import OUTCOMES, status_style
from replayproxy.cli.terminal import printable, styled

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Columns", "Rows", "note_lines"]

Summary = Mapping[str, Any]

_UNDER_WAY = "under_way"
#: So many exchanges are known to have been shown; the journal of a proxy holds half of them.
_REMEMBERED = 20_000
#: The columns but the one that says what was asked, which has the rest: name, width, whether to the right.
_COLUMNS = (
    ("TIME", 8, False),
    ("OUTCOME", 9, False),
    ("METHOD", 6, False),
    ("WHAT", 0, False),
    ("STATUS", 6, True),
    ("TTFB", 7, True),
    ("TOTAL", 7, True),
    ("TOKENS", 7, True),
)
_PLAIN, _NARROWEST, _SESSION = 40, 16, 12


class Rows:
    """Which of what a feed tells is shown: of the past the latest `lines`, and then what has ended, each once.

    With `states`, exchanges under way are shown as well, whenever something about them is told. A feed that begins
    again is taken up where the one before broke off.
    """

    def __init__(self, lines: int, *, states: bool) -> None:
        self._lines, self._states = lines, states
        self._past: list[Summary] = []
        self._shown: dict[tuple[int, str], None] = {}
        self._begun = False

    def take(self, event: str, value: Mapping[str, Any]) -> list[Summary]:
        """What is to be shown after this event of the feed."""
        if event == "page":
            self._past += value["exchanges"]
        elif event == "caught_up":
            return self._caught_up()
        elif event == "exchanges":
            return [*self._new(value["exchanges"])]
        return []

    def _caught_up(self) -> list[Summary]:
        past = sorted(self._past, key=lambda each: int(each["number"]))
        new, self._past = [*self._new(past)], []
        begun, self._begun = self._begun, True
        return new if begun else new[len(new) - min(len(new), self._lines) :]

    def _new(self, exchanges: Iterable[Summary]) -> Iterator[Summary]:
        for each in exchanges:
            key = int(each["number"]), str(each["arrived"])
            if each["outcome"] == _UNDER_WAY:
                if self._states:
                    yield each
            elif key not in self._shown:
                self._shown[key] = None
                yield each
        while len(self._shown) > _REMEMBERED:
            del self._shown[next(iter(self._shown))]


class Columns:
    """Lines with aligned columns, for a terminal of that width; 0: for a file, where nothing is cut."""

    def __init__(self, width: int = 0) -> None:
        taken = sum(size + 1 for _, size, _ in _COLUMNS) + _SESSION
        self._what = max(_NARROWEST, width - taken) if width else _PLAIN
        self._is_cut = bool(width)

    def head(self) -> Text:
        """The names of the columns."""
        from rich.text import Text

        line = Text(style="dim")
        for name, size, right in _COLUMNS:
            line.append_text(self._cell(name, "", size, right)).append(" ")
        return line.append("SESSION")

    def line(self, row: Summary) -> Text:
        """An exchange."""
        from rich.text import Text

        outcome, status, tokens = str(row["outcome"]), int(row["status"] or 0), row["tokens"]
        cells = (
            (_time(str(row["arrived"])), "dim"),
            (outcome.replace("_", " "), OUTCOMES.get(outcome, "")),
            (str(row["method"]), "cyan"),
            (str(row["operation"] or row["target"]), "bold"),
            (str(status or "-"), status_style(status)),
            (_duration(row["first_byte"]), ""),
            (_duration(row["seconds"]), ""),
            (str(tokens["total"]) if tokens else "-", ""),
        )
        line = Text()
        for (text, style), (_, size, right) in zip(cells, _COLUMNS, strict=True):
            line.append_text(self._cell(text, style, size, right)).append(" ")
        return line.append_text(styled(str(row["session"]), "blue"))

    def _cell(self, text: str, style: str, size: int, right: bool) -> Text:
        cell = styled(text.replace("\n", " ").replace("\t", " "), style)
        room = size or self._what
        if cell.cell_len > room and not size and self._is_cut:
            cell.truncate(room, overflow="ellipsis")
        blank = styled(" " * max(0, room - cell.cell_len))
        return blank.append_text(cell) if right else cell.append_text(blank)


def note_lines(note: str) -> list[Text]:
    """A note, indented below the line of its exchange."""
    return [styled(f"    {line}", "yellow") for line in printable(note).splitlines()]


def _time(arrived: str) -> str:
    """The time of day here."""
    try:
        return datetime.fromisoformat(arrived).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return arrived[11:19]


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:.0f} s"
