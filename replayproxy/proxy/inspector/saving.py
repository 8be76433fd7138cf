"""What the inspector changes in cassettes: an exchange saved, an interaction edited or deleted.

Rules:
1. What is saved are redacted copies only, and answers that are whole; what is refused says why.
2. A cassette that a session of this proxy records is its own, except that an exchange may go into a recording that adds
   to its cassette. Nobody else's recording is disturbed either (stores/lock.py).
3. Sessions that play a cassette go on as they were until they are reset; the answer names them.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

import replayproxy
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.catalog import Catalog, Operation
from replayproxy.core.journal import Entry
from replayproxy.core.matching import identity, scheme_of
from replayproxy.core.messages import Body, FileBody, Request, plain
from replayproxy.core.rules import MatchRules
from replayproxy.errors import CassetteError
from replayproxy.proxy.admin_port import AdminError, answered
from replayproxy.proxy.folder import cassette_in, folder_of
from replayproxy.proxy.handler import Handler
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.exchanges import number_of
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.proxy.inspector.opened import asked_file
from replayproxy.proxy.inspector.reading import read_fields
from replayproxy.stores.edits import CassetteEditor
from replayproxy.stores.file_store import FileStore
from replayproxy.stores.side_files import SideFiles

__all__ = ["DESCRIBED", "delete_interaction", "edit_interaction", "save_exchange"]

#: What cannot be saved, by what became of the exchange, and why.
_NOTHING_TO_SAVE = {
    "under_way": "it is not over yet",
    "missed": "nothing answered it but replayproxy, to say that it missed",
    "failed": "no upstream gave it a whole answer",
    "gone": "the client left before the answer was whole",
}
_ONE = "/cassettes/{path}/interactions/{number}"
_STALE = "`stale_sessions` play the cassette as it was until they are reset."
_NONE = "There is no such cassette, or no such interaction in it."
_RECORDED = "The cassette is being recorded."

DESCRIBED: dict[str, Any] = {
    "/exchanges/{number}/save": {
        "post": operation(
            "saveExchange",
            f"Saves an exchange as a new interaction at the end of a cassette. {_STALE}",
            "/exchanges/{number}/save",
            body="cassette: its path in the folder of cassettes, the session's own when it is left out.",
            refusals={
                400: "The path leads elsewhere, or the cassette cannot be read.",
                404: "The journal does not hold the exchange.",
                409: "There is no whole answer to save, or a session records over the cassette.",
            },
        )
    },
    _ONE: {
        "put": operation(
            "editInteraction",
            f"Lets an interaction read as its document is given here; secrets are redacted (`redacted`: how many). "
            f"What the file was is kept as NAME.yaml~. {_STALE}",
            _ONE,
            body="yaml: the text of the document.",
            refusals={400: "The document cannot be read; the problem names its line.", 404: _NONE, 409: _RECORDED},
        ),
        "delete": operation(
            "deleteInteraction",
            f"Takes an interaction out of its cassette; `interactions` are left. What the file was is kept as "
            f"NAME.yaml~. {_STALE}",
            _ONE,
            refusals={404: _NONE, 409: _RECORDED},
        ),
    },
}


# --- saving


async def save_exchange(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """Adds an exchange of the journal to a cassette."""
    given = await read_fields(request, ("cassette",))
    entry = await inspector.entry(number_of(request))
    path = await _target(inspector, entry, given.get("cassette"))
    interaction = _interaction(entry)
    for body in (interaction.request.body, interaction.response.body):
        await asyncio.to_thread(_check_body, path, body)
    recording = next((each for each in await _handlers(inspector, path) if each.tape is not None), None)
    if recording is None:
        number = await asyncio.to_thread(_editor(inspector, path).add, _head(inspector, entry), interaction)
    elif recording.session.mode.replaces:
        raise _recorded(recording, path, "over")
    else:
        number = await _recorded_too(recording, path, interaction)
    told = {"cassette": plain(_named(inspector, path)), "interaction": number}
    return answered(told | {"stale_sessions": await _stale(inspector, path)})


async def _target(inspector: Inspector, entry: Entry, wanted: object) -> Path:
    if wanted is None:
        known = inspector.sessions.cassettes().get(entry.session) or entry.cassette
        return Path(known) if known else inspector.settings.default_cassette
    if not isinstance(wanted, str):
        raise AdminError.invalid(("cassette", "expected a path such as checkout.yaml"))
    path = cassette_in(folder_of(inspector.settings), wanted)
    if path.suffix not in (".yaml", ".yml"):
        raise AdminError.invalid(("cassette", f"expected a name that ends in .yaml, such as {wanted[:80]}.yaml"))
    return path


def _interaction(entry: Entry) -> Interaction:
    """The exchange as it is saved. AdminError (409) when there is no whole answer."""
    why = _NOTHING_TO_SAVE.get(entry.outcome)
    if entry.cut:
        why = "the journal holds only the beginning of its answer (limits.journal); record it instead"
    response = entry.response
    if why or response is None:
        told = f"exchange {entry.number} cannot be saved: {why or 'the journal does not hold its answer'}"
        raise AdminError(409, "nothing_to_save", told)
    return Interaction(
        request=entry.request,
        response=response,
        operation=entry.operation,
        family=entry.family,
        recorded=entry.arrived,
        first_byte=entry.first_byte,
        took=entry.seconds,
        validator=entry.outcome == "rejected",
        problems=entry.problems,
    )


def _check_body(path: Path, body: Body) -> None:
    """Refuses a body in a file that is not beside this cassette."""
    if isinstance(body, FileBody):
        try:
            SideFiles(path).open(body).close()
        except CassetteError:
            told = f"its body of {body.size:,} bytes is in a file of another cassette; save it there, or record it anew"
            raise AdminError(409, "nothing_to_save", told) from None


async def _recorded_too(handler: Handler, path: Path, interaction: Interaction) -> int:
    """Adds an interaction to a recording that is under way."""
    assert handler.tape is not None, "it records"  # noqa: S101 -- for the type checker
    errors = list[Exception | None]()
    await handler.tape.recorder.append(interaction, handler.session.tally.named("arrived").value, errors.append)
    if errors[0] is not None:
        raise errors[0]
    return await asyncio.to_thread(lambda: len(FileStore(path).open_recordings()[1]))


def _head(inspector: Inspector, entry: Entry) -> Head:
    settings = inspector.settings
    asked = "emulator" if settings.upstream.kind == "emulator" else str(settings.upstream.url)
    return Head(
        asked if settings.forwards else "",
        entry.arrived,
        f"replayproxy {replayproxy.__version__}",
        inspector.redactor.digest,
    )


# --- editing, deleting


async def edit_interaction(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """Lets an interaction read as somebody wrote it."""
    path, number = await _asked(inspector, request)
    text = (await read_fields(request, ("yaml",))).get("yaml")
    if not isinstance(text, str) or not text.strip():
        raise AdminError.invalid(("yaml", "expected the text of the document; DELETE takes an interaction out"))
    await _check_unrecorded(inspector, path)
    try:
        redacted = await asyncio.to_thread(_editor(inspector, path).replace, number, text)
    except CassetteError as error:
        if error.path:
            raise
        raise AdminError.invalid(("yaml", plain(str(error)))) from error
    except IndexError:
        raise _gone(number) from None
    told = {"cassette": request.match_info["path"], "interaction": number, "redacted": redacted}
    return answered(told | {"stale_sessions": await _stale(inspector, path)})


async def delete_interaction(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """Takes an interaction out of its cassette."""
    path, number = await _asked(inspector, request)
    await _check_unrecorded(inspector, path)
    try:
        left = await asyncio.to_thread(_editor(inspector, path).remove, number)
    except IndexError:
        raise _gone(number) from None
    told = {"cassette": request.match_info["path"], "interactions": left}
    return answered(told | {"stale_sessions": await _stale(inspector, path)})


async def _asked(inspector: Inspector, request: web.Request) -> tuple[Path, int]:
    path = await asyncio.to_thread(asked_file, inspector.settings, request.match_info["path"])
    return path, number_of(request)


async def _check_unrecorded(inspector: Inspector, path: Path) -> None:
    for handler in await _handlers(inspector, path):
        if handler.tape is not None:
            raise _recorded(handler, path, "into")


# --- what they share


def _editor(inspector: Inspector, path: Path) -> CassetteEditor:
    settings = inspector.settings
    identify = partial(_identified, settings.match.all_rules, inspector.catalog)
    return CassetteEditor(path, inspector.redactor, settings.record.inline_limit, identify)


def _identified(rules: MatchRules, catalog: Catalog, request: Request) -> tuple[str, bytes]:
    def operation_of(request: Request) -> Operation | None:
        found = catalog.resolve(request.method, request.target)
        return found.operation if found else None

    return scheme_of(rules), identity(request, rules, operation_of)


async def _handlers(inspector: Inspector, path: Path) -> list[Handler]:
    """The sessions that have this cassette."""
    return [await inspector.sessions.get(name) for name in _users(inspector, path)]


def _users(inspector: Inspector, path: Path) -> list[str]:
    real = os.path.realpath(path)
    return [name for name, known in inspector.sessions.cassettes().items() if os.path.realpath(known) == real]


async def _stale(inspector: Inspector, path: Path) -> list[str]:
    return [handler.name for handler in await _handlers(inspector, path) if handler.session.mode.plays]


def _recorded(handler: Handler, path: Path, how: str) -> AdminError:
    told = f"session {handler.name} records {how} {path.name}: switch it to playback first, or close it"
    return AdminError(409, "cassette_recorded", told)


def _gone(number: int) -> AdminError:
    return AdminError(404, "no_interaction", f"there is no interaction {number} in this cassette")


def _named(inspector: Inspector, path: Path) -> str:
    """The cassette's path as the other routes take it."""
    folder = os.path.realpath(folder_of(inspector.settings))
    real = os.path.realpath(path)
    return os.path.relpath(real, folder) if Path(real).is_relative_to(folder) else path.name
