"""Graders: how good an answer is.

Strings and similarities are computed; graders that are models ask the brain, and take the top of their range (or the
first passing label) where its reply names none. Python is never run: such a grader passes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from replayproxy.emulator.brain.turns import Turn, Usage
from replayproxy.emulator.evals.formula import computed
from replayproxy.emulator.evals.similarity import similarity
from replayproxy.emulator.evals.templates import rendered, rendered_messages
from replayproxy.emulator.records import Json
from replayproxy.emulator.state import State

__all__ = ["Grade", "grade"]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grader says; `parts` are the scores of the graders in it, by name, `usage` what each model used."""

    score: float
    passed: bool
    parts: dict[str, float] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)
    formula_error: bool = False


async def grade(state: State, grader: Json, values: Json) -> Grade:
    """What a grader says to `values`: the `item`, and the `sample` that is graded."""
    kind = grader["type"]
    if kind == "string_check":
        return _check(grader, values)
    if kind == "text_similarity":
        score = similarity(
            grader["evaluation_metric"], rendered(grader["input"], values), rendered(grader["reference"], values)
        )
        return Grade(score, score >= grader.get("pass_threshold", 0.5))
    if kind == "score_model":
        return await _scored(state, grader, values)
    if kind == "label_model":
        return await _labelled(state, grader, values)
    if kind == "multi":
        return await _several(state, grader, values)
    return Grade(1.0, passed=True)


def _check(grader: Json, values: Json) -> Grade:
    text, reference = rendered(grader["input"], values), rendered(grader["reference"], values)
    passed = {
        "eq": text == reference,
        "ne": text != reference,
        "like": reference in text,
        "ilike": reference.lower() in text.lower(),
    }[grader["operation"]]
    return Grade(float(passed), passed)


async def _asked(state: State, grader: Json, values: Json) -> tuple[str, dict[str, Usage]]:
    messages = tuple(rendered_messages(grader["input"], values))
    reply = await state.brain.reply(Turn(grader["model"], messages, family="evals"))
    return reply.text, {grader["model"]: reply.usage}


async def _scored(state: State, grader: Json, values: Json) -> Grade:
    given: list[float] = grader.get("range") or []
    low, high = (given[0], given[1]) if len(given) > 1 else (0.0, 1.0)
    text, usage = await _asked(state, grader, values)
    number = _NUMBER.search(text)
    score = min(max(float(number.group()), low), high) if number else float(high)
    return Grade(score, score >= grader.get("pass_threshold", (low + high) / 2), usage=usage)


async def _labelled(state: State, grader: Json, values: Json) -> Grade:
    text, usage = await _asked(state, grader, values)
    passing = grader["passing_labels"]
    label = next((each for each in grader["labels"] if each.lower() == text.strip().lower()), None)
    passed = label in passing if label is not None else bool(passing)
    return Grade(float(passed), passed, usage=usage)


async def _several(state: State, grader: Json, values: Json) -> Grade:
    inner: Any = grader["graders"]
    named = {inner["name"]: inner} if isinstance(inner.get("type"), str) else inner
    grades = {name: await grade(state, each, values) for name, each in named.items()}
    parts = {name: each.score for name, each in grades.items()}
    score = computed(grader["calculate_output"], parts)
    usage = {model: used for each in grades.values() for model, used in each.usage.items()}
    total = 0.0 if score is None else score
    return Grade(total, total >= 0.5, parts, usage, formula_error=score is None)
