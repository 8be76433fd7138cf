"""Cassettes as the inspector shows them: those there are, the interactions of one, one of them, and its bodies.

Rules:
1. Files are read in a thread. A list of cassettes reads no more of each than a session does that opens it.
2. A cassette, or an interaction, that cannot be read is listed with the reason; the others are listed all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiohttp import web

from replayproxy.config import Settings
from replayproxy.core.messages import FileBody, Request, Response, plain
from replayproxy.core.redaction import Redactor
from replayproxy.errors import CassetteError
from replayproxy.proxy.admin_port import AdminError, answered
from replayproxy.proxy.folder import folder_of
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.exchanges import body_download, number_of
from replayproxy.proxy.inspector.forms import detail_of_interaction
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.proxy.inspector.opened import OpenedCassette, asked_file, why_broken
from replayproxy.stores import FileStore

__all__ = ["DESCRIBED", "give_body", "list_cassettes", "list_interactions", "show_interaction"]

#: By which a file is known to be the same: its number, its size, when it was changed.
_Stamp = tuple[int, int, int]

_INTERACTIONS = "/cassettes/{path}/interactions"
_ONE = f"{_INTERACTIONS}/{{number}}"
_REFUSALS = {400: "The path leads elsewhere, or the cassette cannot be read.", 404: "There is no such cassette."}
_NONE = {400: _REFUSALS[400], 404: "There is no such cassette, or no such interaction in it."}

DESCRIBED: dict[str, Any] = {
    "/cassettes": {
        "get": operation(
            "listCassettes",
            "The cassettes in the folder, each with its sessions and how many of its interactions none of them played "
            "(null: none plays it); one that cannot be read says why.",
        )
    },
    _INTERACTIONS: {
        "get": operation(
            "listInteractions", "The interactions of a cassette, without bodies.", _INTERACTIONS, refusals=_REFUSALS
        )
    },
    _ONE: {
        "get": operation(
            "showInteraction", "One interaction, with its document as it stands in the file.", _ONE, refusals=_NONE
        )
    },
    f"{_ONE}/{{side}}/body": {
        "get": operation(
            "interactionBody",
            "The body of an interaction's request or response (`side`), its content coding undone.",
            f"{_ONE}/{{side}}/body",
            gives="application/octet-stream",
            refusals=_NONE,
        )
    },
}

#: What is known of so many cassettes, and the rows of so many, is kept for when they are asked for again unchanged: a
#: page that shows them asks every few seconds.
_FACTS_KEPT, _ROWS_KEPT = 4096, 2
#: A body in a file goes out in pieces of so many bytes.
_PIECE = 256 * 1024


# --- cassettes


async def list_cassettes(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """All cassettes, in the order of their paths."""
    settings, cassettes = inspector.settings, inspector.sessions.cassettes()
    found = await asyncio.to_thread(lambda: list(_listed(settings, _users(cassettes))))
    for cassette in found:
        left = await _left(inspector, cassette["sessions"])
        cassette["unplayed"] = None if left is None else len(left[1])
    return answered({"folder": plain(_shown(folder_of(settings))), "cassettes": found})


def _listed(settings: Settings, users: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    for path in _paths(settings, users):
        names = users.get(os.path.realpath(folder_of(settings) / path), [])
        yield _told(settings, path) | {"sessions": names}


def _paths(settings: Settings, users: dict[str, list[str]]) -> list[str]:
    """The cassettes' paths in the folder: all that are there, or the one file and those that sessions use beside it."""
    folder = folder_of(settings)
    if settings.cassette is None:
        return sorted(_files(folder))
    real = os.path.realpath(folder)
    beside = [os.path.relpath(path, real) for path in users if Path(path).is_relative_to(real)]
    names = {settings.cassette.name, *beside} - {os.path.relpath(os.path.realpath(settings.cassette), real)}
    names.add(settings.cassette.name)
    return sorted(name for name in names if (folder / name).is_file())


def _files(folder: Path) -> Iterator[str]:
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and not name.endswith(".files")]
        place = os.path.relpath(at, folder)
        for name in names:
            if name.endswith(".yaml") and not name.startswith("."):
                yield Path(place, name).as_posix()


def _told(settings: Settings, path: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"path": plain(path), "size": 0, "interactions": None, "recorded": "", "upstream": ""}
    facts |= {"broken": None, "note": None}
    try:
        stamp = _stamp(folder_of(settings) / path)
        facts["size"] = stamp[1]
        return facts | _facts(asked_file(settings, path), stamp)
    except CassetteError as error:
        return facts | {"broken": why_broken(error)}
    except AdminError as error:
        return facts | {"broken": plain(str(error))}


