"""Every call that the `openai` client can make, built from the types of its parameters, and the request it becomes.

Each method is called with the least it needs, with everything it takes, and once more for each branch of each union and
each value of each list of values. Nothing is sent: the transport is a fake one.
"""

from __future__ import annotations

import collections.abc
import inspect
import os
import types
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import (
    IO,
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_overloads,
    get_type_hints,
)

import httpx
import openai
from openai._resource import SyncAPIResource
from openai._types import NotGiven, Omit
from typing_extensions import is_typeddict

from replayproxy.core.messages import Headers, Request

__all__ = ["ClientMethod", "FakeApi", "client_methods"]

#: An object in an object in an argument is gone over; one that is deeper has only what it must have.
_DEEPEST = 2
#: Parameters about sending, and not about what is sent.
_SENDING = {"self", "extra_headers", "extra_query", "extra_body", "timeout", "idempotency_key"}
#: Methods around others: they wait, collect, or parse.
_AROUND = ("poll", "stream", "parse", "connect", "wait_for_processing", "upload_file_chunked")
_URL = "https://example.com/a.png"
#: Plain values for a parameter's name, where not any will do.
_NAMED: Mapping[tuple[type, str], Any] = {
    (str, "url"): _URL,
    (str, "image_url"): _URL,
    (str, "file_url"): _URL,
    (str, "server_url"): _URL,
    (str, "model"): "gpt-4o",
    (str, "thread_id"): "thread_abc123",
    (str, "assistant_id"): "asst_abc123",
    (str, "message_id"): "msg_abc123",
    (str, "run_id"): "run_abc123",
    (str, "step_id"): "step_abc123",
    (str, "tunnel_id"): f"tunnel_{'a' * 32}",
    (str, "include"): "item.input_audio_transcription.logprobs",
    (int, "seconds"): 3600,
    (int, "max_output_tokens"): 16,
    (int, "max_chunk_size_tokens"): 800,
    (int, "idle_timeout_ms"): 5000,
    (int, "compact_threshold"): 1000,
    (object, "filters"): {"type": "eq", "key": "a", "value": "b"},
}
_PLAIN: Mapping[Any, list[Any]] = {
    str: ["text"],
    bool: [True, False],
    int: [1],
    float: [0.5],
    bytes: [b"data"],
    datetime: [datetime(2026, 1, 31, tzinfo=UTC)],
    object: [{"key": "text"}],
    types.NoneType: [None],
}


class FakeApi:
    """A client whose requests are kept, not sent."""

    def __init__(self) -> None:
        self._asked: httpx.Request | None = None
        transport = httpx.MockTransport(self._keep)
        self.client = openai.OpenAI(
            api_key="none",
            admin_api_key="none",
            base_url="http://127.0.0.1/v1",
            max_retries=0,
            http_client=httpx.Client(transport=transport),
        )

    def request(self, method: ClientMethod, arguments: Mapping[str, Any]) -> Request | None:
        """The request that calling `method` makes; None when the client itself refuses the arguments."""
        self._asked = None
        with suppress(openai.APIConnectionError, RuntimeError, ValueError):
            method.bound(self.client)(**arguments)
        if self._asked is None:
            return None
        headers = Headers(tuple((name.decode(), value.decode()) for name, value in self._asked.headers.raw))
        return Request(self._asked.method, self._asked.url.raw_path.decode(), headers, self._asked.read())

    def _keep(self, request: httpx.Request) -> httpx.Response:
        self._asked = request
        raise httpx.ConnectError("nothing is sent")


@dataclass(frozen=True, slots=True)
class ClientMethod:
    """A method of the client that makes a request: the way to its object, and its name."""

    objects: tuple[str, ...]
    name: str
    function: Callable[..., Any]

    def __str__(self) -> str:
        return ".".join((*self.objects, self.name))

    def bound(self, client: Any) -> Callable[..., Any]:
        """The method of that client."""
        for name in self.objects:
            client = getattr(client, name)
        return getattr(client, self.name)  # type: ignore[no-any-return]

    def calls(self) -> Iterator[dict[str, Any]]:
        """Arguments to call it with."""
        gone_over: Mapping[str, Any] = {}
        for signature in get_overloads(self.function) or [self.function]:
            shape = _parameters(signature)
            yield from shape.values((), {name for name, hint in shape.fields.items() if gone_over.get(name) == hint})
            gone_over = shape.fields


