"""The folder of cassettes, as the admin API names what is in it.

Rule: nothing that a client sends leads out of the folder.
"""

from __future__ import annotations

from pathlib import Path

from replayproxy.config import Settings
from replayproxy.errors import ConfigError
from replayproxy.proxy.admin_port import AdminError

__all__ = ["PART_LIMIT", "PATH_EXPECTED", "PATH_LIMIT", "cassette_in", "existing_cassette_in", "folder_of", "inside"]

#: A file's name may have 255 bytes; a cassette's needs room for what stands beside it (`.files`, `.torn`, a lock).
PART_LIMIT, PATH_LIMIT = 200, 1_000

PATH_EXPECTED = (
    "expected a plain relative path inside the folder of cassettes, such as checkout.yaml or api/checkout.yaml: "
    "nothing absolute, no name that begins with a dot, no backslash or colon"
)


def folder_of(settings: Settings) -> Path:
    """The folder in which a proxy with these settings has its cassettes."""
    return settings.default_cassette.parent


def inside(folder: Path, value: object) -> Path:
    """The path of a cassette in `folder`, which need not be there; ConfigError when it is none, or leads elsewhere."""
    if not isinstance(value, str) or len(value) > PATH_LIMIT or not all(map(_is_plain, value.split("/"))):
        raise ConfigError(PATH_EXPECTED)
    path = folder / value
    try:
        stays = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links that go round in a circle
        stays = False
    if not stays:
        raise ConfigError("a symbolic link leads out of the folder of cassettes")
    return path


def cassette_in(folder: Path, path: str) -> Path:
    """The path of a cassette in `folder`, which need not be there. AdminError (400) when it is none, or leads
    elsewhere."""
    try:
        return inside(folder, path)
    except ConfigError as error:
        raise AdminError.invalid(("cassette", str(error))) from None


def existing_cassette_in(folder: Path, path: str) -> Path:
    """The path of a cassette that is in `folder`. AdminError: 400 when it leads elsewhere, 404 when it is not there."""
    found = cassette_in(folder, path)
    if not found.is_file():
        raise AdminError(404, "no_cassette", f"there is no cassette {path[:200]!r} in the folder of cassettes")
    return found


def _is_plain(part: str) -> bool:
    fits = 0 < len(part.encode("utf-8", "surrogatepass")) <= PART_LIMIT and part.isprintable()
    return fits and not part.startswith(".") and not set(part) & {"\\", ":"}
