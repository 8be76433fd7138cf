"""`demo`: the first thing that a newcomer runs."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import openai
import pytest

from tests.processes import COMMAND, ended, environment


def test_demo_shows_all_of_it_and_passes(tmp_path: Path) -> None:
    """Record, playback with the emulator stopped, a miss explained, what to type next; nothing in the folder."""
    result = ended("demo", "--once", cwd=tmp_path, TMPDIR=str(tmp_path / ".."))
    assert (result.returncode, result.stderr) == (0, "")
    path = r"/v1/threads/thread_\w{24}/messages"
    for line in (
        rf"  1 record    POST {path}  200  \d+ ms  saved as #2 in .+/demo\.yaml",
        rf"  2 playback  POST {path}  200  \d+ ms  emulator stopped, bytes identical",
        rf"  3 miss      POST {path}  424  \d+ ms  the question was changed; what the app is told:",
        r"      nearest: #2 \(.+/demo\.yaml:\d+\) differs in body\.content: recorded \"How does AI work\?.+",
        r"  replayproxy serve .+",
    ):
        assert re.search(f"^{line}$", result.stdout, re.MULTILINE), result.stdout
    assert "\x1b" not in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning:tests.*")
def test_demo_stays_up_for_the_official_client(tmp_path: Path) -> None:
    """What it says to export works, what the client asks is shown, and Ctrl+C ends it well."""
    process = subprocess.Popen(
        [*COMMAND, "demo"],
        cwd=tmp_path,
        env=environment(PYTHONUNBUFFERED="1", TMPDIR=str(tmp_path)),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        said = ""
        while "replayproxy run" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        exported = re.search(r"export OPENAI_BASE_URL=(\S+) OPENAI_API_KEY=(\S+)", said)
        assert exported, said
        with openai.OpenAI(base_url=exported[1], api_key=exported[2]) as client:
            assert client.beta.threads.create(metadata={"mine": "yes"}).id.startswith("thread_")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "POST /v1/threads 200 saved" in err
    assert "Traceback" not in err
