"""What every store does."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.messages import FileBody, Headers, Request, Response
from replayproxy.errors import CassetteError
from replayproxy.stores import CassetteStore, FileStore
from replayproxy.stores.contract import Unsaved
from replayproxy.stores.memory import MemoryStore

HEAD, OTHER = Head("https://a", "then", "replayproxy 1", "x"), Head("https://b")


def exchange(target: str, body: bytes = b"x") -> Interaction:
    """An interaction to save."""
    return Interaction(Request("GET", target), Response(200, "OK", Headers(), body))


A, B, C = (exchange(target) for target in ("/a", "/b", "/c"))
Place = Callable[[], CassetteStore]


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CassetteStore:
    """Each kind of store, empty."""
    return FileStore(tmp_path / "folder" / "a.yaml") if request.param == "file" else MemoryStore()


def record(store: CassetteStore, *interactions: Interaction) -> None:
    """Saves interactions in this order."""
    recorder = store.append_to(HEAD)
    for arrival, interaction in enumerate(interactions):
        recorder.append(interaction, arrival)
    recorder.close()


def test_an_empty_store_has_nothing_to_load(store: CassetteStore) -> None:
    """Nothing exists before something is saved, not even when a recording was opened and closed."""
    recorder = store.append_to(HEAD)
    recorder.close()
    assert not store.exists()
    with pytest.raises(CassetteError):
        store.load()


def test_what_is_saved_is_loaded(store: CassetteStore) -> None:
    """At once, before the recording ends; later recordings add to it, and the head stays."""
    recorder = store.append_to(HEAD)
    recorder.append(A, 1)
    assert store.load() == Cassette(HEAD, (A,))
    assert store.torn == ""
    recorder.close()
    recorder = store.append_to(OTHER)
    recorder.append(B, 1)
    recorder.close()
    assert store.exists()
    assert store.load() == Cassette(HEAD, (A, B))


def test_interactions_end_in_order_of_arrival(store: CassetteStore) -> None:
    """Those of one recording, after those of earlier ones."""
    record(store, C)
    recorder = store.append_to(HEAD)
    recorder.append(B, 7)
    recorder.append(A, 2)
    recorder.close()
    assert store.load().interactions == (C, A, B)


def test_a_take_is_replaced_by_its_first_interaction(store: CassetteStore) -> None:
    """Until then the earlier one stays what it was."""
    record(store, A, B)
    store.replace_take(OTHER).close()
    assert store.load() == Cassette(HEAD, (A, B))
    recorder = store.replace_take(OTHER)
    assert store.load() == Cassette(HEAD, (A, B))
    recorder.append(C, 2)
    recorder.append(B, 1)
    recorder.close()
    assert store.load() == Cassette(OTHER, (B, C))


def test_there_is_one_recorder_at_a_time(store: CassetteStore) -> None:
    """A second one is refused until the first is closed; closing twice does nothing."""
    first = store.append_to(HEAD)
    for second in (store.append_to, store.replace_take):
        with pytest.raises(CassetteError, match="another replayproxy records into it"):
            second(HEAD)
    first.close()
    first.close()
    with pytest.raises(CassetteError, match="has ended"):
        first.append(A, 1)
    store.replace_take(HEAD).close()


def test_what_could_not_be_loaded_is_not_saved(store: CassetteStore) -> None:
    """And what was saved before is still there."""
    recorder = store.append_to(HEAD)
    recorder.append(A, 1)
    with pytest.raises(CassetteError, match="not a method"):
        recorder.append(Interaction(Request("", "/"), Response(200)), 2)
    recorder.append(B, 3)
    recorder.close()
    assert store.load().interactions == (A, B)


def test_many_are_saved_at_once(store: CassetteStore) -> None:
    """In the order given, each for itself; what could not be saved is told in its place."""
    recorder = store.append_to(HEAD)
    unwritable = Interaction(Request("", "/"), Response(200))
    errors = recorder.append_all([Unsaved(each, place) for place, each in enumerate([A, unwritable, B])])
    assert [error is None for error in errors] == [True, False, True]
    recorder.sync()
    assert store.load().interactions == (A, B)
    assert recorder.append_all([]) == []
    recorder.close()
    assert "has ended" in str(recorder.append_all([Unsaved(C, 4)])[0])
    assert store.load().interactions == (A, B)


def test_large_bodies_are_spooled(store: CassetteStore) -> None:
    """In pieces, then kept under the name of their content, or thrown away."""
    recorder = store.append_to(HEAD)
    spool = recorder.spool()
    spool.write(b"large ")
    spool.write(b"body")
    name = spool.adopt(sha256(b"large body").hexdigest(), ".bin")
    body = FileBody(name, 10, "digest")
    spool.discard()
    recorder.spool().discard()
    recorder.append(Interaction(Request("GET", "/"), Response(200, body=body)), 1)
    recorder.close()
    with store.open_body(body) as file:
        assert file.read() == b"large body"
    with pytest.raises(CassetteError):
        store.open_body(FileBody("0" * 32 + ".bin", 1, ""))
