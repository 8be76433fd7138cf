"""The benchmarks still run. What stands in their tables is read by people, and judged by no test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
#: What is measured, and a row that shows that it was measured to the end.
SECTIONS = {
    "playback": "| bytes never repeat, a field is ignored | replayproxy |",
    "sequences": "| yes |",
    "record": "Recorded: 45 interactions",
    "forward": "| replayproxy record |",
    "streams": "**A recorded stream of 50 events",
    "startup": "| a folder of 10, the first session |",
    "memory": "| 50 |",
    "miss": "| 100 |",
    "workers": "**Workers, 64 connections**",
    "inspector": "| open in three windows |",
    "micro": "| decode: a cassette of none |",
}


def output(*arguments: str | Path) -> str:
    """What a script prints; it has to end well."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_cost_of_validation_can_be_measured() -> None:
    """The script prints its tables and ends well."""
    told = output(BENCHMARKS / "validation.py", "--quick")
    assert "| assistants | at once | record | CPU of the proxy |" in told


def test_each_section_can_be_measured() -> None:
    """`run.py --quick` prints them all, with right answers only."""
    told = output(BENCHMARKS / "run.py", "--quick")
    for name, row in SECTIONS.items():
        assert f"### {name}\n" in told
        assert row in told
    assert "answers were wrong" not in told
    assert "| NO |" not in told


def test_an_unknown_name_is_refused() -> None:
    """It says which names there are: those of the table above, all of them."""
    command = [sys.executable, BENCHMARKS / "run.py", "speed"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"there is no speed; there are {', '.join(SECTIONS)}\n" in done.stderr
