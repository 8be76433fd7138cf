"""JSON Schemas told as the API tells them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import replayproxy
from replayproxy.core.problem import Problem
from replayproxy.core.schemas import Schema
from replayproxy.core.schemas.sentences import wrong_kind
from replayproxy.errors import ConfigError
from tests.schema_values import examples, mutations

CATALOG = Path(replayproxy.__file__).parent / "openai_api" / "catalog.json"


def field(form: Any, **definitions: Any) -> Schema:
    """A body with the one field `a`."""
    return Schema({"type": "object", "properties": {"a": form}}, definitions)


def kind(name: str, **fields: Any) -> dict[str, Any]:
    """An object told from others by its `type`."""
    return {"type": "object", "required": ["type"], "properties": {"type": {"enum": [name]}, **fields}}


def union(*branches: Any) -> dict[str, Any]:
    """Any of the branches."""
    return {"anyOf": list(branches)}


TEXT, NULL = {"type": "string"}, {"type": "null"}
PARTS = union(kind("text", text=TEXT), kind("image", url={"type": "string", "format": "uri"}, detail={"enum": ["low"]}))
MESSAGE = union(
    {"type": "object", "required": ["role"], "properties": {"role": {"enum": ["user"]}, "content": TEXT}},
    {
        "type": "object",
        "required": ["role", "type"],
        "properties": {"role": {"enum": ["assistant"]}, "type": {"const": "message"}, "content": {"type": "array"}},
    },
)


@pytest.mark.parametrize(
    ("form", "value", "message"),
    [
        ({"type": "integer"}, "7", "Invalid type for 'a': expected an integer, but got a string instead."),
        ({"type": "integer"}, 1.5, "Invalid type for 'a': expected an integer, but got a decimal instead."),
        ({"type": "number"}, None, "Invalid type for 'a': expected a decimal, but got null instead."),
        ({"type": ["string", "null"]}, 1, "Invalid type for 'a': expected a string, but got an integer instead."),
        (NULL, 1, "Invalid type for 'a': expected null, but got an integer instead."),
        (
            {"type": "array", "items": kind("x")},
            {},
            "Invalid type for 'a': expected an array of objects, but got an object instead.",
        ),
        (
            {"type": "array", "items": {"type": "number"}},
            1,
            "Invalid type for 'a': expected an array of decimals, but got an integer instead.",
        ),
        ({"type": "array"}, True, "Invalid type for 'a': expected an array, but got a boolean instead."),
        ({"enum": ["x", "y", "z", None]}, "w", "Invalid value: 'w'. Supported values are: 'x', 'y', and 'z'."),
        (
            {"type": "string", "enum": ["x", "y"]},
            1,
            "Invalid type for 'a': expected one of 'x' or 'y', but got an integer instead.",
        ),
        ({"const": True}, False, "Invalid value: 'false'. Supported values are: 'true'."),
        ({"const": None}, 1, "Invalid type for 'a': expected null, but got an integer instead."),
        ({"maximum": 2}, 3, "Invalid 'a': integer above maximum value. Expected a value <= 2, but got 3 instead."),
        (
            {"type": "number", "minimum": 0},
            -1,
            "Invalid 'a': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
        ),
        (
            {"type": "integer", "exclusiveMinimum": 0},
            0,
            "Invalid 'a': integer below minimum value. Expected a value > 0, but got 0 instead.",
        ),
        (
            {"minItems": 1},
            [],
            "Invalid 'a': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        ),
        (
            {"minItems": 2},
            [],
            "Invalid 'a': array too short. Expected an array with minimum length 2, "
            "but got an array with length 0 instead.",
        ),
        (
            {"maxProperties": 1},
            {"x": 1, "y": 2},
            "Invalid 'a': too many properties. Expected an object with at most 1 properties, "
            "but got an object with 2 properties instead.",
        ),
        (
            {"format": "uri"},
            "no url",
            "Invalid 'a'. Expected a valid URL, but got a value with an invalid format.",
        ),
        (
            {"format": "date"},
            "x",
            "Invalid 'a'. Expected a valid date, but got a value with an invalid format.",
        ),
        (
            {"pattern": "^b"},
            "x",
            "Invalid 'a': string does not match pattern. Expected a string that matches the pattern '^b'.",
        ),
        (
            {"propertyNames": {"maxLength": 2}},
            {"xyz": 1},
            "Invalid property name in 'a': 'xyz' is too long. Expected a string with maximum length 2, "
            "but got a string with length 3 instead.",
        ),
        ({"propertyNames": {"pattern": "^x"}}, {"y": 1}, "Invalid 'a.y'."),
        ({"not": {"required": ["x"]}}, {"x": 1}, "Invalid 'a'."),
        ({"oneOf": [{}, {}]}, 1, "Invalid 'a'."),
        (union({"not": {}}), 1, "Invalid 'a'."),
        (False, 1, "Unknown parameter: 'a'."),
        ({"additionalProperties": False}, {"x": 1}, "Unknown parameter: 'a.x'."),
        ({"required": ["x"]}, {}, "Missing required parameter: 'a.x'."),
    ],
)
def test_a_keyword_has_its_sentence(form: Any, value: Any, message: str) -> None:
    """What is wrong with one value is told in the API's sentence for it."""
    problem = field(form).request_problem({"a": value})
    assert problem is not None
    assert (problem.message, problem.warning) == (message, False)


