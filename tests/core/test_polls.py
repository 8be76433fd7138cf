"""Which requests are polls, and which of them follow each other."""

from __future__ import annotations

import pytest

from replayproxy.core.cassette import Interaction
from replayproxy.core.fault_kinds import Fault
from replayproxy.core.matching import identity
from replayproxy.core.messages import Headers
from replayproxy.core.polls import folded, is_poll
from replayproxy.openai_api import catalog
from tests.builders import interaction, request, response

HELPER = Headers.of(("X-Stainless-Poll-Helper", "true"))


@pytest.mark.parametrize(
    ("method", "headers", "operation", "answers", "poll"),
    [
        ("GET", HELPER, "", 1, True),
        ("GET", Headers.of(("X-Stainless-Poll-Helper", "false")), "", 1, False),
        ("GET", Headers(), "getRun", 1, True),
        ("GET", Headers(), "getThread", 1, False),
        ("GET", Headers(), "getVectorStore", 2, True),
        ("GET", Headers(), "", 2, False),
        ("POST", HELPER, "createRun", 2, False),
    ],
)
def test_what_is_a_poll(method: str, headers: Headers, operation: str, answers: int, poll: bool) -> None:
    """Said by the client's helper, known by its operation, or shown by many answers of the API."""
    known = catalog().operation(operation) if operation else None
    assert is_poll(request(method, headers=headers), known, answers) is poll


def get(target: str, status: int = 200, fault: Fault | None = None) -> Interaction:
    return interaction(request("GET", target), response(status), fault=fault)


POST, HEAD = interaction(), interaction(request("HEAD", "/a"))


@pytest.mark.parametrize(
    ("interactions", "expected"),
    [
        ([], {}),
        ([get("/a")], {}),
        ([get("/a"), get("/a"), get("/a")], {3: (1, 2)}),
        ([get("/a"), get("/b"), HEAD, get("/a"), get("/b")], {4: (1,), 5: (2,)}),
        ([get("/a"), get("/a"), POST, get("/a"), get("/a")], {2: (1,), 5: (4,)}),
        ([get("/a"), get("/a", 429), get("/a")], {}),
        ([get("/a"), get("/a", fault=Fault("reset")), get("/a"), get("/a")], {4: (3,)}),
        ([POST, POST, HEAD, HEAD], {}),
    ],
)
def test_polls_that_follow_each_other_are_folded(
    interactions: list[Interaction], expected: dict[int, tuple[int, ...]]
) -> None:
    """Whatever else is asked in between, as long as nothing is done; failures stand for themselves."""
    assert folded((identity(each.request), each) for each in interactions) == expected
