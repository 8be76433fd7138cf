"""The family of usage and costs: what was really served, by time, project, key and model.

What a request used is counted when it is answered, at the time that its answer tells, else at the emulator's first
second; nothing is counted twice. Vector stores are not counted, but looked at: they use what they hold now, from when
they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_keys import caller_of, default_project_id
from replayproxy.emulator.administration.usage_buckets import LABELS, Bucket, Row, Window, grouped, matching, page_of
from replayproxy.emulator.administration.usage_counting import Reading, readings
from replayproxy.emulator.administration.usage_prices import bill
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import mint
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES", "UNFINISHED", "USED", "observe"]

_CALLER = ("project_id", "user_id", "api_key_id", "model")
#: What the results of each surface are called, and their fields in the API's order.
_SURFACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "completions": (
        "completions",
        (
            *("input_tokens", "output_tokens", "num_model_requests", *_CALLER, "batch"),
            *("input_cached_tokens", "input_audio_tokens", "output_audio_tokens"),
        ),
    ),
    "embeddings": ("embeddings", ("input_tokens", "num_model_requests", *_CALLER)),
    "moderations": ("moderations", ("input_tokens", "num_model_requests", *_CALLER)),
    "images": ("images", ("images", "num_model_requests", "size", "source", *_CALLER)),
    "audio_speeches": ("audio_speeches", ("num_model_requests", "characters", *_CALLER)),
    "audio_transcriptions": ("audio_transcriptions", ("num_model_requests", "seconds", *_CALLER)),
    "code_interpreter_sessions": ("code_interpreter_sessions", ("num_sessions", "project_id")),
    "file_search_calls": ("file_searches", ("num_requests", *_CALLER[:3], "vector_store_id")),
    "web_search_calls": ("web_searches", ("num_model_requests", "num_requests", *_CALLER, "context_level")),
    "vector_stores": ("vector_stores", ("usage_bytes", "project_id")),
}


def _invent(_: State, record: Record) -> None:
    """Nobody asks for one by its id."""


#: So much of a surface at a time, by whom; the parent is the surface.
USED = Kind("usage entry", "usage_", _invent)
#: A run or a response whose usage is not known yet; the id is its own.
UNFINISHED = Kind("unfinished usage", "unfinished_", _invent)
KINDS = (USED, UNFINISHED)


def observe(state: State, asked: Asked, answer: Answer) -> None:
    """Counts what a request used, once it has been answered."""
    found = readings(asked, answer)
    if not found:
        return
    unfinished = state.shelf(UNFINISHED)
    known = unfinished.get(found[0].object_id)
    for reading in found:
        if reading.open and reading.object_id:
            _begin(state, asked, reading)
        if not reading.later or known is not None:
            _count(state, reading, known.hidden if known and reading.later else _labels(state, asked))
    if known is not None and found[0].later:
        state.remove(UNFINISHED, known.id)


def _labels(state: State, asked: Asked) -> Json:
    caller = caller_of(state, asked)
    return {"project_id": caller.project_id, "user_id": caller.owner_id, "api_key_id": caller.key_id}


def _begin(state: State, asked: Asked, reading: Reading) -> None:
    def fill(record: Record) -> None:
        record.hidden = _labels(state, asked)

    state.add(UNFINISHED, fill, id_=reading.object_id)


def _count(state: State, reading: Reading, caller: Json) -> None:
    """Adds a reading to what was used at the same time by the same."""
    time = state.settings.clock_start if reading.time is None else reading.time
    labels = {**caller, **reading.labels}
    id_ = mint("usage_", time, *(f"{name}={value}" for name, value in sorted(labels.items())))
    known = state.shelf(USED, reading.surface).get(id_)
    before = known.json["amounts"] if known else {}

    def fill(record: Record) -> None:
        names = [*before, *(name for name in reading.amounts if name not in before)]
        amounts = {name: before.get(name, 0) + reading.amounts.get(name, 0) for name in names}
        record.json = {"time": time, "labels": labels, "amounts": amounts}

    state.add(USED, fill, id_=id_, under=reading.surface)


def _rows(state: State, surface: str) -> Iterator[Row]:
    """What was used of a surface."""
    if surface == "vector_stores":
        project = {"project_id": default_project_id(state)}
        for store in state.shelf(state.kinds["vector store"]) if "vector store" in state.kinds else ():
            yield Row(store.created_at, project, {"usage_bytes": store.json.get("usage_bytes") or 0})
        return
    for entry in state.shelf(USED, surface):
        yield Row(entry.json["time"], entry.json["labels"], entry.json["amounts"])


def _now(state: State) -> int:
    """The second after the last thing that was seen."""
    times = (row.time for surface in _SURFACES for row in _rows(state, surface))
    return max(times, default=state.settings.clock_start) + 1


def _usage(surface: str) -> Callable[[State, Asked], Answer]:
    """Handler: the usage of a surface."""
    name, fields = _SURFACES[surface]

    def answer(state: State, asked: Asked) -> Answer:
        query = asked.query
        window = Window.parse(query, _now(state))
        if isinstance(window, Problem):
            return window
        rows = list(matching(_rows(state, surface), query))
        placed = window.placed(rows)

        def results(bucket: Bucket) -> list[Json]:
            inside = placed.get(bucket.start, [])
            if surface == "vector_stores":  # what is stored is still there later on
                inside = [row for row in rows if row.time < bucket.end]
            return [_result(name, fields, labels, amounts) for labels, amounts in grouped(inside, query)]

        return page_of(window, results)

    return answer


def _result(name: str, fields: tuple[str, ...], labels: Json, amounts: Json) -> Json:
    """One result: all its fields, the labels null but for those that it is grouped by."""
    told = {each: labels.get(each) if each in LABELS else amounts.get(each, 0) for each in fields}
    return {"object": f"organization.usage.{name}.result", **told, **labels}


def _costs(state: State, asked: Asked) -> Answer:
    """Handler: what was used, in dollars."""
    query = asked.query
    window = Window.parse(query, _now(state), whole_days=True)
    if isinstance(window, Problem):
        return window
    lines = [line for surface in _SURFACES for row in _rows(state, surface) for line in bill(surface, row)]
    placed = window.placed(matching(lines, query))
    organization = mint("org-", state.settings.seed)

    def results(bucket: Bucket) -> list[Json]:
        inside = placed.get(bucket.start, [])
        units = {str(line.labels["line_item"]): line.labels["unit"] for line in inside}
        return [_cost(labels, amounts, organization, units) for labels, amounts in grouped(inside, query)]

    return page_of(window, results, cursor_first=True)


def _cost(labels: Json, amounts: Json, organization: str, units: Json) -> Json:
    """One result: quantities only where it is of one line of the bill."""
    told: Json = {
        "object": "organization.costs.result",
        "amount": {"value": amounts["value"], "currency": "usd"},
        "line_item": labels.get("line_item"),
        "project_id": labels.get("project_id"),
        "organization_id": organization,
        **labels,
    }
    if "line_item" in labels:
        told |= {"quantity": amounts["quantity"], "quantity_unit": units[labels["line_item"]]}
    return told


ROUTES: Routes = (
    *((f"usage-{surface.replace('_', '-')}", _usage(surface)) for surface in _SURFACES),
    ("usage-costs", _costs),
)
