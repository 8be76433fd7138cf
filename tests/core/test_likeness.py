"""Which of many requests may be like another one."""

from __future__ import annotations

import pytest

from replayproxy.core.likeness import Directory, Look, Places, look_of, ranking
from replayproxy.core.messages import FileBody, Request, encode
from replayproxy.core.url_paths import normal_path

REQUESTS = [
    ("POST /v1/threads/thread_abc123/messages", 10),
    ("POST /v1/threads/thread_XYZ789/messages", 12),
    ("POST /v1/threads/thread_abc123/runs", 10),
    ("PUT /v1/threads/thread_abc123/messages", 10),
    ("POST /v1/threads/thread_abc123/%6dessages", 20),
    ("POST /v1/threads/thread_abc123/messages", 17),
    ("POST /v1/threads/thread_abc123/messages", 14),
    ("POST /v1/threads/thread_abc123/messages", 10),
]
ASKED = Request("POST", "/v1/threads/thread_abc123/messages?a=b")


def directory(requests: list[tuple[str, int]]) -> Directory:
    """A directory of requests, each with where it goes and the size of its body."""
    places = Places()
    placed = [places.number(encode(name)) if name else 0 for name, _ in requests]
    return Directory(places, placed, [size for _, size in requests])


def path_of(request: Request) -> str:
    """The path as it is compared without rules."""
    return normal_path(request.path)


@pytest.mark.parametrize("is_plain", [True, False])
def test_the_path_comes_first_then_its_shape_then_the_size(is_plain: bool) -> None:
    """Of equals the earlier; another method counts as much as two segments."""
    found = directory(REQUESTS).nearest(ASKED, 12, 10, path_of, is_plain=is_plain)
    assert found == [(0, 0), (0, 6), (0, 7), (0, 5), (0, 4), (1, 1), (2, 2), (2, 3)]
    assert directory(REQUESTS).nearest(ASKED, 12, 2, path_of, is_plain=is_plain) == [(0, 0), (0, 6)]
    assert directory([]).nearest(ASKED, 12, 2, path_of, is_plain=is_plain) == []


def test_a_path_may_be_compared_by_less() -> None:
    """Under a rule that masks a part of it, paths are the same that are not spelled the same."""
    found = directory(REQUESTS).nearest(ASKED, 12, 2, lambda request: request.path[-8:], is_plain=False)
    assert found == [(0, 1), (0, 0)]


def test_of_what_nobody_knows_nothing_is_expected() -> None:
    """It comes last."""
    assert directory([("", 12), *REQUESTS[:1]]).nearest(ASKED, 12, 5, path_of, is_plain=True) == [(0, 1), (8, 0)]


def test_ranks_are_those_of_the_directory() -> None:
    """What was chosen by its looks is put in order by what it is."""
    rank = ranking(ASKED, path_of)
    found = directory(REQUESTS).nearest(ASKED, 12, 10, path_of, is_plain=True)
    for expected, index in found:
        method, _, path = REQUESTS[index][0].partition(" ")
        assert rank(method, path) == rank(method, path) == expected


def test_as_many_as_are_asked_for_are_the_nearest_of_all() -> None:
    """However few."""
    many = [("GET /", size % 7) for size in range(50)]
    every = directory(many).nearest(Request("GET", "/"), 3, 50, path_of, is_plain=True)
    assert every == [(0, index) for index in sorted(range(50), key=lambda index: (abs(index % 7 - 3), index))]
    for count in range(1, 50):
        assert directory(many).nearest(Request("GET", "/"), 3, count, path_of, is_plain=True) == every[:count]


def test_a_body_in_a_file_has_a_size_only() -> None:
    """It is not read to be looked at."""
    assert look_of(FileBody("f", 9, "d")) == Look(9, b"")
    assert look_of(b"abc") == Look(3, b"abc")
