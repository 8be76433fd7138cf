"""Bodies by their media type, and their canonical form."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replayproxy.core.bodies import (
    PARSE_LIMIT,
    BodyDigest,
    Parsed,
    canonical,
    canonical_json,
    packed,
    parse,
    parse_form,
    parse_json,
)
from replayproxy.core.messages import FileBody, Headers

JSON = Headers.of(("content-type", "application/json"))
FORM = Headers.of(("content-type", "application/x-www-form-urlencoded"))
TEXT = Headers.of(("content-type", "text/plain"))


def multipart(boundary: str) -> Headers:
    """Headers of a multipart body."""
    return Headers.of(("content-type", f'multipart/form-data; boundary="{boundary}"'))


def part(head: str, content: bytes = b"1", boundary: str = "b") -> bytes:
    """A multipart body of one part."""
    return f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()


NAMED = 'Content-Disposition: form-data; name="file"; filename="f"'


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1,"b":2}', b'{ "b" : 2 ,\r\n\t"a" : 1 }'),
        (b'{"a":{"x":[],"y":null}}', b'{"a":{"y":null,"x":[ ]}}'),
        (b"1", b"1.0"),
        (b"[1]", b"[1e0]"),
        (b"[100]", b"[1.0E+2]"),
        (b'{"a":[{"b":1.0}]}', b'{"a":[{"b":1}]}'),
        (b"0", b"-0"),
        (b"0", b"-0.0"),
        (b"10000000000000000", b"1e16"),
        (b"9223372036854775808", b"9223372036854775808.0"),
        (b"1e300", b"10e299"),
        (b"0.5", b"0.50"),
        (b'"\\u00e9\\/"', '"é/"'.encode()),
        (b'"\\ud83d\\ude00"', '"😀"'.encode()),
        (b" null\n", b"null"),
        (b'"a b"', b' "a b"'),
    ],
)
def test_json_counts_by_value(one: bytes, other: bytes) -> None:
    """Key order, white space and spelling do not count."""
    assert canonical(JSON, one) == canonical(JSON, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"1", b"true"),
        (b"0", b"false"),
        (b"0", b"null"),
        (b"1", b'"1"'),
        (b"[]", b"{}"),
        (b"[1,2]", b"[2,1]"),
        (b'{"a":null}', b"{}"),
        (b'"a b"', b'"ab"'),
        (b'"a"', b'"A"'),
        (b'"\\u00e9"', b'"e\\u0301"'),
        (b"9007199254740993", b"9007199254740992"),
        (b"18446744073709551615", b"18446744073709551614"),
        (b"18446744073709551616", b"18446744073709551617"),
        (b"18446744073709551616", b"18446744073709551616.0"),
        (b"-9223372036854775809", b"-9223372036854775810"),
        (b"1" * 5000, b"1" * 4999 + b"2"),
        (b'{"a":1,"a":1}', b'{"a":1}'),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b'[{"a":1,"a":2}]', b'[{"a":1, "a":2}]'),
        (b"NaN", b"NaN "),
        (b"Infinity", b"-Infinity"),
        (b"1e400", b"1e401"),
        (b'"\\ud800"', b'"\\ud801"'),
        (b'"\xff"', b'"\xfe"'),
        (b"\xef\xbb\xbf1", b"1"),
        (b"{", b"{ "),
        (b"1 1", b"1"),
        (b"[" * 100_000, b"[" * 99_999),
        (b"[" * 300 + b"]" * 300, b"[" * 300 + b" " + b"]" * 300),
        ("1".encode("utf-16"), b"1"),
        (b" ", b"  "),
    ],
)
def test_json_that_differs_or_that_a_reader_would_change(one: bytes, other: bytes) -> None:
    """Different values differ, and what a reader would change or refuse counts by its bytes."""
    assert canonical(JSON, one) != canonical(JSON, other)
    assert canonical(JSON, one) == canonical(JSON, one)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b"[-9223372036854775809]",
        b"NaN",
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"[" * 255 + b"]" * 255,
        b"{",
    ],
)
def test_reading_json_refuses_what_it_would_change(body: bytes) -> None:
    """One error for everything that has no faithful value."""
    with pytest.raises(ValueError, match=r".+"):
        parse_json(body)
    assert parse(JSON, body) == Parsed("bytes", body)


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json"])
def test_every_json_media_type_counts_by_value(media: str) -> None:
    """Parameters and case of the media type make no difference."""
    headers = Headers.of(("Content-Type", media))
    assert canonical(headers, b'{"a": 1.0}') == canonical(JSON, b'{"a":1}')


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"a=1&b=2", b"b=2&a=1", True),
        (b"a=1&a=2", b"a=2&a=1", False),
        (b"a=1&b=2&a=3", b"b=2&a=1&a=3", True),
        (b"a+b=c+d", b"a%20b=%63%20d", True),
        (b"a=%2B", b"a=+", False),
        (b"a", b"a=", True),
        (b"a=1&&", b"a=1", True),
        (b"a=%FF", b"a=%FE", False),
        (b"a=%FF", b"a=%EF%BF%BD", False),
        (b"a=%zz", b"a=%25zz", True),
        (b"a=1=2", b"a=1%3D2", True),
        (b"a=b%26c=d", b"a=b&c=d", False),
        (b"ab=c", b"a=bc", False),
        (b"A=1", b"a=1", False),
    ],
)
def test_forms_count_by_fields(one: bytes, other: bytes, same: bool) -> None:
    """Fields are decoded; the order between names does not count, within a name it does."""
    assert (canonical(FORM, one) == canonical(FORM, other)) is same


def test_form_fields_keep_their_order() -> None:
    """Names may repeat, values may be empty, and bytes that are not text survive."""
    assert parse_form(b"b=%C3%A9&a=+&b&=x&c=%FF") == (("b", "é"), ("a", " "), ("b", ""), ("", "x"), ("c", "\udcff"))
    assert parse_form(b"") == ()


def test_a_boundary_does_not_count() -> None:
    """The same parts between other delimiters are the same body."""
    one, other = part(NAMED, boundary="one"), part(NAMED, boundary="the other")
    assert canonical(multipart("one"), one) == canonical(multipart("the other"), other)


@pytest.mark.parametrize(
    ("body", "same"),
    [
        (part(NAMED + "\r\nX-Other: 1"), True),
        (part(NAMED.lower()), True),
        (part(NAMED.replace('filename="f"', "filename*=utf-8''f")), True),
        (b"before\r\n" + part(NAMED) + b"after", True),
        (part(NAMED.replace("file;", "other;").replace('"file"', '"other"')), False),
        (part(NAMED.replace('"f"', '"g"')), False),
        (part(NAMED.replace('; filename="f"', "")), False),
        (part(NAMED.replace('filename="f"', 'filename=""')), False),
        (part(NAMED.replace('; name="file"', "")), False),
        (part(NAMED + "\r\nContent-Type: text/plain"), False),
        (part(NAMED, b"2"), False),
        (part(NAMED).removesuffix(b"--b--\r\n") + part(NAMED), False),
        (part(NAMED).removesuffix(b"--\r\n"), False),
    ],
)
def test_multipart_counts_by_parts(body: bytes, same: bool) -> None:
    """Name, file name, type and bytes of each part count; its other headers and text around the parts do not."""
    assert (canonical(multipart("b"), body) == canonical(multipart("b"), part(NAMED))) is same


def test_the_charset_of_a_part_does_not_count() -> None:
    """Parts have media types by their essence, as messages do."""
    one, other = (part(f"{NAMED}\r\nContent-Type: text/plain{more}") for more in ("", "; charset=utf-8"))
    assert canonical(multipart("b"), one) == canonical(multipart("b"), other)


def test_the_order_of_parts_counts() -> None:
    """Two parts the other way round are another body."""
    one, other = (
        b"--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--",
        b"--b\r\n\r\n2\r\n--b\r\n\r\n1\r\n--b--",
    )
    assert canonical(multipart("b"), one) != canonical(multipart("b"), other)


def test_forms_never_collide() -> None:
    """An empty body, a value, fields, parts, bytes and a digest are six different things."""
    text = part(NAMED)
    forms = [
        canonical(JSON, b""),
        canonical(JSON, b"{}"),
        canonical(FORM, b"&"),
        canonical(multipart("b"), b"--b--"),
        canonical(TEXT, b"{}"),
        canonical(TEXT, FileBody("f", 2, sha256(b"{}").hexdigest())),
        canonical(multipart("b"), text),
        canonical(TEXT, text),
    ]
    assert all(one != other for one, other in combinations(forms, 2))
    assert len(Counter(form.partition(b":")[0] for form in forms)) == 6


@pytest.mark.parametrize("headers", [JSON, FORM, TEXT, multipart("b"), Headers()])
def test_an_empty_body_is_empty_under_every_media_type(headers: Headers) -> None:
    """No body is no body."""
    assert parse(headers, b"") == Parsed("empty", None)
    assert canonical(headers, b"") == b"empty:"


def test_other_bodies_count_by_their_bytes() -> None:
    """White space counts where the media type does not say otherwise."""
    assert canonical(TEXT, b"{}") == canonical(Headers(), b"{}")
    assert canonical(TEXT, b"{}") != canonical(TEXT, b"{ }")


def test_a_body_over_the_limit_counts_like_one_kept_in_a_file() -> None:
    """Neither is looked into, and both have the same digest."""
    body = b'{"a": "' + b"x" * PARSE_LIMIT + b'"}'
    digest = BodyDigest(JSON)
    digest.feed(body)
    assert canonical(JSON, body) == canonical(JSON, FileBody("name", len(body), digest.hexdigest()))
    assert canonical(JSON, body[:-2] + b' "}') != canonical(JSON, body)
    assert digest.hexdigest() == sha256(body).hexdigest()


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab. "\\é\n', max_size=3), inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: object) -> object:
    """The same value, every mapping written the other way round."""
    if isinstance(value, dict):
        return {key: shuffled(inner) for key, inner in reversed(value.items())}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


@given(values)
@example({"a": [1.0, 1e16, -0.0, 1e19, -(2.0**63), 5e-324]})
def test_every_spelling_of_a_value_is_one_form(value: object) -> None:
    """Compact, spaced, indented, escaped, in another order: one canonical form, which is JSON of the same value."""
    compact = canonical(JSON, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())
    assert compact.startswith(b"json:")
    for text in (json.dumps(value), json.dumps(shuffled(value), indent=2), json.dumps(value, ensure_ascii=False)):
        assert canonical(JSON, text.encode()) == compact
    assert json.loads(compact.removeprefix(b"json:")) == value
    assert canonical_json(parse_json(compact.removeprefix(b"json:"))) == compact.removeprefix(b"json:")


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=1, max_size=4), st.data())
def test_a_repeated_key_is_always_noticed(value: dict[str, int], data: st.DataObject) -> None:
    """Wherever a key is repeated and however it is spelled, the body counts by its bytes."""
    key = data.draw(st.sampled_from(sorted(value)))
    pairs = data.draw(st.permutations([*value.items(), (key, 0)]))
    ascii_only = data.draw(st.booleans())
    members = (f"{json.dumps(name, ensure_ascii=ascii_only)}:{number}" for name, number in pairs)
    body = ("{" + ",".join(members) + "}").encode("utf-8", "surrogatepass")
    assert parse(JSON, body).kind == "bytes"


@given(st.binary(max_size=40), st.sampled_from([JSON, FORM, TEXT, multipart("b"), Headers()]))
def test_every_body_has_a_canonical_form(body: bytes, headers: Headers) -> None:
    """Nothing raises, whatever the bytes."""
    assert canonical(headers, body) == canonical(headers, bytes(body))


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
@example([b"1:a,"], [b"a"])
@example([b"a", b""], [b"a"])
def test_packing_keeps_sequences_apart(one: list[bytes], other: list[bytes]) -> None:
    """Two sequences are packed alike only when they are equal."""
    assert (packed(one) == packed(other)) == (one == other)


def digest(headers: Headers, *chunks: bytes) -> str:
    """The digest of a body that arrives in these pieces."""
    incremental = BodyDigest(headers)
    for chunk in chunks:
        incremental.feed(chunk)
    return incremental.hexdigest()


@given(st.lists(st.sampled_from([b"\r\n", b"--", b"abc", b"ab", b"\r", b"\n", b"x", b"--abc"]), max_size=20), st.data())
def test_the_digest_does_not_depend_on_the_pieces(parts: list[bytes], data: st.DataObject) -> None:
    """Delimiters are found across pieces of every size."""
    body = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    for headers in (multipart("abc"), TEXT):
        assert digest(headers, *pieces) == digest(headers, body)
    assert digest(TEXT, *pieces) == sha256(body).hexdigest()


@given(
    st.lists(st.binary(max_size=12), min_size=1, max_size=3),
    st.sampled_from(["the-first-boundary", "the-other-boundary"]),
)
def test_the_digest_ignores_the_boundary(contents: list[bytes], boundary: str) -> None:
    """Bodies that differ in their boundary alone have one digest."""

    def body(name: str) -> bytes:
        mark = f"--{name}\r\n\r\n".encode()
        return b"".join(mark + content + b"\r\n" for content in contents) + f"--{name}--\r\n".encode()

    reference = "boundary-0f8c7d9b2e"  # too long, as the others are, to turn up in the contents
    assert digest(multipart(boundary), body(boundary)) == digest(multipart(reference), body(reference))


def test_the_digest_replaces_delimiters_only() -> None:
    """The boundary inside a line is content, and content counts."""
    one = part(NAMED, b"x abc x", "abc")
    other = part(NAMED, b"x abd x", "abd")
    assert digest(multipart("abc"), one) != digest(multipart("abd"), other)
    assert digest(multipart("abc"), b"--abc--") != digest(multipart("abc"), b"x--abc--")


def test_a_digest_can_be_asked_for_on_the_way() -> None:
    """Asking changes nothing."""
    incremental = BodyDigest(multipart("abc"))
    incremental.feed(b"--a")
    assert incremental.hexdigest() == digest(multipart("abc"), b"--a")
    incremental.feed(b"bc--")
    assert incremental.hexdigest() == digest(multipart("abc"), b"--abc--")
