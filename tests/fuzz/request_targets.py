"""Fuzz targets over requests: paths of rules, differences, what the API says of a message, messages about it all.

Each takes bytes and raises, AssertionError mostly, when a promise of the module it is about does not hold.
"""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from functools import cache
from xml.etree import ElementTree as ET

from replayproxy.core.answer_checks import answer_check
from replayproxy.core.bodies import canonical
from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.catalog import Operation
from replayproxy.core.codec import decode_interaction, encode
from replayproxy.core.differences import index_path, name_path
from replayproxy.core.documents import Document
from replayproxy.core.matching import DIFFERENCES_LIMIT, differences, identity, nearest
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.core.modes import MODES
from replayproxy.core.problem import Problem
from replayproxy.core.receipts import junit_xml, receipts_json
from replayproxy.core.report import miss_message, problem_line, receipts_lines, shown
from replayproxy.core.rule_paths import RulePath
from replayproxy.core.rules import MatchRule, MatchRules
from replayproxy.core.session import Miss, Session
from replayproxy.core.unknown_paths import unknown_path
from replayproxy.core.validation import checked_call, problems
from replayproxy.errors import ConfigError
from replayproxy.openai_api import catalog
from tests.fuzz.inputs import Input, as_text, pieces_of

__all__ = ["answers", "matching", "report", "rule_paths", "validation"]

_MEDIA = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "text/plain",
    "",
    "application/x+json; charset=foo",
)
_RULES = (
    MatchRules(),
    MatchRules.of(ignore=("body.a", "query.*")),
    MatchRules.of(ignore=("body.**.b", "body[*]"), mask={"body": "[0-9]+", "path": "x+"}),
    MatchRules.of(also=("header.x-a",), ignore=("body.parts[0].content", "header.content-type")),
)


def rule_paths(data: bytes) -> None:
    """A path that is one is spelled as it was and reads the same; what is none is an error that says so."""
    given = Input(data)
    index = given.number()
    text = given.rest().decode("utf-8", "replace")
    with suppress(ConfigError):
        path = RulePath.parse(text)
        assert str(path) == text
        assert RulePath.parse(str(path)) == path
    for name in (text, as_text(given.rest())):
        spelled = index_path(name_path("body", name), index)
        assert RulePath.parse(spelled).steps == (name, index), "the name of a difference is not read as it was"
        assert spelled.isprintable()
        assert ": " not in spelled
        assert " #" not in spelled
        assert RulePath.parse(name_path("header", name)).leads_to(name.lower())
    for make in (MatchRule.ignore, MatchRule.also):
        with suppress(ConfigError):
            rule = make(text)
            assert make(rule.text) == rule
    with suppress(ConfigError), warnings.catch_warnings(action="ignore"):  # Python has some about odd patterns
        assert MatchRule.mask("body", text[:80]).pattern


def matching(data: bytes) -> None:
    """Requests have one identity exactly when they have no differences, and to ignore these makes them the same."""
    given = Input(data)
    rules = given.one_of(_RULES)
    choices = [(given.one_of(_MEDIA), given.number()) for _ in range(2)]
    one, other = (_request(media, form, raw) for (media, form), raw in zip(choices, given.halves(), strict=True))
    assert differences(one, one, rules) == ()
    assert canonical(one.headers, one.body)
    found, back = differences(one, other, rules), differences(other, one, rules)
    assert (identity(one, rules) == identity(other, rules)) == (not found), "identity and differences disagree"
    assert len(found) == len(back)
    assert json.dumps([shown(each.recorded) for each in found])
    if 0 < len(found) < DIFFERENCES_LIMIT and not {"method", "path"} & {each.path for each in found}:
        ignored = MatchRules.of(ignore=[each.path for each in found])
        assert differences(one, other, rules.plus(ignored)) == (), "to ignore a difference does not take it away"
    near = nearest(other, Cassette(interactions=(Interaction(one, Response(200)),)), rules=rules)
    assert [each.differences for each in near] == [found]


