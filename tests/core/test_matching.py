"""Which requests are the same, how they differ, and which comes nearest."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.cassette import Cassette, Interaction
from replayproxy.core.catalog import Operation
from replayproxy.core.key_line import SCHEME
from replayproxy.core.matching import (
    ABSENT,
    DIFFERENCES_LIMIT,
    MATCHERS,
    Difference,
    differences,
    identify,
    identity,
    nearest,
    scheme_of,
)
from replayproxy.core.messages import FileBody, Headers, Request, Response
from replayproxy.core.rules import MatchRules, Scope

VALUE = {
    "role": "user",
    "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}],
    "metadata": {"run_id": "1", "a.b": "x"},
    "n": 1,
}


def asked(
    value: object = VALUE, target: str = "/v1/threads/thread_1/messages?limit=2&order=asc", **more: str
) -> Request:
    """A JSON request; further headers by keyword."""
    headers = {"content-type": "application/json", "openai-beta": "assistants=v2"} | {
        name.replace("_", "-"): text for name, text in more.items()
    }
    return Request("POST", target, Headers(tuple(headers.items())), json.dumps(value).encode())


def recorded(requests: list[Request]) -> Cassette:
    """A cassette in which they were answered."""
    return Cassette(interactions=tuple(Interaction(request, Response(200)) for request in requests))


def uploaded(*parts: str, boundary: str = "b") -> Request:
    """A multipart request; each part is its head, a blank line and its content, with bare line feeds."""
    text = "".join(f"--{boundary}\n{part}\n" for part in parts) + f"--{boundary}--\n"
    headers = Headers.of(("content-type", f"multipart/form-data; boundary={boundary}"))
    return Request("POST", "/v1/files", headers, text.replace("\n", "\r\n").encode())


def posted(fields: bytes) -> Request:
    """A request with a URL-encoded form."""
    return Request("POST", "/f", Headers.of(("content-type", "application/x-www-form-urlencoded")), fields)


def text(body: bytes) -> Request:
    """A request with a text body."""
    return Request("POST", "/t", Headers.of(("content-type", "text/plain")), body)


def with_(path: str, value: object) -> Request:
    """The JSON request with one thing changed; `path` names it as keys and indexes with `/` between."""
    changed = json.loads(json.dumps(VALUE))
    *way, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    inside = changed
    for step in way:
        inside = inside[step]
    if value is ABSENT:
        del inside[last]
    else:
        inside[last] = value
    return asked(changed)


PART = 'Content-Disposition: form-data; name="file"; filename="f"\nContent-Type: text/plain\n\n1'
FORMS = b"a=1&b=2&b=3"

#: recorded, received, the paths that differ and the values on both sides
MUTATIONS = [
    (asked(), replace(asked(), method="PUT"), [("method", "POST", "PUT")]),
    (asked(), asked(target="/v1/x?limit=2&order=asc"), [("path", "/v1/threads/thread_1/messages", "/v1/x")]),
    (text(b"1"), replace(text(b"1"), target="/t/"), [("path", "/t", "/t/")]),
    (text(b"1"), replace(text(b"1"), target="//t"), [("path", "/t", "//t")]),
    (text(b"1"), replace(text(b"1"), target="/x/../t"), [("path", "/t", "/x/../t")]),
    (text(b"1"), replace(text(b"1"), target="/T"), [("path", "/t", "/T")]),
    (replace(text(b""), target="/a%2Fb"), replace(text(b""), target="/a/b"), [("path", "/a%2Fb", "/a/b")]),
    (replace(text(b""), target="/a%2541"), replace(text(b""), target="/a%41"), [("path", "/a%2541", "/a%41")]),
    (replace(text(b""), target="/?a=1"), replace(text(b""), target="/?a=2"), [("query.a", "1", "2")]),
    (replace(text(b""), target="/?a=1"), replace(text(b""), target="/"), [("query.a", "1", ABSENT)]),
    (replace(text(b""), target="/"), replace(text(b""), target="/?a"), [("query.a", ABSENT, "")]),
    (
        replace(text(b""), target="/?a=1&a=2"),
        replace(text(b""), target="/?a=2&a=1"),
        [("query.a", ("1", "2"), ("2", "1"))],
    ),
    (replace(text(b""), target="/?a=%FF"), replace(text(b""), target="/?a=%FE"), [("query.a", "\udcff", "\udcfe")]),
    (replace(text(b""), target="/?i[]=1"), replace(text(b""), target="/?i[]=2"), [("query['i[]']", "1", "2")]),
    (asked(), asked(openai_beta="assistants=v1"), [("header.openai-beta", "assistants=v2", "assistants=v1")]),
    (
        asked(),
        replace(asked(), headers=asked().headers.without(["openai-beta"])),
        [("header.openai-beta", "assistants=v2", ABSENT)],
    ),
    (text(b"1"), replace(text(b"1"), headers=Headers()), [("header.content-type", "text/plain", ABSENT)]),
    (
        text(b"1"),
        replace(text(b"1"), headers=Headers.of(("content-type", "text/html"))),
        [("header.content-type", "text/plain", "text/html")],
    ),
    (asked(), with_("role", "assistant"), [("body.role", "user", "assistant")]),
    (asked(), with_("role", ABSENT), [("body.role", "user", ABSENT)]),
    (asked(), with_("role", None), [("body.role", "user", None)]),
    (asked(), with_("new", [1]), [("body.new", ABSENT, [1])]),
    (asked(), with_("new", None), [("body.new", ABSENT, None)]),
    (asked(), with_("n", True), [("body.n", 1, True)]),
    (asked(), with_("n", "1"), [("body.n", 1, "1")]),
    (asked(), with_("n", 1.5), [("body.n", 1, 1.5)]),
    (asked(), with_("metadata/run_id", "2"), [("body.metadata.run_id", "1", "2")]),
    (asked(), with_("metadata/a.b", "y"), [("body.metadata['a.b']", "x", "y")]),
    (asked(), with_("metadata/", "y"), [("body.metadata['']", ABSENT, "y")]),
    (asked(), with_("metadata/it's \"\n", 1), [("body.metadata['it\\'s \"\\n']", ABSENT, 1)]),
    (asked(), with_("metadata", []), [("body.metadata", VALUE["metadata"], [])]),
    (asked(), with_("content/1/text", "you"), [("body.content[1].text", "there", "you")]),
    (asked(), with_("content/1", ABSENT), [("body.content[1]", {"type": "text", "text": "there"}, ABSENT)]),
    (asked([1]), asked([1, 2]), [("body[1]", ABSENT, 2)]),
    (asked("a"), asked("b"), [("body", "a", "b")]),
    (asked(), replace(asked(), body=b""), [("body", asked().body, ABSENT)]),
    (asked(), replace(asked(), body=b"{"), [("body", asked().body, b"{")]),
    (text(b"1"), text(b"2"), [("body", b"1", b"2")]),
    (text(b"1"), text(b""), [("body", b"1", ABSENT)]),
    (
        replace(text(b""), body=FileBody("f", 1, "d")),
        replace(text(b""), body=FileBody("f", 1, "e")),
        [("body", FileBody("f", 1, "d"), FileBody("f", 1, "e"))],
    ),
    (posted(FORMS), posted(b"a=2&b=2&b=3"), [("body.a", "1", "2")]),
    (posted(FORMS), posted(b"a=1&b=3&b=2"), [("body.b", ("2", "3"), ("3", "2"))]),
    (posted(FORMS), posted(FORMS + b"&c[d]=4"), [("body['c[d]']", ABSENT, "4")]),
    (
        uploaded(PART),
        uploaded(PART.replace("file;", "g;").replace('"file"', '"g"')),
        [("body.parts[0].name", "file", "g")],
    ),
    (uploaded(PART), uploaded(PART.replace('"f"', '"g"')), [("body.parts[0].filename", "f", "g")]),
    (uploaded(PART), uploaded(PART.replace('; filename="f"', "")), [("body.parts[0].filename", "f", ABSENT)]),
    (uploaded(PART), uploaded(PART.replace('; name="file"', "")), [("body.parts[0].name", "file", ABSENT)]),
    (
        uploaded(PART),
        uploaded(PART.replace("text/plain", "text/html")),
        [("body.parts[0].content-type", "text/plain", "text/html")],
    ),
    (
        uploaded(PART),
        uploaded(PART.replace("\nContent-Type: text/plain", "")),
        [("body.parts[0].content-type", "text/plain", ABSENT)],
    ),
    (uploaded(PART), uploaded(PART + "2"), [("body.parts[0].content", b"1", b"12")]),
    (
        uploaded(PART),
        uploaded(PART, PART),
        [("body.parts[1]", ABSENT, {"name": "file", "filename": "f", "content-type": "text/plain", "size": 1})],
    ),
    (uploaded("a: b\n\n123"), uploaded(), [("body.parts[0]", {"size": 3}, ABSENT)]),
]


@pytest.mark.parametrize(("recorded", "received", "expected"), MUTATIONS)
def test_each_part_of_the_identity_counts(
    recorded: Request, received: Request, expected: list[tuple[str, object, object]]
) -> None:
    """One change makes another request, and the difference names exactly it."""
    assert identity(recorded) != identity(received)
    assert differences(recorded, received) == tuple(Difference(*row) for row in expected)
    assert differences(received, recorded) == tuple(Difference(path, new, old) for path, old, new in expected)


NOISE = {
    "User-Agent": "OpenAI/Python 9",
    "X-Stainless-Retry-Count": "3",
    "Authorization": "Bearer other",
    "Accept-Encoding": "br",
    "Accept": "*/*",
    "Host": "elsewhere",
    "Content-Length": "9",
    "Cookie": "__cf_bm=1",
    "OpenAI-Organization": "org-x",
    "Idempotency-Key": "1",
}


@pytest.mark.parametrize(
    ("recorded", "received"),
    [
        (asked(), replace(asked(), body=json.dumps(dict(reversed(VALUE.items())), indent=2).encode())),
        (asked(), with_("n", 1.0)),
        (asked(), asked(**NOISE)),
        (asked(), asked(content_type="Application/JSON; charset=utf-8")),
        (asked(), asked(openai_beta=" assistants=v2\t")),
        (asked(), replace(asked(), headers=Headers(tuple(reversed(asked().headers.pairs))))),
        (
            asked(openai_beta="a, b"),
            replace(
                asked(),
                headers=Headers.of(("content-type", "application/json"), ("OpenAI-Beta", "a"), ("openai-beta", "b")),
            ),
        ),
        (replace(text(b""), target="/?a=1&b=2"), replace(text(b""), target="/?b=2&a=1")),
        (replace(text(b""), target="/?a=b+c"), replace(text(b""), target="/?a=b%20c")),
        (replace(text(b""), target="/?a=%7e"), replace(text(b""), target="/?%61=~")),
        (replace(text(b""), target="/?"), replace(text(b""), target="/")),
        (replace(text(b""), target="/%7Ea%2d%c3%a9%2f"), replace(text(b""), target="/~a-%C3%A9%2F")),
        (replace(text(b""), target="/100%/%zz"), replace(text(b""), target="/100%/%zz")),
        (posted(FORMS), posted(b"b=2&a=%31&b=3")),
        (uploaded(PART), uploaded(PART, boundary="another")),
    ],
)
def test_what_does_not_count(recorded: Request, received: Request) -> None:
    """Spelling, order and header noise make no other request."""
    assert differences(recorded, received) == ()
    assert identity(recorded) == identity(received)


def test_an_identity_is_a_short_digest() -> None:
    """16 bytes, whatever the size of the request; the matchers tell differences in a fixed order."""
    assert len(identity(asked())) == 16
    assert list(MATCHERS) == ["method", "path", "query", "headers", "body"]


PINNED = [
    (asked(), "12bba53ffb7e544d16ad3b31103512a6"),
    (Request("GET", "/v1/models?limit=2&order=asc"), "9f4d3765f5636c9e1fbf77ac2b16af9d"),
    (uploaded(PART), "1e5e78fc4d5653491983896f44781df2"),
    (posted(FORMS), "c22e447465ef4a3d41d7595f55f4b8ad"),
    (text(b"1"), "b5c66d657cad5a000484f511f857f2bf"),
    (
        replace(asked(), body=b'{"n":1.0,"t":[1e3,0.5,-0.0,10000000000000000],"s":"\\u00e9\xc3\xa9"}'),
        "c5ccb53653d1821279e57155b2a5cad2",
    ),
    (replace(asked(), body=b'{"a":1,"a":1}'), "28fb867be98434fd4533d4b760ead723"),
    (replace(text(b""), body=FileBody("f", 1, "d")), "229de91f54a182490c66c89998453d28"),
]


@pytest.mark.parametrize(("request_", "expected"), PINNED)
def test_identities_stay_what_they_are(request_: Request, expected: str) -> None:
    """Cassettes hold them. Whoever has to change one raises the version of `scheme_of`, and pins the new ones here."""
    assert (scheme_of(MatchRules()), identity(request_).hex()) == ("1", expected)


def test_a_scheme_names_the_rules_that_identities_depend_on() -> None:
    """Other rules, another order or scope: another scheme. None for rules that depend on the catalog."""
    get = Scope("GET", "/v1/*")
    rules = [
        MatchRules.of(ignore=["body.a"]),
        MatchRules.of(ignore=["body.b"]),
        MatchRules.of(ignore=["body.a", "body.b"]),
        MatchRules.of(ignore=["body.b", "body.a"]),
        MatchRules.of(also=["header.x"]),
        MatchRules.of(ignore=["header.x"]),
        MatchRules.of(mask={"body.a": "x"}),
        MatchRules.of(mask={"body.a": "y"}),
        MatchRules.of(ignore=["body.a"], scope=get),
        MatchRules.of(ignore=["body.a"], scope=Scope("GET")),
        MatchRules.of(ignore=["body.a"], scope=Scope(path="/v1/*")),
    ]
    schemes = [scheme_of(each) for each in rules]
    assert len(set(schemes)) == len(rules)
    assert all(re.fullmatch(SCHEME, scheme) and scheme != scheme_of(MatchRules()) for scheme in schemes)
    assert scheme_of(MatchRules.of(ignore=["body.a"])) == schemes[0]
    for scope in (Scope(operation="createMessage"), Scope(family="chat")):
        assert scheme_of(rules[0].plus(MatchRules.of(ignore=["body.a"], scope=scope))) == ""


def test_rules_are_part_of_all_three_questions() -> None:
    """Identity, differences and nearest know them; which of them applied is told with the identity."""
    rules = MatchRules.of(ignore=["body.metadata.run_id", "body.nothing"], mask={"path": "thread_[0-9]+"})
    one, other = with_("metadata/run_id", "1"), with_("metadata/run_id", "2")
    other = replace(other, target=other.target.replace("thread_1", "thread_2"))
    assert identity(one) != identity(other)
    assert identity(one, rules) == identity(other, rules)
    assert identify(one, rules) == (identity(one, rules), {0, 2})
    assert identify(one) == (identity(one), frozenset())
    assert differences(one, other, rules) == ()
    found = nearest(other, recorded([with_("role", "x"), one]), rules=rules)
    assert [(near.index, len(near.differences)) for near in found] == [(1, 0), (0, 1)]


def test_the_operation_is_asked_for_when_a_scope_names_one() -> None:
    """And only then: to find it out costs something."""
    rules = MatchRules.of(ignore=["body.n"], scope=Scope(operation="createMessage"))

    def operation_of(request: Request) -> Operation:
        id_ = "createMessage" if request.path.endswith("/messages") else "createRun"
        return Operation(id_, "POST", request.path, "threads")

    def never(_: Request) -> Operation:
        raise AssertionError

    one, other = with_("n", 2), with_("n", 3)
    assert differences(one, other, rules, operation_of) == ()
    assert identity(one, rules, operation_of) == identity(other, rules, operation_of)
    assert nearest(one, recorded([other]), rules=rules, operation_of=operation_of)[0].differences == ()
    assert differences(one, other, rules) == (Difference("body.n", 2, 3),)
    elsewhere = [replace(request, target="/v1/threads/thread_1/runs") for request in (one, other)]
    assert [found.path for found in differences(*elsewhere, rules, operation_of)] == ["body.n"]
    assert identity(one, MatchRules.of(ignore=["body.x"]), never) == identity(one)


def test_rules_change_no_identity_that_they_do_not_touch() -> None:
    """Under rules that find nothing, a request is what it is without."""
    rules = MatchRules.of(ignore=["body.x", "query.x", "header.x"], also=["header.y"], mask={"body.role": "[0-9]+"})
    for request in (asked(), uploaded(PART), posted(FORMS), text(b"1"), replace(asked(), body=FileBody("f", 1, "d"))):
        assert identify(request, rules) == (identity(request), frozenset())


def test_absence_reads_well() -> None:
    """The sentinel is not None, which is JSON's null."""
    assert repr(ABSENT) == "<absent>"


