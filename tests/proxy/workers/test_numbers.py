"""Numbers that processes take from one line."""

from __future__ import annotations

import itertools
import subprocess
import sys

from replayproxy.proxy.workers.numbers import Numbers
from tests.processes import PATIENCE

_TAKER = """
import sys
from replayproxy.proxy.workers.numbers import Numbers

numbers = Numbers(int(sys.argv[1]))
print(*(numbers.next() for _ in range(20_000)))
"""


def test_each_number_is_taken_once() -> None:
    """From 1 on, without a gap, by whoever asks."""
    numbers = Numbers.new()
    assert numbers.next() == 1
    descriptor = numbers.descriptor
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _TAKER, str(descriptor)], text=True, stdout=subprocess.PIPE, pass_fds=(descriptor,)
        )
        for _ in range(3)
    ]
    taken = [list(map(int, each.communicate(timeout=PATIENCE)[0].split())) for each in processes]
    assert sorted(itertools.chain(*taken)) == list(range(2, 60_002))
    assert all(each == sorted(each) for each in taken)
    assert numbers.next() == 60_002
    numbers.close()
