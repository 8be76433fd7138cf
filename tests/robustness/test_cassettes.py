"""Cassettes from strangers are data: what is wrong is told with its line, and nothing of it ever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from replayproxy.core.key_line import FOREIGN_KEY, keyed, unkeyed
from replayproxy.core.matching import identity
from replayproxy.core.messages import Headers, Request
from tests.processes import COMMAND, environment
from tests.robustness.harness import Stage, staged

HEAD = "---\nreplayproxy: 3\n...\n"
GOOD = """\
--- # 1: GET /v1/a -> 200
request:
  method: GET
  target: /v1/a
response:
  status: 200
  headers:
    - content-type: text/plain
  body:
    text: hello
...
"""
#: What a start or a check may take: seconds of the processor, and bytes of memory that it may ask for.
SECONDS, MEMORY = 10, 500 * 1024**2


@dataclass(frozen=True, slots=True)
class Told:
    """What a command said, and the seconds of the processor and the bytes that it took."""

    status: int
    out: str
    err: str
    seconds: float
    memory: int


def write(folder: Path, content: str | bytes) -> Path:
    """The cassette `c.yaml` with this content."""
    path = folder / "c.yaml"
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    return path


#: Runs a command and writes down its exit status, seconds and bytes. A process of its own does, since what a child took
#: counts from the size of the process that started it.
_MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[2:])
_, status, used = os.wait4(process.pid, 0)
with open(sys.argv[1], "w") as file:
    print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, file=file)
"""


def told(*arguments: str, cwd: Path) -> Told:
    """Runs a command to its end, and measures it."""
    measured = cwd / "measured"
    command = [sys.executable, "-S", "-E", "-c", _MEASURE, str(measured), *COMMAND, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=True)
    status, seconds, memory = measured.read_text().split()
    measured.unlink()
    return Told(int(status), done.stdout, done.stderr, float(seconds), int(memory))


@dataclass(frozen=True, slots=True)
class Case:
    """A cassette that is not in order, words of what is told, and the line (None: whichever)."""

    content: str | bytes
    what: str
    line: int | None = None


def check_all_refused(folder: Path, cases: dict[str, Case]) -> None:
    """`cassette check` tells of each in one line, with its line; a playback answers nothing from any of them, and logs
    one line for it; and does not start when the first of them is its own."""
    for name, case in cases.items():
        content = case.content
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        (folder / f"{name}.yaml").write_bytes(raw)
    checked = told("cassette", "check", ".", cwd=folder)
    assert (checked.status, checked.err) == (1, ""), checked
    lines = {line.partition(".yaml: ")[0]: line for line in checked.out.splitlines()}
    assert set(lines) == set(cases)
    assert len(checked.out.splitlines()) == len(cases)
    for name, case in cases.items():
        assert "not in order: " in lines[name], lines[name]
        assert case.what in lines[name], (name, lines[name])
        assert case.line is None or f"line {case.line}: " in lines[name], (name, lines[name])
    with staged(folder, mode="playback") as stage:
        for name, case in cases.items():
            got = stage.say(f"GET /@{name}/v1/a".encode())
            assert (got.status, b"cassette_unreadable" in got.body) == (424, True), (name, got)
            assert case.what in json.loads(got.body)["error"]["message"], (name, got)
    assert stage.proxy.status == 1
    assert "Traceback" not in stage.proxy.err
    assert stage.proxy.err.count(" error: session ") == len(cases)
    check_start_refused(folder, f"{next(iter(cases))}.yaml", next(iter(cases.values())).what)


def check_start_refused(folder: Path, cassette: str, what: str) -> Told:
    """A playback of it does not start, and says why in one line."""
    played = told("playback", "--cassette", cassette, "--port", "0", "--admin-port", "0", cwd=folder)
    assert (played.status, played.out) == (2, ""), played
    assert len(played.err.splitlines()) == 1, played
    assert what in played.err
    assert cassette in played.err
    assert "Traceback" not in played.err
    return played


