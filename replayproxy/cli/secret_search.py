"""The search for secrets in files: in what a cassette means, and in the text of any file."""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from replayproxy.cli.terminal import say
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.rewrite import spotted
from replayproxy.core.secrets.yaml import in_yaml, is_dummy
from replayproxy.errors import CassetteError
from replayproxy.stores.file_store import MAX_BYTES
from replayproxy.stores.plain_files import failure, opened_regular
from replayproxy.stores.side_files import SideFiles

__all__ = ["Hit", "cassettes_in", "files_in", "hits_in", "read_file"]

#: What the head of a cassette says.
_CASSETTE = re.compile(rb"^replayproxy[ \t]*:", re.MULTILINE)
#: Folders that hold other people's files.
_SKIPPED = frozenset({"node_modules", "__pycache__"})
#: A file is searched in steps of so many bytes, each of which sees the beginning of the next one.
_STEP, _OVERLAP = 4 * 1024 * 1024, 64 * 1024


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a secret stands, and the bytes of it, which are never shown."""

    path: Path
    line: int
    rule: str
    where: str
    secret: bytes = field(repr=False)


def files_in(path: Path, named: bool) -> list[Path]:
    """The files to scan. A configured folder that was not made yet is an empty one."""
    if path.is_file() or not path.is_dir():
        if not path.exists() and named:
            raise _missing(path)
        beside = path.with_name(f"{path.stem}.files")
        return [path, *files_in(beside, named=False)] if path.is_file() else []
    found = list[Path]()
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        files = (Path(folder, name) for name in sorted(names) if not name.endswith(".lock"))
        found += [file for file in files if file.is_file() and not file.is_symlink()]
    return found


def cassettes_in(path: Path, named: bool) -> list[Path]:
    """The cassettes to redact: earlier takes (`NAME.yaml~`) are some too. What is named is taken for one."""
    if path.is_dir():
        found = (file for pattern in ("*.yaml", "*.yaml~") for file in path.rglob(pattern))
        return sorted(file for file in found if file.is_file() and _CASSETTE.search(_beginning(file)))
    if not path.exists() and named:
        raise _missing(path)
    return [path] if path.exists() else []


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_OVERLAP)


def hits_in(files: Iterable[Path], redactor: Redactor) -> list[Hit]:
    """What is found in files: by what they mean, and then what only their text tells."""
    meant, told = list[Hit](), list[Hit]()
    for file in files:
        meant += _meant(file, redactor)
        told += _in_text(file, redactor)
    return sorted(_united(meant, told), key=lambda hit: (str(hit.path), hit.line))


def _united(meant: list[Hit], told: list[Hit]) -> list[Hit]:
    """Both without what is found twice; of that the text knows the line, and the meaning the rest."""
    lines, places = defaultdict[tuple[Path, int], list[int]](list), defaultdict[tuple[Path, bytes], list[int]](list)
    for number, hit in enumerate(meant):
        lines[hit.path, hit.line].append(number)
        places[hit.path, hit.secret].append(number)
    found = list(meant)
    for hit in told:
        here = lines[hit.path, hit.line]
        same = [number for number in here if _is_same(meant[number], hit)]
        elsewhere = places[hit.path, hit.secret]
        if same:
            elsewhere[:] = [number for number in elsewhere if number not in same]
        elif elsewhere:
            number = elsewhere.pop(0)
            found[number] = replace(found[number], line=hit.line)
        else:
            found.append(hit)
    return found


def _is_same(meant: Hit, told: Hit) -> bool:
    """Whether both are one: what base64 spells in the text, say, has its line and its rule in common."""
    return told.secret in meant.secret or meant.secret in told.secret or told.rule == meant.rule


def _meant(path: Path, redactor: Redactor) -> Iterator[Hit]:
    if path.suffix.rstrip("~") not in (".yaml", ".yml") or path.stat().st_size > MAX_BYTES:
        return
    raw = read_file(path)
    text = raw.decode("utf-8", "replace")
    if _CASSETTE.search(raw):
        try:
            for each in spotted(text, redactor, SideFiles(path).read):
                file = path.with_name(f"{path.stem}.files") / each.file if each.file else path
                yield Hit(file, each.line, each.sighting.rule, each.sighting.where, each.sighting.secret)
            return
        except CassetteError as error:
            say(f"Warning: {error.at(str(path))}; searched as text", err=True)
    for line, sighting in in_yaml(redactor, text):
        yield Hit(path, line, sighting.rule, sighting.where, sighting.secret)


def _in_text(path: Path, redactor: Redactor) -> Iterator[Hit]:
    line = 1
    for data, ahead in _windows(path):
        window = data + ahead
        for edit in redactor.edits(window):
            secret = window[edit.start : edit.end]
            if edit.start < len(data) and not is_dummy(secret):
                yield Hit(path, line + window.count(b"\n", 0, edit.start), edit.rule, "text", secret)
        line += data.count(b"\n")


def _windows(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """A file step by step, each with the beginning of the next one; UTF-16 as UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(_STEP)
            if data[:2] in (BOM_UTF16_BE, BOM_UTF16_LE):
                yield (data + file.read()).decode("utf-16", "replace").encode(), b""
                return
            while data:
                ahead = file.read(_STEP)
                yield data, ahead[:_OVERLAP]
                data = ahead
    except OSError as error:
        raise failure(error, path, "read") from error


def read_file(path: Path) -> bytes:
    """What is in a file; CassetteError when it cannot be read."""
    try:
        with opened_regular(path) as file:
            return file.read()
    except OSError as error:
        raise failure(error, path, "read") from error


def _missing(path: Path) -> CassetteError:
    return CassetteError("there is no such file or folder", path=str(path), cure="Name a file or a folder")
