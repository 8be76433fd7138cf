"""What a fault lets through, and what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.fault_kinds import Cut, Fault

STREAM = b": ping\n\ndata: a\n\nevent: x\ndata: b\n\ndata: [DONE]\n\ntail"


def through(fault: Fault, data: bytes, step: int) -> tuple[bytes, bool]:
    """What comes through of data fed in pieces, up to the place of the fault, and whether that was reached."""
    cut, got = Cut(fault), b""
    for start in range(0, len(data), step):
        if cut.done:
            break
        got += cut.feed(data[start : start + step])
    return got, cut.done


@pytest.mark.parametrize(
    ("fault", "comes", "done"),
    [
        (Fault("truncate", after=0), b"", True),
        (Fault("truncate", after=5), STREAM[:5], True),
        (Fault("truncate", after=len(STREAM)), STREAM, True),
        (Fault("truncate", after=999), STREAM, False),
        (Fault("truncate", after_events=0), b"", True),
        (Fault("timeout", after_events=1), b": ping\n\ndata: a\n\n", True),
        (Fault("truncate", after_events=3), STREAM[:-4], True),
        (Fault("truncate", after_events=4), STREAM, False),
        (Fault("truncate"), STREAM, False),
    ],
)
@given(step=st.integers(1, 60))
def test_what_comes_before_a_fault(fault: Fault, comes: bytes, done: bool, step: int) -> None:
    """So many bytes, or so many events that a client sees, however the answer is cut up."""
    assert through(fault, STREAM, step) == (comes, done)


def test_nothing_comes_after_a_fault() -> None:
    """Whatever is fed."""
    cut = Cut(Fault("truncate", after=1))
    assert (cut.feed(b"ab"), cut.feed(b"c")) == (b"a", b"")


@given(step=st.integers(1, 9))
def test_events_that_end_in_cr_break_no_earlier_than_they_end(step: int) -> None:
    """Whether a CR ends the event shows with the next byte; what is sent by then is the event and no more of the next
    one than came in the same piece."""
    got, done = through(Fault("truncate", after_events=1), b"data: a\r\rdata: b\r\r", step)
    assert done
    assert b"data: a\r\r".startswith(got[:9])
    assert len(got) in (9, 10)


@pytest.mark.parametrize(
    ("fault", "early", "recorded", "told"),
    [
        (Fault("reset"), True, False, "reset"),
        (Fault("timeout"), True, False, "timeout"),
        (Fault("timeout", after=3), False, False, "timeout after 3 bytes"),
        (Fault("truncate"), False, True, "truncate"),
        (Fault("truncate", times=1), False, False, "truncate"),
        (Fault("truncate", after_events=2), False, False, "truncate after 2 events"),
        (Fault("status", status=503), True, False, "status 503"),
        (Fault("timeout", of_upstream=True), True, True, "timeout of upstream"),
    ],
)
def test_kinds(fault: Fault, early: bool, recorded: bool, told: str) -> None:
    """Which break before the answer, which a recording makes, and how they are told."""
    assert (fault.early, fault.recorded, str(fault)) == (early, recorded, told)
