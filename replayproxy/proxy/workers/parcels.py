"""What travels between our processes, as bytes and back.

Rule: plain values (numbers, text, bytes, tuples, mappings) travel, and values of the kinds in `KINDS`; nothing else can
come out of a parcel, whatever its bytes say. A list arrives as a tuple.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import msgpack

from replayproxy.config import settings as config
from replayproxy.config.values import Address
from replayproxy.core.cassette import Interaction
from replayproxy.core.fault_kinds import Delay, Fault
from replayproxy.core.faults import FaultPlan, PlannedFault
from replayproxy.core.journal import Entry, Missed, NearMiss, ShownDifference
from replayproxy.core.messages import Chunk, FileBody, Headers, Request, Response
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import ToldMiss
from replayproxy.core.rule_paths import RulePath, Wild
from replayproxy.core.rules import MatchRule, MatchRules, Scope
from replayproxy.errors import (
    CassetteError,
    ConfigError,
    ReplayProxyError,
    StartError,
    TooManySessionsError,
    UpstreamError,
    UpstreamTimeoutError,
)
from replayproxy.proxy.admin_forms import Wanted
from replayproxy.proxy.opening import Declaration
from replayproxy.proxy.workers.port import Place
from replayproxy.proxy.workers.terms import Opened, Start
from replayproxy.stores.contract import Unsaved

__all__ = ["GoneError", "packed", "unpacked"]


class GoneError(Exception):
    """The other side cannot answer: its process is gone, or it met an error of its own."""


_SETTINGS = (getattr(config, name) for name in config.__all__ if name.endswith("Settings"))
_PLAIN = (ReplayProxyError, ConfigError, TooManySessionsError, StartError)
_ERRORS = (*_PLAIN, UpstreamError, UpstreamTimeoutError, GoneError)
#: The values of ours that travel. Their places are what a parcel names them by: both sides are of one version.
KINDS: tuple[type, ...] = (
    *(Path, frozenset, re.Pattern, Wild, CassetteError, *_ERRORS),
    *(Start, Place, Opened, Declaration, *_SETTINGS, Address),
    *(MatchRules, MatchRule, Scope, RulePath, FaultPlan, PlannedFault, Fault, Delay),
    *(Unsaved, Interaction, Request, Response, Headers, FileBody, Chunk, Problem),
    *(Entry, Wanted, ToldMiss, Missed, NearMiss, ShownDifference),
)
_CODES = {kind: code for code, kind in enumerate(KINDS)}
_FIELDS: dict[type, tuple[str, ...]] = {
    kind: tuple(each.name for each in fields(kind) if each.init) for kind in KINDS if is_dataclass(kind)
}


def packed(value: object) -> bytes:
    """A value as bytes. TypeError when it holds anything that does not travel."""
    content: bytes = msgpack.packb(value, default=_wrapped, unicode_errors="surrogatepass")
    return content


def unpacked(data: bytes) -> Any:
    """The value in what `packed` gave. ValueError or TypeError when it is none."""
    return msgpack.unpackb(
        data,
        ext_hook=_unwrapped,
        use_list=False,
        strict_map_key=False,
        unicode_errors="surrogatepass",
    )


def _wrapped(value: Any) -> msgpack.ExtType:
    kind = type(value)
    code = _CODES.get(re.Pattern if isinstance(value, re.Pattern) else Path if isinstance(value, Path) else kind)
    if code is None:
        raise TypeError(f"a {kind.__name__} does not travel between processes")
    return msgpack.ExtType(code, packed(_contents(value)))


def _unwrapped(code: int, data: bytes) -> Any:
    if code >= len(KINDS):
        raise ValueError(f"there is no kind {code}")
    return _maker(KINDS[code])(*unpacked(data))


def _contents(value: Any) -> tuple[Any, ...]:
    """What `_maker` makes the value of again."""
    if isinstance(value, re.Pattern):
        return value.pattern, value.flags
    if isinstance(value, Path):
        return (str(value),)
    if isinstance(value, frozenset):
        return tuple(value)
    if isinstance(value, Wild):
        return (value.value,)
    if isinstance(value, CassetteError):
        return value.what, value.path, value.line, value.cure
    if isinstance(value, Exception):
        return (str(value),)
    return tuple(getattr(value, name) for name in _FIELDS[type(value)])


def _maker(kind: type) -> Callable[..., Any]:
    if kind is re.Pattern:
        return re.compile
    if kind is frozenset:
        return lambda *members: frozenset(members)
    if kind is CassetteError:
        return lambda what, path, line, cure: CassetteError(what, path=path, line=line, cure=cure)
    if kind in (Path, Wild) or issubclass(kind, Exception):
        return kind
    names = _FIELDS[kind]
    return lambda *contents: kind(**dict(zip(names, contents, strict=True)))
