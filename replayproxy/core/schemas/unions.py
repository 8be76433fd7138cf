"""Which branch of a union a wrong value was meant for: the one whose errors are worth telling.

Rules, each applied to the branches that the ones before it left:
1. A branch that only takes null says nothing. Unions inside a union count as its branches.
2. A branch takes the value's JSON type; when none does, that is the problem.
3. A field that lists its strings in every branch (`type`, `role`, `object`; others when all require it) decides among
   objects. It is the problem when it is missing, or says what no branch says.
4. A list of strings that all branches are is united. Beside a branch that takes any string it says nothing.
5. The fewest errors go first (a mark that says something else, or an object or a list where neither goes, counts as
   many), then those deepest in the value, then the order of the branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replayproxy.core import wording
from replayproxy.core.problem import Problem
from replayproxy.core.schemas.closing import parts
from replayproxy.core.schemas.nouns import listed, nouns, options
from replayproxy.core.schemas.places import UNKNOWN, Place, join, schema_of
from replayproxy.core.schemas.sentences import bad_choice, choices, wrong_kind

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

__all__ = ["UNIONS", "Branch", "best_branch", "branches_of"]

#: The keywords whose branches are alternatives.
UNIONS = ("anyOf", "oneOf")
_MARKS = ("type", "role", "object")
_LISTS = ("const", "enum")
#: What weighs more than other mistakes: a mark that says something else, and an object where a string goes.
_OTHER_MARK, _OTHER_SHAPE = 10, 20


@dataclass(frozen=True, slots=True)
class Branch:
    """One of a union's schemas, and what is wrong with the value by it."""

    schema: object
    errors: Sequence[ValidationError]


def branches_of(error: ValidationError, schema: Mapping[str, Any], document: object) -> list[Branch]:
    """The branches of the union of `schema` that `error` is about, those of unions inside it in their place."""
    found: list[Branch] = []
    for form, errors in zip(schema[error.kind.name], error.kind.value, strict=True):
        if len(errors) == 1 and _is_inner_union(errors[0], error):
            found += branches_of(errors[0], schema_of(errors[0], document), document)
        else:
            found.append(Branch(form, errors))
    return found


def best_branch(place: Place, branches: list[Branch], document: object) -> Branch | Problem:
    """The branch to explain `place` by, or what is wrong when it is the choice of the branch."""
    live = [each for each in branches if nouns(each.schema, document) != ["null"]] or branches
    fitting = [each for each in live if not any(_is_other_type(error, place) for error in each.errors)]
    if not fitting:
        return _no_type(place, live, document)
    if isinstance(place.value, dict):
        marked = _by_marks(place, fitting, document)
        if isinstance(marked, Problem):
            return marked
        fitting = marked
    else:
        fitting = [each for each in fitting if not _is_choice(each, place)]
        if not fitting:
            return _no_choice(place, live, document)
    return min(fitting, key=lambda each: (_strange(each, place, document), *_weight(each.errors, place.depth)))


def _strange(branch: Branch, place: Place, document: object) -> bool:
    """Whether the value is an object that has nothing of what the branch must have."""
    if not isinstance(place.value, dict):
        return False
    needed = {name for part in parts(branch.schema, document) for name in part.get("required", ())}
    return bool(place.value) and bool(needed) and needed.isdisjoint(place.value)


def _is_inner_union(inner: ValidationError, outer: ValidationError) -> bool:
    return inner.kind.name in UNIONS and inner.instance_path == outer.instance_path


def _is_here(error: ValidationError, place: Place) -> bool:
    return len(error.instance_path) == place.depth


def _is_other_type(error: ValidationError, place: Place) -> bool:
    """Whether `error` says that the value itself is of another type."""
    if not _is_here(error, place):
        return False
    if error.kind.name in _LISTS:
        return all(type(place.value) is not type(each) for each in choices(error.kind.as_dict()))
    return error.kind.name == "type"


