"""Problems in an interaction's document: what is written, and what is refused."""

from __future__ import annotations

import pytest

from replayproxy.core.problem import Problem
from replayproxy.core.problem_form import get_problems, problem_fields
from replayproxy.core.yaml_read import Mapping, read_document
from replayproxy.errors import CassetteError


def read(text: str) -> tuple[Problem, ...]:
    """The problems in a document."""
    mapping = read_document(text, 1)
    assert isinstance(mapping, Mapping)
    return get_problems(mapping)


@pytest.mark.parametrize(
    ("problem", "fields"),
    [
        (Problem("a"), {"message": "a"}),
        (Problem("a", "b", "c", 404, "d"), {"message": "a", "param": "b", "code": "c", "status": 404, "type": "d"}),
        (Problem("a", warning=True), {"message": "a", "warning": True}),
        (
            Problem("a", warning=True, side="response", event=3),
            {"side": "response", "event": 3, "message": "a"},
        ),
    ],
)
def test_only_what_is_unusual_is_written(problem: Problem, fields: dict[str, object]) -> None:
    """What is wrong with an answer is a warning always."""
    assert problem_fields(problem) == fields
    text = "problems:\n  - " + "\n    ".join(f"{key}: {str(value).lower()}" for key, value in fields.items())
    assert read(text) == (problem,)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("problems: [x]", 1, "a problem is not a mapping"),
        ("problems:\n  - {message: a, side: theirs}", 2, "`side` of a problem is neither request nor response"),
        ("problems:\n  - message: a\n    warning: 1", 3, "`warning` of a problem is neither True nor False"),
        ("problems:\n  - {message: a, event: -1}", 2, "`event` of a problem is not the number of an event"),
        ("problems:\n  - {message: a, event: x}", 2, "`event` of a problem is not the number of an event"),
        ("problems:\n  - {message: a, other: x}", 2, "other"),
    ],
)
def test_what_is_none_is_told_with_its_line(text: str, line: int, told: str) -> None:
    """And what to do."""
    with pytest.raises(CassetteError) as caught:
        read(text)
    assert caught.value.line == line
    assert told in str(caught.value)
