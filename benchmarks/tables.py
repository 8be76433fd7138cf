"""Tables as Markdown, and how figures are spelled in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Table", "against", "figure", "ratio"]


@dataclass(slots=True)
class Table:
    """A title, the heads of the columns, the rows, and notes beneath them."""

    title: str
    heads: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Adds a row."""
        self.rows.append(cells)

    def __str__(self) -> str:
        lines = [f"**{self.title}**", "", "| " + " | ".join(self.heads) + " |"]
        lines.append("| --- |" + " ---: |" * (len(self.heads) - 1))
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join((*lines, *(f"\n{note}" for note in self.notes), ""))


def figure(value: float, digits: int = 3) -> str:
    """A number with so many digits that count; a dash for none."""
    if math.isnan(value):
        return "–"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(places, digits)}f}"


def ratio(value: float, floor: float) -> float:
    """How many times the floor; nan where that is too small to be measured."""
    return value / floor if floor else math.nan


def against(value: float, limit: float, unit: str = "", *, least: bool = False) -> str:
    """A number and the bound of the project beside it; judged by the reader, asserted by nobody."""
    sign = "≥" if least else "≤"
    return f"{figure(value)}{unit} ({sign} {limit:g}{unit})"
