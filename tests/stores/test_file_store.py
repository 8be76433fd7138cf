"""A cassette in a file: crashes, full disks, other programs, and takes recorded over."""

from __future__ import annotations

import contextlib
import os
import resource
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.cassette import Cassette, Head, Interaction
from replayproxy.core.messages import FileBody, Headers, Request, Response
from replayproxy.errors import CassetteError
from replayproxy.stores import FileStore
from replayproxy.stores.contract import Unsaved

HEAD = Head("http://127.0.0.1:8000", "then", "replayproxy 1", "x")
AGAIN = Head("http://127.0.0.1:9000", "now", "replayproxy 2", "x")
TEXT = Headers.of(("Content-Type", "text/plain"))


def exchange(target: str, body: bytes = b"x", when: str = "then") -> Interaction:
    """An interaction; `when` is volatile."""
    headers = Headers.of(("Content-Type", "text/plain"), ("Date", when))
    return Interaction(Request("GET", target), Response(200, "OK", headers, body), recorded=when)


A, B, C = (exchange(target) for target in ("/a", "/b", "/c"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cassette goes."""
    return tmp_path / "a.yaml"


def record(path: Path, *interactions: Interaction, head: Head = HEAD, over: bool = False) -> None:
    """Records interactions in this order."""
    store = FileStore(path)
    recorder = store.replace_take(head) if over else store.append_to(head)
    for arrival, interaction in enumerate(interactions):
        recorder.append(interaction, arrival)
    recorder.close()


def names(path: Path) -> list[str]:
    """What is in the cassette's folder."""
    return sorted(each.name for each in path.parent.iterdir())


def test_files_are_for_their_owner_only(path: Path) -> None:
    """The cassette, its large bodies and what is set aside; nothing else is left behind."""
    record(path, exchange("/", b"x" * 70_000))
    record(path, A, over=True)
    assert names(path) == ["a.files", "a.yaml", "a.yaml~"]
    for file in [path, path.with_name("a.yaml~"), *path.with_name("a.files").iterdir()]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_every_cut_of_the_last_document_leaves_the_earlier_ones(path: Path) -> None:
    """A crash in the middle of writing loses the interaction in flight only; the file is left as it is."""
    record(path, A, B)
    whole = path.read_bytes()
    record(path, C)
    written = path.read_bytes()
    for end in range(len(whole), written.rindex(b"...") + 3):
        path.write_bytes(written[:end])
        store = FileStore(path)
        assert store.load() == Cassette(HEAD, (A, B))
        assert bool(store.torn) == (end > len(whole))
        assert path.read_bytes() == written[:end]


def test_a_torn_tail_is_set_aside_when_recording_goes_on(path: Path) -> None:
    """Its bytes are kept beside, after those of earlier crashes, and the cassette goes on behind the last end mark."""
    for number in (1, 2):
        record(path, A)
        with path.open("ab") as file:
            file.write(b"--- # 2: torn\nx: %d" % number)
        store = FileStore(path)
        store.load()
        assert "a.yaml:" in store.torn
        record(path, B)
        assert path.with_name("a.yaml.torn").read_bytes() == b"".join(
            b"--- # 2: torn\nx: %d" % each for each in range(1, number + 1)
        )
    assert FileStore(path).load().interactions == (A, B, A, B)


def test_a_missing_last_line_end_and_comments_survive(path: Path) -> None:
    """What an editor leaves at the end does no harm."""
    record(path, A)
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    record(path, B)
    with path.open("ab") as file:
        file.write("# é: done".encode())
    record(path, C)
    assert FileStore(path).load().interactions == (A, B, C)
    assert "\n# é: done\n--- # 3" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"", 0, "empty"),
        (b"interactions: []\n", 0, "VCR.py"),
        (b"---\nreplayproxy: 1\n...\n\xff", 4, "not UTF-8"),
        ("---\nreplayproxy: 1\n...\n".encode("utf-16"), 1, "UTF-16"),
        (b"---\nreplayproxy: 1\n...\n---\nx: 1\n---\n", 4, "no end mark"),
        (b"---\nreplayproxy: 1\nx: !!python/object/apply:os.system [x]\n...\n", 3, "a tag"),
    ],
)
def test_what_cannot_be_read_stops_everyone_and_stays(path: Path, content: bytes, line: int, what: str) -> None:
    """Loading and both ways of recording say file and line, and leave the file as it is."""
    path.write_bytes(content)
    store = FileStore(path)
    for attempt in (store.load, lambda: store.append_to(HEAD), lambda: store.replace_take(HEAD)):
        with pytest.raises(CassetteError, match=what) as caught:
            attempt()
        assert (caught.value.path, caught.value.line) == (str(path), line)
    assert path.read_bytes() == content
    assert names(path) == ["a.yaml"]


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    """A folder that is a file, a cassette that is a folder, a file too large to read."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(CassetteError, match="cannot be recorded"):
        FileStore(tmp_path / "file" / "a.yaml").append_to(HEAD)
    (tmp_path / "folder").mkdir()
    with pytest.raises(CassetteError, match="cannot be read"):
        FileStore(tmp_path / "folder").append_to(HEAD)
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(CassetteError, match="too large"):
        FileStore(tmp_path / "large.yaml").load()


def test_a_lock_left_by_a_killed_process_holds_nobody(path: Path) -> None:
    """Only a living recorder locks."""
    path.with_name(".a.yaml.lock").touch()
    record(path, A)
    assert names(path) == ["a.yaml"]


@contextlib.contextmanager
def disk_limit(size: int) -> Iterator[None]:
    """Files may not grow beyond `size`, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_costs_only_what_did_not_fit(path: Path) -> None:
    """The error is told, what a failed write left is cut off, and recording goes on when there is room."""
    recorder = FileStore(path).append_to(HEAD)
    with disk_limit(100), pytest.raises(CassetteError, match="cannot be written"):
        recorder.append(A, 1)
    assert names(path) == [".a.yaml.lock"]
    recorder.append(A, 2)
    size = path.stat().st_size
    with disk_limit(size + 50):
        with pytest.raises(CassetteError, match="cannot be written"):
            recorder.append(B, 3)
        with pytest.raises(CassetteError, match="cannot be written"):
            recorder.append(exchange("/", b"x" * 70_000), 4)
        spool = recorder.spool()
        with pytest.raises(CassetteError, match="cannot be written"):
            spool.write(b"x" * 100_000)
        spool.discard()
    assert path.stat().st_size == size
    assert FileStore(path).load().interactions == (A,)
    recorder.append(C, 5)
    recorder.close()
    assert FileStore(path).load().interactions == (A, C)


