"""How things look where there are colours. Whatever a colour says, a word or a number says as well."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["OUTCOMES", "status_style"]

#: By what became of an exchange.
OUTCOMES: Mapping[str, str] = {
    "played": "green",
    "repeated": "green",
    "saved": "blue",
    "forwarded": "cyan",
    "missed": "bold red",
    "rejected": "bold yellow",
    "failed": "bold magenta",
    "gone": "magenta",
    "under_way": "dim",
}


def status_style(status: int) -> str:
    """The look of a status; 0 stands for none."""
    return {2: "green", 3: "cyan", 4: "yellow", 5: "red"}.get(status // 100, "dim")
