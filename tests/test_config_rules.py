"""Settings that are lists and mappings: the rules of matching and of redaction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from replayproxy.config import KEYS, RedactSettings, Settings, load, match_rules, schema
from replayproxy.core.rule_paths import RulePath
from replayproxy.core.rules import MatchRule, MatchRules, Scope
from replayproxy.errors import ConfigError

MATCH = r"""
match:
  ignore:
    - body.metadata.run_id
    - body.messages[*].id
    - body['odd.name'].x
  also: [header.x-tenant]
  mask:
    body.input: '\d{4}-\d\d-\d\d'
    path: '/v1/threads/[^/]+'
  rules:
    - method: post
      path: /v1/threads/*/messages
      ignore: body.a, body.b
      mask: {body.c: x+}
    - operation: createRun
      also:
        - header.x-run
    - family: chat
      method: post
      ignore: body.user
"""
HERE = Scope("POST", "/v1/threads/*/messages")


def settings(folder: Path, file: str = "", **env: str) -> Settings:
    """The settings that a config file of that text gives, with the variables `env`."""
    (folder / "replayproxy.yaml").write_text(file, "utf-8")
    return load({}, env, folder).settings


def complaint(folder: Path, file: str = "", **env: str) -> str:
    """What is said about it."""
    with pytest.raises(ConfigError) as caught:
        settings(folder, file, **env)
    return str(caught.value)


