"""The error envelope, byte for byte."""

from __future__ import annotations

from replayproxy.core.envelope import error_body
from replayproxy.core.problem import Problem


def test_envelope_is_the_real_one_to_the_byte() -> None:
    """Two spaces, message, type, param and code in this order, nothing behind the last brace."""
    problem = Problem('Runs in status "in_progress" do not accept tool outputs.')
    assert error_body(problem) == (
        b'{\n  "error": {\n    "message": "Runs in status \\"in_progress\\" do not accept tool outputs.",\n'
        b'    "type": "invalid_request_error",\n    "param": null,\n    "code": null\n  }\n}'
    )


def test_envelope_holds_any_text() -> None:
    """Letters stay as they are; what cannot be UTF-8 is spelled out."""
    assert rb"\\udcff" in error_body(Problem("Grüße \udcff"))
    assert "Grüße".encode() in error_body(Problem("Grüße \udcff"))
