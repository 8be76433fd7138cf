"""A cassette in a file against a model of it: recorded, cut off, taken over and edited in any order."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.messages import Headers, Request, Response
from replayproxy.errors import CassetteError
from replayproxy.stores import FileStore
from replayproxy.stores.contract import Recorder, Unsaved

HEAD = Head("http://127.0.0.1:8000", "then", "replayproxy 1", "x")
TEXT = Headers.of(("Content-Type", "text/plain"), ("X", "it's: odd #"))
#: Bodies that are larger get a file of their own.
LIMIT = 40


def exchange(number: int, body: bytes = b"as recorded") -> Interaction:
    """An interaction that differs from the others."""
    return Interaction(Request("POST", f"/v1/{number}", TEXT, b"%d" % number), Response(200, "OK", TEXT, body))


POOL = (exchange(1), exchange(2), exchange(3, b"\xff large" * 20), exchange(4, b"... \n---\n"), exchange(5, b""))
#: Nobody can load a header with a line end, so nobody saves it.
BROKEN = Interaction(POOL[0].request, Response(200, "OK", Headers.of(("X", "a\nb"))))
INTERACTIONS = st.sampled_from(POOL)
ARRIVALS = st.integers(0, 30)


class StoreMachine(RuleBasedStateMachine):
    """What was acknowledged is in the file, in order, whatever happens; and every file can be read.

    `kept` is what the file holds from before the recording, `added` what was acknowledged since, with its arrival.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folders = [Path(tempfile.mkdtemp())]
        self.recorder: Recorder | None = None
        self.kept, self.added = list[Interaction](), list[tuple[int, Interaction]]()
        self.before: bytes | None = None  # the file that is recorded over, until the new take begins
        self.over = self.exists = self.torn = self.edited = False

    def teardown(self) -> None:
        """Nothing stays."""
        if self.recorder is not None:
            self._close()
        for folder in self.folders:
            shutil.rmtree(folder)

    @property
    def path(self) -> Path:
        """Where the cassette is."""
        return self.folders[-1] / "a.yaml"

    def store(self) -> FileStore:
        """A store that knows nothing of what was before."""
        return FileStore(self.path, LIMIT)

    def content(self) -> list[Interaction]:
        """What must be in the file."""
        replaced = self.over and self.added
        return [*([] if replaced else self.kept), *(interaction for _, interaction in self.added)]

    @initialize(interactions=st.lists(INTERACTIONS, max_size=3))
    def begin(self, interactions: list[Interaction]) -> None:
        """A cassette, or none."""
        if interactions:
            self.record(over=False)
            self.append_all([(number, one) for number, one in enumerate(interactions)])
            self.close()

    @precondition(lambda self: self.recorder is None)
    @rule(over=st.booleans())
    def record(self, over: bool) -> None:
        """A recording begins: nothing is lost, and a torn tail is set aside when it goes on after it."""
        was = self.path.read_bytes() if self.exists else None
        self.recorder = self.store().replace_take(HEAD) if over else self.store().append_to(HEAD)
        self.over, self.before = over, was
        self.torn = self.torn and over
        assert not over or (self.path.read_bytes() if self.exists else None) == was

    @precondition(lambda self: self.recorder is not None)
    @rule(interaction=INTERACTIONS, arrival=ARRIVALS)
    def append(self, interaction: Interaction, arrival: int) -> None:
        """What is saved is in the file, in the order in which it was; the earlier take is beside it, as it was."""
        assert self.recorder is not None
        if self.edited:
            with pytest.raises(CassetteError, match="changed"):
                self.recorder.append(interaction, arrival)
            return
        self.recorder.append(interaction, arrival)
        self._note(interaction, arrival)

    @precondition(lambda self: self.recorder is not None and not self.edited)
    @rule(batch=st.lists(st.tuples(ARRIVALS, st.just(BROKEN) | INTERACTIONS), max_size=5))
    def append_all(self, batch: list[tuple[int, Interaction]]) -> None:
        """Each of a batch is saved for itself; what cannot be read is not saved, and keeps nothing else out."""
        assert self.recorder is not None
        errors = self.recorder.append_all([Unsaved(one, arrival) for arrival, one in batch])
        assert [error is not None for error in errors] == [one is BROKEN for _, one in batch]
        for arrival, one in batch:
            if one is not BROKEN:
                self._note(one, arrival)

    @precondition(lambda self: self.recorder is not None)
    @rule()
    def sync(self) -> None:
        """To make it last changes nothing."""
        assert self.recorder is not None
        self.recorder.sync()

    @precondition(lambda self: self.recorder is not None)
    @rule(over=st.booleans())
    def a_second_recorder_is_refused(self, over: bool) -> None:
        """There is one at a time."""
        with pytest.raises(CassetteError, match="another replayproxy"):
            _ = self.store().replace_take(HEAD) if over else self.store().append_to(HEAD)

    @precondition(lambda self: self.recorder is not None)
    @rule()
    def close(self) -> None:
        """The recording ends in the order of arrival; a take that changed nothing leaves the file as it was."""
        before, edited, added = self.before, self.edited, self.added
        self._close()
        if not edited and added:
            told = [interaction for _, interaction in sorted(added, key=lambda each: each[0])]
            if self.over and before is not None and told == self.kept and not self.torn:
                assert self.path.read_bytes() == before
            self.kept = told if self.over else [*self.kept, *told]
            self.torn = False
        elif not edited and before is not None and self.over:
            assert self.path.read_bytes() == before
        else:
            self.kept = self.content()
        self.added, self.edited = [], False

    @rule(lost=st.integers(0, 400), data=st.data())
    def crash(self, lost: int, data: st.DataObject) -> None:
        """The process dies, perhaps while it writes, perhaps with the end of the file: the disk is all that is left."""
        # What is recorded over is not written to before something is saved.
        writing = self.recorder is not None and not self.edited and bool(self.added or not self.over)
        folder = Path(tempfile.mkdtemp())
        shutil.copytree(self.folders[-1], folder, dirs_exist_ok=True)
        if self.recorder is not None:
            self._close()
        self.folders.append(folder)
        self.kept, self.added, self.edited = self.content(), [], False
        if not self.exists:
            return
        written = self.path.read_bytes()
        if writing and data.draw(st.booleans()):
            half = data.draw(st.binary(max_size=30)).replace(b"\n", b" ").decode("latin-1").encode()
            self.path.write_bytes(written + b"--- # 9: POST /v1/9 -> 200\nrequest: " + half)
            self.torn = True
            return
        head = written.index(b"\n...\n") + len(b"\n...\n")
        cut = max(head, len(written) - lost)
        self.path.write_bytes(written[:cut])
        rest = written[head:cut]
        self.kept = self.kept[: len(_ends(rest))]
        self.torn = bool(rest[_ends(rest)[-1] if _ends(rest) else 0 :].strip())

    @precondition(lambda self: self.exists and self.content())
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """Somebody edits an answer, perhaps while it is recorded: that is what is in the file from then on."""
        content = self.content()
        at = data.draw(st.integers(0, len(content) - 1))
        if content[at].response.body != b"as recorded" or (self.recorder is not None and not self.added):
            return
        documents = self.path.read_text().split("\n--- #")
        documents[at + 1] = documents[at + 1].replace("as recorded", "as edited")
        beside = self.path.with_name("edited")
        beside.write_text("\n--- #".join(documents))
        beside.replace(self.path)
        asked = content[at].request
        content[at] = Interaction(asked, Response(200, "OK", TEXT, b"as edited"))
        if self.recorder is None:
            self.kept = content
        else:
            self.edited, self.over = True, False
            self.kept, self.added = content, []

    @invariant()
    def the_file_holds_what_was_acknowledged(self) -> None:
        """Read as a whole and read by scanning, with a word about a torn end; nobody else is told of a torn one."""
        assert self.path.exists() == self.exists
        if not self.exists:
            return
        store = self.store()
        assert list(store.load().interactions) == self.content()
        assert bool(store.torn) == self.torn
        head, found = self.store().open_recordings()
        assert head == HEAD
        assert [found[index] for index in range(len(found))] == self.content()

    def _note(self, interaction: Interaction, arrival: int) -> None:
        if not self.added and self.over and self.before is not None:
            assert self.path.with_name("a.yaml~").read_bytes() == self.before
        self.added.append((arrival, interaction))
        self.exists, self.torn = True, False

    def _close(self) -> None:
        """Closes the recorder, which says so when it finds another file than its own."""
        assert self.recorder is not None
        recorder, self.recorder = self.recorder, None
        if self.edited:
            with pytest.raises(CassetteError, match="changed"):
                recorder.close()
        else:
            recorder.close()


def _ends(raw: bytes) -> list[int]:
    """Where documents end in this piece of a cassette; the last end mark may have lost its line end."""
    found, at = list[int](), 0
    for line in raw.splitlines(keepends=True):
        at += len(line)
        if line.rstrip(b"\n") == b"..." or line.startswith(b"... "):
            found.append(at)
    return found


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=40, stateful_step_count=25, report_multiple_bugs=False)
