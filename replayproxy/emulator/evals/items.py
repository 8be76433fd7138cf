"""The items of an eval's run: each taken from the data source, answered by the model where it is to, and graded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from replayproxy.emulator.brain.turns import Reply, Turn, Usage
from replayproxy.emulator.evals.graders import Grade, grade
from replayproxy.emulator.evals.templates import rendered_messages, sample_of, value_at
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State

__all__ = ["ITEM", "NO_ERROR", "Ran", "fill_item", "run_item", "source_items"]

#: While nothing has failed; the API's own type knows no null here.
NO_ERROR = {"code": "", "message": ""}


def _invent(_: State, record: Record) -> None:
    record.json = _item(record, "", 0, Ran({}, [], Reply("Hello"), "", ()), {})


ITEM = Kind("eval run output item", "outputitem_", _invent, 32, HEX)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one item: what the model was asked and replied (`model` "": none was), and the grades, by name."""

    item: Json
    messages: list[Json]
    reply: Reply
    model: str
    grades: tuple[tuple[str, str, Grade], ...]

    @property
    def passed(self) -> bool:
        """Whether all criteria are met."""
        return self.reply.error is None and all(each.passed for _, _, each in self.grades)

    @property
    def usage(self) -> Usage:
        """The tokens that the model used."""
        return self.reply.usage


def source_items(state: State, source: Json) -> Iterator[tuple[Json, Json | None]]:
    """The items of a data source, each with the sample that comes along with it; none of a source that is a search."""
    inner = source["source"]
    if inner["type"] == "file_content":
        rows: list[Any] = inner["content"]
    elif inner["type"] == "file_id":
        file = state.get(state.kinds["file"], inner["id"])
        rows = [_row(line) for line in (file.blob if file else b"").split(b"\n") if line.strip()]
    else:
        return
    for row in rows:
        if isinstance(row, dict):
            item = row.get("item")
            yield (item if isinstance(item, dict) else row), row.get("sample")


def _row(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


async def run_item(state: State, criteria: list[Json], source: Json, item: Json, sample: Json | None) -> Ran:
    """Have an item answered, unless its source brings the samples, and graded."""
    messages: list[Json] = []
    reply, model = Reply(str((sample or {}).get("output_text", ""))), ""
    if source["type"] != "jsonl":
        messages, model = _messages(source, item), source.get("model") or "gpt-4o-mini"
        reply = await state.brain.reply(_turn(source, model, messages))
    values = {"item": item, "sample": (sample or {}) | sample_of(reply.text)}
    grades = [(each["name"], each["type"], await grade(state, each, values)) for each in criteria]
    return Ran(item, messages, reply, model, tuple(grades))


def _turn(source: Json, model: str, messages: list[Json]) -> Turn:
    sampling = source.get("sampling_params") or {}
    return Turn(
        model,
        tuple(messages),
        tools=tuple(sampling.get("tools") or ()) if source["type"] == "completions" else (),
        response_format=sampling.get("response_format"),
        family="evals",
        limit=sampling.get("max_completion_tokens"),
    )


def _messages(source: Json, item: Json) -> list[Json]:
    """What the model is asked about an item: a template, or messages that the item itself has."""
    given = source.get("input_messages")
    values = {"item": item}
    if given is None:
        return [{"role": "user", "content": orjson.dumps(item).decode()}]
    if given["type"] == "template":
        return rendered_messages(given["template"], values)
    found = value_at(given["item_reference"], values)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def fill_item(record: Record, eval_id: str, number: int, ran: Ran, sampling: Json) -> None:
    """Make a record tell what came of an item."""
    record.json = _item(record, eval_id, number, ran, sampling)


def _item(record: Record, eval_id: str, number: int, ran: Ran, sampling: Json) -> Json:
    return {
        "object": "eval.run.output_item",
        "id": record.id,
        "created_at": record.created_at,
        "run_id": record.parent,
        "eval_id": eval_id,
        "status": "pass" if ran.passed else "fail",
        "datasource_item_id": number,
        "datasource_item": ran.item,
        "results": [
            {"name": name, "type": kind, "sample": None, "passed": each.passed, "score": each.score}
            for name, kind, each in ran.grades
        ],
        "sample": _sample(ran, sampling),
    }


def _sample(ran: Ran, sampling: Json) -> Json:
    usage, error = ran.usage, ran.reply.error
    text = ran.reply.text or ran.reply.refusal or ""
    return {
        "input": [{"role": str(each.get("role")), "content": _content(each.get("content"))} for each in ran.messages],
        "output": [{"role": "assistant", "content": text}] if text else [],
        "finish_reason": ran.reply.finish,
        "model": ran.model,
        "usage": {
            "total_tokens": usage.total,
            "completion_tokens": usage.completion,
            "prompt_tokens": usage.prompt,
            "cached_tokens": usage.cached,
        },
        "error": {"code": error.code or error.type, "message": error.message} if error else NO_ERROR,
        "temperature": sampling.get("temperature", 1.0),
        "max_completion_tokens": sampling.get("max_completion_tokens", 2048),
        "top_p": sampling.get("top_p", 1.0),
        "seed": sampling.get("seed", 42),
    }


def _content(content: object) -> str:
    return content if isinstance(content, str) else orjson.dumps(content).decode()
