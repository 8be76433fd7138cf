"""Another runner and another client: npm's `openai` under `node --test`, which need nothing but the base URL."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from replayproxy.pytest_plugin.background import Background
from tests.processes import ended
from tests.proxies import documents
from tests.servers import Script, Visit, raw_upstream

#: How long `npm install` may take, in seconds.
PATIENCE = 120
DOCUMENT = Path(__file__).parents[2] / "docs" / "other-runners.md"
#: The cassettes that the tests of the document make.
SESSIONS = ["an_answer_in_one_piece", "an_answer_in_pieces", "troubles_are_kept_quiet"]


def answering() -> Script:
    """A script of an upstream with one answer, in one piece or as a stream."""
    whole = b'{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"By luck."}}]}'
    pieces = [b'{"id":"c1","choices":[{"index":0,"delta":{"content":"%s"}}]}' % word for word in (b"By ", b"luck.")]
    stream = b"".join(b"data: %s\n\n" % piece for piece in [*pieces, b"[DONE]"])

    async def script(visit: Visit) -> None:
        while True:
            streamed = b'"stream":true' in await visit.request()
            kind, body = (b"text/event-stream", stream) if streamed else (b"application/json", whole)
            await visit.send(
                b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)) + body
            )

    return script


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with npm's `openai` and the tests that stand in the document."""
    told = _unavailable()
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    if not told:
        command = ["npm", "install", "openai@6", "--no-audit", "--no-fund", "--loglevel=error", f"--prefix={folder}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
        told = f"npm install failed: {done.stderr[-500:]}" if done.returncode else ""
    if told and not os.environ.get("CI"):
        pytest.skip(told)
    assert not told, told
    (text,) = re.findall(r"```js\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (folder / "helpdesk.test.js").write_text(text)
    return folder


def _unavailable() -> str:
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        return f"{' and '.join(missing)} cannot be found"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return "" if int(version.lstrip("v").split(".")[0]) >= 20 else f"node {version} is too old for the client"


def ran(folder: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`node --test` behind the proxy."""
    return ended("run", *options, "--cassettes", "cassettes", "--", "node", "--test", cwd=folder, **more)


@pytest.fixture(scope="module")
def recorded(folder: Path) -> Path:
    """The project with its cassettes."""
    upstream = Background(raw_upstream(answering()))
    done = ran(folder, "--mode", "record", "--upstream", upstream.value.url, OPENAI_API_KEY="sk-of-mine")
    upstream.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_each_test_has_a_cassette_of_its_own(recorded: Path) -> None:
    """By its base URL alone; a stream is recorded as one."""
    assert sorted(path.stem for path in (recorded / "cassettes").glob("*.yaml")) == SESSIONS
    (_, streamed) = documents(recorded / "cassettes" / "an_answer_in_pieces.yaml")
    assert len(streamed["response"]["body"]["events"]) == 3


def test_it_plays_without_key_and_upstream(recorded: Path) -> None:
    """All tests at once, on one proxy."""
    done = ran(recorded, "--mode", "playback")
    assert (done.returncode, "3 sessions: 3 played" in done.stderr) == (0, True), done.stdout + done.stderr


def test_the_client_says_what_differs(recorded: Path) -> None:
    """And it does not try again."""
    done = ran(recorded, "--mode", "playback", MODEL="gpt-4.1")
    assert done.returncode not in (0, 3)
    assert 'body.model: recorded "gpt-4.1-mini", received "gpt-4.1"' in done.stdout
    assert "1 missed" in done.stderr


def test_a_miss_that_the_app_swallowed_fails_the_run(recorded: Path) -> None:
    """`node --test` is content, the receipt is not."""
    done = ran(recorded, "--mode", "playback", QUIET_MODEL="gpt-4.1")
    assert (done.returncode, "1 request(s) missed" in done.stderr) == (3, True), done.stdout + done.stderr
