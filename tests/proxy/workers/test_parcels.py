"""What travels between processes of ours."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgpack
import pytest

from replayproxy.config import Address, Settings, UpstreamSettings
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.faults import FaultPlan, PlannedFault
from replayproxy.core.messages import FileBody
from replayproxy.core.rule_paths import RulePath
from replayproxy.core.rules import MatchRule, MatchRules
from replayproxy.errors import CassetteError, ConfigError, ReplayProxyError, StartError
from replayproxy.proxy.opening import Declaration
from replayproxy.proxy.workers.parcels import KINDS, GoneError, packed, unpacked
from replayproxy.proxy.workers.port import Place
from replayproxy.proxy.workers.terms import Opened, Start
from tests.builders import interaction

RULES = MatchRules(
    (
        MatchRule("ignore", RulePath.parse("body.messages[*].**.id")),
        MatchRule("mask", RulePath.parse("body.input"), re.compile("[0-9]+")),
    )
)
SETTINGS = Settings(cassette=Path("/c/a.yaml"), cassettes=None, upstream=UpstreamSettings(Address("http", "http://x")))
OPENED = Opened(
    Declaration("s", rules=RULES, mode="auto"),
    generation=3,
    tally=Path("/t/0.tally"),
    recordings=None,
    faults=FaultPlan((PlannedFault(Fault("reset", after=3)),)),
)


@pytest.mark.parametrize(
    "value",
    [
        (None, True, 1, -(2**63), 2**64 - 1, 0.25, "text", "lone \udc80 and \ud800", b"\x00\xff", {1: ("a", ())}),
        {3: frozenset({1, 2}), 4: frozenset()},
        OPENED,
        Start(SETTINGS, "key", "token", (Place("127.0.0.1", 1, 2),), 1, Path("/t"), (OPENED,), 20),
        interaction(),
        replace(interaction(), response=replace(interaction().response, body=FileBody("name", 3, "digest"))),
        Path("/somewhere"),
    ],
)
def test_values_arrive_as_they_were(value: object) -> None:
    """Equal, and of the same types within."""
    arrived = unpacked(packed(value))
    assert arrived == value
    assert repr(arrived) == repr(value)


@pytest.mark.parametrize(
    "error",
    [
        CassetteError("torn", path="a.yaml", line=3, cure="mend it"),
        ConfigError("no"),
        StartError("no"),
        ReplayProxyError("no"),
        GoneError("gone"),
    ],
)
def test_errors_arrive_as_they_were(error: Exception) -> None:
    """With all that they carry."""
    arrived = unpacked(packed(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


@pytest.mark.parametrize("value", [object(), Decimal(1), {1}, print, ValueError("x"), 2**64])
def test_nothing_else_travels(value: object) -> None:
    """What nobody listed is an error where it is sent."""
    with pytest.raises((TypeError, OverflowError)):
        packed(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"cos\nsystem\n(S'true'\ntR.",
        packed(Path("x"))[:-1],
        msgpack.packb(msgpack.ExtType(len(KINDS), b"")),
        msgpack.packb(msgpack.ExtType(len(KINDS) - 1, packed((1,)))),
    ],
)
def test_what_is_no_parcel_is_refused(data: bytes) -> None:
    """Nothing comes out of it, and nothing runs."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- of the library's kinds, or ours
        unpacked(data)
    assert isinstance(caught.value, ValueError | TypeError)


def test_a_set_of_settings_travels_whole() -> None:
    """Each group of settings is among the kinds: a new one cannot be forgotten."""
    groups: list[Any] = [getattr(SETTINGS, name) for name in Settings.__slots__]
    assert unpacked(packed(tuple(groups))) == tuple(groups)