@pytest.mark.parametrize(
    ("form", "value", "param", "message"),
    [
        (
            union(TEXT, {"type": "array", "items": PARTS}, NULL),
            1,
            "a",
            "Invalid type for 'a': expected one of a string or array of objects, but got an integer instead.",
        ),
        (
            {"type": "array", "items": PARTS},
            [{"type": "sound"}],
            "a[0].type",
            "Invalid value: 'sound'. Supported values are: 'text' and 'image'.",
        ),
        (PARTS, {"text": "x"}, "a.type", "Missing required parameter: 'a.type'."),
        (
            PARTS,
            {"type": 1},
            "a.type",
            "Invalid type for 'a.type': expected one of 'text' or 'image', but got an integer instead.",
        ),
        (
            union(PARTS, NULL),
            {"type": "image", "url": "x"},
            "a.url",
            "Invalid 'a.url'. Expected a valid URL, but got a value with an invalid format.",
        ),
        (
            union(PARTS, kind("image", detail={"enum": ["high"]}, size={"type": "integer"})),
            {"type": "image", "url": "https://x", "detail": "high", "size": "x"},
            "a.detail",
            "Invalid value: 'high'. Supported values are: 'low'.",
        ),
        (MESSAGE, {"role": "user", "content": 1}, "a.content", None),
        (MESSAGE, {"role": "human"}, "a.role", "Invalid value: 'human'. Supported values are: 'user' and 'assistant'."),
        (MESSAGE, {}, "a.role", "Missing required parameter: 'a.role'."),
        (union({"enum": ["x"]}, {"enum": ["y"]}), "z", "a", "Invalid value: 'z'. Supported values are: 'x' and 'y'."),
        (
            union({"enum": ["x"]}, {"const": "y"}),
            1,
            "a",
            "Invalid type for 'a': expected one of 'x' or 'y', but got an integer instead.",
        ),
        (union({"enum": ["x"]}, {"type": "string", "minLength": 2}), "z", "a", None),
        (union({"enum": [1]}, {"enum": [2]}), 3, "a", "Invalid value: '3'. Supported values are: '1' and '2'."),
        (
            union({"type": "array", "items": TEXT}, {"type": "array", "items": PARTS}),
            [{"type": "sound"}],
            "a[0].type",
            None,
        ),
        (
            union({"properties": {"x": TEXT, "y": TEXT}}, {"properties": {"x": TEXT}, "required": ["z"]}),
            {"x": 1},
            "a.x",
            None,
        ),
        (
            union(kind("x"), {"type": "object", "properties": {"id": TEXT}}),
            {"type": "y", "id": 1},
            "a.id",
            "Invalid type for 'a.id': expected a string, but got an integer instead.",
        ),
        (
            union(kind("x", same={"const": "s"}, n=TEXT), kind("x", same={"const": "s"}, n=NULL)),
            {"type": "x", "same": "s", "n": 1},
            "a.n",
            None,
        ),
        (
            union(kind("x"), {"properties": {"type": union({"enum": ["y"]}, NULL), "n": TEXT}}),
            {"type": None, "n": 1},
            "a.n",
            None,
        ),
        (
            union({"type": "object", "properties": {"type": {"enum": ["x"]}, "n": TEXT}}, kind("y")),
            {"n": 1},
            "a.n",
            None,
        ),
    ],
)
def test_a_union_has_one_problem(form: Any, value: Any, param: str, message: str | None) -> None:
    """It is that of the branch that was meant."""
    problem = field(form).request_problem({"a": value})
    assert problem is not None
    assert problem.param == param
    assert message is None or problem.message == message


