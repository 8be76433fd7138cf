"""A plugin that nobody uses costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pytest_plugin.inner import inner_project

pytest_plugins = ["pytester"]

#: What takes its time to import.
HEAVY = ("aiohttp", "asyncio", "click", "httptools", "orjson", "pydantic", "ssl", "yaml")


def test_loading_imports_nothing_heavy() -> None:
    """Only pytest, the standard library, and our own modules that are as light."""
    program = (
        "import sys, pytest; before = set(sys.modules); import replayproxy.pytest_plugin;"
        "print(*(name for name in set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded & set(HEAVY) == set()
    ours = {name.split(".")[1] for name in loaded if name.startswith("replayproxy.")}
    assert ours == {"core", "errors", "pytest_plugin"}


def test_a_run_without_our_fixtures_starts_no_proxy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread, no port, no import, no line at the end."""
    project = inner_project(pytester, monkeypatch)
    project.makepyfile(
        """
        import sys, threading

        def test_alone():
            assert "replayproxy.proxy.app" not in sys.modules
            assert "replayproxy" not in {thread.name for thread in threading.enumerate()}
        """
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    # The list of plugins names us, as it names all.
    assert [line for line in result.outlines if "replayproxy" in line and not line.startswith("plugins:")] == []
