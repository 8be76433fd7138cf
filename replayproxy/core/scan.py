"""A cassette scanned: where its documents are and what their keys say, without reading YAML.

Rules:
1. A key is told only when it proves itself (core/key_line.py). Nothing is known of a document without one: it has to
   be read.
2. What else is told (who was asked, where the request's body stands) comes from the looks of the text. It may be wrong
   where somebody edited the file, and serves to choose what is worth reading.
3. Tables instead of objects: 60 bytes for a document, whatever its size.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable

from replayproxy.core.cuts import Cut, Cutter
from replayproxy.core.key_line import DIGEST_SIZE, IDENTITY_SIZE, proof
from replayproxy.core.likeness import Places

__all__ = ["Scan"]

_PLACE = re.compile(rb"--- # [0-9]+: ([!-~]+ [!-~]*) -> [0-9]{3}")
_BODY, _ANSWER = b"\n  body:\n", b"\nresponse:\n"
_PROOF = IDENTITY_SIZE + DIGEST_SIZE


class Scan:
    """The documents in `blocks` of a cassette's bytes; the first is the head.

    CassetteError or UnicodeDecodeError when something is wrong between the documents. `torn` is the line of a last
    document that was begun and not finished, 0 when there is none; `whole` is how many bytes there are up to the last
    end mark.

    By index of the document: `starts` and `sizes` are where it stands in the file, in bytes, and `lines` the number of
    its first line; `placed` is where its request goes, as a number of `places`; `bodies` and `body_sizes` are where the
    text of the request's body stands in the document, and how long it is (0 when it has none).
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.starts, self.sizes, self.lines = array("Q"), array("I"), array("I")
        self.places, self.placed = Places(), array("I")
        self.bodies, self.body_sizes = array("I"), array("I")
        self._schemes, self._proofs = array("I"), bytearray()
        self._scheme_names: dict[bytes, int] = {b"": 0}
        cutter = Cutter()
        for block in blocks:
            self._take(cutter, cutter.feed(block))
        self._take(cutter, cutter.finish())
        self.torn, self.whole = cutter.torn[0], cutter.whole

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self.starts)

    def is_proved(self, index: int) -> bool:
        """Whether the document has a key that proves itself."""
        return self._schemes[index] > 0

    def key(self, index: int, scheme: str) -> bytes | None:
        """The identity that the document's key tells under a scheme."""
        known = self._schemes[index]
        if not known or self._scheme_names.get(scheme.encode()) != known:
            return None
        return bytes(self._proofs[index * _PROOF : index * _PROOF + IDENTITY_SIZE])

    def is_alike(self, other: Scan) -> bool:
        """Whether the documents of another scan are in the same places and have the same keys. (Of those without a
        proved key nothing more is known.)"""
        mine, theirs = ((each.starts, each.sizes, each._proofs, list(each._scheme_names)) for each in (self, other))
        return mine == theirs

    def is_same(self, index: int, document: bytes) -> bool:
        """Whether these bytes are still the document that was proved."""
        mark = document.rfind(b"\n", 0, -1) + 1
        found = proof(document, 0, mark, len(document))
        return found is not None and found[1] == self._proofs[index * _PROOF : (index + 1) * _PROOF]

    def _take(self, cutter: Cutter, cuts: Iterable[Cut]) -> None:
        data, find = cutter.data, cutter.data.find
        schemes = self._scheme_names
        for start, mark, over, line in cuts:
            self.starts.append(cutter.base + start)
            self.sizes.append(over - start)
            self.lines.append(line)
            found = proof(data, start, mark, over)
            self._schemes.append(schemes.setdefault(found[0], len(schemes)) if found else 0)
            self._proofs += found[1] if found else bytes(_PROOF)
            told = _PLACE.match(data, start, mark)
            self.placed.append(self.places.number(told[1]) if told else 0)
            answer = find(_ANSWER, start, mark)
            body = find(_BODY, start, answer) if answer >= 0 else -1
            self.bodies.append(body + len(_BODY) - start if body >= 0 else 0)
            self.body_sizes.append(answer + 1 - body - len(_BODY) if body >= 0 else 0)