@pytest.mark.parametrize("begun", [False, True])
def test_what_does_not_fit_fails_alone(path: Path, begun: bool) -> None:
    """Of interactions that are saved together, those that fit are saved, and their numbers have no gap."""
    recorder = FileStore(path).append_to(HEAD)
    if begun:
        recorder.append(C, 0)
    large = exchange("/large", b"x" * 20_000)
    with disk_limit(10_000):
        errors = recorder.append_all([Unsaved(each, place) for place, each in enumerate([large, A, large, B], 1)])
    assert ["cannot be written" in str(error) for error in errors] == [True, False, True, False]
    assert errors[1::2] == [None, None]
    assert FileStore(path).load().interactions == (*[C][:begun], A, B)
    recorder.close()
    text = path.read_text("utf-8")
    assert text.count("\n--- # ") == 2 + begun
    assert f"--- # {1 + begun}: GET /a" in text
    assert f"--- # {2 + begun}: GET /b" in text


def test_a_full_disk_keeps_what_of_a_write_is_whole(path: Path) -> None:
    """The rest is cut off, and told."""
    recorder = FileStore(path).append_to(HEAD)
    recorder.append(A, 1)
    size = path.stat().st_size
    recorder.append(B, 2)
    with disk_limit(path.stat().st_size * 2 - size + 20):
        errors = recorder.append_all([Unsaved(each, place) for place, each in enumerate([B, A, C], 3)])
    assert [error is None for error in errors] == [True, False, False]
    assert FileStore(path).load().interactions == (A, B, B)
    recorder.close()


def test_what_cannot_be_made_durable_is_told(path: Path) -> None:
    """A body beside the cassette that is gone is an error once; before anything is saved there is nothing to do."""
    recorder = FileStore(path).append_to(HEAD)
    recorder.sync()
    recorder.append(exchange("/", b"x" * 70_000), 1)
    recorder.sync()
    recorder.append(exchange("/", b"y" * 70_000), 2)
    for file in path.with_name("a.files").iterdir():
        file.unlink()
    with pytest.raises(CassetteError, match="cannot be made durable"):
        recorder.sync()
    recorder.sync()
    recorder.close()
    recorder.sync()


def test_a_full_disk_leaves_the_earlier_take(path: Path) -> None:
    """Neither setting it aside nor putting documents in order may lose it."""
    record(path, A, B)
    earlier = path.read_bytes()
    recorder = FileStore(path).replace_take(HEAD)
    with disk_limit(100), pytest.raises(CassetteError, match="cannot be written"):
        recorder.append(C, 1)
    assert path.read_bytes() == earlier
    recorder.append(C, 2)
    recorder.append(A, 1)
    with disk_limit(100), pytest.raises(CassetteError, match="put in order"):
        recorder.close()
    assert FileStore(path).load().interactions == (C, A)


