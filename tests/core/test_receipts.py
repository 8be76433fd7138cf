"""Receipts for programs: JSON and JUnit XML."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.messages import plain
from replayproxy.core.receipt import Asked, Leftover, Receipt, ToldMiss
from replayproxy.core.receipts import junit_xml, receipt_json, receipts_json

MISS = ToldMiss(
    "no_match",
    "POST",
    "/v1/threads",
    "replayproxy no_match: no interaction in c.yaml answers POST /v1/threads.\n"
    "nearest: #1 (c.yaml:9) differs in body.a: recorded 1, received 2\nWhat to do: record again.",
)
PASSED = Receipt("playback", played=3, repeated=1, problems=2, name="a", cassette="a.yaml")
FAILED = Receipt(
    "playback",
    strict=True,
    played=1,
    missed=1,
    unplayed=(2, 5),
    name="b",
    cassette="b.yaml",
    misses=(MISS,),
    leftovers=(Leftover(2, "GET", "/v1/models", 31), Leftover(5, "GET", "/v1/files", 77)),
    unused_rules=("ignore body.x",),
    problems=1,
    warnings=2,
    asked=(Asked("createThread", "threads", 3, 1, 1), Asked("", "", 1, 0, 1)),
)
BROKEN = Receipt("playback", name="c", broken="c.yaml:3: not a cassette")


def test_a_receipt_as_json() -> None:
    """Every count and every detail has its field, and a program needs no text to be read."""
    assert receipt_json(FAILED) == {
        "name": "b",
        "cassette": "b.yaml",
        "mode": "playback",
        "strict": True,
        "passed": False,
        "failures": ["1 request(s) missed", "2 interaction(s) were never played"],
        "counts": {
            "played": 1,
            "repeated": 0,
            "missed": 1,
            "forwarded": 0,
            "saved": 0,
            "lost": 0,
            "problems": 1,
            "warnings": 2,
            "faulted": 0,
            "unplayed": 2,
        },
        "operations": [
            {"operation": "createThread", "family": "threads", "requests": 3, "problems": 1, "warnings": 1},
            {"operation": None, "family": None, "requests": 1, "problems": 0, "warnings": 1},
        ],
        "misses": [{"reason": "no_match", "method": "POST", "target": "/v1/threads", "message": MISS.message}],
        "unplayed": [
            {"number": 2, "method": "GET", "target": "/v1/models", "line": 31},
            {"number": 5, "method": "GET", "target": "/v1/files", "line": 77},
        ],
        "unused_rules": ["ignore body.x"],
        "error": None,
    }
    assert receipt_json(PASSED)["passed"] is True
    assert receipt_json(BROKEN)["error"] == "c.yaml:3: not a cassette"


def test_the_receipts_of_a_run_as_json() -> None:
    """One that failed fails the run; counts are summed up."""
    told = receipts_json([PASSED, FAILED])
    assert (told["passed"], [one["name"] for one in told["sessions"]]) == (False, ["a", "b"])
    assert (told["counts"]["played"], told["counts"]["missed"], told["counts"]["unplayed"]) == (4, 1, 2)
    assert receipts_json([PASSED])["passed"] is True


def test_junit_has_a_case_for_each_session() -> None:
    """In one suite; what failed says what missed, how it differs and what to do."""
    root = ET.fromstring(junit_xml([PASSED, FAILED, BROKEN], "2026-01-02T03:04:05+00:00"))
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert suite.attrib == {
        "name": "replayproxy",
        "tests": "3",
        "failures": "2",
        "errors": "0",
        "skipped": "0",
        "time": "0",
        "timestamp": "2026-01-02T03:04:05+00:00",
    }
    passed, failed, broken = suite
    assert (passed.get("classname"), passed.get("name")) == ("replayproxy.playback", "a")
    assert passed.find("failure") is None
    assert "3 played" in str(passed.findtext("system-out"))
    failure = failed.find("failure")
    assert failure is not None
    assert failure.get("message") == "1 request(s) missed; 2 interaction(s) were never played"
    for told in ("body.a: recorded 1, received 2", "record again.", "never played: #2 GET /v1/models (b.yaml:31)"):
        assert told in str(failure.text)
    assert "c.yaml:3: not a cassette" in str(broken.findtext("failure"))


#: What a JUnit reader knows: the attributes of each element (those that must be there first) and its children, as in
#: the schema of the xUnit plugin of Jenkins (junit-10.xsd).
JUNIT: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "disabled", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests"},
        {"failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"assertions", "time", "classname", "status"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


@pytest.mark.parametrize("receipts", [[], [PASSED], [FAILED, BROKEN], [Receipt("auto")]])
def test_junit_has_the_shape_that_its_readers_expect(receipts: list[Receipt]) -> None:
    """No element, attribute or nesting that the common schema does not know."""
    for element in ET.fromstring(junit_xml(receipts)).iter():
        needed, allowed, children = JUNIT[element.tag]
        assert needed <= element.attrib.keys() <= needed | allowed
        assert {child.tag for child in element} <= children


@given(st.text(st.characters(codec=None, exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_anything_may_stand_in_a_receipt(target: str, text: str) -> None:
    """Control characters, half characters and bytes that are no text harm neither form."""
    miss = ToldMiss("no_match", "GET", target, f"a {text}\n{target}")
    receipt = Receipt("playback", missed=1, name=text, cassette=target, misses=(miss,), broken=text)
    assert json.loads(json.dumps(receipts_json([receipt])).encode())["sessions"][0]["name"] == plain(text)
    assert ET.fromstring(junit_xml([receipt]))[0][0].find("failure") is not None


def test_control_characters_are_escaped_in_xml() -> None:
    """XML 1.0 has no way to write them; a reader sees which it was."""
    told = junit_xml([Receipt("auto", name="a\x00\x1b[31m\r\n\ud800\ufffe<&>")])
    assert ET.fromstring(told)[0][0].get("name") == "a\\x00\\x1b[31m\\r\n\\ud800\\ufffe<&>"
