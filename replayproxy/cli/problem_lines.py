"""The line on which a problem stands: in a file that holds a body, and in a cassette."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from replayproxy.core.cassette import Interaction
from replayproxy.core.catalog import Operation
from replayproxy.core.document_lines import lines_in_document
from replayproxy.core.json_lines import line_of
from replayproxy.core.problem import Problem
from replayproxy.core.sse import Event, parse

__all__ = ["line_in_body", "lines_in_cassette"]

_LINE_END = re.compile(rb"\r\n|\n|\r")


def line_in_body(body: bytes, problem: Problem) -> int:
    """The line of a body's text, or of its event stream, from 1."""
    if not problem.event:
        return line_of(body.decode("utf-8", "replace"), problem.param or "")
    before, event = _blocks(body, problem.event)
    lines = _LINE_END.split(event.raw)
    first = next((number for number, line in enumerate(lines) if line.startswith(b"data")), 0)
    above = sum(len(_LINE_END.findall(each.raw)) for each in before)
    return above + first + line_of(event.data, problem.param or "")


def lines_in_cassette(
    interaction: Interaction, problems: Sequence[Problem], operation: Operation | None
) -> Sequence[int]:
    """The line of the cassette for each problem: that of the field when it stands there, or of what would hold it."""
    if not problems:
        return ()
    places = [_place(interaction, problem, operation) for problem in problems]
    return lines_in_document(interaction.text, interaction.line, places)


def _place(interaction: Interaction, problem: Problem, operation: Operation | None) -> str:
    """Where a problem stands in an interaction's document, as a path."""
    if problem.side == "response":
        body = interaction.response.body
        if not problem.event or not isinstance(body, bytes):
            return _within("response.body.json", problem)
        before, _ = _blocks(body, problem.event)
        return _within(f"response.body.events[{len(before)}].json", problem)
    beside = {each.name for each in operation.parameters} if operation else set[str]()
    if operation is None or (problem.param or "").partition("[")[0] in beside:
        return "request.target"
    return _within("request.body.json", problem) if problem.param else "request"


def _within(place: str, problem: Problem) -> str:
    param = problem.param or ""
    return f"{place}.{param}" if param and not param.startswith("[") else place + param


def _blocks(body: bytes, number: int) -> tuple[Sequence[Event], Event]:
    """The blocks of a stream before its event `number`, and that event."""
    blocks = parse(body)
    places = (place for place, block in enumerate(blocks) if block.dispatched)
    place = next(
        islice(places, number - 1, None), len(blocks) - 1
    )  # an event too large to be looked at may be the tail
    return blocks[:place], blocks[place]
