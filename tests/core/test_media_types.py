"""Media types and header parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.media_types import MediaType, media_type, parameters
from replayproxy.core.messages import Headers


@pytest.mark.parametrize(
    ("value", "essence", "found"),
    [
        ("application/json", "application/json", {}),
        (" Application/JSON ; Charset=UTF-8", "application/json", {"charset": "UTF-8"}),
        ('multipart/form-data; boundary="a b;c"; x=y', "multipart/form-data", {"boundary": "a b;c", "x": "y"}),
        ('a/b; x="q\\"u\\\\o\\te"', "a/b", {"x": 'q"u\\o\\te'}),
        ("a/b; x=1; X=2", "a/b", {"x": "1"}),
        ("a/b; x = 1 ;;; y; z=", "a/b", {"x": "1", "z": ""}),
        ('a/b; x="never closed', "a/b", {"x": '"never closed'}),
        ("a/b; filename=plain; filename*=UTF-8''na%C3%AFve", "a/b", {"filename": "naïve"}),
        ("a/b; filename*=iso-8859-1'en'%E9", "a/b", {"filename": "é"}),
        ("a/b; filename*=utf-8''%FF", "a/b", {"filename": "\udcff"}),
        ("a/b; filename*=rot13''nope", "a/b", {"filename*": "rot13''nope"}),
        ("a/b; filename*=nothing", "a/b", {"filename*": "nothing"}),
        (f"a/b; x={'y' * 300}", "a/b", {"x": "y" * 300}),
        ("garbage", "garbage", {}),
        ("", "", {}),
        (";;=;\x00", "", {}),
    ],
)
def test_a_content_type_is_parsed(value: str, essence: str, found: dict[str, str]) -> None:
    """The essence is lower-case, parameters are unquoted, garbage is no error."""
    assert media_type(Headers.of(("content-type", value))) == MediaType(essence, found)


def test_without_a_content_type_there_is_no_essence() -> None:
    """A message without the header has the empty media type; of two headers the first counts."""
    assert media_type(Headers()) == MediaType()
    assert media_type(Headers.of(("Content-Type", "a/b"), ("content-type", "c/d"))).essence == "a/b"
    assert hash(MediaType("a/b", {"x": "1"})) == hash(MediaType("a/b"))


@pytest.mark.parametrize(
    ("essence", "kind"),
    [
        ("application/json", "json"),
        ("application/problem+json", "json"),
        ("image/svg+xml", ""),
        ("text/json", ""),
        ("multipart/form-data", "multipart"),
        ("multipart/mixed", "multipart"),
        ("application/x-www-form-urlencoded", "form"),
    ],
)
def test_the_essence_tells_what_bodies_are(essence: str, kind: str) -> None:
    """JSON, multipart, a form, or something else."""
    media = MediaType(essence)
    assert (media.is_json, media.is_multipart, media.is_form) == (kind == "json", kind == "multipart", kind == "form")


@given(st.text(max_size=60) | st.text(";=\"\\ *'%a", max_size=60))
def test_nothing_raises(value: str) -> None:
    """Whatever stands in the header, there is an answer."""
    media = media_type(Headers.of(("content-type", value)))
    assert media.essence == media.essence.lower()
    assert parameters(value) == dict(media.parameters)


def test_a_hostile_header_costs_little() -> None:
    """64 KiB of parameters, quotes and backslashes are read in one go."""
    for text in (";a" * 32_000, ';a="' * 16_000, ';a="\\' * 13_000, ";" + "a " * 32_000, ";a=1" * 16_000):
        assert len(parameters(f"a/b{text}")) <= 1
