"""File search: the chunks of files in vector stores that answer a query, the best first.

A file counts from the moment it is put in, as a run would wait for it; one that failed or was cancelled does not. What
has no word of the query is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain.turns import Passage
from replayproxy.emulator.family import not_found
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.state import State
from replayproxy.emulator.vector_stores.contents import VECTOR_STORE_FILE
from replayproxy.emulator.vector_stores.filters import matches
from replayproxy.emulator.vector_stores.ranking import rewritten, scores

__all__ = ["DEFAULT_LIMIT", "search", "search_store"]

#: How many chunks the API gives when nothing is said.
DEFAULT_LIMIT = 10
_SEARCHED = frozenset({"in_progress", "completed"})


@dataclass(frozen=True, slots=True)
class _Chunk:
    entry: Record
    start: int
    text: str


def search(
    state: State,
    store_ids: Sequence[str],
    query: str | Sequence[str],
    limit: int = DEFAULT_LIMIT,
    filters: Json | None = None,
    threshold: float = 0.0,
) -> list[Passage]:
    """What the files in some stores say to a query (or to the best fitting of several), the best first.

    `filters` are over the files' attributes, as the API takes them; scores are from 0 to 1, none below `threshold`.
    Stores that are not there are passed over, and a chunk that is in several is found once.
    """
    found = _ranked(state, store_ids, query, limit, filters, threshold)
    return [_passage(chunk, score) for chunk, score in found]


def search_store(state: State, asked: Asked) -> Answer:
    """The search operation of a vector store."""
    id_, body = asked.params["vector_store_id"], asked.body
    if state.get(state.kinds["vector store"], id_) is None:
        return not_found("vector store", id_)
    queries = [body["query"]] if isinstance(body["query"], str) else list(body["query"])
    if body.get("rewrite_query"):
        queries = [rewritten(query) for query in queries]
    threshold = (body.get("ranking_options") or {}).get("score_threshold") or 0.0
    limit = body.get("max_num_results") or DEFAULT_LIMIT
    found = _ranked(state, [id_], queries, limit, body.get("filters"), threshold)
    return {
        "object": "vector_store.search_results.page",
        "search_query": queries,
        "data": [_result(chunk, score) for chunk, score in found],
        "has_more": False,
        "next_page": None,
    }


def _passage(chunk: _Chunk, score: float) -> Passage:
    return Passage(chunk.entry.id, chunk.entry.hidden["filename"], chunk.text, score, chunk.start)


def _result(chunk: _Chunk, score: float) -> Json:
    return {
        "file_id": chunk.entry.id,
        "filename": chunk.entry.hidden["filename"],
        "score": score,
        "attributes": chunk.entry.json["attributes"],
        "content": [{"type": "text", "text": chunk.text}],
    }


def _ranked(
    state: State,
    store_ids: Sequence[str],
    query: str | Sequence[str],
    limit: int,
    filters: Json | None,
    threshold: float,
) -> list[tuple[_Chunk, float]]:
    chunks = list(_chunks(state, store_ids, filters))
    texts = [chunk.text for chunk in chunks]
    queries = [query] if isinstance(query, str) else query
    best = [0.0] * len(chunks)
    for each in queries:
        best = [max(pair) for pair in zip(best, scores(each, texts), strict=True)]
    found = [(chunk, round(score, 6)) for chunk, score in zip(chunks, best, strict=True)]
    wanted = [pair for pair in found if pair[1] > 0 and pair[1] >= threshold]
    return sorted(wanted, key=lambda pair: -pair[1])[:limit]  # of equal ones the earlier stays first


def _chunks(state: State, store_ids: Sequence[str], filters: Json | None) -> Iterator[_Chunk]:
    seen: set[tuple[str, int, int]] = set()
    for entry in _entries(state, store_ids):
        if entry.json["status"] not in _SEARCHED or not matches(entry.json["attributes"], filters):
            continue
        text = entry.blob.decode()
        for start, end in entry.hidden["chunks"]:
            if (entry.id, start, end) not in seen:
                seen.add((entry.id, start, end))
                yield _Chunk(entry, start, text[start:end])


def _entries(state: State, store_ids: Sequence[str]) -> Iterator[Record]:
    for id_ in store_ids:
        if state.get(state.kinds["vector store"], id_) is not None:
            yield from state.shelf(VECTOR_STORE_FILE, id_)
