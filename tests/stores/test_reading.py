"""Interactions that are read when they are asked for."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.codec import encode, encode_head
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.key_line import keyed, unkeyed
from replayproxy.core.matching import NO_RULES, identity, nearest, scheme_of
from replayproxy.core.messages import Request
from replayproxy.errors import CassetteError
from replayproxy.stores import FileStore
from replayproxy.stores.reading import FileRecordings
from tests.builders import JSON, interaction, request, response

HEAD = Head("https://a", "then", "replayproxy 1", "x")
SCHEME = scheme_of(NO_RULES)
BODY = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], "metadata": {"run": "1"}}


def asked(number: int, /, **more: object) -> Interaction:
    """An interaction; no two have the same request."""
    return interaction(request("POST", "/v1/x", BODY | {"number": number} | more), response(body={"answer": number}))


RECORDED = tuple(asked(number) for number in range(6))


def write(path: Path, interactions: tuple[Interaction, ...] = RECORDED) -> Path:
    """A cassette with these interactions."""
    encoded = [encode(each, number) for number, each in enumerate(interactions, 1)]
    path.write_text(encode_head(HEAD) + "".join(each.text for each in encoded), "utf-8")
    for each in encoded:
        for name, content in each.files.items():
            folder = path.with_suffix(".files")
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cassette."""
    return write(tmp_path / "a.yaml")


def opened(path: Path) -> FileRecordings:
    """Its recordings, which must be those that are read when they are asked for."""
    head, found = FileStore(path).open_recordings()
    assert isinstance(found, FileRecordings)
    assert head == found.head
    return found


def everything(recordings: FileRecordings) -> tuple[Interaction, ...]:
    """All interactions."""
    return tuple(recordings[index] for index in range(len(recordings)))


def test_what_is_read_is_what_would_be_loaded(path: Path) -> None:
    """Head, interactions with line and text, and the requests alone; as often as it is asked for."""
    recordings, cassette = opened(path), FileStore(path).load()
    assert Cassette(recordings.head, everything(recordings)) == cassette == Cassette(HEAD, RECORDED)
    found = [(each.line, each.text) for each in everything(recordings)]
    assert found == [(each.line, each.text) for each in cassette.interactions]
    again = opened(path)
    assert [again.request(index) for index in range(6)] == [each.request for each in RECORDED]
    assert [recordings.request(index) for index in range(6)] == [each.request for each in RECORDED]


def test_a_key_is_the_identity_of_the_request(path: Path) -> None:
    """Under the scheme it was written for, and no other."""
    recordings = opened(path)
    assert [recordings.key(index, SCHEME) for index in range(6)] == [identity(each.request) for each in RECORDED]
    assert recordings.key(0, "") is recordings.key(0, "2") is None


EDITS: dict[str, Callable[[str], str]] = {
    "a value of the request": lambda text: text.replace("number: 3", "number: 33"),
    "a value of the answer": lambda text: text.replace("answer: 3", "answer: 33"),
    "the key": lambda text: text.replace(identity(RECORDED[3].request).hex(), "0" * 32),
    "the key is gone": lambda text: text.replace("... # key 1 " + identity(RECORDED[3].request).hex(), "... # x"),
    "a comment": lambda text: text.replace("number: 3", "number: 3 # three"),
    "the line ends": lambda text: text.replace("\n", "\r\n"),
    "the version": lambda text: text.replace("replayproxy: 3", "replayproxy: 2"),
    "the last line end": lambda text: text.removesuffix("\n"),
    "twice": lambda text: text + text[text.index("--- # 3") : text.index("--- # 5")],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_a_hand_edit_is_never_missed(path: Path, edit: Callable[[str], str]) -> None:
    """What is played is what stands in the file, and no key is believed that is not that of the request."""
    path.write_bytes(edit(path.read_text("utf-8")).encode())
    recordings, loaded = opened(path), FileStore(path).load().interactions
    assert everything(recordings) == loaded
    for index, each in enumerate(loaded):
        assert recordings.request(index) == each.request
        assert recordings.key(index, SCHEME) in (None, identity(each.request))


def test_what_somebody_wrote_is_read_at_the_start(path: Path) -> None:
    """So whatever is wrong there is told then, as loading tells it."""
    with path.open("a", encoding="utf-8") as file:
        file.write("---\nrequest: {method: GET, target: /mine}\nresponse: {status: 200}\n...\n")
    assert opened(path)[6].request == Request("GET", "/mine")
    path.write_text(path.read_text("utf-8").replace("status: 200}", "status: 20}"), "utf-8")
    with pytest.raises(CassetteError) as caught:
        FileStore(path).open_recordings()
    with pytest.raises(CassetteError) as expected:
        FileStore(path).load()
    assert str(caught.value) == str(expected.value)
    assert f"{path}:" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"interactions: []\n",
        b"---\nreplayproxy: 3\n...\n\xff",
        b"---\nreplayproxy: 3\n...\n---\n\xff\n...\n",
        "---\nreplayproxy: 3\n...\n".encode("utf-16"),
        b"---\nreplayproxy: 3\n...\n---\nx: 1\n---\n",
        b"---\nreplayproxy: 3\n",
        b"---\nreplayproxy: 9\n...\n",
    ],
)
def test_what_cannot_be_read_is_told_as_loading_tells_it(path: Path, content: bytes) -> None:
    """Line and cure included."""
    path.write_bytes(content)
    with pytest.raises(CassetteError) as caught:
        FileStore(path).open_recordings()
    with pytest.raises(CassetteError) as expected:
        FileStore(path).load()
    assert (str(caught.value), caught.value.cure) == (str(expected.value), expected.value.cure)


