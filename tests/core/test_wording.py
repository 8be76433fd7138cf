"""The API's sentences that schemas add to those of the hand-written models."""

from __future__ import annotations

import pytest

from replayproxy.core import wording
from replayproxy.core.problem import Problem


@pytest.mark.parametrize(
    ("problem", "message", "code"),
    [
        (
            wording.out_of_bounds("temperature", ">=", 0, -1, "decimal"),
            "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
            "decimal_below_min_value",
        ),
        (
            wording.out_of_bounds("top_p", "<", 1.0, 1.5, "decimal"),
            "Invalid 'top_p': decimal above maximum value. Expected a value < 1, but got 1.5 instead.",
            "decimal_above_max_value",
        ),
        (
            wording.below_minimum("max_output_tokens", 16, 8),
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 8 instead.",
            "integer_below_min_value",
        ),
        (
            wording.above_maximum("n", 128, 10**20),
            f"Invalid 'n': integer above maximum value. Expected a value <= 128, but got {10**20} instead.",
            "integer_above_max_value",
        ),
        (
            wording.string_too_short("name", 1, 0),
            "Invalid 'name': empty string. Expected a string with minimum length 1, but got an empty string instead.",
            "empty_string",
        ),
        (
            wording.string_too_short("name", 3, 2),
            "Invalid 'name': string too short. Expected a string with minimum length 3, "
            "but got a string with length 2 instead.",
            "string_below_min_length",
        ),
        (
            wording.array_too_short("ids", 2, 1),
            "Invalid 'ids': array too short. Expected an array with minimum length 2, "
            "but got an array with length 1 instead.",
            "array_below_min_length",
        ),
        (
            wording.too_few_properties("rows", 1, 0),
            "Invalid 'rows': not enough properties. Expected an object with at least 1 properties, "
            "but got an object with 0 properties instead.",
            "object_below_min_properties",
        ),
        (
            wording.no_match("tools[0].function.name", "^[a-zA-Z0-9_-]+$"),
            "Invalid 'tools[0].function.name': string does not match pattern. "
            "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            "invalid_value",
        ),
        (wording.empty_content("content"), "Message content must be non-empty.", None),
        (
            wording.wrong_format("day", "date"),
            "Invalid 'day'. Expected a valid date, but got a value with an invalid format.",
            "invalid_value",
        ),
    ],
)
def test_a_limit_is_told_in_the_sentence_of_the_api(problem: Problem, message: str, code: str | None) -> None:
    """Kind of value, what is expected and what came, with the API's code."""
    assert (problem.message, problem.code) == (message, code)


@pytest.mark.parametrize(
    ("nouns", "phrase"),
    [
        (["string"], "a string"),
        (["integer"], "an integer"),
        (["array of objects"], "an array of objects"),
        (["string", "array of objects"], "one of a string or array of objects"),
        (["string", "integer", "object"], "one of a string, integer, or object"),
    ],
)
def test_kinds_are_told_with_one_article(nouns: list[str], phrase: str) -> None:
    """Only the first of several kinds has an article, as in the API's sentences."""
    assert wording.expected(nouns) == phrase


def test_a_body_of_the_wrong_kind_has_no_parameter() -> None:
    """What is wrong with the body as a whole is told of the body."""
    assert wording.invalid_body([1], "a string").message == "Invalid body: expected a string, but got an array instead."
    assert wording.unreadable("") == Problem("Invalid body: nested too deep.", None, "invalid_value")
    assert wording.unreadable("filter").param == "filter"


@pytest.mark.parametrize(
    ("name", "hint"), [("fileId", "file_id"), ("max_token", "max_tokens"), ("nothing_like_it", None), ("m" * 70, None)]
)
def test_a_near_miss_is_proposed(name: str, hint: str | None) -> None:
    """A known name within two edits, and none further off."""
    message = wording.unknown(name, name, ["file_id", "max_tokens", "m" * 69]).message
    assert message == f"Unknown parameter: '{name}'.{f' Did you mean {hint!r}?' if hint else ''}"
