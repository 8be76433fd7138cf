"""The rule that would accept a request, as it is proposed to people."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from replayproxy.config.match_kinds import match_rules
from replayproxy.core.accepting import accepting_rule, rule_between
from replayproxy.core.matching import differences
from replayproxy.core.messages import Headers, Request
from tests.builders import request

_FORM = Headers.of(("content-type", "application/x-www-form-urlencoded"))
_MULTIPART = Headers.of(("content-type", "multipart/form-data; boundary=b"))


def _part(name: str, content: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{content}\r\n--b--\r\n'.encode()


def test_a_rule_ignores_each_path_once() -> None:
    """The YAML has one line for each path, in their order."""
    told = accepting_rule(["body.seed", "header.x-trace", "body.seed"])
    assert told == "match:\n  ignore:\n    - body.seed\n    - header.x-trace\n"


@pytest.mark.parametrize("paths", [[], ["method"], ["path"], ["body.seed", "path"]])
def test_there_is_no_rule_for_another_request(paths: list[str]) -> None:
    """Nothing differs, or something that makes another request."""
    assert accepting_rule(paths) == ""


@pytest.mark.parametrize(
    ("recorded", "received"),
    [
        pytest.param(request(body={"seed": 1}), request(body={"seed": 2}), id="a member"),
        pytest.param(request(body={"seed": 1}), request(body={}), id="a member that is not there"),
        pytest.param(request(body={"items": [1, 2]}), request(body={"items": [3]}), id="items"),
        pytest.param(request(body={"a: b #c'\"\n": 1}), request(body={"a: b #c'\"\n": 2}), id="a name to be quoted"),
        pytest.param(request(body={"ü \ud800": 1}), request(body={"ü \ud800": 2}), id="half a character"),
        pytest.param(request(body={}), request(body=b"{"), id="no JSON"),
        pytest.param(request(body={"a": 1}), request(), id="no body"),
        pytest.param(request(target="/v1/a?nonce=1"), request(target="/v1/a?nonce=2&nonce=3"), id="a query"),
        pytest.param(request(), request(headers=Headers()), id="a header"),
        pytest.param(request(body=b"a=1", headers=_FORM), request(body=b"a=2", headers=_FORM), id="a form"),
        pytest.param(
            request(body=_part("one", "1"), headers=_MULTIPART),
            request(body=_part("two", "2"), headers=_MULTIPART),
            id="parts",
        ),
        pytest.param(
            request(body={"items": [{"id": at} for at in range(300)]}),
            request(body={"items": [{"id": -1 - at} for at in range(300)]}),
            id="more than are told",
        ),
        pytest.param(
            request(body={"ids": {f"n{at}": at for at in range(300)}}),
            request(body={"ids": {f"n{at}": -1 for at in range(300)}}),
            id="more than are told, of many names",
        ),
    ],
)
def test_a_config_file_with_the_rule_makes_the_requests_equal(recorded: Request, received: Request) -> None:
    """What is proposed is read by the config file's own reader, and then nothing differs any more."""
    told: dict[str, Any] = yaml.safe_load(rule_between(recorded, received))
    assert differences(recorded, received)
    assert differences(recorded, received, match_rules(told["match"], "test")) == ()


@pytest.mark.parametrize(
    ("recorded", "received"),
    [
        pytest.param(request(), request(), id="equal"),
        pytest.param(request("POST"), request("GET"), id="method"),
        pytest.param(request(target="/v1/a", body={"a": 1}), request(target="/v1/b", body={"a": 2}), id="path"),
    ],
)
def test_requests_that_no_rule_brings_together_have_none(recorded: Request, received: Request) -> None:
    """An empty text says so."""
    assert rule_between(recorded, received) == ""
