"""`emulate` as a process."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.processes import client, ended, started

BETA = {"Authorization": "Bearer any", "OpenAI-Beta": "assistants=v2"}


def emulated(cwd: Path, *options: str) -> list[dict[str, Any]]:
    """What a new emulator answers to the same requests."""
    with started("emulate", *options, cwd=cwd) as emulator, client(emulator.url, headers=BETA) as api:
        thread = api.post("/v1/threads", json={}).json()
        message = api.post(f"/v1/threads/{thread['id']}/messages", json={"role": "user", "content": "Hello"}).json()
    return [thread, message]


def test_seed_and_clock_make_the_ids_and_times(tmp_path: Path) -> None:
    """The same ones give the same answers, others do not."""
    one, other = emulated(tmp_path), emulated(tmp_path, "--seed", "1", "--clock-start", "5")
    assert emulated(tmp_path, "--seed", "0") == one
    assert [part["id"] for part in one] != [part["id"] for part in other]
    assert [part["created_at"] for part in other] == [5, 5]


def test_it_says_where_it_is_and_ends_when_told(tmp_path: Path) -> None:
    """A ready line, a ready file, health, and 0 after SIGINT; nothing in the folder."""
    with started("emulate", cwd=tmp_path) as emulator:
        with client(emulator.admin_url) as admin:
            assert admin.get("/health").json()["status"] == "ok"
            assert admin.get("/ready").json()["mode"] == "emulate"
        emulator.stop(signal.SIGINT)
    assert (emulator.status, emulator.err) == (0, "")
    assert emulator.out == f"replayproxy: emulate on {emulator.url} (admin {emulator.admin_url})\n"
    assert emulator.facts.keys() == {"mode", "url", "admin_url", "pid"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", "-1"), r"Invalid value for '--seed'"),
        (("--clock-start", "soon"), r"Invalid value for '--clock-start'"),
        (("--port", "0", "--host", "192.0.2.1"), r"cannot listen on 192\.0\.2\.1:0 \(.+\); choose another --host"),
    ],
)
def test_wrong_usage_is_2(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    """One message that names the option."""
    result = ended("emulate", *options, cwd=tmp_path)
    assert result.returncode == 2
    assert re.search(f"Error: {message}", result.stderr)
    assert "Traceback" not in result.stderr
