"""The family of runs and their steps: known by name; its bodies are not checked."""

from __future__ import annotations

from replayproxy.core.catalog import Family, Operation
from replayproxy.openai_api.assistants import BETA

__all__ = ["FAMILY"]

_JSON = "application/json"
_ALL, _ONE = "/threads/{thread_id}/runs", "/threads/{thread_id}/runs/{run_id}"

FAMILY = Family(
    "runs",
    (
        Operation("createThreadAndRun", "POST", "/threads/runs", "runs", accepts=_JSON, beta=BETA),
        Operation("listRuns", "GET", _ALL, "runs", beta=BETA),
        Operation("createRun", "POST", _ALL, "runs", accepts=_JSON, beta=BETA),
        Operation("getRun", "GET", _ONE, "runs", beta=BETA),
        Operation("modifyRun", "POST", _ONE, "runs", accepts=_JSON, beta=BETA),
        Operation("cancelRun", "POST", f"{_ONE}/cancel", "runs", beta=BETA),
        Operation("listRunSteps", "GET", f"{_ONE}/steps", "runs", beta=BETA),
        Operation("getRunStep", "GET", f"{_ONE}/steps/{{step_id}}", "runs", beta=BETA),
        # The name is misspelt in the API's description, and so it stays.
        Operation("submitToolOuputsToRun", "POST", f"{_ONE}/submit_tool_outputs", "runs", accepts=_JSON, beta=BETA),
    ),
)
