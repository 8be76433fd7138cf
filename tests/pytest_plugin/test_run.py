"""The end of a run: what is left over, and what several processes did together."""

from __future__ import annotations

from pathlib import Path

import pytest

from replayproxy.pytest_plugin.results import Results, SessionResult, summary_lines, unused_cassettes
from tests.pytest_plugin.inner import inner_project, recorded

pytest_plugins = ["pytester"]

LEFT = "cassettes that no test is for:"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An inner project with two test files, a cassette for each test, and some for nobody."""
    project = inner_project(pytester, monkeypatch)
    asking = "from app import ask\n\ndef test_{0}(replay_session):\n    assert ask(replay_session.base_url) == 200\n"
    skipped = "\n@pytest.mark.skip\ndef test_skipped(replay_session): ...\n"
    project.makepyfile(test_a=f"import pytest\n{asking.format('a')}{skipped}", test_b=asking.format("b"))
    for name in ("test_a/test_a", "test_a/test_skipped", "test_a/test_gone", "test_b/test_b", "test_c/test_c", "any"):
        recorded(project.path / "cassettes" / f"{name}.yaml", "/v1/models", line_before="# for people")
    (project.path / "cassettes" / "test_a" / "of_vcr.yaml").write_text("interactions: []\nversion: 1\n")
    return project


def leftovers(result: pytest.RunResult) -> list[str]:
    """The cassettes that a run said nobody is for."""
    lines = result.stdout.lines
    after = lines[lines.index(LEFT) + 1 :] if LEFT in lines else []
    return [line.strip().removeprefix("cassettes/") for line in after if line.startswith("  cassettes/")]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), ["any.yaml", "test_a/test_gone.yaml", "test_c/test_c.yaml"]),
        (("-n", "2"), ["any.yaml", "test_a/test_gone.yaml", "test_c/test_c.yaml"]),
        (("test_a.py",), ["test_a/test_gone.yaml"]),
        (("test_a.py::test_a",), []),
        (("-k", "not test_b"), []),
    ],
    ids=" ".join,
)
def test_cassettes_of_nobody_are_listed(project: pytest.Pytester, arguments: tuple[str, ...], found: list[str]) -> None:
    """Of the test files that ran in full; a test that was skipped is still what its cassette is for."""
    result = project.runpytest_subprocess(*arguments)
    assert result.ret == 0
    assert leftovers(result) == found


def test_a_run_that_failed_judges_no_cassettes(project: pytest.Pytester) -> None:
    """Who knows what else it would have played."""
    with (project.path / "test_b.py").open("a") as file:
        file.write("\ndef test_fails(): assert 0\n")
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=2, skipped=1, failed=1)
    assert leftovers(result) == []


def test_a_strict_run_fails_for_what_is_left(project: pytest.Pytester) -> None:
    """Cassettes of nobody, although each test passed; interactions that its test did not play fail a test."""
    result = project.runpytest_subprocess("--replay-strict")
    result.assert_outcomes(passed=2, skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert len(leftovers(result)) == 3
    recorded(project.path / "cassettes" / "test_b" / "test_b.yaml", "/v1/models", "/v1/left")
    result = project.runpytest_subprocess("--replay-strict", "-n", "2")
    result.assert_outcomes(passed=2, skipped=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "replayproxy: 1 interaction(s) were never played (playback, cassettes/test_b/test_b.yaml)",
            "*never played: #2 GET /v1/left (cassettes/test_b/test_b.yaml:*)",
        ]
    )


def test_workers_bring_their_results_together(project: pytest.Pytester) -> None:
    """One proxy for each, one summary for all; misses fail the tests they happen in."""
    project.makepyfile(
        test_a="""
        import pytest
        from app import ask

        @pytest.mark.parametrize("number", range(20))
        def test_many(replay_session, number):
            ask(replay_session.base_url, "/models" if number else "/other")

        async def test_async(replay_env):
            assert ask(replay_env.base_url) == 200
        """
    )
    names = ["test_async", *(f"test_many-{number}" for number in range(20))]
    for name in names:
        recorded(project.path / "cassettes" / "test_a" / f"{name}.yaml", "/v1/models")
    result = project.runpytest_subprocess("-n", "4", "test_a.py")
    result.assert_outcomes(passed=20, failed=1)
    result.stdout.fnmatch_lines(["21 session(s), playback: 20 played, 1 missed, 1 warnings, 1 unplayed"])


def test_what_misses_between_tests_fails_the_run(project: pytest.Pytester) -> None:
    """No test is there to fail, so the run does."""
    project.makepyfile(
        test_a="""
        import pytest
        from app import ask

        @pytest.fixture(scope="session")
        def leaving(replayproxy):
            yield
            ask(replayproxy.url, "/v1/models")

        def test_a(leaving, replay_session):
            assert ask(replay_session.base_url) == 200
        """
    )
    result = project.runpytest_subprocess("test_a.py")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["requests that belong to no session of a test were refused:", "*no_cassette*"])


def test_results_travel(tmp_path: Path) -> None:
    """What a worker packs, the controller has."""
    one, other = Results(), Results()
    one.sessions.append(SessionResult("t", "c.yaml", "playback", {"played": 1}))
    one.expected.add("e")
    one.modules.add("m")
    one.users.add("u")
    one.strays.append("s")
    one.deselected = True
    other.merge(one.packed())
    assert other == one


def test_a_file_that_was_not_collected_keeps_its_cassettes(tmp_path: Path) -> None:
    """The rest of the folder may be its: only the cassettes of the files that were collected are judged."""
    for name in ("test_a.py", "test_b.py", "test_c.txt"):
        (tmp_path / name).touch()
    for name in ("a/cassettes.files/x", "test_a/x", "test_b/x", "x"):
        recorded(tmp_path / "cassettes" / f"{name}.yaml", "/v1/models")
    results = Results(modules={str(tmp_path / "test_a.py")}, users={str(tmp_path / "test_a.py")})
    assert unused_cassettes(results, "cassettes", ["test_*.py"]) == [tmp_path / "cassettes/test_a/x.yaml"]
    results.modules.add(str(tmp_path / "test_b.py"))
    found = unused_cassettes(results, "cassettes", ["test_*.py"])
    assert [str(path.relative_to(tmp_path / "cassettes")) for path in found] == [
        "test_a/x.yaml",
        "test_b/x.yaml",
        "x.yaml",
    ]


def test_a_run_without_sessions_has_nothing_to_tell() -> None:
    """Not even that."""
    assert summary_lines(Results()) == []
