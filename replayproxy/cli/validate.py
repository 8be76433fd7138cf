"""`replayproxy validate`: one body, checked without a proxy."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click
import orjson

from replayproxy.cli.catalog_files import catalog_option, named_operation, read_bytes, the_catalog
from replayproxy.cli.problem_lines import line_in_body
from replayproxy.cli.terminal import print_json, say
from replayproxy.core.answer_checks import answer_check
from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.catalog import Operation
from replayproxy.core.messages import Headers
from replayproxy.core.problem import Call, Problem
from replayproxy.errors import ConfigError

__all__ = ["validate"]

_FOUND = 1
_JSON, _EVENTS = "application/json", "text/event-stream"
_STDIN = Path("-")
_EVENT_LINE = re.compile(rb"(?:event|data|id|retry)?:")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--operation", "name", metavar="ID", required=True, help="The operation, as in `catalog list`.")
@click.option(
    "--answer",
    "status",
    type=click.IntRange(100, 599),
    is_flag=False,
    flag_value=200,
    metavar="[STATUS]",
    help="FILE holds an answer of that status (200 when none is given), not a request.",
)
@click.option(
    "--content-type",
    metavar="TYPE",
    help="The media type of the answer.  [default: as its text looks, JSON or an event stream]",
)
@catalog_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def validate(
    context: click.Context,
    file: Path,
    name: str,
    status: int | None,
    content_type: str | None,
    catalog_file: Path | None,
    as_json: bool,
) -> None:
    """Say whether FILE (`-`: standard input) holds a valid body; exit with 1 when it does not.

    A request's body is JSON; its path, query and headers are not looked at here. Of several things wrong with it the
    first is told, as the API does. What the API may take all the same (an unknown field, where the API still grows) is
    a warning, and no reason to fail. An answer is JSON or an event stream, which is checked event by event.

    \b
    Examples:
      replayproxy validate body.json --operation createMessage
      replayproxy validate answer.sse --operation createRun --answer
      jq .body request.json | replayproxy validate - --operation createChatCompletion --json
    """
    operation = named_operation(the_catalog(catalog_file), name)
    body = sys.stdin.buffer.read() if file == _STDIN else read_bytes(file)
    told = _request(body, operation) if status is None else _answer(body, operation, status, content_type)
    valid = all(problem.warning for _, problem in told) if status is None else not told
    if as_json:
        rows = [_row(line, problem) for line, problem in told]
        result = {"file": str(file), "operation": operation.id, "valid": valid, "problems": rows}
        print_json(result)
        context.exit(0 if valid else _FOUND)
    for line, problem in told:
        mark = "warning: " if problem.warning and status is None else ""
        say(f"{file}:{line}: {mark}{problem.message}")
    if valid:
        say(f"{file}: valid {operation.id} {'request' if status is None else f'answer {status}'}")
    context.exit(0 if valid else _FOUND)


def _request(body: bytes, operation: Operation) -> list[tuple[int, Problem]]:
    """The problems of a request's body, each with its line."""
    schema = operation.bodies.get(_JSON)
    if schema is None:
        takes = " or ".join(operation.bodies) or "no body"
        raise ConfigError(f"{operation.id} takes {takes}; only JSON can be validated here")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return [(error.lineno, _no_json(error))]
    check = operation.check
    problem = check(Call({}, body=value)) if check else schema.request_problem(value, frozen=operation.frozen)
    return [(line_in_body(body, problem), problem)] if problem else []


def _answer(body: bytes, operation: Operation, status: int, content_type: str | None) -> list[tuple[int, Problem]]:
    """The problems of an answer's body, each with its line."""
    first = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    media = content_type or (_EVENTS if _EVENT_LINE.match(first) else _JSON)
    check = answer_check(operation, status, Headers.of(("content-type", media)))
    if check is None:
        known = ", ".join(f"{each} ({' or '.join(content)})" for each, content in operation.answers.items() if content)
        stream = "; it has " + " and ".join(filter(None, (known, "an event stream" if operation.stream else "")))
        raise ConfigError(f"{operation.id} has no answer {status} as {media:.80} that can be validated{stream}")
    if media == _JSON:
        if len(body) > PARSE_LIMIT:
            raise ConfigError(
                f"an answer of {len(body):,} bytes is too large to be validated ({PARSE_LIMIT:,} at most)"
            )
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return [(error.lineno, _no_json(error))]
    check.feed(body)
    return [(line_in_body(body, problem), problem) for problem in check.finish()]


def _no_json(error: orjson.JSONDecodeError) -> Problem:
    return Problem(f"This is not JSON, at column {error.colno}: {error.msg}.")


def _row(line: int, problem: Problem) -> dict[str, Any]:
    return {
        "line": line,
        "message": problem.message,
        "param": problem.param,
        "code": problem.code,
        "warning": problem.warning,
        "event": problem.event,
    }
