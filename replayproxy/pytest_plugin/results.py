"""What became of the sessions of a run: collected in each process, brought together, told at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replayproxy.core.receipt import Receipt

__all__ = ["Results", "SessionResult", "summary_lines", "unused_cassettes"]

_COUNTS = ("played", "repeated", "missed", "forwarded", "saved", "lost", "problems", "warnings", "unplayed")
#: What the head of a cassette of ours says, comments before it included; other tools keep theirs in such folders too.
_OURS, _HEAD = re.compile(rb"^replayproxy: *[0-9]", re.MULTILINE), 8192


@dataclass(frozen=True, slots=True)
class SessionResult:
    """One session that has ended: whose it was, its cassette as messages show it, and the counts of its receipt."""

    owner: str
    cassette: str
    mode: str
    counts: Mapping[str, int]

    @classmethod
    def of(cls, owner: str, cassette: str, receipt: Receipt) -> SessionResult:
        """The result that a final receipt tells."""
        found = {name: getattr(receipt, name) for name in _COUNTS}
        counts = {name: value if isinstance(value, int) else len(value) for name, value in found.items()}
        return cls(owner, cassette, receipt.mode, counts)

    def properties(self) -> list[tuple[str, object]]:
        """For JUnit's report: the cassette, the mode and the counts that are not zero."""
        counts = [(f"replayproxy_{name}", count) for name, count in self.counts.items() if count]
        return [("replayproxy_cassette", self.cassette), ("replayproxy_mode", self.mode), *counts]


@dataclass(slots=True)
class Results:
    """What one process knows of a run.

    `expected` are the cassettes of all tests that were collected, whether they ran or not, and of other sessions;
    `modules` all test files, `users` those with tests behind the proxy. `strays` are misses outside of any session.
    """

    sessions: list[SessionResult] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    expected: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    deselected: bool = False
    unused: list[str] = field(default_factory=list)
    _recorded: set[str] = field(default_factory=set)

    def first(self, cassette: str) -> bool:
        """Whether nobody in this run has recorded into this cassette yet; from now on somebody has."""
        new = cassette not in self._recorded
        self._recorded.add(cassette)
        return new

    def packed(self) -> dict[str, Any]:
        """All of it as plain values, for another process."""
        return {
            "sessions": [asdict(result) for result in self.sessions],
            "strays": self.strays,
            "expected": sorted(self.expected),
            "modules": sorted(self.modules),
            "users": sorted(self.users),
            "deselected": self.deselected,
        }

    def merge(self, packed: Mapping[str, Any]) -> None:
        """Adds what another process has `packed`."""
        self.sessions += [SessionResult(**told) for told in packed["sessions"]]
        self.strays += packed["strays"]
        self.expected |= set(packed["expected"])
        self.modules |= set(packed["modules"])
        self.users |= set(packed["users"])
        self.deselected |= packed["deselected"]


def unused_cassettes(results: Results, folder: str, patterns: Iterable[str]) -> list[Path]:
    """The cassettes that no test of the run is for.

    Those of a test file that was not collected are left alone; so are, in its folder, those that may be anybody's.
    """
    expected, modules = ({Path(path) for path in paths} for paths in (results.expected, results.modules))
    found: set[Path] = set()
    for place in {Path(user).parent for user in results.users}:
        tests = {path for pattern in patterns for path in place.glob(pattern)}
        collected = {place / folder / module.stem for module in modules if module.parent == place}
        for each in {place / folder} if tests <= modules else collected:
            found.update(path for ending in ("*.yaml", "*.yml") for path in each.rglob(ending))
    return sorted(path for path in found - expected if _is_cassette(path))


def summary_lines(results: Results) -> list[str]:
    """What is told at the end of a run; nothing when no test used the proxy."""
    lines = []
    if results.sessions:
        totals = [(name, sum(result.counts[name] for result in results.sessions)) for name in _COUNTS]
        modes = ", ".join(sorted({result.mode for result in results.sessions}))
        counts = ", ".join(f"{count} {name}" for name, count in totals if count) or "no request came"
        lines.append(f"{len(results.sessions)} session(s), {modes}: {counts}")
    if results.strays:
        lines += ["requests that belong to no session of a test were refused:", *results.strays]
    if results.unused:
        lines += ["cassettes that no test is for:", *(f"  {path}" for path in results.unused)]
    return lines


def _is_cassette(path: Path) -> bool:
    if any(part.endswith(".files") for part in path.parts) or not path.is_file():
        return False
    with path.open("rb") as file:
        return _OURS.search(file.read(_HEAD)) is not None
