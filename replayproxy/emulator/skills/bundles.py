"""What a skill is uploaded as, a directory or a zip file, as the zip file that it is downloaded as.

Facts (the API's guide to skills and its cookbook): one folder at the top; in it one SKILL.md, in any case, whose front
matter has a `description` and a `name` as agentskills.io specifies it; at most 500 files of 25 MB each, and 50 MB as a
zip file. Inferred: the wording of the refusals.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.emulator.asked import Upload
from replayproxy.emulator.files.files import told_name
from replayproxy.errors import CassetteError

__all__ = ["Bundle", "bundle_of", "zipped"]

MAX_FILES: Final = 500
MAX_ZIP: Final = 50 * 2**20
MAX_FILE: Final = 25 * 2**20
_MANIFEST = "skill.md"
_MANIFEST_LENGTH: Final = 2**20
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NAME_LENGTH: Final = 64
_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
#: The one time of all files in a bundle that was put together here: the first that a zip file can tell.
_TIME = (1980, 1, 1, 0, 0, 0)
#: What `zipfile` raises for a file that is broken, locked, packed in a way that it does not know, or has endless names.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OSError)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A skill: what its manifest says of it, and its files as a zip file."""

    name: str
    description: str
    content: bytes


def bundle_of(uploads: Sequence[Upload]) -> Bundle | Problem:
    """The bundle that was uploaded, or what is wrong with it."""
    if not uploads:
        return wording.missing("files")
    is_zip = len(uploads) == 1 and uploads[0].content.startswith(b"PK")
    if not is_zip and len(uploads) > MAX_FILES:
        return wording.array_too_long("files", MAX_FILES, len(uploads))
    if is_zip and len(uploads[0].content) > MAX_ZIP:
        size = len(uploads[0].content)
        return _refused(f"a skill has at most {MAX_ZIP} bytes as a zip file, but this one has {size}")
    try:
        content = uploads[0].content if is_zip else zipped({told_name(each.filename): each.content for each in uploads})
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(archive, content)
    except _BROKEN as error:
        return _refused(f"this is no zip file that can be read: {error}")


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip file of files by their paths: always the same bytes, so nothing in it is packed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, _TIME), content)
    return made.getvalue()


def _refused(what: str) -> Problem:
    return Problem(f"Invalid 'files': {what}.", "files", "invalid_skill")


def _read(archive: zipfile.ZipFile, content: bytes) -> Bundle | Problem:
    files = [each for each in archive.infolist() if not each.filename.endswith("/")]
    if len(files) > MAX_FILES:
        return wording.array_too_long("files", MAX_FILES, len(files))
    if any("/" not in each.filename for each in files) or len({each.filename.split("/")[0] for each in files}) != 1:
        return _refused("expected a single top-level folder with all files in it")
    large = next((each for each in files if each.file_size > MAX_FILE), None)
    if large is not None:
        return _refused(f"a file has at most {MAX_FILE} bytes, but '{large.filename}' has {large.file_size}")
    manifests = [each for each in files if each.filename.rpartition("/")[2].lower() == _MANIFEST]
    if len(manifests) != 1:
        return _refused(f"expected exactly one SKILL.md, but got {len(manifests)}")
    with archive.open(manifests[0]) as manifest:
        text = manifest.read(_MANIFEST_LENGTH).decode("utf-8", "replace")
    return _described(text, content)


def _described(manifest: str, content: bytes) -> Bundle | Problem:
    front = _FRONT_MATTER.match(manifest)
    if front is None:
        return _refused("SKILL.md must begin with front matter between two lines of '---'")
    from replayproxy.core.yaml_read import read_document  # here, since few starts of the emulator need YAML

    try:
        told = read_document(front.group(1))
    except CassetteError as error:
        return _refused(f"the front matter of SKILL.md cannot be read: {error}")
    name, about = [told.get(each) if isinstance(told, dict) else None for each in ("name", "description")]
    if not (isinstance(name, str) and len(name) <= _NAME_LENGTH and _NAME.fullmatch(name)):
        return _refused(
            "the 'name' in SKILL.md must be 1 to 64 lowercase letters, digits and single hyphens between them"
        )
    if not (isinstance(about, str) and about.strip()):
        return _refused("the front matter of SKILL.md must have a 'description'")
    return Bundle(name, about, content)
