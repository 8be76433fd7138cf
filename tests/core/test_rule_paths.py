"""The grammar of rule paths: what differences are named in."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from replayproxy.core.differences import index_path, name_path
from replayproxy.core.rule_paths import ANY, DEEP, RulePath, Step
from replayproxy.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "root", "steps"),
    [
        ("path", "path", ()),
        ("body", "body", ()),
        ("query.limit", "query", ("limit",)),
        ("query['i[]']", "query", ("i[]",)),
        ("query.*", "query", (ANY,)),
        ("header.X-Tenant", "header", ("x-tenant",)),
        ("header['A!']", "header", ("a!",)),
        ("body.metadata.run_id", "body", ("metadata", "run_id")),
        ("body.messages[*].id", "body", ("messages", ANY, "id")),
        ("body.messages[0].content", "body", ("messages", 0, "content")),
        ("body.Name.0", "body", ("Name", "0")),
        ("body[12]", "body", (12,)),
        ("body['odd.name'].x", "body", ("odd.name", "x")),
        ('body["it\'s"]', "body", ("it's",)),
        (r"body['it\'s \"\\ \n\r\t\x41b\u00e9\U0001f600']", "body", ("it's \"\\ \n\r\tAb\u00e9\U0001f600",)),
        ("body['']", "body", ("",)),
        ("body['*']['**']", "body", ("*", "**")),
        ("body.*.id", "body", (ANY, "id")),
        ("body.**.id", "body", (DEEP, "id")),
        ("body.**", "body", (DEEP,)),
        ("body.parts[0].content-type", "body", ("parts", 0, "content-type")),
    ],
)
def test_a_path_is_a_root_and_steps(text: str, root: str, steps: tuple[Step, ...]) -> None:
    """Names, indexes and wildcards; the text is kept as it was written."""
    path = RulePath.parse(text)
    assert (path.root, path.steps, str(path)) == (root, steps, text)
    assert path == RulePath(path.root, steps)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'': a path begins with one of body, header, path, query"),
        ("$.messages", "'$.messages': a path begins with one of"),
        ("headers.x", "'headers.x': a path begins with one of"),
        ("bodyx", "'bodyx': a path begins with one of"),
        (" body", "' body': a path begins with one of"),
        ("method", "method: another method makes another request; a scope can name one"),
        ("body.", "'body.': at character 5, '.': expected .NAME, [NUMBER], [*], .* or ['NAME']"),
        ("body..x", "at character 5, '..x'"),
        ("body.a b", "at character 7, ' b'"),
        ("body.a.", "at character 7, '.'"),
        ("body.messages[x].id", "at character 14, '[x].id'"),
        ("body.a[-1]", "at character 7, '[-1]'"),
        ("body.a[]", "at character 7, '[]'"),
        ("body.a['b]", "at character 7"),
        ("body.a['b'c']", "at character 7"),
        (r"body['\q']", "at character 5"),
        (r"body['\U00110000']", "at character 5"),
        ("body.a***", "at character 7, '***'"),
        ("path.x", "'path.x': the path is one text"),
        ("path[0]", "the path is one text"),
        ("query", "'query': expected query.NAME, or query.* for all names"),
        ("query.a.b", "expected query.NAME"),
        ("query[0]", "expected query.NAME"),
        ("query.**", "expected query.NAME"),
        ("header", "expected header.NAME, or header.* for all names"),
        ("body.**.a.**", "** may stand in a path once"),
    ],
)
def test_what_is_no_path_is_refused(text: str, message: str) -> None:
    """What is wrong, and where."""
    with pytest.raises(ConfigError) as caught:
        RulePath.parse(text)
    assert message in str(caught.value)


names = st.text(st.characters(codec=None), max_size=5) | st.text(": #'\"-[]{},&*!|>%@`?\\", max_size=5)


@given(st.lists(names | st.integers(0, 10**6), max_size=4))
@example(["a: b", " #c", 1, "d:"])
def test_what_differences_are_named_by_is_read_back(steps: list[str | int]) -> None:
    """Whatever characters a name has, lone surrogates included; and as it stands in a YAML file, too."""
    text = "body"
    for step in steps:
        text = name_path(text, step) if isinstance(step, str) else index_path(text, step)
    assert RulePath.parse(text).steps == tuple(steps)
    assert yaml.safe_load(f"ignore:\n- {text}\n") == {"ignore": [text]}
    assert yaml.safe_load(f"{text}: x") == {text: "x"}


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        ("body.a", ["a"]),
        ("body.*", ["a", "b", "0"]),
        ("body.**", ["a", "b", "0"]),
        ("body.**.a", ["a"]),
        ("body.a.**", ["a"]),
        ("body[0]", []),
        ("body", []),
        ("body.a.b", []),
        ("query.b", ["b"]),
    ],
)
def test_where_a_path_leads_among_fields(text: str, leads: list[str]) -> None:
    """Fields hold nothing further: one name, whatever wildcards say it, leads there."""
    path = RulePath.parse(text)
    assert [name for name in ("a", "b", "0") if path.leads_to(name)] == leads
