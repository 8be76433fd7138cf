"""Changes to a cassette's file that somebody asks for."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Headers, Response
from replayproxy.core.redaction import Redactor
from replayproxy.errors import CassetteError
from replayproxy.stores import FileStore
from replayproxy.stores.edits import CassetteEditor
from tests.builders import interaction, request, response
from tests.processes import KEY

HEAD = Head("https://a", "then", "test", "x")


def _exchange(number: int, size: int = 0) -> Interaction:
    body = b"%d" % number + b"x" * size
    return interaction(request("GET", f"/v1/{number}"), Response(200, "OK", Headers(), body))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cassette of three interactions."""
    path = tmp_path / "a.yaml"
    recorder = FileStore(path).append_to(HEAD)
    for number in (1, 2, 3):
        recorder.append(_exchange(number), number)
    recorder.close()
    return path


def _editor(path: Path, inline_limit: int = 65536) -> CassetteEditor:
    return CassetteEditor(path, Redactor(), inline_limit)


def _targets(path: Path) -> list[str]:
    return [each.request.target for each in FileStore(path).load().interactions]


def _text(path: Path, number: int) -> str:
    return FileStore(path).load().interactions[number - 1].text


def test_an_interaction_is_added_at_the_end(path: Path) -> None:
    """What was there keeps its bytes."""
    before = path.read_bytes()
    assert _editor(path).add(Head("https://other"), _exchange(4)) == 4
    assert path.read_bytes().startswith(before)
    assert _targets(path)[3] == "/v1/4"


def test_a_cassette_is_begun_where_there_is_none(tmp_path: Path) -> None:
    """With the head that is given, and in a folder that is made."""
    path = tmp_path / "new" / "b.yaml"
    assert _editor(path).add(HEAD, _exchange(1)) == 1
    assert FileStore(path).load().head == HEAD


def test_what_cannot_be_written_is_not_added(path: Path) -> None:
    """The file stays as it was, and nobody holds it."""
    before = path.read_bytes()
    with pytest.raises(CassetteError):
        _editor(path).add(HEAD, interaction(request("no method", "/")))
    assert path.read_bytes() == before
    assert _editor(path).add(HEAD, _exchange(4)) == 4


def test_an_interaction_reads_as_it_was_written(path: Path) -> None:
    """What the file was stands beside it; the others keep their text."""
    before, text = path.read_bytes(), _text(path, 2)
    assert _editor(path).replace(2, text.replace("/v1/2", "/v1/two")) == 0
    assert _targets(path) == ["/v1/1", "/v1/two", "/v1/3"]
    assert path.with_name("a.yaml~").read_bytes() == before
    assert not list(path.parent.glob(".*"))


def test_writing_the_same_changes_nothing(path: Path) -> None:
    """Neither the file nor what stands beside it."""
    before, status = path.read_bytes(), path.stat().st_mtime_ns
    _editor(path).replace(2, _text(path, 2))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, status)
    assert not path.with_name("a.yaml~").exists()


def test_a_secret_that_was_written_is_redacted(path: Path) -> None:
    """It never reaches the disk."""
    text = _text(path, 1).replace("  headers:\n", f"  headers:\n    - authorization: Bearer {KEY}\n", 1)
    assert _editor(path).replace(1, text) == 1
    assert not [file for file in path.parent.iterdir() if KEY in file.read_text()]
    assert (
        FileStore(path).load().interactions[0].request.headers.get("authorization") == "Bearer redacted.authorization"
    )
    assert _targets(path) == ["/v1/1", "/v1/2", "/v1/3"]


def test_a_secret_in_a_large_body_is_redacted_into_its_file(path: Path) -> None:
    """A document that has to be written anew for it puts the body where it belongs."""
    editor = _editor(path, inline_limit=100)
    text = f"{KEY} {'x' * 200}"
    wanted = (
        f"---\nrequest:\n  method: POST\n  target: /v1/1\n  body:\n    text: {text}\nresponse:\n  status: 200\n...\n"
    )
    assert editor.replace(1, wanted) == 1
    body = FileStore(path).load().interactions[0].request.body
    assert isinstance(body, bytes)
    assert body.endswith(b"x" * 200)
    assert KEY.encode() not in body + path.read_bytes()


