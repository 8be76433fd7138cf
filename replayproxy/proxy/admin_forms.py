"""What the admin API takes and gives, as JSON: a session's declaration, exchanges, refusals.

Rule: nothing that a client sends leads out of the folder of cassettes, and what is wrong is told all at once.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, get_args

import orjson

from replayproxy.config import KEYS, Settings
from replayproxy.config.match_kinds import match_rules
from replayproxy.config.nodes import node_of, similar
from replayproxy.core.faults import FaultPlan, parse_faults
from replayproxy.core.journal import Entry, Journal
from replayproxy.core.matching import NO_RULES
from replayproxy.core.messages import Body, FileBody, plain
from replayproxy.core.problem import Problem
from replayproxy.core.rules import MatchRules
from replayproxy.errors import ConfigError
from replayproxy.proxy.admin_port import AdminError
from replayproxy.proxy.exchange import Outcome
from replayproxy.proxy.folder import folder_of, inside
from replayproxy.proxy.names import NAME
from replayproxy.proxy.opening import Declaration

__all__ = [
    "EXCHANGES_LIMIT",
    "EXCHANGES_TOLD",
    "OUTCOMES",
    "AdminError",
    "Wanted",
    "exchanges_json",
    "problem_json",
    "read_declaration",
    "read_faults",
    "read_wanted",
]

#: What may become of an exchange.
OUTCOMES: tuple[str, ...] = get_args(Outcome)
#: How many exchanges are told when nobody says, and at most.
EXCHANGES_TOLD, EXCHANGES_LIMIT = 100, 1_000
#: So much of one body is told, and so much of all bodies together, in bytes.
BODY_TOLD, BODIES_TOLD = 256 * 1024, 4 * 1024 * 1024

_NAME_EXPECTED = "expected up to 200 letters, digits, '.', '_' and '-', the first of them not a dot"


# --- a declaration

#: The fields that are settings of the session alone; they are judged as those of a config file are.
_SETTINGS = {
    "mode": "mode",
    "validate": "validate",
    "speed": "speed",
    "strict": "strict",
    "repeat": "playback.repeat",
}
_KINDS = {field: next(key.kind for key in KEYS if key.name == name) for field, name in _SETTINGS.items()}
_FIELDS = ("name", "cassette", "match", *_SETTINGS)


def read_declaration(body: bytes, settings: Settings) -> Declaration:
    """The declaration that a body spells; null stands for a field left out. AdminError tells all that is wrong."""
    given = _mapping(body)
    folder, problems, values = folder_of(settings), list[tuple[str, str]](), dict[str, Any]()
    readers: dict[str, Callable[[Any], Any]] = {
        "name": _name,
        "cassette": lambda value: inside(folder, value),
        "match": _rules,
        **{field: _setting(field) for field in _SETTINGS},
    }
    for field, value in given.items():
        try:
            if field not in readers:
                raise ConfigError(f"there is no such field{similar(field, _FIELDS)}")
            values[field] = None if value is None else readers[field](value)
        except ConfigError as error:
            problems.append((field, str(error)))
    if "name" not in [field for field, _ in problems] and values.get("name") is None:
        problems.insert(0, ("name", "is missing: a session needs one"))
    if problems:
        raise AdminError.invalid(*problems)
    rules = values.pop("match", None)
    return Declaration(**values, rules=rules or NO_RULES)


def read_faults(body: bytes) -> FaultPlan:
    """The plan of faults that a body spells. AdminError tells what is wrong."""
    plan = parse_faults(_mapping(body))
    if isinstance(plan, Problem):
        raise AdminError.invalid((plan.param or "", plan.message))
    return plan


def _mapping(body: bytes) -> Mapping[str, Any]:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise AdminError.invalid(("", f"the body is not JSON: {error}")) from None
    if not isinstance(given, dict):
        raise AdminError.invalid(("", 'the body is not a JSON object, such as {"name": "checkout"}'))
    return given


def _name(value: object) -> str:
    if not isinstance(value, str) or not NAME.match(value):
        raise ConfigError(_NAME_EXPECTED)
    return value


def _rules(value: object) -> MatchRules:
    if not isinstance(value, dict):
        raise ConfigError("expected rules of matching: an object of ignore, also, mask and rules")
    return match_rules(value, "match")


def _setting(field: str) -> Callable[[object], Any]:
    def read(value: object) -> Any:
        try:
            return _KINDS[field].read(node_of(value, field), field)
        except ConfigError as error:
            raise ConfigError(str(error).removeprefix(f"{field}: ")) from None

    return read


# --- exchanges


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which exchanges are asked for: of one session or outcome only when that is not "", the latest `limit` of them."""

    session: str = ""
    outcome: str = ""
    limit: int = EXCHANGES_TOLD


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """What a query asks for. AdminError tells all that is wrong."""
    known, problems = ("session", "outcome", "limit"), list[tuple[str, str]]()
    problems += [(name, f"there is no such parameter{similar(name, known)}") for name in query if name not in known]
    outcome, limit = query.get("outcome", ""), query.get("limit", str(EXCHANGES_TOLD))
    if outcome not in ("", *OUTCOMES):
        problems.append(("outcome", f"expected one of {', '.join(OUTCOMES)}{similar(outcome, OUTCOMES)}"))
    if not (limit.isascii() and limit.isdecimal() and len(limit) < 6 and 1 <= int(limit) <= EXCHANGES_LIMIT):
        problems.append(("limit", f"expected a whole number from 1 to {EXCHANGES_LIMIT}"))
    if problems:
        raise AdminError.invalid(*problems)
    return Wanted(query.get("session", ""), outcome, int(limit))


