"""Which tests pass, which fail, and what they are told: one run of an inner project that holds all the cases."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.pytest_plugin.inner import inner_project, recorded

pytest_plugins = ["pytester"]

TESTS = """
import unittest

import pytest
from app import ask


def test_plays(replay_session):
    assert ask(replay_session.base_url) == 200
    receipt = replay_session.receipt
    assert (receipt.played, receipt.missed, receipt.unplayed) == (1, 0, (2,))


def test_swallows(replay_session):
    ask(replay_session.base_url)
    ask(replay_session.base_url, "/models?limit=2")
    assert [told.reason for told in replay_session.receipt.misses] == ["no_match"]


async def test_swallows_in_async(replay_session):
    ask(replay_session.base_url, "/other")


def test_fails_by_itself(replay_session):
    assert ask(replay_session.base_url, "/other") == 200


def test_asks_nothing(replay_session):
    pass


@pytest.mark.replay(mode="passthrough")
def test_asks_nothing_and_need_not(replay_session):
    pass


def test_never_recorded(replay_session):
    ask(replay_session.base_url)


def test_skips(replay_session):
    pytest.skip("not today")


@pytest.mark.xfail
def test_expected_to_fail(replay_session):
    ask(replay_session.base_url, "/other")


@pytest.fixture
def cleaning(replay_session):
    yield
    ask(replay_session.base_url, "/models/cleaned")


def test_plays_in_teardown(cleaning, replay_session):
    ask(replay_session.base_url)


@pytest.fixture
def littering(replay_session):
    yield
    ask(replay_session.base_url, "/other")


def test_misses_in_teardown(littering, replay_session):
    ask(replay_session.base_url)


@pytest.fixture
def breaking(replay_session):
    assert ask(replay_session.base_url, "/other") == 200


def test_misses_in_setup(breaking):
    pass


def test_strays(replay_session, replayproxy):
    ask(replay_session.base_url)
    ask(replayproxy.url, "/v1/models")
    ask(replayproxy.url, "/@elsewhere/v1/models")


@pytest.mark.usefixtures("replay_env")
class TestUnit(unittest.TestCase):
    def asked(self, path):
        import os

        return ask(os.environ["OPENAI_BASE_URL"], path)

    def test_plays(self):
        self.assertEqual(self.asked("/models"), 200)

    def test_swallows(self):
        self.asked("/other")

    def test_fails_by_itself(self):
        self.assertEqual(self.asked("/other"), 200)

    def test_skips(self):
        self.skipTest("not today")


