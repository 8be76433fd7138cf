"""`replayproxy cassette`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from replayproxy.cli import cli
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.messages import Chunk, FileBody, Headers, Request, Response
from replayproxy.core.problem import Problem
from replayproxy.stores import FileStore

JSON = Headers.of(("Content-Type", "application/json"))
STREAM = b'event: a\ndata: {"x":1}\n\ndata: [DONE]\n\n'
HARM = "\x1b]0;owned\x07\r"
INTERACTIONS = (
    Interaction(
        Request("POST", "/v1/threads", JSON, b'{"a":1}'),
        Response(200, "OK", JSON, '{"text":"é\x1b"}'.replace("\x1b", "\\u001b").encode(), "gzip"),
        operation="createThread",
        recorded="2026-11-22T03:30:00Z",
        took=0.5,
    ),
    Interaction(
        Request("GET", "/v1/stream?a=[b]"),
        Response(
            200, "", Headers.of(("content-type", "text/event-stream")), STREAM, "", (Chunk(0.1, 30), Chunk(0.25, 8))
        ),
    ),
    Interaction(
        Request("GET", "/\x9b31m", Headers.of(("X", "\udcff\x1b[31m")), HARM.encode()),
        Response(400, "Bad", Headers(), b"\xff\xfe"),
        operation=HARM,
        validator=True,
        problems=(Problem(HARM, "a", "b"),),
    ),
    Interaction(Request("GET", "/f", JSON, b"{"), Response(200, "", Headers(), b"x" * 2_000_000)),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A recorded cassette."""
    path = tmp_path / "cassettes" / "a.yaml"
    recorder = FileStore(path).append_to(Head())
    for arrival, interaction in enumerate(INTERACTIONS):
        recorder.append(interaction, arrival)
    spool = recorder.spool()
    spool.write(b"x" * 9_000_000)
    body = FileBody(spool.adopt("a" * 64, ".bin"), 9_000_000, "b" * 64)
    recorder.append(Interaction(Request("GET", "/large"), Response(200, body=body)), 9)
    recorder.close()
    return path


def run(*arguments: object) -> Result:
    """The command's result, which never holds a control character."""
    result = CliRunner().invoke(cli, ["cassette", *map(str, arguments)])
    assert not {character for character in result.output if ord(character) < 32 or 127 <= ord(character) < 160} - {"\n"}
    return result


def test_cassettes_in_order_are_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a folder, or ./cassettes."""
    expected = "a.yaml: ok, 5 interactions\n"
    monkeypatch.chdir(path.parent.parent)
    for result in (run("check", path), run("check", path.parent), run("check")):
        assert result.output.endswith(expected)
        assert result.exit_code == 0


def test_what_is_not_in_order_is_found(path: Path) -> None:
    """Errors and torn ends, each with its line, and the exit status says so."""
    path.with_name("b.yaml").write_text("---\nreplayproxy: 1\nx: 1\n...\n")
    path.with_name("c.yaml").write_text("---\nreplayproxy: 1\n...\n---\nx")
    result = run("check", path.parent)
    assert result.exit_code == 1
    assert "a.yaml: ok" in result.output
    assert "b.yaml: not in order: line 3: the head has no field 'x'. Known here:" in result.output
    assert "c.yaml:4: the last document was not finished" in result.output
    found = json.loads(run("check", "--json", path.parent).output)
    assert [(each["ok"], each["line"], each["interactions"]) for each in found] == [
        (True, 0, 5),
        (False, 3, 0),
        (False, 0, 0),
    ]


def test_a_folder_without_cassettes_and_a_missing_one(tmp_path: Path) -> None:
    """The first is fine, the second wrong usage."""
    assert run("check", tmp_path).output == "There is no cassette to check.\n"
    result = run("check", tmp_path / "none")
    assert result.exit_code == 2
    assert "there is no such file or folder" in result.output


def test_a_list_names_place_and_bodies(path: Path) -> None:
    """One line each, in order, with the body's form and size."""
    lines = run("list", path).output.splitlines()
    assert lines[0].split() == ["#", "LINE", "METHOD", "TARGET", "STATUS", "OPERATION", "SENT", "ANSWERED"]
    assert " ".join(lines[1].split()) == "1 6 POST /v1/threads 200 createThread json 7 B json 19 B"
    assert lines[2].split()[3:] == ["/v1/stream?a=[b]", "200", "-", "events", "38", "B"]
    assert lines[3].split()[3] == "/\\x9b31m"
    assert lines[4].split()[-6:] == ["text", "1", "B", "file", "2.0", "MB"]
    assert lines[5].rstrip().endswith("file 9.0 MB")
    rows = json.loads(run("list", "--json", path).output)
    assert rows[0]["answered"] == {"form": "json", "size": 19}


