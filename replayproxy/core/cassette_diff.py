"""How two cassettes differ: which interactions are in one only, and what changed in the others.

Rules:
1. Interactions belong together when their requests are the same (core/matching.py), in order; what is left over between
   the same neighbours and goes to the same path belongs together as well: its request changed.
2. They are the same when nothing but volatile facts differs (`same_exchange`), unless these are asked for.
3. A path is that of core/differences.py behind `request.` or `response.`; events are `response.body.events[3].data.id`.
   What is spelled differently and means the same is told as a whole: `request.target`, `response.headers`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest

from replayproxy.core.bodies import Parsed, canonical_of, parse, parse_form, parse_json
from replayproxy.core.cassette import VOLATILE_HEADERS, Interaction, same_exchange
from replayproxy.core.differences import ABSENT, Difference, body_differences, field_differences
from replayproxy.core.matching import DIFFERENCES_LIMIT, identity
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Headers, Request, Response, encode
from replayproxy.core.sse import Event
from replayproxy.core.sse import parse as parse_events
from replayproxy.core.url_paths import normal_path

__all__ = ["Change", "changes", "interaction_differences"]


@dataclass(frozen=True, slots=True)
class Change:
    """Interaction `left` of one cassette and `right` of the other, counted from 1; 0: it is not there.

    `differences` tell what differs when both are there, `recorded` being the left one.
    """

    left: int
    right: int
    differences: tuple[Difference, ...] = ()


def changes(left: Sequence[Interaction], right: Sequence[Interaction], *, volatile: bool = False) -> tuple[Change, ...]:
    """What makes another cassette of one, in order; empty when both are the same.

    With `volatile`, facts that differ from recording to recording (when, how long, ids of requests) count, too.
    """
    partners = _partners(left, right)
    gone = sorted(set(range(1, len(left) + 1)) - set(partners.values()))
    found = [((number, 0), Change(number, 0)) for number in gone]
    last = 0
    for number, interaction in enumerate(right, 1):
        partner = partners.get(number, 0)
        if not partner:
            found.append(((last, number), Change(0, number)))
            continue
        last = partner
        if differences := interaction_differences(left[partner - 1], interaction, volatile=volatile):
            found.append(((partner, 0), Change(partner, number, differences)))
    return tuple(change for _, change in sorted(found, key=lambda each: each[0]))


def interaction_differences(left: Interaction, right: Interaction, *, volatile: bool = False) -> tuple[Difference, ...]:
    """How two interactions differ, at most `DIFFERENCES_LIMIT`; empty when they are the same."""
    if left == right if volatile else same_exchange(left, right):
        return ()
    found = tuple(islice(_differences(left, right, volatile), DIFFERENCES_LIMIT))
    return found or tuple(_spelled(left, right))


# --- which belong together


def _partners(left: Sequence[Interaction], right: Sequence[Interaction]) -> Mapping[int, int]:
    """The numbers of the left ones by those of the right ones that they belong to."""
    waiting, partners = defaultdict[bytes, list[int]](list), dict[int, int]()
    for number in range(len(left), 0, -1):
        waiting[identity(left[number - 1].request)].append(number)
    for number, interaction in enumerate(right, 1):
        if alike := waiting.get(identity(interaction.request)):
            partners[number] = alike.pop()
    matched = {number: number for number in partners.values()}
    between = defaultdict[tuple[int, str, str], list[int]](list)
    for number, place in reversed([*_left_over(left, matched)]):
        between[place].append(number)
    changed = [(number, between[place].pop()) for number, place in _left_over(right, partners) if between[place]]
    return partners | dict(changed)


def _left_over(
    interactions: Sequence[Interaction], partners: Mapping[int, int]
) -> Iterator[tuple[int, tuple[int, str, str]]]:
    """Those without a partner: after which of the left ones they come, and where they go."""
    last = 0
    for number, interaction in enumerate(interactions, 1):
        if number in partners:
            last = partners[number]
        else:
            request = interaction.request
            yield number, (last, request.method, normal_path(request.path))


# --- what differs


def _differences(left: Interaction, right: Interaction, volatile: bool) -> Iterator[Difference]:
    yield from _facts(left, right, volatile)
    for difference in _of_requests(left.request, right.request, volatile):
        yield replace(difference, path=f"request.{difference.path}")
    for difference in _of_responses(left.response, right.response, volatile):
        yield replace(difference, path=f"response.{difference.path}")


def _facts(left: Interaction, right: Interaction, volatile: bool) -> Iterator[Difference]:
    for name in ("operation", "family", *(("recorded", "first_byte", "took") if volatile else ())):
        old, new = getattr(left, name), getattr(right, name)
        yield from _unlike(name, old or ABSENT, new or ABSENT)
    yield from _unlike("answered_by", *("validator" if each.validator else ABSENT for each in (left, right)))
    yield from _unlike("problems", *(tuple(each.message for each in side.problems) or ABSENT for side in (left, right)))
    faults = (
        each.fault if each.fault is not None and (volatile or each.fault.recorded) else None for each in (left, right)
    )
    yield from _unlike("fault", *(str(each) if each else ABSENT for each in faults))
    if volatile and left.delay != right.delay:
        told = [{"first_byte": each.delay.first_byte, "each_event": each.delay.each_event} for each in (left, right)]
        yield Difference("delay", *told)


def _of_requests(left: Request, right: Request, volatile: bool) -> Iterator[Difference]:
    yield from _unlike("method", left.method, right.method)
    if normal_path(left.path) != normal_path(right.path):
        yield Difference("path", left.path, right.path)
    yield from field_differences("query", *(parse_form(encode(each.query)) for each in (left, right)))
    yield from _of_headers(*(each.headers if volatile else _settled(each.headers) for each in (left, right)))
    yield from _of_bodies(left, right)


def _of_responses(left: Response, right: Response, volatile: bool) -> Iterator[Difference]:
    yield from _unlike("status", left.status, right.status)
    yield from _unlike("reason", left.reason or ABSENT, right.reason or ABSENT)
    yield from _unlike("coding", left.coding or ABSENT, right.coding or ABSENT)
    yield from _of_headers(*(each.headers.without(() if volatile else VOLATILE_HEADERS) for each in (left, right)))
    streams = [each.body for each in (left, right) if _is_stream(each) and isinstance(each.body, bytes)]
    if len(streams) == 2:
        yield from _of_streams(*(parse_events(each) for each in streams))
    else:
        yield from _of_bodies(left, right)
    if volatile and left.chunks != right.chunks:
        yield Difference("chunks", *(tuple((chunk.at, chunk.size) for chunk in each.chunks) for each in (left, right)))


def _of_bodies(left: Request | Response, right: Request | Response) -> Iterator[Difference]:
    old, new = ((parse(each.headers, each.body), each.body) for each in (left, right))
    if canonical_of(old[0]) != canonical_of(new[0]):
        yield from body_differences(old, new)


def _of_headers(left: Headers, right: Headers) -> Iterator[Difference]:
    old, new = ([(name.lower(), value) for name, value in side] for side in (left, right))
    return field_differences("header", old, new)


def _settled(headers: Headers) -> Headers:
    """Without the boundary of a multipart body, which is another one each time."""
    media = media_type(headers)
    if not media.is_multipart:
        return headers
    return headers.without({"content-length"}).replacing("content-type", media.essence)


def _is_stream(response: Response) -> bool:
    return media_type(response.headers).essence == "text/event-stream"


def _of_streams(left: Sequence[Event], right: Sequence[Event]) -> Iterator[Difference]:
    for index, (old, new) in enumerate(zip_longest(left, right)):
        path = f"body.events[{index}]"
        if old is None or new is None:
            yield Difference(path, *(each.raw if each else ABSENT for each in (old, new)))
            continue
        yield from _unlike(f"{path}.event", old.event or ABSENT, new.event or ABSENT)
        if old.data != new.data:
            yield from _of_data(f"{path}.data", old.data, new.data)


def _of_data(path: str, left: str, right: str) -> Iterator[Difference]:
    try:
        old, new = (Parsed("json", parse_json(each.encode())) for each in (left, right))
    except ValueError:
        yield Difference(path, left, right)
        return
    for difference in body_differences((old, b""), (new, b"")):
        yield replace(difference, path=path + difference.path.removeprefix("body"))


def _unlike(path: str, left: object, right: object) -> Iterator[Difference]:
    if left != right:
        yield Difference(path, left, right)


def _spelled(left: Interaction, right: Interaction) -> Iterator[Difference]:
    """What is written differently and means the same."""
    yield from _unlike("request.target", left.request.target, right.request.target)
    for name, old, new in (("request", left.request, right.request), ("response", left.response, right.response)):
        yield from _unlike(f"{name}.headers", *(tuple(map(": ".join, each.headers)) for each in (old, new)))
        yield from _unlike(f"{name}.body", old.body, new.body)