def test_problems_are_told_in_declared_order() -> None:
    """A missing field where it is declared, each field with all that is inside it, the object's own limits first."""
    schema = Schema(
        {
            "type": "object",
            "maxProperties": 4,
            "required": ["c", "b"],
            "properties": {
                "a": {"type": "object", "properties": {"x": {"type": "array", "items": TEXT}}},
                "b": TEXT,
                "c": TEXT,
            },
        },
        {},
    )
    bodies: list[tuple[Any, str | None]] = [
        ({"c": 1, "a": {"x": ["", 2, 3]}, "b": 1}, "a.x[1]"),
        ({"c": 1, "a": {}}, "b"),
        ({"b": ""}, "c"),
        ({str(number): 1 for number in range(5)}, None),
    ]
    found = [schema.request_problem(body) for body, _ in bodies]
    assert [problem and problem.param for problem in found] == [param for _, param in bodies]


def test_an_unknown_field_is_a_warning_until_the_api_is_frozen() -> None:
    """Real errors go before it, unless it is refused: then it goes first in its object."""
    schema = field({"type": "object", "properties": {"file_id": TEXT}})
    lone = {"a": {"fileId": "", "other": 1}}
    both = {"zz": 1, "a": {"file_id": 1, "b": 1}}
    hint = "Unknown parameter: 'a.fileId'. Did you mean 'file_id'?"
    assert schema.request_problem(lone) == Problem(hint, "a.fileId", "unknown_parameter", warning=True)
    assert schema.request_problem(lone, frozen=True) == Problem(hint, "a.fileId", "unknown_parameter")
    told = [schema.request_problem(both, frozen=frozen) for frozen in (False, True)]
    assert [problem and problem.param for problem in told] == ["a.file_id", "zz"]
    assert schema.answer_problem(lone) is None


def test_an_unknown_field_in_a_union_is_that_of_the_branch_that_takes_the_rest() -> None:
    """Branches that the value is wrong by, with or without the field, say nothing."""
    schema = field(union(union(kind("y"), kind("x", n=TEXT)), {"type": "object", "properties": {"type": NULL}}))
    problem = schema.request_problem({"a": {"type": "x", "n": "", "m": "", "k": ""}})
    assert problem == Problem("Unknown parameter: 'a.m'.", "a.m", "unknown_parameter", warning=True)


