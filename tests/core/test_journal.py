"""What went through lately."""

from dataclasses import replace
from typing import ClassVar

from replayproxy.core.journal import UNDER_WAY, Entry, Journal
from replayproxy.core.messages import FileBody
from replayproxy.core.problem import Problem
from tests.builders import request, response


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


def test_what_is_under_way_is_known_until_it_is_added() -> None:
    """It is told as far as it has come, then as it ended, and never twice."""
    journal = Journal()
    journal.begin(7, lambda: entry(7, outcome=UNDER_WAY))
    found = journal.find(7)
    assert found is not None
    assert (found.outcome, [each.number for each in journal.under_way()], len(journal)) == (UNDER_WAY, [7], 0)
    journal.add(entry(7))
    found = journal.find(7)
    assert found is not None
    assert (found.outcome, journal.under_way()) == ("played", [])


def test_one_is_found_by_its_number() -> None:
    """As long as it is kept."""
    journal = Journal(entries=2)
    for number in (1, 2, 3):
        journal.add(entry(number))
    assert journal.find(1) is None
    assert journal.find(3) == entry(3)


def test_who_watches_gets_what_is_new() -> None:
    """What was taken in since then and is still here; and which numbers are gone."""
    journal = Journal(entries=3)
    for number in (2, 1, 4, 3, 5):
        journal.add(entry(number))
    assert [kept.number for kept in journal.since(3)] == [3, 5]
    assert [kept.number for kept in journal.since(0)] == [4, 3, 5]
    assert journal.since(5) == []
    assert (journal.added, journal.oldest, Journal().oldest) == (5, 3, 0)


def test_the_latest_are_given_whole() -> None:
    """Of all sessions or of one, the oldest first."""
    journal = Journal()
    for number, session in ((1, "a"), (2, "b"), (3, "a")):
        journal.add(entry(number, session))
    assert [kept.number for kept in journal.latest()] == [1, 2, 3]
    assert [kept.number for kept in journal.latest("a", limit=1)] == [3]
    assert journal.size == 3 * entry(1, "a").size


def test_a_glance_tells_what_takes_no_work() -> None:
    """The facts of an entry, its problems counted, its note's first line; the answer when somebody asks."""
    problems = (Problem("bad"), Problem("odd", warning=True))
    told = replace(entry(1, body=b"12345"), problems=problems, note="first\nsecond", response=response(200, "ok"))
    glance = told.glance()
    assert (glance.sent, glance.problems, glance.warnings, glance.note) == (5, 1, 1, "first")
    assert glance.response() == told.response
    large = Entry(1, "", "", request().__class__("GET", "/", body=FileBody("x", 1 << 30, "d")), 200, "")
    assert large.glance().sent == 1 << 30


def test_answers_weigh_what_they_hold() -> None:
    """A body that stands in the journal counts."""
    assert replace(entry(1), response=response(200, bytes(5000))).size >= entry(1).size + 5000


def test_what_an_entry_weighed_is_given_back_whatever_became_of_it() -> None:
    """One that weighs something else when it goes leaves no trace in the sum."""

    class Growing(Entry):
        weights: ClassVar[list[int]] = [900, 5]

        @property
        def size(self) -> int:
            return self.weights.pop(0)

    journal = Journal(entries=1)
    journal.add(Growing(1, "default", "2026-01-01T00:00:00Z", request(), 200, "played"))
    journal.add(entry(2))
    assert journal.size == entry(2).size
