"""How many files and connections this process may have open, and what that means for the limits."""

from __future__ import annotations

import logging
from dataclasses import replace

from replayproxy.config.settings import LimitSettings

__all__ = ["attainable", "raise_limit", "within_means"]

_log = logging.getLogger(__name__)

#: So many are enough for everybody; there are programs that walk through all that there may be.
ENOUGH = 65_536
#: An exchange has two: its client's connection, and the upstream's or a file. The rest have so many.
EACH, SPARE = 2, 100
#: What macOS takes where it calls the limit infinite (OPEN_MAX).
_OPEN_MAX = 10_240


def within_means(limits: LimitSettings) -> LimitSettings:
    """The limits as this process can keep them, once it may open all that the system lets it; says so where that is
    less than was asked for."""
    files = raise_limit()
    able = attainable(limits, files)
    if able is not limits:
        _log.warning(
            "limits.connections is %d here, and not %d: this process may open %d files only; `ulimit -Hn` tells the "
            "most that it may be allowed",
            able.connections,
            limits.connections,
            files,
        )
    return able


def attainable(limits: LimitSettings, files: int) -> LimitSettings:
    """The limits with no more connections than so many descriptors allow; the same object when that is enough."""
    most = max(1, (files - SPARE) // EACH)
    return limits if limits.connections <= most else replace(limits, connections=most)


def raise_limit() -> int:
    """Lets this process, and those that it starts, open as many files as the system allows; how many that are."""
    try:
        import resource
    except ImportError:  # Windows counts none
        return ENOUGH
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    for wanted in (most, min(most, _OPEN_MAX)):
        if soft != resource.RLIM_INFINITY and soft < wanted:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            except (ValueError, OSError):
                continue
            return wanted
    return ENOUGH if soft == resource.RLIM_INFINITY else soft
