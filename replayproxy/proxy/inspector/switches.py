"""What a session is switched to while it is open: another mode. (Its faults are set at `/sessions/NAME/faults`.)"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from replayproxy.config.nodes import similar
from replayproxy.core.fault_kinds import ALWAYS, SILENCE
from replayproxy.core.faults import FaultPlan, PlannedFault
from replayproxy.core.modes import MODES
from replayproxy.errors import CassetteError, ReplayProxyError, TooManySessionsError
from replayproxy.proxy.admin_port import AdminError
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.inspector import Inspector

__all__ = ["DESCRIBED", "faults_json", "set_mode"]

DESCRIBED: dict[str, Any] = {
    "/sessions/{name}/mode": {
        "put": operation(
            "setMode",
            "Lets a session go on in another mode. What is under way finishes first, and the receipt so far is kept; "
            "play counts and faults begin anew. In record mode the first answer that is saved replaces the earlier "
            "take.",
            "/sessions/{name}/mode",
            body=f"mode: one of {', '.join(MODES)}.",
            refusals={
                400: "There is no such mode, or the session cannot be opened in it; it then has the mode that it had.",
                404: "There is no such session.",
            },
        )
    }
}


async def set_mode(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """Lets a session go on in another mode, and tells it as `GET /sessions/NAME` does."""
    from replayproxy.proxy.admin import Admin  # here, since it imports the table of routes

    name, mode = request.match_info["name"], _wanted(await request.read())
    sessions = inspector.sessions
    try:
        await sessions.change(name, mode)
    except KeyError:
        told = f"there is no session {name[:200]!r}{similar(name, sessions.names())}"
        raise AdminError(404, "no_session", told) from None
    except (CassetteError, TooManySessionsError):
        raise  # the admin port has words for these
    except ReplayProxyError as error:
        raise AdminError.invalid(("mode", str(error))) from error
    admin = Admin(
        inspector.settings,
        sessions,
        inspector.journal,
        inspector.url,
        inspector.redactor,
        inspector.catalog,
        inspector.others,
    )
    return await admin.show_session(request)


def faults_json(plan: FaultPlan) -> list[dict[str, Any]]:
    """The faults of a plan as `core.faults.parse_faults` takes them."""
    return [_fault_json(each) for each in plan.faults]


def _fault_json(planned: PlannedFault) -> dict[str, Any]:
    scope, fault = planned.scope, planned.fault
    where = {name: getattr(scope, name) for name in ("operation", "family", "method", "path")}
    facts = {
        "kind": fault.kind,
        "status": fault.status or None,
        "retry_after": fault.retry_after,
        "after": fault.after,
        "after_events": fault.after_events,
        "for": fault.lasts if fault.lasts != SILENCE else None,
        "times": "always" if fault.times == ALWAYS else fault.times,
    }
    found = {name: text for name, text in where.items() if text}
    return found | {name: fact for name, fact in facts.items() if fact is not None}


def _wanted(body: bytes) -> str:
    """The mode that a body asks for; AdminError tells what is wrong."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise AdminError.invalid(("", f"the body is not JSON: {error}")) from None
    if not isinstance(given, dict) or given.keys() != {"mode"}:
        raise AdminError.invalid(("", 'expected {"mode": "playback"} and nothing beside it'))
    mode = given["mode"]
    if not isinstance(mode, str) or mode not in MODES:
        told = f"expected one of {', '.join(MODES)}{similar(mode, tuple(MODES)) if isinstance(mode, str) else ''}"
        raise AdminError.invalid(("mode", told))
    return mode
