"""`replayproxy cassette diff` and `stats`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from replayproxy.cli import cli
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import FileBody, Headers
from replayproxy.stores import FileStore
from tests.builders import JSON, interaction, request, response
from tests.cli.terminals import shown, uncoloured

BINARY = Headers.of(("Content-Type", "application/octet-stream"))


def said(text: str, answer: int = 1) -> Interaction:
    """A message and its answer."""
    body = {"model": "gpt-4o", "content": text}
    told = {"id": answer, "usage": {"prompt_tokens": answer, "completion_tokens": 2}}
    return interaction(request(target="/v1/chat", body=body), response(body=told), operation="createChat")


def recorded(path: Path, *interactions: Interaction) -> Path:
    """A cassette."""
    recorder = FileStore(path).append_to(Head())
    for number, each in enumerate(interactions):
        recorder.append(each, number)
    recorder.close()
    return path


def run(*words: object) -> Result:
    """The result of a command."""
    return CliRunner().invoke(cli, ["cassette", *map(str, words)])


class TestDiff:
    """How two cassettes differ."""

    @pytest.fixture
    def pair(self, tmp_path: Path) -> tuple[Path, Path]:
        """One with a changed answer, one removed and one added."""
        gone, new = interaction(request("DELETE", "/v1/a")), interaction(request("GET", "/v1/b"))
        left = recorded(tmp_path / "a.yaml", said("x"), gone, said("y"))
        right = recorded(tmp_path / "b.yaml", said("x", 5), said("y"), new)
        return left, right

    def test_the_same_have_no_differences(self, tmp_path: Path) -> None:
        """Exit status 0, though they were recorded at different times."""
        left = recorded(tmp_path / "a.yaml", said("x"))
        right = recorded(tmp_path / "b.yaml", replace(said("x"), recorded="2026-11-22T00:00:00Z", took=2.0))
        result = run("diff", left, right)
        assert (result.exit_code, result.stdout) == (0, "1 the same\n")
        assert json.loads(run("diff", left, right, "--json").stdout) == []
        result = run("diff", left, right, "--all")
        assert (result.exit_code, "    recorded\n      + " in result.stdout) == (1, True)

    def test_nothing_is_the_same_as_nothing(self, tmp_path: Path) -> None:
        """Two heads."""
        left, right = (recorded(tmp_path / name) for name in ("a.yaml", "b.yaml"))
        for path in (left, right):
            path.write_text("---\nreplayproxy: 3\n...\n")
        assert run("diff", left, right).stdout == "Both are empty.\n"

    def test_what_changed_is_told_by_path(self, pair: tuple[Path, Path]) -> None:
        """With both values; exit status 1."""
        result = run("diff", *pair)
        assert result.exit_code == 1
        assert result.stdout.splitlines() == [
            "~ changed #1: POST /v1/chat",
            "    response.body.id",
            "      - 1",
            "      + 5",
            "    response.body.usage.prompt_tokens",
            "      - 1",
            "      + 5",
            "- removed #2: DELETE /v1/a",
            "+ added #3: GET /v1/b",
            "1 changed, 1 removed, 1 added, 1 the same",
        ]

    def test_json_has_whole_values(self, pair: tuple[Path, Path]) -> None:
        """A side that is not there has no key."""
        changed, removed, added = json.loads(run("diff", *pair, "--json").stdout)
        assert (changed["kind"], changed["left"], changed["right"]) == ("changed", 1, 1)
        assert changed["differences"][0] == {"path": "response.body.id", "left": 1, "right": 5}
        assert (removed["left"], removed["right"], removed["differences"]) == (2, None, [])
        assert (added["left"], added["right"], added["operation"]) == (None, 3, None)

    def test_two_interactions_can_be_compared(self, pair: tuple[Path, Path]) -> None:
        """Of one cassette, or of two; named by their numbers."""
        left, right = pair
        result = run("diff", f"{left}#1", f"{left}#3")
        assert "~ changed #1 -> #3: POST /v1/chat\n    request.body.content\n" in result.stdout
        assert run("diff", f"{left}#3", f"{right}#2").exit_code == 0
        assert "there is no interaction 9. It has 3" in run("diff", f"{left}#9", f"{right}#2").output
        assert "there is no interaction 0" in run("diff", f"{left}#0", f"{right}#2").output

    def test_one_of_each_cannot(self, pair: tuple[Path, Path]) -> None:
        """Wrong usage."""
        result = run("diff", f"{pair[0]}#1", pair[1])
        assert (result.exit_code, "compare two cassettes, or two interactions" in result.output) == (2, True)

    def test_a_file_may_have_such_a_name(self, tmp_path: Path) -> None:
        """What is there counts."""
        path = recorded(tmp_path / "a#1", said("x"))
        assert run("diff", path, path).stdout == "1 the same\n"

    def test_values_that_are_no_json_are_told(self, tmp_path: Path) -> None:
        """Bytes and files; long values are cut, but not as JSON."""
        bodies: list[Any] = [b"\xff\xfe", b"text", b"y" * 5000]
        made = [interaction(answered=response(headers=BINARY, body=body)) for body in bodies]
        left = recorded(tmp_path / "a.yaml", *made)
        recorder = FileStore(tmp_path / "b.yaml").append_to(Head())
        spool = recorder.spool()
        spool.write(b"x" * 9_000_000)
        file = FileBody(spool.adopt("a" * 64, ".bin"), 9_000_000, "b" * 64)
        large = interaction(answered=replace(response(headers=BINARY), body=file))
        for number in range(3):
            recorder.append(large, number)
        recorder.close()
        told = run("diff", left, tmp_path / "b.yaml").stdout
        assert '      - {"base64": "//4="}\n' in told
        assert '      - "text"\n' in told
        assert '      + {"file": "aaaa' in told
        assert "… (5002 characters)\n" in told
        assert "y" * 5000 in run("diff", left, tmp_path / "b.yaml", "--json").stdout

    def test_headers_that_differ_in_order_only(self, tmp_path: Path) -> None:
        """As a list."""
        pairs = ("A", "1"), ("B", "2")
        left, right = (
            recorded(tmp_path / name, interaction(answered=response(headers=Headers.of(*each))))
            for name, each in (("a.yaml", pairs), ("b.yaml", pairs[::-1]))
        )
        assert '    response.headers\n      - ["A: 1", "B: 2"]\n' in run("diff", left, right).stdout

    def test_parts_are_told_by_their_facts(self, tmp_path: Path) -> None:
        """One that is missing, as an object."""
        form = Headers.of(("Content-Type", "multipart/form-data; boundary=b"))
        part = "--b\r\nContent-Disposition: form-data; name={0}\r\n\r\n1\r\n"
        one, two = (part.format("a") + "--b--\r\n", part.format("a") + part.format("c") + "--b--\r\n")
        left, right = (
            recorded(tmp_path / name, interaction(request(headers=form, body=body.encode())))
            for name, body in (("a.yaml", one), ("b.yaml", two))
        )
        assert '      + {"name": "c"' in run("diff", left, right).stdout

    def test_a_terminal_shows_colours(self, pair: tuple[Path, Path], tmp_path: Path) -> None:
        """Red for what was, green for what is."""
        told = shown("cassette", "diff", "a.yaml", "b.yaml", cwd=tmp_path)
        assert "\x1b[31m      - 1" in told
        assert "\x1b[32m      + 5" in told
        assert uncoloured(told) == run("diff", *pair).stdout


class TestStats:
    """What cassettes hold."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A folder with two cassettes and a file that is none."""
        recorded(tmp_path / "a.yaml", said("x"), said("x", 3), interaction(request("GET", "/v1/unknown")))
        recorded(tmp_path / "b.yaml", interaction(answered=response(404, headers=JSON)))
        (tmp_path / "other.yaml").write_text("a: 1\n")
        return tmp_path

    def test_a_folder_is_counted(self, folder: Path) -> None:
        """Each cassette, all together, and by operation, status and model."""
        result = run("stats", folder)
        assert result.exit_code == 0
        lines = [line.split() for line in result.stdout.splitlines()]
        assert lines[0][:4] == ["CASSETTE", "INTERACTIONS", "REPEATS", "STREAMS"]
        assert [line[1:3] for line in lines[1:4]] == [["3", "1"], ["1", "0"], ["4", "1"]]
        assert lines[3][0] == "(all)"
        for line in (["createChat", "2"], ["(unknown)", "2"], ["200", "3"], ["404", "1"]):
            assert line in lines
        assert ["gpt-4o", "2", "4", "0", "4", "0", "8"] in lines

    def test_one_cassette_needs_no_total(self, folder: Path) -> None:
        """And no table of models when none is named."""
        told = run("stats", folder / "b.yaml").stdout
        assert "(all)" not in told
        assert "MODEL" not in told

    def test_json_has_everything(self, folder: Path) -> None:
        """One object for each cassette."""
        one, _ = json.loads(run("stats", folder, "--json").stdout)
        assert one["path"] == str(folder / "a.yaml")
        assert one["operations"] == {"createChat": 2, "": 1}
        assert one["statuses"] == {"200": 3}
        assert one["models"] == {
            "gpt-4o": {"interactions": 2, "input": 4, "cached": 0, "output": 4, "reasoning": 0, "total": 8}
        }
        assert (one["repeats"], one["tokens"]["total"], one["first"]) == (1, 8, None)

    def test_nothing_to_count(self, tmp_path: Path) -> None:
        """An empty folder is fine, none is wrong usage."""
        assert run("stats", tmp_path).stdout == "There is no cassette to count.\n"
        assert run("stats", tmp_path, "--json").stdout == "[]\n"
        result = run("stats", tmp_path / "none")
        assert (result.exit_code, "there is no such file or folder" in result.output) == (2, True)


@pytest.mark.parametrize("command", ["diff", "stats", "export", "import", "scan", "redact"])
def test_help_has_examples(command: str) -> None:
    """Each command says how it is used."""
    assert "Examples:\n" in run(command, "--help").output


def test_the_group_lists_its_commands_without_them() -> None:
    """In the order of need."""
    lines = run("--help").stdout.partition("Commands:")[2].split("\n")
    names = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert names == ["check", "list", "show", "diff", "stats", "scan", "redact", "export", "import", "schema"]
