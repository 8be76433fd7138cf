"""The runs of evals. One moves on when it is retrieved: queued, in progress, and then it is really run.

A run of a search over stored completions, responses or logs has no items here.
"""

from __future__ import annotations

from typing import Final

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.evals.items import ITEM, NO_ERROR, Ran, fill_item, run_item, source_items
from replayproxy.emulator.evals.pages import eval_page
from replayproxy.emulator.family import Routes, find, metadata_of, not_found
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State

__all__ = ["RUN", "RUN_ROUTES", "eval_of"]

_OVER: Final = frozenset({"completed", "failed", "canceled"})
_POLL = {"openai-poll-after-ms": "10"}
_REPORT = "https://platform.openai.com/evaluations/{}?run_id={}"


def _invent(_: State, record: Record) -> None:
    source = {"type": "jsonl", "source": {"type": "file_content", "content": []}}
    record.json = _run(record, {"data_source": source}) | {"status": "completed"}


RUN = Kind("eval run", "evalrun_", _invent, 32, HEX)


def _run(record: Record, body: Json) -> Json:
    source = body["data_source"]
    return {
        "object": "eval.run",
        "id": record.id,
        "eval_id": record.parent,
        "report_url": _REPORT.format(record.parent, record.id),
        "status": "queued",
        "model": source.get("model") or "",
        "name": body.get("name") or "Unnamed run",
        "created_at": record.created_at,
        "result_counts": {"total": 0, "errored": 0, "failed": 0, "passed": 0},
        "per_model_usage": [],
        "per_testing_criteria_results": [],
        "data_source": source,
        "error": dict(NO_ERROR),
        "metadata": metadata_of(body, otherwise={}),
    }


def eval_of(state: State, asked: Asked) -> Record | Problem:
    """The eval that the path names."""
    id_ = asked.params["eval_id"]
    return find(state, state.kinds["eval"], id_)


def _run_of(state: State, asked: Asked) -> Record | Problem:
    found = eval_of(state, asked)
    if isinstance(found, Problem):
        return found
    id_ = asked.params["run_id"]
    return find(state, RUN, id_, found.id)


def _told(run: Record, status: int = 200) -> Told:
    return Told(run.json, status, headers={} if run.json["status"] in _OVER else _POLL)


def _create(state: State, asked: Asked) -> Answer:
    found = eval_of(state, asked)
    if isinstance(found, Problem):
        return found
    inner = asked.body["data_source"]["source"]
    if inner["type"] == "file_id" and state.get(state.kinds["file"], inner["id"]) is None:
        return Problem(f"No such File object: {inner['id']}", "data_source.source.id")

    def fill(record: Record) -> None:
        record.json = _run(record, asked.body)

    return _told(state.add(RUN, fill, found), status=201)


def _list(state: State, asked: Asked) -> Answer:
    found = eval_of(state, asked)
    if isinstance(found, Problem):
        return found
    status = asked.query.get("status")
    wanted = (lambda run: run.json["status"] == status) if status else None
    return eval_page(state.shelf(RUN, found.id), RUN, asked, wanted)


async def _get(state: State, asked: Asked) -> Answer:
    run = _run_of(state, asked)
    if isinstance(run, Problem):
        return run
    if run.json["status"] == "queued":
        run.json["status"] = "in_progress"
    elif run.json["status"] == "in_progress":
        if run.hidden.get("running"):
            return _told(run)
        await _complete(state, run)
    state.keep(run)
    return _told(run)


async def _complete(state: State, run: Record) -> None:
    """Run all items, once; who asks meanwhile is told that they are in progress."""
    eval_ = state.get(state.kinds["eval"], run.parent)
    criteria = eval_.json["testing_criteria"] if eval_ else []
    source, done = run.json["data_source"], list[Ran]()
    run.hidden["running"] = True
    try:
        for item, sample in source_items(state, source):
            done.append(await run_item(state, criteria, source, item, sample))
    finally:
        del run.hidden["running"]  # never kept: a run that was cut off is to be run again
    if run.json["status"] != "in_progress":  # it may have been cancelled meanwhile
        return
    for number, ran in enumerate(done):
        _keep(state, run, number, ran)
    run.json |= {"status": "completed", **_results(done, criteria)}


def _keep(state: State, run: Record, number: int, ran: Ran) -> None:
    sampling = run.json["data_source"].get("sampling_params") or {}
    state.add(ITEM, lambda record: fill_item(record, run.parent, number, ran, sampling), run)


def _results(done: list[Ran], criteria: list[Json]) -> Json:
    errored = sum(ran.reply.error is not None for ran in done)
    passed = sum(ran.passed for ran in done)
    models = dict.fromkeys(ran.model for ran in done if ran.model)
    return {
        "result_counts": {
            "total": len(done),
            "errored": errored,
            "failed": len(done) - errored - passed,
            "passed": passed,
        },
        "per_model_usage": [_usage(model, [ran for ran in done if ran.model == model]) for model in models],
        "per_testing_criteria_results": [
            _met(criterion["name"], [ran.grades[place][2].passed for ran in done])
            for place, criterion in enumerate(criteria)
        ],
    }


def _met(name: str, passed: list[bool]) -> Json:
    return {"testing_criteria": name, "passed": sum(passed), "failed": len(passed) - sum(passed)}


def _usage(model: str, ran: list[Ran]) -> Json:
    prompt, completion = sum(each.usage.prompt for each in ran), sum(each.usage.completion for each in ran)
    return {
        "model_name": model,
        "invocation_count": len(ran),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cached_tokens": sum(each.usage.cached for each in ran),
    }


def _cancel(state: State, asked: Asked) -> Answer:
    run = _run_of(state, asked)
    if isinstance(run, Problem):
        return run
    if run.json["status"] not in _OVER:
        run.json["status"] = "canceled"
        if not run.hidden.get("running"):
            state.keep(run)
    return run.json


def _delete(state: State, asked: Asked) -> Answer:
    run = _run_of(state, asked)
    if isinstance(run, Problem):
        return run
    state.remove(RUN, run.id, run.parent)
    return {"object": "eval.run.deleted", "deleted": True, "run_id": run.id}


def _items(state: State, asked: Asked) -> Answer:
    run = _run_of(state, asked)
    if isinstance(run, Problem):
        return run
    status = asked.query.get("status")
    wanted = (lambda item: item.json["status"] == status) if status else None
    return eval_page(state.shelf(ITEM, run.id), ITEM, asked, wanted)


def _item(state: State, asked: Asked) -> Answer:
    run = _run_of(state, asked)
    if isinstance(run, Problem):
        return run
    id_ = asked.params["output_item_id"]
    item = state.get(ITEM, id_, run.id)
    # One that was made up does not know what its run is a run of.
    return item.json | {"eval_id": run.parent} if item else not_found("eval run output item", id_)


RUN_ROUTES: Routes = (
    ("createEvalRun", _create),
    ("getEvalRuns", _list),
    ("getEvalRun", _get),
    ("cancelEvalRun", _cancel),
    ("deleteEvalRun", _delete),
    ("getEvalRunOutputItems", _items),
    ("getEvalRunOutputItem", _item),
)
