"""Any two messages side by side: exchanges of the journal and interactions of cassettes, in any combination."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from replayproxy.core.accepting import rule_between
from replayproxy.core.comparing import Change, Comparison, compared
from replayproxy.core.messages import Request, Response, plain
from replayproxy.proxy.admin_port import AdminError, answered
from replayproxy.proxy.inspector.describing import operation
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.proxy.inspector.opened import OpenedCassette

__all__ = ["DESCRIBED", "show_diff"]

_EXPECTED = "expected exchange:NUMBER, or PATH#NUMBER for an interaction of a cassette in the folder"
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")

DESCRIBED: dict[str, Any] = {
    "/diff": {
        "get": operation(
            "diff",
            "How two exchanges or interactions differ: in their requests, as matching sees them and by all headers "
            "(`counted`: whether it matters for matching), and in their answers (`volatile`: it differs each time). "
            "`rule` makes the requests equal when it is pasted into the config file; null when none can.",
            query={"left": f"The one: {_EXPECTED}.", "right": "The other, named in the same way."},
            refusals={400: "A name that is none.", 404: "There is no such exchange or interaction."},
        )
    }
}


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two. With `cut`, of its answer's body only the beginning is known."""

    ref: str
    title: str
    request: Request
    response: Response | None
    cut: bool = False


async def show_diff(inspector: Inspector, request: web.Request) -> web.StreamResponse:
    """How the two that the query names differ."""
    refs = {name: request.query.get(name, "") for name in ("left", "right")}
    problems = [(name, _EXPECTED) for name, ref in refs.items() if not _is_ref(ref)]
    if problems:
        raise AdminError.invalid(*problems)
    left, right = [await _side(inspector, ref) for ref in refs.values()]
    return answered(await asyncio.to_thread(_diff, left, right))


def _is_ref(ref: str) -> bool:
    return (ref.startswith("exchange:") and _number(ref.removeprefix("exchange:")) > 0) or (
        "#" in ref and _number(ref.rpartition("#")[2]) > 0
    )


def _number(text: str) -> int:
    return int(text) if _NUMBER.fullmatch(text) else 0


async def _side(inspector: Inspector, ref: str) -> _Side:
    if ref.startswith("exchange:"):
        entry = await inspector.entry(_number(ref.removeprefix("exchange:")))
        title = f"Exchange {entry.number}" + (f" ({entry.session})" if entry.session != "default" else "")
        return _Side(ref, title, entry.request, entry.response, entry.cut)
    path, _, number = ref.rpartition("#")
    found = await asyncio.to_thread(lambda: OpenedCassette.at(inspector, path).interaction(_number(number)))
    return _Side(ref, f"Interaction {number} of {path}", found.request, found.response)


def _diff(left: _Side, right: _Side) -> dict[str, Any]:
    found = compared((left.request, left.response), (right.request, right.response))
    return {
        "left": _told(left),
        "right": _told(right),
        "request": [_change(each) | {"counted": each.counted} for each in found.request],
        "response": [_change(each) | {"volatile": each.volatile} for each in found.response],
        "more": found.more,
        "rule": _rule(found, left, right),
    }


def _rule(found: Comparison, left: _Side, right: _Side) -> str | None:
    if not any(each.counted for each in found.request):
        return None
    return rule_between(left.request, right.request) or None


def _told(side: _Side) -> dict[str, Any]:
    return {
        "ref": plain(side.ref),
        "title": plain(side.title),
        "method": plain(side.request.method),
        "target": plain(side.request.target),
        "status": side.response.status if side.response else None,
        "cut": side.cut,
    }


def _change(change: Change) -> dict[str, Any]:
    return {"path": plain(change.path), "left": change.left, "right": change.right}
