"""Secrets in YAML that others wrote: cassettes of VCR and its like, config files.

What text hides a search of the file alone would miss: names and values on lines of their own, bodies in base64.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from replayproxy.core.messages import decode, encode
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.headers import redacted_value
from replayproxy.core.secrets.json import Key
from replayproxy.core.secrets.scan import Sighting, path_text

__all__ = ["in_yaml", "is_dummy"]

#: Deeper nesting makes the C library slow, and larger text the reader large.
_DEPTH, _CHARACTERS = 100, 64 * 1024 * 1024
_UNPACKED = 64 * 1024 * 1024
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BINARY = re.compile(r"(?:!|tag:yaml\.org,2002:)binary")
_DUMMY = re.compile(
    r"(?:(?:bearer|basic|token)\s+)?(?:<[^<>0-9]*>|\[[^\[\]0-9]*\]|\$?\{+[^{}\"0-9]*\}+|\*+|x+|(?:redacted|filtered|"
    r"removed|scrubbed|hidden|fake|dummy|mock|test)[._ a-z-]*)",
    re.IGNORECASE,
)


def in_yaml(redactor: Redactor, text: str) -> Iterator[tuple[int, Sighting]]:
    """What redaction would change in the values of a YAML text, each with its line, as far as it can be read."""
    try:
        for path, value, line in _values(text):
            for sighting in _in_value(redactor, path, value):
                yield line, sighting
    except (yaml.YAMLError, ValueError, RecursionError):
        return


def is_dummy(secret: bytes) -> bool:
    """Whether it is what people and other recorders write in place of a secret."""
    return _DUMMY.fullmatch(decode(secret)) is not None


def _in_value(redactor: Redactor, path: tuple[Key, ...], value: bytes) -> Iterator[Sighting]:
    where = redactor.text(path_text("", path).removeprefix("."))
    name = next((key for key in reversed(path) if isinstance(key, str)), "")
    rule = redactor.header_rule(name) if any(key in ("headers", "Headers") for key in path) else None
    shown = decode(value)
    if is_dummy(value):
        return
    if rule and redacted_value(rule, shown) != shown:
        yield Sighting(rule.name, where, secret=value)
        return
    written = encode(json.dumps({name: shown}, ensure_ascii=False))
    for edit in redactor.edits(written):
        secret = written[edit.start : edit.end]
        if not is_dummy(secret):
            yield Sighting(edit.rule, where, secret=secret)


def _values(text: str) -> Iterator[tuple[tuple[Key, ...], bytes, int]]:
    """The scalars of all documents that are no keys: path, value, line."""
    place = _Place()
    for event in yaml.parse(text, Loader=_LOADER) if len(text) <= _CHARACTERS else ():
        if isinstance(event, yaml.ScalarEvent):
            path = place.scalar(event.value)
            if path is not None:
                mark: Any = event.start_mark
                yield path, _content(event), mark.line + 1
        elif isinstance(event, yaml.CollectionStartEvent):
            place.open(isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            place.close()
        elif isinstance(event, yaml.AliasEvent):
            place.scalar("")


@dataclass(slots=True)
class _Place:
    """The open collections, each by the key or index of what comes next in it; None: a key comes next.

    `names` tells of each whether it is a key itself.
    """

    keys: list[Key] = field(default_factory=list)
    names: list[bool] = field(default_factory=list)

    def scalar(self, text: str) -> tuple[Key, ...] | None:
        """The path of a scalar, or None when it is a key."""
        if self.keys and self.keys[-1] is None:
            self.keys[-1] = text
            return None
        path = tuple(self.keys)
        self._passed()
        return path

    def open(self, is_mapping: bool) -> None:
        if len(self.keys) == _DEPTH:
            raise ValueError("nested too deeply")
        self.names.append(bool(self.keys) and self.keys[-1] is None)
        self.keys.append(None if is_mapping else 0)

    def close(self) -> None:
        self.keys.pop()
        if self.names.pop():
            self.keys[-1] = ""
        else:
            self._passed()

    def _passed(self) -> None:
        if self.keys:
            last = self.keys[-1]
            self.keys[-1] = last + 1 if isinstance(last, int) else None


def _content(event: Any) -> bytes:
    """The bytes of a scalar, taken out of base64 and gzip."""
    if not (event.tag and _BINARY.fullmatch(event.tag)):
        return encode(event.value)
    try:
        raw = b64decode(event.value)
        return zlib.decompressobj(47).decompress(raw, _UNPACKED) if raw[:2] == b"\x1f\x8b" else raw
    except (Base64Error, ValueError, zlib.error):
        return encode(event.value)