def _no_type(place: Place, branches: Sequence[Branch], document: object) -> Problem:
    lists = [listed(each.schema, document) for each in branches]
    if all(each is not None for each in lists):
        return bad_choice(place.path, place.value, [each for values in lists for each in values or ()])
    kinds = [noun for each in branches for noun in nouns(each.schema, document)]
    return wrong_kind(place.path, place.value, list(dict.fromkeys(kinds)))


def _is_choice(branch: Branch, place: Place) -> bool:
    """Whether all that is wrong is that the value is none of a list."""
    return bool(branch.errors) and all(error.kind.name in _LISTS and _is_here(error, place) for error in branch.errors)


def _no_choice(place: Place, branches: Sequence[Branch], document: object) -> Problem:
    values = [each for branch in branches for each in listed(branch.schema, document) or ()]
    return bad_choice(place.path, place.value, values or _own_values(branches, document))


def _own_values(branches: Sequence[Branch], document: object) -> list[Any]:
    return [each for branch in branches for part in parts(branch.schema, document) for each in options(part) or ()]


def _by_marks(place: Place, branches: list[Branch], document: object) -> list[Branch] | Problem:
    """The branches that the marks of the value leave, or what is wrong with a mark."""
    used: set[str] = set()
    while len(branches) > 1:
        name = next((each for each in _marks(branches, document) if each not in used), None)
        if name is None:
            break
        used.add(name)
        lists = [_listed_field(each, name, document) or [] for each in branches]
        if all(each == lists[0] for each in lists):
            continue
        if name not in place.value:
            branches = [each for each in branches if not _requires(each, name, document)]
        else:
            branches = [each for each, values in zip(branches, lists, strict=True) if place.value[name] in values]
        if not branches:
            return _wrong_mark(place, name, [each for values in lists for each in values])
    return branches


def _wrong_mark(place: Place, name: str, values: list[Any]) -> Problem:
    path = join(place.path, name)
    return bad_choice(path, place.value[name], values) if name in place.value else wording.missing(path)


def _marks(branches: Sequence[Branch], document: object) -> Iterator[str]:
    """The fields that tell the branches from each other, those first that usually do."""
    fields = _fields(branches[0].schema, document)
    for name in sorted(fields, key=lambda each: _MARKS.index(each) if each in _MARKS else len(_MARKS)):
        everywhere = all(_listed_field(each, name, document) for each in branches)
        if everywhere and (name in _MARKS or all(_requires(each, name, document) for each in branches)):
            yield name


def _fields(schema: object, document: object) -> dict[str, Any]:
    return {name: form for part in parts(schema, document) for name, form in part.get("properties", {}).items()}


def _listed_field(branch: Branch, name: str, document: object) -> list[Any] | None:
    return listed(_fields(branch.schema, document).get(name), document)


def _requires(branch: Branch, name: str, document: object) -> bool:
    return any(name in part.get("required", ()) for part in parts(branch.schema, document))


def _weight(errors: Sequence[ValidationError], depth: int) -> tuple[int, int]:
    """How wrong a value, standing `depth` steps down, is by `errors`: one place counts once, deep ones go first."""
    places: dict[tuple[Any, ...], int] = {}
    for error in errors:
        missing = error.kind.as_dict()["property"] if error.kind.name == "required" else None
        place = (*error.instance_path, missing)
        places[place] = max(places.get(place, 0), _weight_of(error, depth))
    return sum(places.values()), -max((len(place) for place in places), default=0)


def _weight_of(error: ValidationError, depth: int) -> int:
    name, inside = error.kind.name, error.instance_path[depth:]
    if name in UNKNOWN:
        return len(error.kind.as_dict()["unexpected"])
    if name in UNIONS:
        return min(_weight(errors, len(error.instance_path))[0] for errors in error.kind.value)
    if len(inside) == 1 and inside[0] in _MARKS and name in (*_LISTS, "type"):
        return _OTHER_MARK
    return _OTHER_SHAPE if name == "type" and isinstance(error.instance, list | dict) and error.instance else 1
