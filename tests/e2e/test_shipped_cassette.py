"""The recording that ships with the project, played to the official client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.processes import APPS, COMMAND, environment

CASSETTE = Path(__file__).parents[2] / "cassettes" / "create-message.yaml"


def test_the_shipped_cassette_answers_the_app_it_was_recorded_with(tmp_path: Path) -> None:
    """Nothing misses and nothing is left over; the file stays as it is."""
    before = CASSETTE.read_bytes()
    words = ["run", "--mode", "playback", "--strict", "--cassette", str(CASSETTE), "--"]
    done = subprocess.run(
        [*COMMAND, *words, sys.executable, str(APPS / "conversation.py")],
        cwd=tmp_path,
        env=environment(),
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "msg_" in done.stdout
    assert "Invalid value: 'human'" in done.stdout
    assert CASSETTE.read_bytes() == before
