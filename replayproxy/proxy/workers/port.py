"""A port that several processes share: the system spreads the connections over those that listen on it.

Rule: the supervisor keeps the port and does not listen, so no connection waits for somebody who takes none.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from replayproxy.errors import StartError
from replayproxy.proxy.listening import BACKLOG, cannot_listen

__all__ = ["Place", "listener", "reserved"]


@dataclass(frozen=True, slots=True)
class Place:
    """An address and a port; `family` is the system's number for the kind of address."""

    family: int
    host: str
    port: int


@contextlib.contextmanager
def reserved(host: str, port: int) -> Iterator[tuple[Place, ...]]:
    """Keeps a port (0: any free one) on all addresses of a host. StartError when somebody else has it."""
    with contextlib.ExitStack() as stack:
        places = list[Place]()
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, host_found in dict.fromkeys((family, str(address[0])) for family, *_, address in found):
                kept = stack.enter_context(_bound(Place(family, host_found, places[0].port if places else port)))
                # From now on our own processes may have it as well. Before, another one of the same user with the same
                # wish could have shared it with us, and the clients.
                kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                places.append(Place(family, host_found, kept.getsockname()[1]))
        except OSError as error:
            raise cannot_listen(error, host, port, "--port") from None
        yield tuple(places)


def listener(place: Place) -> socket.socket:
    """A socket that listens where the supervisor keeps a port. StartError when it cannot."""
    try:
        bound = _bound(place, shared=True)
        bound.listen(BACKLOG)
    except OSError as error:
        raise StartError(f"a worker cannot listen on {place.host}:{place.port}: {error.strerror or error}") from error
    bound.setblocking(False)
    return bound


def _bound(place: Place, *, shared: bool = False) -> socket.socket:
    bound = socket.socket(place.family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if place.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((place.host, place.port))
    except OSError:
        bound.close()
        raise
    return bound
