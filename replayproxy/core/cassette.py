"""What a cassette holds: a head, and interactions in the order in which their requests arrived."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha256

from replayproxy.core.bodies import canonical
from replayproxy.core.fault_kinds import NO_DELAY, Delay, Fault
from replayproxy.core.likeness import Directory, Look, Places, look_of
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import Body, FileBody, Request, Response, encode
from replayproxy.core.problem import Problem

__all__ = [
    "VOLATILE_HEADERS",
    "VOLATILE_REQUEST_HEADERS",
    "Cassette",
    "Head",
    "Interaction",
    "exchange_key",
    "same_exchange",
]

#: Answer headers that say when, how long or which attempt, and nothing about what was answered.
VOLATILE_HEADERS = frozenset(
    {
        "age",
        "cf-ray",
        "date",
        "openai-processing-ms",
        "x-envoy-upstream-service-time",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-tokens",
        "x-request-id",
    }
)
#: Request headers that say by which name a client, or a trace, knows this one request.
VOLATILE_REQUEST_HEADERS = frozenset({"baggage", "traceparent", "tracestate", "x-client-request-id", "x-request-id"})


@dataclass(frozen=True, slots=True)
class Head:
    """The first document of a cassette.

    `recorded` is when (ISO 8601, UTC), `upstream` whom was asked, `by` what wrote it, `redaction` the digest of the
    redaction rules the interactions were stored under.
    """

    upstream: str = ""
    recorded: str = ""
    by: str = ""
    redaction: str = ""


@dataclass(frozen=True, slots=True)
class Interaction:
    """A request and its answer, both redacted.

    `operation` and `family` are the catalog's names for it ("" when unknown); `recorded` when the request arrived
    (ISO 8601, UTC); `first_byte` and `took` are seconds from there to the answer's head and to its end. `validator` is
    true when the answer is the validator's and no upstream was asked; `problems` are what was found wrong with the
    request and with the answer. `fault` says that the answer fails when it is played and how, `delay` that it is slow
    whatever the speed. `line` is where the document starts in its file (0: not in one) and takes no part in
    comparisons; neither does `text`, the document as it stands in the file.
    """

    request: Request
    response: Response
    operation: str = ""
    recorded: str = ""
    first_byte: float = 0.0
    took: float = 0.0
    validator: bool = False
    problems: tuple[Problem, ...] = ()
    fault: Fault | None = None
    delay: Delay = NO_DELAY
    family: str = ""
    line: int = field(default=0, compare=False)
    text: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Cassette:
    """A head and its interactions; interaction number N is `interactions[N - 1]`."""

    head: Head = field(default_factory=Head)
    interactions: tuple[Interaction, ...] = ()

    def __len__(self) -> int:
        """How many interactions there are."""
        return len(self.interactions)

    def __getitem__(self, index: int) -> Interaction:
        """The interaction with that index (from 0)."""
        return self.interactions[index]

    def key(self, index: int, scheme: str) -> bytes | None:
        """None: the identity of an interaction that was read is made from its request."""
        return None

    def request(self, index: int) -> Request:
        """The request of the interaction with that index."""
        return self.interactions[index].request

    def directory(self) -> Directory:
        """Where the requests go and how large their bodies are."""
        places, requests = Places(), [interaction.request for interaction in self.interactions]
        placed = [places.number(encode(f"{request.method} {request.path}")) for request in requests]
        return Directory(places, placed, [look_of(request.body).size for request in requests])

    def look(self, index: int) -> Look:
        """What the body of the request looks like."""
        return look_of(self.interactions[index].request.body)

    def look_of(self, request: Request) -> Look:
        """What the body of a request looks like."""
        return look_of(request.body)


def same_exchange(one: Interaction, other: Interaction) -> bool:
    """Whether two recordings differ in nothing but volatile facts: when, how long, how an answer was cut up.

    Faults and delays that somebody wrote into one of them do not count either: no recording could have them.
    """
    return _settled(one) == _settled(other)


def exchange_key(interaction: Interaction) -> bytes:
    """The bytes that are equal for the same exchanges; a body counts by content, be it in memory or in a file named by
    its content."""
    settled = _settled(interaction)
    bodies = (_content(settled.request.body), _content(settled.response.body))
    bare = replace(
        settled,
        request=replace(settled.request, body=b""),
        response=replace(settled.response, body=b""),
        line=0,
        text="",
    )
    return blake2b(repr((bare, bodies)).encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _content(body: Body) -> tuple[int, str]:
    if isinstance(body, FileBody):
        return body.size, body.name[:32] or body.digest
    return len(body), sha256(body).hexdigest()[:32]


def _settled_request(request: Request) -> Request:
    """Without what is another one each time: the ids of the request, and the boundary of a multipart body, which
    counts by its parts."""
    request = replace(request, headers=request.headers.without(VOLATILE_REQUEST_HEADERS))
    media = media_type(request.headers)
    if not media.is_multipart:
        return request
    body = request.body
    parts: Body = FileBody("", 0, body.digest) if isinstance(body, FileBody) else canonical(request.headers, body)
    headers = request.headers.without({"content-length"}).replacing("content-type", media.essence)
    return replace(request, headers=headers, body=parts)


def _settled(interaction: Interaction) -> Interaction:
    response = interaction.response
    return replace(
        interaction,
        request=_settled_request(interaction.request),
        response=replace(response, headers=response.headers.without(VOLATILE_HEADERS), chunks=()),
        recorded="",
        first_byte=0.0,
        took=0.0,
        fault=interaction.fault if interaction.fault is not None and interaction.fault.recorded else None,
        delay=NO_DELAY,
    )