class TestMatch:
    """`match`: rules, as core/matching.py takes them."""

    def test_all_kinds_of_rules(self, tmp_path: Path) -> None:
        """Lists, a mapping, and mappings with a scope."""
        assert settings(tmp_path, MATCH).match.all_rules == MatchRules(
            (
                MatchRule.also("header.x-tenant"),
                MatchRule.ignore("body.metadata.run_id"),
                MatchRule.ignore("body.messages[*].id"),
                MatchRule.ignore("body['odd.name'].x"),
                MatchRule.mask("body.input", r"\d{4}-\d\d-\d\d"),
                MatchRule.mask("path", "/v1/threads/[^/]+"),
                MatchRule.ignore("body.a", HERE),
                MatchRule.ignore("body.b", HERE),
                MatchRule.mask("body.c", "x+", HERE),
                MatchRule.also("header.x-run", Scope(operation="createRun")),
                MatchRule.ignore("body.user", Scope("POST", family="chat")),
            )
        )

    def test_each_rule_knows_its_line(self, tmp_path: Path) -> None:
        """For the report of those that nothing touched."""
        told = [str(rule) for rule in settings(tmp_path, MATCH).match.all_rules.rules]
        assert told[0] == "replayproxy.yaml:7: also header.x-tenant"
        assert told[2] == "replayproxy.yaml:5: ignore body.messages[*].id"
        assert told[4] == r"replayproxy.yaml:9: mask body.input: '\d{4}-\d\d-\d\d'"
        assert told[7] == "replayproxy.yaml:14: ignore body.b (for POST /v1/threads/*/messages)"
        assert told[9] == "replayproxy.yaml:18: also header.x-run (for createRun)"
        assert told[10] == "replayproxy.yaml:21: ignore body.user (for POST chat)"

    def test_a_variable_holds_a_list_with_commas(self, tmp_path: Path) -> None:
        """It takes the place of the file's list."""
        env = {"REPLAYPROXY_MATCH__IGNORE": " body.x,, query.y ", "REPLAYPROXY_MATCH__ALSO": "header.z"}
        found = settings(tmp_path, MATCH, **env).match
        assert found.ignore == (MatchRule.ignore("body.x"), MatchRule.ignore("query.y"))
        assert [str(rule) for rule in found.also] == ["REPLAYPROXY_MATCH__ALSO: also header.z"]
        assert len(found.mask) == 2

    @pytest.mark.parametrize("text", ["", "match:", "match: {}", "match: {ignore: , mask: {}, rules: []}"])
    def test_nothing_is_no_rule(self, tmp_path: Path, text: str) -> None:
        """Whether left out, empty, or with all of it commented out."""
        assert settings(tmp_path, text).match.all_rules == MatchRules()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("ignore: [body.a, 'body.b[']", "match.ignore: 'body.b[': at character 7, '[': expected .NAME"),
            ("ignore:\n  - path", "replayproxy.yaml:3: match.ignore: path: cannot be ignored; mask"),
            ("ignore: {a: b}", "match.ignore: expected a list of paths such as body.metadata.run_id, not a mapping"),
            ("ignore: [[a]]", "match.ignore: expected a path, not a list"),
            ("ignore: [~]", "match.ignore: expected a path, but nothing is there"),
            ("also: body.a", "match.also: 'body.a': expected header.NAME"),
            ("mask: [a]", "match.mask: expected a mapping of paths to regular expressions, not a list"),
            ("mask: a", "match.mask: expected a mapping of paths to regular expressions, not text"),
            ("mask: {body.a: '('}", "match.mask: body.a: `(` is not a regular expression: missing )"),
            ("mask: {body.a: [b]}", "match.mask: expected a regular expression, not a list"),
            ("mask: {body.a: b, body.a: c}", "`body.a` is given twice, first on line 2"),
            ("mask: {[a]: b}", "expected the name of a setting, not a list or a mapping"),
            (
                "rules: {ignore: body.a}",
                "match.rules: expected a list of mappings with method, path, operation or family",
            ),
            ("rules: [body.a]", "match.rules: expected a mapping, not text"),
            ("rules: [{ignore: body.a}]", "match.rules: expected method or path or operation or family, to say"),
            ("rules: [{method: GET}]", "match.rules: expected also or ignore or mask, to say what is done"),
            ("rules: [{method: G T, ignore: body.a}]", "match.rules.method: expected a method such as POST, not 'G T'"),
            ("rules: [{path: v1, ignore: body.a}]", "match.rules.path: 'v1': a path pattern begins with a slash"),
            ("rules: [{family: [a], ignore: body.a}]", "match.rules.family: expected the name of a family, not a list"),
            ("rules: [{pth: /, ignore: body.a}]", "match.rules.pth: unknown setting; did you mean `path`?"),
            ("rules: [{method: GET, ignore: a}]", "match.rules.ignore: 'a': a path begins with"),
            ("rules: [{method: GET, mask: }]", "match.rules.mask: expected a mapping of paths to"),
            ("rules: &a [*a]", "nested too deeply"),
            ("ignore: [!x body.a]", "the tag !x is not supported here"),
            ("ignores: [body.a]", "match.ignores: unknown setting; did you mean `match.ignore`?"),
            ("ignore: body.a\n  ignore: body.b", "`ignore` is given twice, first on line 2"),
        ],
    )
    def test_what_makes_no_sense_is_named_with_its_line(self, tmp_path: Path, text: str, message: str) -> None:
        """File, line, setting, and what is wrong."""
        found = complaint(tmp_path, f"match:\n  {text}\n")
        assert found.startswith("replayproxy.yaml:")
        assert message in found

    def test_all_that_is_wrong_is_told(self, tmp_path: Path) -> None:
        """Within a list, within a mapping, and in other settings."""
        file = "match:\n  ignore:\n    - a\n    - b\n  mask:\n    body.a: (\n    c: d\nport: x\n"
        assert [line.split(": ")[0] for line in complaint(tmp_path, file).splitlines()] == [
            f"replayproxy.yaml:{line}" for line in (3, 4, 6, 7, 8)
        ]

    def test_a_variable_cannot_hold_a_mapping(self, tmp_path: Path) -> None:
        """That is said."""
        assert complaint(tmp_path, REPLAYPROXY_MATCH__MASK="body.a") == (
            "REPLAYPROXY_MATCH__MASK: expected a mapping of paths to regular expressions, not text"
        )

    def test_settings_are_shown_as_they_are_written(self, tmp_path: Path) -> None:
        """What `config show` tells is what a file may say, and the schema knows it."""
        loaded = settings(tmp_path, MATCH)
        shown = {key.path[1]: key.of(loaded) for key in KEYS if key.path[0] == "match"}
        assert shown == {
            "ignore": ["body.metadata.run_id", "body.messages[*].id", "body['odd.name'].x"],
            "also": ["header.x-tenant"],
            "mask": {"body.input": r"\d{4}-\d\d-\d\d", "path": "/v1/threads/[^/]+"},
            "rules": [
                {
                    "method": "POST",
                    "path": "/v1/threads/*/messages",
                    "ignore": ["body.a", "body.b"],
                    "mask": {"body.c": "x+"},
                },
                {"operation": "createRun", "also": ["header.x-run"]},
                {"method": "POST", "family": "chat", "ignore": ["body.user"]},
            ],
        }
        assert settings(tmp_path, json.dumps({"match": shown})).match == loaded.match
        assert list(jsonschema.Draft7Validator(schema()).iter_errors({"match": shown})) == []


