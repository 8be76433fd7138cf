"""Bodies with one mistake each, made from the schemas of all operations: each is caught, and told where it is wrong.

An unknown field may be caught by a warning. The table of what was made and caught is printed (`pytest -rP`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from replayproxy.core.catalog import Operation, Resolved
from replayproxy.core.messages import Headers, Request
from replayproxy.core.problem import Problem
from replayproxy.core.validation import problems
from replayproxy.openai_api import catalog
from tests.schema_values import Mutation, examples, mutations

_JSON, _MULTIPART = "application/json", "multipart/form-data"
KINDS = ("missing", "type", "enum", "limit", "unknown")
#: Those that there are in a form: text has no types, and is as long as it is.
FORM_KINDS = ("missing", "enum", "unknown")
#: The families that the API's own reference begins with, those of them that take bodies.
SEED_FAMILIES = {
    *("assistants", "threads", "messages", "runs", "chat", "completions", "embeddings", "evals", "files"),
    *("fine_tuning", "moderations", "certificates", "projects", "responses", "vector_stores"),
}
IDS = {"thread_id": "thread_a", "assistant_id": "asst_a", "message_id": "msg_a", "run_id": "run_a", "step_id": "step_a"}


def first_problem(operation: Operation, media: str, value: Any) -> Problem | None:
    """What is wrong with a request for `operation` that is right but for its body."""
    ids = {each.name: IDS.get(each.name, "a") for each in operation.parameters if each.place == "path"}
    pairs = [("content-type", f"{media}; boundary=b" if media == _MULTIPART else media)]
    if operation.beta:
        pairs.append(("openai-beta", operation.beta))
    body = form(value) if media == _MULTIPART else orjson.dumps(value)
    request = Request(operation.method, operation.template, Headers(tuple(pairs)), body)
    return next(iter(problems(request, Resolved(operation, ids))), None)


def form(value: dict[str, Any]) -> bytes:
    """A multipart body, its fields named as the API's clients name them."""
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields("", value)
    )
    return ("".join(parts) + "--b--\r\n").encode()


def fields(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """The names and texts that JSON becomes in a form."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(f"{name}[{key}]" if name else key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(f"{name}[]", inner)
    else:
        yield name, value if isinstance(value, str) else orjson.dumps(value).decode()


def is_form(value: Any) -> bool:
    """Whether a form can hold `value`: in none is there an object or a list with nothing in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value not in ({}, []) and all(map(is_form, inner))


def good_bodies(operation: Operation, media: str) -> list[Any]:
    """Bodies that are right."""
    schema = operation.bodies[media]
    found = examples(schema.form, schema.definitions)
    return found if media == _JSON else [value for value in found if is_form(value)]


def bad_bodies(operation: Operation, media: str) -> list[Mutation]:
    """Bodies that are wrong: each mistake at each place once."""
    schema, found = operation.bodies[media], dict[tuple[str, str], Mutation]()
    for value in good_bodies(operation, media):
        for mutation in mutations(schema.form, schema.definitions, value):
            if media == _JSON or (mutation.kind in FORM_KINDS and is_form(mutation.value)):
                found.setdefault((mutation.kind, mutation.path), mutation)
    return list(found.values())


CASES = [
    pytest.param(operation, media, id=f"{operation.id}-{media}")
    for operation in catalog()
    for media in operation.bodies
    if media in (_JSON, _MULTIPART)
]


@pytest.mark.parametrize(("operation", "media"), CASES)
def test_a_good_body_is_taken(operation: Operation, media: str) -> None:
    """What the mistakes are made in is right itself, and has no unknown fields."""
    told = [first_problem(operation, media, value) for value in good_bodies(operation, media)]
    assert told == [None] * len(told)


def test_bad_bodies_are_caught_where_they_are_wrong() -> None:
    """Of thousands, at least 99 % are caught, at the path of the mistake."""
    made, caught, placed = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    missed = []
    for operation, media in (case.values for case in CASES):
        assert isinstance(operation, Operation)
        for kind, path, value in bad_bodies(operation, str(media)):
            problem = first_problem(operation, str(media), value)
            made[operation.family, kind] += 1
            caught[operation.family, kind] += is_caught(problem, kind)
            placed[operation.family, kind] += problem is not None and problem.param == path
            if problem is None or problem.param != path:
                missed.append((operation.id, kind, path, problem, value))
    print(table(made, caught, placed))
    print(*missed, sep="\n")
    assert made.total() > 5000
    assert set(KINDS) == {kind for _, kind in made}
    assert {family for family, _ in made} >= SEED_FAMILIES
    assert caught.total() >= 0.99 * made.total()
    assert placed.total() >= 0.99 * made.total()


def is_caught(problem: Problem | None, kind: str) -> bool:
    """Whether a mistake of that kind is found; a warning is enough for an unknown field only."""
    return problem is not None and (kind == "unknown" or not problem.warning)


def table(*counts: Counter[tuple[str, str]]) -> str:
    """Made, caught and told at the right place, by family and kind."""
    families = sorted({family for family, _ in counts[0]})
    lines = [f"{'family':24}" + "".join(f"{kind:>20}" for kind in KINDS)]
    for family in families:
        cells = ("/".join(str(count[family, kind]) for count in counts) for kind in KINDS)
        lines.append(f"{family:24}" + "".join(f"{cell:>20}" for cell in cells))
    totals = ("/".join(str(sum(count[each, kind] for each in families)) for count in counts) for kind in KINDS)
    lines.append(f"{'all':24}" + "".join(f"{cell:>20}" for cell in totals))
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"role": "usr", "content": "Hi"}, "input[0].role"),
        ({"role": {}, "content": "Hi"}, "input[0].role"),
        ({"role": "user", "content": [{"type": "text", "text": "Hi"}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"type": "input_image", "image_url": [1]}]}, "input[0].content[0].image_url"),
        ({"role": "user", "content": 5}, "input[0].content"),
        ({"role": "user"}, "input[0].content"),
    ],
)
def test_a_mistake_in_a_message_is_not_taken_for_a_reference(item: dict[str, Any], path: str) -> None:
    """Of the kinds of input item, the one that has the fields given is meant, even where another wants less."""
    problem = first_problem(catalog().operation("createResponse"), _JSON, {"input": [item]})
    assert problem is not None
    assert problem.param == path
