"""The session of a test: what it is for, where it leads, and sessions of a wider scope."""

from __future__ import annotations

import asyncio

import pytest

from replayproxy.pytest_plugin.background import Background
from tests.proxies import documents
from tests.pytest_plugin.inner import inner_project, recorded
from tests.servers import answering, raw_upstream

pytest_plugins = ["pytester"]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An inner project."""
    return inner_project(pytester, monkeypatch)


def lines(result: pytest.RunResult) -> str:
    """All that a run printed."""
    return result.stdout.str()


def test_an_app_is_led_there(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument, by the variables of this process, or by those of another; afterwards they are what they were."""
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    project.makepyfile(
        test_app="""
        import os, subprocess, sys
        import pytest
        from app import ask

        def test_argument(replay_session):
            assert replay_session.base_url == f"{replay_session.url}/v1"
            assert ask(replay_session.base_url) == 200
            assert "OPENAI_BASE_URL" not in os.environ

        def test_header(replay_session, replayproxy):
            assert ask(f"{replayproxy.url}/v1", **{"x-replayproxy-session": replay_session.name}) == 200

        def test_fixture(replay_env):
            assert os.environ["OPENAI_BASE_URL"] == replay_env.base_url
            assert ask(os.environ["OPENAI_BASE_URL"]) == 200

        @pytest.mark.replay
        def test_marker():
            assert os.environ["OPENAI_API_KEY"] == "mine"
            assert ask(os.environ["OPENAI_BASE_URL"]) == 200

        @pytest.mark.replay(env=False)
        def test_marker_without_variables(replay_session):
            assert "OPENAI_BASE_URL" not in os.environ
            assert ask(replay_session.base_url) == 200

        @pytest.mark.replay
        class TestClass:
            def test_method(self):
                assert ask(os.environ["OPENAI_BASE_URL"]) == 200

            @pytest.mark.replay(env=False)
            def test_other_method(self, replay_session):
                assert "OPENAI_BASE_URL" not in os.environ
                assert ask(replay_session.base_url) == 200

        @pytest.mark.parametrize("word", ["plain", pytest.param("marked", marks=pytest.mark.replay)])
        def test_one_parameter(word):
            assert ("OPENAI_BASE_URL" in os.environ) == (word == "marked")
            assert word == "plain" or ask(os.environ["OPENAI_BASE_URL"]) == 200

        def test_another_process(replay_session, monkeypatch):
            monkeypatch.delenv("OPENAI_API_KEY")
            env = replay_session.openai_env()
            assert env == {"OPENAI_BASE_URL": replay_session.base_url, "OPENAI_API_KEY": "replayproxy"}
            told = subprocess.run([sys.executable, "app.py"], env={**os.environ, **env}, stdout=subprocess.PIPE)
            assert told.stdout.split() == [b"200"]

        def test_nothing_is_left():
            assert "OPENAI_BASE_URL" not in os.environ
        """
    )
    names = ["argument", "header", "fixture", "marker", "marker_without_variables", "one_parameter-marked"]
    for name in (*(f"test_{name}" for name in names), "TestClass.test_method", "TestClass.test_other_method"):
        recorded(project.path / "cassettes" / "test_app" / f"{name}.yaml", "/v1/models")
    recorded(project.path / "cassettes" / "test_app" / "test_another_process.yaml", "/v1/models")
    result = project.runpytest_subprocess("--replay-strict", "--strict-markers")
    result.assert_outcomes(passed=11)
    assert "9 session(s), playback: 9 played\n" in lines(result)


def test_what_is_recorded_is_played(project: pytest.Pytester) -> None:
    """A first run records beside the test files, a second one plays without an upstream; the marker says where."""
    (project.mkdir("deep") / "test_deep.py").write_text(
        """
import pytest
from app import ask

@pytest.mark.replay(cassette="shared/both.yaml")
def test_one(replay_session):
    assert ask(replay_session.base_url, "/one") == 200
    assert ask(replay_session.base_url, "/both") == 200

@pytest.mark.replay(cassette="shared/both", strict=False)
def test_two(replay_session):
    assert ask(replay_session.base_url, "/both") == 200
    assert ask(replay_session.base_url, "/two") == 200

@pytest.mark.parametrize("name", ["a", "b/c"])
def test_many(replay_session, name):
    assert ask(replay_session.base_url, f"/many?of={name}") == 200
"""
    )
    upstream = Background(raw_upstream(answering(OK)))
    url = upstream.value.url
    first = project.runpytest_subprocess("--replay-mode=record", f"--replay-upstream={url}")
    upstream.stop()
    first.assert_outcomes(passed=4)
    assert f"replayproxy: record, upstream {url}" in lines(first)
    assert "4 session(s), auto, record: 1 played, 5 forwarded, 5 saved" in lines(first)
    folder = project.path / "deep" / "cassettes"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")) == [
        "shared/both.yaml",
        "test_deep/test_many-a.yaml",
        "test_deep/test_many-b-c-66c7ac0e.yaml",
    ]
    targets = [document["request"]["target"] for document in documents(folder / "shared" / "both.yaml")[1:]]
    assert targets == ["/v1/one", "/v1/both", "/v1/two"]
    second = project.runpytest_subprocess()
    second.assert_outcomes(passed=4)
    assert "4 session(s), playback: 6 played, 2 unplayed" in lines(second)