def test_the_number_of_differences_is_bounded() -> None:
    """Bodies that differ everywhere do not make an endless report."""
    found = differences(asked([0] * 10_000), asked([1] * 10_000))
    assert len(found) == DIFFERENCES_LIMIT
    assert found[-1] == Difference(f"body[{DIFFERENCES_LIMIT - 1}]", 0, 1)


def test_the_deepest_json_is_compared() -> None:
    """254 levels are read, and walked without running out of stack."""
    deep = [asked(), asked()]
    for index, leaf in enumerate((b"1.0", b"2.0")):
        deep[index] = replace(asked(), body=b"[" * 254 + leaf + b"]" * 254)
    assert differences(*deep) == (Difference("body" + "[0]" * 254, 1.0, 2.0),)


leaves = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, 0.5, -0.0, 1e16, 10**16, 2**63, 2.0**63])
)
values = st.recursive(
    leaves | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab."), inner, max_size=3),
    max_leaves=6,
)
bodies = (
    values.map(lambda value: json.dumps(value).encode())
    | st.sampled_from([b"", b"{", b'{"a":1,"a":1}', b"NaN", FileBody("f", 1, "d"), FileBody("g", 1, "e")])
    | st.lists(st.sampled_from([b"a=1", b"a=2", b"b", b"b=", b"%61=1"]), max_size=4).map(b"&".join)
    | st.lists(st.sampled_from([PART, PART + "2", PART.replace('"f"', '""'), "a: b\n\n1"]), max_size=3).map(
        lambda parts: uploaded(*parts).body
    )
)
media = ["application/json", "application/json; charset=x", "text/plain", "application/x-www-form-urlencoded"]
headers = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "Content-Type"]), st.sampled_from([*media, "multipart/form-data; boundary=b"])
    )
    | st.tuples(st.sampled_from(["openai-beta", "x-noise"]), st.sampled_from(["", "a", " a", "b"])),
    max_size=3,
).map(lambda pairs: Headers(tuple(pairs)))
targets = st.sampled_from(
    [
        "/a",
        "/%61",
        "/b",
        "/a%2fb",
        "/a%2Fb",
        "/a/b",
        "/a?",
        "/a?x=1&y",
        "/a?y=&x=1",
        "/a?x=1&x=2",
        "/a?x=2&x=1",
        "/a?%FF",
    ]
)
requests = st.builds(Request, st.sampled_from(["GET", "POST"]), targets, headers, bodies)