def check_refused(folder: Path, content: str | bytes, what: str) -> None:
    """One alone, with what it takes to find out."""
    write(folder, content)
    checked = told("cassette", "check", "c.yaml", cwd=folder)
    assert (checked.status, checked.err) == (1, ""), checked
    assert len(checked.out.splitlines()) == 1
    assert what in checked.out, checked
    for each in (checked, check_start_refused(folder, "c.yaml", what)):
        assert each.seconds < SECONDS, each
        assert each.memory < MEMORY, each


def changed(old: str, new: str) -> str:
    """A cassette that is good but for this."""
    assert old in GOOD
    return HEAD + GOOD.replace(old, new)


def line_with(content: str, what: str) -> int:
    """The number of the first line that has this in it."""
    return content[: content.index(what)].count("\n") + 1


# --- code and bombs


TAGS = (
    "!!python/object/apply:os.system [touch pwned]",
    "!!python/object/new:os.system [touch pwned]",
    "!!python/name:os.system",
    "!<tag:yaml.org,2002:python/object/apply:os.system> [touch pwned]",
    "!!binary aGk=",
    "!include ../../../../etc/passwd",
    "!x y",
    "! y",
)


def test_CAS_01_no_tag_means_anything(folder: Path) -> None:
    """Neither in the head nor in a body; nothing runs."""
    cases = dict[str, Case]()
    for number, tag in enumerate(TAGS):
        head, body = HEAD.replace("...", f"by: {tag}\n..."), changed("text: hello", f"json: {tag}")
        cases[f"head{number}"] = Case(head, "a tag stands here", line_with(head, tag))
        cases[f"body{number}"] = Case(body, "a tag stands here", line_with(body, tag))
    check_all_refused(folder, cases)
    assert not (folder / "pwned").exists()


