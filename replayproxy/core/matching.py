"""Which requests are the same: the identity of a request, the differences between two, and the nearest of many.

Rules:
1. Two requests are the same exactly when they have no differences: each matcher answers both from one reading.
2. There is no weaker fall-back: what a matcher looks at counts in full, and what none looks at does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from replayproxy.core.bodies import canonical_of, packed, packed_fields
from replayproxy.core.differences import ABSENT, Difference, body_differences, field_differences
from replayproxy.core.likeness import look_of, ranking
from replayproxy.core.messages import Request, encode
from replayproxy.core.readings import IDENTITY_HEADERS, read_body, read_headers, read_path, read_query
from replayproxy.core.recordings import Recordings
from replayproxy.core.rules import InForce, MatchRules, OperationOf, no_operation

__all__ = [
    "ABSENT",
    "DIFFERENCES_LIMIT",
    "IDENTITY_HEADERS",
    "MATCHERS",
    "NO_RULES",
    "Difference",
    "Identified",
    "Matcher",
    "Near",
    "differences",
    "identify",
    "identity",
    "nearest",
    "scheme_of",
]

#: No more differences between two requests are told, however much they differ.
DIFFERENCES_LIMIT = 100

# `nearest` compares so many candidates in full, and no more after so many bytes of bodies; before that the beginning
# and the end of so many bodies, in a window of that size.
_FULL_LOOKS, _FULL_BYTES = 50, 8 * 1024 * 1024
_GLANCES, _WINDOW = 2_000, 16 * 1024

# The way in which identities are made; whoever changes what any request's identity is has to raise it.
_VERSION = "1"


#: Without rules everything counts that does by default.
NO_RULES = MatchRules()


@dataclass(frozen=True, slots=True)
class Matcher:
    """One part of a request that counts.

    `read` takes it out of a request under the rules in force, `key` gives bytes that are equal when two readings are,
    and `differ` tells how two readings (recorded, received) with different keys differ: at least one difference.
    """

    read: Callable[[Request, InForce], Any]
    key: Callable[[Any], bytes]
    differ: Callable[[Any, Any], Iterable[Difference]]


@dataclass(frozen=True, slots=True)
class Near:
    """A candidate that comes near: its index among the candidates, and how it differs."""

    index: int
    differences: tuple[Difference, ...]


class Identified(NamedTuple):
    """The identity of a request, and the indexes of the rules that applied to something in it."""

    key: bytes
    touched: frozenset[int]


def scheme_of(rules: MatchRules) -> str:
    """Names the way in which identities are made under these rules: where the name is the same, so is the identity of
    the same request. "" when they depend on more, namely on the catalog, which a rule's scope may speak of."""
    if not rules.rules:
        return _VERSION
    if any(rule.scope.operation or rule.scope.family for rule in rules.rules):
        return ""
    told = [(rule.act, rule.text, rule.scope.method, rule.scope.path) for rule in rules.rules]
    return f"{_VERSION}-{blake2b(repr(told).encode(), digest_size=8).hexdigest()}"


def identity(request: Request, rules: MatchRules = NO_RULES, operation_of: OperationOf = no_operation) -> bytes:
    """16 bytes that are equal for two requests exactly when these have no differences.

    Here and below: identities and differences are those under the same `rules`; `operation_of` gives the operation
    that a request calls (None for none) and is asked only when a rule's scope names one, or a family.
    """
    return _key(request, rules.in_force(request, operation_of))


def identify(request: Request, rules: MatchRules = NO_RULES, operation_of: OperationOf = no_operation) -> Identified:
    """The identity of a request, and which rules it touched."""
    force = rules.in_force(request, operation_of)
    return Identified(_key(request, force), frozenset(force.touched))


def differences(
    recorded: Request, received: Request, rules: MatchRules = NO_RULES, operation_of: OperationOf = no_operation
) -> tuple[Difference, ...]:
    """How a received request differs from a recorded one, at most `DIFFERENCES_LIMIT`; empty when they match."""
    old, new = (_readings(request, rules.in_force(request, operation_of)) for request in (recorded, received))
    return _differences(old, new)


