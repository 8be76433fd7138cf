"""Rows of OUT: what a stranger sent or recorded cannot steer a terminal, forge a line of the log, or run in a page."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from replayproxy.cli import cli
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.codec import encode, encode_head
from replayproxy.core.messages import Chunk, Headers, Request, Response
from replayproxy.core.problem import Problem
from tests.processes import COMMAND, PATIENCE, client, ended, environment, started
from tests.robustness.harness import Stage, staged

#: What steers a terminal or deceives who looks at it: escape sequences, C1, what moves the cursor, what is not seen,
#: what turns the direction, what ends lines elsewhere.
EVIL = (
    "\x1b[31mred\x1b]52;c;ZXZpbA==\x07\x1bP+q\x1b\\ \x1b]8;;http://evil.test\x1b\\"
    "\x9b31m\x9d52;c;x\x9c\x80\x85\x9f\r\x08\x0b\x0c\x00\x7f"
    "\u202a\u202e\u2066\u2069\u200b\u200d\u200e\u2060\ufeff\u061c\U000e0041\u2028\u2029"
)
#: A control that is no line end and no tab; the bytes of C1 are such only as characters of their own.
CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0041]"
)


#: What of it may stand in a head (a cassette that has the rest there is refused), and in the name of a file.
SHOWN = EVIL.translate(dict.fromkeys([*range(32), 0x7F]))
TARGET = "/v1/chat?x=\u202e\u200b\u2066%1b%9b"
NAMED = "\x1b[31m\x9b32m\u202e\x07.yaml"
#: The beginning of a document whose rest is hostile in another way each time.
HEAD = "replayproxy: 3\n...\n--- # 1\n"
MESSAGE = "request:\n  method: GET\n  target: /\nresponse:\n  status: 200\n"
SPOILED = {
    "unknown key": f"{HEAD}{json.dumps(EVIL)}: 1\n{MESSAGE}...\n",
    "status": HEAD + MESSAGE.replace("200", json.dumps(EVIL)) + "...\n",
    "header": HEAD
    + MESSAGE.replace("  target", f"  headers:\n    - {json.dumps(EVIL)}: {json.dumps(EVIL)}\n  target")
    + "...\n",
    "file of a body": HEAD + MESSAGE + f"  body:\n    file: {json.dumps(EVIL)}\n...\n",
    "raw controls": HEAD + MESSAGE + f"  body:\n    text: {EVIL}\n...\n",
    "no document": EVIL,
    "version": f"replayproxy: {json.dumps(EVIL)}\n...\n",
    "duplicate": f"{HEAD}{json.dumps(EVIL)}: 1\n{json.dumps(EVIL)}: 1\n{MESSAGE}...\n",
}


def recorded() -> str:
    """A cassette with hostile text wherever it may be."""
    headers = Headers.of(("Content-Type", "application/json"), ("X-Note", SHOWN))
    body = json.dumps({f"k{EVIL}": EVIL, "secret": "x"}, ensure_ascii=False).encode()
    events = "".join(f"event: {sign}\ndata: {sign}\n\n" for sign in EVIL).encode()
    text, stream = (Headers.of(("Content-Type", kind)) for kind in ("text/plain; charset=utf-8", "text/event-stream"))
    problem = Problem(EVIL, param=EVIL, code="x")
    asked, told = Request("POST", TARGET, headers, body), Response(200, SHOWN, headers, body)
    said, chunks = Response(200, "", text, EVIL.encode()), (Chunk(0.1, len(events)),)
    interactions = (
        Interaction(asked, told, "createThread"),
        Interaction(Request("POST", "/v1/threads", text, EVIL.encode()), said, problems=(problem,)),
        Interaction(Request("GET", "/v1/x", text, EVIL.encode()), Response(200, "", stream, events, "", chunks)),
    )
    documents = (encode(interaction, number, 1 << 20).text for number, interaction in enumerate(interactions, 1))
    return encode_head(Head(upstream=SHOWN)) + "".join(documents)


def run(folder: Path, *words: str) -> str:
    """What a command prints in a process of its own, both outputs together."""
    done = ended(*words, cwd=folder, NO_COLOR="1")
    return done.stdout + done.stderr


def run_on_a_terminal(folder: Path, *words: str) -> str:
    """What a command prints on a terminal that shows no colours."""
    seen, (ours, theirs) = environment(NO_COLOR="1", TERM="xterm-256color", COLUMNS="200"), pty.openpty()
    process = subprocess.Popen([*COMMAND, *words], cwd=folder, env=seen, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    told = b"".join(_read(ours))
    process.wait(PATIENCE)
    # The line ends are the terminal's own; a bar of progress comes, moves and goes.
    return re.sub("\x1b\\[(?:\\?25[lh]|2K|1A)|\r", "", told.decode("utf-8", "surrogateescape"))


def _read(descriptor: int) -> Iterator[bytes]:
    try:
        while data := os.read(descriptor, 65536):
            yield data
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(descriptor)


#: Every command that shows something of a cassette, a file, the settings or an error.
COMMANDS = {
    "list": ("cassette", "list", "c.yaml"),
    "list --json": ("cassette", "list", "--json", "c.yaml"),
    "show": ("cassette", "show", "c.yaml", "1"),
    "show text": ("cassette", "show", "c.yaml", "2"),
    "show events": ("cassette", "show", "c.yaml", "3"),
    "show --json": ("cassette", "show", "--json", "c.yaml", "1"),
    "show too far": ("cassette", "show", "c.yaml", "9"),
    "check": ("cassette", "check", "--schema", "."),
    "check --json": ("cassette", "check", "--schema", "--json", "."),
    "scan": ("cassette", "scan", "."),
    "scan --json": ("cassette", "scan", "--json", "."),
    "redact": ("cassette", "redact", "--dry-run", "c.yaml", NAMED),
    "list a spoiled one": ("cassette", "list", NAMED),
    "list none": ("cassette", "list", f"no{NAMED}"),
    "validate": ("validate", "body.json", "--operation", "createThread"),
    "validate --json": ("validate", "body.json", "--operation", "createThread", "--json"),
    "validate an answer": ("validate", "body.json", "--operation", "createThread", "--answer"),
    "validate nothing": ("validate", NAMED, "--operation", EVIL.replace("\0", "")),
    "config check": ("config", "check", "evil.conf"),
    "config check --json": ("config", "check", "--json", "evil.conf"),
    "config show": ("config", "show", "--config", "shown.conf"),
    "config show --json": ("config", "show", "--config", "shown.conf", "--json"),
    "serve": ("serve", "--config", "evil.conf"),
    "playback": ("playback", "--cassette", NAMED, "--port", "0", "--admin-port", "0"),
    "run": ("run", "--mode", "playback", "--cassette", f"none{NAMED}", "--", NAMED),
    "no command": (f"x{NAMED}",),
    "no option": ("cassette", "list", f"--{NAMED}"),
}
#: What is shown on a terminal in another way than in a pipe.
ON_A_TERMINAL = ("list", "show", "scan", "list a spoiled one")
#: What listens when it can, and what nobody knows.
PROCESSES = ("show", "serve", "playback", "run", "no command")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a hostile cassette, hostile settings, and spoiled cassettes."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "c.yaml").write_bytes(recorded().encode())
    (folder / NAMED).write_text("replayproxy: [")
    for number, text in enumerate(SPOILED.values()):
        (folder / f"spoiled{number}.yaml").write_bytes(text.encode())
    (folder / "raw.yaml").write_bytes(b"replayproxy: 3\n...\n\x1b[31m\x9b32m\x90\xff")
    (folder / "body.json").write_text(json.dumps({EVIL: EVIL, "metadata": EVIL}))
    evil = json.dumps(EVIL)
    (folder / "evil.conf").write_text(f"mode: {evil}\n{evil}: 1\nupstream: {evil}\nmatch: {{ignore: [{evil}]}}\n")
    (folder / "shown.conf").write_text(f"cassette: {json.dumps(NAMED)}\nreceipt: {json.dumps(NAMED)}\n")
    return folder


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in PROCESSES])
def test_OUT_01_no_command_prints_a_control_character(
    command: str, hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is in a cassette, in the settings, in names of files and in errors about them, is spelled out."""
    monkeypatch.chdir(hostile)
    told = CliRunner().invoke(cli, COMMANDS[command])
    assert told.output
    assert told.exception is None or isinstance(told.exception, SystemExit)
    assert not CONTROLS.search(told.output), CONTROLS.search(told.output)
    if command.endswith("--json"):
        assert json.loads(told.stdout) is not None
        assert told.stdout.isascii()


