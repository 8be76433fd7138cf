"""Plans of faults: read from JSON, and met by requests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from replayproxy.core.fault_kinds import Fault
from replayproxy.core.faults import FaultPlan, PlannedFault, PlanUnderWay, parse_faults
from replayproxy.core.problem import Problem
from replayproxy.core.rules import Scope
from replayproxy.core.tally import OwnTally
from replayproxy.openai_api import catalog
from tests.builders import request

RUN = request("POST", "/v1/threads/t/runs")
POLL = request("GET", "/v1/threads/t/runs/r")


def test_a_plan_from_json() -> None:
    """Who meets it, how it fails and how often: once unless it says more."""
    plan = parse_faults(
        {
            "faults": [
                {"operation": "createRun", "kind": "status", "status": 503, "retry_after": 0.5, "times": 2},
                {"method": "GET", "path": "/v1/threads/*/runs/*", "kind": "truncate", "after_events": 3},
                {"kind": "timeout", "for": 2, "times": "always"},
                {"kind": "reset"},
            ]
        }
    )
    assert plan == FaultPlan(
        (
            PlannedFault(Fault("status", status=503, retry_after=0.5, times=2), Scope(operation="createRun")),
            PlannedFault(Fault("truncate", after_events=3, times=1), Scope("GET", "/v1/threads/*/runs/*")),
            PlannedFault(Fault("timeout", lasts=2.0)),
            PlannedFault(Fault("reset", times=1)),
        )
    )
    assert parse_faults({"faults": []}) == FaultPlan()


@pytest.mark.parametrize(
    ("value", "param", "what"),
    [
        (None, "faults", 'expected {"faults": [...]}'),
        ([], "faults", "expected"),
        ({"faults": {}}, "faults", "expected"),
        ({"faults": [], "more": 1}, "faults", "nothing beside it"),
        ({"faults": ["reset"]}, "faults[0]", "not an object"),
        ({"faults": [{"kind": "reset"}, {}]}, "faults[1].kind", "'kind' is None"),
        ({"faults": [{"kind": ["reset"]}]}, "faults[0].kind", "Write one of"),
        ({"faults": [{"kind": "status", "status": "503"}]}, "faults[0].status", "from 400 to 599"),
        ({"faults": [{"kind": "reset", "times": True}]}, "faults[0].times", "from 1"),
        ({"faults": [{"kind": "reset", "of": "upstream"}]}, "faults[0].of", "Leave `of` out"),
        ({"faults": [{"kind": "reset", "path": "x"}]}, "faults[0].path", "begins with a slash"),
        ({"faults": [{"kind": "reset", "method": ""}]}, "faults[0].method", "Write a string"),
        ({"faults": [{"kind": "reset", "operation": 5}]}, "faults[0].operation", "Write a string"),
        ({"faults": [{"kind": "reset", "opration": "x"}]}, "faults[0].opration", "no field 'opration'"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(value: Any, param: str, what: str) -> None:
    """As a problem with the path of the field."""
    problem = parse_faults(value)
    assert isinstance(problem, Problem)
    assert (problem.param, problem.code, problem.status) == (param, "invalid_fault", 400)
    assert what in problem.message
    assert problem.message.startswith(f"{param}: ")


def test_a_fault_is_met_as_often_as_planned() -> None:
    """The first that is left for a request; then the next, then none."""
    first, second = Fault("reset", times=2), Fault("status", status=500, times=1)
    plan = PlanUnderWay(
        FaultPlan((PlannedFault(first, Scope(operation="createRun")), PlannedFault(second))), OwnTally(), 1
    )
    assert [plan.strike(RUN, catalog().operation("createRun")) for _ in range(4)] == [first, first, second, None]
    assert plan.met == [2, 1]


def test_a_fault_is_for_the_requests_of_its_scope() -> None:
    """By operation, by method and path; always when it says so."""
    polled = PlannedFault(Fault("reset"), Scope("GET", "/v1/threads/*/runs/*"))
    plan = PlanUnderWay(
        FaultPlan((polled, PlannedFault(Fault("timeout"), Scope(operation="createThread")))), OwnTally(), 1
    )
    assert plan.strike(RUN, catalog().operation("createRun")) is None
    assert [plan.strike(POLL, catalog().operation("getRun")) for _ in range(3)] == [polled.fault] * 3
    assert plan.strike(RUN, catalog().operation("createThread")) == Fault("timeout")


def test_a_fault_is_for_a_family() -> None:
    """Whichever of its operations is asked for."""
    plan = parse_faults({"faults": [{"family": "runs", "kind": "reset", "times": "always"}]})
    assert isinstance(plan, FaultPlan)
    under_way = PlanUnderWay(plan, OwnTally(), 1)
    assert under_way.strike(RUN, catalog().operation("createThread")) is None
    assert under_way.strike(RUN, None) is None
    assert under_way.strike(RUN, catalog().operation("createRun")) == plan.faults[0].fault


def test_the_plan_of_the_documentation_is_one() -> None:
    """What docs/faults.md shows can be read."""
    text = Path(__file__).parents[2].joinpath("docs", "faults.md").read_text("utf-8")
    plan = parse_faults(json.loads(text.partition("```json\n")[2].partition("```")[0]))
    assert isinstance(plan, FaultPlan)
    assert [str(planned.fault) for planned in plan.faults] == ["status 503", "truncate after 3 events"]


def test_a_fault_that_others_met_meanwhile_is_met_no_more_often() -> None:
    """Whoever serves the same session may be quicker: then it is looked at again."""

    @dataclass
    class Contended:
        value: int = 0

        def claim(self, place: int) -> bool:
            self.value += 1  # somebody else's
            return False

        def add(self) -> int:
            raise NotImplementedError

        def count(self) -> None:
            raise NotImplementedError

    class Shared(OwnTally):
        def named(self, name: str) -> Any:
            return Contended()

    plan = PlanUnderWay(FaultPlan((PlannedFault(Fault("reset", times=2)),)), Shared(), 1)
    assert plan.strike(RUN, None) is None
    assert plan.met == [2]
