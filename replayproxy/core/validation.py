"""What is wrong with a message, told as the API tells it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a message, in the fields of the API's error envelope.

    `param` is the path of what is wrong (`attachments[0].tools`) or None, `code` the API's error code or None.
    """

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400
    type: str = "invalid_request_error"