def test_the_upstreams_key_is_the_proxys(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """`replayproxy.yaml` counts: it names the variable that holds the key, and the app needs none."""
    monkeypatch.setenv("MY_KEY", "sk-of-mine")
    project.makefile(".yaml", replayproxy="mode: passthrough\nupstream:\n  api_key_env: MY_KEY\n")
    project.makepyfile(
        test_app="""
        import pytest
        from app import ask

        @pytest.mark.replay(mode="record")
        def test_records(replay_session):
            assert replay_session.openai_env()["OPENAI_API_KEY"] == "replayproxy"
            assert ask(replay_session.base_url, Authorization="Bearer replayproxy") == 200

        def test_plays(replay_session):
            assert replay_session.mode == "playback"
            assert ask(replay_session.base_url) == 200
        """
    )
    recorded(project.path / "cassettes" / "test_app" / "test_plays.yaml", "/v1/models")
    upstream = Background(raw_upstream(answering(OK)))
    project.makefile(".ini", pytest=f"[pytest]\nreplay_upstream = {upstream.value.url}\n")
    result = project.runpytest_subprocess()
    received = upstream.value.received
    upstream.stop()
    result.assert_outcomes(passed=2)
    assert b"Bearer sk-of-mine" in received
    assert "sk-of-mine" not in (project.path / "cassettes" / "test_app" / "test_records.yaml").read_text()

    monkeypatch.delenv("MY_KEY")
    project.runpytest_subprocess("-k", "test_plays").assert_outcomes(passed=1, deselected=1)
    result = project.runpytest_subprocess("--replay-mode=record")
    result.assert_outcomes(errors=2)
    assert "upstream.api_key_env names MY_KEY, which is not set" in lines(result)


def test_sessions_of_a_wider_scope(project: pytest.Pytester) -> None:
    """Misses fail the test in which they happen, what is left over fails whoever leaves the context."""
    project.makepyfile(
        test_app="""
        import pytest
        from pathlib import Path
        from app import ask

        @pytest.fixture(scope="module")
        def shared(replayproxy):
            with replayproxy.session("shared", strict=True) as session:
                yield session

        def test_before(shared):
            pass

        def test_plays(shared):
            assert ask(shared.base_url) == 200

        def test_misses(shared):
            ask(shared.base_url, "/other")

        def test_goes_on(shared):
            assert shared.receipt.missed == 1

        def test_within(replayproxy):
            with replayproxy.session("own", Path("own.yaml"), repeat="cycle") as session:
                assert [ask(session.base_url) for _ in range(3)] == [200] * 3

        def test_fails_within(replayproxy):
            with replayproxy.session("own", Path("own.yaml")):
                pass

        def test_own_error_is_not_hidden(replayproxy):
            with replayproxy.session("own", Path("own.yaml")):
                raise RuntimeError("mine")
        """
    )
    recorded(project.path / "cassettes" / "shared.yaml", "/v1/models", "/v1/left")
    recorded(project.path / "own.yaml", "/v1/models")
    result = project.runpytest_subprocess("-rA")
    result.assert_outcomes(passed=4, failed=3, errors=1)
    result.stdout.fnmatch_lines_random(
        [
            "PASSED test_app.py::test_before",
            "PASSED test_app.py::test_goes_on",
            "FAILED test_app.py::test_misses - Failed: replayproxy: 1 request(s) missed *",
            "FAILED test_app.py::test_fails_within - Failed: replayproxy: nothing was pl*",
            "FAILED test_app.py::test_own_error_is_not_hidden - RuntimeError: mine",
            "ERROR test_app.py::test_own_error_is_not_hidden - Failed: replayproxy: 1 in*",
            "*never played: #2 GET /v1/left (cassettes/shared.yaml:*)",
        ]
    )


def test_what_cannot_be_is_told_in_a_sentence(project: pytest.Pytester) -> None:
    """A marker, a mode, a rule or a cassette that makes no sense fails the test without a traceback."""
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.replay(cassete="x")
        def test_argument(): ...

        @pytest.mark.replay(mode="replay")
        def test_mode(): ...

        @pytest.mark.replay(repeat="always")
        def test_repeat(): ...

        @pytest.mark.replay(ignore="boddy.x")
        def test_rule(): ...

        @pytest.mark.replay
        def test_cassette(): ...
        """
    )
    broken = recorded(project.path / "cassettes" / "test_app" / "test_cassette.yaml")
    broken.write_text("not: a cassette\n")
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=5)
    result.stdout.fnmatch_lines_random(
        [
            "replayproxy: @pytest.mark.replay takes no 'cassete'; it takes cassette, mode, *",
            "replayproxy: there is no mode 'replay'; it is one of *",
            "replayproxy: repeat: expected one of last, never, cycle, not 'always'",
            "replayproxy: 'boddy.x': a path begins with one of *",
            "replayproxy: *test_cassette.yaml: this is no cassette *",
        ]
    )
    assert "another exception" not in lines(result)


def test_settings_that_make_no_sense_are_told(project: pytest.Pytester) -> None:
    """With file and line, to each test that needs the proxy."""
    project.makefile(".yaml", replayproxy="upstraem: emulator\n")
    project.makepyfile("def test_one(replay_session): ...\ndef test_two(): ...")
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["replayproxy: replayproxy.yaml:1: *upstraem*"])


def test_rules_of_a_marker_hold_for_its_test(project: pytest.Pytester) -> None:
    """What varies is declared where it varies; rules of class and method add up."""
    project.makepyfile(
        test_app="""
        import pytest
        from app import ask

        @pytest.mark.replay(ignore=["query.nonce"])
        class TestRules:
            @pytest.mark.replay(ignore="query.day", mask={"query.run": "[0-9]+"})
            def test_declared(self, replay_session):
                assert ask(replay_session.base_url, "/models?nonce=2&day=2&run=no-2") == 200

            @pytest.mark.replay(also=["header.x-tenant"])
            def test_counted(self, replay_session):
                assert ask(replay_session.base_url, "/models?nonce=2&day=1&run=no-1", **{"x-tenant": "b"}) == 424
        """
    )
    for name in ("TestRules.test_declared", "TestRules.test_counted"):
        recorded(project.path / "cassettes" / "test_app" / f"{name}.yaml", "/v1/models?nonce=1&day=1&run=no-1")
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    assert 'header.x-tenant: recorded (absent), received "b"' in lines(result)


def test_another_plugin_may_own_vcrs_option(project: pytest.Pytester) -> None:
    """Whether it is loaded before us or after us, and whatever it calls the value."""
    plugin = 'def pytest_addoption(parser): parser.getgroup("recording").addoption("--record-mode", default=None{})'
    project.makepyfile(early=plugin.format(""), late=plugin.format(', dest="vcr_mode"'))
    project.makepyfile(
        test_app="""
        from app import ask

        def test_plays(replay_session):
            assert replay_session.mode == "playback"
            assert ask(replay_session.base_url) == 200
        """
    )
    recorded(project.path / "cassettes" / "test_app" / "test_plays.yaml", "/v1/models")
    for arguments in (["-p", "early"], ["-p", "late"]):
        result = project.runpytest_subprocess("--record-mode=rewrite", *arguments)
        result.assert_outcomes(passed=1)
    project.makeconftest(plugin.format(""))
    project.runpytest_subprocess("--record-mode=rewrite").assert_outcomes(passed=1)
    (project.path / "conftest.py").unlink()
    result = project.runpytest_subprocess("--record-mode=new_episodes")
    assert "replayproxy: auto" in lines(result)


def test_in_ci_tests_play_back(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ini file and marker say; on the command line it is wrong usage."""
    monkeypatch.setenv("CI", "true")
    project.makefile(".ini", pytest="[pytest]\nreplay_mode = auto\n")
    project.makepyfile(
        test_app="""
        import pytest
        from app import ask

        @pytest.mark.replay(mode="record")
        def test_plays(replay_session):
            assert replay_session.mode == "playback"
            assert ask(replay_session.base_url) == 200
        """
    )
    recorded(project.path / "cassettes" / "test_app" / "test_plays.yaml", "/v1/models")
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert "replayproxy: playback (not auto: with CI set nothing is recorded)" in lines(result)
    result = project.runpytest_subprocess("--replay-mode=record")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "CI is set, and in CI nothing is recorded" in result.stderr.str()


def test_somebody_else_may_close_a_session(project: pytest.Pytester) -> None:
    """What it told last is what counts."""
    project.makepyfile(
        test_app="""
        import urllib.request
        from app import ask

        def test_plays(replay_session, replayproxy):
            assert ask(replay_session.base_url) == 200
            assert replay_session.receipt.played == 1
            url = f"{replayproxy.admin_url}/sessions/{replay_session.name}"
            shown = {"x-replayproxy-token": replayproxy.admin_token}
            urllib.request.urlopen(urllib.request.Request(url, method="DELETE", headers=shown)).close()
            assert replay_session.receipt.played == 1
        """
    )
    recorded(project.path / "cassettes" / "test_app" / "test_plays.yaml", "/v1/models")
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_thread_tells_what_went_wrong_in_it() -> None:
    """Entering and calling raise where the caller is."""

    class Broken:
        async def __aenter__(self) -> None:
            raise OSError("no")

        async def __aexit__(self, *_: object) -> None: ...

    with pytest.raises(OSError, match="no"):
        Background(Broken())
    upstream = Background(raw_upstream(answering(OK)))
    with pytest.raises(TimeoutError):
        upstream.call(asyncio.sleep(60), 0.01)
    upstream.stop()