def test_places_that_cannot_be_read_are_named(path: Path, tmp_path: Path) -> None:
    """No file, a folder, a file too large."""
    with pytest.raises(CassetteError, match="cannot be read"):
        FileStore(tmp_path / "none.yaml").open_recordings()
    with pytest.raises(CassetteError, match="cannot be read"):
        FileStore(tmp_path).open_recordings()
    with pytest.raises(CassetteError, match="cannot be read"):
        FileRecordings(tmp_path / "none.yaml", lambda body: body)
    os.truncate(path, 2**31)
    with pytest.raises(CassetteError, match="too large"):
        FileStore(path).open_recordings()


def test_a_torn_last_document_is_told_and_left_out(path: Path) -> None:
    """As loading does."""
    with path.open("a", encoding="utf-8") as file:
        file.write("--- # 7: torn")
    store, other = FileStore(path), FileStore(path)
    _, recordings = store.open_recordings()
    other.load()
    assert len(recordings) == 6
    assert store.torn == other.torn != ""


def test_a_key_of_another_request_finds_nothing(path: Path) -> None:
    """Where it is believed without being read at first."""
    *documents, last = path.read_text("utf-8").split("\n--- #")
    forged = keyed(unkeyed("--- #" + last), SCHEME, identity(RECORDED[0].request))
    path.write_text("\n--- #".join(documents) + "\n" + forged, "utf-8")
    recordings = opened(path)
    assert recordings.key(5, SCHEME) == identity(RECORDED[0].request)
    assert recordings[0] == RECORDED[0]
    with pytest.raises(CassetteError, match="another request") as caught:
        recordings[5]
    assert caught.value.line > 1


def test_another_file_in_its_place_changes_nothing(path: Path) -> None:
    """A recording that is put in order does this, and so do editors."""
    recordings = opened(path)
    write(path.with_name("b.yaml"), RECORDED[:1])
    path.with_name("b.yaml").replace(path)
    assert everything(recordings) == RECORDED
    recordings = opened(write(path))
    path.unlink()
    assert everything(recordings) == RECORDED


@pytest.mark.parametrize("change", [lambda raw: raw.replace(b"answer: 3", b"answer: 4"), lambda raw: raw[:600]])
def test_a_change_in_place_is_noticed(path: Path, change: Callable[[bytes], bytes]) -> None:
    """What was not read yet cannot be told from what was never recorded."""
    recordings = opened(path)
    path.write_bytes(change(path.read_bytes()))
    for ask in (recordings.__getitem__, recordings.request):
        with pytest.raises(CassetteError, match="changed while it is played") as caught:
            ask(3)
        assert caught.value.cure


def test_requests_in_files_and_limited_faults_are_read_at_the_start(path: Path) -> None:
    """Their text does not tell all, or tells what counts before they are played; an answer's file is read later."""
    large = replace(asked(0), request=replace(asked(0).request, body=b'"' + b"x" * 70_000 + b'"'))
    answered = interaction(request(), response(body=b"x" * 70_000))
    faulty = replace(asked(1), fault=Fault("reset", times=2))
    always, truncated = (replace(asked(2), fault=fault) for fault in (Fault("reset"), Fault("truncate")))
    recorded = (large, answered, faulty, always, truncated)
    recordings = opened(write(path, recorded))
    keys = [recordings.key(index, SCHEME) for index in range(5)]
    assert keys == [None, *(identity(each.request) if each is not faulty else None for each in recorded[1:])]
    assert everything(recordings) == recorded
    for file in path.with_suffix(".files").iterdir():
        file.unlink()
    recordings[1]
    with pytest.raises(CassetteError, match="cannot be read"):
        FileStore(path).open_recordings()


def test_what_was_read_is_kept_up_to_a_bound(path: Path) -> None:
    """More than fits is read again; the last one stays, however large."""
    text = "x" * 60_000
    recordings = opened(write(path, tuple(asked(number, text=text) for number in range(100))))
    first = [recordings[index] for index in range(100)]
    again = [recordings[index] for index in range(100)]
    assert first == again
    assert 3 < kept(first, again) < 60
    (path.with_name("b.yaml")).write_text("", "utf-8")
    huge = opened(write(path.with_name("b.yaml"), (asked(0, text="x" * 6_000_000), asked(1))))
    assert huge[0] is huge[0]
    assert huge[1] is huge[1]
    assert huge[1] is not None


