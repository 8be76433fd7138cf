"""From the start of a process to its first replayed answer, and how much memory it takes."""

from __future__ import annotations

import http.client
import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from load import Job
from processes import proxy
from tables import Table, against, figure
from traffic import HEADERS, KINDS
from turns import Bench

__all__ = ["memory", "startup"]

#: Seconds to the first replayed answer, by interactions.
_BOUNDS = {1: 0.5, 10_000: 1.0, 100_000: 4.0}
#: No further run is begun after so many seconds.
_PATIENCE = 60.0
#: Resident memory may be so many MB, and so many times the cassette.
_BASE, _TIMES = 60.0, 1.2


def startup(bench: Bench) -> Iterator[Table]:
    """Seconds to the first answer, at each size and beside many other cassettes."""
    table = Table(
        "From the start of the process to the first replayed answer", ("cassette", "size MB", "s", "CPU s", "runs")
    )
    for pairs in bench.of((1, 10_000, 100_000), (50,)):
        cassette = bench.cassette("message", pairs)
        took, cpu, runs = _repeated(bench, "--cassette", cassette)
        bound = _BOUNDS.get(pairs)
        judged = against(took, bound) if bound else figure(took)
        table.add(
            f"{pairs:,} interaction{'s' * (pairs > 1)}",
            figure(cassette.stat().st_size / 1e6),
            judged,
            figure(cpu),
            str(runs),
        )
    for count in bench.of((1, 5_000), (10,)):
        folder = _folder(bench, count)
        took, cpu, runs = _repeated(bench, "--cassettes", folder)
        table.add(f"a folder of {count:,}, the first session", "–", figure(took), figure(cpu), str(runs))
    yield table


def _repeated(bench: Bench, *options: str | Path) -> tuple[float, float, int]:
    """Medians of wall and CPU seconds, over as many runs as can be begun in a minute, five at most."""
    found: list[tuple[float, float]] = []
    limit = time.perf_counter() + _PATIENCE
    while len(found) < bench.rounds and (not found or time.perf_counter() < limit):
        found.append(_seconds(*options))
    took, cpu = zip(*found, strict=True)
    return statistics.median(took), statistics.median(cpu), len(found)


def _seconds(*options: str | Path) -> tuple[float, float]:
    """To the first answer: wall and CPU seconds."""
    with proxy("playback", *options, settings={"PLAYBACK__REPEAT": "cycle"}) as server:
        _ask_once(server.url)
        return time.perf_counter() - server.started, server.cpu()


def _ask_once(url: str) -> None:
    """Asks for number 0 as a client does."""
    kind, address = KINDS["message"], urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    connection.request(kind.method, kind.target(0), kind.body(0, 0), dict(HEADERS))
    answer = connection.getresponse()
    if answer.status != 200 or answer.read() != kind.answer(0):
        raise SystemExit(f"the first answer is not the recorded one: {answer.status}")
    connection.close()


def _folder(bench: Bench, count: int) -> Path:
    """A folder of so many cassettes of 20 interactions."""
    folder, source = bench.folder / f"folder-{count}", bench.cassette("message", 20)
    if not folder.exists():
        folder.mkdir()
        for name in ("default", *(f"session{number}" for number in range(count - 1))):
            shutil.copyfile(source, folder / f"{name}.yaml")
    return folder


def memory(bench: Bench) -> Iterator[Table]:
    """Resident memory after the start, and after all was asked for once."""
    heads = (
        "interactions",
        "size MB",
        "after the first answer",
        "after all answers",
        "the most",
        "bound",
    )
    table = Table("Resident memory in playback, MB", heads)
    for pairs in bench.of((1, 10_000, 100_000), (50,)):
        cassette = bench.cassette("message", pairs)
        with proxy("playback", "--cassette", cassette, settings={"PLAYBACK__REPEAT": "cycle"}) as server:
            _ask_once(server.url)
            started, _ = server.memory()
            bench.load.run(Job(server.url, "message", pairs, pairs))
            now, most = server.memory()
        size = cassette.stat().st_size / 1e6
        limit = figure(_BASE + _TIMES * size)
        table.add(f"{pairs:,}", figure(size), *(figure(value) for value in (started, now, most)), limit)
    yield table
