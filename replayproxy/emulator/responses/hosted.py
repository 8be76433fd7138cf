"""The tools that the API calls by itself: what a model that has them is taken to call, and what comes of it.

Each is called once for a message of the user, unless the request chose otherwise. A file search is a real one, on the
emulator's vector stores; the other calls are done, and what they find is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from replayproxy.emulator.brain import Passage
from replayproxy.emulator.records import Json
from replayproxy.emulator.responses.items import ID_LENGTH
from replayproxy.emulator.responses.turns import last_text
from replayproxy.emulator.shelf import HEX, mint
from replayproxy.emulator.state import State
from replayproxy.emulator.vector_stores.search import search

__all__ = ["Hosted", "hosted_calls"]

#: The API finds so many passages when nothing is said.
_PASSAGES = 20
#: A PNG of one white pixel.
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
_SEARCHES = ("web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11")


@dataclass(frozen=True, slots=True)
class Hosted:
    """Calls, without ids; `passages` are what they found in files. One that `waits` needs the user's approval first."""

    items: tuple[Json, ...] = ()
    passages: tuple[Passage, ...] = ()
    waits: bool = False


def hosted_calls(state: State, body: Json, items: Sequence[Json], owner: str) -> Hosted:
    """What is called for a request of which `items` is all that was said; `owner` is the response's id."""
    last = items[-1] if items else {}
    if last.get("type") == "mcp_approval_response":
        return _approved(items, last)
    if last.get("role") != "user":
        return Hosted()
    query, found = last_text(items), list[Hosted]()
    for tool in _called(body):
        if tool["type"] == "mcp":
            found.append(_mcp(tool, items, query))
        elif tool["type"] == "file_search":
            found.append(_file_search(state, tool, query))
        elif tool["type"] in _CALLS:
            found.append(Hosted((_CALLS[tool["type"]](state, tool, query, owner),)))
    most = body.get("max_tool_calls") or len(found)
    found = found[:most]
    return Hosted(
        tuple(item for each in found for item in each.items),
        tuple(passage for each in found for passage in each.passages),
        any(each.waits for each in found),
    )


def _called(body: Json) -> list[Json]:
    """The tools that a request would have called."""
    tools, choice = list(body.get("tools") or ()), body.get("tool_choice")
    if choice == "none":
        return []
    if not isinstance(choice, dict):
        return tools
    if choice["type"] == "allowed_tools":
        allowed = choice["tools"]
        return [tool for tool in tools if any(_fits(tool, each) for each in allowed)]
    return [tool for tool in tools if _fits(tool, choice)]


def _fits(tool: Json, choice: Json) -> bool:
    label = choice.get("server_label")
    return bool(tool["type"] == choice["type"]) and label in (None, tool.get("server_label"))


def _file_search(state: State, tool: Json, query: str) -> Hosted:
    threshold = (tool.get("ranking_options") or {}).get("score_threshold") or 0.0
    stores = tool["vector_store_ids"]
    passages = search(
        state, stores, query, tool.get("max_num_results") or _PASSAGES, tool.get("filters"), threshold=threshold
    )
    results = [
        {
            "attributes": _attributes(state, stores, passage.file_id),
            "file_id": passage.file_id,
            "filename": passage.filename,
            "score": passage.score,
            "text": passage.text,
        }
        for passage in passages
    ]
    call = {"type": "file_search_call", "status": "completed", "queries": [query], "results": results}
    return Hosted((call,), tuple(passages))


def _attributes(state: State, stores: Sequence[str], file_id: str) -> Json:
    kind = state.kinds["vector store file"]
    found = (state.shelf(kind, store).get(file_id) for store in stores)
    return next((record.json.get("attributes") or {} for record in found if record), {})


def _web_search(_: State, __: Json, query: str, ___: str) -> Json:
    sources = [{"type": "url", "url": "https://example.com/"}]
    action = {"type": "search", "query": query, "queries": [query], "sources": sources}
    return {"type": "web_search_call", "status": "completed", "action": action}


def _code(state: State, tool: Json, query: str, owner: str) -> Json:
    container, code = tool["container"], f"print({orjson.dumps(query).decode()})"
    if not isinstance(container, str):
        container = mint("cntr_", state.settings.seed, owner, length=ID_LENGTH, digits=HEX)
    return {
        "type": "code_interpreter_call",
        "status": "completed",
        "code": code,
        "container_id": container,
        "outputs": [{"type": "logs", "logs": f"{query}\n"}],
    }


def _image(_: State, tool: Json, query: str, __: str) -> Json:
    given = {name: tool.get(name) or "auto" for name in ("background", "quality", "size")}
    return {
        "type": "image_generation_call",
        "status": "completed",
        "background": "opaque" if given["background"] == "auto" else given["background"],
        "output_format": "png",
        "quality": "medium" if given["quality"] == "auto" else given["quality"],
        "result": _PIXEL,
        "revised_prompt": query,
        "size": "1024x1024" if given["size"] == "auto" else given["size"],
    }


_CALLS: dict[str, Callable[[State, Json, str, str], Json]] = {
    "code_interpreter": _code,
    "image_generation": _image,
    **dict.fromkeys(_SEARCHES, _web_search),
}


def _mcp(tool: Json, items: Sequence[Json], query: str) -> Hosted:
    label, names = tool["server_label"], _tool_names(tool)
    known = any(item.get("type") == "mcp_list_tools" and item["server_label"] == label for item in items)
    listed = [] if known else [_list_tools(label, names)]
    call = {"arguments": orjson.dumps({"query": query}).decode(), "name": names[0], "server_label": label}
    if _needs_approval(tool.get("require_approval"), names[0]):
        return Hosted((*listed, {"type": "mcp_approval_request", **call}), waits=True)
    return Hosted((*listed, _mcp_call(call, None)))


def _list_tools(label: str, names: list[str]) -> Json:
    schema = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    tools = [
        {"annotations": {"read_only": False}, "description": f"{name} of {label}", "input_schema": schema, "name": name}
        for name in names
    ]
    return {"type": "mcp_list_tools", "server_label": label, "tools": tools}


def _tool_names(tool: Json) -> list[str]:
    allowed = tool.get("allowed_tools") or ()
    return list(allowed.get("tool_names") or () if isinstance(allowed, dict) else allowed) or ["search"]


def _needs_approval(required: str | Json | None, name: str) -> bool:
    """Every call does, unless the request says otherwise."""
    if isinstance(required, dict):
        always, never = (required.get(which) for which in ("always", "never"))
        listed = (always or never or {}).get("tool_names")
        fits = listed is None or name in listed
        return fits if always is not None or never is None else not fits
    return required != "never"


def _mcp_call(call: Json, request: str | None) -> Json:
    output = f"{call['name']} was called with {call['arguments']}."
    head = {"type": "mcp_call", "status": "completed", "approval_request_id": request}
    return {**head, "arguments": call["arguments"], "error": None, "name": call["name"], "output": output} | {
        "server_label": call["server_label"]
    }


def _approved(items: Sequence[Json], answer: Json) -> Hosted:
    request = answer["approval_request_id"]
    asked = next((item for item in items if item.get("id") == request), None)
    return Hosted((_mcp_call(asked, request),)) if asked and answer["approve"] else Hosted()
