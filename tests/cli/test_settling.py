"""What a start loads and leaves for later, and how the process settles down when it is up."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from replayproxy.cli.settling import settled
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Request, Response
from replayproxy.proxy.app import running
from replayproxy.proxy.garbage import collect_seldom
from replayproxy.stores import FileStore
from tests.proxies import settings_for

#: Starts a playback as the command does, asks it once, and prints what was loaded by then.
START = """
import asyncio, json, sys
from pathlib import Path
from replayproxy.cli.options import load_settings
from replayproxy.cli import serve, serving

async def main():
    options = {"mode": "playback", "cassette": sys.argv[1], "port": "0", "admin_port": "0"}
    settings = load_settings(options).settings
    from replayproxy.proxy.app import running
    async with running(settings) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v1/models HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        status = await reader.readline()
        print(json.dumps([status.decode(), sorted(sys.modules)]))
        writer.close()

asyncio.run(main())
"""
#: What playback has no use for before its first miss, and its end.
LATER = {
    "brotli",
    "jsonschema_rs",
    "httptools",
    "pydantic",
    "xml.etree.ElementTree",
    "replayproxy.core.answer_checks",
    "replayproxy.core.receipts",
    "replayproxy.core.schemas.explaining",
    "replayproxy.core.unknown_paths",
    "replayproxy.core.validation",
    "replayproxy.core.wording",
    "replayproxy.emulator",
    "replayproxy.proxy.admin_forms",
    "replayproxy.proxy.admin_openapi",
    "replayproxy.proxy.admin_page",
    "replayproxy.proxy.connection",
    "replayproxy.proxy.forwarding",
    "replayproxy.proxy.recording",
    "replayproxy.proxy.rehearsal",
    "replayproxy.proxy.upstream",
    "replayproxy.proxy.workers.supervisor",
    "replayproxy.stores.memory",
    "replayproxy.stores.recorder",
    "replayproxy.stores.writer",
}


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """A recording of one request."""
    path = tmp_path / "c.yaml"
    recorder = FileStore(path).replace_take(Head())
    recorder.append(Interaction(Request("GET", "/v1/models"), Response(200, "OK", body=b"{}")), 1)
    recorder.close()
    return path


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector of garbage, which is put back as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_a_playback_loads_nothing_that_its_first_answer_does_not_take(cassette: Path, tmp_path: Path) -> None:
    """Neither the upstream's side nor the recorder, checks, receipts or the admin API: a start is quick without."""
    command = [sys.executable, "-W", "error", "-c", START, str(cassette)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path)
    status, loaded = json.loads(done.stdout)
    assert status == "HTTP/1.1 200 OK\r\n"
    assert LATER.intersection(loaded) == set()


@pytest.mark.usefixtures("collector")
def test_garbage_is_looked_for_seldom() -> None:
    """A start makes next to none."""
    collect_seldom()
    assert gc.get_threshold()[0] > 10_000


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("mode", ["playback", "passthrough"])
async def test_what_is_there_when_a_proxy_answers_is_no_garbage(cassette: Path, mode: str) -> None:
    """The collector is told to leave it alone; with an upstream no miss is rehearsed."""
    settings = settings_for(cassette, mode=mode)
    async with running(settings) as proxy, settled(proxy, settings):
        assert gc.get_freeze_count() > 0
