"""What the tools of an assistant and of a thread work with: files for code, vector stores for file search."""

from __future__ import annotations

from replayproxy.emulator.brain import Passage
from replayproxy.emulator.files.files import FILE
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.state import State
from replayproxy.emulator.vector_stores.contents import attach as put_into
from replayproxy.emulator.vector_stores.search import search
from replayproxy.emulator.vector_stores.vector_stores import VECTOR_STORE, add_store

__all__ = ["attach", "found", "resources_of", "store_ids"]

#: Stores made along with a thread or an attachment are given up so long after they were last used
#: (platform.openai.com/docs/assistants/tools/file-search).
_KEPT_A_WEEK: Json = {"expires_after": {"anchor": "last_active_at", "days": 7}}
#: So many passages are found when nothing is said (the same page, for all models but gpt-3.5).
_MOST_FOUND = 20


def resources_of(state: State, given: Json | None, owner: str) -> Json:
    """The resources of a valid body for an `owner` (`thread`, `assistant`) as they are answered.

    Vector stores that are asked for along with it are made; their ids alone are there.
    """
    answered: Json = {}
    given = given or {}
    if given.get("code_interpreter") is not None:
        answered["code_interpreter"] = {"file_ids": [*given["code_interpreter"].get("file_ids", ())]}
    if given.get("file_search") is not None:
        more = _KEPT_A_WEEK if owner == "thread" else {}
        made = [add_store(state, one | more).id for one in given["file_search"].get("vector_stores", ())]
        answered["file_search"] = {"vector_store_ids": [*given["file_search"].get("vector_store_ids", ()), *made]}
    return answered


def store_ids(*resources: Json) -> list[str]:
    """The vector stores in resources, each once."""
    ids = [id_ for one in resources for id_ in (one.get("file_search") or {}).get("vector_store_ids", ())]
    return list(dict.fromkeys(ids))


def attach(state: State, thread: Record, message: Record) -> None:
    """Gives the files attached to a message to the thread's tools, as they were attached for them.

    A file that there is not (any more) is left out: the message names it all the same.
    """
    for one in message.json["attachments"]:
        if state.get(FILE, one["file_id"]) is None:
            continue
        tools = {tool["type"] for tool in one["tools"]}
        if "code_interpreter" in tools:
            held = thread.json["tool_resources"].setdefault("code_interpreter", {}).setdefault("file_ids", [])
            held += [one["file_id"]] if one["file_id"] not in held else []
        if "file_search" in tools:
            _store_file(state, thread, one["file_id"])
        state.keep(thread)


def found(state: State, ids: list[str], question: str, tool: Json) -> list[Passage]:
    """What these vector stores say to a question, as a file search tool is set, the best first."""
    settings = tool.get("file_search") or {}
    threshold = (settings.get("ranking_options") or {}).get("score_threshold", 0.0)
    return search(state, ids, question, settings.get("max_num_results", _MOST_FOUND), threshold=threshold)


def _store_file(state: State, thread: Record, file_id: str) -> None:
    store = next((state.get(VECTOR_STORE, id_) for id_ in store_ids(thread.json["tool_resources"])), None)
    if store is not None:
        put_into(state, store, file_id, None, None)
    else:
        made = add_store(state, {"file_ids": [file_id]} | _KEPT_A_WEEK)
        thread.json["tool_resources"]["file_search"] = {"vector_store_ids": [made.id]}
