"""The key of a document: what its end mark says about it, so that it can be found without being read.

    ... # key SCHEME IDENTITY DIGEST

IDENTITY is that of the interaction's request, made in the way that SCHEME names (core/matching.py). DIGEST is over the
document, from the end of its first line (whose comment holds a number that changes) to itself. So a key proves that it
belongs to the document as it is: whatever is changed in either, the key is none any more. It proves nothing else: what
it finds and what it covers is looked at all the same. To readers of YAML it is a comment.
"""

from __future__ import annotations

import re
from hashlib import blake2b

__all__ = [
    "CURE_FOREIGN_KEY",
    "DIGEST_SIZE",
    "FOREIGN_KEY",
    "IDENTITY_SIZE",
    "SCHEME",
    "keyed",
    "proof",
    "told",
    "unkeyed",
]

#: Bytes.
IDENTITY_SIZE = DIGEST_SIZE = 16
#: What a scheme may be called.
SCHEME = r"[!-~]{1,40}"

#: Anybody can write a key that proves itself and finds what the document does not ask for.
FOREIGN_KEY = "the key line is that of another request"
CURE_FOREIGN_KEY = "Remove what follows `...` on the last line of this document"

# From 2,048 bytes on hashlib lets other threads run meanwhile (HASHLIB_GIL_MINSIZE): to get back costs more than the
# digest of a few thousand bytes.
_PIECE, _SHORT = 2047, 16 * 1024
# Hex, since a digest in base64 looks like a secret now and then.
_LINE = re.compile(rf"\.\.\. # key ({SCHEME}) ([0-9a-f]{{32}}) ([0-9a-f]{{32}})\n".encode())
_KEY = re.compile(rf"^\.\.\. # key {SCHEME} [0-9a-f]{{32}} [0-9a-f]{{32}}\n?\Z", re.MULTILINE)
# Readers of YAML know other line ends than we do: in plain ASCII a comment goes on to the line's end for certain.
_FIRST = re.compile(rb"---(?: #[ -~]*)?")


def keyed(document: str, scheme: str, identity: bytes) -> str:
    """A document with this key; it must end with a plain end mark."""
    text = f"{document.removesuffix(chr(10))} # key {scheme} {identity.hex()} "
    covered = text[text.index("\n") :].encode()
    digest, step = blake2b(digest_size=DIGEST_SIZE), _PIECE if len(covered) <= _SHORT else len(covered)
    for start in range(0, len(covered), step):
        digest.update(covered[start : start + step])
    return f"{text}{digest.hexdigest()}\n"


def unkeyed(document: str) -> str:
    """A document without its key, be it a proved one or not."""
    return _KEY.sub("...\n", document)


def told(document: str) -> tuple[str, bytes] | None:
    """The scheme and the identity in the key of a document; None when it has no key that proves itself."""
    raw = document.encode("utf-8", "surrogatepass")
    found = proof(raw, 0, raw.rfind(b"\n", 0, -1) + 1, len(raw))
    return (found[0].decode(), found[1][:IDENTITY_SIZE]) if found else None


def proof(data: bytes | bytearray, start: int, mark: int, over: int) -> tuple[bytes, bytes] | None:
    """The scheme, and identity and digest in one, of the document that stands in `data` from `start` to `over` and has
    its end mark at `mark`; None when it has no key, or one that does not prove itself."""
    found = _LINE.fullmatch(data, mark, over)
    if found is None:
        return None
    first = data.find(b"\n", start, mark)
    digest = blake2b(data[first : found.start(3)], digest_size=DIGEST_SIZE).digest()
    told = bytes.fromhex(found[3].decode())
    if told != digest or _FIRST.fullmatch(data, start, first) is None:
        return None
    return found[1], bytes.fromhex(found[2].decode()) + digest
