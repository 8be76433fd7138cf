"""Files beside which somebody else may have put something."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from replayproxy.stores.plain_files import followed, make_folder, open_regular, opened_regular, write_whole


def mode(path: Path) -> int:
    """The rights of a file."""
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    """Rights are ours to set."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_what_is_made_is_for_its_owner_only(tmp_path: Path) -> None:
    """Each folder on the way too; those that are there stay as they are."""
    tmp_path.chmod(0o755)
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    write_whole(tmp_path / "a" / "file", b"x")
    assert [mode(tmp_path / each) for each in ("", "a", "a/b", "a/file")] == [0o755, 0o700, 0o700, 0o600]


def test_what_is_replaced_keeps_its_rights(tmp_path: Path) -> None:
    """And a link is replaced itself, with no rights of what it leads to."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_whole(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o644)
    link = tmp_path / "link"
    link.symlink_to(path)
    write_whole(link, b"other")
    assert (link.is_symlink(), mode(link), path.read_bytes()) == (False, 0o600, b"new")


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "dangling"])
def test_only_regular_files_are_opened(tmp_path: Path, kind: str) -> None:
    """Nothing is followed, and nothing waited for."""
    path = tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/etc/passwd" if kind == "link" else tmp_path / "nowhere")
    for flags in (os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_APPEND):
        with pytest.raises(OSError, match=r"link|regular|directory"):
            open_regular(path, flags)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("kind", ["file", "dangling"])
def test_what_is_no_folder_is_told(tmp_path: Path, kind: str) -> None:
    """A file, or a link to nothing, in the place of a folder."""
    path = tmp_path / "x"
    if kind == "file":
        path.write_bytes(b"")
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="directory"):
        make_folder(path)


def test_a_link_is_followed_when_it_is_meant(tmp_path: Path) -> None:
    """To its end; anything else stays what it is."""
    path = tmp_path / "file"
    path.write_bytes(b"x")
    (tmp_path / "one").symlink_to("file")
    (tmp_path / "two").symlink_to("one")
    assert followed(tmp_path / "two") == path.resolve()
    assert followed(path) == path
    with opened_regular(followed(tmp_path / "two")) as file:
        assert file.read() == b"x"