def exchanges_json(journal: Journal, wanted: Wanted) -> dict[str, Any]:
    """The latest exchanges that were asked for, the newest last, as a structure for orjson.

    `more` says whether there are older ones. When the bodies are too much, those of the older exchanges are left out.
    """
    found = list(journal.entries(wanted.session, wanted.outcome))
    told, room = list[dict[str, Any]](), BODIES_TOLD
    for entry in (noted.entry() for noted in islice(reversed(found), wanted.limit)):
        body, size = _body_json(entry.request.body, room)
        room -= size
        told.append(_exchange_json(entry, body))
    return {"exchanges": told[::-1], "more": len(found) > len(told)}


def _exchange_json(entry: Entry, body: dict[str, Any]) -> dict[str, Any]:
    request = entry.request
    return {
        "number": entry.number,
        "session": entry.session,
        "arrived": entry.arrived,
        "seconds": entry.seconds,
        "outcome": entry.outcome,
        "status": entry.status,
        "operation": entry.operation or None,
        "family": entry.family or None,
        "interaction": entry.interaction or None,
        "problems": [problem_json(each) for each in entry.problems],
        "note": plain(entry.note),
        "request": {
            "method": plain(request.method),
            "target": plain(request.target),
            "headers": [[plain(name), plain(value)] for name, value in request.headers],
            "body": body,
        },
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as JSON has it."""
    return {
        "message": plain(problem.message),
        "param": problem.param and plain(problem.param),
        "code": problem.code,
        "warning": problem.warning,
        "side": problem.side,
        "event": problem.event or None,
    }


def _body_json(body: Body, room: int) -> tuple[dict[str, Any], int]:
    """A body as JSON has it, and how many bytes of it are told."""
    if isinstance(body, FileBody):
        return {"size": body.size, "file": body.name}, 0
    limit, facts = min(BODY_TOLD, room), {"size": len(body)}
    if not body:
        return facts, 0
    if limit <= 0:
        return facts | {"left_out": True}, 0
    cut = {"truncated": True} if len(body) > limit else {}
    return facts | _form(body, limit) | cut, min(len(body), limit)


def _form(body: bytes, limit: int) -> dict[str, Any]:
    if len(body) <= limit and _is_json(body):
        return {"json": orjson.Fragment(body)}  # as it stands: read and written again it could change
    try:
        body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body[:limit]).decode()}
    return {"text": body[:limit].decode(errors="ignore")}


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True
