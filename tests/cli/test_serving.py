"""Receipts at the end of a run: on standard error, as JSON and as JUnit XML."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Request, Response
from replayproxy.stores import FileStore
from tests.processes import COMMAND, client, ended, environment, started, wait_until

FILES = ("--receipt", "out/receipt.json", "--junit", "out/receipt.xml")
#: Asks for paths, whatever the answers are.
TRY = """
import os, sys, urllib.error, urllib.request
for path in sys.argv[1:]:
    try:
        urllib.request.urlopen(os.environ["REPLAYPROXY_URL"] + path).read()
    except urllib.error.HTTPError:
        pass
"""


def cassette(path: Path, *targets: str) -> None:
    """A cassette of GETs."""
    recorder = FileStore(path).replace_take(Head())
    for number, target in enumerate(targets, 1):
        recorder.append(Interaction(Request("GET", target), Response(200, "OK", body=b"{}")), number)
    recorder.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where there is a recording of session `a`, and one of session `b`."""
    cassette(tmp_path / "cassettes" / "a.yaml", "/v1/models", "/v1/files")
    cassette(tmp_path / "cassettes" / "b.yaml", "/v1/models?x=1")
    return tmp_path


def run(folder: Path, *targets: str, options: tuple[str, ...] = FILES) -> tuple[int, list[str]]:
    """The status of `replayproxy run` in playback, and what it said on standard error from the receipts on."""
    words = ("run", "--mode", "playback", *options, "--", sys.executable, "-c", TRY, *targets)
    result = ended(*words, cwd=folder)
    lines = result.stderr.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("replayproxy: ") and "no file" not in line)
    return result.returncode, lines[first:]


def told(folder: Path) -> tuple[dict[str, object], ET.Element]:
    """What stands in the files; nothing else is left beside them."""
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["receipt.json", "receipt.xml"]
    return json.loads((folder / "out" / "receipt.json").read_text()), ET.parse(folder / "out" / "receipt.xml").getroot()


def test_a_run_that_passed_is_written_down(folder: Path) -> None:
    """Each session has its line, its JSON and its test case."""
    status, lines = run(folder, "/@a/v1/models", "/@b/v1/models?x=1")
    assert status == 0
    assert lines == [
        "replayproxy: session a (playback, cassettes/a.yaml): 1 played, 1 unplayed",
        "replayproxy: session b (playback, cassettes/b.yaml): 1 played",
        "replayproxy: 2 sessions: 2 played, 1 unplayed",
        "replayproxy: passed",
    ]
    receipt, suites = told(folder)
    assert (receipt["passed"], receipt["counts"]["played"]) == (True, 2)  # type: ignore[index]
    assert [case.get("name") for case in suites.iter("testcase")] == ["a", "b"]
    assert suites.get("failures") == "0"


def test_a_run_that_failed_says_which_session_what_missed_and_what_to_do(folder: Path) -> None:
    """In its last lines, and in both files."""
    status, lines = run(folder, "/@a/v1/models", "/@b/v1/models?x=2")
    assert status == 3
    assert lines[0] == "replayproxy: session a (playback, cassettes/a.yaml): 1 played, 1 unplayed"
    assert lines[1].startswith("replayproxy: session b failed (playback, cassettes/b.yaml): 1 request(s) missed")
    assert "no_match: no interaction in cassettes/b.yaml answers GET /v1/models?x=2" in lines[2]
    assert "query.x: recorded" in lines[3]
    assert lines[-4].startswith("  What to do: ")
    assert lines[-3:] == [
        "replayproxy: warnings: listModels 1",
        "replayproxy: 2 sessions: 1 played, 1 missed, 1 with warnings, 2 unplayed",
        "replayproxy: failed: 1 of 2 sessions (b)",
    ]
    receipt, suites = told(folder)
    assert receipt["passed"] is False
    assert suites.get("failures") == "1"
    assert "query.x" in str(suites.findtext(".//failure"))


