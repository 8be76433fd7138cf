"""What is copied, pasted and run with the real tools: it sends what was sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from replayproxy.core.exports.copying import FORMS, copied
from replayproxy.core.matching import identity
from replayproxy.core.messages import Request
from replayproxy.openai_api import catalog
from tests.core.exports.catching import (
    NEEDS_BASH_AND_CURL,
    NEEDS_NODE,
    catching,
    run_javascript,
    run_python_here,
    run_shell,
)
from tests.core.exports.copied_requests import REQUESTS

#: The client says that the Assistants API goes.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

RUNS: dict[str, Callable[[str, Path], str]] = {
    "curl": run_shell,
    "openai": run_python_here,
    "httpx": run_python_here,
    "javascript": run_javascript,
}
NEEDS = {"curl": (NEEDS_BASH_AND_CURL,), "javascript": (NEEDS_NODE,)}
#: What a tool cannot send, or tidies up: paths with dots in them.
NOT_SENT = {("dots", "openai"), ("dots", "httpx"), ("dots", "javascript")}
CASES = [
    pytest.param(name, form, id=f"{name}-{form}", marks=NEEDS.get(form, ()))
    for form in FORMS
    for name in REQUESTS
    if (name, form) not in NOT_SENT
]


@pytest.mark.parametrize(("name", "form"), CASES)
def test_what_is_pasted_sends_the_same_request(name: str, form: str, tmp_path: Path) -> None:
    """Matching takes it for the same request, and it carries the key and the headers that count."""
    request = REQUESTS[name]
    meant = catalog().resolve(request.method, request.target)
    with catching() as catcher:
        RUNS[form](copied(form, request, catcher.url, meant.operation if meant else None), tmp_path)
        sent = catcher.only
    assert identity(sent) == identity(request)
    assert (sent.headers.get("authorization") or "").replace("Bearer any", "") == "" or form == "openai"
    if "authorization" in request.headers:
        assert sent.headers.get("authorization") == "Bearer any"
    for header in ("api-key", "x-a", "x-name"):
        expected = tuple("any" if value == "redacted.api-key" else value for value in request.headers.all(header))
        assert _joined(sent, header) in (expected, (", ".join(expected),)) or not expected


def _joined(request: Request, header: str) -> tuple[str, ...]:
    return request.headers.all(header)