@pytest.mark.parametrize("command", PROCESSES)
def test_OUT_01_no_process_prints_a_control_character(command: str, hostile: Path) -> None:
    """Nor what is told when it cannot start."""
    told = run(hostile, *COMMANDS[command])
    assert told
    assert "Traceback" not in told
    assert not CONTROLS.search(told), CONTROLS.search(told)


@pytest.mark.parametrize("command", ON_A_TERMINAL)
def test_OUT_01_a_terminal_gets_no_control_character_either(command: str, hostile: Path) -> None:
    """Not even for the sake of its looks, where colours are not wanted."""
    told = run_on_a_terminal(hostile, *COMMANDS[command])
    assert told
    assert not CONTROLS.search(told), CONTROLS.search(told)


def test_OUT_01_misses_and_receipts_are_text(hostile: Path) -> None:
    """A miss names what came nearest, the receipt what was never played; both quote what a stranger recorded."""
    (hostile / "receipts").mkdir()
    options = ("--cassette", "c.yaml", "--strict", "--receipt", "receipts/r.json", "--junit", "receipts/j.xml")
    with started("playback", *options, cwd=hostile, NO_COLOR="1") as proxy, client(proxy.url) as http:
        answers = [http.post("/v1/threads", content=text.encode()) for text in (EVIL, "other")]
        answers.append(http.post("/v1/chat", json={EVIL: EVIL}))
    files = [path.read_text() for path in (hostile / "receipts").iterdir()]
    assert len(files) == 2
    for told in (proxy.out, proxy.err, *files, *(answer.text for answer in answers)):
        assert not CONTROLS.search(told), CONTROLS.search(told)
    assert "never played" in proxy.err


