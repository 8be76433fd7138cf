"""Test runs inside test runs: what they find beside their tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.stores import FileStore

__all__ = ["inner_project", "recorded"]

#: Every warning is an error in there as well; async tests are just written.
INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
#: An app that keeps quiet: whatever comes back, it only tells the status.
APP = """
import sys
import urllib.error
import urllib.request


def ask(base_url, path="/models", **headers):
    request = urllib.request.Request(base_url + path, headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


if __name__ == "__main__":
    import os

    print(ask(os.environ["OPENAI_BASE_URL"], *sys.argv[1:]))
"""


#: All that inner runs load: the other plugins that are installed here take most of the time of a short run.
PLUGINS = "xdist.plugin,pytest_asyncio.plugin,replayproxy.pytest_plugin"


def inner_project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project with a quiet app, in an environment that says nothing else about us."""
    for name in ("CI", "REPLAYPROXY_MODE", "REPLAYPROXY_CONFIG", "OPENAI_BASE_URL", "OPENAI_API_KEY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", PLUGINS)
    pytester.makefile(".ini", pytest=INI)
    pytester.makepyfile(app=APP)
    return pytester


def recorded(path: Path, *targets: str, line_before: str = "") -> Path:
    """A cassette with an answer for each target; `line_before` comes first in the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    recorder = FileStore(path).replace_take(Head("https://api.example.com"))
    for number, target in enumerate(targets, 1):
        answer = Response(200, "OK", Headers.of(("Content-Type", "application/json")), b"{}")
        recorder.append(Interaction(Request("GET", target, Headers(())), answer), number)
    recorder.close()
    if line_before:
        path.write_text(f"{line_before}\n{path.read_text()}")
    return path
