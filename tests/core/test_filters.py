from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.filters import FILTER_KEYS, KEYS, parse_filter
from replayproxy.errors import ConfigError

EXCHANGE: dict[str, Any] = {
    "number": 12,
    "session": "checkout",
    "arrived": "2026-11-22T16:00:01.123Z",
    "method": "POST",
    "target": "/v1/threads/thread_1/messages?limit=2",
    "operation": "createMessage",
    "family": "threads",
    "outcome": "missed",
    "status": 424,
    "interaction": None,
    "first_byte": 0.25,
    "seconds": 1.5,
    "sent": 120,
    "received": 20_000,
    "stream": False,
    "model": "gpt-4o-mini",
    "tokens": {"input": 12, "cached": 0, "output": 30, "reasoning": 0, "total": 42},
    "problems": 1,
    "warnings": 0,
    "note": "no recording answers it",
    "cassette": "cassettes/shop/checkout.yaml",
}
LIVE: dict[str, Any] = {
    "number": 13,
    "session": "default",
    "method": "GET",
    "target": "/v1/models",
    "operation": None,
    "family": None,
    "outcome": "under_way",
    "status": 0,
    "interaction": 3,
    "first_byte": None,
    "seconds": None,
    "sent": 0,
    "received": None,
    "stream": True,
    "model": None,
    "tokens": None,
    "problems": 0,
    "warnings": 1,
    "note": "",
    "cassette": "",
}
REQUEST = 'POST /v1/threads HTTP/1.1\nx-trace: Abc\n\n{"content": "Where is my \\"parcel\\"? \\u00e9t\\u00e9"}'
RESPONSE = 'HTTP/1.1 424 Failed\nx-request-id: req_77\n\n{"error": {"message": "Nothing recorded: été"}}'


def matches(text: str, summary: dict[str, Any] = EXCHANGE) -> bool:
    return parse_filter(text).matches(summary, lambda: (REQUEST, RESPONSE))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \t ",
        "outcome:missed",
        "outcome:miss",
        "OUTCOME:Miss",
        "outcome:hit,miss",
        "outcome:error",
        "operation:createMessage",
        "operation:createmessage",
        "operation:create*",
        "op:*message",
        "operation~message",
        "family:threads",
        "family:runs,threads",
        "family:runs,'threads'",
        "status:424",
        "status:4xx",
        "status:4XX,5xx",
        "status:>=400",
        "status:=424",
        "session:checkout",
        "session:check*",
        "method:post",
        "path:/v1/threads/*",
        "path:/v1/threads/thread_1/messages",
        "path:/v1/threads/thread_1/messages?limit=2",
        "target:*/thread_*/messages*",
        "path:*",
        "path:**threads**",
        "path~thread_1",
        "model:gpt-4o*",
        "cassette:checkout.yaml",
        "cassette:checkout",
        "cassette:shop/checkout.yaml",
        "cassette:cassettes/*",
        "cassette~shop",
        "is:miss",
        "is:error",
        "is:invalid",
        "is:problem",
        "number:12",
        "n:>=12",
        "number:<=12",
        "seconds:>1",
        "time:>1500ms,=1.5s",
        "took:<2",
        "first_byte:>0.2",
        "first-byte:>200ms",
        "ttfb:250ms",
        "sent:<1k",
        "size:>10k",
        "received:20kB",
        "tokens:>=42",
        "input:12",
        "output:>0.02k",
        "problems:>0",
        "note~recording",
        "note~'no recording'",
        'body~"nothing recorded"',
        'body~"my \\"parcel\\""',
        "body~parcel",
        "body~été",
        "request~x-trace",
        "request~parcel",
        "response~req_77",
        "response~nothing",
        "header~req_77",
        "headers~x-trace:",
        'header~"x-trace: abc"',
        "Parcel",
        "'Where is'",
        "thread_1",
        "createmess",
        '"recording answers"',
        '-"not there"',
        "-family:runs",
        "-outcome:hit -is:stream",
        "family:threads status:4xx parcel",
        "  family:threads\tstatus:4xx\n",
        '"\\"parcel\\"?"',
        "limit=2",
    ],
)
def test_filter_takes_an_exchange(text: str) -> None:
    """Each of these fits the exchange."""
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "outcome:hit",
        "-outcome:miss",
        "operation:create",
        "operation:*Run",
        "path:/v1/*/runs*",
        "family:runs",
        "family:run*,files",
        "status:2xx",
        "status:<400",
        "status:none",
        "status:>424",
        "session:default",
        "method:get",
        "path:/v1/threads",
        "model:gpt-4o",
        "cassette:shop",
        "is:stream",
        "is:live",
        "is:hit",
        "number:1",
        "number:>12",
        "interaction:3",
        "seconds:<1.5",
        "first_byte:>500ms",
        "size:<10k",
        "tokens:<42",
        "input:>1k",
        "problems:0",
        "note~recorded",
        "body~req_77",
        "body~Abc",
        "request~nothing",
        "response~parcel",
        "header~parcel",
        "req_77",
        "'Where is it'",
        "-parcel",
        "family:threads status:2xx",
    ],
)
def test_filter_leaves_an_exchange_out(text: str) -> None:
    """None of these fits the exchange."""
    assert not matches(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("is:live", True),
        ("outcome:live", True),
        ("outcome:under-way", True),
        ("is:stream", True),
        ("is:problem", True),
        ("is:invalid", False),
        ("is:error", False),
        ("interaction:3", True),
        ("seconds:<100", False),
        ("-seconds:>1", True),
        ("received:>=0", False),
        ("tokens:>=0", False),
        ("status:<400", False),
        ("status:none", True),
        ("status:0", True),
        ("status:2xx", False),
        ("model:*", False),
        ("-model:*", True),
        ("cassette:*", False),
        ("note~a", False),
        ("models", True),
    ],
)
def test_what_is_not_known_yet_fits_no_value(text: str, *, wanted: bool) -> None:
    """An exchange under way has no status, time or tokens: no comparison fits it, and a negated one does."""
    assert matches(text, LIVE) is wanted


