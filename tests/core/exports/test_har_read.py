"""HAR of others: what browsers, Playwright and mitmproxy write, and what of it is no interaction."""

from __future__ import annotations

from typing import Any

import pytest

from replayproxy.core.cassette import Interaction
from replayproxy.core.exports.har_read import LeftOut, Taken, har_entries, read_entry
from replayproxy.core.messages import Headers
from replayproxy.errors import ConfigError

URL = "https://api.openai.com/v1/threads?limit=2"


def har_entry(
    request: dict[str, Any] | None = None, response: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The entry of an ordinary exchange, changed."""
    asked: dict[str, Any] = {
        "method": "POST",
        "url": URL,
        "headers": [{"name": "content-type", "value": "application/json"}],
    }
    asked["postData"] = {"mimeType": "application/json", "text": '{"a":1}'}
    content = {"size": 7, "mimeType": "application/json", "text": '{"b":2}'}
    answered = {"status": 200, "statusText": "OK", "headers": [], "content": content}
    return {"request": asked | (request or {}), "response": answered | (response or {})} | more


def taken(entry: Any) -> Interaction:
    """The interaction that it is taken for."""
    found = read_entry(entry, 1)
    assert isinstance(found, Taken), found
    return found.interaction


def why_not(entry: Any, origin: str = "") -> str:
    """Why it is left out."""
    found = read_entry(entry, 1, origin)
    assert isinstance(found, LeftOut), found
    return found.why


@pytest.mark.parametrize("value", [None, [], {}, {"log": 3}, {"log": {}}, {"log": {"entries": {}}}])
def test_what_is_no_har_is_refused(value: Any) -> None:
    """With where the entries should be."""
    with pytest.raises(ConfigError, match=r"log\.entries"):
        har_entries(value)


def test_an_ordinary_entry_is_an_interaction() -> None:
    """Its request goes to the target, its bodies are the bytes of the texts."""
    found = taken(har_entry())
    assert (found.request.method, found.request.target, found.request.body) == (
        "POST",
        "/v1/threads?limit=2",
        b'{"a":1}',
    )
    assert (found.response.status, found.response.body, found.operation) == (200, b'{"b":2}', "")


def test_times_are_seconds() -> None:
    """The wait is up to the first byte, unknown ones (-1) do not count, the instant is in UTC."""
    timings = {"blocked": 1.5, "dns": -1, "connect": "x", "send": 0.5, "wait": 98, "receive": 50}
    found = taken(har_entry(startedDateTime="2026-11-22T18:00:00.5+02:00", time=149.9, timings=timings))
    assert (found.recorded, found.first_byte, found.took) == ("2026-11-22T16:00:00.500Z", 0.1, 0.15)
    found = taken(har_entry(startedDateTime="2026-11-22T18:00:00", time=True))
    assert (found.recorded, found.first_byte) == ("2026-11-22T18:00:00.000Z", 0.0)


@pytest.mark.parametrize("started", ["", "soon", 3, "0001-01-01T00:00:00+14:00"])
def test_an_instant_that_is_none_is_unknown(started: Any) -> None:
    """It is not guessed."""
    assert taken(har_entry(startedDateTime=started)).recorded == ""


def test_what_one_connection_had_is_left_out() -> None:
    """Pseudo headers of HTTP/2 too, and repeated headers that Chrome put into one are several again."""
    pairs = [
        (":authority", "x"),
        ("Connection", "close"),
        ("transfer-encoding", "chunked"),
        ("Set-Cookie", "a=b\nc=d"),
        ("", "x"),
    ]
    headers = [{"name": name, "value": value} for name, value in pairs]
    found = taken(har_entry(None, {"headers": [*headers, 3, {"name": 4}]}))
    assert found.response.headers == Headers.of(("Set-Cookie", "a=b"), ("Set-Cookie", "c=d"))
    assert taken(har_entry({"headers": 3})).request.headers == Headers()


@pytest.mark.parametrize(
    ("coding", "kept"), [("gzip", "gzip"), ("GZip", "GZip"), ("br", "br"), ("gzip, br", ""), ("identity", "")]
)
def test_a_coding_that_was_taken_off_is_noted(coding: str, kept: str) -> None:
    """One that cannot be put on again is forgotten, with its header."""
    found = taken(har_entry(None, {"headers": [{"name": "content-encoding", "value": coding}]})).response
    assert (found.coding, found.headers.get("content-encoding") or "") == (kept, kept)


def test_without_a_body_nothing_was_taken_off() -> None:
    """The header stays as it was."""
    headers = [{"name": "content-encoding", "value": "gzip"}]
    found = taken(har_entry(None, {"headers": headers, "status": 204, "content": {"size": 0}})).response
    assert (found.coding, found.headers.get("content-encoding"), found.body) == ("", "gzip", b"")


@pytest.mark.parametrize(
    ("lengths", "kept"), [(["7"], ("7",)), (["7", "7"], ("7",)), (["7", "8"], ()), (["x"], ()), ([], ())]
)
def test_a_length_is_one_number(lengths: list[str], kept: tuple[str, ...]) -> None:
    """Others would not be loaded again."""
    headers = [{"name": "Content-Length", "value": each} for each in lengths]
    assert taken(har_entry(None, {"headers": headers})).response.headers.all("content-length") == kept


def test_bodies_may_be_base64() -> None:
    """In answers as the specification has it, in requests as replayproxy or others write it."""
    content = {"size": 2, "text": "//8=", "encoding": "base64"}
    assert taken(har_entry(None, {"content": content})).response.body == b"\xff\xff"
    for name in ("_encoding", "encoding"):
        assert taken(har_entry({"postData": {"text": "//8=", name: "base64"}})).request.body == b"\xff\xff"
    assert "no base64" in why_not(har_entry(None, {"content": content | {"text": "?"}}))


def test_text_is_in_its_character_set() -> None:
    """A browser decoded it, and it is put back where that can be done."""
    headers = [{"name": "content-type", "value": "text/plain; charset=ISO-8859-1"}]
    content = {"size": 1, "text": "é"}
    assert taken(har_entry(None, {"headers": headers, "content": content})).response.body == b"\xe9"
    assert "no text that was ever sent" in why_not(har_entry(None, {"headers": headers, "content": {"text": "€"}}))
    assert "no text that was ever sent" in why_not(har_entry({"postData": {"text": "\ud800"}}))


def test_a_form_may_have_fields_only() -> None:
    """Where there is no text. The files of a form are not there."""
    form = [{"name": "content-type", "value": "application/x-www-form-urlencoded"}]
    params = [{"name": "a", "value": "b c"}, 3]
    assert taken(har_entry({"headers": form, "postData": {"params": params}})).request.body == b"a=b+c"
    assert "files are not in the HAR" in why_not(har_entry({"postData": {"params": params}}))
    assert taken(har_entry({"postData": {"params": []}})).request.body == b""
    assert taken(har_entry({"postData": None})).request.body == b""


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("HTTP://Host:1", "http://host:1", "/"),
        ("https://user:pw@host/a#b", "https://host", "/a"),
        ("https://host?q=a b", "https://host", "/?q=a%20b"),
        ("https://host/é%20[]", "https://host", "/%C3%A9%20[]"),
    ],
)
def test_a_url_is_an_origin_and_a_target(url: str, origin: str, target: str) -> None:
    """Who logs in with it is nobody's business."""
    found = read_entry(har_entry({"url": url}), 1)
    assert isinstance(found, Taken)
    assert (found.origin, found.interaction.request.target, found.own) == (origin, target, False)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (None, "it is missing"),
        (3, "it is no object"),
        ({}, "its request is missing"),
        ({"request": {"url": URL, "method": "GET"}}, "its answer is missing"),
        (har_entry({"url": "data:text/plain,x"}), "none of HTTP"),
        (har_entry({"url": "blob://x"}), "none of HTTP"),
        (har_entry({"url": "https:///x"}), "names no host"),
        (har_entry(_resourceType="preflight"), "preflight"),
        (
            har_entry({"method": "OPTIONS", "headers": [{"name": "Access-Control-Request-Method", "value": "GET"}]}),
            "preflight",
        ),
        (har_entry({"method": "CONNECT"}), "tunnel"),
        (har_entry(_resourceType="websocket"), "WebSocket"),
        (har_entry(_webSocketMessages=[]), "WebSocket"),
        (har_entry(_fromCache="disk"), "cache"),
        (har_entry(None, {"status": 304}), "cache"),
        (har_entry(None, {"status": 0}), "it has no answer"),
        (har_entry(None, {"status": None}), "it has no answer"),
        (har_entry(None, {"status": "200"}), "answers no request"),
        (har_entry(None, {"status": 101}), "answers no request"),
        (har_entry(None, {"_error": "net::ERR_ABORTED"}), "broke off"),
        (har_entry(None, {"content": {"size": 9, "mimeType": "x"}}), "9 bytes is not in the HAR"),
        (har_entry(None, {"content": {"size": 99, "text": "x"}}), "cut: 1 of 99"),
        (har_entry({"headers": [{"name": "content-length", "value": "9"}]}), "not whole: 7 of 9"),
        (har_entry({"postData": {}, "bodySize": 9}), "request's body is not in the HAR"),
    ],
)
def test_what_is_no_interaction_is_left_out(entry: Any, why: str) -> None:
    """With the reason."""
    assert why in why_not(entry)


def test_sizes_may_be_unknown() -> None:
    """Firefox and mitmproxy write -1, others nothing or nonsense."""
    for size in (-1, None, "x", float("inf"), 1e300):
        found = taken(har_entry({"bodySize": size, "headersSize": -1}, {"content": {"size": size}, "bodySize": -1}))
        assert found.response.body == b""
    assert taken(har_entry(None, {"content": 3})).response.body == b""


def test_an_answer_to_head_has_no_body() -> None:
    """Whatever size it would have."""
    head = har_entry({"method": "HEAD", "postData": None}, {"content": {"size": 9}})
    assert taken(head).response.body == b""


def test_one_origin_may_be_wanted() -> None:
    """The others are left out."""
    assert "another origin" in why_not(har_entry(), "https://example.com")
    assert isinstance(read_entry(har_entry(), 1, "https://API.openai.com/"), Taken)
