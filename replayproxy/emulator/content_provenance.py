"""The family of content provenance checks: whether OpenAI made an image or a sound.

Rules:
1. C2PA: the manifest is looked for as bytes, in the file as it is; its signature is not checked, so what is found is
   `valid` and never `trusted`.
2. SynthID is a watermark that only its maker can see: it is never detected.
"""

from __future__ import annotations

from replayproxy.core import wording
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["CHECK", "KINDS", "ROUTES"]

#: What stands in a file with a manifest, and in one of OpenAI's.
_MANIFEST, _ISSUER = b"c2pa", "OpenAI"


def _invent(_: State, record: Record) -> None:
    record.json = _check(record, b"")


CHECK = Kind("content provenance check", "prov_", _invent)
KINDS = (CHECK,)


def _check(record: Record, content: bytes) -> Json:
    found = _MANIFEST in content and _ISSUER.encode() in content
    c2pa = {
        "type": "c2pa",
        "outcome": "detected" if found else "not_detected",
        "validation_state": "valid" if found else "not_present",
        "issuer": _ISSUER if found else None,
        "model": None,
        "generated_at": None,
    }
    synthid = {"type": "synthid", "outcome": "not_detected", "model": None, "generated_at": None}
    return {"object": "content_provenance_check", "created_at": record.created_at, "results": [c2pa, synthid]}


def _create(state: State, asked: Asked) -> Answer:
    uploads = asked.uploads("file")
    if not uploads:
        return wording.missing("file")

    def fill(record: Record) -> None:
        record.json = _check(record, uploads[0].content)

    return state.add(CHECK, fill).json


ROUTES: Routes = (("Createcontentprovenancecheck", _create),)
