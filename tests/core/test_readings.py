"""What rules leave of a request: each kind of rule on each kind of body, and paths that come from a miss."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.matching import ABSENT, differences, identify, identity
from replayproxy.core.messages import FileBody, Headers, Request
from replayproxy.core.readings import HOLE, IDENTITY_HEADERS
from replayproxy.core.rules import MASK, MatchRules, Scope


def asked(body: Any = None, target: str = "/v1/x", media: str = "application/json", **headers: str) -> Request:
    """A request; a body that is no bytes goes as JSON, further headers by keyword."""
    pairs = [("Content-Type", media), *((name.replace("_", "-"), value) for name, value in headers.items())]
    return Request(
        "POST", target, Headers(tuple(pairs)), body if isinstance(body, bytes) else json.dumps(body).encode()
    )


def form(body: bytes) -> Request:
    """A request with a URL-encoded form."""
    return asked(body, media="application/x-www-form-urlencoded")


def upload(*parts: str) -> Request:
    """A multipart request; each part is its head, a blank line and its content, with bare line feeds."""
    text = "".join(f"--b\n{part}\n" for part in parts) + "--b--\n"
    return asked(text.replace("\n", "\r\n").encode(), media="multipart/form-data; boundary=b")


def part(content: str, name: str = "file", filename: str = "f", media: str = "text/plain") -> str:
    """A part of a multipart body."""
    return f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\nContent-Type: {media}\n\n{content}'


def ignoring(*paths: str) -> MatchRules:
    """Rules that ignore `paths`."""
    return MatchRules.of(ignore=paths)


def masking(path: str, pattern: str) -> MatchRules:
    """One mask."""
    return MatchRules.of(mask={path: pattern})


CHAT = {"model": "m", "messages": [{"id": "1", "content": "a"}, {"id": "2", "content": "b"}], "n": [[1, 2], [3]]}


def chat(**changes: Any) -> Request:
    """The conversation with some members changed."""
    return asked({**CHAT, **changes})


LARGE = asked(b'"' + b"x" * PARSE_LIMIT + b'"')

#: rules, two requests, and the paths in which they still differ
CASES = [
    # members of objects: the value does not count, nor whether it is there
    (ignoring("body.model"), chat(), chat(model="n"), []),
    (ignoring("body.model"), chat(), asked({name: CHAT[name] for name in ("messages", "n")}), []),
    (ignoring("body.model"), chat(), chat(model="n", n=1), ["body.n"]),
    (ignoring("body.metadata.run_id"), chat(metadata={"run_id": 1, "a": 1}), chat(metadata={"a": 1}), []),
    (ignoring("body.metadata.run_id"), chat(metadata={"run_id": 1}), chat(), ["body.metadata"]),
    (ignoring("body.metadata"), chat(metadata={"run_id": 1}), chat(), []),
    (ignoring("body['a.b'].c"), asked({"a.b": {"c": 1}}), asked({"a.b": {"c": 2}}), []),
    (ignoring("body.0"), asked({"0": 1}), asked({"0": 2}), []),
    (ignoring("body.a"), asked({"b": {"a": 1}}), asked({"b": {"a": 2}}), ["body.b.a"]),
    (ignoring("body.a.b"), asked({"a": "x"}), asked({"a": "y"}), ["body.a"]),
    (ignoring("body.A"), asked({"a": 1}), asked({"a": 2}), ["body.a"]),
    # items of lists: the others keep their index
    (ignoring("body[1]"), asked([1, 2, 3]), asked([1, 9, 3]), []),
    (ignoring("body[1]"), asked([1, 2]), asked([1]), []),
    (ignoring("body[1]"), asked([1, 2, 3]), asked([1]), ["body[2]"]),
    (ignoring("body[1]"), asked([1, 2, 3]), asked([1, 3]), ["body[2]"]),
    (ignoring("body[1]", "body[2]"), asked([1, 2, 3]), asked([1]), []),
    (ignoring("body[2]", "body[1]"), asked([1, 2, 3]), asked([1]), []),
    (ignoring("body[0]"), asked([1]), asked([]), []),
    (ignoring("body[0]"), asked({"0": 1}), asked({"0": 2}), ["body.0"]),
    (ignoring("body[0]"), asked([[1]]), asked({}), ["body"]),
    (ignoring("body[0][1]"), asked([[1, 2], 3]), asked([[1], 3]), []),
    (ignoring("body.messages[*].id"), chat(), chat(messages=[{"content": "a"}, {"id": 3, "content": "b"}]), []),
    (ignoring("body.messages[0].id"), chat(), chat(messages=[{"content": "a"}, {}]), [
        "body.messages[1].id",
        "body.messages[1].content",
    ]),
    (ignoring("body.messages[*]"), chat(), chat(messages=[]), []),
    # wildcards
    (ignoring("body.*"), asked({"a": 1}), asked({"b": 1}), []),
    (ignoring("body.*.id"), asked({"a": {"id": 1}, "b": [1]}), asked({"a": {"id": 2}, "b": [1]}), []),
    (ignoring("body[*]"), asked({"a": 1}), asked({}), []),
    (ignoring("body.**.id"), asked({"id": 1, "a": [{"id": 1, "b": {"id": 1}}]}), asked({"a": [{"b": {"id": 2}}]}), []),
    (ignoring("body.a.**.id"), asked({"id": 1, "a": {"id": 1}}), asked({"id": 2, "a": {}}), ["body.id"]),
    (ignoring("body.**[0]"), asked([[1, 2], 3]), asked([9, 3]), []),
    (ignoring("body.**"), asked({"a": 1}), asked([2]), []),
    (ignoring("body.**"), asked(b"{"), asked(b"["), []),
    # the body as a whole, whatever its form
    (ignoring("body"), asked({"a": 1}), asked(b""), []),
    (ignoring("body"), asked("a"), asked(b"{"), []),
    (ignoring("body"), LARGE, replace(LARGE, body=FileBody("f", 1, "d")), []),
    (ignoring("body"), asked({"a": 1}, "/v1/y"), asked(b""), ["path"]),
    (ignoring("body.x"), LARGE, replace(LARGE, body=LARGE.body + b" "), ["body"]),
    (ignoring("body.a"), asked(b'{"a":1,"a":2}'), asked(b'{"a":1,"a":3}'), ["body"]),
    # forms, queries, headers
    (ignoring("body.a"), form(b"a=1&b=2&a=3"), form(b"b=2"), []),
    (ignoring("body['c[d]']"), form(b"c[d]=1"), form(b"c%5Bd%5D=2"), []),
    (ignoring("body.a"), form(b"a=1&b=2"), form(b"b=3"), ["body.b"]),
    (ignoring("body.a[0]"), form(b"a=1"), form(b"a=2"), ["body.a"]),
    (ignoring("body.*"), form(b"a=1"), form(b"&"), []),
    (ignoring("query.nonce"), asked(target="/?nonce=1&a=1"), asked(target="/?a=1"), []),
    (ignoring("query.nonce"), asked(target="/?nonce=1&a=1"), asked(target="/?a=2"), ["query.a"]),
    (ignoring("query.*"), asked(target="/?a=1"), asked(target="/"), []),
    (ignoring("query['i[]']"), asked(target="/?i[]=1"), asked(target="/?i[]=2"), []),
    (ignoring("header.openai-beta"), asked(openai_beta="a"), asked(), []),
    (ignoring("header.OpenAI-Beta"), asked(openai_beta="a"), asked(openai_beta="b"), []),
    (ignoring("header.*"), asked(openai_beta="a"), asked(), []),
    (ignoring("header.content-type"), asked(b"a", media="text/plain"), asked(b"a", media="text/html"), []),
    # parts
    (ignoring("body.parts[0].filename"), upload(part("1")), upload(part("1", filename="g")), []),
    (ignoring("body.parts[*].content"), upload(part("1"), part("2")), upload(part("3"), part("4")), []),
    (ignoring("body.parts[*].content"), upload(part("1")), upload(part("1", "other")), ["body.parts[0].name"]),
    (ignoring("body.parts[0].content-type"), upload(part("1")), upload(part("1", media="a/b")), []),
    (ignoring("body.parts[0].name"), upload(part("1")), upload(part("1", "x"), part("2")), ["body.parts[1]"]),
    (ignoring("body.parts[1]"), upload(part("1")), upload(part("1"), part("2")), []),
    (ignoring("body.parts[1]"), upload(part("1"), part("2"), part("3")), upload(part("1")), ["body.parts[2]"]),
    (ignoring("body.parts"), upload(part("1")), upload(), []),
    (ignoring("body.**"), upload(part("1")), upload(), []),
    # headers that count besides
    (MatchRules.of(also=["header.x-tenant"]), asked(x_tenant="1"), asked(x_tenant="2"), ["header.x-tenant"]),
    (MatchRules.of(also=["header.X-Tenant"]), asked(x_tenant="1"), asked(), ["header.x-tenant"]),
    (MatchRules.of(also=["header.x-tenant"]), asked(x_other="1"), asked(), []),
    (MatchRules.of(also=["header.x-a"], ignore=["header.x-a"]), asked(x_a="1"), asked(), []),
    (ignoring("header.x-a").plus(MatchRules.of(also=["header.x-a"])), asked(x_a="1"), asked(), ["header.x-a"]),
    (ignoring("header.*").plus(MatchRules.of(also=["header.openai-beta"])), asked(openai_beta="1"), asked(), [
        "header.openai-beta"
    ]),
    # masks
    (masking("body.model", "[0-9]+"), chat(model="on 1 or 2"), chat(model="on 33 or 4"), []),
    (masking("body.model", "[0-9]+"), chat(model="on 1"), chat(model="in 1"), ["body.model"]),
    (masking("body.model", "[0-9]"), chat(model="1"), chat(model="22"), ["body.model"]),
    (masking("body.model", "[0-9]+"), chat(model="1"), chat(model=1), ["body.model"]),
    (masking("body.model", "[0-9]+"), chat(model=1), chat(model=2), ["body.model"]),
    (masking("body.messages[*].x", "[ab]"), chat(messages=[{"x": "a"}, 1]), chat(messages=[{"x": "b"}, 1]), []),
    (masking("body.messages", "[0-9]"), chat(), chat(messages=[]), ["body.messages[0]", "body.messages[1]"]),
    (masking("body.**", "[0-9]"), asked({"a": ["1", {"b": "2"}]}), asked({"a": ["3", {"b": "4"}]}), []),
    (masking("body", "[0-9]"), asked("a1"), asked("a2"), []),
    (masking("body", "[0-9]"), asked({"a": "1"}), asked({"a": "2"}), ["body.a"]),
    (masking("body", "[0-9]+"), asked(b"\xff 1", media="text/plain"), asked(b"\xff 22", media="text/plain"), []),
    (masking("body", "[0-9]+"), asked(b"a 1", media="text/plain"), asked(b"b 1", media="text/plain"), ["body"]),
    (masking("body", "[0-9]+"), LARGE, replace(LARGE, body=LARGE.body + b" "), ["body"]),
    (masking("body.a", "[0-9]"), form(b"a=1&a=2&b=3"), form(b"a=4&a=5&b=3"), []),
    (masking("body.a", "[0-9]"), form(b"b=1"), form(b"b=2"), ["body.b"]),
    (masking("body.parts[*].content", "[0-9]+"), upload(part("at 1")), upload(part("at 22")), []),
    (masking("body.parts[*].filename", "[0-9]+"), upload(part("", filename="a1")), upload(part("", filename="a2")), []),
    (masking("query.at", "[0-9]+"), asked(target="/?at=1s&at=2s"), asked(target="/?at=3s&at=4s"), []),
    (masking("header.openai-beta", "v[0-9]"), asked(openai_beta="a=v1"), asked(OpenAI_Beta="a=v2"), []),
    (
        MatchRules.of(mask={"header.x-a": "[0-9]"}).plus(MatchRules.of(also=["header.x-a"])),
        asked(x_a="1"),
        asked(x_a="2"),
        [],
    ),
    (masking("path", "/v1/threads/[^/]+"), asked(target="/v1/threads/a/x?a"), asked(target="/v1/threads/b/x?a"), []),
    (masking("path", "/v1/threads/[^/]+"), asked(target="/v1/threads/a/x"), asked(target="/v1/threads/b/y"), ["path"]),
    (masking("path", "~+"), asked(target="/%7e"), asked(target="/~~"), []),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "one", "other", "paths"), CASES)
def test_rules_take_differences_away_and_no_more(
    rules: MatchRules, one: Request, other: Request, paths: list[str]
) -> None:
    """Of what differs, what a rule names does not count; what it does not name still does."""
    for first, second in ((one, other), (other, one)):
        assert [found.path for found in differences(first, second, rules)] == paths
    assert (identity(one, rules) == identity(other, rules)) == (not paths)


def test_rules_hold_in_their_scope_only() -> None:
    """The same change counts elsewhere."""
    rules = MatchRules.of(ignore=["body.n"], mask={"body.a": "[0-9]"}, scope=Scope("POST", "/v1/*"))
    one, other = asked({"n": 1, "a": "1"}), asked({"n": 2, "a": "2"})
    assert differences(one, other, rules) == ()
    outside = [replace(each, target="/v1/x/y") for each in (one, other)]
    assert [found.path for found in differences(outside[0], outside[1], rules)] == ["body.n", "body.a"]


def test_what_a_scope_lets_count_on_one_side_is_told_as_absent_on_the_other() -> None:
    """Two requests that different rules hold for may differ in what is ignored in one of them."""
    rules = MatchRules.of(ignore=["body[0]", "body.parts[0]"], scope=Scope(path="/v1/x"))
    there = [asked([1, 2]), replace(asked([3, 2]), target="/v1/y")]
    assert [(found.path, found.recorded) for found in differences(*there, rules)] == [
        ("path", "/v1/x"),
        ("body[0]", HOLE),
    ]
    shorter = [asked([1]), replace(asked([3]), target="/v1/y")]
    assert [(found.path, found.recorded) for found in differences(*shorter, rules)][1:] == [("body[0]", ABSENT)]
    parts = [upload(part("1"), part("2")), replace(upload(part("1"), part("2")), target="/v1/y")]
    assert [found.path for found in differences(*parts, rules)][1:] == [
        "body.parts[0].name",
        "body.parts[0].filename",
        "body.parts[0].content-type",
        "body.parts[0].content",
    ]


def test_values_are_told_as_they_were_compared() -> None:
    """A miss shows the mask, so nobody looks for the difference in what it covers; of a path it shows what came."""
    rules = MatchRules.of(mask={"body.a": "[0-9]+", "path": "[0-9]+"})
    (path, body) = differences(asked({"a": "1 x"}, "/1/x"), asked({"a": "2 y"}, "/2/y"), rules)
    assert (path.recorded, path.received) == ("/1/x", "/2/y")
    assert (body.recorded, body.received) == (f"{MASK} x", f"{MASK} y")


@pytest.mark.parametrize(
    ("rules", "request_", "touched"),
    [
        (ignoring("body.a", "body.b", "body.a"), asked({"a": 1}), {0}),
        (ignoring("body.a[*]", "body.a[0]"), asked({"a": [1]}), {0}),
        (ignoring("body", "body.a"), asked({"a": 1}), {0}),
        (ignoring("body.**", "body.a"), asked({"a": 1}), {0}),
        (ignoring("body"), asked(b""), set()),
        (ignoring("body.a", "query.a", "header.a"), asked({}), set()),
        (ignoring("query.a", "body.a"), replace(form(b"a=1"), target="/?a"), {0, 1}),
        (ignoring("header.x-a", "header.content-type"), asked(x_a="1"), {1}),
        (ignoring("body.parts[0].filename", "body.parts[1]"), upload(part("1")), {0}),
        (MatchRules.of(also=["header.x-a", "header.x-b"]), asked(x_a="1"), {0}),
        (MatchRules.of(mask={"body.a": "1", "body.b": "1", "path": "v1"}), asked({"a": "1", "b": "2"}), {0, 2}),
        (MatchRules.of(ignore=["body.a"], scope=Scope(method="GET")), asked({"a": 1}), set()),
    ],
)  # fmt: skip
def test_a_rule_is_touched_by_what_it_applies_to(rules: MatchRules, request_: Request, touched: set[int]) -> None:
    """Something was there to be ignored, added or masked, and no earlier rule had taken it."""
    assert identify(request_, rules).touched == touched


names = st.sampled_from(["a", "*", "b c", "0"])
leaves = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, 0.5, "", "a", "1"])
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
fields = st.lists(st.sampled_from(["a=1", "a=2", "b", "c[d]=%FF", "c[d]=1", "*=1"]), max_size=4).map("&".join)
parts = st.lists(st.sampled_from([part("1"), part("2"), part("1", "x", "y", "a/b"), "a: b\n\n1"]), max_size=3)
bodies = values.map(asked) | fields.map(lambda text: form(text.encode())) | parts.map(lambda some: upload(*some))
requests = st.builds(
    lambda body, query, beta: replace(body, target=f"/v1/x?{query}", headers=body.headers.plus(("openai-beta", beta))),
    bodies,
    fields,
    st.sampled_from(["a", "b"]),
)


@given(requests, requests)
def test_a_path_from_a_miss_is_a_rule_as_it_stands(one: Request, other: Request) -> None:
    """With each difference ignored by its very path, the requests match; and each of these rules is used."""
    found = differences(one, other)
    rules = ignoring(*(difference.path for difference in found))
    assert differences(one, other, rules) == ()
    assert identity(one, rules) == identity(other, rules)
    body = {place for place, rule in enumerate(rules.rules) if rule.path.steps == () and rule.path.root == "body"}
    touched = identify(one, rules).touched | identify(other, rules).touched
    assert rules.unused(touched) == () or body


@given(values, values)
def test_one_such_rule_takes_away_one_difference(one: Any, other: Any) -> None:
    """The rest is told as before."""
    found = differences(asked(one), asked(other))
    for difference in found:
        left = differences(asked(one), asked(other), ignoring(difference.path))
        assert [each.path for each in left] == [each.path for each in found if each.path != difference.path]


def test_headers_that_count_by_default() -> None:
    """The API's version, and the main type of the body."""
    assert IDENTITY_HEADERS == ("openai-beta", "content-type")
