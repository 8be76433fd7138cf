"""Templates of evals: `{{item.answer}}` and `{{sample.output_text}}` stand for values of the item and of the sample."""

from __future__ import annotations

import re
from typing import Any

import orjson

from replayproxy.emulator.records import Json

__all__ = ["rendered", "rendered_messages", "sample_of", "value_at"]

_PLACES = re.compile(r"\{\{\s*([\w.\[\]-]+)\s*\}\}")
_STEPS = re.compile(r"[^.\[\]]+")
#: The types of message parts whose text a model is given.
_TEXTS = frozenset({"input_text", "output_text", "text"})


def sample_of(text: str) -> Json:
    """What a template may say of a model's answer."""
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError:
        parsed = None
    return {"output_text": text, "output_json": parsed}


def value_at(path: str, values: Json) -> Any:
    """The value at a path (`item.list[0].name`), None when there is none."""
    value: Any = values
    for step in _STEPS.findall(path):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step[:9]) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def rendered(template: str, values: Json) -> str:
    """A template with its values put in: text as it is, anything else as JSON, nothing for what is not there."""

    def found(place: re.Match[str]) -> str:
        value = value_at(place[1], values)
        if value is None:
            return ""
        return value if isinstance(value, str) else orjson.dumps(value).decode()

    return _PLACES.sub(found, template)


def rendered_messages(templates: list[Json], values: Json) -> list[Json]:
    """Messages with their values put in, in the form of chat completions."""
    return [{"role": each["role"], "content": rendered(_text(each.get("content")), values)} for each in templates]


def _text(content: Any) -> str:
    """The text in a message's content: a string, a part, or several."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return str(content.get("text", "")) if content.get("type") in _TEXTS else ""
    return "\n".join(filter(None, map(_text, content))) if isinstance(content, list) else ""