@given(requests, requests, st.data())
def test_differences_are_empty_exactly_when_identities_are_equal(
    one: Request, other: Request, data: st.DataObject
) -> None:
    """Both are answered from one reading, so a miss always has a reason and a hit never has one."""
    for part in data.draw(st.sets(st.sampled_from(["method", "target", "headers", "body"]))):
        other = replace(other, **{part: getattr(one, part)})
    found = differences(one, other)
    assert (found == ()) == (identity(one) == identity(other))
    assert all(difference.recorded != difference.received or _typed(difference) for difference in found)


def rules_of(scope: Scope) -> st.SearchStrategy[MatchRules]:
    """A few rules of every kind."""
    paths = ["query.x", "query.*", "header.openai-beta", "header.*", "body", "body.a", "body.*", "body[0]", "body[*]"]
    paths += ["body[1]", "body.*.a", "body.a[0]", "body.**.b", "body.**", "body['.'][*]", "body[*][0]"]
    paths += [
        "body.parts[0]",
        "body.parts[*].content",
        "body.parts[1].name",
        "body.parts",
        "body.parts[*].content-type",
    ]
    masks = st.dictionaries(st.sampled_from([*paths, "path"]), st.sampled_from(["[a-z]+", "1", "%61|b", "[^/]$"]))
    return st.builds(
        lambda ignore, also, mask: MatchRules.of(ignore=ignore, also=also, mask=mask, scope=scope),
        st.lists(st.sampled_from(paths), max_size=3),
        st.lists(st.sampled_from(["header.x-noise", "header.content-type"]), max_size=1),
        masks,
    )


