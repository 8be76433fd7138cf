"""What replayproxy's own HAR says under `_replayproxy`, read back with doubt: anybody may have edited it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from replayproxy.core.cassette import Interaction
from replayproxy.core.fault_grammar import FaultError, read_delay, read_fault
from replayproxy.core.fields import from_base64, seconds
from replayproxy.core.messages import Chunk, Response, decode
from replayproxy.core.problem import Problem
from replayproxy.core.problem_form import get_problems
from replayproxy.core.yaml_emit import Unwritable, emit
from replayproxy.core.yaml_read import read_document
from replayproxy.errors import CassetteError

__all__ = ["Facts", "Unusable", "exact", "facts_of", "with_facts"]

#: The facts by name; None in a HAR that somebody else wrote.
Facts = dict[str, Any] | None


class Unusable(Exception):  # noqa: N818 - a verdict with its reason, not a failure
    """An entry is no interaction; the message says why."""


def facts_of(entry: dict[str, Any]) -> Facts:
    """The facts of an entry."""
    found = entry.get("_replayproxy")
    return found if isinstance(found, dict) else None


def exact(fields: Facts, name: str) -> str | None:
    """Text whose bytes stand as base64 under a name; None when they do not."""
    coded = (fields or {}).get(name)
    if coded is None:
        return None
    try:
        return decode(from_base64(coded, 0))
    except CassetteError as error:
        raise Unusable(f"its {name.strip('_')} is no base64") from error


def with_facts(interaction: Interaction, facts: Facts) -> Interaction:
    """An interaction with what the facts say; Unusable for what makes no sense."""
    if facts is None:
        return interaction
    try:
        return replace(
            interaction,
            response=_cut_up(interaction.response, facts.get("chunks")),
            recorded=_text(facts, "recorded"),
            operation=_text(facts, "operation"),
            family=_text(facts, "family"),
            first_byte=seconds(facts.get("first_byte", 0.0), "first_byte"),
            took=seconds(facts.get("took", 0.0), "took"),
            validator=facts.get("answered_by") == "validator",
            problems=_problems(facts.get("problems")),
            fault=read_fault(facts["fault"]) if "fault" in facts else None,
            delay=read_delay(facts["delay"]) if "delay" in facts else interaction.delay,
        )
    except (CassetteError, FaultError, Unwritable) as error:
        raise Unusable(f"what `_replayproxy` says makes no sense: {error}") from error


def _text(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def _cut_up(response: Response, chunks: Any) -> Response:
    """The answer in its chunks, when these are still those of its body."""
    if not isinstance(chunks, list) or not isinstance(response.body, bytes):
        return response
    found = list[Chunk]()
    for chunk in chunks:
        if not (isinstance(chunk, list) and len(chunk) == 2 and type(chunk[1]) is int and chunk[1] >= 0):
            return response
        found.append(Chunk(seconds(chunk[0], "chunks"), chunk[1]))
    fits = sum(chunk.size for chunk in found) == len(response.body)
    return replace(response, chunks=tuple(found)) if fits else response


def _problems(listed: Any) -> tuple[Problem, ...]:
    # As a cassette has them: whoever reads cassettes knows what a problem may say.
    return get_problems(read_document(emit({"problems": listed}))) if isinstance(listed, list) and listed else ()
