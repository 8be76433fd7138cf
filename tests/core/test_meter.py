"""The meter: counts, times and bytes of exchanges, and readings that add up."""

from __future__ import annotations

import pytest

from replayproxy.core.catalog import Operation
from replayproxy.core.meter import BUCKETS, METRICS, Meter, Reading, of_histogram, summed

CREATE = Operation("createThread", "POST", "/threads", "threads")
DELETE = Operation("deleteThread", "DELETE", "/threads/{thread_id}", "threads")


def histogram(reading: Reading, name: str, who: str) -> tuple[dict[str, int], float]:
    """How many took no longer than each bound, where that changes, and their sum."""
    counts, total = of_histogram(reading[name][(who,)])
    found, before = dict[str, int](), 0
    for bound, count in counts:
        if count != before:
            found[bound], before = count, count
    return found, total


def test_exchanges_are_counted_by_outcome_and_operation() -> None:
    """What the catalog does not know has no name."""
    meter = Meter()
    for outcome, operation in (("played", CREATE), ("played", CREATE), ("played", DELETE), ("missed", None)):
        meter.ended(outcome, operation, 0.1)
    assert meter.reading()["replayproxy_exchanges"] == {
        ("played", "createThread", "threads"): 2,
        ("played", "deleteThread", "threads"): 1,
        ("missed", "", ""): 1,
    }


def test_an_answer_that_came_at_once_counts_for_both_times() -> None:
    """Its first byte came with its last."""
    meter = Meter()
    for seconds in (0.0004, 0.0005, 0.0006, 3.0, 100.0):
        meter.ended("repeated", CREATE, seconds)
    reading = meter.reading()
    expected = {"0.0005": 2, "0.001": 3, "5": 4, "+Inf": 5}
    for name in ("replayproxy_exchange_seconds", "replayproxy_first_byte_seconds"):
        counts, total = histogram(reading, name, "recording")
        assert counts == expected
        assert total == pytest.approx(103.0015)


def test_the_first_byte_of_others_has_its_own_time() -> None:
    """Both are told of all operations together."""
    meter = Meter()
    meter.ended("saved", CREATE, 2.0, 0.2)
    meter.ended("forwarded", DELETE, 0.3)
    reading = meter.reading()
    assert histogram(reading, "replayproxy_exchange_seconds", "upstream") == ({"0.5": 1, "2.5": 2}, 2.3)
    assert histogram(reading, "replayproxy_first_byte_seconds", "upstream") == ({"0.25": 1, "0.5": 2}, 0.5)


def test_who_left_saw_no_first_byte() -> None:
    """Nor did who is counted under an outcome that nobody knows."""
    meter = Meter()
    meter.ended("gone", CREATE, 2.0)
    meter.ended("else", CREATE, 2.0)
    reading = meter.reading()
    assert reading["replayproxy_first_byte_seconds"] == {}
    assert histogram(reading, "replayproxy_exchange_seconds", "nobody") == ({"2.5": 2}, 4.0)


def test_bytes_are_counted_by_who_answered() -> None:
    """Those of bodies, in both directions."""
    meter = Meter()
    meter.ended("played", CREATE, 0.1, 0.0, 10, 200)
    meter.ended("repeated", DELETE, 0.1, 0.0, 1, 2)
    meter.ended("failed", None, 0.1, 0.0, 5, 6)
    reading = meter.reading()
    assert reading["replayproxy_request_body_bytes"] == {("recording",): 11, ("replayproxy",): 5}
    assert reading["replayproxy_response_body_bytes"] == {("recording",): 202, ("replayproxy",): 6}


def test_problems_misses_and_failures_are_counted() -> None:
    """Each by what it was."""
    meter = Meter()
    for side, warning in (("request", False), ("request", True), ("request", True), ("response", False)):
        meter.problem(side, warning=warning)
    for reason in ("no_match", "no_match", "no_cassette"):
        meter.missed(reason)
    meter.upstream_failed("timeout")
    reading = meter.reading()
    expected = {("request", "error"): 1, ("request", "warning"): 2, ("response", "error"): 1}
    assert reading["replayproxy_problems"] == expected
    assert reading["replayproxy_misses"] == {("no_match",): 2, ("no_cassette",): 1}
    assert reading["replayproxy_upstream_errors"] == {("timeout",): 1}


def test_readings_of_several_processes_add_up() -> None:
    """Counters, gauges and histograms; what only one of them has is kept."""
    one, other = Meter(), Meter()
    one.ended("played", CREATE, 0.1)
    other.ended("played", CREATE, 0.2)
    other.ended("missed", None, 0.2)
    both = summed(
        (one.reading(), other.reading(), {"replayproxy_workers": {(): 1.0}}, {"replayproxy_workers": {(): 1.0}})
    )
    assert both["replayproxy_exchanges"] == {("played", "createThread", "threads"): 2, ("missed", "", ""): 1}
    counts, total = histogram(both, "replayproxy_exchange_seconds", "recording")
    assert counts == {"0.1": 1, "0.25": 2}
    assert total == pytest.approx(0.3)
    assert both["replayproxy_workers"] == {(): 2.0}


def test_a_number_and_a_histogram_do_not_add_up() -> None:
    """Processes of two versions: the first one holds."""
    mixed: list[Reading] = [{"x": {(): 1.0}}, {"x": {(): ((1,), 1.0)}}]
    assert summed(mixed) == {"x": {(): 1.0}}


def test_a_reading_is_a_copy() -> None:
    """What is counted later is not in it."""
    meter = Meter()
    meter.missed("no_match")
    before = meter.reading()
    meter.missed("no_match")
    assert before["replayproxy_misses"] == {("no_match",): 1}


def test_a_histogram_that_is_none_is_empty() -> None:
    """Nothing took any time."""
    counts, total = of_histogram(0.0)
    assert (counts[-1], total) == (("+Inf", 0), 0.0)
    assert len(counts) == len(BUCKETS) + 1


def test_all_that_a_meter_tells_is_in_the_table() -> None:
    """By the names, with as many labels."""
    meter = Meter()
    meter.ended("played", CREATE, 0.1)
    meter.problem("request", warning=True)
    meter.missed("no_match")
    meter.upstream_failed("reset")
    labels = {metric.name: len(metric.labels) for metric in METRICS}
    for name, values in meter.reading().items():
        assert {len(each) for each in values} == {labels[name]}
    assert list(BUCKETS) == sorted(BUCKETS)
    assert len(labels) == len(METRICS)
