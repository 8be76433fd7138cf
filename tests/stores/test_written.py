"""What a recording wrote, and where."""

from __future__ import annotations

import sys

from replayproxy.stores.written import Written, WrittenDocuments


def test_documents_stand_behind_each_other_and_are_given_by_arrival() -> None:
    """Those that arrived together keep the order in which they were written."""
    written = WrittenDocuments(10)
    assert (len(written), written.end, written.in_order) == (0, 10, True)
    for arrival, key, size in ((1, b"a", 5), (3, b"c", 1), (2, b"b", 4), (3, b"d", 2)):
        written.add(arrival, key, size)
    assert (len(written), written.end, written.in_order) == (4, 22, False)
    assert list(written.by_arrival()) == [
        Written(b"a", 10, 15),
        Written(b"b", 16, 20),
        Written(b"c", 15, 16),
        Written(b"d", 20, 22),
    ]


def test_without_keys_none_are_kept() -> None:
    """A document takes 16 bytes then."""
    written = WrittenDocuments()
    for number in range(1000):
        written.add(number, b"", 1)
    assert written.in_order
    assert list(written.by_arrival())[-1] == Written(b"", 999, 1000)
    assert sum(sys.getsizeof(each) for each in (written._arrivals, written._ends, written._keys)) < 20_000
