"""Plans of faults: which requests of a session are to fail, how, and how often.

Rule: a planned fault uses no recording up. What was recorded answers the request that comes after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from replayproxy.core.catalog import Operation
from replayproxy.core.fault_grammar import FaultError, read_fault
from replayproxy.core.fault_kinds import ALWAYS, Fault
from replayproxy.core.messages import Request
from replayproxy.core.problem import Problem
from replayproxy.core.rules import Scope
from replayproxy.core.tally import Counter, Tally
from replayproxy.errors import ConfigError

__all__ = ["NO_FAULTS", "FaultPlan", "PlanUnderWay", "PlannedFault", "parse_faults"]


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault, and the requests that meet it."""

    fault: Fault
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults that a session's requests are to meet; of several for one request the first that is left."""

    faults: tuple[PlannedFault, ...] = ()


NO_FAULTS: Final = FaultPlan()


class PlanUnderWay:
    """A plan, and how often each of its faults was met, which `tally` counts under the plan's number in its session."""

    def __init__(self, plan: FaultPlan, tally: Tally, number: int) -> None:
        self.plan, self.number = plan, number
        self._counters = [tally.named(f"fault\t{number}\t{index}") for index in range(len(plan.faults))]

    @property
    def met(self) -> list[int]:
        """How often each fault was met."""
        return [counter.value for counter in self._counters]

    def strike(self, request: Request, operation: Operation | None) -> Fault | None:
        """The fault that a request meets, which then was met once more; None when none is left for it."""
        for planned, counter in zip(self.plan.faults, self._counters, strict=True):
            if planned.scope.holds(request, lambda _: operation) and _is_left(planned.fault, counter):
                return planned.fault
        return None


def _is_left(fault: Fault, counter: Counter) -> bool:
    """Whether a fault is to be met once more; it then is."""
    if fault.times == ALWAYS:
        counter.add()
        return True
    while (met := counter.value) < fault.times:
        if counter.claim(met):
            return True
    return False


def parse_faults(value: Any) -> FaultPlan | Problem:
    """The plan in a JSON value `{"faults": [{"operation": …, "kind": …, …}]}`, or what is wrong with it.

    Scopes (operation, family, method, path) are as in matching rules; without one a fault is for every request. A
    fault is met once unless it says `times`. An empty list is the plan without faults.
    """
    entries = value.get("faults") if isinstance(value, dict) and value.keys() == {"faults"} else None
    if not isinstance(entries, list):
        return _problem("faults", 'expected {"faults": [...]} and nothing beside it')
    found = list[PlannedFault]()
    for index, entry in enumerate(entries):
        try:
            found.append(_planned(entry))
        except FaultError as error:
            return _problem(f"faults[{index}]{'.' if error.field else ''}{error.field}", str(error))
    return FaultPlan(tuple(found))


def _planned(entry: Any) -> PlannedFault:
    if not isinstance(entry, dict):
        raise FaultError("", "a planned fault is not an object")
    scope = {name: entry[name] for name in ("method", "path", "operation", "family") if name in entry}
    for name, text in scope.items():
        if not isinstance(text, str) or not text:
            raise FaultError(name, f"{name!r} is {text!r:.80}", "Write a string")
    fault = {name: each for name, each in entry.items() if name not in scope}
    if "of" in fault:
        raise FaultError("of", "a plan cannot say what the upstream did", "Leave `of` out")
    try:
        return PlannedFault(read_fault(fault, times=1), Scope(**scope))
    except ConfigError as error:
        raise FaultError("path", str(error)) from error


def _problem(param: str, what: str) -> Problem:
    return Problem(f"{param}: {what}", param, "invalid_fault")
