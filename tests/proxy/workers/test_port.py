"""A port that several processes share."""

from __future__ import annotations

import socket

import pytest

from replayproxy.errors import StartError
from replayproxy.proxy.workers.port import listener, reserved


def accepted(listening: socket.socket) -> int:
    """How many connections wait."""
    count = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_connections_go_to_those_who_listen() -> None:
    """All of them: the one who keeps the port gets none, and when nobody listens it is refused."""
    with reserved("127.0.0.1", 0) as (place,):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((place.host, place.port))
        with listener(place) as first, listener(place) as second:
            for _ in range(60):
                socket.create_connection((place.host, place.port)).close()
            shares = accepted(first), accepted(second)
            assert sum(shares) == 60
            assert min(shares) > 0


def test_a_port_belongs_to_one_proxy() -> None:
    """Before and after anybody listens on it; the message names another one."""
    told = r"cannot listen on 127\.0\.0\.1:[0-9]+ .*; try --port [0-9]+, or 0"
    with (
        reserved("127.0.0.1", 0) as (place,),
        listener(place),
        pytest.raises(StartError, match=told),
        reserved("127.0.0.1", place.port),
    ):
        pass


def test_all_addresses_of_a_name_have_one_port() -> None:
    """As with `localhost`, which may be two."""
    with reserved("localhost", 0) as places:
        assert len({place.port for place in places}) == 1
        assert {place.host for place in places} <= {"127.0.0.1", "::1"}
        for place in places:
            listener(place).close()


def test_an_address_that_is_not_ours_is_refused() -> None:
    """With what the system says."""
    with pytest.raises(StartError, match=r"cannot listen on 192\.0\.2\.1:0"), reserved("192.0.2.1", 0):
        pass
