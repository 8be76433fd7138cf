"""`replayproxy cassette show` and `list`: on terminals, with a pager, and in other forms."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from replayproxy.cli import cli
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Chunk, FileBody, Headers, Request, Response
from replayproxy.stores import FileStore
from tests.builders import JSON, interaction, request, response
from tests.cli.terminals import on_a_terminal, shown, uncoloured
from tests.processes import ended

EVENTS = Headers.of(("content-type", "text/event-stream"))
STREAM = b': hi\n\nevent: a\ndata: {"x":1}\n\nid: 7\ndata: [DONE]\n\ndata: [1]\n\ndata: plain\n\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a cassette of many kinds of bodies."""
    recorder = FileStore(tmp_path / "c.yaml").append_to(Head(upstream="https://api.openai.com/v1"))
    long = {"lines": [f"line {number}" for number in range(100)]}
    for number, each in enumerate(
        (
            interaction(request(body={"a": 1}), response(body=long), operation="createThread"),
            Interaction(Request("GET", "/v1/s"), Response(200, "OK", EVENTS, STREAM, "", (Chunk(0.1, len(STREAM)),))),
            Interaction(
                Request("POST", "/y", Headers.of(("Content-Type", "text/yaml")), b"a: [1, 2]\n"), Response(204)
            ),
            Interaction(Request("POST", "/t", JSON, b'{"t": "' + b"x" * 300_000 + b'"}'), Response(500, "Oh")),
        )
    ):
        recorder.append(each, number)
    spool = recorder.spool()
    spool.write(b"x" * 9_000_000)
    large = FileBody(spool.adopt("a" * 64, ".bin"), 9_000_000, "b" * 64)
    recorder.append(Interaction(Request("GET", "/l", Headers.of(("Host", "h"))), Response(200, body=large)), 9)
    recorder.close()
    return tmp_path


def run(*words: object) -> Any:
    """The result of a command that is run here."""
    return CliRunner().invoke(cli, ["cassette", *map(str, words)])


class TestForms:
    """`--as`."""

    def test_http_is_the_messages_as_they_are_sent(self, folder: Path) -> None:
        """A file gets each byte of them; the host is that of the upstream."""
        told = run("show", folder / "c.yaml", 2, "--as", "http").stdout_bytes
        sent, _, got = told.partition(b"\r\n\r\n\r\n\r\n")
        assert sent == b"GET /v1/s HTTP/1.1\r\nHost: api.openai.com"
        assert got == b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + STREAM

    def test_a_body_from_a_file_is_there_as_well(self, folder: Path) -> None:
        """And a host that was recorded stays."""
        told = run("show", folder / "c.yaml", 5, "--as", "http").stdout_bytes
        assert told.startswith(b"GET /l HTTP/1.1\r\nHost: h\r\n")
        assert told.endswith(b"HTTP/1.1 200\r\n\r\n" + b"x" * 9_000_000)

    def test_yaml_is_the_document_as_it_stands(self, folder: Path) -> None:
        """With its comments."""
        told = run("show", folder / "c.yaml", 1, "--as", "yaml").stdout
        assert told in (folder / "c.yaml").read_text()
        assert told.startswith("--- # 1: POST /v1/threads -> 200\n")

    @pytest.mark.parametrize(
        ("form", "sign"),
        [
            ("curl", "curl"),
            ("python", "OpenAI("),
            ("openai", "OpenAI("),
            ("httpx", "import httpx"),
            ("javascript", "/v1/threads"),
        ],
    )
    def test_a_program_sends_the_request(self, form: str, sign: str, folder: Path) -> None:
        """Python is that with the client of the API."""
        told = run("show", folder / "c.yaml", 1, "--as", form)
        assert told.exit_code == 0, told.output
        assert sign in told.stdout
        assert told.stdout.endswith("\n")

    def test_an_archive_is_one(self, folder: Path) -> None:
        """JSON in the form of HAR."""
        told = json.loads(run("show", folder / "c.yaml", 1, "--as", "har").stdout)
        assert told["log"]["entries"][0]["request"]["method"] == "POST"

    def test_two_forms_are_one_too_many(self, folder: Path) -> None:
        """Wrong usage."""
        result = run("show", folder / "c.yaml", 1, "--as", "curl", "--json")
        assert (result.exit_code, "take one of them" in result.output) == (2, True)