LAUGHS = "\n".join(
    ["      a0: &a0 lol", *(f"      a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
)
#: Made when they are wanted: they are large.
BOMBS: dict[str, tuple[Callable[[], str], str]] = {
    "laughs": (lambda: changed("    text: hello", f"    json:\n{LAUGHS}"), "an anchor stands here"),
    "laughs in the head": (lambda: HEAD.replace("...", "a: &a [x]\nb: *a\n..."), "an anchor stands here"),
    "deep lists": (lambda: changed("text: hello", "json: " + "[" * 100_000), "levels deep"),
    "deep mappings": (lambda: changed("text: hello", "json: " + "{a: " * 100_000), "levels deep"),
    "deep blocks": (lambda: changed("text: hello", "json:\n      " + "- " * 100_000 + "x"), "levels deep"),
    "many values": (lambda: changed("text: hello", "json: [" + "1," * 4_000_000 + "]"), "values"),
    "many mappings": (lambda: changed("text: hello", "json: [" + "{}," * 4_000_000 + "]"), "values"),
    "many keys": (lambda: changed("text: hello", "json: {" + ",".join(map(str, range(1_500_000))) + "}"), "values"),
    "a large scalar": (lambda: changed("hello", "x" * (65 * 1024**2)), "too large"),
    "many documents": (lambda: HEAD + "---\n...\n" * 500_000, "mapping"),
    "a key without an end": (lambda: changed("text: hello", "json: {" + "x" * 2_000_000 + ": 1}"), ""),
    "a quote without an end": (lambda: changed("text: hello", 'text: "' + "x" * 2_000_000), ""),
}


#: The others are tried where time is no matter.
QUICK = {"laughs", "deep lists"}


@pytest.mark.parametrize(
    "bomb", [each if each in QUICK else pytest.param(each, marks=pytest.mark.heavy) for each in BOMBS]
)
def test_CAS_02_bombs_do_no_harm(folder: Path, bomb: str) -> None:
    """Whatever grows is refused before it does."""
    make, what = BOMBS[bomb]
    check_refused(folder, make(), what)


# --- what no reader agrees on

UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "a tag of binary": (changed("hello", "!!binary x"), "a tag"),
    "NUL": (changed("hello", "a\0b"), "not YAML"),
    "ESC": (changed("hello", "a\x1bb"), "not YAML"),
    "a tab": (changed("    text: hello", "\ttext: hello"), "not YAML"),
    "invalid UTF-8": ((HEAD + GOOD).encode().replace(b"hello", b"\xff"), "not UTF-8"),
    "a lone surrogate": (changed("hello", "\ud800"), "not UTF-8"),
    "UTF-16": ((HEAD + GOOD).encode("utf-16"), "UTF-16"),
    "UTF-32": ((HEAD + GOOD).encode("utf-32"), "UTF-16"),
    "empty": ("", "empty"),
    "white": (" \n\n", "empty"),
    "no cassette": ("interactions: []\n", "VCR.py"),
    "a torn document in the middle": (HEAD + GOOD.removesuffix("...\n") + GOOD, "no end mark"),
    "an end mark too many": (HEAD + "...\n" + GOOD, "without a document"),
    "between documents": (HEAD + "hello\n" + GOOD, "outside"),
    "a directive": ("%YAML 1.1\n" + HEAD + GOOD, "outside"),
    "a directive inside": (HEAD + "--- # 1\n%TAG ! tag:x,2000:\n" + GOOD[4:], ""),
    "a merge key": (changed("  status: 200", "  <<: {status: 200}"), "no field '<<'"),
    "a complex key": (changed("    text: hello", "    ? [a]\n    : b"), "no string"),
    "an alias": (changed("hello", "*x"), "an alias"),
    "a list of a document": (HEAD + "---\n- a\n...\n", "not a mapping"),
    "a version to come": (HEAD.replace("3", "4"), "knows up to"),
    "a version that is none": (HEAD.replace("3", "'3'"), "replayproxy: 1"),
    "a mark in a quote": (changed("hello", '"a\n---\nb"'), "no end mark"),
}


def test_CAS_05_what_is_no_cassette_is_told(folder: Path) -> None:
    """One line, exit 1 and 2, no traceback."""
    check_all_refused(folder, {name.replace(" ", "-"): Case(*case) for name, case in UNREADABLE.items()})


SCALARS = ("9" * 5000, "2001-02-30", "=", "NO", "1:30", "0777", "~", "y", "0x10", ".inf", "1e3", "<<", "off", "1_000")


def test_CAS_05_scalars_are_what_they_look_like(folder: Path) -> None:
    """What YAML 1.1 and 1.2 read differently is the text that stands there, or the number as it is spelled."""
    for number, scalar in enumerate(SCALARS):
        (folder / f"s{number}.yaml").write_text(changed("    text: hello", f"    json: {{a: {scalar}}}"))
    with staged(folder, mode="playback") as stage:
        for number, scalar in enumerate(SCALARS):
            spelled = scalar if scalar[0] == "9" or scalar == "1e3" else json.dumps(scalar)
            assert stage.say(b"GET /@s%d/v1/a" % number).body == f'{{"a":{spelled}}}'.encode()


REPEATED = (
    ("  status: 200", "  status: 200\n  status: 500"),
    ("  method: GET", "  method: GET\n  method: POST"),
    ("request:", "request: {}\nrequest:"),
    ("    text: hello", "    text: hello\n    text: bye"),
    ("text: hello", "json: {a: 1, a: 2}"),
    ("text: hello", 'json: {a: 1, "a": 2}'),
    ("  headers:", "  headers: []\n  headers:"),
    ("    - content-type: text/plain", "    - {a: b, a: c}"),
)


def test_CAS_06_repeated_keys_are_refused(folder: Path) -> None:
    """Nobody can say which of them counts."""
    cases = {f"r{number}": Case(changed(*pair), "stands here twice") for number, pair in enumerate(REPEATED)}
    check_all_refused(folder, cases)


WRONG = (
    *(
        ("status: 200", f"status: {status}", "not a final status")
        for status in (
            "abc",
            "-1",
            "99",
            "100",
            "101",
            "199",
            "600",
            "1000",
            "10000000000",
            "true",
            "",
            "2e2",
            '"200"',
        )
    ),
    ("  headers:\n    - content-type: text/plain", "  headers: x", "not a list"),
    ("  headers:\n    - content-type: text/plain", "  headers: {a: b}", "not a list"),
    ("    - content-type: text/plain", "    - [a, b]", "not one `name: value`"),
    ("    - content-type: text/plain", "    - a: 12", "not a string"),
    ("    - content-type: text/plain", "    - a: [b]", "not a string"),
    ("    - content-type: text/plain", '    - content-length: "5"\n    - Content-Length: "5"', "not one number"),
    ("    - content-type: text/plain", '    - content-length: "+5"', "not one number"),
    ("text: hello", "text: hello\n    coding: nonsense", "no coding is called"),
    ("  body:\n    text: hello", "  body: [1, 2]", "not a mapping"),
    ("  body:\n    text: hello", "  body: hello", "not a mapping"),
    ("    text: hello", "    text: hello\n    json: {}", "more than one form"),
    ("text: hello", "base64: '?'", "not base64"),
    ("text: hello", "events: {}", "not a list"),
    ("text: hello", "text: hello\n    chunks: [[0, -5]]", "a chunk"),
    ("text: hello", "text: hello\n    chunks: [[1e999, 5]]", "seconds"),
    ("method: GET", "method: 'GET /x HTTP/1.1'", "not a method"),
    ("target: /v1/a", "target: /v1/ a", "not a path"),
    ("target: /v1/a", "target: ''", "not a path"),
    ("request:\n  method: GET\n  target: /v1/a\n", "request: []\n", "not a mapping"),
    ("request:\n", "took: -1\nrequest:\n", "seconds"),
    ("request:\n", "first_byte: .nan\nrequest:\n", "seconds"),
    ("request:\n", "who: me\nrequest:\n", "no field 'who'"),
    ("text: hello", 'text: hello\n    coding: "a\\nb"', "line end or NUL"),
)


def test_CAS_07_what_is_no_answer_is_told(folder: Path) -> None:
    """With the line on which it stands."""
    cases = {f"w{number}": Case(changed(old, new), what) for number, (old, new, what) in enumerate(WRONG)}
    check_all_refused(folder, cases)


# --- injection

INJECTIONS = {
    "a line end": '"a\\r\\nSet-Cookie: x=1"',
    "a bare LF": '"a\\nSet-Cookie: x=1"',
    "a bare CR": '"a\\rSet-Cookie: x=1"',
    "NUL": '"a\\0b"',
    "a block": "|\n        a\n        Set-Cookie: x=1",
    "base64": "{base64: YQ0KU2V0LUNvb2tpZTogeD0x}",
}


#: Names that are no tokens.
ODD_NAMES = ('"a b"', '"a:b"', '"a\\r\\nb"', '""', '"é"', '"a\\0"', '" a"', "(x)")


def test_CAS_08_no_header_is_injected(folder: Path) -> None:
    """By a value, a name, or a reason."""
    header, cases = "    - content-type: text/plain", dict[str, Case]()
    for number, spelled in enumerate(INJECTIONS.values()):
        cases[f"value{number}"] = Case(changed(header, f"    - x-a: {spelled}"), "line end or NUL")
        reason = changed("  status: 200", f"  status: 200\n  reason: {spelled}")
        cases[f"reason{number}"] = Case(reason, "line end or NUL")
    for number, name in enumerate(ODD_NAMES):
        cases[f"name{number}"] = Case(changed(header, f"    - {name}: x"), "not a header's name")
    check_all_refused(folder, cases)


def test_CAS_08_a_key_that_proves_itself_proves_nothing_else(folder: Path) -> None:
    """Who writes a cassette can write its key line as well: what it covers is looked at all the same."""
    lines = (
        "x-a: a\rSet-Cookie: x=1",
        'x-a: "a\rSet-Cookie: x=1"',
        "x-a: a\x00b",
        "x-a: 'a\x0bb'",
        "x-a: *a",
        "x-a: !x a",
    )
    key = identity(Request("GET", "/v1/a", Headers()))
    for number, line in enumerate(lines):
        content = HEAD + keyed(GOOD.replace("content-type: text/plain", line), "1", key)
        (folder / f"k{number}.yaml").write_bytes(content.encode())
    checked = told("cassette", "check", ".", cwd=folder)
    assert (checked.status, checked.out.count("not in order: ")) == (1, len(lines) - 1), checked
    with staged(folder, mode="playback") as stage:
        for number, line in enumerate(lines):
            got = stage.say(b"GET /@k%d/v1/a" % number)
            # In double quotes a CR is a line end that YAML folds to a blank.
            assert (got.status == 200) == (line[5] == '"'), (line, got)
            assert b"\nset-cookie" not in got.head.lower().replace(b"\r", b"\n")
            assert not set(got.head) & {0, 11}


def test_a_key_of_another_request_answers_nobody(folder: Path) -> None:
    """What a reviewer reads is what is asked for: an answer whose key says otherwise is not given."""
    forged = HEAD + keyed(GOOD, "1", identity(Request("GET", "/v1/elsewhere", Headers())))
    check_all_refused(folder, {"forged": Case(forged, FOREIGN_KEY, 4)})
    with staged(folder, mode="record") as stage:  # the same where only what is played is read
        stage.say(b"GET /v1/a")
    path = folder / "c.yaml"
    head, document = path.read_text().split("--- #")
    document = unkeyed("--- #" + document)
    path.write_text(head + keyed(document, "1", identity(Request("GET", "/v1/elsewhere", Headers()))))
    with staged(folder, mode="playback") as stage:
        assert [stage.say(b"GET " + target).status for target in (b"/v1/elsewhere", b"/v1/a")] == [424, 424]
    assert stage.proxy.status == 1
    assert FOREIGN_KEY in stage.proxy.err


LIES = """\
    - Transfer-Encoding: chunked
    - Content-Length: "99"
    - Connection: close, x-hop
    - Keep-Alive: timeout=1
    - X-Hop: hop
    - Upgrade: h2c
    - Trailer: x-t
    - Proxy-Authenticate: Basic
    - X-Kept: kept
"""


@pytest.mark.parametrize("status", [200, 304])
def test_framing_is_made_anew(folder: Path, status: int) -> None:
    """Whatever a cassette says about it: the next answer on the connection is the next one's own."""
    lying = GOOD.replace("    - content-type: text/plain\n", LIES).replace("status: 200", f"status: {status}")
    lying = lying.replace(
        "text: hello", 'text: "hello\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nbad"'
    )
    write(folder, HEAD + lying + GOOD.replace("/v1/a", "/v1/b"))
    with staged(folder, mode="playback") as stage:
        for method in (b"GET", b"GET"):  # the second time from what was sent before
            line = stage.line()
            for target in (b"/v1/a", b"/v1/b"):
                line.send(method + b" " + target + b" HTTP/1.1\r\nHost: %b\r\n\r\n" % stage.host)
                got = line.answer(method)
                assert got.whole
                if target == b"/v1/b":
                    assert (got.status, got.body) == (200, b"hello")
                    continue
                assert got.status == status
                hops = ("keep-alive", "x-hop", "upgrade", "proxy-authenticate", "trailer", "connection")
                assert [got.all(name) for name in hops] == [[]] * len(hops)
                assert got.all("x-kept") == ["kept"]
                assert len(got.all("content-length")) + len(got.all("transfer-encoding")) <= 1
                assert got.body == (
                    b"" if status in (204, 304) else b"hello\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"
                )


def test_a_coding_is_only_a_word(folder: Path) -> None:
    """Playing packs what stands there; a coding that nobody knows is refused or left out, never an error of ours."""
    codings = ("gzip", "deflate", "br", "zstd", "nonsense", "gzip, gzip")
    for number, coding in enumerate(codings):
        (folder / f"c{number}.yaml").write_text(changed("    text: hello", f'    coding: "{coding}"\n    text: hello'))
    with staged(folder, mode="playback") as stage:
        for number in range(len(codings)):
            for accepted in (b"", b"Accept-Encoding: gzip, deflate, br, zstd, nonsense\r\n"):
                got = stage.say(b"GET /@c%d/v1/a" % number, accepted)
                assert got.whole
                assert got.status == (424 if number > 3 else 200)
    assert "Traceback" not in stage.proxy.err


@pytest.mark.heavy
def test_a_bomb_in_a_body_is_not_unpacked(folder: Path) -> None:
    """1 MiB that would be 1 GiB: played as it is, without taking memory."""
    bomb = _bomb()
    (folder / "c.files").mkdir()
    (folder / "c.files" / "bomb.gz").write_bytes(bomb)
    body = f"file: {{name: bomb.gz, size: {len(bomb)}, digest: x}}"
    content = changed("text: hello", body).replace("text/plain", "application/json\n    - content-encoding: gzip")
    write(folder, content)
    for more in ((), ("--schema",)):
        checked = told("cassette", "check", *more, "c.yaml", cwd=folder)
        assert checked.memory < MEMORY, checked
        assert checked.seconds < SECONDS, checked
    with staged(folder, mode="playback") as stage:
        got = stage.say(b"GET /v1/a", b"Accept-Encoding: gzip\r\n")
        assert got.body == bomb
        assert _peak(stage) < MEMORY


def _bomb() -> bytes:
    packer, block = zlib.compressobj(9, wbits=31), b"\0" * 2**20
    return b"".join([*(packer.compress(block) for _ in range(1024)), packer.flush()])


def _peak(stage: Stage) -> int:
    lines = Path(f"/proc/{stage.proxy.process.pid}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


# --- out of the folder

SECRET = "root of all secrets"


NAMES = (
    *("../secret", "../../../../etc/passwd", "/etc/passwd", "a/b", "..", ".", ".hidden", "a..b", "a\\\\b", "C:secret"),
    *("secret\\0", "%2e%2e/secret", ""),
)


def test_CAS_10_a_side_file_is_a_plain_name(folder: Path) -> None:
    """Nothing is read by a path."""
    (folder / "secret").write_text(SECRET)
    cases = dict[str, Case]()
    for number, name in enumerate(NAMES):
        content = changed("text: hello", f'file: {{name: "{name}", size: {len(SECRET)}, digest: x}}')
        cases[f"n{number}"] = Case(content, "is not a plain file name", line_with(content, "file:"))
    check_all_refused(folder, cases)


def _link(path: Path) -> None:
    path.with_name("..").joinpath("secret").write_text(SECRET)
    path.symlink_to(path.parent.parent / "secret")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


SIDE_FILES: dict[str, Callable[[Path], object]] = {
    "link": _link,
    "link-to-a-device": lambda path: path.symlink_to("/dev/zero"),
    "link-in-a-circle": _loop,
    "pipe": os.mkfifo,
    "folder": lambda path: path.mkdir(),
    "missing": lambda path: None,
    "device": lambda path: os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5)),
}


