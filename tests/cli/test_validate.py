"""`replayproxy validate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from replayproxy.cli import cli
from replayproxy.core.bodies import PARSE_LIMIT

MESSAGE = """{
  "role": "user",
  "content": [
    {"type": "text",
     "text": "Hi"}
  ],
  "metadata": {"a.b": "c"}
}
"""
DELETED = '{"id": "thread_1",\n "object": "thread.deleted",\n "deleted": true}'
CHUNK = (
    '{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",'
    ' "choices": [{"index": 0, "delta": {}, "finish_reason": null}]}'
)


def run(path: Path, text: str, *arguments: str) -> Result:
    """The command's result for a file with `text`."""
    path = path / "body.json" if path.is_dir() else path
    path.write_text(text, "utf-8", "surrogateescape", newline="")
    return CliRunner().invoke(cli, ["validate", str(path), *arguments])


class TestRequests:
    """Bodies of requests."""

    def test_a_valid_one_is_told(self, tmp_path: Path) -> None:
        """Exit status 0."""
        result = run(tmp_path, MESSAGE, "--operation", "createMessage")
        assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/body.json: valid createMessage request\n")

    @pytest.mark.parametrize(
        ("old", "new", "line", "message"),
        [
            ('"user"', '"human"', 2, "Invalid value: 'human'. Supported values are: 'user' and 'assistant'."),
            ('"text": "Hi"', '"txt": 1', 5, "Unknown parameter: 'content[0].txt'. Did you mean 'text'?"),
            ('"role": "user",', "", 1, "Missing required parameter: 'role'."),
            ('"c"}', "7}", 7, "Invalid type for 'metadata.a.b': expected a string, but got an integer instead."),
            (MESSAGE, "[]", 1, ""),
        ],
    )
    def test_a_problem_is_told_with_its_line(self, tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
        """In the API's words; exit status 1."""
        result = run(tmp_path, MESSAGE.replace(old, new), "--operation", "createMessage")
        assert result.exit_code == 1
        assert f"body.json:{line}: {message}" in result.stdout

    def test_a_warning_is_no_failure(self, tmp_path: Path) -> None:
        """An unknown field where the API still grows."""
        result = run(tmp_path, '{"model": "m",\n"input": "x",\n"new": 1}', "--operation", "createResponse")
        assert result.exit_code == 0
        assert "body.json:3: warning: Unknown parameter: 'new'.\n" in result.stdout
        assert result.stdout.endswith("valid createResponse request\n")

    def test_what_is_no_json_is_told_with_line_and_column(self, tmp_path: Path) -> None:
        """In the parser's words."""
        result = run(tmp_path, '{\n "role" "user"}', "--operation", "createMessage")
        assert result.exit_code == 1
        assert "body.json:2: This is not JSON, at column 9: " in result.stdout
        assert run(tmp_path, "", "--operation", "createMessage").exit_code == 1

    def test_standard_input_is_a_file_as_well(self) -> None:
        """Its name is `-`."""
        result = CliRunner().invoke(cli, ["validate", "-", "--operation", "createMessage"], input='{"role": 1}')
        assert result.exit_code == 1
        assert result.stdout.startswith("-:1: ")

    def test_json_has_all_there_is_to_know(self, tmp_path: Path) -> None:
        """For other programs."""
        result = run(tmp_path, MESSAGE.replace("user", "x"), "--operation", "createMessage", "--json")
        found = json.loads(result.stdout)
        assert (result.exit_code, found["operation"], found["valid"]) == (1, "createMessage", False)
        assert found["problems"][0]["param"] == "role"
        assert (found["problems"][0]["line"], found["problems"][0]["warning"]) == (2, False)
        found = json.loads(run(tmp_path, MESSAGE, "--operation", "createMessage", "--json").stdout)
        assert (found["valid"], found["problems"]) == (True, [])

    @pytest.mark.parametrize(
        ("operation", "told"),
        [
            ("createMesage", "did you mean 'createMessage'"),
            ("listMessages", "listMessages takes no body; only JSON can be validated here"),
            ("createFile", "createFile takes multipart/form-data; only JSON"),
        ],
    )
    def test_what_cannot_be_validated_is_wrong_usage(self, tmp_path: Path, operation: str, told: str) -> None:
        """Exit status 2."""
        result = run(tmp_path, "{}", "--operation", operation)
        assert result.exit_code == 2
        assert told in result.stderr

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        """No traceback."""
        result = CliRunner().invoke(cli, ["validate", str(tmp_path / "none"), "--operation", "createMessage"])
        assert result.exit_code == 2
        assert "none: cannot be read: No such file" in result.stderr

    def test_a_catalog_of_ones_own(self, tmp_path: Path) -> None:
        """Another API's."""
        body = {"content": {"application/json": {"type": "object", "required": ["x"]}}}
        operation = {"id": "a", "method": "POST", "path": "/a", "family": "a", "body": body}
        catalog = tmp_path / "c.json"
        catalog.write_text(json.dumps({"catalog": 1, "operations": [operation]}))
        result = run(tmp_path, "{}", "--operation", "a", "--catalog", str(catalog))
        assert result.exit_code == 1
        assert "Missing required parameter: 'x'." in result.stdout


class TestAnswers:
    """Bodies of answers."""

    @pytest.mark.parametrize("status", [["--answer", "200"], ["--answer"]])
    def test_a_valid_one_is_told(self, tmp_path: Path, status: list[str]) -> None:
        """200 is what is meant when no status is given."""
        result = run(tmp_path, DELETED, "--operation", "deleteThread", *status)
        assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/body.json: valid deleteThread answer 200\n")

    def test_a_problem_is_told_with_its_line(self, tmp_path: Path) -> None:
        """Although the proxy would only warn of it: here it was asked for."""
        result = run(tmp_path, DELETED.replace("true", '"x"'), "--operation", "deleteThread", "--answer")
        assert result.exit_code == 1
        assert "body.json:3: " in result.stdout
        assert "'deleted'" in result.stdout

    def test_what_is_no_json_is_told(self, tmp_path: Path) -> None:
        """With the parser's line."""
        result = run(tmp_path, '{\n"id" 1', "--operation", "deleteThread", "--answer")
        assert result.exit_code == 1
        assert "body.json:2: This is not JSON" in result.stdout

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_an_event_stream_is_known_by_its_looks(self, tmp_path: Path, end: str) -> None:
        """And checked event by event; lines are the stream's."""
        chunk = CHUNK.replace(', "choices"', ',\n"choices"').replace("\n", "\ndata: ")
        bad = chunk.replace('"index": 0', '"index": "x"')
        stream = f": hello\n\ndata: {chunk}\n\nid: 7\ndata: {bad}\n\ndata: [DONE]\n\n".replace("\n", end)
        result = run(tmp_path, stream, "--operation", "createChatCompletion", "--answer")
        assert result.exit_code == 1
        assert "body.json:8: Event 2: " in result.stdout
        assert len(result.stdout.splitlines()) == 1
        fine = run(tmp_path, f"data: {CHUNK}\n\ndata: [DONE]\n\n", "--operation", "createChatCompletion", "--answer")
        assert fine.exit_code == 0

    def test_the_media_type_can_be_said(self, tmp_path: Path) -> None:
        """One that the operation does not have is a problem."""
        arguments = ("--operation", "deleteThread", "--answer", "200", "--content-type", "text/html")
        result = run(tmp_path, DELETED, *arguments)
        assert result.exit_code == 1
        assert "body.json:1: Unexpected content type" in result.stdout

    def test_an_answer_that_the_operation_does_not_have_is_wrong_usage(self, tmp_path: Path) -> None:
        """With those that it has."""
        result = run(tmp_path, "{}", "--operation", "createChatCompletion", "--answer", "302")
        assert result.exit_code == 2
        assert "createChatCompletion has no answer 302 as application/json that can be validated" in result.stderr
        assert "200 (application/json" in result.stderr
        assert "and an event stream" in result.stderr

    def test_an_answer_too_large_is_told(self, tmp_path: Path) -> None:
        """Rather than called valid."""
        text = DELETED.replace("thread_1", "x" * PARSE_LIMIT)
        result = run(tmp_path, text, "--operation", "deleteThread", "--answer")
        assert result.exit_code == 2
        assert "too large to be validated" in result.stderr


def test_help_has_examples() -> None:
    """And says what is not looked at."""
    text = CliRunner().invoke(cli, ["validate", "--help"]).output
    assert "Examples:\n" in text
    assert "path, query and headers are not looked at here" in " ".join(text.split())
