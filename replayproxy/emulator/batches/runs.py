"""Running the requests of a batch: each goes through the emulator as if it had come over the network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from replayproxy.core.envelope import error_body
from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Events, Raw, Told
from replayproxy.emulator.records import Json
from replayproxy.emulator.shelf import HEX, mint
from replayproxy.emulator.state import State

__all__ = ["Outcome", "run_lines"]

#: What of the caller's headers a request of the batch has, too.
_KEPT = ("authorization", "openai-organization", "openai-project", "openai-beta", "api-key")
_STREAM = Problem("Streaming is not supported in a batch.", "stream", "unsupported_value")


@dataclass(slots=True)
class Outcome:
    """What came of a batch's requests: the lines of its two files, and the tokens that were used."""

    output: list[Json] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("input", "output", "cached", "reasoning"), 0))

    def as_usage(self) -> Json:
        """The tokens in the form of a batch."""
        used = self.usage
        return {
            "input_tokens": used["input"],
            "input_tokens_details": {"cached_tokens": used["cached"]},
            "output_tokens": used["output"],
            "output_tokens_details": {"reasoning_tokens": used["reasoning"]},
            "total_tokens": used["input"] + used["output"],
        }


async def run_lines(state: State, batch_id: str, lines: Iterable[Json], headers: Headers) -> Outcome:
    """Run requests one after the other, with the credentials that `headers` bring."""
    outcome = Outcome()
    kept = ((name, value) for name, value in headers if name.lower() in _KEPT)
    own = Headers.of(*kept, ("content-type", "application/json"), ("x-replayproxy-batch", batch_id))
    for number, line in enumerate(lines):
        status, body = await _answered(state, line, own)
        told = {
            "id": mint("batch_req_", batch_id, number, length=32, digits=HEX),
            "custom_id": line["custom_id"],
            "response": {
                "status_code": status,
                "request_id": mint("", "request", batch_id, number, length=32, digits=HEX),
                "body": body,
            },
            "error": None,
        }
        (outcome.output if status < 400 else outcome.errors).append(told)
        _add_usage(outcome.usage, body)
    return outcome


async def _answered(state: State, line: Json, headers: Headers) -> tuple[int, Any]:
    """The status and the body of the answer to a line."""
    if line["body"].get("stream"):
        answer: Any = _STREAM
    else:
        answer = await state.dispatch(Request("POST", line["url"], headers, orjson.dumps(line["body"])))
    if isinstance(answer, Events):
        answer = _STREAM
    if isinstance(answer, Problem):
        return answer.status, orjson.loads(error_body(answer))
    if isinstance(answer, Raw):
        return answer.status, answer.content.decode("utf-8", "replace")
    return (answer.status, answer.json) if isinstance(answer, Told) else (200, answer)


def _add_usage(usage: dict[str, int], body: Any) -> None:
    """Adds the tokens of an answer, whichever family's words it counts them in."""
    given = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        return
    incoming = given.get("prompt_tokens_details") or given.get("input_tokens_details") or {}
    outgoing = given.get("completion_tokens_details") or given.get("output_tokens_details") or {}
    usage["input"] += given.get("prompt_tokens") or given.get("input_tokens") or 0
    usage["output"] += given.get("completion_tokens") or given.get("output_tokens") or 0
    usage["cached"] += incoming.get("cached_tokens") or 0
    usage["reasoning"] += outgoing.get("reasoning_tokens") or 0
