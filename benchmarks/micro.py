"""Single steps within the process: what each takes for one request, one interaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import orjson
from samples import CHAT_LARGE, CREATE_MESSAGE
from tables import Table, figure
from timing import cpu_of
from traffic import HEADERS, KINDS
from turns import Bench

from cassettes import interactions
from replayproxy import openai_api
from replayproxy.config import RedactSettings, match_rules
from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.codec import decode, encode, encode_head
from replayproxy.core.journal import Entry, Journal
from replayproxy.core.matching import identity
from replayproxy.core.messages import Headers, Request
from replayproxy.core.modes import MODES
from replayproxy.core.secrets.custom import redactor_for
from replayproxy.core.session import Session
from replayproxy.core.validation import problems

__all__ = ["micro"]

_RULES = match_rules({"ignore": ["body.metadata.run_id"]}, "the benchmarks")
_Steps = Mapping[str, Callable[[], object]]


def micro(bench: Bench) -> Iterator[Table]:
    """CPU µs of single steps; `validation.py` has more of what it costs to know the API."""
    small = Request("POST", KINDS["message"].target(0), Headers(HEADERS), KINDS["message"].body(0, 0))
    requests = {"120 B": small, "Create message, client's headers": CREATE_MESSAGE, "chat, 3 KB": CHAT_LARGE}
    yield _table("A request", {name: _request_steps(request) for name, request in requests.items()}, bench)
    one, large = (next(interactions(KINDS[name], 1)) for name in ("message", "large"))
    pairs = {"600-byte answer": _interaction_steps(one), "20 KB answer": _interaction_steps(large)}
    yield _table("An interaction", pairs, bench)


def _request_steps(request: Request) -> _Steps:
    redactor, catalog = redactor_for(RedactSettings(), {}), openai_api.catalog()
    body, resolved = request.body, catalog.resolve(request.method, request.target)
    assert isinstance(body, bytes)
    assert resolved
    twin = redactor.request(request)
    return {
        "floor: orjson, sorted, there and back": lambda: orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS),
        "which operation": partial(catalog.resolve, request.method, request.target),
        "redacted twin": partial(redactor.request, request),
        "identity": partial(identity, twin),
        "identity, one field ignored": partial(identity, twin, _RULES),
        "validation": partial(problems, request, resolved),
        "decision of a session": partial(_session(twin).decide, twin),
        "entry of the journal": partial(_journal_entry, Journal(), twin),
    }


def _session(twin: Request) -> Session:
    cassette = Cassette(Head(), (Interaction(twin, next(interactions(KINDS["message"], 1)).response),))
    return Session(MODES["playback"], cassette, repeat="cycle")


def _journal_entry(journal: Journal, twin: Request) -> None:
    arrived = "2026-11-22T08:30:19.572Z"
    journal.add(Entry(journal.next_number(), "default", arrived, twin, 200, "played", "createMessage", "messages", 1))


def _interaction_steps(interaction: Interaction) -> _Steps:
    text = encode_head(Head()) + encode(interaction, 1).text
    head = encode_head(Head())
    return {
        "encode: the document of a recording": partial(encode, interaction, 1),
        "decode: a cassette of this one": partial(decode, text, _no_file),
        "decode: a cassette of none": partial(decode, head, _no_file),
    }


def _no_file(body: object) -> bytes:
    raise AssertionError(f"no body is in a file: {body}")


def _table(title: str, steps: Mapping[str, _Steps], bench: Bench) -> Table:
    table = Table(f"{title}: µs of CPU", ("step", *steps))
    times = bench.of(2_000, 5)
    for name in next(iter(steps.values())):
        table.add(name, *(figure(cpu_of(calls[name], times) * 1e6) for calls in steps.values()))
    return table
