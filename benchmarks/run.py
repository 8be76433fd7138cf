"""All benchmarks, or those that are named: python benchmarks/run.py [--quick] [NAME...]

Each prints its tables: CPU time, rates and latencies of replayproxy, minimal servers beside it that took turns with it,
the ratios, and the bounds that the project has set itself. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import inspector
import micro
import playback
import recording
import starting
import streams
from processes import HAS_PROC
from tables import Table
from turns import Bench, benching

import replayproxy

__all__ = ["SECTIONS", "main"]

#: What can be named, in the order in which it is measured.
SECTIONS: Mapping[str, Callable[[Bench], Iterator[Table]]] = {
    "playback": playback.playback,
    "sequences": playback.sequences,
    "record": recording.record,
    "forward": recording.forward,
    "streams": streams.streams,
    "startup": starting.startup,
    "memory": starting.memory,
    "miss": playback.miss,
    "workers": playback.workers,
    "inspector": inspector.inspector,
    "micro": micro.micro,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few seconds: shows that all of it works")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SECTIONS))
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(SECTIONS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started ends with it
    print(_machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder, benching(Path(folder), quick=given.quick) as bench:
        _measure(bench, given.names or SECTIONS)


def _measure(bench: Bench, names: Iterable[str]) -> None:
    for name in names:
        print(f"\n### {name}\n")
        for table in SECTIONS[name](bench):
            print(table, flush=True)


def _machine() -> str:
    facts = f"replayproxy {replayproxy.__version__}, Python {platform.python_version()}, {platform.machine()}"
    lacking = "" if HAS_PROC else "; without /proc there are no figures of CPU time and memory"
    return f"{facts}, {os.cpu_count()} cores{lacking}"


if __name__ == "__main__":
    main()