def nearest(
    received: Request,
    recordings: Recordings,
    limit: int = 3,
    rules: MatchRules = NO_RULES,
    operation_of: OperationOf = no_operation,
) -> tuple[Near, ...]:
    """The interactions whose requests come nearest, best first.

    Method and path count most, then the number of differences, then how much the bodies have in common; of equals the
    earlier comes first. However many and large they are, only a bounded number of requests is read and compared in
    full; cheap signs (path, size, common start and end of the bodies) choose which.
    """

    def path_of(request: Request) -> str:
        return read_path(request, rules.in_force(request, operation_of))[1]

    rank, found, spent = ranking(received, path_of), list[tuple[int, int, Near]](), 0
    target = _readings(received, rules.in_force(received, operation_of))
    for index in _promising(received, recordings, max(_FULL_LOOKS, limit), rules, path_of):
        if spent > _FULL_BYTES and len(found) >= limit:
            break
        request = recordings.request(index)
        spent += look_of(request.body).size
        near = Near(index, _differences(_readings(request, rules.in_force(request, operation_of)), target))
        found.append((rank(request.method, request.path), len(near.differences), near))
    # Stable: of equals, those whose bodies have more in common stay first.
    found.sort(key=itemgetter(0, 1))
    return tuple(near for _, _, near in found[:limit])


def _promising(
    received: Request, recordings: Recordings, count: int, rules: MatchRules, path_of: Callable[[Request], str]
) -> list[int]:
    look = recordings.look_of(received)
    is_plain = all(rule.path.root != "path" for rule in rules.rules)
    glanced = recordings.directory().nearest(received, look.size, _GLANCES, path_of, is_plain=is_plain)

    def by_content(found: tuple[int, int]) -> tuple[int, int, int]:
        rank, index = found
        return rank, -_shared(recordings.look(index).seen, look.seen), index

    return [index for _, index in nsmallest(count, glanced, key=by_content)]


def _key(request: Request, force: InForce) -> bytes:
    keys = (matcher.key(matcher.read(request, force)) for matcher in MATCHERS.values())
    return blake2b(packed(keys), digest_size=16).digest()


def _readings(request: Request, force: InForce) -> tuple[tuple[Any, bytes], ...]:
    readings = [(matcher, matcher.read(request, force)) for matcher in MATCHERS.values()]
    return tuple((reading, matcher.key(reading)) for matcher, reading in readings)


def _differences(
    recorded: tuple[tuple[Any, bytes], ...], received: tuple[tuple[Any, bytes], ...]
) -> tuple[Difference, ...]:
    def found() -> Iterator[Difference]:
        for matcher, (old, old_key), (new, new_key) in zip(MATCHERS.values(), recorded, received, strict=True):
            if old_key != new_key:
                yield from matcher.differ(old, new)

    return tuple(islice(found(), DIFFERENCES_LIMIT))


def _shared(one: bytes, other: bytes) -> int:
    return _common(one[:_WINDOW], other[:_WINDOW]) + _common(one[: -_WINDOW - 1 : -1], other[: -_WINDOW - 1 : -1])


def _common(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


#: Everything that counts, in the order in which differences are told.
MATCHERS: Mapping[str, Matcher] = {
    "method": Matcher(
        read=lambda request, _: request.method,
        key=encode,
        differ=lambda old, new: [Difference("method", old, new)],
    ),
    "path": Matcher(
        read=read_path,
        key=lambda reading: encode(reading[1]),
        differ=lambda old, new: [Difference("path", old[0], new[0])],
    ),
    "query": Matcher(
        read=read_query,
        key=packed_fields,
        differ=lambda old, new: field_differences("query", old, new),
    ),
    "headers": Matcher(
        read=read_headers,
        key=lambda headers: packed_fields(headers.items()),
        differ=lambda old, new: field_differences("header", old.items(), new.items()),
    ),
    "body": Matcher(
        read=read_body,
        key=lambda reading: canonical_of(reading[0]),
        differ=body_differences,
    ),
}
