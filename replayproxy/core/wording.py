"""The API's sentences about a wrong parameter, one function per sentence.

`path` is where the parameter stands, as the API spells it: `attachments[0].tools`. Sources: error bodies quoted in
public issue threads and recordings of the real API; what is inferred from the grammar of the others is marked so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from replayproxy.core.validation import Problem

__all__ = [
    "above_maximum",
    "array_too_long",
    "below_minimum",
    "empty_array",
    "empty_content",
    "invalid",
    "invalid_body",
    "key_too_long",
    "missing",
    "one_of",
    "string_too_long",
    "too_many_properties",
    "unknown",
    "unsupported_value",
    "wrong_id",
    "wrong_type",
    "wrong_url",
]

#: Names longer than this are never near misses; it bounds the work of comparing them.
_LONGEST_NEAR_MISS = 64


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


def one_of(supported: Sequence[str]) -> str:
    """What is expected where only `supported` strings go, to be given to `wrong_type`."""
    return f"one of {_listed(supported, 'or')}"


def string_too_long(path: str, limit: int, length: int) -> Problem:
    """A string has `length` characters where `limit` are allowed."""
    return Problem(
        f"Invalid '{path}': string too long. {_string_limit(limit, length)}", path, "string_above_max_length"
    )


def key_too_long(path: str, key: str, limit: int) -> Problem:
    """A key of the free-form object at `path` is too long; the code is inferred."""
    message = f"Invalid property name in '{path}': '{key}' is too long. {_string_limit(limit, len(key))}"
    return Problem(message, f"{path}.{key}", "string_above_max_length")


def too_many_properties(path: str, limit: int, count: int) -> Problem:
    """A free-form object has too many keys."""
    message = (
        f"Invalid '{path}': too many properties. Expected an object with at most {limit} properties, "
        f"but got an object with {count} properties instead."
    )
    return Problem(message, path, "object_above_max_properties")


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


def empty_content(path: str) -> Problem:
    """A message says nothing: the one sentence of the validator that has no code."""
    return Problem("Message content must be non-empty.", path, None)


def below_minimum(path: str, limit: int, value: int) -> Problem:
    """An integer is smaller than `limit`."""
    message = f"Invalid '{path}': integer below minimum value. Expected a value >= {limit}, but got {value} instead."
    return Problem(message, path, "integer_below_min_value")


def above_maximum(path: str, limit: int, value: int) -> Problem:
    """An integer is larger than `limit`."""
    message = f"Invalid '{path}': integer above maximum value. Expected a value <= {limit}, but got {value} instead."
    return Problem(message, path, "integer_above_max_value")


def wrong_url(path: str) -> Problem:
    """A string is no http or https URL (a data URI is none)."""
    message = f"Invalid '{path}'. Expected a valid URL, but got a value with an invalid format."
    return Problem(message, path, "invalid_value")


def wrong_id(name: str, value: str, prefix: str) -> Problem:
    """An id in the path is of another kind of object, or is no id at all."""
    return Problem(f"Invalid '{name}': '{value}'. Expected an ID that begins with '{prefix}'.", name, "invalid_value")


def invalid_body(value: object) -> Problem:
    """The body is JSON, but no object (inferred)."""
    return Problem(f"Invalid body: expected an object, but got {_kind(value)} instead.", None, "invalid_type")


def invalid(path: str) -> Problem:
    """Something is wrong that no other sentence covers (inferred)."""
    return Problem(f"Invalid '{path}'.", path, "invalid_value")


def _string_limit(limit: int, length: int) -> str:
    return f"Expected a string with maximum length {limit}, but got a string with length {length} instead."


def _listed(values: Sequence[str], conjunction: str) -> str:
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return f" {conjunction} ".join(quoted)
    return f"{', '.join(quoted[:-1])}, {conjunction} {quoted[-1]}"


def _kind(value: object) -> str:
    """What a parsed JSON value is called in a sentence."""
    if value is None:
        return "null"
    kinds = ((bool, "a boolean"), (int, "an integer"), (float, "a decimal"), (str, "a string"), (list, "an array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "an object")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    if len(name) > _LONGEST_NEAR_MISS:
        return None
    distance, nearest = min(((_edits(name, other), other) for other in known), default=(3, ""))
    return nearest if distance <= min(2, len(name) // 2) else None


def _edits(one: str, other: str) -> int:
    """The Levenshtein distance of two short strings."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        above, row = row, [i]
        for j, right in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (left != right)))
    return row[-1]