def test_an_interaction_is_shown_as_it_went(path: Path) -> None:
    """Facts, head and body of both messages; JSON in lines, events with their times."""
    first = run("show", path, 1).output
    assert first.startswith(
        "# 1 createThread, line 6\n# recorded 2026-11-22T03:30:00Z, first byte 0 s, 0.5 s\n\nPOST /v1"
    )
    assert '{\n  "a": 1\n}\n\n200 OK\n' in first
    assert "(the body came as gzip)" in first
    assert '"text": "é\\u001b"' in first
    assert "[0.100 s]\nevent: a\n" in run("show", path, 2).output
    assert "[0.250 s]\ndata: [DONE]\n" in run("show", path, 2).output
    third = run("show", path, 3).output
    assert "answered by the validator\n# problem: \\x1b]0;owned\\x07\\x0d\n" in third
    assert "X: \\udcff\\x1b[31m\n" in third
    assert third.endswith("400 Bad\n\n(2 B of bytes)\n")
    assert "(9.0 MB of bytes in aaaa" in run("show", path, 5).output


def test_an_interaction_as_json_has_everything(path: Path) -> None:
    """Text where it is text, JSON where it is JSON, else base64 or a file's name."""
    shown = [json.loads(run("show", "--json", path, number).output) for number in range(1, 6)]
    assert shown[0]["request"]["body"] == {"form": "json", "size": 7, "json": {"a": 1}}
    assert shown[1]["response"]["chunks"] == [{"at": 0.1, "size": 30}, {"at": 0.25, "size": 8}]
    assert shown[2]["response"]["body"]["base64"] == "//4="
    assert shown[2]["problems"] == [{"message": HARM, "param": "a", "code": "b"}]
    assert shown[3]["request"]["body"]["text"] == "{"
    assert shown[4]["response"]["body"]["file"] == "a" * 32 + ".bin"


def test_a_number_that_is_not_there_is_an_error(path: Path) -> None:
    """It says how many there are."""
    result = run("show", path, 6)
    assert result.exit_code == 2
    assert "there is no interaction 6. It has 5" in result.output


def test_the_schema_is_one() -> None:
    """It can be used as it is printed."""
    Draft7Validator.check_schema(json.loads(run("schema").output))


CHUNK = (
    '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    '"choices":[{"index":%s,"delta":{},"finish_reason":null}]}'
)
EVENTS = Headers.of(("content-type", "text/event-stream"))
BETA = JSON.plus(("openai-beta", "assistants=v2"))
MESSAGE = "/v1/threads/thread_1/messages"
ERROR = b'{"error":{"message":"m","type":"t","param":null,"code":null}}'


def recorded(path: Path, *interactions: Interaction) -> Path:
    """A cassette with these interactions."""
    recorder = FileStore(path).append_to(Head())
    for arrival, interaction in enumerate(interactions):
        recorder.append(interaction, arrival)
    recorder.close()
    return path


def line_with(path: Path, text: str, number: int = 1) -> int:
    """The line of a file that holds `text` for the `number`th time."""
    return [line for line, held in enumerate(path.read_text("utf-8").splitlines(), 1) if text in held][number - 1]


