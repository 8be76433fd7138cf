"""The API's error envelope: the body in which it tells what went wrong."""

from __future__ import annotations

import json

from replayproxy.core.problem import Problem

__all__ = ["error_body"]


def error_body(problem: Problem) -> bytes:
    """`problem` as the API writes it: four fields in its order, indented by two, no line end after it.

    What cannot be UTF-8 (a path may quote any byte) becomes a question mark.
    """
    error = {"message": problem.message, "type": problem.type, "param": problem.param, "code": problem.code}
    return json.dumps({"error": error}, indent=2, ensure_ascii=False).encode("utf-8", "replace")
