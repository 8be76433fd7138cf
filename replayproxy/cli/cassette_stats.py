"""`replayproxy cassette stats`: what is in cassettes, in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import click

from replayproxy.cli.cassette_files import cassettes_in, store_of, told_size
from replayproxy.cli.progress import progress_of, quiet_option
from replayproxy.cli.styles import status_style
from replayproxy.cli.terminal import Cell, print_json, print_table, say
from replayproxy.openai_api.cassette_stats import Stats, stats_of

__all__ = ["stats"]

_COLUMNS = (
    "CASSETTE",
    "INTERACTIONS",
    "REPEATS",
    "STREAMS",
    "FAULTS",
    "PROBLEMS",
    "SENT",
    "RECEIVED",
    "TOKENS",
    "SECONDS",
    "RECORDED",
)
_MODEL_COLUMNS = ("MODEL", "INTERACTIONS", "INPUT", "CACHED", "OUTPUT", "REASONING", "TOKENS")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
@quiet_option
def stats(paths: tuple[Path, ...], as_json: bool, quiet: bool) -> None:
    """Count what is in the cassettes PATHS; of a folder, in each cassette in it.

    Tokens are those that the answers tell of: where an app asked for the same run twice, they are told twice. A repeat
    is an interaction whose request is the same as that of an earlier one, as when an app polls.

    \b
    Examples:
      replayproxy cassette stats cassettes
      replayproxy cassette stats cassettes/checkout.yaml --json | jq '.[0].models'
    """
    files = cassettes_in(paths)
    found = [
        (str(file), stats_of(store_of(file).load().interactions))
        for file in progress_of(files, "Counting", quiet=quiet)
    ]
    if as_json:
        print_json([{"path": path} | _as_json(each) for path, each in found])
    elif not found:
        say("There is no cassette to count.")
    else:
        _tell(found)


def _tell(found: list[tuple[str, Stats]]) -> None:
    total = reduce(Stats.plus, (each for _, each in found))
    rows = [_row(path, each, "bold") for path, each in found]
    if len(found) > 1:
        rows.append(_row("(all)", total, "bold cyan"))
    print_table(_COLUMNS, rows, right=range(1, 10))
    say("")
    named = {name or "(unknown)": count for name, count in total.operations.items()}
    print_table(("OPERATION", "INTERACTIONS"), _counted(named, "magenta"), right=(1,))
    say("")
    statuses: list[list[Cell]] = [
        [(str(status), status_style(status)), str(total.statuses[status])] for status in sorted(total.statuses)
    ]
    print_table(("STATUS", "INTERACTIONS"), statuses, right=(1,))
    if total.models:
        say("")
        rows = [
            [(name, "cyan"), str(use.interactions), *map(str, use.tokens.counts().values())]
            for name, use in sorted(total.models.items(), key=lambda each: -each[1].tokens.total)
        ]
        print_table(_MODEL_COLUMNS, rows, right=range(1, 7))


def _counted(counts: Mapping[str, int], style: str) -> Iterable[list[Cell]]:
    return ([(name, style), str(count)] for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _row(path: str, stats: Stats, style: str) -> list[Cell]:
    days = dict.fromkeys(filter(None, (stats.first[:10], stats.last[:10])))
    return [
        (path, style),
        str(stats.interactions),
        str(stats.repeats),
        str(stats.streams),
        (str(stats.faults), "yellow" if stats.faults else ""),
        (str(stats.problems), "yellow" if stats.problems else ""),
        told_size(stats.sent),
        told_size(stats.received),
        str(stats.tokens.total),
        f"{stats.seconds:.1f}",
        " to ".join(days),
    ]


def _as_json(stats: Stats) -> dict[str, Any]:
    return {
        "interactions": stats.interactions,
        "operations": dict(stats.operations),
        "statuses": {str(status): count for status, count in stats.statuses.items()},
        "models": {
            name: {"interactions": use.interactions} | use.tokens.counts() for name, use in stats.models.items()
        },
        "tokens": stats.tokens.counts(),
        "sent": stats.sent,
        "received": stats.received,
        "streams": stats.streams,
        "first": stats.first or None,
        "last": stats.last or None,
        "seconds": stats.seconds,
        "repeats": stats.repeats,
        "faults": stats.faults,
        "problems": stats.problems,
    }