@pytest.mark.parametrize(
    ("form", "value", "param"),
    [
        ({"properties": {"x": TEXT}, "allOf": [{"properties": {"y": TEXT}}]}, {"x": "", "y": "", "z": 1}, "a.z"),
        ({"properties": {"x": TEXT}, "$ref": "#/$defs/Y~1y"}, {"x": "", "y": "", "z": 1}, "a.z"),
        ({"properties": {"x": TEXT}, "dependentSchemas": {"x": {"$ref": "#/$defs/Y~1y"}}}, {"x": "", "z": 1}, "a.z"),
        ({"properties": {"x": TEXT}, "anyOf": [{"required": ["x"]}, {}]}, {"x": "", "z": 1}, "a.z"),
        (
            {"properties": {"x": TEXT}, "additionalProperties": True, "allOf": [{"$ref": "#/$defs/Y~1y"}]},
            {"z": 1},
            None,
        ),
        ({"properties": {"x": TEXT}, "if": {"properties": {"x": NULL}}, "then": {}}, {"x": "", "z": 1}, "a.z"),
        ({"type": "object"}, {"z": 1}, None),
        ({"$ref": "#"}, {"a": {"a": {"z": 1}}}, "a.a.a.z"),
    ],
)
def test_one_object_told_in_several_places_is_closed_as_a_whole(form: Any, value: Any, param: str | None) -> None:
    """A field that any of the places knows is known; one that none knows is a warning."""
    schema = field(form, **{"Y/y": {"type": "object", "properties": {"y": TEXT, "more": {"$ref": "#/$defs/Y~1y"}}}})
    problem = schema.request_problem({"a": value})
    assert (problem and problem.param) == param
    assert problem is None or problem.warning


def test_a_parameter_is_told_by_its_own_name() -> None:
    """Paths begin where the value stands; an id of another kind is told in the sentence for ids."""
    thread = Schema({"type": "string", "pattern": "^thread"}, {})
    problem = thread.request_problem("undefined", within="thread_id")
    assert problem is not None
    assert problem.message == "Invalid 'thread_id': 'undefined'. Expected an ID that begins with 'thread'."
    listed = Schema({"type": "array", "items": {"enum": ["x"]}}, {}).request_problem(["y"], within="include")
    assert listed is not None
    assert listed.param == "include[0]"


@pytest.mark.parametrize("form", [{"type": "object"}, union({"type": "object"}, NULL), kind("x")])
def test_a_body_that_is_no_object_is_told_of_the_body(form: Any) -> None:
    """There is no parameter to name."""
    message = "Invalid body: expected an object, but got an array instead."
    assert Schema(form, {}).request_problem([]) == Problem(message, None, "invalid_type")


def test_answers_are_told_as_answers() -> None:
    """The side of the problem is the response's; never a warning of its own making."""
    problem = field(TEXT).answer_problem({"a": 1})
    assert problem is not None
    assert (problem.side, problem.param) == ("response", "a")


def test_a_schema_may_be_true_or_false() -> None:
    """`true` takes all, `false` nothing."""
    assert Schema(True, {}).request_problem({"a": 1}) is None
    assert Schema(False, {}).request_problem({"a": 1}) == Problem("Invalid body.", None, "invalid_value")


@pytest.mark.parametrize(
    ("form", "value", "message"),
    [
        ({"maxItems": 0}, [1], "Invalid body: array too long."),
        ({"enum": ["x"]}, "", "Invalid value: ''. Supported values are: 'x'."),
        ({"enum": ["x"]}, 1, "Invalid type for body: expected one of 'x', but got an integer instead."),
        ({"propertyNames": {"maxLength": 0}}, {"k": 1}, "Invalid property name in body: 'k' is too long."),
    ],
)
def test_a_limit_of_the_body_is_told_of_the_body(form: Any, value: Any, message: str) -> None:
    """The path of the body is no parameter's."""
    problem = Schema(form, {}).request_problem(value)
    assert problem is not None
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"$ref": "#/$defs/Gone"}, "cannot be used, 'Gone': Pointer"),
        ({"pattern": "("}, r"""cannot be used, {"pattern": "\("}: """),
        ({"$ref": "https://example.com/schema"}, "Retrieval is disabled"),
    ],
)
def test_a_schema_that_cannot_be_compiled_says_so_at_its_first_use(form: Any, why: str) -> None:
    """A dangling reference, a broken pattern, a reference to elsewhere, which is not fetched."""
    with pytest.raises(ConfigError, match=why):
        Schema(form, {}).request_problem(1)


def test_a_value_nested_too_deep_is_wrong_as_a_whole() -> None:
    """The validator cannot take it out of Python, so that nothing can be said of its parts."""
    deep = orjson.loads("[" * 500 + "]" * 500)
    assert field(TEXT).request_problem({"a": deep}) == Problem("Invalid body: nested too deep.", None, "invalid_value")
    answer = field(TEXT).answer_problem({"a": deep})
    assert answer is not None
    assert answer.side == "response"
    assert field({}).request_problem({"a": deep}) is None


