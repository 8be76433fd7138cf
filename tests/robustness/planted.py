"""Keys of many shapes in many places: what is sent, what is answered, and how to find it where it should not be.

Every key has a mark in its middle: hex digits that tell the shape and the place, so that one search finds all.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["ANSWERS", "QUESTIONS", "SHAPES", "Plant", "Shape", "found", "plants"]

_MARK = "facade77"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a key looks: `make` puts a mark in it. One that is `known` is told by its look, `text` is that."""

    make: Callable[[str], str]
    known: bool = True
    text: str = "{}"


SHAPES: dict[str, Shape] = {
    "openai": Shape(lambda mark: f"sk-Ab3dEf6hIj9l{mark}T3BlbkFJOpQrStUv"),
    "openai project": Shape(lambda mark: f"sk-proj-Ab3dEf6h_Ij9l{mark}-T3BlbkFJOpQrStUv"),
    "openai service account": Shape(lambda mark: f"sk-svcacct-Ab3dEf6h{mark}OpQrStUv"),
    "openai admin": Shape(lambda mark: f"sk-admin-Ab3dEf6h{mark}OpQrStUv"),
    "openai session": Shape(lambda mark: f"sess-Ab3dEf6h{mark}OpQrStUv"),
    "anthropic": Shape(lambda mark: f"sk-ant-api03-Ab3dEf6h-{mark}-OpQrStUvAA"),
    "azure": Shape(lambda mark: f"0a1b2c3d4{mark}5e6f70819", known=False),
    "github": Shape(lambda mark: f"ghp_Ab3dEf6hIj9lM{mark}OpQrStU"),
    "aws id": Shape(lambda mark: f"AKIAQX{mark.upper()}YZ"),
    "aws secret": Shape(lambda mark: f"wJalrXUtn/K7M{mark}+bPxRfiCYEXA", known=False),
    "google": Shape(lambda mark: f"AIzaSyAb3dEf6hI{mark}lMnOpQrStU"),
    "slack": Shape(lambda mark: f"xoxb-123456789012-{mark}OpQrStUv"),
    "hugging face": Shape(lambda mark: f"hf_Ab3dEf6hIj{mark}OpQrStUvWxYz"),
    "jwt": Shape(lambda mark: f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{mark}OiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"),
    "bearer": Shape(lambda mark: f"Zq7wR2tY9uI4{mark}dF1gH3jK5lX0", text="Bearer {}"),
    "password": Shape(lambda mark: f"correct-horse-{mark}-staple", known=False),
    "database": Shape(lambda mark: f"hunter2{mark}Hunter2", text="postgres://app:{}@db.test:5432/app"),
    "private key": Shape(
        lambda mark: f"-----BEGIN PRIVATE KEY-----MIIEvQIBADAN{mark}BgkqhkiG9w0BAQEF-----END PRIVATE KEY-----"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plant:
    """A key of a shape in a place; `text` is what tells of it in free text."""

    number: int
    shape: str
    place: str
    secret: str

    @property
    def text(self) -> str:
        """The key, with what makes it one in free text."""
        return SHAPES[self.shape].text.format(self.secret)

    @property
    def path(self) -> str:
        """Where it is sent to, or answered from."""
        return f"/v1/plant/{self.number}"


def _ask(
    plant: Plant, *fields: str, query: str = "", body: str | bytes = b"", media: str = "application/json"
) -> bytes:
    data = body if isinstance(body, bytes) else body.encode()
    head = [f"POST {plant.path}{query} HTTP/1.1", "Host: {host}", f"Content-Type: {media}", *fields]
    return "\r\n".join([*head, f"Content-Length: {len(data)}", "", ""]).encode() + data


def _header(name: str, value: str = "{}") -> Callable[[Plant], bytes]:
    return lambda plant: _ask(plant, f"{name}: {value.format(plant.secret)}")


def _body(
    make: Callable[[Plant], str | bytes], media: str = "application/json", *fields: str
) -> Callable[[Plant], bytes]:
    return lambda plant: _ask(plant, *fields, body=make(plant), media=media)


def _quoted(plant: Plant) -> str:
    return quote(plant.secret, safe="")


def _query(form: str) -> Callable[[Plant], bytes]:
    return lambda plant: _ask(plant, query=f"?a=b&{form.format(_quoted(plant))}")


def _echo(plant: Plant) -> bytes:
    """The key in a header, and everywhere else, by nothing but its value."""
    spelled = [plant.secret, quote(plant.secret, safe=""), base64.b64encode(plant.secret.encode()).decode(),
               "".join(f"\\u{ord(sign):04x}" for sign in plant.secret), plant.secret.encode().hex()]  # fmt: skip
    body = '{"a": ["' + '", "'.join(spelled) + '"]}'
    return _ask(plant, f"Authorization: Bearer {plant.secret}", f"X-Note: {plant.secret}", body=body)


def _part(plant: Plant) -> str:
    return f'--B\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n{plant.secret}\r\n--B--\r\n'


def _basic(plant: Plant) -> bytes:
    return _ask(
        plant, f"Authorization: bAsIc   {base64.b64encode(f'user:{plant.secret}'.encode()).decode().rstrip('=')}"
    )


def _trailing(plant: Plant) -> bytes:
    head = f"POST {plant.path} HTTP/1.1\r\nHost: {{host}}\r\nTransfer-Encoding: chunked\r\nTrailer: X-Api-Key\r\n\r\n"
    return f"{head}2\r\n{{}}\r\n0\r\nX-Api-Key: {plant.secret}\r\n\r\n".replace("{{}}", "{}").encode()


def _named(plant: Plant) -> str:
    return json.dumps({"text": "x", "metadata": {"api_key": plant.secret}})


def _zipped(plant: Plant) -> bytes:
    return gzip.compress(_named(plant).encode())


#: A request for each place: those that tell by themselves, and by nothing but the look of the key (with `look`).
QUESTIONS: dict[str, Callable[[Plant], bytes]] = {
    "authorization": _header("Authorization", "Bearer {}"),
    "authorization without a scheme": _header("AUTHORIZATION"),
    "basic": _basic,
    "api-key": _header("api-key"),
    "x-api-key": _header("X-API-Key"),
    "subscription key": _header("Ocp-Apim-Subscription-Key"),
    "google key": _header("x-goog-api-key"),
    "cookie": _header("Cookie", "theme=dark; sid={}"),
    "proxy-authorization": _header("Proxy-Authorization", "Bearer {}"),
    "query api_key": _query("api_key={}"),
    "query key": _query("key={}"),
    "query access_token": _query("access_token={}"),
    "query sig": _query("sig={}"),
    "referer": lambda plant: _ask(plant, f"Referer: https://u:{_quoted(plant)}@h/x?api_key={_quoted(plant)}"),
    "json field": _body(_named),
    "json in a string": _body(lambda plant: json.dumps({"arguments": json.dumps({"b": _named(plant)})})),
    "json in utf-16": _body(lambda plant: _named(plant).encode("utf-16"), "application/json; charset=utf-16"),
    "json in gzip": _body(lambda plant: _zipped(plant), "application/json", "Content-Encoding: gzip"),
    "json in base64": _body(lambda plant: json.dumps([base64.b64encode(_named(plant).encode()).decode()])),
    "escaped name": _body(lambda plant: f'{{"\\u0061pi_key": {json.dumps(plant.secret)}}}'),
    "form": _body(lambda plant: f"a=b&client_secret={quote(plant.secret)}", "application/x-www-form-urlencoded"),
    "part": _body(_part, "multipart/form-data; boundary=B"),
    "header and everywhere": _echo,
    "trailer": _trailing,
    "look: text": _body(lambda plant: json.dumps({"text": f"use {plant.text}, please"})),
    "look: path": lambda plant: _ask(plant, query=f"/{quote(plant.text, safe='')}"),
    "look: x-note": lambda plant: _ask(plant, f"X-Note: see {plant.text}"),
    "look: base64": _body(lambda plant: base64.b64encode(f"use {plant.text} !".encode()), "text/plain"),
}  # fmt: skip


def _sized(body: str | bytes, *fields: str, status: str = "200 OK", media: str = "application/json") -> bytes:
    data = body if isinstance(body, bytes) else body.encode()
    head = (f"HTTP/1.1 {status}", f"Content-Type: {media}", *fields, f"Content-Length: {len(data)}", "", "")
    return "\r\n".join(head).encode() + data


def _split(plant: Plant) -> bytes:
    """An event stream, an event for each letter."""
    events = [
        f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': sign}}]})}\n\n"
        for sign in f"x {plant.text} y"
    ]
    return _sized("".join(events) + "data: [DONE]\n\n", media="text/event-stream")


#: An answer for each place.
ANSWERS: dict[str, Callable[[Plant], bytes]] = {
    "answer: set-cookie": lambda plant: _sized("{}", f"Set-Cookie: sid={plant.secret}; Path=/"),
    "answer: x-api-key": lambda plant: _sized("{}", f"X-Api-Key: {plant.secret}"),
    "answer: location": lambda plant: _sized(
        "", f"Location: https://h/x?token={_quoted(plant)}#access_token={_quoted(plant)}", status="302 Found"),
    "answer: link": lambda plant: _sized("{}", f"Link: <https://u:{_quoted(plant)}@h/?sig={_quoted(plant)}>; rel=next"),
    "answer: json field": lambda plant: _sized(_named(plant)),
    "answer: gzip": lambda plant: _sized(_zipped(plant), "Content-Encoding: gzip"),
    "answer: two codings": lambda plant: _sized(gzip.compress(_zipped(plant)), "Content-Encoding: gzip, gzip"),
    "answer: an untold coding": lambda plant: _sized(_zipped(plant), media="application/octet-stream"),
    "answer: broken coding": lambda plant: _sized(_zipped(plant)[:-4], "Content-Encoding: gzip"),
    "answer: event": lambda plant: _sized(
        f"\ufeffevent: a\r\ndata: {_named(plant)}\r\n\r\n", media="text/event-stream"),
    "answer: error": lambda plant: _sized(
        json.dumps({"error": {"message": f"Incorrect API key provided: {plant.secret}. You can"}}),
        status="401 Unauthorized"),
    "look: answer: text": lambda plant: _sized(json.dumps({"text": f"it is {plant.text}!"})),
    "look: answer: pieces": _split,
    "look: answer: reason": lambda plant: _sized("{}", status=f"200 {plant.text}"),
}  # fmt: skip


def plants(some: int = 1) -> Iterator[Plant]:
    """Every shape in every place where it can be told; with `some`, each place with one shape in so many."""
    number = 0
    for row, (shape, look) in enumerate(SHAPES.items()):
        for column, place in enumerate((*QUESTIONS, *ANSWERS)):
            number += 1
            if (row + column) % some == 0 and (look.known or not place.startswith("look: ")):
                yield Plant(number, shape, place, look.make(f"{_MARK}{number:04x}"))


def _spelled() -> Iterator[bytes]:
    for mark in (_MARK, _MARK.upper()):
        yield mark.encode()
        yield mark.encode().hex().encode()
        yield "".join(f"%{ord(sign):02x}" for sign in mark).encode()
        yield "".join(f"\\u{ord(sign):04x}" for sign in mark).encode()
        yield mark.encode("utf-16-le")
        for shift in range(3):
            yield base64.b64encode(b"\0" * shift + mark.encode())[-(-shift * 8 // 6) : (shift + len(mark)) * 8 // 6]


_ANY = re.compile(b"|".join(map(re.escape, dict.fromkeys(_spelled()))))


def found(data: bytes) -> list[bytes]:
    """What stands around the marks in `data`, also where lines divide them."""
    texts = (data, re.sub(rb"\s+", b"", data))
    return [text[max(0, at.start() - 60) : at.end() + 60] for text in texts for at in _ANY.finditer(text)]