def test_serve_writes_them_when_it_is_stopped(folder: Path) -> None:
    """Also when it fails; one that is there from an earlier run is not taken for this one's."""
    (folder / "out").mkdir()
    (folder / "out" / "receipt.json").write_text("earlier")
    with started("playback", *FILES, cwd=folder) as proxy, client(proxy.url) as api:
        assert not (folder / "out" / "receipt.json").exists()
        api.get("/@a/v1/nothing")
    assert proxy.status == 1
    receipt, _ = told(folder)
    assert receipt["passed"] is False


def test_files_may_be_named_in_the_environment(folder: Path) -> None:
    """As every setting may."""
    words = ("run", "--mode", "record", "--", sys.executable, "-c", "pass")
    assert ended(*words, cwd=folder, REPLAYPROXY_RECEIPT="r.json", REPLAYPROXY_JUNIT="r.xml").returncode == 0
    assert json.loads((folder / "r.json").read_text())["sessions"][0]["mode"] == "record"
    assert (folder / "r.xml").exists()


def test_a_device_is_written_to_and_stays_what_it_is(folder: Path) -> None:
    """A receipt may go to standard error."""
    words = ("run", "--mode", "record", "--receipt", "/dev/stderr", "--", sys.executable, "-c", "pass")
    result = ended(*words, cwd=folder)
    assert result.returncode == 0
    assert '"passed": true' in result.stderr


def test_a_receipt_that_cannot_be_written_is_an_error_at_the_start(folder: Path) -> None:
    """A run without its receipt would look like one that was never made."""
    (folder / "file").write_text("")
    (folder / "dir").mkdir()
    for path in ("file/receipt.json", "dir"):
        result = ended("run", "--receipt", path, "--", sys.executable, "-c", "print('ran')", cwd=folder)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("Error: cannot write the receipt ")


@pytest.mark.parametrize(("status", "expected"), [(0, 2), (7, 7)])
def test_a_receipt_that_cannot_be_written_in_the_end_fails_the_run(folder: Path, status: int, expected: int) -> None:
    """The command's own failure comes first; the receipt is printed in any case."""
    spoil = f"import os; os.rmdir('out'); open('out', 'w').close(); raise SystemExit({status})"
    words = ("run", "--mode", "record", "--receipt", "out/r.json", "--", sys.executable, "-c", spoil)
    result = ended(*words, cwd=folder)
    assert result.returncode == expected
    assert "Error: cannot write the receipt " in result.stderr
    assert result.stderr.splitlines()[-1] == "replayproxy: passed"


def test_serve_ends_with_2_when_the_receipt_cannot_be_written_in_the_end(folder: Path) -> None:
    """It passed, and nobody would know."""
    with started("record", "--receipt", "out/r.json", cwd=folder) as proxy:
        (folder / "out").rmdir()
        (folder / "out").write_text("")
    assert proxy.status == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_on_a_terminal_the_address_of_the_inspector_is_told(tmp_path: Path, host: str) -> None:
    """With the token: who sits there may change something, and need not look for it. It leads to this machine."""
    import pty

    ours, theirs = pty.openpty()
    ready = tmp_path / "ready.json"
    words = [*COMMAND, "serve", "--port", "0", "--admin-port", "0", "--ready-file", str(ready)]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        env=environment(REPLAYPROXY_ADMIN_HOST=host),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    try:
        os.close(theirs)
        told = b""
        while b"inspector: " not in told or not told.endswith(b"\n"):
            told += os.read(ours, 65536)
        wait_until(ready.exists)
        facts = json.loads(ready.read_text())
        process.terminate()
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    where = str(facts["admin_url"]).replace("0.0.0.0", "127.0.0.1")
    assert f"inspector: {where}/#token={facts['admin_token']}\r\n" in told.decode()
    assert facts["admin_token"] not in out


def test_elsewhere_the_token_is_not_told(folder: Path) -> None:
    """What standard error is kept in is read by others: a log, a CI's page."""
    with started("playback", cwd=folder) as proxy:
        token = str(proxy.facts["admin_token"])
    assert "inspector" not in proxy.out + proxy.err
    assert token not in proxy.out + proxy.err
