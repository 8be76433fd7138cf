"""CPU time of a call."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

__all__ = ["cpu_of"]


def cpu_of(call: Callable[[], object], times: int, runs: int = 5) -> float:
    """The seconds of CPU that a call takes: the median of some runs of so many calls, without garbage collection."""
    call()
    found = []
    gc.collect()
    gc.disable()
    for _ in range(runs):
        began = time.process_time()
        for _ in range(times):
            call()
        found.append((time.process_time() - began) / times)
    gc.enable()
    return statistics.median(found)