class TestColours:
    """What a terminal shows."""

    def test_parts_look_different(self, folder: Path) -> None:
        """The text is that of a pipe."""
        told = shown("cassette", "show", "c.yaml", "1", "--no-pager", cwd=folder)
        assert "\x1b[1;32m200" in told
        assert '\x1b[94m"lines"' in told
        assert uncoloured(told) == ended("cassette", "show", "c.yaml", "1", cwd=folder).stdout

    def test_events_are_highlighted_one_by_one(self, folder: Path) -> None:
        """Comments, names, and the JSON that they carry."""
        told = shown("cassette", "show", "c.yaml", "2", "--no-pager", cwd=folder)
        assert '\x1b[94m"x"' in told
        assert "\x1b[2m[0.100 s]" in told
        assert uncoloured(told) == ended("cassette", "show", "c.yaml", "2", cwd=folder).stdout

    @pytest.mark.parametrize(("number", "more"), [("3", ()), ("1", ("--as", "yaml")), ("1", ("--as", "curl"))])
    def test_other_languages_have_theirs(self, number: str, more: tuple[str, ...], folder: Path) -> None:
        """YAML and programs."""
        words = ("cassette", "show", "c.yaml", number, *more)
        told = shown(*words, "--no-pager", cwd=folder)
        assert "\x1b[" in told
        assert uncoloured(told).rstrip("\n") == ended(*words, cwd=folder).stdout.rstrip("\n")

    def test_what_is_very_long_has_none(self, folder: Path) -> None:
        """Nobody reads it, and it would take long."""
        told = shown("cassette", "show", "c.yaml", "4", "--no-pager", cwd=folder)
        assert '"t": "xxx' in told

    def test_they_can_be_refused_and_forced(self, folder: Path) -> None:
        """By NO_COLOR, FORCE_COLOR and a dumb terminal."""
        words = ("cassette", "list", "c.yaml")
        assert "\x1b" not in shown(*words, cwd=folder, NO_COLOR="1")
        assert "\x1b" not in shown(*words, cwd=folder, TERM="dumb")
        assert "\x1b[32m200" in shown(*words, cwd=folder)
        assert "\x1b[32m200" in ended(*words, cwd=folder, FORCE_COLOR="1").stdout
        assert "\x1b" not in ended(*words, cwd=folder, FORCE_COLOR="1", NO_COLOR="1").stdout


class TestPager:
    """What is longer than the screen."""

    @pytest.fixture
    def pager(self, folder: Path) -> str:
        """A pager that says that it was there."""
        script = folder / "pager"
        script.write_text("#!/bin/sh\necho PAGED; cat\n")
        script.chmod(0o755)
        return shlex.quote(str(script))

    def test_it_goes_to_the_pager(self, folder: Path, pager: str) -> None:
        """And what fits does not."""
        assert "PAGED" in shown("cassette", "show", "c.yaml", "1", cwd=folder, PAGER=pager)
        assert "PAGED" not in shown("cassette", "show", "c.yaml", "3", cwd=folder, PAGER=pager)

    def test_long_lines_count_as_often_as_they_wrap(self, folder: Path, pager: str) -> None:
        """One line of 300,000 characters is many screens."""
        assert "PAGED" in shown("cassette", "show", "c.yaml", "4", cwd=folder, PAGER=pager)

    def test_it_can_be_refused(self, folder: Path, pager: str) -> None:
        """By an option, and by not being a terminal."""
        assert "PAGED" not in shown("cassette", "show", "c.yaml", "1", "--no-pager", cwd=folder, PAGER=pager)
        assert "PAGED" not in ended("cassette", "show", "c.yaml", "1", cwd=folder, PAGER=pager).stdout

    @pytest.mark.skipif(not shutil.which("less"), reason="there is no less")
    def test_less_shows_colours(self, folder: Path) -> None:
        """It is told to, unless somebody said otherwise."""
        with on_a_terminal("cassette", "show", "c.yaml", "1", cwd=folder, PAGER="less") as terminal:
            terminal.wait_for("line 5")
            assert "\x1b[1;32m200" in terminal.text or "\x1b[1m\x1b[32m200" in terminal.text
            assert "ESC[" not in terminal.text


class TestFolders:
    """`list` of a folder."""

    def test_its_cassettes_are_listed(self, folder: Path) -> None:
        """With what is wrong with them; other files are none of them."""
        (folder / "sub" / "folder.yaml").mkdir(parents=True)
        (folder / "sub" / "b.yaml").write_text("---\nreplayproxy: 1\nx: 1\n...\n")
        (folder / "sub" / "t.yaml").write_text("---\nreplayproxy: 3\n...\n---\nx")
        (folder / "compose.yaml").write_text("services: {}\n")
        result = run("list", folder)
        lines = result.stdout.splitlines()
        assert lines[0].split() == ["CASSETTE", "INTERACTIONS", "SIZE", "RECORDED", "UPSTREAM"]
        assert lines[1].split()[0:2] == [str(folder / "c.yaml"), "5"]
        assert lines[1].split()[-1] == "https://api.openai.com/v1"
        assert "b.yaml: not in order: line 3: the head has no field 'x'" in result.stdout
        assert "t.yaml: not in order: line 4: the last document was not finished" in result.stdout
        rows = json.loads(run("list", folder, "--json").stdout)
        assert [(Path(row["path"]).name, row["interactions"], bool(row["broken"])) for row in rows] == [
            ("c.yaml", 5, False),
            ("b.yaml", 0, True),
            ("t.yaml", 0, True),
        ]

    def test_there_may_be_none(self, tmp_path: Path) -> None:
        """It says so."""
        assert run("list", tmp_path).stdout == f"There is no cassette in {tmp_path}.\n"
        assert run("list", tmp_path, "--json").stdout == "[]\n"