def validation(data: bytes) -> None:
    """Nothing that a client can send raises, and what is found can be written into a cassette and told."""
    given = Input(data)
    operation, media, way = _operation(given), given.one_of(_MEDIA), given.number()
    raw = given.rest()
    target = operation.template.replace("{", "id_").replace("}", "")
    if way % 2:
        target += "?" + as_text(_visible(raw[:200]))
    elif way % 8 == 2:
        target = as_text(b"/" + _visible(raw[:200]))
    headers = Headers.of(("Content-Type", media), ("OpenAI-Beta", operation.beta), ("X", as_text(_visible(raw[:50]))))
    request = Request(operation.method, target, headers, raw)
    resolved = catalog().resolve(request.method, request.target)
    if resolved is None:
        found: tuple[Problem, ...] = (unknown_path(catalog(), request.method, request.target),)
    else:
        found = problems(request, resolved)
        call = checked_call(request, resolved)
        assert isinstance(call, Problem) == any(not each.warning for each in found)
    _tell(request, found)


def answers(data: bytes) -> None:
    """Nothing that an upstream can send raises, and what is found does not depend on how it was cut."""
    given = Input(data)
    operation, way, status = _operation(given), given.number(), given.one_of((200, 201, 204, 400, 404, 599))
    media = given.one_of(("application/json", "text/event-stream", "text/html", "application/octet-stream"))
    raw, headers, told = given.rest(), Headers.of(("content-type", media)), list[tuple[Problem, ...]]()
    for pieces in ([raw], pieces_of(raw, way)):
        check = answer_check(operation, status, headers)
        if check is None:
            return
        for piece in pieces:
            check.feed(piece)
        told.append(check.finish(complete=way % 2 == 0))
    assert told[0] == told[1], "what is found depends on the pieces"
    assert all(each.warning and each.side == "response" for each in told[0])
    _tell(Request(operation.method, "/", headers), told[0])


def report(data: bytes) -> None:
    """A miss and a receipt are told in lines that can be printed, sent and parsed, whatever came and was recorded."""
    given = Input(data)
    choices = [(given.one_of(_MEDIA), given.number()) for _ in range(2)]
    one, other = (_request(media, form, raw) for (media, form), raw in zip(choices, given.halves(), strict=True))
    recorded = Interaction(one, Response(200, body=given.rest()))
    session = Session(MODES["playback"], Cassette(interactions=(recorded,)), strict=True)
    for request in (other, one, one, other):
        decision = session.decide(request)
        if isinstance(decision, Miss):
            message = miss_message(decision, "a.yaml", session.interaction)
            assert all(line.isprintable() for line in message.split("\n")), "a message holds what is not to be seen"
            assert "What to do: " in message
            assert len(message.encode()) < 20_000
            odd = Problem(given.rest().decode("utf-8", "replace") or "odd")
            session.tell(decision, miss_message(decision, "a.yaml", session.interaction, (odd,)))
    receipts = (session.receipt(),)
    assert all(line.isprintable() for line in receipts_lines(receipts))
    assert ET.fromstring(junit_xml(receipts)).tag == "testsuites"
    assert json.loads(json.dumps(receipts_json(receipts)).encode())


def _tell(request: Request, found: tuple[Problem, ...]) -> None:
    """What is found can be written, and is read as it was."""
    interaction = Interaction(Request(request.method, "/"), Response(200), problems=found)
    assert decode_interaction(Document(encode(interaction, 1).text, 1), lambda kept: kept) == interaction
    for each in found:
        assert each.message
        assert problem_line(each).encode()
        assert json.dumps([each.message, each.param, each.code]).encode()


def _request(media: str, form: int, raw: bytes) -> Request:
    """A request whose body, query or header is what the fuzzer made, as `form` says."""
    line = as_text(_visible(raw))
    query, value = f"?{line}" if form % 4 == 1 else "", line if form % 4 == 2 else ""
    path = f"/{line}" if form % 16 == 3 else "/v1/x"
    headers = Headers.of(*((name, text) for name, text in (("Content-Type", media), ("X-A", value)) if text))
    return Request("GET" if form & 128 else "POST", f"{path}{query}", headers, raw)


def _visible(raw: bytes) -> bytes:
    return raw.translate(None, bytes(range(33)) + b"\x7f")


def _operation(given: Input) -> Operation:
    known = _operations()
    return known[(given.number() * 256 + given.number()) % len(known)]


@cache
def _operations() -> tuple[Operation, ...]:
    return tuple(catalog())