scopes = st.builds(Scope, st.sampled_from(["", "GET"]), st.sampled_from(["", "/*", "/a%2fb", "/**"]))


@given(requests, requests, st.lists(scopes.flatmap(rules_of), min_size=1, max_size=3), st.data())
def test_they_are_under_any_rules(one: Request, other: Request, rules: list[MatchRules], data: st.DataObject) -> None:
    """With rules, masks and scopes too; and where no header is added, rules only ever make more requests equal."""
    for part in data.draw(st.sets(st.sampled_from(["method", "target", "headers", "body"]))):
        other = replace(other, **{part: getattr(one, part)})
    together = MatchRules().plus(rules[0])
    for more in rules[1:]:
        together = together.plus(more)
    found = differences(one, other, together)
    assert (found == ()) == (identity(one, together) == identity(other, together))
    if identity(one) == identity(other) and not any(rule.act == "also" for rule in together.rules):
        assert found == ()


def _typed(difference: Difference) -> bool:
    """Equal for Python, not for JSON: `1` and `true`; or the same bytes under another media type."""
    return type(difference.recorded) is not type(difference.received) or difference.path == "body"


def chat(content: str, target: str = "/v1/chat/completions", method: str = "POST") -> Request:
    """A chat request."""
    return replace(asked({"model": "gpt", "messages": [{"role": "user", "content": content}]}, target), method=method)


