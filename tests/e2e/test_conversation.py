"""The main job from end to end: record a conversation, play it with the upstream gone, record it again.

Everything here is a process of its own: the app with its client, the proxy, the emulator.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.processes import Running, app, ended, program, started
from tests.proxies import documents

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
WITH_CURL = pytest.param(("conversation.sh",), marks=needs_curl)
CASSETTE = "talk.yaml"
#: What is asked in the conversation, and how it ends.
STATUSES = [200, 200, 200, 200, 200, 200, 400]


def talked(mode: str, words: tuple[str, ...], cwd: Path, upstream: str = "") -> tuple[str, Running]:
    """What the app prints behind a proxy in `mode`, and the proxy, stopped."""
    options = ("--upstream", upstream) if upstream else ()
    with started(mode, "--cassette", CASSETTE, *options, cwd=cwd) as proxy:
        transcript = app(*words, url=proxy.url, cwd=cwd)
    return transcript, proxy


def recorded(words: tuple[str, ...], cwd: Path, path: str = "") -> tuple[str, Running, str]:
    """What the app prints while it is recorded on a new emulator, the proxy, and the emulator's URL."""
    with started("emulate", cwd=cwd) as emulator:
        return *talked("record", words, cwd, emulator.url + path), emulator.url


@pytest.mark.parametrize("words", [("conversation.py",), ("conversation.py", "--async"), WITH_CURL], ids=" ".join)
def test_conversation_is_recorded_played_and_recorded_again(words: tuple[str, ...], tmp_path: Path) -> None:
    """Playback prints the same transcript, raw bodies and ids included; a second take leaves the file as it is."""
    first, proxy, first_url = recorded(words, tmp_path)
    assert proxy.status == 0
    assert [part["response"]["status"] for part in documents(tmp_path / CASSETTE)[1:]] == STATUSES
    take = (tmp_path / CASSETTE).read_bytes()

    second, proxy = talked("playback", words, tmp_path)
    assert second == first
    assert (proxy.status, proxy.err.splitlines()[-2:]) == (
        0,
        ["replayproxy: playback: 7 played", "replayproxy: passed"],
    )

    third, proxy, other_url = recorded(words, tmp_path)
    assert (third, proxy.status) == (first, 0)
    assert other_url != first_url
    assert (tmp_path / CASSETTE).read_bytes() == take


def test_take_of_one_client_answers_the_other(tmp_path: Path) -> None:
    """What a client says of itself is not what it asks: one client's recording answers another."""
    with started("record", "--cassette", CASSETTE, cwd=tmp_path) as proxy:
        first = app("conversation.py", url=proxy.url, cwd=tmp_path)
    second, proxy = talked("playback", ("conversation.py", "--async"), tmp_path)
    assert (second, proxy.status) == (first, 0)


@needs_curl
def test_upstream_may_hold_the_path_of_the_base_url(tmp_path: Path) -> None:
    """With `http://HOST:PORT/v1` as the upstream, a client whose base URL ends in /v1 gets the same."""
    paths = []
    for prefix in ("", "/v1"):
        (tmp_path / CASSETTE).unlink(missing_ok=True)
        transcript, _, _ = recorded(("conversation.sh",), tmp_path, prefix)
        paths.append((transcript, [part["request"]["target"] for part in documents(tmp_path / CASSETTE)[1:]]))
    assert paths[0] == paths[1]


@needs_curl
def test_auto_records_first_and_plays_then(tmp_path: Path) -> None:
    """A plain `serve`: the emulator answers the first time, the cassette in ./cassettes ever after."""
    transcripts, verdicts = [], []
    for _ in range(2):
        with started("serve", cwd=tmp_path) as proxy:
            transcripts.append(app("conversation.sh", url=proxy.url, cwd=tmp_path))
        verdicts.append(proxy.err.splitlines()[-2])
    assert transcripts[0] == transcripts[1]
    assert re.search(r"\b7 saved\b", verdicts[0])
    assert verdicts[1] == "replayproxy: auto: 7 played"
    assert len(documents(tmp_path / "cassettes" / "default.yaml")) == 8


def test_run_records_and_plays(tmp_path: Path) -> None:
    """`run` alone does all of it, and needs no key of the user in either mode."""
    command = ("--cassette", CASSETTE, "--", *program("conversation.py"))
    first = ended("run", "--mode", "record", *command, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    second = ended("run", "--mode", "playback", *command, cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout
    assert [part["response"]["status"] for part in documents(tmp_path / CASSETTE)[1:]] == STATUSES
    assert "saved" in first.stderr
    assert "7 played" in second.stderr
