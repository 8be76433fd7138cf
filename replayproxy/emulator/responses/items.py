"""The items that responses and conversations are made of: messages, calls of tools, their outputs, reasoning.

An item comes in many short forms and is stored in the long one that the API answers. What the API answers only when
it is asked for (`include`) is stored as well, and left out when the item is shown. Order of keys: recordings of the
real API (responses_create, responses_create_with_tool_call, responses_input_items).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from replayproxy.emulator.records import Json
from replayproxy.emulator.shelf import HEX, mint
from replayproxy.openai_api.lists import PageQuery

__all__ = ["ID_LENGTH", "LOGPROBS", "items_of", "new_id", "settled", "shown", "slice_of", "type_of"]

#: Digits of an id, behind its prefix.
ID_LENGTH = 48
LOGPROBS = "message.output_text.logprobs"
_PREFIXES = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "file_search_call": "fs_",
    "web_search_call": "ws_",
    "code_interpreter_call": "ci_",
    "image_generation_call": "ig_",
    "mcp_list_tools": "mcpl_",
    "mcp_call": "mcp_",
    "mcp_approval_request": "mcpr_",
    "mcp_approval_response": "mcpa_",
    "computer_call": "cu_",
    "computer_call_output": "cuo_",
    "local_shell_call": "lsh_",
    "local_shell_call_output": "lsho_",
    "shell_call": "sh_",
    "shell_call_output": "sho_",
    "apply_patch_call": "apc_",
    "apply_patch_call_output": "apco_",
    "tool_search_call": "tsc_",
    "tool_search_output": "tso_",
    "compaction": "cmp_",
}
#: Fields that the API answers, though they may be left out of what is given.
_FILLED: dict[str, Json] = {
    "reasoning": {"summary": []},
    "shell_call": {"environment": None},
    "shell_call_output": {"max_output_length": None},
    "tool_search_call": {"call_id": None, "execution": "client"},
    "tool_search_output": {"call_id": None, "execution": "client"},
    "computer_call": {"pending_safety_checks": []},
    "web_search_call": {"action": {"type": "search", "query": ""}},
    "image_generation_call": {"result": None},
}
#: May be given as null, and are not answered so.
_NEVER_NULL = ("name", "namespace", "caller", "reason", "acknowledged_safety_checks")
#: Items without a status of their own.
_NO_STATUS = ("reasoning", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "compaction")


def type_of(item: Json) -> str:
    """The type of an item as it is given: a message and a reference may leave it out."""
    return str(item.get("type") or ("message" if "role" in item else "item_reference"))


def new_id(seed: str | int, owner: str, number: int, kind: str) -> str:
    """The id of the item that is made at a place (`number`) of a response or a conversation (`owner`)."""
    return mint(_PREFIXES.get(kind, "item_"), seed, owner, number, length=ID_LENGTH, digits=HEX)


def items_of(given: str | list[Json] | None) -> list[Json]:
    """What is given as `input`, as items; a text is a message of the user."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given or ())


def settled(item: Json, id_: str) -> Json:
    """An item as it is stored; `id_` is its id when it brings none."""
    kind = type_of(item)
    head = {"type": kind, "id": item.get("id") or id_}
    status = {} if kind in _NO_STATUS else {"status": item.get("status") or "completed"}
    if kind == "message":
        phase = {"phase": item["phase"]} if item.get("phase") else {}
        return {**head, **status, "role": item["role"], "content": _content(item["role"], item["content"]), **phase}
    rest = {name: value for name, value in item.items() if name not in ("type", "id", "status")}
    rest = {name: value for name, value in rest.items() if value is not None or name not in _NEVER_NULL}
    if kind == "shell_call":
        rest["action"] = {"timeout_ms": None, "max_output_length": None} | item["action"]
    return {**head, **_FILLED.get(kind, {}), **rest, **status}


def shown(item: Json, include: Collection[str]) -> Json:
    """An item as it is answered to somebody who asked to `include` some of the fields that are left out otherwise."""
    kind = type_of(item)
    if kind == "file_search_call" and "file_search_call.results" not in include:
        return item | {"results": None}
    if kind == "code_interpreter_call" and "code_interpreter_call.outputs" not in include:
        return item | {"outputs": None}
    if kind == "reasoning" and "reasoning.encrypted_content" not in include:
        return _without(item, "encrypted_content")
    if kind == "web_search_call" and "web_search_call.action.sources" not in include:
        return item | {"action": _without(item["action"], "sources")}
    if kind == "message" and LOGPROBS not in include:
        return item | {"content": [_without(part, "logprobs") for part in item["content"]]}
    return item


def slice_of(items: list[Json], query: PageQuery) -> tuple[list[Json], bool] | str:
    """The page of `items` (oldest first) that is asked for and whether there are more; or the cursor that is no id."""
    ordered = items if query.order == "asc" else items[::-1]
    ids = [item["id"] for item in ordered]
    unknown = next((id_ for id_ in (query.after, query.before) if id_ and id_ not in ids), None)
    if unknown is not None:
        return unknown
    first = ids.index(query.after) + 1 if query.after else 0
    last = ids.index(query.before) if query.before else len(ids)
    if query.before and not query.after:
        first = max(0, last - query.limit)
        return ordered[first:last], first > 0
    return ordered[first:last][: query.limit], last - first > query.limit


def _content(role: str, content: str | list[Json]) -> list[Json]:
    kind = "output_text" if role == "assistant" else "input_text"
    parts = [{"type": kind, "text": content}] if isinstance(content, str) else content
    return [_part(part, kind) for part in parts]


def _part(part: Json, text_kind: str) -> Json:
    """A part of a message as the API answers it; the text of an assistant is output, however it is called."""
    kind = part["type"]
    if kind in ("input_text", "output_text"):
        more: Json = {"annotations": part.get("annotations") or []} if text_kind == "output_text" else {}
        return {"type": text_kind, "text": part["text"], **more}
    if kind == "input_image":
        image: dict[str, Any] = {name: part.get(name) for name in ("file_id", "image_url")}
        return {"type": kind, "detail": part.get("detail") or "auto", **image}
    return {name: value for name, value in part.items() if value is not None}


def _without(item: Json, name: str) -> Json:
    return {key: value for key, value in item.items() if key != name} if name in item else item