def test_OUT_01_the_demo_is_text(tmp_path: Path) -> None:
    """It shows what its emulator answers."""
    told = run_on_a_terminal(tmp_path, "demo", "--once")
    assert "Next:" in told
    assert not CONTROLS.search(told)


LINE = re.compile(r"\d\d:\d\d:\d\d [A-Z]+ \S+ (?:\d{3}|-) .*")
#: What would forge a line of the log or steer the terminal that shows it.
REQUESTS = (
    b"GET /v1/a%0a12:00:00%20GET%20/forged%20200%20saved%201%20ms HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /v1/%1b%5b31mred%07%7f%c2%9b31m HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /v1/\xe2\x80\xa8\xc2\x9b31m\xff\x9b HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /v1/%s HTTP/1.1\r\nHost: {host}\r\n\r\n" % (b"x%0a" * 1500),
    b"GET /v1/tab HTTP/1.1\r\nHost: {host}\r\nUser-Agent: a\tb\x9b\xe2\x80\xae\r\n\r\n",
    b"POST /v1/body HTTP/1.1\r\nHost: {host}\r\nContent-Length: 8\r\n\r\n\x1b[31m\n\x9b\x07",
    b"POST /v1/threads HTTP/1.1\r\nHost: {host}\r\nOpenAI-Beta: assistants=v2\r\nContent-Type: application/json\r\n"
    b'Content-Length: 31\r\n\r\n{"\\u001b[31m\\n\\u009b\\u2028": 1}  ',
    b"GET /@a%0ab/v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\nx-replayproxy-session: a\x1b[31m\r\n\r\n",
    b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\nx-replayproxy-session: a\xe2\x80\xa8b\r\n\r\n",
    b"G\x1bET /v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"FORGED\xc2\x85 /v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
    b"GET /v1/x HTTP/1.1\r\nHost: ev\x1bil\r\n\r\n",
    b"GET /v1/x HTTP/1.1\r\nHost: {host}\r\nOrigin: http://\xc2\x9b31m.test\r\n\r\n",
    b"\x1b[31m\r\n12:00:00 GET /forged 200 saved 1 ms\r\n\r\n",
)


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("mode", ["record", "playback"])
def test_OUT_02_a_request_cannot_forge_a_line_of_the_log(style: str, mode: str, folder: Path) -> None:
    """A line for each exchange that begins with its time, further ones indented; no control character in any."""
    options = ("--log-format", style, "--validate", "warn")
    with staged(folder, *options, mode=mode) as stage:
        hostile = b"HTTP/1.1 200 \xc2\x9b31m\xe2\x80\xa8\r\nX-Evil: \xc2\x9b\r\nContent-Length: 5\r\n\r\n\x1b[1m\n"
        stage.upstream.answer(hostile)
        for request in REQUESTS:
            _asked(stage, request)
    told = stage.proxy.err
    assert not CONTROLS.search(told), CONTROLS.search(told)
    own = [line for line in told.splitlines() if not line.startswith("replayproxy: ") and not line.startswith("  ")]
    if style == "json":
        facts = [json.loads(line) for line in own]
        assert not [one for one in facts if one.get("target", "").startswith("/forged")]
        assert len([one for one in facts if "outcome" in one]) <= len(REQUESTS)
    else:
        lines = [line for line in own if LINE.fullmatch(line)]
        assert 5 <= len(lines) <= len(REQUESTS)
        assert not [line for line in own if " GET /forged " in line[:25]]


