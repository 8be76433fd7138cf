"""What is measured with: the run at hand, and servers that take turns under the same load."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from load import Came, Job, Load, loading
from processes import Server
from traffic import KINDS

from cassettes import write_cassette

__all__ = ["Bench", "Contestant", "Figures", "benching", "in_turns", "wrong_answers"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmarks: a folder for its cassettes, the load, and whether it only shows that all works."""

    folder: Path
    load: Load
    quick: bool

    @property
    def rounds(self) -> int:
        """How often servers take turns."""
        return self.of(5, 1)

    def of(self, full: T, quick: T) -> T:
        """What holds for this run."""
        return quick if self.quick else full

    def cassette(self, kind: str, pairs: int) -> Path:
        """A cassette of so many interactions of a kind; made when it is first asked for, and not to be changed."""
        path = self.folder / f"{kind}-{pairs}.yaml"
        return path if path.exists() else write_cassette(path, KINDS[kind], pairs)


@contextlib.contextmanager
def benching(folder: Path, *, quick: bool) -> Iterator[Bench]:
    """A run whose cassettes are kept in `folder`."""
    with loading() as load:
        yield Bench(folder, load, quick)


@dataclass(slots=True)
class Contestant:
    """A server and what it is asked for, round by round; each round goes on with the numbers after the last."""

    name: str
    server: Server
    job: Job
    found: list[tuple[Came, float]] = field(default_factory=list)

    def run(self, load: Load) -> None:
        """One turn."""
        before = self.server.cpu()
        came = load.run(self.job)
        self.found.append((came, self.server.settled_cpu() - before))
        self.job = replace(self.job, first=(self.job.first + self.job.count) % self.job.pairs)

    @property
    def figures(self) -> Figures:
        """Medians over the turns."""

        def median(read: Callable[[Came, float], float]) -> float:
            return statistics.median(read(came, cpu) for came, cpu in self.found)

        count = self.job.count
        return Figures(
            cpu=median(lambda _, cpu: cpu / count * 1e6),
            rate=median(lambda came, _: count / came.seconds),
            p50=median(lambda came, _: came.p50),
            p99=median(lambda came, _: came.p99),
            load=median(lambda came, _: came.cpu / count * 1e6),
            wrong=sum(came.wrong for came, _ in self.found),
            once=all(came.once for came, _ in self.found),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """µs of CPU of the server and of the load for a request, requests per second, latencies in ms, wrong answers."""

    cpu: float
    rate: float
    p50: float
    p99: float
    load: float
    wrong: int
    once: bool


def in_turns(bench: Bench, contestants: Sequence[Contestant]) -> dict[str, Figures]:
    """Lets servers take turns, there and back, so that a change of the machine's mood meets all of them."""
    for number in range(bench.rounds):
        for contestant in contestants if number % 2 == 0 else reversed(contestants):
            contestant.run(bench.load)
    return {contestant.name: contestant.figures for contestant in contestants}


def wrong_answers(came: Mapping[str, Figures]) -> list[str]:
    """A line for each server that gave answers to other requests than those that were sent."""
    return [f"{name}: {figures.wrong} answers were wrong" for name, figures in came.items() if figures.wrong]
