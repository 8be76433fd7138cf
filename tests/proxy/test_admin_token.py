"""The admin token: where it comes from, and who shows it."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from replayproxy.errors import StartError
from replayproxy.proxy.admin_token import admin_token, shows

TOKEN = "a-token-of-mine-0123"


def test_one_is_made_for_each_start() -> None:
    """Long, and never the same; a variable that is empty says nothing."""
    made = {admin_token({}) for _ in range(20)} | {admin_token({"REPLAYPROXY_ADMIN_TOKEN": " "})}
    assert len(made) == 21
    assert min(map(len, made)) >= 32


def test_the_environment_says_what_it_is() -> None:
    """Blanks around it do not count."""
    assert admin_token({"REPLAYPROXY_ADMIN_TOKEN": f" {TOKEN}\n"}) == TOKEN


@pytest.mark.parametrize("value", ["brief", "x" * 15, "quite long enough, but with blanks", "a\nb" * 20, "é" * 20])
def test_one_that_is_no_use_stops_the_start(value: str) -> None:
    """The variable is named, its value is not."""
    with pytest.raises(StartError) as caught:
        admin_token({"REPLAYPROXY_ADMIN_TOKEN": value})
    assert "REPLAYPROXY_ADMIN_TOKEN" in str(caught.value)
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "right"),
    [
        ({"X-ReplayProxy-Token": TOKEN}, True),
        ({"Authorization": f"Bearer {TOKEN}"}, True),
        ({"Authorization": f"bearer  {TOKEN} "}, True),
        ({"Authorization": f"Bearer {TOKEN}", "x-replayproxy-token": "wrong"}, True),
        ({"Authorization": TOKEN}, False),
        ({"Authorization": f"Basic {TOKEN}"}, False),
        ({"x-replayproxy-token": TOKEN[:-1]}, False),
        ({"x-replayproxy-token": TOKEN + "x"}, False),
        ({"x-replayproxy-token": ""}, False),
        ({"x-replayproxy-token": "\u00e9" * 20}, False),
        ({"Cookie": f"x-replayproxy-token={TOKEN}"}, False),
        ({}, False),
    ],
)
def test_it_is_shown_in_a_header_that_no_page_can_set_unasked(headers: dict[str, str], right: bool) -> None:
    """Its own, or as a bearer token; whole or not at all."""
    assert shows(make_mocked_request("POST", "/", headers), TOKEN) is right
