"""A validator's errors as the API's one problem: the first in order, a union's told by its best branch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.core.schemas.places import UNKNOWN, Place, place_of
from replayproxy.core.schemas.sentences import SENTENCES
from replayproxy.core.schemas.unions import UNIONS, best_branch, branches_of

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

__all__ = ["Explanation"]

_NO_PATH = re.compile(r"^(Invalid(?: type for)?) ''")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Explains errors of `value`, which stands `within`, by the schema `document`.

    `unknown_only`: the value is right but for fields that are not known, so that only these are told.
    """

    document: Mapping[str, Any] | bool
    value: object
    within: str = ""
    unknown_only: bool = False

    def first(self, errors: Iterable[ValidationError]) -> Problem:
        """The first problem that `errors` (one or more) tell of."""
        told = list(errors)
        if self.unknown_only:
            told = [error for error in told if _is_unknown(error)] or told
        placed = [(place_of(error, self.document, self.value, self.within), error) for error in told]
        place, error = min(placed, key=lambda each: each[0].order)
        problem = self._union(place, error) if error.kind.name in UNIONS else self._single(place, error)
        return problem if problem.param else _of_body(problem)

    def _single(self, place: Place, error: ValidationError) -> Problem:
        sentence = SENTENCES.get(error.kind.name)
        return sentence(place, error.kind.as_dict(), self.document) if sentence else wording.invalid(place.path)

    def _union(self, place: Place, error: ValidationError) -> Problem:
        branches = branches_of(error, place.schema, self.document)
        if self.unknown_only:
            branches = [each for each in branches if all(map(_is_unknown, each.errors))] or branches
        outcome = best_branch(place, branches, self.document)
        if isinstance(outcome, Problem):
            return outcome
        return self.first(outcome.errors) if outcome.errors else wording.invalid(place.path)


def _of_body(problem: Problem) -> Problem:
    """A problem of the path "" as one of the body, which is no parameter."""
    return replace(problem, message=_NO_PATH.sub(r"\1 body", problem.message), param=None)


def _is_unknown(error: ValidationError) -> bool:
    """Whether `error` is about fields that are not known and nothing else."""
    if error.kind.name in UNIONS:
        return any(all(map(_is_unknown, branch)) for branch in error.kind.value)
    return error.kind.name in UNKNOWN
