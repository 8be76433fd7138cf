"""`replayproxy tail`, as a process beside a running proxy."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminals import CONTROLS, on_a_terminal, shown, uncoloured
from tests.cli.test_tail_lines import row
from tests.processes import COMMAND, PATIENCE, Running, client, ended, environment, started, wait_until

BETA = {"OpenAI-Beta": "assistants=v2"}
EVIL = "\x1b[31mred\x1b]52;c;ZXZpbA==\x07\x9b31m\r\x7f\u202e\u200b\u2028[red]x[/red]"


def ask(proxy: Running, *targets: str, method: str = "POST") -> None:
    """Sends requests through a proxy."""
    with client(proxy.url, headers=BETA) as http:
        for target in targets:
            http.request(method, target, json={} if method == "POST" else None)


@contextmanager
def tailing(*words: str, cwd: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A `tail` that is running."""
    process = subprocess.Popen(
        [*COMMAND, "tail", *words],
        cwd=cwd,
        env=environment(**more),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def line(process: subprocess.Popen[str]) -> str:
    """The next line that is printed."""
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A playback without anything recorded, that was asked three times."""
    with started("playback", cwd=tmp_path_factory.mktemp("proxy")) as proxy:
        ask(proxy, "/v1/threads", "/v1/threads/runs")
        ask(proxy, "/v1/models", method="GET")
        yield proxy


class TestWithAProxy:
    """What a proxy's own feed makes."""

    def test_the_past_is_shown(self, proxy: Running, tmp_path: Path) -> None:
        """One line each, in order; a miss with why."""
        told = ended("tail", "--no-follow", "--admin", proxy.admin_url, cwd=tmp_path)
        assert (told.returncode, told.stderr) == (0, "")
        lines = [each.split() for each in told.stdout.splitlines() if not each.startswith("    ")]
        assert [each[1:4] for each in lines] == [
            ["missed", "POST", "createThread"],
            ["missed", "POST", "createThreadAndRun"],
            ["missed", "GET", "listModels"],
        ]
        notes = [each for each in told.stdout.splitlines() if each.startswith("    ")]
        assert len(notes) > 3
        assert "\x1b" not in told.stdout

    def test_only_the_latest_that_fit(self, proxy: Running, tmp_path: Path) -> None:
        """By a filter and a number; a term with a - must not fit."""
        words = ("tail", "--no-follow", "--admin", proxy.admin_url, "--json")
        for more, expected in (
            (("-n", "1"), ["/v1/models"]),
            (("method:POST",), ["/v1/threads", "/v1/threads/runs"]),
            (("-method:POST", "outcome:miss"), ["/v1/models"]),
            (("-n", "1", "--", "-method:POST"), ["/v1/models"]),
            (("-n", "1", "method:POST", "-operation:createThread"), ["/v1/threads/runs"]),
            (("outcome:played",), []),
        ):
            told = ended(*words, *more, cwd=tmp_path)
            assert [json.loads(each)["target"] for each in told.stdout.splitlines()] == expected, more

    def test_a_ready_file_names_the_proxy(self, proxy: Running, tmp_path: Path) -> None:
        """With its token."""
        (tmp_path / "r.json").write_text(json.dumps(proxy.facts))
        told = ended("tail", "--no-follow", "--ready-file", "r.json", "-n1", cwd=tmp_path)
        assert "listModels" in told.stdout

    def test_a_variable_names_it_too(self, proxy: Running, tmp_path: Path) -> None:
        """For everything that is run in a shell."""
        told = ended("tail", "--no-follow", "-n1", cwd=tmp_path, REPLAYPROXY_ADMIN_URL=proxy.admin_url)
        assert "listModels" in told.stdout

    def test_a_filter_that_makes_no_sense_is_refused(self, proxy: Running, tmp_path: Path) -> None:
        """With what the proxy says of it."""
        told = ended("tail", "--admin", proxy.admin_url, "outcme:miss", cwd=tmp_path)
        assert told.returncode == 2
        assert "did you mean `outcome`?" in told.stderr

    def test_a_terminal_gets_colours_and_names_of_columns(self, proxy: Running, tmp_path: Path) -> None:
        """Unless they are not wanted."""
        words = ("tail", "--no-follow", "--admin", proxy.admin_url, "-n1")
        told = shown(*words, cwd=tmp_path)
        assert "\x1b[1;31mmissed" in told
        head, first, *_ = uncoloured(told).splitlines()
        assert head.split() == ["TIME", "OUTCOME", "METHOD", "WHAT", "STATUS", "TTFB", "TOTAL", "TOKENS", "SESSION"]
        assert first.index("listModels") == head.index("WHAT")
        assert "\x1b" not in shown(*words, cwd=tmp_path, NO_COLOR="1")
        assert "\x1b[" in ended(*words, cwd=tmp_path, FORCE_COLOR="1").stdout


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A playback that is asked while it is watched."""
    with started("playback", cwd=tmp_path_factory.mktemp("live")) as proxy:
        ask(proxy, "/v1/threads")
        yield proxy


class TestFollowing:
    """What happens while it is watched."""

    def test_lines_appear_as_it_happens(self, live: Running, tmp_path: Path) -> None:
        """Through a pipe without delay."""
        with tailing("--admin", live.admin_url, "--json", "-n0", cwd=tmp_path) as tail:
            wait_until(lambda: _asked_until_told(live, tail))
            assert json.loads(line(tail))["operation"] == "createThread"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_ends_it(self, number: int, live: Running, tmp_path: Path) -> None:
        """Cleanly."""
        with tailing("--admin", live.admin_url, "-n1", cwd=tmp_path) as tail:
            assert "createThread" in line(tail)
            tail.send_signal(number)
            assert tail.wait(PATIENCE) == 0
            assert tail.stderr is not None
            assert tail.stderr.read() == ""

    def test_it_ends_when_nobody_reads(self, live: Running, tmp_path: Path) -> None:
        """Like `| head`: at once, though nothing happens that it could print."""
        with tailing("--admin", live.admin_url, "-n1", cwd=tmp_path) as tail:
            line(tail)
            assert tail.stdout is not None
            tail.stdout.close()
            tail.stdout = None
            assert tail.wait(PATIENCE) == 0
            assert tail.stderr is not None
            assert tail.stderr.read() == ""

    def test_a_terminal_is_left_as_it_was(self, live: Running, tmp_path: Path) -> None:
        """Ctrl+C is no error."""
        with on_a_terminal("tail", "--admin", live.admin_url, "-n1", cwd=tmp_path) as terminal:
            terminal.wait_for("createThread")
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.finish() == 0


def _asked_until_told(proxy: Running, tail: subprocess.Popen[str]) -> bool:
    """Asks the proxy; whether the tail, which may still be starting, has printed something."""
    ask(proxy, "/v1/threads")
    assert tail.stdout is not None
    return bool(select.select([tail.stdout], [], [], 0.2)[0])


def test_a_proxy_that_goes_and_comes_back_is_followed(tmp_path: Path) -> None:
    """With a message for each; the file that it writes says where it is the next time."""
    ready = tmp_path / "r.json"
    with started("playback", cwd=tmp_path) as first:
        ask(first, "/v1/threads")
        ready.write_text(json.dumps(first.facts))
        with tailing("--ready-file", str(ready), "--json", cwd=tmp_path) as tail:
            assert json.loads(line(tail))["target"] == "/v1/threads"
            first.stop()
            assert tail.stderr is not None
            assert "went away" in tail.stderr.readline()
            ready.unlink()
            with started("playback", cwd=tmp_path) as second:
                ask(second, "/v1/models", method="GET")
                ready.write_text(json.dumps(second.facts))
                assert json.loads(line(tail))["target"] == "/v1/models"
                assert tail.stderr.readline() == f"replayproxy: {second.admin_url} is back\n"
                assert tail.poll() is None


class Fake(BaseHTTPRequestHandler):
    """Answers with what the test says."""

    answers: Callable[[Fake], None]

    def do_GET(self) -> None:
        """Any request."""
        self.server.answer(self)  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is given
        """Nothing."""

    def give(self, status: int, kind: str, body: bytes) -> None:
        """An answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def fake(answer: Callable[[Fake], None]) -> Iterator[str]:
    """The URL of an admin port that answers otherwise."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    server.answer = answer  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def events(*told: tuple[str, Any]) -> bytes:
    """A feed."""
    return b"".join(f"event: {name}\ndata: {json.dumps(value)}\n\n".encode() for name, value in told)


def test_hostile_exchanges_are_text(tmp_path: Path) -> None:
    """On a terminal with colours, in a pipe, and as JSON."""
    evil = row(1, "missed", session=EVIL, target=EVIL, operation=None, method=EVIL, note=EVIL, arrived=EVIL)
    stream = events(("page", {"exchanges": [evil]}), ("caught_up", {}), ("exchanges", {"exchanges": [], "left_out": 3}))

    def answer(fake: Fake) -> None:
        if fake.path.startswith("/feed"):
            fake.give(200, "text/event-stream", stream)
        else:
            fake.give(200, "application/json", json.dumps({"note": f"{EVIL}\n{EVIL}"}).encode())

    with fake(answer) as url:
        words = ("tail", "--no-follow", "--admin", url)
        on_terminal = shown(*words, cwd=tmp_path)
        piped = ended(*words, cwd=tmp_path).stdout
        told = ended(*words, "--json", cwd=tmp_path).stdout
    for text in (uncoloured(on_terminal), piped, told):
        assert text.strip()
        assert not CONTROLS.search(text), CONTROLS.search(text)
    assert "[red]x[/red]" in piped
    assert json.loads(told)["target"] == EVIL


def test_a_miss_whose_exchange_is_gone_has_the_first_line_of_its_note(tmp_path: Path) -> None:
    """That is in the list; the journal may have dropped the rest, or cannot be asked."""
    missed = [row(number, "missed", note=f"note {number}") for number in (1, 2, 3)]
    stream = events(("page", {"exchanges": missed[::-1]}), ("caught_up", {}))

    def answer(fake: Fake) -> None:
        if fake.path.startswith("/feed"):
            fake.give(200, "text/event-stream", stream)
        elif fake.path == "/exchanges/1":
            fake.give(404, "application/json", b"{}")
        elif fake.path == "/exchanges/2":
            fake.give(200, "application/json", b"{")
        else:
            fake.give(200, "application/json", b'{"note": "whole\\nnote"}')

    with fake(answer) as url:
        told = ended("tail", "--no-follow", "--admin", url, cwd=tmp_path).stdout
    notes = [line for line in told.splitlines() if line.startswith("    ")]
    assert notes == ["    note 1", "    note 2", "    whole", "    note"]


def test_what_was_left_out_is_counted(tmp_path: Path) -> None:
    """On standard error."""
    stream = events(("caught_up", {}), ("exchanges", {"exchanges": [row(1)], "left_out": 3}))
    calls = list[str]()

    def answer(fake: Fake) -> None:
        calls.append(fake.path)
        fake.give(200, "text/event-stream", stream)

    with fake(answer) as url, tailing("--admin", url, "outcome:miss", "a b", cwd=tmp_path) as tail:
        assert "createThread" in line(tail)
        assert tail.stderr is not None
        assert tail.stderr.readline() == "replayproxy: 3 more went through too quickly to be shown\n"
        assert tail.stderr.readline().endswith("went away (it ended the feed); waiting until it is back\n")
        assert tail.stderr.readline().endswith("is back\n")
    assert calls[0] == "/feed?filter=outcome:miss+a+b"


@pytest.mark.parametrize(
    ("status", "kind", "body", "told"),
    [
        (401, "application/json", b'{"error":{"message":"x"}}', "wants the admin token: set REPLAYPROXY_ADMIN_TOKEN"),
        (400, "application/json", b'{"error":{"message":"filter: bad\\u001b"}}', "Error: bad\\x1b"),
        (404, "application/json", b"[]", "is no admin port of a proxy (GET /feed: 404)"),
        (200, "text/html", b"<p>", "is no admin port of a proxy (GET /feed: 200)"),
        (424, "application/json", b'{"error":{"message":"miss"}}', "is no admin port of a proxy (GET /feed: 424)"),
        (500, "application/json", b"", "is no admin port of a proxy (GET /feed: 500)"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, kind: str, body: bytes, told: str, tmp_path: Path) -> None:
    """Exit status 2."""
    with fake(lambda each: each.give(status, kind, body)) as url:
        done = ended("tail", "--admin", url, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr


def test_the_token_is_shown_to_the_proxy(tmp_path: Path) -> None:
    """From the environment, or from the ready file; never printed."""
    seen = list[str | None]()

    def answer(fake: Fake) -> None:
        seen.append(fake.headers["x-replayproxy-token"])
        fake.give(401, "application/json", b"{}")

    with fake(answer) as url:
        (tmp_path / "r.json").write_text(json.dumps({"admin_url": url, "admin_token": "t" * 20}))
        one = ended("tail", "--admin", url, cwd=tmp_path, REPLAYPROXY_ADMIN_TOKEN="s" * 20)
        other = ended("tail", "--ready-file", "r.json", cwd=tmp_path)
        ended("tail", "--admin", url, cwd=tmp_path)
    assert seen == ["s" * 20, "t" * 20, None]
    assert "ssss" not in one.stderr
    assert "tttt" not in other.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--admin", "127.0.0.1:8081"), "is no URL of an admin port; it looks like http://127.0.0.1:8081"),
        (("--admin", "http://["), "is no URL of an admin port"),
        (("--ready-file", "none.json"), "cannot read the ready file none.json"),
        (("--ready-file", "other.json"), "other.json is no ready file of a proxy"),
        (("--ready-file", "list.json"), "list.json is no ready file of a proxy"),
        (("-n", "-1"), "-1 is not in the range"),
        (("--jsno",), "No such option"),
    ],
)
def test_wrong_usage_says_what_to_do(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """Exit status 2, and no traceback."""
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "list.json").write_text("[]")
    done = ended("tail", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_that_is_none_is_refused(tmp_path: Path) -> None:
    """It is not repeated."""
    done = ended("tail", cwd=tmp_path, REPLAYPROXY_ADMIN_TOKEN="abc\x1bdef")
    assert (done.returncode, "abc" in done.stderr) == (2, False)


def test_nothing_listens_there(tmp_path: Path) -> None:
    """It says how a proxy is started."""
    with fake(lambda each: None) as url:
        pass
    done = ended("tail", "--admin", url, cwd=tmp_path)
    assert done.returncode == 2
    assert f"no proxy answers on {url}: nothing listens there; start a proxy with `replayproxy serve`" in done.stderr


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_reader_that_has_gone_before_the_first_line(kind: str, tmp_path: Path) -> None:
    """Nobody wants to know; it ends."""
    stream = events(("page", {"exchanges": [row(number) for number in range(500)]}), ("caught_up", {}))
    if kind == "pipe":
        ours, theirs = os.pipe()
    else:
        ours, theirs = (each.detach() for each in socket.socketpair())
    os.close(ours)
    with fake(lambda each: each.give(200, "text/event-stream", stream)) as url:
        done = subprocess.run(
            [*COMMAND, "tail", "--admin", url, "-n", "500"],
            cwd=tmp_path,
            env=environment(),
            text=True,
            stdout=theirs,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_has_examples(tmp_path: Path) -> None:
    """And says how to ask for what must not be."""
    told = ended("tail", "--help", cwd=tmp_path).stdout
    assert "Examples:\n" in told
    assert "-session:default" in told
