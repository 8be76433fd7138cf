"""The family of evals: what is evaluated, and by which criteria; its runs are in eval_runs and eval_items.

Facts (examples of the API's reference): the order of keys, the schema of a data source, the forms of the deletions.
"""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.evals.items import ITEM
from replayproxy.emulator.evals.pages import eval_page
from replayproxy.emulator.evals.runs import RUN, RUN_ROUTES, eval_of
from replayproxy.emulator.family import Routes, metadata_of, not_found
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State

__all__ = ["EVAL", "KINDS", "ROUTES"]

_ROLES = frozenset({"user", "assistant", "system", "developer"})
_CRITERION = {
    "type": "string_check",
    "name": "String check",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


def _invent(_: State, record: Record) -> None:
    body = {"data_source_config": {"type": "custom", "item_schema": {"type": "object"}}}
    record.json = _eval(record, body | {"testing_criteria": [dict(_CRITERION)]})


EVAL = Kind("eval", "eval_", _invent, 32, HEX)
KINDS = (EVAL, RUN, ITEM)


def _eval(record: Record, body: Json) -> Json:
    return {
        "object": "eval",
        "id": record.id,
        "data_source_config": _data_source(body["data_source_config"]),
        "testing_criteria": [_criterion(each) for each in body["testing_criteria"]],
        "name": body.get("name") or "Unnamed eval",
        "created_at": record.created_at,
        "metadata": metadata_of(body, otherwise={}),
    }


def _criterion(given: Json) -> Json:
    """A criterion as it is answered: a message may be asked for in any role, but is told in one that there is."""
    if not isinstance(given.get("input"), list):
        return given
    messages = [one if one["role"] in _ROLES else one | {"role": "user"} for one in given["input"]]
    return given | {"input": messages}


def _data_source(given: Json) -> Json:
    """A data source as it is answered: with the schema of what criteria may refer to."""
    if given["type"] == "custom":
        properties: Json = {"item": given["item_schema"]}
        if given.get("include_sample_schema"):
            properties["sample"] = _SAMPLE
        return {"type": "custom", "schema": _object(properties)}
    schema = _object({"item": {"type": "object"}, "sample": _SAMPLE})
    return {"type": given["type"], "metadata": given.get("metadata") or {}, "schema": schema}


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


_SAMPLE = _object({"model": {"type": "string"}, "choices": {"type": "array"}, "output_text": {"type": "string"}})


def _create(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _eval(record, asked.body)

    return Told(state.add(EVAL, fill).json, status=201)


def _list(state: State, asked: Asked) -> Answer:
    return eval_page(state.shelf(EVAL), EVAL, asked)


def _get(state: State, asked: Asked) -> Answer:
    found = eval_of(state, asked)
    return found if isinstance(found, Problem) else found.json


def _update(state: State, asked: Asked) -> Answer:
    found = eval_of(state, asked)
    if isinstance(found, Problem):
        return found
    found.json["name"] = asked.body.get("name") or found.json["name"]
    found.json["metadata"] = metadata_of(asked.body, otherwise=found.json["metadata"])
    state.keep(found)
    return found.json


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["eval_id"]
    if state.remove(EVAL, id_) is None:
        return not_found("eval", id_)
    return {"object": "eval.deleted", "deleted": True, "eval_id": id_}


ROUTES: Routes = (
    ("createEval", _create),
    ("listEvals", _list),
    ("getEval", _get),
    ("updateEval", _update),
    ("deleteEval", _delete),
    *RUN_ROUTES,
    ("cancelEvalRunByPath", dict(RUN_ROUTES)["cancelEvalRun"]),
)