def test_bodies_in_files_count_towards_the_bound(path: Path) -> None:
    """What they take in memory is what they weigh, not the line that names them."""
    large = [replace(asked(number), response=response(body=b"%07d" % number * 20_000)) for number in range(60)]
    recordings = opened(write(path, tuple(large)))
    assert len(list(path.with_suffix(".files").iterdir())) == 60
    first, again = everything(recordings), everything(recordings)
    assert first == again
    assert kept(first, again) < 50


def kept(first: Sequence[Interaction], again: Sequence[Interaction]) -> int:
    """How many interactions were not read once more."""
    return sum(one is other for one, other in zip(first, again, strict=True))


def test_the_file_is_closed_when_nobody_asks_any_more(path: Path) -> None:
    """By itself, or when told; then nothing more is read, whatever else is opened."""
    recordings = opened(path)
    recordings.close()
    recordings.close()
    with path.open("rb"), pytest.raises(CassetteError, match="cannot be read"):
        recordings[0]
    recordings = opened(path)
    descriptor = recordings._file._descriptor
    assert os.fstat(descriptor).st_ino == path.stat().st_ino
    del recordings
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


CHANGED = [
    {"number": 2, "model": "other"},
    {"number": 4, "messages": [{"role": "user", "content": "Hi there"}]},
    {"number": 5, "metadata": {"run": "2"}},
    {"number": 3, "more": True},
]


@pytest.mark.parametrize("change", CHANGED, ids=str)
def test_the_nearest_is_that_of_a_cassette_that_was_read(tmp_path: Path, change: dict[str, object]) -> None:
    """One field differs from one recording; by the looks of the file the same one is found, edited or not."""
    recorded = (*RECORDED, interaction(request("GET", "/v1/models")), interaction(request("POST", "/v1/y", BODY)))
    path = write(tmp_path / "a.yaml", recorded)
    received = Request("POST", "/v1/x", JSON, asked(0, **change).request.body)
    expected = nearest(received, Cassette(interactions=recorded), 1)
    assert nearest(received, opened(path), 1) == expected
    assert (expected[0].index, len(expected[0].differences)) == (change["number"], 1)
    path.write_text(path.read_text("utf-8").replace("user", "user # edited"), "utf-8")
    assert nearest(received, opened(path), 1) == expected


def test_large_bodies_are_compared_by_their_ends(tmp_path: Path) -> None:
    """What differs is where both look."""
    recorded = tuple(asked(number, text=f"{number}" + "x" * 50_000) for number in range(100, 120))
    recordings = opened(write(tmp_path / "a.yaml", recorded))
    received = Request("POST", "/v1/x", JSON, asked(113, text="113" + "x" * 50_000, model="y").request.body)
    assert [near.index for near in nearest(received, recordings, 1)] == [13]
    assert len(recordings.look(0).seen) == len(recordings.look_of(received).seen) == 8192


def current(path: Path, change: Callable[[Path], object], *, grows: bool = False) -> bool:
    """Whether a cassette that was opened is current after that."""
    store = FileStore(path)
    assert store.is_current()
    store.open_recordings()
    assert store.is_current(grows=grows)
    change(path)
    return store.is_current(grows=grows)


def test_a_store_tells_whether_its_file_was_changed(path: Path) -> None:
    """Whatever is not what was opened; the same again is."""
    raw = path.read_bytes()
    assert current(path, lambda path: path.write_bytes(raw))
    for changed in (raw[:-300], raw.replace(b"answer: 3", b"answer: 4"), raw + raw[raw.index(b"--- # 6") :], b"\xff"):
        assert not current(path, lambda path, changed=changed: path.write_bytes(changed))  # type: ignore[misc]
        path.write_bytes(raw)
    assert not current(path, Path.unlink)


def test_so_it_does_of_a_file_that_had_to_be_read(path: Path) -> None:
    """Without a key that proves itself."""
    raw = path.read_bytes().replace(b"... # key", b"... # no key")
    path.write_bytes(raw)
    assert current(path, lambda path: path.write_bytes(raw))
    assert not current(path, lambda path: path.write_bytes(raw.replace(b"answer: 3", b"answer: 4")))


def test_what_a_recording_adds_is_no_change(path: Path) -> None:
    """Neither by an older version's file being written anew."""

    def add(path: Path) -> None:
        recorder = FileStore(path).append_to(HEAD)
        recorder.append(RECORDED[0], 1)
        recorder.close()

    assert current(path, add, grows=True)
    assert not current(path, add)
    path.write_bytes(path.read_bytes().replace(b"replayproxy: 3", b"replayproxy: 2"))
    assert current(path, add, grows=True)