def test_filter_of_fields_never_asks_for_bodies() -> None:
    """A filter says whether it needs bodies, and asks for them only when the summary has not decided already."""

    def never() -> tuple[str, str]:
        raise AssertionError

    assert not parse_filter("family:threads -is:stream").needs_bodies
    for text in ("body~x", "request~x", "header~x", "word", '-"two words"'):
        assert parse_filter(text).needs_bodies
    assert not parse_filter("parcel body~x family:runs").matches(EXCHANGE, never)
    assert parse_filter("thread_1").matches(EXCHANGE, never)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("familly:runs", ("filter, character 1, at `familly:runs`", "no key `familly`", "did you mean `family`?")),
        ("a zzzqqq:1", ("character 3,", "the keys are outcome, operation", 'quote it: `"zzzqqq:1"`')),
        ('zzzqqq:"1"', ("the keys are",)),
        ("outcome:mised", ("expected one of played,", "did you mean `missed`?")),
        ("outcome:zzzz", ("expected one of played,",)),
        ("is:streem", ("did you mean `stream`?",)),
        ("status:4x", ("expected a status (404), a class (4xx)",)),
        ("status:abc", ("expected a status",)),
        ("seconds:fast", ("expected a number", "with or without a unit (s, ms,", "as in `seconds:>1`")),
        ("seconds:>1kb", ("expected a number",)),
        ("number:1k", ("expected a number, alone or after >",)),
        ("number:>", ("expected a number",)),
        ("status:", ("`status:` needs a value, as in `status:4xx,>=500`",)),
        ("x status:404,", ("character 3,", "needs a value")),
        ('note~""', ("needs a value",)),
        ("body:text", ("looks for a part of a text: write `body~`",)),
        ("note:text", ("write `note~`",)),
        ("seconds~1", ("takes whole values: write `seconds:`",)),
        ('body~"text', ("character 6,", 'the closing " is missing')),
        ("'text", ("the closing ' is missing",)),
        ('""', ("nothing between the quotes",)),
        ("-", ("nothing follows the `-`",)),
        ("- x", ("nothing follows the `-`",)),
        ('"a"b', ("character 4,", "a blank is missing here")),
        ('model:gpt"4"', ("a blank is missing here",)),
        ("a OR b", ("joined by commas", 'quote it: `"OR"`')),
        ("a AND b", ("leave it out",)),
        ("NOT a", ("put `-` before a term",)),
    ],
)
def test_nonsense_is_refused_with_place_and_cure(text: str, told: tuple[str, ...]) -> None:
    """A filter that makes no sense is refused; the message names the place, what came nearest and what to write."""
    with pytest.raises(ConfigError) as refused:
        parse_filter(text)
    for each in told:
        assert each in str(refused.value)


def test_every_key_is_explained_by_an_example_that_works() -> None:
    """The table that help and docs show has a meaning, an example that parses, and only values that are taken."""
    assert [each["key"] for each in FILTER_KEYS] == list(KEYS)
    for each in FILTER_KEYS:
        assert each["meaning"]
        assert each["example"].startswith((each["key"] + ":", each["key"] + "~"))
        assert each["signs"]
        parse_filter(each["example"])
        for name in (each["key"], *each["aliases"]):
            for value in each["values"]:
                parse_filter(f"{name}:{value}")


TERMS = st.lists(
    st.sampled_from(
        [
            *KEYS,
            ":",
            "~",
            "-",
            ",",
            '"',
            "'",
            "\\",
            " ",
            "*",
            ">",
            "<=",
            "4xx",
            "9" * 400,
            "ms",
            "é",
            "\ud800",
            "\n",
            "OR",
        ]
    )
)


@given(st.one_of(st.text(), TERMS.map("".join)))
def test_any_text_is_a_filter_or_a_config_error(text: str) -> None:
    """Whatever is typed: a filter that can be asked, or a ConfigError."""
    told = ""
    try:
        found = parse_filter(text)
    except ConfigError as error:
        told, found = str(error), parse_filter("")
    assert told == "" or told.startswith("filter, character ")
    for summary in (EXCHANGE, LIVE, {}):
        assert found.matches(summary, lambda: (REQUEST, "")) in (True, False)


@given(st.text(min_size=1))
def test_quoted_text_is_found_whatever_it_is(text: str) -> None:
    """Any text can be looked for when its quotes and backslashes are escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for spelled in (f'"{escaped}"', f'body~"{escaped}"'):
        assert parse_filter(spelled).matches({}, lambda: ("", f"HTTP/1.1 200 OK\n\nbefore{text}after"))


def test_docs_have_the_keys_as_they_are() -> None:
    """docs/filters.md shows every key with its aliases, its meaning and its example."""
    told = (Path(__file__).parents[2] / "docs" / "filters.md").read_text()
    for key in KEYS.values():
        names = ", ".join(f"`{name}`" for name in (key.name, *key.aliases))
        assert f"| {names} | {key.meaning} | `{key.example}` |\n" in told
