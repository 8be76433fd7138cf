"""`replayproxy cassette export` and `import`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from replayproxy.cli import cli
from replayproxy.cli.cassette_export import export_text
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import FileBody, Request, Response
from replayproxy.errors import ConfigError
from replayproxy.stores import FileStore
from tests.builders import interaction, request, response
from tests.core.exports.test_har import ODD, SCHEMA
from tests.core.exports.test_har_read import har_entry

SHIPPED = Path(__file__).parents[2] / "cassettes" / "create-message.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, status: int = 0) -> Result:
    """Runs `replayproxy cassette`."""
    result = CliRunner().invoke(cli, ["cassette", *arguments])
    assert result.exit_code == status, result.output
    return result


def written(path: Path, *interactions: Interaction) -> Path:
    """A cassette of them."""
    recorder = FileStore(path).append_to(Head("http://h:1/v1"))
    for arrival, each in enumerate(interactions):
        recorder.append(each, arrival)
    recorder.close()
    return path


def har(path: Path, *entries: Any) -> str:
    """A HAR file of these entries."""
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), "utf-8")
    return str(path)


def test_a_cassette_goes_out_and_comes_back(folder: Path) -> None:
    """Byte for byte, as nothing in it has changed."""
    (folder / "a.yaml").write_bytes(SHIPPED.read_bytes())
    assert "a.har" in run("export", "a.yaml").output
    assert not list(SCHEMA.iter_errors(json.loads((folder / "a.har").read_text("utf-8"))))
    assert "7 of 7 entries taken into b.yaml" in run("import", "a.har", "b.yaml").output
    assert (folder / "b.yaml").read_bytes() == SHIPPED.read_bytes()


def test_every_kind_of_interaction_comes_back(folder: Path) -> None:
    """Those that a cassette can hold, large bodies in files as well."""
    kept = [each for name, each in ODD.items() if name not in ("odd head", "other methods", "cookies")]
    large = interaction(Request("POST", "/v1/files", body=b"\xff" * 9_000_000), Response(200, "", body=b"x" * 70_000))
    path = written(folder / "a.yaml", *kept, large)
    run("export", "a.yaml", "-o", "out.har", "--har")
    run("import", "out.har", "b.yaml")
    before, after = FileStore(path).load().interactions, FileStore(folder / "b.yaml").load().interactions
    assert after == before
    assert isinstance(after[-1].request.body, FileBody)


def test_export_writes_to_standard_output(folder: Path) -> None:
    """For other tools."""
    path = written(folder / "a.yaml", interaction())
    found = json.loads(run("export", str(path), "-o", "-").output)
    assert found["log"]["entries"][0]["request"]["url"] == "http://h:1/v1/threads"


def test_export_overwrites_nothing_by_accident(folder: Path) -> None:
    """With --force it does."""
    written(folder / "a.yaml", interaction())
    (folder / "a.har").write_text("mine")
    assert "is there already" in run("export", "a.yaml", status=2).output
    assert (folder / "a.har").read_text() == "mine"
    run("export", "a.yaml", "--force")
    assert (folder / "a.har").read_text() != "mine"
    assert "cannot be written" in run("export", "a.yaml", "-o", "nowhere/a.har", status=2).output


def test_import_redacts_and_names_operations(folder: Path) -> None:
    """As if it had been recorded."""
    secret = "sk-" + "a1B2" * 8
    headers = [
        {"name": "Authorization", "value": f"Bearer {secret}"},
        {"name": "content-type", "value": "application/json"},
    ]
    entry = har_entry({"headers": headers}, {"content": {"text": json.dumps({"echo": secret})}})
    entry["_x"] = "\ud800"
    run("import", har(folder / "a.har", entry), "b.yaml")
    text = (folder / "b.yaml").read_text("utf-8")
    assert secret not in text
    cassette = FileStore(folder / "b.yaml").load()
    assert cassette.interactions[0].operation == "createThread"
    assert cassette.head.upstream == "https://api.openai.com"


def test_import_tells_what_it_left_out(folder: Path) -> None:
    """With the numbers, grouped by reason; with --json one by one."""
    entries = [
        har_entry(),
        har_entry(_fromCache="disk"),
        har_entry({"url": "https://other/x"}),
        har_entry({"url": "https://api.openai.com/odd"}),
        har_entry({"method": "a b"}),
        *(har_entry(_fromCache="disk") for _ in range(25)),
    ]
    path = har(folder / "a.har", *entries)
    output = run("import", path, "b.yaml", "--origin", "https://api.openai.com").output
    assert "2 of 30 entries taken into b.yaml" in output
    assert "  3: it went to another origin" in output
    assert "and 6 more: answered out of the browser's cache" in output
    found = json.loads(run("import", path, "c.yaml", "--json").output)
    assert (found["interactions"], found["entries"], found["cassette"]) == (3, 30, "c.yaml")
    assert {each["origin"]: each["interactions"] for each in found["origins"]} == {
        "https://api.openai.com": 2,
        "https://other": 1,
    }
    assert [each["entry"] for each in found["left_out"]][:2] == [2, 5]
    assert "is not a method" in found["left_out"][1]["why"]
    assert FileStore(folder / "c.yaml").load().head.upstream == ""


def test_import_overwrites_nothing_by_accident(folder: Path) -> None:
    """It adds, or records over what is there and keeps it, when that is asked for."""
    path = har(folder / "a.har", har_entry())
    run("import", path, "b.yaml")
    assert "is there already" in run("import", path, "b.yaml", status=2).output
    run("import", path, "b.yaml", "--append")
    assert len(FileStore(folder / "b.yaml").load()) == 2
    run("import", path, "b.yaml", "--force")
    assert len(FileStore(folder / "b.yaml").load()) == 1
    assert (folder / "b.yaml~").exists()
    assert "exclude each other" in run("import", path, "b.yaml", "--force", "--append", status=2).output


def test_import_of_nothing_writes_nothing(folder: Path) -> None:
    """And says so by its status."""
    output = run("import", har(folder / "a.har", har_entry(_fromCache="disk")), "b.yaml", status=1).output
    assert "0 of 1 entries taken, and nothing was written" in output
    assert not (folder / "b.yaml").exists()


@pytest.mark.parametrize(
    ("content", "told"), [(b"{", "is no HAR, which is JSON"), (b"[]", "log.entries"), (None, "cannot be read")]
)
def test_what_is_no_har_is_refused(content: bytes | None, told: str, folder: Path) -> None:
    """With what is wrong."""
    if content is not None:
        (folder / "a.har").write_bytes(content)
    assert told in run("import", "a.har", "b.yaml", status=2).output.replace("\n", " ")


def test_a_byte_order_mark_is_no_harm(folder: Path) -> None:
    """Some tools write one."""
    path = folder / "a.har"
    har(path, har_entry())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    run("import", "a.har", "b.yaml")


def test_problems_are_redacted_too(folder: Path) -> None:
    """They quote what was wrong."""
    secret = "sk-" + "a1B2" * 8
    entry = har_entry(_replayproxy={"problems": [{"message": f"no {secret}", "param": "a"}, {"message": "b"}]})
    run("import", har(folder / "a.har", entry), "b.yaml")
    first, second = FileStore(folder / "b.yaml").load().interactions[0].problems
    assert (first.message, first.param, second.param) == ("no redacted.api-key", "a", None)


@pytest.mark.parametrize(
    ("form", "held"),
    [("curl", "curl http://127.0.0.1:8080/"), ("openai", "client.beta.threads.create"), ("har", '"log"')],
)
def test_an_interaction_has_forms(form: str, held: str) -> None:
    """For a proxy on its usual port."""
    headers = request().headers.plus(("OpenAI-Beta", "assistants=v2"))
    assert held in export_text(interaction(request(body={}, headers=headers), response()), form)


def test_an_unknown_form_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ConfigError, match="curl, openai, httpx, javascript, har"):
        export_text(interaction(), "wget")
    assert "client.post" in export_text(interaction(Request("POST", "/odd")), "openai")
