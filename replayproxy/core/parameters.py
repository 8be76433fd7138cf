"""What is wrong with the ids in a path, with a query, and with headers that an operation asks for."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from replayproxy.core import wording
from replayproxy.core.catalog import Operation, Parameter
from replayproxy.core.messages import Request
from replayproxy.core.problem import Call, Problem
from replayproxy.core.text_values import structure, typed

__all__ = ["header_problem", "path_problem", "query_problem"]

_NONE: frozenset[str] = frozenset()


def path_problem(call: Call, operation: Operation) -> Problem | None:
    """The first thing wrong with the parameters in the path."""
    return _first(operation, "path", call.params)


def header_problem(request: Request, operation: Operation) -> Problem | None:
    """The first thing wrong with the headers that the operation declares."""
    wanted = operation.placed["header"]
    if not wanted:
        return None
    given = {each.name: request.headers.get(each.name) for each in wanted}
    return _first(operation, "header", {name: value for name, value in given.items() if value is not None})


def query_problem(call: Call, operation: Operation, others: Container[str] = _NONE) -> Problem | None:
    """The first thing wrong with the query: a warning when it is a name that nobody knows. `others` may stand in it."""
    if not call.query and not any(each.required for each in operation.placed["query"]):
        return None
    given = structure(call.query)
    return _first(operation, "query", given) or _unknown(given, operation, others)


def _first(operation: Operation, place: str, given: Mapping[str, Any]) -> Problem | None:
    for each in operation.placed[place]:
        problem = _problem(each, given)
        if problem is not None:
            return problem
    return None


def _problem(parameter: Parameter, given: Mapping[str, Any]) -> Problem | None:
    name, schema = parameter.name.removesuffix("[]"), parameter.schema
    if name not in given:
        return wording.missing(parameter.name) if parameter.required else None
    if schema is None:
        return None
    value = given[name]
    if not (type(value) is str and isinstance(schema.form, Mapping) and schema.form.get("type") == "string"):
        value = typed(value, schema.form, schema.definitions)
    return schema.request_problem(value, within=name)


def _unknown(given: Mapping[str, Any], operation: Operation, others: Container[str]) -> Problem | None:
    known = [each.name.removesuffix("[]") for each in operation.placed["query"]]
    for name in given:
        if name not in known and name not in operation.query and name not in others:
            return replace(wording.unknown(name, name, known), warning=True)
    return None
