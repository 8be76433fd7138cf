"""A cassette's bytes cut into its documents, block by block, without reading YAML.

Rules:
1. A document begins with a line `---` and ends with a line `...`, both at the start of the line, where nothing that
   stands inside a document can. Between documents there are blank lines and comments only.
2. What follows the last end mark is torn: the writer died over it. It is told, and never part of the cassette.
"""

from __future__ import annotations

from collections.abc import Iterator

from replayproxy.errors import CassetteError

__all__ = ["Cut", "Cutter"]

#: Where a document is in the cutter's `data`, until the next one is asked for: where it starts, where its end mark
#: does, where it is over (line end included); and the number of its first line.
Cut = tuple[int, int, int, int]

_START, _END = b"\n---", b"\n..."
_SPACE = frozenset(b" \t\r\n")
_NO_END = "Add a line `...` where it ends, or remove it"
_STRAY = "Begin each document with a line `---`, or remove this"


class Cutter:
    """Cuts bytes that come in blocks of any size; each iterator has to be used up before the next call.

    `data` is what is being cut; `base` the place of its first byte in the whole. After `finish`: `prolog` is what
    stands before the first document, `whole` how many bytes there are up to the last end mark, and `torn` the line and
    the bytes of what was begun after that, if anything was. A last line without its end counts as if it had one.

    CassetteError when something stands outside of documents; UnicodeDecodeError when that is no UTF-8.
    """

    def __init__(self) -> None:
        # A line end before the first line makes it a line like the others.
        self.data, self.base = bytearray(b"\n"), -1
        self.prolog, self.torn = b"", (0, b"")
        self._size = 0
        self._from = 0  # the line end from which marks are looked for
        self._begun, self._done, self._any = -1, 1, False
        self._lines = self._counted = 0  # line ends in the whole up to a place in `data`

    @property
    def whole(self) -> int:
        """How many bytes there are up to the last end mark."""
        return min(self.base + self._done, self._size) if self._any else 0

    def feed(self, block: bytes) -> Iterator[Cut]:
        """The documents that end in the next block."""
        at = len(self.data)
        self._size += len(block)
        self.data += block
        last = self.data.rfind(b"\n", at)
        if last >= 0:
            yield from self._cuts(last)
            self._forget()

    def finish(self) -> Iterator[Cut]:
        """The document that ends with the last block, if it had no line end."""
        if not self.data.endswith(b"\n"):
            self.data += b"\n"
        yield from self._cuts(len(self.data) - 1)
        length = self._size - self.base
        start = self._begun if self._begun >= 0 else self._content(self._done, length)
        if start >= 0:
            self.torn = self._line(start), bytes(self.data[start:length])
        if not self._any and self._begun < 0:
            self.prolog = bytes(self.data[self._done : length])

    def _cuts(self, last: int) -> Iterator[Cut]:
        """The documents in the lines that end with the line end at `last`."""
        end = last + 1
        while self._begun >= 0 or self._begin(end):
            mark = _mark(self.data, _END, self._from, end)
            if _mark(self.data, _START, self._from, mark if mark >= 0 else end) >= 0:
                raise CassetteError("this document has no end mark", line=self._line(self._begun), cure=_NO_END)
            if mark < 0:
                break
            over = self.data.find(b"\n", mark) + 1
            yield self._begun, mark, over, self._line(self._begun)
            self._begun, self._done, self._from, self._any = -1, over, over - 1, True
        self._from = last

    def _begin(self, end: int) -> bool:
        """Whether another document begins before `end`."""
        start = _mark(self.data, _START, self._from, end)
        stray = _mark(self.data, _END, self._from, start if start >= 0 else end)
        if stray >= 0:
            raise CassetteError("an end mark `...` without a document", line=self._line(stray), cure=_STRAY)
        if start < 0:
            return False
        if start > self._done:
            content = self._content(self._done, start)
            if content >= 0:
                raise CassetteError("this stands outside of any document", line=self._line(content), cure=_STRAY)
        if not self._any:
            self.prolog = bytes(self.data[self._done : start])
        self._begun, self._from = start, start + 3
        return True

    def _content(self, start: int, end: int) -> int:
        """Where something else than blank lines and comments stands, or -1."""
        place = start
        for line in bytes(self.data[start:end]).split(b"\n"):
            text = line.decode("utf-8", "surrogatepass")
            content = text.lstrip("\ufeff" if self.base + place == 0 else None).strip()
            if content and not content.startswith("#"):
                return place
            place += len(line) + 1
        return -1

    def _line(self, place: int) -> int:
        """The number of the line that `place` stands in; places may only grow."""
        self._lines += self.data.count(b"\n", self._counted, place)
        self._counted = place
        return self._lines

    def _forget(self) -> None:
        """Lets go of what was cut."""
        gone = min(self._begun if self._begun >= 0 else self._done - 1, self._from)
        if gone <= 0:
            return
        self._line(max(gone, self._counted))
        del self.data[:gone]
        self.base += gone
        self._from -= gone
        self._done -= gone
        self._counted -= gone
        if self._begun >= 0:
            self._begun -= gone


def _mark(data: bytearray, mark: bytes, start: int, end: int) -> int:
    """Where the next line that is a mark begins, or -1; `data` has a line end just before `end`."""
    at = data.find(mark, start, end)
    while at >= 0 and data[at + 4] not in _SPACE:
        at = data.find(mark, at + 1, end)
    return at + 1 if at >= 0 else -1