def test_the_nearest_has_the_fewest_differences() -> None:
    """Best first, no more than asked for."""
    candidates = [
        with_("n", 2),
        asked({"other": 1}),
        with_("role", "x"),
        asked(),
        replace(with_("role", "y"), body=b""),
    ]
    found = nearest(asked(), recorded(candidates))
    assert [near.index for near in found] == [3, 0, 2]
    assert [near.differences for near in found] == [
        (),
        (Difference("body.n", 2, 1),),
        (Difference("body.role", "x", "user"),),
    ]
    assert len(nearest(asked(), recorded(candidates), limit=10)) == 5
    assert nearest(asked(), Cassette()) == ()


def test_of_equals_the_more_similar_and_then_the_earlier_comes_first() -> None:
    """One word in a text counts as one difference, however long; what the bodies have in common decides."""
    candidates = [chat("Something else"), chat("How do planes fly today?"), chat("How do planes fly today?")]
    assert [near.index for near in nearest(chat("How do planes fly?"), recorded(candidates))] == [1, 2, 0]


def test_method_and_path_come_first() -> None:
    """The same path, then one with another id, then another method, then other paths, however the bodies differ."""
    target = "/v1/threads/thread_abc123/messages"
    candidates = [
        chat("a", "/v1/chat/completions"),
        chat("a", target, "PUT"),
        chat("a", "/v1/threads/thread_XYZ789/messages"),
        chat("other", target.replace("m", "%6d")),
        chat("a", "/v1/threads/thread_abc123/runs"),
    ]
    assert [near.index for near in nearest(chat("a", target), recorded(candidates), limit=5)] == [3, 2, 1, 4, 0]


def test_among_very_many_the_most_similar_is_found() -> None:
    """Only some are compared in full, and one that differs in a word is among them."""
    candidates = [chat(f"Question {number}: {'?' * (number % 7)}") for number in range(3_000)]
    asked_now = chat("Question 2995: !!!!!!")
    candidates[2_995] = chat("Question 2995: ??????")
    assert [near.index for near in nearest(asked_now, recorded(candidates), limit=1)] == [2_995]


def test_large_bodies_do_not_make_the_search_long() -> None:
    """After some megabytes no more candidates are compared, but as many as were asked for are."""
    large = replace(chat("a"), body=b'{"a":"' + b"x" * (PARSE_LIMIT - 20) + b'"}')
    candidates = [large, large, large, chat("b"), replace(large, body=FileBody("f", 2 * PARSE_LIMIT, "d"))]
    found = nearest(replace(large, body=large.body[:-2] + b'y"}'), recorded(candidates), limit=1)
    assert [near.index for near in found] == [0]
    assert len(nearest(large, recorded(candidates), limit=5)) == 5
