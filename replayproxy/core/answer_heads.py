"""One reading of the head of an upstream's answer.

What two readers could understand differently is passed on to nobody. llhttp refuses most of it before it comes here:
two lengths, a length beside chunks, folded lines, bare line ends, control characters in fields.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from replayproxy.core.messages import Headers
from replayproxy.errors import UpstreamError

__all__ = ["FIELD_LIMIT", "SWITCH", "AnswerHead", "kept_for", "read_answer_head"]

#: A head may have so many fields. Servers send a few dozen.
FIELD_LIMIT = 1000
#: What is said of an upstream that answers with another protocol than it was asked in.
SWITCH = "the upstream wants to switch protocols"
_KEPT_FOR = re.compile(r"timeout\s*=\s*\"?(\d{1,6})", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """Status line and all header fields of an answer, hop-by-hop ones included. `framed`: they say where the body
    ends, be it by its length or by its chunks."""

    status: int
    reason: str
    headers: Headers
    framed: bool


def read_answer_head(
    version: str, status: int, reason: bytes, fields: Sequence[tuple[bytes, bytes]]
) -> AnswerHead | None:
    """A final answer's head from what llhttp made of it (`version` like 1.1); None for an interim one.

    UpstreamError when it cannot be passed on as what it says.
    """
    if status == 101:
        raise UpstreamError(SWITCH)
    if status < 100 or version not in ("1.1", "1.0") or _CONTROL.search(reason):
        raise UpstreamError("what the upstream sent is not HTTP: its first line is not the status line of an answer")
    if len(fields) > FIELD_LIMIT:
        raise UpstreamError(f"the head of the upstream's answer has more than {FIELD_LIMIT} fields")
    if status < 200:
        return None
    headers = Headers.from_raw(fields)
    chunked = "transfer-encoding" in headers
    if chunked:
        _check_coding(version, headers.all("transfer-encoding"))
    return AnswerHead(
        status, reason.decode("utf-8", "surrogateescape"), headers, chunked or "content-length" in headers
    )


def kept_for(headers: Headers) -> float:
    """For how many seconds the other end keeps an idle connection, as `Keep-Alive: timeout=5` tells; else inf."""
    told = headers.get("keep-alive")
    found = _KEPT_FOR.search(told) if told else None
    return float(found[1]) if found else math.inf


def _check_coding(version: str, codings: Sequence[str]) -> None:
    # Another coding would have to be taken off here, since the client gets framing of ours; HTTP/1.0 knows none at all
    # (RFC 9112 §6.1).
    if version != "1.1" or [coding.lower() for coding in codings] != ["chunked"]:
        told = ", ".join(codings)
        raise UpstreamError(f"the upstream's answer has a transfer coding that cannot be passed on ({told!r})")
