"""The pytest plugin: tests behind a proxy that plays back what was recorded.

Fixtures: `replay_session` is the session of a test, `replay_env` the same with `OPENAI_BASE_URL` and `OPENAI_API_KEY`
leading there, `replayproxy` the proxy that all tests of a process share. `@pytest.mark.replay` gives a test
`replay_env`, and says more about its session.

Rules:
1. Loading costs nothing: only pytest, the standard library and what is as light is imported before a test needs more.
2. A miss that an app swallowed still fails its test, at the end of the test's own call.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import pytest

from replayproxy.pytest_plugin.options import RunOptions, add_options, add_vcr_option, run_options
from replayproxy.pytest_plugin.results import Results, summary_lines, unused_cassettes
from replayproxy.pytest_plugin.server import ReplayProxy, ReplaySession, failing, started
from replayproxy.pytest_plugin.wishes import MARKER, brings, cassette_wanted, wants, wish_of

__all__ = [
    "ReplayProxy",
    "ReplaySession",
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_deselected",
    "pytest_itemcollected",
    "pytest_load_initial_conftests",
    "pytest_report_header",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "replay_env",
    "replay_session",
    "replayproxy",
]

_OPTIONS, _RESULTS = pytest.StashKey[RunOptions](), pytest.StashKey[Results]()
_PROXY, _SESSION = pytest.StashKey[ReplayProxy](), pytest.StashKey[ReplaySession]()
_COMPLAINT, _PASSED = pytest.StashKey[str](), pytest.StashKey[bool]()
#: Where an xdist worker puts its results.
_WORKER_KEY = "replayproxy"


# --- fixtures


@pytest.fixture(scope="session")
def replayproxy(pytestconfig: pytest.Config) -> Iterator[ReplayProxy]:
    """The proxy that all tests of this process share; started when the first test needs it."""
    stash = pytestconfig.stash
    with started(stash[_OPTIONS], stash[_RESULTS]) as proxy:
        stash[_PROXY] = proxy
        yield proxy
        del stash[_PROXY]


@pytest.fixture
def replay_session(request: pytest.FixtureRequest, replayproxy: ReplayProxy) -> Iterator[ReplaySession]:
    """The test's own session, with the cassette `cassettes/MODULE/TEST.yaml` beside the test file."""
    item, stash = request.node, request.config.stash
    with failing():
        wish = wish_of(item, stash[_OPTIONS].folder)
    item.stash[_COMPLAINT], item.stash[_PASSED] = "", False  # of an earlier attempt, where tests are run again
    item.stash[_SESSION] = session = replayproxy.open(wish, item.nodeid)
    stash[_RESULTS].expected.add(str(wish.cassette))
    yield session
    session.close()
    result = session.result()
    stash[_RESULTS].sessions.append(result)
    item.user_properties += result.properties()
    if item.stash.get(_PASSED, False) and (complaint := session.complaint("over")):
        pytest.fail(complaint, pytrace=False)


@pytest.fixture
def replay_env(replay_session: ReplaySession) -> Iterator[ReplaySession]:
    """The test's own session, with OPENAI_BASE_URL and OPENAI_API_KEY leading there for as long as the test runs."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in replay_session.openai_env().items():
            patch.setenv(name, value)
        yield replay_session


# --- options


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds our options."""
    add_options(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser) -> Generator[None, Any, Any]:
    """Adds VCR's option when all plugins had their chance: two owners of one option stop pytest."""
    result = yield
    add_vcr_option(parser)
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Reads the options, and registers the marker."""
    config.addinivalue_line("markers", MARKER)
    config.stash[_OPTIONS] = run_options(config, os.environ)
    config.stash[_RESULTS] = Results()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Tells the mode when it is not the usual one."""
    return list(filter(None, [config.stash[_OPTIONS].header]))


# --- collection


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives marked tests the fixture that the marker stands for."""
    if isinstance(item, pytest.Function) and (name := brings(item)) and name not in item.fixturenames:
        item.fixturenames = [name, *item.fixturenames]  # a new list: the other parameters of the test share the old


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Takes note that not all tests run."""
    if items:
        items[0].config.stash[_RESULTS].deselected = True


def pytest_collection_finish(session: pytest.Session) -> None:
    """Takes note of the cassettes that the collected tests are for."""
    results, folder = session.config.stash[_RESULTS], session.config.stash[_OPTIONS].folder
    for item in session.items:
        results.modules.add(str(item.path))
        if wants(item):
            results.users.add(str(item.path))
            results.expected.add(str(cassette_wanted(item, folder)))


# --- the verdict on a test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fails a test that passed although requests were refused or nothing was played."""
    result = yield
    item.stash[_COMPLAINT] = complaint = _complaint(item)
    if complaint:
        pytest.fail(complaint, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the misses to the report of a test that failed by itself."""
    report = yield
    if call.when == "call":
        item.stash[_PASSED] = report.passed
    if report.failed and (told := _untold(item, report)):
        report.sections.append(("replayproxy", told))
    return report


def _untold(item: pytest.Item, report: pytest.TestReport) -> str:
    """What has to be said about a test that failed, and does not stand in its report yet."""
    # unittest's own failures come as values, not as exceptions: they hide the one that we raised.
    complaint = item.stash.get(_COMPLAINT, "")
    if complaint:
        return "" if complaint.splitlines()[0] in report.longreprtext else complaint
    session = item.stash.get(_SESSION, None)
    return session.tell_misses() if session is not None else ""


def _complaint(item: pytest.Item) -> str:
    session, proxy = item.stash.get(_SESSION, None), item.config.stash.get(_PROXY, None)
    told = [session.complaint("called")] if session is not None else []
    if proxy is not None and (session is not None or "replayproxy" in getattr(item, "fixturenames", ())):
        told.append(proxy.complaint())
    return "\n".join(filter(None, told))


# --- the end of a run


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Hands the results on to xdist's controller, or judges the run as a whole."""
    config, results = session.config, session.config.stash[_RESULTS]
    if (output := getattr(config, "workeroutput", None)) is not None:
        output[_WORKER_KEY] = results.packed()
        return
    options, root = config.stash[_OPTIONS], config.rootpath
    narrowed = results.deselected or any("::" in argument for argument in config.args)
    if exitstatus == pytest.ExitCode.OK and not narrowed and not config.option.collectonly:
        found = unused_cassettes(results, options.folder, config.getini("python_files"))
        results.unused = [str(path.relative_to(root) if path.is_relative_to(root) else path) for path in found]
    if exitstatus == pytest.ExitCode.OK and (results.strays or (results.unused and options.strict)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes in the results of an xdist worker; one that crashed has none."""
    packed = getattr(node, "workeroutput", {}).get(_WORKER_KEY)
    if packed is not None:
        node.config.stash[_RESULTS].merge(packed)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tells what was played, and what is left over."""
    if lines := summary_lines(config.stash[_RESULTS]):
        terminalreporter.section("replayproxy")
        terminalreporter.write_line("\n".join(lines))
