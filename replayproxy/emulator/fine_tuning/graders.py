"""Trying out graders: one is run over a single sample, or looked at for being well-formed."""

from __future__ import annotations

from typing import Final

from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.evals.graders import Grade, grade
from replayproxy.emulator.evals.templates import sample_of
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json
from replayproxy.emulator.state import State

__all__ = ["GRADER_ROUTES"]

#: The errors of a grader's run, in the API's order, with what each is while there is none.
_ERRORS: Final[Json] = {
    "formula_parse_error": False,
    "sample_parse_error": False,
    "truncated_observation_error": False,
    "unresponsive_reward_error": False,
    "invalid_variable_error": False,
    "other_error": False,
    "python_grader_server_error": False,
    "python_grader_server_error_type": None,
    "python_grader_runtime_error": False,
    "python_grader_runtime_error_details": None,
    "model_grader_server_error": False,
    "model_grader_refusal_error": False,
    "model_grader_parse_error": False,
    "model_grader_server_error_details": None,
}


async def _run(state: State, asked: Asked) -> Answer:
    grader = asked.body["grader"]
    values = {"item": asked.body.get("item") or {}, "sample": sample_of(asked.body["model_sample"])}
    return _told(grader, await grade(state, grader, values))


def _told(grader: Json, found: Grade) -> Json:
    tokens = {model: _usage(used.prompt, used.completion) for model, used in found.usage.items()}
    return {
        "reward": found.score,
        "metadata": {
            "name": grader["name"],
            "type": grader["type"],
            "errors": _ERRORS | {"formula_parse_error": found.formula_error},
            "execution_time": 0.001,
            "scores": found.parts,
            "token_usage": sum(used["total_tokens"] for used in tokens.values()) if tokens else None,
            "sampled_model_name": next(iter(tokens), None),
        },
        "sub_rewards": found.parts,
        "model_grader_token_usage_per_model": tokens,
    }


def _usage(prompt: int, completion: int) -> Json:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _validate(_: State, asked: Asked) -> Answer:
    """The request was checked by its description before; what is left of it is well-formed."""
    return {"grader": asked.body["grader"]}


GRADER_ROUTES: Routes = (("runGrader", _run), ("validateGrader", _validate))
