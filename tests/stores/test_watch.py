"""Whether a file is still what it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from replayproxy.errors import CassetteError
from replayproxy.stores.watch import Watch


class Looks:
    """Counts how often the file is looked into, and tells what it finds."""

    def __init__(self, path: Path) -> None:
        self.path, self.count, self.before = path, 0, path.read_bytes()

    def __call__(self) -> bool:
        """Whether it is what it was; a file that says so cannot be read."""
        self.count += 1
        if self.path.read_bytes() == b"torn":
            raise CassetteError("torn")
        return self.path.read_bytes() == self.before


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file."""
    path = tmp_path / "a"
    path.write_bytes(b"before")
    return path


def watched(path: Path) -> tuple[Watch, Looks]:
    """A watch over it."""
    watch, looks = Watch(path, whole=len(path.read_bytes())), Looks(path)
    watch.expect(looks)
    return watch, looks


@pytest.mark.parametrize("content", [b"after!", b"bef", b"before and after", b"torn"])
@pytest.mark.parametrize("renamed", [False, True])
def test_a_change_is_noticed_and_looked_into_once(path: Path, content: bytes, renamed: bool) -> None:
    """Until it is changed back."""
    watch, looks = watched(path)
    assert (watch.is_current(), looks.count) == (True, 0)
    put(path, content, renamed)
    assert [watch.is_current(), watch.is_current(), looks.count] == [False, False, 1]
    put(path, b"before", renamed)
    assert [watch.is_current(), watch.is_current()] == [True, True]
    path.unlink()
    assert not watch.is_current()


def test_what_grows_is_current_when_it_may(path: Path) -> None:
    """As long as it is the same file, and what was there is not cut off."""
    watch, _ = watched(path)
    put(path, b"before and after", renamed=False)
    assert watch.is_current(grows=True)
    put(path, b"bef", renamed=False)
    assert not watch.is_current(grows=True)
    put(path, b"before and after", renamed=True)
    assert not watch.is_current(grows=True)


def test_a_file_that_is_not_there_is_no_longer_that_when_it_comes(tmp_path: Path) -> None:
    """And nobody expects anything of it."""
    watch = Watch(tmp_path / "none")
    assert watch.is_current()
    (tmp_path / "none").write_bytes(b"x")
    assert not watch.is_current()


def test_without_anything_expected_a_change_is_one(path: Path) -> None:
    """Nobody can tell that it is the same."""
    watch = Watch(path)
    put(path, b"before", renamed=True)
    assert not watch.is_current()


def put(path: Path, content: bytes, renamed: bool) -> None:
    """Changes the file, and the time that it tells."""
    target = path.with_name("b") if renamed else path
    before = path.stat().st_mtime_ns
    target.write_bytes(content)
    os.utime(target, ns=(before + 1_000_000, before + 1_000_000))
    if renamed:
        target.replace(path)
