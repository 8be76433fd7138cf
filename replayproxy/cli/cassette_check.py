"""`replayproxy cassette check`: are recordings in order, and what the API's catalog says of their bodies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from replayproxy.cli.catalog_files import catalog_option, the_catalog
from replayproxy.cli.problem_lines import lines_in_cassette
from replayproxy.cli.progress import is_shown, progress_of, quiet_option
from replayproxy.cli.terminal import print_json, say
from replayproxy.core.answer_checks import answer_check
from replayproxy.core.cassette import Interaction
from replayproxy.core.catalog import Catalog, Operation
from replayproxy.core.codec import identified
from replayproxy.core.key_line import CURE_FOREIGN_KEY, FOREIGN_KEY, told
from replayproxy.core.problem import Problem
from replayproxy.core.unknown_paths import unknown_path
from replayproxy.core.validation import problems
from replayproxy.errors import CassetteError
from replayproxy.stores import FileStore
from replayproxy.stores.plain_files import followed

__all__ = ["check"]

_FOUND = 1
#: The API's answers to what it does not take.
_REFUSED = frozenset({400, 404, 415, 422})


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--schema", is_flag=True, help="Validate requests and answers as well.")
@catalog_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@quiet_option
@click.pass_context
def check(
    context: click.Context, paths: tuple[Path, ...], schema: bool, catalog_file: Path | None, as_json: bool, quiet: bool
) -> None:
    """Say whether cassettes are in order; exit with 1 when one is not.

    PATH is a cassette or a folder, which is searched for *.yaml; without one it is ./cassettes.

    With --schema a cassette is in order only when its requests are valid, too. Warnings change nothing: what the API
    may take all the same, what it refused when it was recorded, and everything about answers, event streams included.
    Bodies kept in files of their own are not looked into when they are large.

    \b
    Examples:
      replayproxy cassette check
      replayproxy cassette check --schema cassettes/checkout.yaml tests/cassettes
      replayproxy cassette check --json | jq '.[] | select(.ok | not)'
    """
    if catalog_file and not schema:
        raise click.UsageError("--catalog is for --schema.")
    catalog = the_catalog(catalog_file) if schema else None
    results = list[dict[str, Any]]()
    for result in _results(_cassettes(paths or (Path("cassettes"),)), catalog, quiet=quiet):
        results.append(result)
        if not as_json:
            _tell(result)
    if as_json:
        print_json(results)
    elif not results:
        say("There is no cassette to check.")
    if not all(result["ok"] for result in results):
        context.exit(_FOUND)


def _results(paths: list[Path], catalog: Catalog | None, *, quiet: bool) -> Iterable[dict[str, Any]]:
    """The result of each cassette: as it comes, or with the last one where a bar is shown, which lines would break."""
    results = (_checked(path, catalog) for path in progress_of(paths, "Checking", quiet=quiet))
    return [*results] if is_shown(len(paths), quiet=quiet) else results


def _tell(result: dict[str, Any]) -> None:
    for row in result.get("problems", ()):
        say(f"{result['path']}:{row['line']}: {_shown(row)}")
    say(f"{result['path']}: {_state(result)}")


def _cassettes(paths: Iterable[Path]) -> list[Path]:
    found = list[Path]()
    for path in paths:
        if not path.exists():
            raise CassetteError("there is no such file or folder", path=str(path), cure="Name a cassette or a folder")
        found += sorted(path.rglob("*.yaml")) if path.is_dir() else [followed(path)]
    return found


def _checked(path: Path, catalog: Catalog | None) -> dict[str, Any]:
    try:
        store = FileStore(path)
        interactions, problem = store.load().interactions, store.torn
        for interaction in interactions:
            _check_key(interaction)
    except CassetteError as error:
        place = f"line {error.line}: " if error.line else ""
        problem = f"{place}{error.what}{'. ' + error.cure if error.cure else ''}"
        return {"path": str(path), "ok": False, "interactions": 0, "line": error.line, "problem": problem}
    result = {"path": str(path), "ok": not problem, "interactions": len(interactions), "line": 0, "problem": problem}
    if catalog is None:
        return result
    rows = [row for number, each in enumerate(interactions, 1) for row in _rows(number, each, catalog)]
    return result | {"ok": not problem and all(row["warning"] for row in rows), "problems": rows}


def _check_key(interaction: Interaction) -> None:
    """Refuses a key that finds another request than the document has. (What other rules of matching would make of it
    is for whoever plays it.)"""
    key = told(interaction.text)
    scheme, identity = identified(interaction.request) if key else ("", b"")
    if key and key[0] == scheme and key[1] != identity:
        raise CassetteError(FOREIGN_KEY, line=interaction.line, cure=CURE_FOREIGN_KEY)


def _state(result: dict[str, Any]) -> str:
    rows = result.get("problems", ())
    warnings = sum(row["warning"] for row in rows)
    more = f", {_count(warnings, 'warning')}" if warnings else ""
    if result["problem"]:
        return f"not in order: {result['problem']}"
    if result["ok"]:
        return f"ok, {result['interactions']} interactions{more}"
    return f"not in order: {_count(len(rows) - warnings, 'request')} not valid{more}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _shown(row: dict[str, Any]) -> str:
    mark = " (refused when it was recorded)" if row["refused"] else " (warning)" if row["warning"] else ""
    side = "answer" if row["side"] == "response" else f"request{mark}"
    return f"#{row['number']} {row['method']} {row['target']}: {side}: {row['message']}"


def _rows(number: int, interaction: Interaction, catalog: Catalog) -> Iterator[dict[str, Any]]:
    """What is wrong with an interaction, problem by problem."""
    request = interaction.request
    resolved = catalog.resolve(request.method, request.target)
    operation = resolved.operation if resolved else None
    asked = problems(request, resolved) if resolved else (unknown_path(catalog, request.method, request.target),)
    found = [*asked, *_answered(interaction, operation)]
    for problem, line in zip(found, lines_in_cassette(interaction, found, operation), strict=True):
        refused = problem.side == "request" and interaction.response.status in _REFUSED
        yield {
            "number": number,
            "line": line,
            "method": request.method,
            "target": request.target,
            "operation": operation.id if operation else "",
            "side": problem.side,
            "warning": problem.warning or problem.side == "response" or refused,
            "refused": refused,
            "message": problem.message,
            "param": problem.param,
            "code": problem.code,
            "event": problem.event,
        }


def _answered(interaction: Interaction, operation: Operation | None) -> tuple[Problem, ...]:
    """What is wrong with the recorded answer."""
    response, fault = interaction.response, interaction.fault
    if operation is None or not isinstance(response.body, bytes) or (fault is not None and fault.of_upstream):
        return ()
    checked = answer_check(operation, response.status, response.headers)
    if checked is None:
        return ()
    checked.feed(response.body)
    return checked.finish(complete=fault is None or not fault.recorded)
