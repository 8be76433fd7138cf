"""The API's sentences about a wrong parameter, one function per sentence.

`path` is where the parameter stands, as the API spells it: `attachments[0].tools`. Sources: error bodies quoted in
public issue threads and recordings of the real API; what is inferred from the grammar of the others is marked so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from replayproxy.core.problem import Problem

__all__ = [
    "Bound",
    "above_maximum",
    "array_too_long",
    "array_too_short",
    "below_minimum",
    "empty_array",
    "empty_content",
    "expected",
    "invalid",
    "invalid_body",
    "key_too_long",
    "missing",
    "no_match",
    "one_of",
    "out_of_bounds",
    "string_too_long",
    "string_too_short",
    "too_few_properties",
    "too_many_properties",
    "unknown",
    "unreadable",
    "unsupported_value",
    "wrong_format",
    "wrong_id",
    "wrong_type",
    "wrong_url",
]

#: How a number is bounded, in the sign that a sentence says it with.
Bound = Literal[">=", ">", "<=", "<"]

#: Names longer than this are never near misses; it bounds the work of comparing them.
_LONGEST_NEAR_MISS = 64
_MOST_EDITS = 2


def missing(path: str) -> Problem:
    """A required parameter is not there."""
    return Problem(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def unknown(path: str, name: str, known: Iterable[str]) -> Problem:
    """There is no parameter called `name` among `known`; one within two edits is proposed.

    Two edits is inferred from real answers: `stop` is met with `store`, `fileId` with `file_id`, and `max_tokens` is
    not met with `max_output_tokens`.
    """
    nearest = _nearest(name, known)
    hint = f" Did you mean '{nearest}'?" if nearest else ""
    return Problem(f"Unknown parameter: '{path}'.{hint}", path, "unknown_parameter")


def wrong_type(path: str, expected: str, value: object) -> Problem:
    """`value` is not `expected` ("a string", "an array of objects")."""
    message = f"Invalid type for '{path}': expected {expected}, but got {_kind(value)} instead."
    return Problem(message, path, "invalid_type")


def unsupported_value(path: str, value: str, supported: Sequence[str]) -> Problem:
    """`value` is none of those that the API takes."""
    return Problem(
        f"Invalid value: '{value}'. Supported values are: {_listed(supported, 'and')}.", path, "invalid_value"
    )


def expected(nouns: Sequence[str]) -> str:
    """What is expected where values of several kinds go: `a string`, `one of a string or array of objects`."""
    article = "" if nouns[0] == "null" else "an " if nouns[0][0] in "aeio" else "a "
    first = f"{article}{nouns[0]}"
    return first if len(nouns) == 1 else f"one of {_enumerated((first, *nouns[1:]), 'or')}"


def one_of(supported: Sequence[str]) -> str:
    """What is expected where only `supported` strings go, to be given to `wrong_type`."""
    return f"one of {_listed(supported, 'or')}"


def string_too_long(path: str, limit: int, length: int) -> Problem:
    """A string has `length` characters where `limit` are allowed."""
    return Problem(
        f"Invalid '{path}': string too long. {_string_limit(limit, length)}", path, "string_above_max_length"
    )


def string_too_short(path: str, limit: int, length: int) -> Problem:
    """A string has `length` characters where `limit` are needed; inferred but for the empty string."""
    if not length:
        message = f"Invalid '{path}': empty string. Expected a string with minimum length {limit}, but got an empty "
        return Problem(f"{message}string instead.", path, "empty_string")
    message = (
        f"Invalid '{path}': string too short. Expected a string with minimum length {limit}, "
        f"but got a string with length {length} instead."
    )
    return Problem(message, path, "string_below_min_length")


def key_too_long(path: str, key: str, limit: int) -> Problem:
    """A key of the free-form object at `path`, "" being the body, is too long; the code is inferred."""
    what, param = (f"'{path}'", f"{path}.{key}") if path else ("body", key)
    message = f"Invalid property name in {what}: '{key}' is too long. {_string_limit(limit, len(key))}"
    return Problem(message, param, "string_above_max_length")


def too_many_properties(path: str, limit: int, count: int) -> Problem:
    """A free-form object has too many keys."""
    message = (
        f"Invalid '{path}': too many properties. Expected an object with at most {limit} properties, "
        f"but got an object with {count} properties instead."
    )
    return Problem(message, path, "object_above_max_properties")


def too_few_properties(path: str, limit: int, count: int) -> Problem:
    """A free-form object has too few keys (inferred)."""
    message = (
        f"Invalid '{path}': not enough properties. Expected an object with at least {limit} properties, "
        f"but got an object with {count} properties instead."
    )
    return Problem(message, path, "object_below_min_properties")


def array_too_long(path: str, limit: int, length: int) -> Problem:
    """An array has too many items."""
    message = (
        f"Invalid '{path}': array too long. Expected an array with maximum length {limit}, "
        f"but got an array with length {length} instead."
    )
    return Problem(message, path, "array_above_max_length")


def empty_array(path: str) -> Problem:
    """An array that must have an item has none."""
    message = f"Invalid '{path}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    return Problem(message, path, "empty_array")


def array_too_short(path: str, limit: int, length: int) -> Problem:
    """An array has too few items (inferred)."""
    message = (
        f"Invalid '{path}': array too short. Expected an array with minimum length {limit}, "
        f"but got an array with length {length} instead."
    )
    return Problem(message, path, "array_below_min_length")


def empty_content(path: str) -> Problem:
    """A message says nothing: the one sentence of the validator that has no code."""
    return Problem("Message content must be non-empty.", path, None)


def below_minimum(path: str, limit: int, value: int) -> Problem:
    """An integer is smaller than `limit`."""
    return out_of_bounds(path, ">=", limit, value)


def above_maximum(path: str, limit: int, value: int) -> Problem:
    """An integer is larger than `limit`."""
    return out_of_bounds(path, "<=", limit, value)


def out_of_bounds(path: str, bound: Bound, limit: float, value: float, kind: str = "integer") -> Problem:
    """A number, of the `kind` "integer" or "decimal", is not `bound` the limit; `>` and `<` are inferred."""
    side, code = ("below minimum", "below_min") if ">" in bound else ("above maximum", "above_max")
    message = (
        f"Invalid '{path}': {kind} {side} value. "
        f"Expected a value {bound} {_number(limit)}, but got {_number(value)} instead."
    )
    return Problem(message, path, f"{kind}_{code}_value")


def wrong_url(path: str) -> Problem:
    """A string is no http or https URL (a data URI is none)."""
    message = f"Invalid '{path}'. Expected a valid URL, but got a value with an invalid format."
    return Problem(message, path, "invalid_value")


def wrong_format(path: str, name: str) -> Problem:
    """A string is no `name` ("date", "email"); inferred from the sentence about URLs."""
    message = f"Invalid '{path}'. Expected a valid {name}, but got a value with an invalid format."
    return Problem(message, path, "invalid_value")


def no_match(path: str, pattern: str) -> Problem:
    """A string is not in the form that `pattern`, a regular expression, tells."""
    message = (
        f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '{pattern}'."
    )
    return Problem(message, path, "invalid_value")


def wrong_id(name: str, value: str, prefix: str) -> Problem:
    """An id in the path is of another kind of object, or is no id at all."""
    return Problem(f"Invalid '{name}': '{value}'. Expected an ID that begins with '{prefix}'.", name, "invalid_value")


def invalid_body(value: object, expected: str = "an object") -> Problem:
    """The body is JSON, but not what is `expected` (inferred)."""
    return Problem(f"Invalid body: expected {expected}, but got {_kind(value)} instead.", None, "invalid_type")


def invalid(path: str) -> Problem:
    """Something is wrong that no other sentence covers (inferred)."""
    return Problem(f"Invalid '{path}'.", path, "invalid_value")


def unreadable(path: str) -> Problem:
    """A value, "" being the body, is nested too deep to be looked at (inferred)."""
    what = f"'{path}'" if path else "body"
    return Problem(f"Invalid {what}: nested too deep.", path or None, "invalid_value")


def _string_limit(limit: int, length: int) -> str:
    return f"Expected a string with maximum length {limit}, but got a string with length {length} instead."


def _listed(values: Sequence[str], conjunction: str) -> str:
    return _enumerated([f"'{value}'" for value in values], conjunction)


def _enumerated(words: Sequence[str], conjunction: str) -> str:
    if len(words) < 3:
        return f" {conjunction} ".join(words)
    return f"{', '.join(words[:-1])}, {conjunction} {words[-1]}"


def _number(value: float) -> str:
    """A number as JSON has it, a whole one without its `.0`."""
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else str(value)


def _kind(value: object) -> str:
    """What a parsed JSON value is called in a sentence."""
    if value is None:
        return "null"
    kinds = ((bool, "a boolean"), (int, "an integer"), (float, "a decimal"), (str, "a string"), (list, "an array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "an object")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    if len(name) > _LONGEST_NEAR_MISS:
        return None
    close = (other for other in known if abs(len(other) - len(name)) <= _MOST_EDITS)
    distance, nearest = min(((_edits(name, other), other) for other in close), default=(_MOST_EDITS + 1, ""))
    return nearest if distance <= min(_MOST_EDITS, len(name) // 2) else None


def _edits(one: str, other: str) -> int:
    """The Levenshtein distance of two short strings."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        above, row = row, [i]
        for j, right in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (left != right)))
    return row[-1]
