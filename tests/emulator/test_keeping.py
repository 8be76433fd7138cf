"""The emulator's state in a file, and things that are there from the start."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from replayproxy.emulator.assistants.messages import MESSAGE, add_message
from replayproxy.emulator.assistants.threads import THREAD, add_thread
from replayproxy.emulator.brain.default import DefaultBrain
from replayproxy.emulator.fixtures import add_fixtures, read_fixtures
from replayproxy.emulator.keeping import FileKeeper
from replayproxy.emulator.records import Record
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.errors import ConfigError, StartError

KINDS = (THREAD, MESSAGE)


def state_of(keeper: FileKeeper | None = None, **settings: Any) -> State:
    """A state that knows threads and messages."""
    return State(EmulatorSettings(**settings), KINDS, DefaultBrain(), keeper)


def told(state: State) -> list[tuple[str, str, str, dict[str, Any]]]:
    """All that a state remembers."""
    return [(each.kind, each.id, each.parent, each.json) for each in state.records()]


def test_a_state_comes_back(tmp_path: Path) -> None:
    """What was made, changed and deleted; what is made next has the ids that it would have had."""
    path = tmp_path / "state.db"
    keeper = FileKeeper(path)
    kept, forgetful = state_of(keeper), state_of()
    for state in (kept, forgetful):
        thread = add_thread(state, {"messages": [{"role": "user", "content": "One"}], "metadata": {"a": "b"}})
        gone = add_thread(state, {})
        thread.json["metadata"] = {"a": "c"}
        thread.hidden["x"] = [1]
        thread.blob = b"\x00\xff"
        state.keep(thread)
        state.remove(THREAD, gone.id)
    keeper.close()
    again = state_of(FileKeeper(path))
    assert told(again) == told(forgetful)
    assert again.counts() == {"thread": 1, "message": 1}
    back = again.get(THREAD, thread.id)
    assert back is not None
    assert (back.hidden, back.blob, back.created_at) == ({"x": [1]}, b"\x00\xff", thread.created_at)
    assert again.get(THREAD, gone.id) is None
    assert add_thread(again, {}).id == add_thread(forgetful, {}).id


def test_a_reset_forgets_everything(tmp_path: Path) -> None:
    """In memory and in the file; the first ids come again."""
    state = state_of(FileKeeper(tmp_path / "state.db"))
    first = add_thread(state, {}).id
    state.reset()
    assert told(state) == []
    assert add_thread(state, {}).id == first


def test_kinds_that_are_no_longer_known_are_left_out(tmp_path: Path) -> None:
    """A file of another version of the emulator still loads."""
    keeper = FileKeeper(tmp_path / "state.db")
    keeper.put(Record("ghost", "g", "", 0, 0))
    keeper.close()
    assert told(state_of(FileKeeper(tmp_path / "state.db"))) == []


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    """And left as it is."""
    text = tmp_path / "notes.txt"
    text.write_text("x" * 5000)
    with pytest.raises(StartError, match=r"notes\.txt cannot be used"):
        FileKeeper(text)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()
    with pytest.raises(StartError, match="no state of an emulator"):
        FileKeeper(other)
    with pytest.raises(StartError, match="cannot be used"):
        FileKeeper(tmp_path / "nowhere" / "state.db")


def test_two_emulators_cannot_share_a_file(tmp_path: Path) -> None:
    """The second one says so."""
    first = FileKeeper(tmp_path / "state.db")
    with pytest.raises(StartError, match="locked"):
        FileKeeper(tmp_path / "state.db")
    first.close()


def test_unknown_ids_are_made_on_the_spot_where_asked_for() -> None:
    """Once, with their children; what was deleted stays gone."""
    state = state_of(unknown_ids="create")
    thread = state.get(THREAD, "thread_of_last_year")
    assert thread is not None
    assert state.get(THREAD, "thread_of_last_year") is thread
    message = state.get(MESSAGE, "msg_x", thread.id)
    assert message is not None
    assert message.json["thread_id"] == thread.id
    assert add_message(state, thread, {"role": "user", "content": "x"}).place == 1
    state.remove(THREAD, thread.id)
    assert state.get(THREAD, thread.id) is None
    assert state.remove(THREAD, "thread_never") is not None
    assert state.get(THREAD, "") is None
    assert state_of().get(THREAD, "thread_of_last_year") is None


def test_fixtures_are_there_from_the_start(tmp_path: Path) -> None:
    """With defaults for what they leave out, under their parents, with contents of files."""
    (tmp_path / "manual.md").write_bytes(b"# Manual\n")
    path = tmp_path / "fixtures.yaml"
    path.write_text(
        "thread:\n  - {id: thread_1, metadata: {a: b}}\n  - {id: thread_2, path: manual.md}\n"
        "message:\n  - {id: msg_1, parent: thread_1, role: assistant, content: hello}\n"
    )
    state = state_of()
    add_fixtures(state, read_fixtures(path, state.kinds))
    thread, other = state.get(THREAD, "thread_1"), state.get(THREAD, "thread_2")
    assert thread is not None
    assert other is not None
    assert (thread.json["metadata"], thread.json["object"], other.blob) == ({"a": "b"}, "thread", b"# Manual\n")
    message = state.get(MESSAGE, "msg_1", "thread_1")
    assert message is not None
    assert (message.json["role"], message.json["thread_id"], message.blob) == ("assistant", "thread_1", b"hello")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "cannot be read"),
        ("- x", "mapping from kinds"),
        ("thred: []", "there is no kind 'thred'; did you mean thread?"),
        ("zebra: []", "there is no kind 'zebra'; there are message, thread"),
        ("thread: x", "thread: expected a list of objects"),
        ("thread: [x]", "thread 1: expected a mapping with an `id`"),
        ("thread: [{id: a}, {name: b}]", "thread 2: expected a mapping with an `id`"),
        ("thread: [{id: a, parent: 5}]", "thread 1: `parent` is no text"),
        ("thread: [{id: a, path: nothing.md}]", "the content of a cannot be read"),
    ],
)
def test_what_is_wrong_with_fixtures_is_told(tmp_path: Path, text: str, message: str) -> None:
    """With the file, and what to write instead."""
    path = tmp_path / "fixtures.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_fixtures(path, ("thread", "message"))
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_fixtures_that_are_not_there_are_told(tmp_path: Path) -> None:
    """A name misspelt."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_fixtures(tmp_path / "none.yaml", ())


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """And so are those that SQLite puts beside it; one that was there keeps its rights."""
    path = tmp_path / "state.db"
    keeper = FileKeeper(path)
    state_of(keeper)
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}
    keeper.close()
    path.chmod(0o640)
    FileKeeper(path).close()
    assert path.stat().st_mode & 0o777 == 0o640