class TestAsync(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def session(self, replay_session):
        self.replay = replay_session

    async def test_plays(self):
        self.assertEqual(ask(self.replay.base_url), 200)

    async def test_swallows(self):
        ask(self.replay.base_url, "/other")


def test_of_something_else():
    pass
"""
#: In order: the letter that pytest shows for each test; a second one is for its teardown.
OUTCOMES = {
    "test_plays": "passed",
    "test_swallows": "failed",
    "test_swallows_in_async": "failed",
    "test_fails_by_itself": "failed",
    "test_asks_nothing": "failed",
    "test_asks_nothing_and_need_not": "passed",
    "test_never_recorded": "failed",
    "test_skips": "skipped",
    "test_expected_to_fail": "skipped",
    "test_plays_in_teardown": "passed",
    "test_misses_in_teardown": "error",
    "test_misses_in_setup": "error",
    "test_strays": "failed",
    "TestUnit.test_plays": "passed",
    "TestUnit.test_swallows": "failed",
    "TestUnit.test_fails_by_itself": "failed",
    "TestUnit.test_skips": "skipped",
    "TestAsync.test_plays": "passed",
    "TestAsync.test_swallows": "failed",
    "test_of_something_else": "passed",
}
#: Those that have a cassette: all but one.
RECORDED = [name for name in OUTCOMES if name != "test_never_recorded"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the only run leaves what it said: its output and its JUnit report."""
    return tmp_path_factory.mktemp("verdict")


@pytest.fixture
def cases(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, report: Path) -> dict[str, ET.Element]:
    """The test cases of JUnit's report, by name; the run is made once."""
    junit = report / "junit.xml"
    if not junit.exists():
        project = inner_project(pytester, monkeypatch)
        project.makepyfile(test_app=TESTS)
        for name in RECORDED:
            recorded(project.path / "cassettes" / "test_app" / f"{name}.yaml", "/v1/models", "/v1/models/cleaned")
        result = project.runpytest_subprocess(f"--junitxml={junit}", "-o", "junit_family=xunit1")
        (report / "output").write_text(result.stdout.str())
    found = {}
    for case in ET.parse(junit).getroot().iter("testcase"):
        classes = [part for part in str(case.get("classname")).split(".") if part.startswith("Test")]
        found[".".join([*classes, str(case.get("name"))])] = case
    return found


def text(case: ET.Element) -> str:
    """All that is said about a case, apart from its properties."""
    return "\n".join(f"{each.get('message')}\n{each.text}" for each in case if each.tag != "properties")


def outcome(case: ET.Element) -> str:
    """How a case ended."""
    tags = {each.tag for each in case}
    return next((word for tag, word in WORDS.items() if tag in tags), "passed")


WORDS = {"failure": "failed", "error": "error", "skipped": "skipped"}


def test_each_test_ends_as_it_should(cases: dict[str, ET.Element]) -> None:
    """A miss fails the test itself; it is an error only where it happened in a fixture."""
    assert {name: outcome(case) for name, case in cases.items()} == OUTCOMES


@pytest.mark.parametrize("name", ["test_swallows", "TestUnit.test_swallows", "TestAsync.test_swallows"])
def test_a_miss_that_was_swallowed_is_told(cases: dict[str, ET.Element], name: str) -> None:
    """What was asked, what came nearest, what differs, and how to record it again."""
    told = text(cases[name])
    assert "1 request(s) missed" in told
    assert re.search(r"no_match: no interaction in .*\.yaml answers GET /v1/", told)
    assert "nearest: #1 (cassettes/test_app/" in told
    assert f"pytest --replay-mode=record test_app.py::{name.replace('.', '::')}" in told
    assert "Traceback" not in told


def test_the_path_that_differs_is_told(cases: dict[str, ET.Element]) -> None:
    """In the grammar of the rules."""
    assert 'query.limit: recorded (absent), received "2"' in text(cases["test_swallows"])


@pytest.mark.parametrize("name", ["test_fails_by_itself", "TestUnit.test_fails_by_itself"])
def test_a_failure_of_its_own_comes_first(cases: dict[str, ET.Element], report: Path, name: str) -> None:
    """The misses stand in a section of their own below it, once."""
    failure = cases[name].find("failure")
    assert failure is not None
    assert "424" in str(failure.get("message"))
    output = (report / "output").read_text()
    headline = name.replace(".", r"\.")
    part = re.split(r"(?m)^_{3,} ", re.split(rf"(?m)^_+ {headline} _+$", output)[1])[0]
    assert part.index("424") < part.index(" replayproxy ---") < part.index("no_match")
    assert part.count("no_match") == 1


def test_nothing_played_is_told(cases: dict[str, ET.Element]) -> None:
    """A test that asks nothing would stay green for ever."""
    assert "nothing was played" in text(cases["test_asks_nothing"])
    assert "make sure that the app's base URL (OPENAI_BASE_URL)" in text(cases["test_asks_nothing"])


def test_a_missing_cassette_is_named(cases: dict[str, ET.Element]) -> None:
    """The file that was looked for, beside the test file."""
    assert "there is no file cassettes/test_app/test_never_recorded.yaml" in text(cases["test_never_recorded"])


def test_misses_in_fixtures_are_told_there(cases: dict[str, ET.Element], report: Path) -> None:
    """After the test's own call as before it."""
    assert "1 request(s) missed" in text(cases["test_misses_in_teardown"])
    output = (report / "output").read_text()
    assert "ERROR at teardown of test_misses_in_teardown" in output
    setup = output.split("ERROR at setup of test_misses_in_setup")[1]
    assert "no_match" in setup.split("====")[0]


def test_requests_outside_of_sessions_are_told(cases: dict[str, ET.Element]) -> None:
    """By the base URL of the proxy alone, or with another name."""
    told = text(cases["test_strays"])
    assert "default is no test's session" in told
    assert "elsewhere is no test's session" in told
    assert "nothing was played" not in told


def test_the_report_says_what_was_played(cases: dict[str, ET.Element]) -> None:
    """As properties, for those who collect such things."""
    told = {each.get("name"): each.get("value") for each in cases["test_swallows"].iter("property")}
    assert told == {
        "replayproxy_cassette": "cassettes/test_app/test_swallows.yaml",
        "replayproxy_mode": "playback",
        "replayproxy_played": "1",
        "replayproxy_missed": "1",
        "replayproxy_warnings": "1",
        "replayproxy_unplayed": "1",
    }
    assert not list(cases["test_of_something_else"].iter("property"))


def test_the_run_ends_with_the_counts(cases: dict[str, ET.Element], report: Path) -> None:
    """Of all sessions together; cassettes are not judged in a run with failures."""
    output = (report / "output").read_text()
    assert re.search(r"19 session\(s\), passthrough, playback: 8 played, 10 missed, 9 warnings, 26 unplayed", output)
    assert "no test is for" not in output