def test_CAS_10_a_side_file_is_a_file(folder: Path) -> None:
    """Links are not followed, pipes and devices not waited for."""
    cases = dict[str, Case]()
    for kind, make in SIDE_FILES.items():
        beside = folder / f"{kind}.files"
        beside.mkdir()
        try:
            make(beside / "x.bin")
        except PermissionError:  # only root can make a device
            continue
        content = changed("text: hello", "file: {name: x.bin, size: 19, digest: x}")
        cases[kind] = Case(content, "the file x.bin ", line_with(content, "file:"))
    check_all_refused(folder, cases)


def test_CAS_10_a_huge_side_file_is_not_read_at_the_start(folder: Path) -> None:
    """It is measured, and played piece by piece if it is what the cassette says."""
    (folder / "c.files").mkdir()
    with (folder / "c.files" / "x.bin").open("wb") as file:
        file.truncate(2**40)
    check_refused(folder, changed("text: hello", "file: {name: x.bin, size: 19, digest: x}"), "bytes instead of")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_cassette_is_a_file(folder: Path, kind: str) -> None:
    """What would never end is not read at all."""
    path = folder / "c.yaml"
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    for command in (
        ("cassette", "show", "c.yaml", "1"),
        ("playback", "--cassette", "c.yaml", "--port", "0", "--admin-port", "0"),
    ):
        said = told(*command, cwd=folder)
        assert said.status == 2, said
        assert len(said.err.splitlines()) == 1
        assert "Traceback" not in said.err


