"""What went through lately."""

from dataclasses import replace

from replayproxy.core.journal import Entry, Journal
from replayproxy.core.messages import FileBody
from replayproxy.core.problem import Problem
from tests.builders import request


def entry(number: int, session: str = "default", outcome: str = "played", body: object = None) -> Entry:
    return Entry(number, session, "2026-01-01T00:00:00Z", request(body=body), 200, outcome)


def test_the_oldest_go_first() -> None:
    """No more entries are kept than was said."""
    journal = Journal(entries=2)
    for number in (1, 2, 3):
        journal.add(entry(number))
    assert [kept.number for kept in journal.entries()] == [2, 3]
    assert len(journal) == 2


def test_bytes_are_bounded_too() -> None:
    """Large bodies push others out; a single one stays, however large."""
    journal = Journal(size=5_000)
    journal.add(entry(1, body=bytes(3_000)))
    journal.add(entry(2, body=bytes(3_000)))
    journal.add(entry(3, body=bytes(9_000)))
    assert [kept.number for kept in journal.entries()] == [3]


def test_problems_weigh_what_they_say() -> None:
    """An exchange with many counts for more than its request."""
    problems = tuple(Problem("x" * 100) for _ in range(50))
    assert replace(entry(1), problems=problems).size > entry(1).size + 5_000


def test_a_body_in_a_file_weighs_nothing() -> None:
    """Only what is in memory counts."""
    assert Entry(1, "", "", request().__class__("GET", "/", body=FileBody("x", 1 << 30, "d")), 200, "").size < 1000


def test_entries_are_chosen_by_session_and_outcome() -> None:
    """Either, both, or neither."""
    journal = Journal()
    for number, session, outcome in ((1, "a", "played"), (2, "a", "missed"), (3, "b", "missed")):
        journal.add(entry(number, session, outcome))
    assert [kept.number for kept in journal.entries(session="a")] == [1, 2]
    assert [kept.number for kept in journal.entries(outcome="missed")] == [2, 3]
    assert [kept.number for kept in journal.entries("a", "missed")] == [2]


def test_numbers_count_up() -> None:
    """Each exchange has its own."""
    journal = Journal()
    assert [journal.next_number(), journal.next_number()] == [1, 2]
