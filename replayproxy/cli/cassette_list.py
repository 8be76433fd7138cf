"""`replayproxy cassette list`: the interactions of a cassette, or the cassettes of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from replayproxy.cli.cassette_files import cassettes_in, store_of, told_size
from replayproxy.cli.message_text import form_and_size
from replayproxy.cli.styles import status_style
from replayproxy.cli.terminal import Cell, print_json, print_table, say
from replayproxy.core.cassette import Interaction
from replayproxy.errors import CassetteError

__all__ = ["list_"]

_COLUMNS = ("#", "LINE", "METHOD", "TARGET", "STATUS", "OPERATION", "SENT", "ANSWERED")
_FOLDER_COLUMNS = ("CASSETTE", "INTERACTIONS", "SIZE", "RECORDED", "UPSTREAM")


@click.command("list")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_(path: Path, as_json: bool) -> None:
    """List the interactions of the cassette PATH, one per line; of a folder PATH, the cassettes in it.

    \b
    Examples:
      replayproxy cassette list cassettes/default.yaml
      replayproxy cassette list cassettes
      replayproxy cassette list --json cassettes/default.yaml | jq '.[].target'
    """
    is_folder = path.is_dir()
    if is_folder:
        rows = [_cassette_row(file) for file in cassettes_in((path,))]
    else:
        rows = [_row(number, each) for number, each in enumerate(store_of(path).load().interactions, 1)]
    if as_json:
        print_json(rows)
    elif is_folder:
        _tell_cassettes(path, rows)
    else:
        print_table(_COLUMNS, [_cells(row) for row in rows], right=(0, 1))


def _row(number: int, interaction: Interaction) -> dict[str, Any]:
    request, response = interaction.request, interaction.response
    return {
        "number": number,
        "line": interaction.line,
        "method": request.method,
        "target": request.target,
        "status": response.status,
        "operation": interaction.operation,
        "sent": form_and_size(request),
        "answered": form_and_size(response),
    }


def _cells(row: dict[str, Any]) -> list[Cell]:
    return [
        (str(row["number"]), "bold"),
        (str(row["line"]), "dim"),
        (row["method"], "cyan"),
        row["target"],
        (str(row["status"]), status_style(row["status"])),
        (row["operation"], "magenta"),
        _told(row["sent"]),
        _told(row["answered"]),
    ]


def _told(body: dict[str, Any]) -> str:
    return "-" if body["form"] == "empty" else f"{body['form']} {told_size(body['size'])}"


def _cassette_row(path: Path) -> dict[str, Any]:
    """What is told of a cassette; `broken` says why it cannot be read."""
    row: dict[str, Any] = {"path": str(path), "size": path.stat().st_size, "interactions": 0}
    row |= {"recorded": "", "upstream": "", "broken": None}
    try:
        store = store_of(path)
        head, recordings = store.open_recordings()
    except CassetteError as error:
        return row | {"broken": f"line {error.line}: {error.what}" if error.line else error.what}
    torn = store.torn.removeprefix(f"{path}:") or None
    facts = {"interactions": len(recordings), "recorded": head.recorded, "upstream": head.upstream}
    return row | facts | {"broken": f"line {torn}" if torn else None}


def _tell_cassettes(path: Path, rows: list[dict[str, Any]]) -> None:
    if not rows:
        say(f"There is no cassette in {path}.")
        return
    cells: list[list[Cell]] = [
        [
            (row["path"], "red" if row["broken"] else "bold"),
            str(row["interactions"]),
            told_size(row["size"]),
            (row["recorded"], "dim"),
            row["upstream"],
        ]
        for row in rows
    ]
    print_table(_FOLDER_COLUMNS, cells, right=(1, 2))
    for row in rows:
        if row["broken"]:
            say(f"{row['path']}: not in order: {row['broken']}")