def client_methods() -> list[ClientMethod]:
    """All methods of the client that make a request, each once."""
    seen: set[type] = set()
    return list(_methods(FakeApi().client, (), seen))


def _methods(thing: Any, objects: tuple[str, ...], seen: set[type]) -> Iterator[ClientMethod]:
    kind = type(thing)
    for name, function in vars(kind).items():
        if inspect.isfunction(function) and objects and _asks(name, function):
            yield ClientMethod(objects, name, function)
    for name, member in inspect.getmembers(kind):
        if isinstance(member, cached_property | property) and not name.startswith(("_", "with_")):
            inner = getattr(thing, name)
            if isinstance(inner, SyncAPIResource) and type(inner) not in seen:
                seen.add(type(inner))
                yield from _methods(inner, (*objects, name), seen)


def _asks(name: str, function: Callable[..., Any]) -> bool:
    if name.startswith("_") or any(name == word or name.endswith(f"_{word}") for word in _AROUND):
        return False
    source = inspect.getsource(inspect.unwrap(function))
    return any(f"self._{verb}(" in source for verb in ("get", "post", "put", "patch", "delete", "get_api_list"))


@dataclass(frozen=True, slots=True)
class _Shape:
    """An object's fields by their types, and which of them it must have."""

    fields: Mapping[str, Any]
    needed: set[str] = field(default_factory=set)

    def values(self, outer: tuple[Any, ...], gone_over: Container[str] = ()) -> Iterator[dict[str, Any]]:
        """The least object, the fullest, and one for each other value that a field can have, if not `gone_over`."""
        variants = {name: _values(hint, name, outer) for name, hint in self.fields.items()}
        least = {name: variants[name][0] for name in self.fields if name in self.needed}
        yield least
        if len(outer) > _DEEPEST:
            return
        full = {name: held[min(1, len(held) - 1)] for name, held in variants.items() if held}
        yield full
        for name, held in variants.items():
            if name not in gone_over:
                yield from ({**least, name: value} for value in held[name in self.needed :])


def _values(hint: Any, name: str, outer: tuple[Any, ...]) -> list[Any]:
    """Values of that type, the least first; none when the type holds itself."""
    origin = get_origin(hint)
    if origin in (Annotated, Required, NotRequired):
        return _values(get_args(hint)[0], name, outer)
    if origin is Literal:
        return list(get_args(hint))
    if origin in (Union, types.UnionType):
        return [each for branch in get_args(hint) for each in _values(branch, name, outer)]
    if is_typeddict(hint):
        return [] if hint in outer else list(_shape(hint).values((*outer, hint)))
    if origin is tuple:  # a file: its name and what it holds
        return [("a.png", b"data")] if len(get_args(hint)) == 2 else []
    if inspect.isclass(origin) and issubclass(origin, collections.abc.Mapping):
        return [{}] + [{"key": each} for each in _values(get_args(hint)[1], "", outer)]
    if inspect.isclass(origin) and issubclass(origin, collections.abc.Iterable):
        return [[each] for each in _values(get_args(hint)[0], name, outer)]
    return _plain(hint, name)


def _plain(hint: Any, name: str) -> list[Any]:
    if (get_origin(hint) or hint) in (type, os.PathLike, collections.abc.Callable, IO, NotGiven, Omit):
        return []
    return [_NAMED[hint, name]] if (hint, name) in _NAMED else _PLAIN[hint]


def _parameters(signature: Callable[..., Any]) -> _Shape:
    hints = get_type_hints(signature, include_extras=True)
    given = inspect.signature(signature).parameters
    fields = {name: hints[name] for name in given if name not in _SENDING}
    return _Shape(fields, {name for name in fields if given[name].default is inspect.Parameter.empty})


@cache
def _shape(hint: Any) -> _Shape:
    fields = get_type_hints(hint, include_extras=True)
    needed = {name for name, each in fields.items() if _is_needed(each, total=hint.__total__)}
    return _Shape(fields, needed)


def _is_needed(hint: Any, *, total: bool) -> bool:
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return get_origin(hint) is Required or (total and get_origin(hint) is not NotRequired)