def test_a_link_is_followed_where_it_was_named(folder: Path) -> None:
    """`--cassette` may name one; a session of the folder may not be one that leads elsewhere."""
    elsewhere, folder = folder / "elsewhere", folder / "cassettes"
    elsewhere.mkdir()
    folder.mkdir()
    for name in ("c.yaml", "out.yaml"):
        (elsewhere / name).write_text(HEAD + GOOD)
        (folder / name).symlink_to(elsewhere / name)
    (folder / "inside.yaml").write_text(HEAD + GOOD)
    (folder / "in.yaml").symlink_to("inside.yaml")
    with staged(folder, mode="auto") as stage:
        assert stage.say(b"GET /v1/a").body == b"hello"
        assert stage.say(b"GET /@in/v1/a").body == b"hello"
        got = stage.say(b"GET /@out/v1/a")
        assert (got.status, b"leads out of its folder" in got.body) == (424, True)
        assert stage.say(b"GET /v1/new").status == 200
        assert stage.say(b"GET /@in/v1/new").status == 200
    assert (folder / "c.yaml").is_symlink()
    assert (folder / "in.yaml").is_symlink()
    assert "/v1/new" in (elsewhere / "c.yaml").read_text()
    assert "/v1/new" in (folder / "inside.yaml").read_text()