def _asked(stage: Stage, request: bytes) -> None:
    line = stage.line()
    line.send(request.replace(b"{host}", stage.host))
    line.answer()


HARMLESS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}
SCRIPT = b"%3Cscript%3Ealert(1)%3C/script%3E%3C/textarea%3E%3Cimg%20src=x%20onerror=alert(1)%3E"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/", 200),
        (b"/docs", 200),
        (b"/openapi.json", 200),
        (b"/health", 200),
        (b"/ready", 200),
        (b"/sessions", 200),
        (b"/sessions/default", 200),
        (b"/exchanges?limit=50", 200),
        (b"/exchanges/1", 200),
        (b"/exchanges/" + SCRIPT, 404),
        (b"/exchanges.har", 200),
        (b"/filters", 200),
        (b"/feed?filter=status:" + SCRIPT, 400),
        (b"/conversations", 200),
        (b"/usage", 200),
        (b"/cassettes", 200),
        (b"/cassettes/" + SCRIPT + b"/interactions", 404),
        (b"/diff?left=exchange:1&right=exchange:1", 200),
        (b"/exchanges?limit=" + SCRIPT, 400),
        (b"/exchanges?" + SCRIPT + b"=1", 400),
        (b"/sessions/" + SCRIPT, 404),
        (b"/" + SCRIPT, 404),
    ],
)
def test_OUT_04_what_the_admin_port_shows_cannot_run_in_a_browser(path: bytes, status: int, admin: Stage) -> None:
    """It is JSON, or a page with nothing of a stranger's in it; no browser guesses, frames, keeps or refers to it."""
    answer = admin.send(b"GET %b HTTP/1.1\r\nHost: {host}\r\n\r\n" % path, admin=True)
    assert answer.status == status
    told = dict(answer.headers)
    assert {name: told.get(name) for name in HARMLESS} == HARMLESS
    policy = told["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    if path in (b"/", b"/docs"):
        assert told["content-type"] == "text/html; charset=utf-8"
        own = b'<script type="module" src="/ui/main.js"></script>'  # the inspector's, and nothing beside it
        assert not re.search(rb"<script|onerror|javascript:|<img", answer.body.replace(own, b""))
    else:
        assert told["content-type"] == "application/json"
        json.loads(answer.body)


def test_OUT_04_what_was_recorded_is_told_as_json_and_nothing_else(admin: Stage) -> None:
    """The exchanges have it, as strings."""
    answer = admin.send(b"GET /exchanges HTTP/1.1\r\nHost: {host}\r\n\r\n", admin=True)
    assert b"<script>" in answer.body
    told: dict[str, Any] = json.loads(answer.body)
    assert any("<script>" in json.dumps(each) for each in told["exchanges"])


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A proxy through which hostile HTML went."""
    with staged(tmp_path_factory.mktemp("admin")) as stage:
        page = b"<script>alert(1)</script></textarea><img src=x onerror=alert(1)>"
        stage.upstream.answer(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page
        )
        stage.say(b"POST /v1/%b" % SCRIPT, b"Content-Type: text/html\r\nX-Note: %b\r\n" % page, page)
        yield stage
