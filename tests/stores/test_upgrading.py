"""Cassettes of an earlier version of the format: read, added to, and recorded over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.messages import Request, Response
from replayproxy.errors import CassetteError
from replayproxy.stores import FileStore

GOLDEN = Path(__file__).parents[1] / "core" / "cassette.yaml"
NEW = Interaction(Request("GET", "/new"), Response(504), fault=Fault("timeout", of_upstream=True))
MINE = "\n# mine, é\n--- # 1: POST"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cassette of version 1, with a comment between its documents."""
    path = tmp_path / "a.yaml"
    path.write_text(GOLDEN.read_text("utf-8").replace("\n--- # 1: POST", MINE), "utf-8")
    return path


def test_nothing_changes_until_something_is_added(path: Path) -> None:
    """A recording that saves nothing leaves the old file as it is."""
    before = path.read_bytes()
    FileStore(path).append_to(Head()).close()
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["a.yaml"]


@pytest.mark.parametrize("end", ["", "# the end", "# the end\n", "\n\n"])
def test_adding_to_an_old_file_brings_it_up(path: Path, end: str) -> None:
    """The head says the present version, the rest keeps its text; what it was is set aside."""
    path.write_text(path.read_text("utf-8") + end, "utf-8")
    before, earlier = path.read_text("utf-8"), FileStore(path).load().interactions
    recorder = FileStore(path).append_to(Head())
    recorder.append(NEW, 2)
    recorder.append(NEW, 1)
    recorder.close()
    after = path.read_text("utf-8")
    kept = before.replace("replayproxy: 1", "replayproxy: 3").removesuffix("\n") + "\n"
    assert after.startswith(f"{kept}--- # 2: GET /new -> 504\nfault:\n")
    assert FileStore(path).load().interactions == (*earlier, NEW, NEW)
    assert path.with_name("a.yaml~").read_text("utf-8") == before


def test_a_last_line_without_an_end_is_no_harm(path: Path) -> None:
    """Editors leave such files."""
    path.write_text(path.read_text("utf-8").removesuffix("\n"), "utf-8")
    recorder = FileStore(path).append_to(Head())
    recorder.append(NEW, 1)
    recorder.close()
    assert len(FileStore(path).load().interactions) == 2


def test_a_torn_tail_is_left_in_what_is_set_aside(path: Path) -> None:
    """The file that takes its place is whole."""
    path.write_text(path.read_text("utf-8") + "--- # 2: torn\nx", "utf-8")
    recorder = FileStore(path).append_to(Head())
    recorder.append(NEW, 1)
    recorder.close()
    store = FileStore(path)
    assert len(store.load().interactions) == 2
    assert store.torn == ""
    assert path.with_name("a.yaml~").read_text("utf-8").endswith("torn\nx")


def test_an_old_file_that_changes_meanwhile_is_not_written_over(path: Path) -> None:
    """The first interaction would lose what an editor saved."""
    recorder = FileStore(path).append_to(Head())
    path.write_text(path.read_text("utf-8") + "# mine\n", "utf-8")
    with pytest.raises(CassetteError, match="changed while"):
        recorder.append(NEW, 1)
    recorder.close()
    assert path.read_text("utf-8").endswith("# mine\n")


def test_an_old_file_that_cannot_be_read_is_left(path: Path) -> None:
    """The error names file and line."""
    path.write_text(path.read_text("utf-8").replace("operation:", "operation: [", 1), "utf-8")
    with pytest.raises(CassetteError) as caught:
        FileStore(path).append_to(Head())
    assert caught.value.path == str(path)
    assert caught.value.line


def test_recording_over_an_old_file(path: Path) -> None:
    """The same again leaves it as it is, version included; anything else makes a file of the present version."""
    before, cassette = path.read_bytes(), FileStore(path).load()
    again = replace(cassette.head, recorded="now")
    recorder = FileStore(path).replace_take(again)
    recorder.append(replace(cassette.interactions[0], recorded="now"), 1)
    assert FileStore(path).load().interactions == cassette.interactions
    recorder.close()
    assert path.read_bytes() == before
    recorder = FileStore(path).replace_take(again)
    recorder.append(cassette.interactions[0], 1)
    recorder.append(NEW, 2)
    recorder.close()
    assert path.read_text("utf-8").count("replayproxy: 3\n") == 1
    assert FileStore(path).load().interactions == (*cassette.interactions, NEW)