class TestSchemas:
    """`cassette check --schema`."""

    def test_a_wrong_request_is_told_where_it_stands(self, tmp_path: Path) -> None:
        """With the line of the field, though it is deep in the body; exit status 1."""
        body = b'{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":7}]}'
        message = Interaction(Request("POST", MESSAGE, BETA, body), Response(500))
        path = recorded(tmp_path / "a.yaml", Interaction(Request("GET", "/v1/models"), Response(500)), message)
        result = run("check", "--schema", path)
        assert result.exit_code == 1
        first, last = result.stdout.splitlines()
        assert first.startswith(f"{path}:{line_with(path, 'text: 7')}: #2 POST {MESSAGE}: request: Invalid type for ")
        assert "'content[1].text'" in first
        assert last == f"{path}: not in order: 1 request not valid"

    def test_a_wrong_answer_is_a_warning(self, tmp_path: Path) -> None:
        """JSON as a whole, streams event by event; exit status 0."""
        chunks = b"".join(b"data: %b\n\n" % (CHUNK % index).encode() for index in ("0", '"x"'))
        asked = Request(
            "POST", "/v1/chat/completions", JSON, b'{"model":"m","messages":[{"role":"user","content":"a"}]}'
        )
        deleted = Response(200, "", JSON, b'{"id":"thread_1","object":"thread.deleted","deleted":7}')
        path = recorded(
            tmp_path / "a.yaml",
            Interaction(asked, Response(200, "", EVENTS, b": hello\n\n" + chunks + b"data: [DONE]\n\n")),
            Interaction(Request("DELETE", "/v1/threads/thread_1", BETA), deleted),
        )
        result = run("check", "--schema", path)
        assert result.exit_code == 0
        stream, whole, last = result.stdout.splitlines()
        place = line_with(path, '"index": "x"')
        assert stream.startswith(f"{path}:{place}: #1 POST /v1/chat/completions: answer: Event 2")
        assert whole.startswith(f"{path}:{line_with(path, 'deleted: 7')}: #2 DELETE /v1/threads/thread_1: answer: ")
        assert last == f"{path}: ok, 2 interactions, 2 warnings"

    @pytest.mark.parametrize(
        ("request_", "status", "told", "field"),
        [
            (
                Request("POST", MESSAGE, BETA, b'{"role":"x"}'),
                400,
                "request (refused when it was recorded): ",
                "role: x",
            ),
            (Request("POST", "/v1/thredas", JSON, b"{}"), 200, "request (warning): Invalid URL", "/v1/thredas"),
            (Request("POST", "/v1/responses", JSON, b'{"nw":1}'), 500, "request (warning): Unknown param", "nw: 1"),
        ],
    )
    def test_what_the_api_may_take_or_refused_is_a_warning(
        self, tmp_path: Path, request_: Request, status: int, told: str, field: str
    ) -> None:
        """Recordings of refusals are in order."""
        path = recorded(tmp_path / "a.yaml", Interaction(request_, Response(status, "", JSON, ERROR)))
        result = run("check", "--schema", path)
        assert result.exit_code == 0
        place = line_with(path, field, 2 if field.startswith("/") else 1)
        assert result.stdout.startswith(f"{path}:{place}: #1 POST {request_.target}: {told}")
        assert result.stdout.endswith("ok, 1 interactions, 1 warning\n")

    @pytest.mark.parametrize(
        ("request_", "field"),
        [
            (Request("GET", "/v1/threads/x/messages", BETA), "target:"),
            (Request("GET", MESSAGE + "?limit=x", BETA), "target:"),
            (Request("POST", MESSAGE, JSON, b'{"role":"user","content":"a"}'), "method:"),
            (Request("POST", MESSAGE, BETA, b'{"role":"user"'), "method:"),
        ],
    )
    def test_what_is_in_no_body_is_told_by_its_request(self, tmp_path: Path, request_: Request, field: str) -> None:
        """Paths and queries by the target, headers and what is no JSON by the request."""
        path = recorded(tmp_path / "a.yaml", Interaction(request_, Response(500)))
        result = run("check", "--schema", path)
        assert result.exit_code == 1
        assert result.stdout.startswith(f"{path}:{line_with(path, field)}: #1 ")

    def test_answers_that_nobody_gave_whole_are_not_held_against_it(self, tmp_path: Path) -> None:
        """One that broke off need not end, one of the proxy's own is no answer of the API; large ones are not read."""
        asked = Request(
            "POST", "/v1/chat/completions", JSON, b'{"model":"m","messages":[{"role":"user","content":"a"}]}'
        )
        begun = f"data: {CHUNK % 0}\n\n".encode()
        path = recorded(
            tmp_path / "a.yaml",
            Interaction(asked, Response(200, "", EVENTS, begun), fault=Fault("truncate")),
            Interaction(asked, Response(502, "", JSON, b"{}"), fault=Fault("refused", of_upstream=True)),
        )
        result = run("check", "--schema", path)
        assert (result.exit_code, result.stdout) == (0, f"{path}: ok, 2 interactions\n")

    def test_json_has_them_as_objects(self, tmp_path: Path) -> None:
        """For other programs; nothing else is printed."""
        path = recorded(
            tmp_path / "a.yaml", Interaction(Request("POST", MESSAGE, BETA, b'{"role":"x"}'), Response(500))
        )
        (result,) = json.loads(run("check", "--schema", "--json", path).stdout)
        assert (result["ok"], result["problem"]) == (False, "")
        (problem,) = result["problems"]
        assert problem == problem | {"number": 1, "operation": "createMessage", "side": "request", "param": "role"}
        assert (problem["warning"], problem["refused"]) == (False, False)

    def test_a_catalog_of_ones_own(self, tmp_path: Path) -> None:
        """It says what is valid; without --schema it would say nothing."""
        catalog = tmp_path / "c.json"
        catalog.write_text('{"catalog": 1, "operations": []}')
        path = recorded(tmp_path / "a.yaml", Interaction(Request("GET", "/v1/models"), Response(500)))
        assert "Invalid URL (GET /v1/models)" in run("check", "--schema", "--catalog", catalog, path).stdout
        result = run("check", "--catalog", catalog, path)
        assert result.exit_code == 2
        assert "--catalog is for --schema" in result.stderr

    def test_a_cassette_that_is_not_in_order_is_told_as_ever(self, tmp_path: Path) -> None:
        """Nothing of it is validated."""
        (tmp_path / "b.yaml").write_text("---\nreplayproxy: 1\nx: 1\n...\n")
        result = run("check", "--schema", tmp_path)
        assert result.exit_code == 1
        assert "b.yaml: not in order: line 3: the head has no field 'x'" in result.stdout


@pytest.mark.parametrize("command", ["check", "list", "show", "schema", ""])
def test_help_has_examples(command: str) -> None:
    """Each command says how it is used."""
    assert "Examples:\n" in run(*command.split(), "--help").output