def test_a_cassette_changed_while_it_is_recorded_is_not_written_to(path: Path) -> None:
    """An editor that saves it, in place or by moving, is noticed before anything gets lost."""
    for change in ("grow", "replace", "remove"):
        path.unlink(missing_ok=True)
        recorder = FileStore(path).append_to(HEAD)
        recorder.append(A, 1)
        if change == "grow":
            path.write_bytes(path.read_bytes() + b"# mine\n")
        else:
            path.rename(path.with_name("moved"))
            if change == "replace":
                path.write_text("mine")
        with pytest.raises(CassetteError, match="changed while" if change != "remove" else "No such file"):
            recorder.append(B, 2)
        with pytest.raises(CassetteError):
            recorder.close()


def test_a_cassette_that_appears_meanwhile_is_not_replaced(path: Path) -> None:
    """Who began without a file does not write over one."""
    recorder = FileStore(path).append_to(HEAD)
    path.write_text("mine")
    with pytest.raises(CassetteError, match="changed while"):
        recorder.append(A, 1)
    recorder.close()
    assert path.read_text() == "mine"


def test_a_second_process_is_refused(path: Path) -> None:
    """The lock holds between processes, and a killed recorder gives it back."""
    code = (
        "import sys, time; from pathlib import Path; from replayproxy.stores import FileStore\n"
        "from replayproxy.core.cassette import Head\n"
        "recorder = FileStore(Path(sys.argv[1])).append_to(Head()); print('ready', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(CassetteError, match="another replayproxy"):
            FileStore(path).append_to(HEAD)
        process.kill()
    record(path, A)
    assert FileStore(path).load().interactions == (A,)


def test_a_killed_recorder_loses_nothing_that_was_saved(path: Path) -> None:
    """After kill -9 every interaction that was reported is there."""
    code = (
        "import sys; from pathlib import Path; from replayproxy.stores import FileStore\n"
        "from replayproxy.core.cassette import Head, Interaction\n"
        "from replayproxy.core.messages import Request, Response\n"
        "recorder = FileStore(Path(sys.argv[1])).append_to(Head())\n"
        "for number in range(10**6):\n"
        "    recorder.append(Interaction(Request('GET', f'/{number}'), Response(200, body=b'x' * 5000)), number)\n"
        "    print(number, flush=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        for number in range(50):
            assert process.stdout.readline() == f"{number}\n"
        process.kill()
    interactions = FileStore(path).load().interactions
    assert [each.request.target for each in interactions] == [f"/{number}" for number in range(len(interactions))]
    assert len(interactions) >= 50


def later(interaction: Interaction) -> Interaction:
    """The same exchange, recorded another time."""
    return replace(exchange(interaction.request.target, interaction.response.body, "now"), took=3.0)  # type: ignore[arg-type]


def test_recording_the_same_again_leaves_the_file_byte_for_byte(path: Path) -> None:
    """Whatever the order of completion, and whatever people wrote between the documents."""
    takes = [A, B, exchange("/a", when="a second time"), C]
    record(path, *takes)
    path.write_text(path.read_text("utf-8").replace("...\n--- # 2", "...\n\n# look here\n--- # 2"), "utf-8")
    written = path.read_bytes()
    for order in ((0, 1, 2, 3), (3, 1, 2, 0), (2, 1, 0, 3)):
        recorder = FileStore(path).replace_take(AGAIN)
        for index in order:
            recorder.append(later(takes[index]), index + 1)
        assert len(FileStore(path).load().interactions) == 4
        recorder.close()
        assert path.read_bytes() == written
        assert path.with_name("a.yaml~").read_bytes() == written


def test_only_what_changed_differs_from_the_earlier_take(path: Path) -> None:
    """A diff of the two takes shows the changed document, and moved ones under their new numbers."""
    record(path, A, B, C)
    earlier = path.read_text("utf-8")
    record(path, later(A), exchange("/b", b"changed", "now"), later(C), head=AGAIN, over=True)
    changed = set(path.read_text("utf-8").splitlines()) - set(earlier.splitlines())
    assert {line for line in changed if "# key" not in line} == {
        "recorded: now",
        "    - Date: now",
        "    text: changed",
    }
    assert path.with_name("a.yaml~").read_text("utf-8") == earlier
    record(path, later(B), later(A), head=AGAIN, over=True)
    assert "--- # 2: GET /a" in path.read_text("utf-8")


def test_another_head_begins_another_file(path: Path) -> None:
    """When the upstream or the redaction changed, the head says so; documents that are the same stay."""
    record(path, A)
    record(path, later(A), head=Head("https://other", "now"), over=True)
    loaded = FileStore(path).load()
    assert (loaded.head.upstream, loaded.interactions) == ("https://other", (A,))


def test_a_torn_earlier_take_is_set_aside_with_its_tail(path: Path) -> None:
    """The new take is whole."""
    record(path, A)
    with path.open("ab") as file:
        file.write(b"--- # 2")
    record(path, later(A), head=AGAIN, over=True)
    assert FileStore(path).load().interactions == (A,)
    assert b"# 2" not in path.read_bytes()
    assert path.with_name("a.yaml~").read_bytes().endswith(b"--- # 2")


def test_large_bodies_stand_beside_and_go_when_nobody_mentions_them(path: Path) -> None:
    """The earlier take keeps its files; those of the take before it are removed, and so is what was never saved."""
    folder = path.with_name("a.files")
    for number in range(3):
        record(path, exchange("/", b"%d" % number * 70_000), over=True)
        (folder / "note.txt").write_text("mine")
        (folder / ".spool-left").write_text("by a crash")
        assert len([name for name in folder.iterdir() if len(name.stem) == 32]) == min(2, number + 1)
    recorder = FileStore(path).append_to(HEAD)
    recorder.spool().adopt("f" * 64, ".bin")
    recorder.close()
    assert len(list(folder.iterdir())) == 3
    assert FileStore(path).load().interactions[0].response.body == b"2" * 70_000


def test_the_folder_goes_with_its_last_file(path: Path) -> None:
    """Nothing empty is left."""
    recorder = FileStore(path).append_to(HEAD)
    recorder.spool().discard()
    recorder.close()
    assert names(path) == []


def test_a_large_body_stays_in_its_file(path: Path) -> None:
    """Beyond the parse limit only its name is loaded; a changed size is an error, a missing file too."""
    recorder = FileStore(path).append_to(HEAD)
    spool = recorder.spool()
    content = b"x" * (PARSE_LIMIT + 1)
    spool.write(content)
    body = FileBody(spool.adopt(sha256(content).hexdigest(), ".txt"), len(content), "d" * 64)
    recorder.append(Interaction(Request("GET", "/"), Response(200, "", TEXT, body)), 1)
    recorder.close()
    store = FileStore(path)
    assert store.load().interactions[0].response.body == body
    with path.with_name("a.files").joinpath(body.name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(CassetteError, match=r"a.yaml:20: the file .* instead of") as caught:
        store.load()
    assert "a.files" in caught.value.cure
    path.with_name("a.files").joinpath(body.name).unlink()
    with pytest.raises(CassetteError, match="cannot be read"):
        store.load()


def test_links_out_of_the_folder_are_not_followed(path: Path, tmp_path: Path) -> None:
    """Neither the file nor the folder may be one, for reading or for writing."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 70_000)
    record(path, exchange("/", b"x" * 70_000))
    folder = path.with_name("a.files")
    file = next(folder.iterdir())
    file.unlink()
    file.symlink_to(secret)
    with pytest.raises(CassetteError, match="is a link"):
        FileStore(path).load()
    file.unlink()
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / file.name).write_bytes(b"s" * 70_000)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CassetteError, match="is a link"):
        FileStore(path).load()
    path.unlink()
    recorder = FileStore(path).append_to(HEAD)
    with pytest.raises(CassetteError, match="is a link"):
        recorder.append(exchange("/", b"y" * 70_000), 1)
    with pytest.raises(CassetteError, match="is a link"):
        recorder.spool()
    recorder.close()
    assert (tmp_path / "elsewhere" / file.name).exists()


def test_a_name_that_is_no_digest_is_not_adopted(path: Path) -> None:
    """The caller's mistake is an error, not a file somewhere."""
    recorder = FileStore(path).append_to(HEAD)
    spool = recorder.spool()
    with pytest.raises(ValueError, match="not made of a digest"):
        spool.adopt("../../x", ".bin")
    spool.discard()
    with pytest.raises(CassetteError, match="cannot be written"):
        spool.adopt("0" * 64, ".bin")
    recorder.close()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=6), st.randoms())
def test_a_recording_ends_the_same_whatever_the_order_of_completion(
    items: list[tuple[str, int]], random: Random
) -> None:
    """Two recordings of the same exchanges give the same file, and so does recording over it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.yaml"
        saved = [(number, exchange(f"/{name}", b"%d" % body)) for number, (name, body) in enumerate(items)]
        record(path, *(each for _, each in saved))
        written = path.read_bytes()
        for over in (False, True):
            if not over:
                path.unlink()
            shuffled = random.sample(saved, len(saved))
            store = FileStore(path)
            recorder = store.replace_take(AGAIN) if over else store.append_to(HEAD)
            for arrival, each in shuffled:
                recorder.append(later(each) if over else each, arrival)
            recorder.close()
            assert path.read_bytes() == written


def test_saving_costs_the_same_however_many_were_saved(path: Path) -> None:
    """Each interaction is one write at the end of the file."""
    recorder = FileStore(path).append_to(HEAD)
    for number in range(300):
        recorder.append(A, number)
    inode = os.stat(path).st_ino
    recorder.close()
    assert os.stat(path).st_ino == inode
    assert len(FileStore(path).load().interactions) == 300
