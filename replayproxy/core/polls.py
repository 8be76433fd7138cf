"""Polls: requests that ask for the state of something again and again until it is done.

Rules:
1. A poll is a GET that a client's poll helper sent (it says so), that asks for a run, or that calls another operation
   of the API and was answered more than once: so batches, fine-tunes and vector stores count as runs do, and loops that
   somebody wrote by hand. A GET of anything else is given back as it was, however often it was asked.
2. Polls follow each other when nothing but GET and HEAD came in between: anything else may have changed what is asked
   about, and the app may have waited for the state before it. A failure stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from replayproxy.core.cassette import Interaction
from replayproxy.core.catalog import Operation
from replayproxy.core.messages import Request

__all__ = ["HELPER_HEADER", "RUN", "folded", "is_poll"]

#: Sent by the poll helpers of OpenAI's clients, which sleep as long as `openai-poll-after-ms` says, or a second.
HELPER_HEADER = "x-stainless-poll-helper"

#: The operation that gives a run: who asks for one wants to know whether it is done.
RUN = "getRun"

_SAFE = frozenset({"GET", "HEAD"})


def is_poll(request: Request, operation: Operation | None, answers: int) -> bool:
    """Whether a request that calls `operation` (None: none known) is a poll, with so many answers recorded for it."""
    told = request.headers.get(HELPER_HEADER) == "true"
    known = operation is not None and (operation.id == RUN or answers > 1)
    return request.method == "GET" and (told or known)


def folded(interactions: Iterable[tuple[bytes, Interaction]]) -> dict[int, tuple[int, ...]]:
    """For polls that follow each other and ask the same: the earlier ones by the last one, as numbers (from 1).

    `interactions` come with the identities of their requests.
    """
    earlier, latest = dict[int, tuple[int, ...]](), dict[bytes, int]()
    for number, (key, interaction) in enumerate(interactions, 1):
        if interaction.request.method not in _SAFE:
            latest.clear()
        elif interaction.response.status >= 400 or interaction.fault is not None:
            latest.pop(key, None)
        elif interaction.request.method == "GET":
            if key in latest:
                before = latest[key]
                earlier[number] = (*earlier.pop(before, ()), before)
            latest[key] = number
    return earlier