def test_links_that_were_put_there_are_not_written_through(folder: Path) -> None:
    """Whoever can guess the names of what a recording writes cannot make it write somewhere else."""
    body, victim = b"x" * 10_000, folder / "victim"
    large = f"c.files/{sha256(body).hexdigest()[:32]}.txt"
    for name in ("c.yaml~", ".c.yaml.new", ".c.yaml~.new", "c.yaml.torn", large):
        write(folder, HEAD + GOOD + "--- # torn\n")
        victim.write_bytes(b"v" * len(body))
        link = folder / name
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(victim)
        mode = "auto" if name in ("c.yaml.torn", large) else "record"
        if name == "c.yaml.torn":
            said = told("serve", "--mode", mode, "--cassette", "c.yaml", "--port", "0", "--admin-port", "0", cwd=folder)
            assert (said.status, "it is a link" in said.err) == (2, True), said
        else:
            with staged(folder, mode=mode, REPLAYPROXY_RECORD__INLINE_LIMIT="4096") as stage:
                head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10000\r\n\r\n"
                stage.upstream.answer(head + body)
                assert stage.say(b"GET /v1/new").body == body
            assert stage.proxy.status == 0
        assert victim.read_bytes() == b"v" * len(body), name
        link.unlink(missing_ok=True)
