"""The sample project, run by pytest as its authors would run it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from replayproxy.core.redaction import find_secrets
from tests.pytest_plugin.inner import inner_project

pytest_plugins = ["pytester"]

SAMPLE = Path(__file__).parents[1] / "sample_project"
TESTS = 7


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A copy of it, without what keeps it out of our own run."""
    project = inner_project(pytester, monkeypatch)
    (project.path / "pytest.ini").unlink()
    shutil.copytree(
        SAMPLE, project.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("conftest.py", "__pycache__")
    )
    return project


def interactions(project: pytest.Pytester) -> dict[str, str]:
    """What stands in the cassettes behind their heads, by name; a head also tells of replayproxy's own version."""
    paths = (project.path / "tests" / "cassettes").rglob("*.yaml")
    return {path.name: path.read_text("utf-8").partition("\n...\n")[2] for path in paths}


def test_it_passes_without_a_key_and_an_upstream(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that was recorded is played, no cassette is left over; pytest finds the plugin by itself."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.delenv("PYTEST_PLUGINS")
    result = project.runpytest_subprocess("--replay-strict")
    result.assert_outcomes(passed=TESTS)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["plugins:*replayproxy-*", f"{TESTS} session(s), playback: 25 played"])


def test_it_passes_in_several_processes(project: pytest.Pytester) -> None:
    """The summary is of all of them."""
    result = project.runpytest_subprocess("--replay-strict", "-n", "2")
    result.assert_outcomes(passed=TESTS)
    result.stdout.fnmatch_lines([f"{TESTS} session(s), playback: 25 played"])


def test_it_can_be_recorded_again(project: pytest.Pytester) -> None:
    """On the emulator, which gives the same ids each time: nothing in the cassettes changes."""
    before = interactions(project)
    result = project.runpytest_subprocess("--replay-mode=record")
    result.assert_outcomes(passed=TESTS)
    after = interactions(project)
    assert len(after) == TESTS
    assert {name for name in after if after[name] != before[name]} <= {"test_ticket_has_an_id.yaml"}


def test_a_change_of_the_app_is_noticed(project: pytest.Pytester) -> None:
    """Also by the test whose app says nothing about it; each failure tells the path."""
    app = project.path / "helpdesk.py"
    app.write_text(app.read_text().replace("Thank you, we", "Thanks, we"))
    test = project.path / "tests" / "test_helpdesk.py"
    test.write_text(test.read_text().replace("assert helpdesk.try", "helpdesk.try"))
    result = project.runpytest_subprocess("-rA")
    result.assert_outcomes(passed=1, failed=TESTS - 1)
    result.stdout.fnmatch_lines_random(
        [
            "PASSED tests/test_helpdesk.py::test_ticket_has_an_id",
            "FAILED tests/test_helpdesk.py::TestTroubles::test_none - Failed: replayproxy:*",
            '*differs in body.content: recorded "Thank you, we will*", received "Thanks, we will*"*',
        ]
    )


def test_it_holds_no_secret() -> None:
    """It is published like everything else here."""
    paths = [*SAMPLE.rglob("*.yaml")]
    assert len(paths) == TESTS
    assert [found for path in paths for found in find_secrets(path.read_text("utf-8"))] == []
