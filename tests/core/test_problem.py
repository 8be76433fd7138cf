"""What can be wrong with a message, as a value."""

from __future__ import annotations

import pytest

from replayproxy.core.problem import Problem


@pytest.mark.parametrize(("text", "kept"), [("plain", "plain"), ("é€😀", "é€😀"), ("a\udcffb", "a\\udcffb")])
def test_a_problem_can_always_be_sent_and_written(text: str, kept: str) -> None:
    """Bytes of a target or a header that are no text are escaped, wherever the problem was found."""
    problem = Problem(text, text)
    assert (problem.message, problem.param) == (kept, kept)
    assert problem == Problem(kept, kept)
    assert Problem(text).param is None