def _stamp(path: Path) -> _Stamp:
    with contextlib.suppress(OSError):  # whoever reads it tells what is wrong
        status = path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns
    return 0, 0, 0


@lru_cache(maxsize=_FACTS_KEPT)
def _facts(path: Path, stamp: _Stamp) -> dict[str, Any]:
    store = FileStore(path)
    head, recordings = store.open_recordings()
    torn = "the last document was not finished and is left out" if store.torn else None
    told = {"recorded": plain(head.recorded), "upstream": plain(head.upstream), "note": torn}
    return {"interactions": len(recordings)} | told


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


# --- interactions


async def list_interactions(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """The interactions of a cassette, in its order; `played` is null where no session plays it."""
    path = request.match_info["path"]
    rows = await asyncio.to_thread(_rows_now, inspector, path)
    given = await _given(inspector, path)
    return answered({"path": plain(path), "interactions": [row | {"played": given(row["number"])} for row in rows]})


def _rows_now(inspector: Inspector, path: str) -> tuple[dict[str, Any], ...]:
    file = asked_file(inspector.settings, path)
    rows = _rows(file, _stamp(file), path, inspector.redactor)
    if any(row["broken"] for row in rows):
        _rows.cache_clear()  # what is wrong may be mended beside the file
    return rows


@lru_cache(maxsize=_ROWS_KEPT)
def _rows(file: Path, stamp: _Stamp, path: str, redactor: Redactor) -> tuple[dict[str, Any], ...]:
    return tuple(OpenedCassette.of(file, path, redactor).rows())


async def show_interaction(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """One interaction, whole, and its document."""
    path, number = request.match_info["path"], number_of(request)

    def told() -> dict[str, Any]:
        found = OpenedCassette.at(inspector, path).interaction(number)
        return detail_of_interaction(found, number, path) | {"yaml": plain(found.text)}

    detail = await asyncio.to_thread(told)
    return answered(detail | {"played": (await _given(inspector, path))(number)})


async def give_body(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """The bytes of a body, also when they lie in a file beside the cassette."""
    path, number, side = request.match_info["path"], number_of(request), request.match_info["side"]
    opened = await asyncio.to_thread(OpenedCassette.at, inspector, path)
    found = await asyncio.to_thread(opened.interaction, number)
    sides: dict[str, Request | Response | None] = {"request": found.request, "response": found.response}
    name, message = f"interaction-{number}", sides.get(side)
    if message is not None and isinstance(message.body, FileBody):
        return await _file_download(request, opened.store, message.body, f"{name}-{side}")
    return body_download(sides, side, name)


async def _file_download(request: web.Request, store: FileStore, body: FileBody, name: str) -> web.StreamResponse:
    with await asyncio.to_thread(store.open_body, body) as file:
        response = web.StreamResponse()
        response.content_type = "application/octet-stream"
        response.content_length = body.size
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.bin"'
        await response.prepare(request)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await response.write(piece)
    return response


# --- what sessions gave of them


def _users(cassettes: Mapping[str, str]) -> dict[str, list[str]]:
    """The open sessions by the file that they record into, or play; `cassettes` are theirs by name."""
    found: dict[str, list[str]] = {}
    for name, cassette in cassettes.items():
        found.setdefault(os.path.realpath(cassette), []).append(name)
    return found


async def _left(inspector: Inspector, names: list[str]) -> tuple[int, frozenset[int]] | None:
    """How many interactions these sessions play, and which of them none has given; None when none plays."""
    known, left = 0, None
    for name in names:
        await asyncio.sleep(0)
        with contextlib.suppress(KeyError):  # closed meanwhile
            told = inspector.sessions.unplayed(name)
            if told is not None:
                known, left = max(known, told[0]), told[1] if left is None else left & told[1]
    return None if left is None else (known, left)


async def _given(inspector: Inspector, path: str) -> Callable[[int], bool | None]:
    """Says of an interaction whether a session gave it, None when none plays it."""
    settings, cassettes = inspector.settings, inspector.sessions.cassettes()

    def names() -> list[str]:
        return _users(cassettes).get(os.path.realpath(asked_file(settings, path)), [])

    left = await _left(inspector, await asyncio.to_thread(names))
    if left is None:
        return lambda number: None
    return lambda number: number not in left[1] if number <= left[0] else None
