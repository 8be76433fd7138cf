"""The forms that a request can be copied in, in one table."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from replayproxy.core.catalog import Operation
from replayproxy.core.exports.curl import as_curl
from replayproxy.core.exports.javascript import as_javascript
from replayproxy.core.exports.python_httpx import as_httpx
from replayproxy.core.exports.python_openai import as_openai
from replayproxy.core.messages import Request

__all__ = ["FORMS", "copied"]

_Copy = Callable[[Request, str, Operation | None], str]

#: What makes the text of each form, by its name.
FORMS: Final = MappingProxyType[str, _Copy](
    {
        "curl": lambda request, base_url, operation: as_curl(request, base_url),
        "openai": as_openai,
        "httpx": lambda request, base_url, operation: as_httpx(request, base_url),
        "javascript": lambda request, base_url, operation: as_javascript(request, base_url),
    }
)


def copied(form: str, request: Request, base_url: str, operation: Operation | None = None) -> str:
    """A redacted request in one of `FORMS`, ready to be pasted and run against `base_url`; `operation` is what it
    means. KeyError for an unknown form."""
    return FORMS[form](request, base_url, operation)