def test_a_kind_that_cannot_be_named_is_just_wrong() -> None:
    """A schema may refuse a type without naming one that this module can see."""
    assert wrong_kind("a", 1, []) == Problem("Invalid 'a'.", "a", "invalid_value")


NAMES = st.sampled_from(["a", "b", "type", "items", "properties", "$ref", "anyOf", "x/y"])
SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False)),
    *(st.sampled_from(["", "a", "type", "https://x"]), st.text(st.characters(codec="utf-8"), max_size=5)),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
SMALL = st.integers(0, 3)


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas with any of the keywords, whether they make sense together or not."""
    many = st.lists(inner, min_size=1, max_size=3)
    single = ("additionalProperties", "unevaluatedProperties", "propertyNames", "items", "contains", "unevaluatedItems")
    each = dict.fromkeys((*single, "not", "if", "then", "else"), inner)
    limits = ("minProperties", "maxProperties", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum")
    return st.fixed_dictionaries(
        {},
        optional={
            **each,
            **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), many),
            **dict.fromkeys((*limits, "exclusiveMinimum", "exclusiveMaximum"), SMALL),
            **dict.fromkeys(("properties", "dependentSchemas"), st.dictionaries(NAMES, inner, max_size=3)),
            "patternProperties": st.dictionaries(st.just("^a"), inner, max_size=1),
            "type": st.sampled_from(["object", "array", "string", "integer", "null", ["string", "array"]]),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=1), max_size=1),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "format": st.sampled_from(["uri", "date", "binary", "nonsense"]),
            "pattern": st.sampled_from(["^a", "b$"]),
            "multipleOf": st.just(2),
            "uniqueItems": st.booleans(),
            "$ref": st.sampled_from(["#/$defs/A", "#/$defs/B~1", "#"]),
        },
    )


FORMS = st.recursive(schemas(st.booleans()) | st.booleans(), schemas, max_leaves=5)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(FORMS, FORMS, FORMS, VALUES, st.booleans())
def test_nothing_raises(form: Any, one: Any, other: Any, value: Any, frozen: bool) -> None:
    """Any value by any schema that compiles has a problem or none."""
    schema = Schema(form, {"A": one, "B/": other})
    try:
        found = [schema.request_problem(value, frozen=frozen), schema.answer_problem(value)]
    except ConfigError:
        return
    assert all(problem is None or (problem.message and problem.param != "") for problem in found)


SHIPPED = [
    "CreateMessageRequest",
    "CreateRunRequest",
    "CreateAssistantRequest",
    "CreateChatCompletionRequest",
    "CreateVectorStoreRequest",
    "CreateFineTuningJobRequest",
    "CreateModerationRequest",
]


@pytest.mark.parametrize("name", SHIPPED)
def test_one_mistake_in_a_real_body_is_found_where_it_is(name: str) -> None:
    """Bodies made from the shipped schemas are right; each mistake in them is told at its own path."""
    definitions = orjson.loads(CATALOG.read_bytes())["$defs"]
    form = {"$ref": f"#/$defs/{name}"}
    schema = Schema(form, definitions)
    values = examples(form, definitions)
    assert values
    assert [schema.request_problem(value, frozen=True) for value in values] == [None] * len(values)
    for value in values[:3]:
        for mistake in islice(mutations(form, definitions, value), 300):
            problem = schema.request_problem(mistake.value)
            assert problem is not None
            assert (problem.param, mistake.kind) == (mistake.path, mistake.kind)


def test_every_shipped_schema_compiles() -> None:
    """Open and closed: what ships never raises at its first use."""
    definitions = orjson.loads(CATALOG.read_bytes())["$defs"]
    for name in definitions:
        schema = Schema({"$ref": f"#/$defs/{name}"}, definitions)
        schema.request_problem(None)
        schema.answer_problem(None)
