"""Bars of progress."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from replayproxy.cli.progress import is_shown, progress_of, steps
from replayproxy.core.cassette import Head
from replayproxy.stores import FileStore
from tests.builders import interaction
from tests.cli.terminals import shown, uncoloured
from tests.processes import ended

SPEC = {
    "openapi": "3.1.0",
    "info": {"title": "A", "version": "1"},
    "paths": {"/a": {"get": {"operationId": "getA", "responses": {"200": {"description": "it"}}}}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with some cassettes, and a description of an API."""
    for name in "abc":
        recorder = FileStore(tmp_path / "cassettes" / f"{name}.yaml").append_to(Head())
        recorder.append(interaction(), 1)
        recorder.close()
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("cassette", "scan", "cassettes"), "Scanning"),
        (("cassette", "redact", "cassettes"), "Redacting"),
        (("cassette", "check", "cassettes"), "Checking"),
        (("cassette", "stats", "cassettes"), "Counting"),
        (("catalog", "import", "spec.json", "-o", "catalog.json"), "Reading spec.json"),
    ],
)
class TestCommands:
    """Those that may take long over many files."""

    def test_a_terminal_shows_a_bar(self, words: tuple[str, ...], told: str, folder: Path) -> None:
        """On standard error, though the output goes elsewhere; it is gone in the end."""
        seen = shown(*words, cwd=folder, piped=True)
        assert told in uncoloured(seen)
        assert "\x1b[2K" in seen

    def test_a_quiet_one_shows_none(self, words: tuple[str, ...], told: str, folder: Path) -> None:
        """Only its result."""
        seen = shown(*words, "--quiet", cwd=folder)
        assert told not in seen
        assert "\x1b[2K" not in seen

    def test_a_pipe_gets_none(self, words: tuple[str, ...], told: str, folder: Path) -> None:
        """Logs of a build server stay readable."""
        done = ended(*words, cwd=folder)
        assert done.returncode == 0
        assert told not in done.stderr
        assert "\x1b" not in done.stdout + done.stderr


def test_results_are_whole_below_a_bar(folder: Path) -> None:
    """Lines do not run into it."""
    seen = uncoloured(shown("cassette", "check", "cassettes", cwd=folder))
    lines = [line for line in seen.splitlines() if line.startswith("cassettes/")]
    assert lines == [f"cassettes/{name}.yaml: ok, 1 interactions" for name in "abc"]


def test_here_is_no_terminal() -> None:
    """Nothing is shown, and everything is done."""
    assert not is_shown(9, quiet=False)
    assert [*progress_of((1, 2, 3), "x")] == [1, 2, 3]
    with steps(3) as begin:
        begin("a")
