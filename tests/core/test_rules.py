"""The rules of matching, on their own: how they are made, merged and told, and which of them nothing touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replayproxy.core.catalog import Operation
from replayproxy.core.messages import Request
from replayproxy.core.rules import EVERYWHERE, GONE, MASK, MatchRule, MatchRules, Scope, no_operation
from replayproxy.errors import ConfigError

POST = Request("POST", "/v1/threads/thread_1/messages?limit=1")
CREATE = Operation("createMessage", "POST", "/threads/{thread_id}/messages", "messages")


@pytest.mark.parametrize(
    ("rule", "text", "told"),
    [
        (MatchRule.ignore("body.metadata['a.b']"), "body.metadata['a.b']", "ignore body.metadata['a.b']"),
        (MatchRule.also("header.X-Tenant"), "header.X-Tenant", "also header.X-Tenant"),
        (MatchRule.mask("body.input", r"it's \d+"), r"body.input: 'it''s \d+'", r"mask body.input: 'it''s \d+'"),
        (
            MatchRule.ignore("query.a", Scope("POST", "/v1/*", "createX")),
            "query.a",
            "ignore query.a (for POST /v1/* createX)",
        ),
        (MatchRule.mask("path", "[0-9]", Scope(method="GET")), "path: '[0-9]'", "mask path: '[0-9]' (for GET)"),
        (MatchRule.ignore("body.a", Scope("GET", family="chat")), "body.a", "ignore body.a (for GET chat)"),
    ],
)
def test_a_rule_is_told_as_it_was_written(rule: MatchRule, text: str, told: str) -> None:
    """Its text can be pasted into a config file; as a whole it says what is done, and to which requests."""
    assert (rule.text, str(rule)) == (text, told)


def test_a_rule_may_know_where_it_was_written() -> None:
    """That is told with it, and makes no other rule of it."""
    rule = MatchRule("ignore", MatchRule.ignore("body.a").path, origin="replayproxy.yaml:3")
    assert str(rule) == "replayproxy.yaml:3: ignore body.a"
    assert rule == MatchRule.ignore("body.a")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MatchRule.ignore("path"), "path: cannot be ignored; mask the part of it that varies"),
        (lambda: MatchRule.ignore("method"), "method: another method makes another request"),
        (lambda: MatchRule.ignore("body..a"), "'body..a': at character 5"),
        (lambda: MatchRule.also("body.a"), "'body.a': expected header.NAME"),
        (lambda: MatchRule.also("header.*"), "'header.*': expected header.NAME"),
        (lambda: MatchRule.also("query.a"), "'query.a': expected header.NAME"),
        (lambda: MatchRule.mask("bdy", "x"), "'bdy': a path begins with"),
        (lambda: MatchRule.mask("body.a", "("), "body.a: `(` is not a regular expression: missing )"),
        (lambda: MatchRule.mask("body.a", "a{99999999999}"), "is not a regular expression"),
        (lambda: MatchRule.mask("body.a", r"\d*"), r"body.a: `\d*` matches the empty text as well"),
        (lambda: MatchRules.of(ignore=["body.a", "x"]), "'x': a path begins with"),
        (lambda: Scope(path="v1"), "'v1': a path pattern begins with a slash"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(make: object, message: str) -> None:
    """When it is made, with the reason."""
    assert callable(make)
    with pytest.raises(ConfigError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "value", "changed"),
    [
        (MatchRule.ignore("body.a"), [1], (GONE, True)),
        (MatchRule.mask("body.a", "[0-9]+"), "no 12, 345", (f"no {MASK}, {MASK}", True)),
        (MatchRule.mask("body.a", "[0-9]+"), "none", ("none", False)),
        (MatchRule.mask("body.a", "[0-9]+"), b"\xff1", (b"\xff" + MASK.encode(), True)),
        (MatchRule.mask("body.a", "[0-9]+"), b"\xff", (b"\xff", False)),
        (MatchRule.mask("body.a", "[0-9]+"), 12, (12, False)),
        (MatchRule.mask("body.a", "[0-9]+"), None, (None, False)),
        (MatchRule.mask("body.a", "[0-9]+"), ["1"], (["1"], False)),
    ],
)
def test_what_a_rule_makes_of_a_value(rule: MatchRule, value: object, changed: object) -> None:
    """To ignore takes it away; a mask covers what matches in a text, and leaves other values alone."""
    assert rule.change(value) == changed


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        (EVERYWHERE, True),
        (Scope("POST"), True),
        (Scope("GET"), False),
        (Scope(path="/v1/threads/*/messages"), True),
        (Scope(path="/v1/threads/*"), False),
        (Scope(path="/v1/thre%61ds/**"), True),
        (Scope(operation="createMessage"), True),
        (Scope(operation="createRun"), False),
        (Scope(family="messages"), True),
        (Scope(family="createMessage"), False),
        (Scope(operation="messages"), False),
        (Scope(operation="createMessage", family="messages"), True),
        (Scope(operation="createMessage", family="runs"), False),
        (Scope(operation="createRun", family="messages"), False),
        (Scope("POST", "/v1/**", "createMessage"), True),
        (Scope("POST", "/v2/**", "createMessage"), False),
    ],
)
def test_a_scope_holds_when_all_it_names_fits(scope: Scope, holds: bool) -> None:
    """Method, path without the query, operation, family."""
    assert scope.holds(POST, lambda _: CREATE) is holds
    force = MatchRules((MatchRule.ignore("body.a", scope),)).in_force(POST, lambda _: CREATE)
    assert bool(force.body) is holds


def test_without_a_catalog_no_operation_is_known() -> None:
    """Rules scoped by operation or family then hold for no request."""
    assert not Scope(operation="createMessage").holds(POST, no_operation)
    assert not Scope(family="messages").holds(POST, no_operation)


def test_rules_in_force_keep_their_order_and_their_indexes() -> None:
    """Scoped or not, sorted by what they are about."""
    here, there = Scope(method="POST"), Scope(method="GET")
    rules = MatchRules(
        (
            MatchRule.ignore("body.a", here),
            MatchRule.ignore("body.b"),
            MatchRule.ignore("body.c", there),
            MatchRule.also("header.d"),
            MatchRule.ignore("body.e", here),
            MatchRule.mask("path", "x"),
            MatchRule.ignore("query.f", here),
        )
    )
    force = rules.in_force(POST)
    found = {name: [place for place, _ in getattr(force, name)] for name in ("path", "query", "header", "body")}
    assert found == {"path": [5], "query": [6], "header": [3], "body": [0, 1, 4]}
    assert force.touched == set()


def test_a_session_adds_its_rules_to_those_of_all() -> None:
    """The others keep their indexes, so what was touched can be put together over sessions."""
    everywhere = MatchRules.of(ignore=["body.a"], also=["header.b"], mask={"body.c": "c"})
    own = MatchRules.of(ignore=["body.d"])
    together = everywhere.plus(own)
    assert [rule.text for rule in together.rules] == ["header.b", "body.a", "body.c: 'c'", "body.d"]
    assert together.rules[:3] == everywhere.rules
    assert MatchRules().plus(everywhere) == everywhere == everywhere.plus(MatchRules())


def test_unused_rules_are_those_that_nothing_touched() -> None:
    """By their indexes."""
    rules = MatchRules.of(ignore=["body.a", "body.b", "body.c"])
    assert [str(rule) for rule in rules.unused({1})] == ["ignore body.a", "ignore body.c"]
    assert rules.unused([2, 0, 1, 1]) == ()


def test_scopes_with_the_place_of_their_first_rule() -> None:
    """To be compared with a catalog, which the rules do not know."""
    run, chat = Scope(operation="createRun"), Scope(family="chat")
    scoped = [(run, "a:1"), (EVERYWHERE, "a:2"), (run, "a:3"), (chat, "")]
    rules = MatchRules(tuple(replace(MatchRule.ignore("body.a", scope), origin=origin) for scope, origin in scoped))
    assert rules.scopes == {run: "a:1", EVERYWHERE: "a:2", chat: ""}
    assert MatchRules().scopes == {}
