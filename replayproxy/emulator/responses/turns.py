"""What a model is asked when a response is made: the items of a conversation, put as chat completions put it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence

import orjson

from replayproxy.emulator.brain import Passage, Turn
from replayproxy.emulator.records import Json
from replayproxy.emulator.responses.items import type_of

__all__ = ["DEFAULT_MODEL", "chat_messages", "compacted", "last_text", "namespaces", "turn_of"]

#: Answers where none is named: a stored prompt names it otherwise.
DEFAULT_MODEL = "gpt-4o"
_SUMMARY = "What was said before:\n"
#: Items that tell the model nothing which the next ones do not.
_SILENT = ("item_reference", "reasoning", "mcp_list_tools", "compaction_trigger", "configuration_update")


def turn_of(body: Json, items: Sequence[Json], passages: tuple[Passage, ...] = ()) -> Turn:
    """The turn that the body of a request asks for, `items` being all that was said until now."""
    tools, choice = _chosen(body.get("tool_choice"), _chat_tools(body.get("tools") or ()))
    return Turn(
        model=body.get("model") or DEFAULT_MODEL,
        messages=chat_messages(body, items),
        tools=tools,
        tool_choice=choice,
        response_format=_format(body),
        passages=passages,
        family="responses",
        limit=body.get("max_output_tokens"),
        parallel=body.get("parallel_tool_calls") is not False,
    )


def chat_messages(body: Json, items: Iterable[Json]) -> tuple[Json, ...]:
    """All that is said, as messages; calls that follow one another are one message."""
    messages: list[Json] = []
    if body.get("instructions"):
        messages.append({"role": "system", "content": body["instructions"]})
    if body.get("prompt"):
        variables = orjson.dumps(body["prompt"].get("variables") or {}).decode()
        messages.append({"role": "system", "content": f"Prompt {body['prompt']['id']} with {variables}"})
    for item in items:
        _say(messages, item)
    return tuple(messages)


def last_text(items: Sequence[Json]) -> str:
    """What the user said last, `items` being settled."""
    said = next((item for item in reversed(items) if item.get("role") == "user"), {"content": ()})
    return "\n".join(part["text"] for part in said["content"] if isinstance(part.get("text"), str))


def compacted(items: Iterable[Json]) -> str:
    """What stands in a compaction item for `items`: their text, which no other API can read."""
    said = [f"{each['role']}: {_as_text(each)}" for each in chat_messages({}, items)]
    return base64.b64encode("\n".join(said).encode("utf-8", "surrogatepass")).decode()


def namespaces(tools: Iterable[Json]) -> dict[str, str]:
    """The namespace of each tool that is in one, by the tool's name."""
    return {each["name"]: tool["name"] for tool in tools if tool["type"] == "namespace" for each in tool["tools"]}


def _say(messages: list[Json], item: Json) -> None:
    kind = type_of(item)
    if kind == "message":
        messages.append({"role": item["role"], "content": _content(item["content"])})
    elif kind == "compaction":
        messages.append({"role": "system", "content": _SUMMARY + _unpacked(item["encrypted_content"])})
    elif kind.endswith("_output"):
        output = item.get("output", item.get("tools", ""))
        content = _content(output) if isinstance(output, list) and _are_parts(output) else _text(output)
        messages.append({"role": "tool", "tool_call_id": item.get("call_id") or item.get("id", ""), "content": content})
    elif kind.endswith("_call") and item.get("call_id"):
        _call(messages, item, kind)
    elif kind not in _SILENT:
        _hosted(messages, item, kind)


def _call(messages: list[Json], item: Json, kind: str) -> None:
    """A call that the application answers."""
    if kind == "custom_tool_call":
        made = {"type": "custom", "custom": {"name": item["name"], "input": item["input"]}}
    else:
        given: object = next(
            (item[name] for name in ("arguments", "action", "actions", "operation") if name in item), {}
        )
        made = {"type": "function", "function": {"name": item.get("name", kind), "arguments": _text(given)}}
    if not (messages and messages[-1].get("tool_calls")):
        messages.append({"role": "assistant", "content": None, "tool_calls": []})
    messages[-1]["tool_calls"].append({"id": item["call_id"], **made})


def _hosted(messages: list[Json], item: Json, kind: str) -> None:
    """A call that the API answered by itself: of some, the answer is known."""
    found = item.get("output") or item.get("results") or item.get("outputs")
    if found:
        messages.append({"role": "assistant", "content": f"{kind}: {_text(found)}"})


def _content(content: str | list[Json]) -> str | list[Json]:
    if isinstance(content, str):
        return content
    parts = [_part(part) for part in content]
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _part(part: Json) -> Json:
    kind = part["type"]
    if kind == "refusal":
        return {"type": kind, "refusal": part["refusal"]}
    if kind == "input_image" and part.get("image_url"):
        return {"type": "image_url", "image_url": {"url": part["image_url"], "detail": part.get("detail") or "auto"}}
    if kind in ("input_image", "input_file") and not part.get("file_url"):
        given = {name: part[name] for name in ("file_id", "filename", "file_data") if part.get(name)}
        return {"type": "file", "file": given}
    return {"type": "text", "text": str(part.get("text", part.get("file_url", "")))}


def _are_parts(output: list[Json]) -> bool:
    return all(each.get("type") in ("input_text", "input_image", "input_file", "output_text") for each in output)


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _as_text(message: Json) -> str:
    return _text(message.get("tool_calls") or message["content"])


def _unpacked(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return "(nothing that could be read)"


def _chat_tools(tools: Iterable[Json]) -> tuple[Json, ...]:
    flat = [each for tool in tools for each in (tool["tools"] if tool["type"] == "namespace" else (tool,))]
    return tuple(_chat_tool(tool) for tool in flat if tool["type"] in ("function", "custom"))


def _chat_tool(tool: Json) -> Json:
    names = ("name", "description", "parameters", "strict", "format")
    told = {name: tool[name] for name in names if tool.get(name) is not None}
    if told.get("format", {}).get("type") == "grammar":
        told["format"] = {
            "type": "grammar",
            "grammar": {name: told["format"][name] for name in ("definition", "syntax")},
        }
    return {"type": tool["type"], tool["type"]: told}


def _chosen(choice: str | Json | None, tools: tuple[Json, ...]) -> tuple[tuple[Json, ...], str | Json | None]:
    """The tools that may be called, and the choice among them."""
    if choice is None or isinstance(choice, str):
        return tools, choice
    kind = choice["type"]
    if kind in ("function", "custom"):
        return tools, {"type": kind, kind: {"name": choice["name"]}}
    if kind == "allowed_tools":
        names = {each.get("name") for each in choice["tools"]}
        return tuple(tool for tool in tools if tool[tool["type"]]["name"] in names), choice["mode"]
    return tools, "none"  # one that the API calls by itself, and has called by now


def _format(body: Json) -> Json | None:
    given = (body.get("text") or {}).get("format") or {"type": "text"}
    if given["type"] == "json_schema":
        return {"type": "json_schema", "json_schema": {name: given[name] for name in given if name != "type"}}
    return None if given["type"] == "text" else {"type": given["type"]}
