"""The folder of cassettes, as the admin API names what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from replayproxy.proxy.admin_port import AdminError
from replayproxy.proxy.folder import cassette_in, existing_cassette_in, folder_of
from tests.proxies import settings_for


@pytest.mark.parametrize("path", ["a.yaml", "api/a.yaml", "ü b.yaml"])
def test_plain_paths_lie_in_the_folder(tmp_path: Path, path: str) -> None:
    """Whether there is a file or not."""
    assert cassette_in(tmp_path, path) == tmp_path / path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a.yaml",
        "../a.yaml",
        "a/../../b.yaml",
        ".a.yaml",
        "a//b",
        "a\\b",
        "c:a",
        "a\x00b",
        "a\nb",
        chr(0xD800),
        "a" * 201,
        "a/" * 600 + "a",
    ],
    ids=ascii,
)
def test_other_paths_are_refused(tmp_path: Path, path: str) -> None:
    """With the field that is wrong."""
    with pytest.raises(AdminError) as caught:
        cassette_in(tmp_path, path)
    assert (caught.value.status, caught.value.problems[0][0]) == (400, "cassette")


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    """And those that go round in a circle."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out.yaml").symlink_to(tmp_path / "x.yaml")
    (folder / "round.yaml").symlink_to(folder / "round.yaml")
    for name in ("out.yaml", "round.yaml"):
        with pytest.raises(AdminError, match="symbolic link"):
            cassette_in(folder, name)


def test_what_has_to_be_there_is_looked_for(tmp_path: Path) -> None:
    """In the folder of the settings."""
    folder = folder_of(settings_for(tmp_path / "c.yaml"))
    with pytest.raises(AdminError) as caught:
        existing_cassette_in(folder, "c.yaml")
    assert caught.value.status == 404
    (tmp_path / "c.yaml").touch()
    assert existing_cassette_in(folder, "c.yaml") == tmp_path / "c.yaml"