def test_a_text_that_cannot_be_loaded_changes_nothing(path: Path) -> None:
    """The error tells the line of the text, and no file."""
    before = path.read_bytes()
    with pytest.raises(CassetteError) as caught:
        _editor(path).replace(1, _text(path, 1).replace("status: 200", "status: ok"))
    assert (caught.value.path, caught.value.line > 1) == ("", True)
    assert path.read_bytes() == before


def test_an_interaction_is_taken_out(path: Path) -> None:
    """The later ones move up, and how many are left is told."""
    assert _editor(path).remove(1) == 2
    assert _targets(path) == ["/v1/2", "/v1/3"]
    assert "--- # 1: GET /v1/2" in path.read_text()


@pytest.mark.parametrize("number", [0, 4])
def test_there_are_no_others(path: Path, number: int) -> None:
    """Whoever asks for one is told."""
    with pytest.raises(IndexError):
        _editor(path).remove(number)
    with pytest.raises(IndexError):
        _editor(path).replace(number, _text(path, 1))


def test_a_cassette_that_is_recorded_is_refused(path: Path) -> None:
    """Until the recording ends."""
    recorder = FileStore(path).append_to(HEAD)
    for change in (partial(_editor(path).remove, 1), partial(_editor(path).add, HEAD, _exchange(4))):
        with pytest.raises(CassetteError, match="another replayproxy records into it"):
            change()
    recorder.close()
    assert _editor(path).remove(1) == 2


def test_what_was_not_finished_is_kept(path: Path) -> None:
    """It stays behind the whole documents."""
    path.write_text(f"{path.read_text()}--- # 4: GET /v1/torn\nrequest:\n")
    _editor(path).remove(3)
    assert path.read_text().endswith("--- # 4: GET /v1/torn\nrequest:\n")
    assert _targets(path) == ["/v1/1", "/v1/2"]


def test_files_of_large_bodies_stay_as_long_as_somebody_names_them(path: Path) -> None:
    """What the cassette was still names those of an interaction that is gone."""
    folder = path.with_name("a.files")
    editor = _editor(path, inline_limit=100)
    editor.add(HEAD, _exchange(4, 200))
    editor.add(HEAD, _exchange(5, 200))
    names = {file.name for file in folder.iterdir()}
    assert len(names) == 2
    editor.remove(4)
    assert {file.name for file in folder.iterdir()} == names
    editor.remove(1)
    assert len(list(folder.iterdir())) == 1
    assert FileStore(path).load().interactions[-1].response.body == b"5" + b"x" * 200


def test_a_large_body_is_read_from_its_file_and_stays_there(path: Path) -> None:
    """An edit of something else does not touch it."""
    editor = _editor(path, inline_limit=100)
    editor.add(HEAD, interaction(request("POST", "/v1/4", {"text": "y" * 200}), response(200, {"text": "x" * 200})))
    editor.replace(4, _text(path, 4).replace("/v1/4", "/v1/four"))
    loaded = FileStore(path).load().interactions[3]
    assert loaded.request == request("POST", "/v1/four", {"text": "y" * 200})


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(b"\xff\xfe", "not UTF-8", id="no text"),
        pytest.param(b"a: 1\n", "no cassette", id="no cassette"),
    ],
)
def test_what_is_no_cassette_is_left_alone(tmp_path: Path, content: bytes, what: str) -> None:
    """The error names the file."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(CassetteError, match=what) as caught:
        _editor(path).remove(1)
    assert caught.value.path == str(path)
    assert path.read_bytes() == content


def test_a_cassette_that_is_not_there_cannot_be_changed(tmp_path: Path) -> None:
    """Neither in a folder nor without one."""
    for path in (tmp_path / "a.yaml", tmp_path / "none" / "a.yaml"):
        with pytest.raises(CassetteError, match="No such file"):
            _editor(path).remove(1)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_an_error(path: Path) -> None:
    """What stands in the place of the copy is named, and the cassette stays as it was."""
    before = path.read_bytes()
    path.with_name("a.yaml~").mkdir()
    with pytest.raises(CassetteError, match="cannot be written"):
        _editor(path).remove(1)
    assert path.read_bytes() == before
