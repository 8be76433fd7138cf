"""Answers that wait to be given again."""

from __future__ import annotations

import os

import pytest

from replayproxy.proxy.shelf import Shelf


def answer(body: bytes, outcome: str = "played", before: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\n{before}x-replayproxy-outcome: {outcome}\r\nx-replayproxy-interaction: 1\r\n\r\n"
    return head.encode() + body


def test_an_answer_is_cut_at_its_outcome() -> None:
    """What stands before it, and what stands after."""
    shelf = Shelf()
    shelf.put(1, answer(b"body"), "played")
    assert shelf.get(1) == (
        b"HTTP/1.1 200 OK\r\nx-replayproxy-outcome: ",
        b"\r\nx-replayproxy-interaction: 1\r\n\r\nbody",
    )
    assert shelf.get(2) is None


def test_the_outcome_is_ours() -> None:
    """Neither one that was recorded from another proxy nor one in the body."""
    shelf = Shelf()
    sent = answer(b"\r\nx-replayproxy-outcome: repeated", "repeated", "x-replayproxy-outcome: saved\r\n")
    shelf.put(1, sent, "repeated")
    kept = shelf.get(1)
    assert kept is not None
    assert kept[0] + b"repeated" + kept[1] == sent
    assert kept[0].endswith(b"saved\r\nx-replayproxy-outcome: ")


@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\n\r\n", answer(b"", "saved"), b"garbage"])
def test_without_the_outcome_nothing_is_kept(sent: bytes) -> None:
    """An answer that could not be given again as what it is."""
    shelf = Shelf()
    shelf.put(1, sent, "played")
    assert shelf.get(1) is None


@pytest.mark.skipif(not hasattr(os, "pread"), reason="this system cannot read a file at a place")
def test_beyond_its_memory_answers_wait_in_a_file() -> None:
    """Up to its space; what comes then is not kept, and what is kept stays what it was."""
    size = len(answer(b"x" * 100))
    shelf = Shelf(memory=2 * size, space=3 * size)
    for key in range(7):
        shelf.put(key, answer(b"%d" % key * 100), "played")
    found = [shelf.get(key) for key in range(7)]
    assert [kept is not None for kept in found] == [True] * 5 + [False] * 2
    assert [kept[1][-100:] for kept in found if kept] == [b"%d" % key * 100 for key in range(5)]
    shelf.close()
    assert [shelf.get(key) for key in range(7)] == [None] * 7


@pytest.mark.skipif(not hasattr(os, "pread"), reason="this system cannot read a file at a place")
def test_a_full_disk_keeps_nothing_and_hurts_nobody() -> None:
    """What does not fit into the file is not kept; what fits again later is."""
    resource = pytest.importorskip("resource")
    shelf, soft = Shelf(memory=0), resource.getrlimit(resource.RLIMIT_FSIZE)
    shelf.put(1, answer(b"1" * 100), "played")
    resource.setrlimit(resource.RLIMIT_FSIZE, (250, soft[1]))
    try:
        shelf.put(2, answer(b"2" * 1000), "played")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, soft)
    shelf.put(3, answer(b"3" * 1000), "played")
    found = [shelf.get(key) for key in (1, 2, 3)]
    shelf.close()
    assert [kept and kept[1][-100:] for kept in found] == [b"1" * 100, None, b"3" * 100]