class TestMatchElsewhere:
    """The same said by a test's marker or through the admin API."""

    def test_a_structure_says_what_a_file_does(self) -> None:
        """All four parts, each where it is given."""
        given = {
            "ignore": ["body.a"],
            "mask": {"body.b": "[0-9]"},
            "also": None,
            "rules": [{"method": "GET", "ignore": ["body.c"]}],
        }
        rules = match_rules(given, "POST /sessions")
        assert [str(rule) for rule in rules.rules] == [
            "POST /sessions: ignore body.a",
            "POST /sessions: mask body.b: '[0-9]'",
            "POST /sessions: ignore body.c (for GET)",
        ]
        assert match_rules({"ignore": ("body.a",)}, "").rules[0].origin == ""
        assert match_rules({}, "") == MatchRules()

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"ignore": ["a", 5]}, "here: match.ignore: 'a': a path begins with"),
            ({"ignore": [None]}, "here: match.ignore: expected a path, but nothing is there"),
            ({"ignored": ["body.a"]}, "here: match.ignored: unknown setting; did you mean `ignore`?"),
            ({"mask": {"body.a": 5.5, "body.b": {}}}, "here: match.mask: expected a regular expression, not a mapping"),
        ],
    )
    def test_what_makes_no_sense_is_named(self, given: dict[str, Any], message: str) -> None:
        """With the place it is from."""
        with pytest.raises(ConfigError) as caught:
            match_rules(given, "here")
        assert message in str(caught.value)


class TestRedact:
    """`redact`: what is secret beside the built-in rules."""

    def test_all_settings(self, tmp_path: Path) -> None:
        """Names, patterns, variables and paths, as plain values."""
        file = r"""
redact:
  off: [id.project]
  headers: [X-Tenant-Key]
  fields: [pin]
  patterns: {customer: 'cus_[0-9]{8,20}'}
  env: [MY_TOKEN]
  paths: ['body.user.email']
"""
        assert settings(tmp_path, file).redact == RedactSettings(
            off=("id.project",),
            headers=("x-tenant-key",),
            fields=("pin",),
            patterns=(("customer", "cus_[0-9]{8,20}"),),
            env=("MY_TOKEN",),
            paths=(RulePath.parse("body.user.email"),),
        )

    def test_they_are_shown_as_they_are_written(self, tmp_path: Path) -> None:
        """As lists and a mapping of text."""
        file = "redact: {patterns: {ab: c+}, paths: [body.a], off: shape.jwt}"
        shown = {key.name: key.of(settings(tmp_path, file)) for key in KEYS}
        assert shown["redact.patterns"] == {"ab": "c+"}
        assert (shown["redact.paths"], shown["redact.off"]) == (["body.a"], ["shape.jwt"])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("off: [header.cooky]", "redact.off: there is no built-in rule 'header.cooky'; did you mean"),
            ("off: ['']", "redact.off: there is no built-in rule ''"),
            ("headers: [a b]", "redact.headers: expected the name of a header"),
            ("fields: ['']", "redact.fields: expected the name of a field, not ''"),
            ("patterns: {A: b}", "redact.patterns: expected a name of lower-case letters and hyphens, not 'A'"),
            ("patterns: {ab: 'sk-s3cret('}", "redact.patterns.ab: not a regular expression: missing )"),
            ("patterns: {ab: 'a{99999999999}'}", "redact.patterns.ab: not a regular expression"),
            ("patterns: {ab: 'x*'}", "redact.patterns.ab: matches the empty text as well"),
            ("patterns: {ab: [x]}", "redact.patterns.ab: expected a regular expression, not a list"),
            ("env: [sk-s3cret]", "redact.env: expected the name of an environment variable"),
            ("paths: [body.]", "redact.paths: 'body.': at character 5"),
        ],
    )
    def test_what_makes_no_sense_is_named_without_the_secret(self, tmp_path: Path, text: str, message: str) -> None:
        """The setting and what is wrong; not what may be the secret itself."""
        found = complaint(tmp_path, f"redact: {{{text}}}\n")
        assert found.startswith(f"replayproxy.yaml:1: {message}")
        assert "s3cret" not in found


@pytest.mark.parametrize(
    "document",
    [
        {"match": {"ignore": ["path"]}},
        {"match": {"ignore": [1]}},
        {"match": {"also": ["body.a"]}},
        {"match": {"mask": ["body.a"]}},
        {"match": {"rules": [{"ignore": ["body.a"]}]}},
        {"match": {"rules": [{"method": "GET"}]}},
        {"match": {"rules": [{"method": "GET", "ignores": ["body.a"]}]}},
        {"redact": {"off": ["header.cooky"]}},
        {"redact": {"headers": ["a b"]}},
        {"playback": {"poll_after_ms": -1}},
    ],
)
def test_the_schema_refuses_what_loading_refuses(tmp_path: Path, document: dict[str, Any]) -> None:
    """Editor and start agree about rules, too."""
    assert list(jsonschema.Draft7Validator(schema()).iter_errors(document))
    assert complaint(tmp_path, json.dumps(document))
