"""Four sources, one frozen value; and what is said when something does not fit."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
import yaml

from replayproxy.config import EMULATOR, KEYS, Address, Loaded, Settings, ValidateSettings, api_key, load, schema
from replayproxy.config.catalogs import check_names, load_catalog
from replayproxy.core.catalog_form import read_catalog
from replayproxy.core.levels import Level, Levels
from replayproxy.core.modes import MODES
from replayproxy.core.rules import MatchRules, Scope
from replayproxy.errors import ConfigError

ROOT = Path(__file__).parents[1]


class Yaml12(yaml.SafeLoader):
    """Reads YAML as editors do (and 1.2 says): `off` is a word."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, regex) for tag, regex in known if not (tag.endswith(":bool") and first not in "tTfF")]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def loaded(
    folder: Path, file: str | None = None, env: dict[str, str] | None = None, options: dict[str, object] | None = None
) -> Loaded:
    """The settings in `folder`, where `file` is the text of its replayproxy.yaml."""
    if file is not None:
        (folder / "replayproxy.yaml").write_text(file, "utf-8")
    return load(options or {}, env or {}, folder)


def complaint(folder: Path, **sources: Any) -> str:
    """What is said about sources that do not make sense."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, **sources)
    return str(caught.value)


class TestSources:
    """Defaults < file < environment < options."""

    @pytest.mark.parametrize(
        ("sources", "value", "origin"),
        [
            ({}, "auto", "default"),
            ({"file": "mode: record"}, "record", "replayproxy.yaml:1"),
            ({"env": {"REPLAYPROXY_MODE": "playback"}}, "playback", "REPLAYPROXY_MODE"),
            ({"options": {"mode": "passthrough"}}, "passthrough", "--mode"),
            ({"file": "mode: record", "env": {"REPLAYPROXY_MODE": "playback"}}, "playback", "REPLAYPROXY_MODE"),
            ({"file": "mode: record", "options": {"mode": "passthrough"}}, "passthrough", "--mode"),
            ({"env": {"REPLAYPROXY_MODE": "playback"}, "options": {"mode": "record"}}, "record", "--mode"),
            (
                {"file": "mode: record", "env": {"REPLAYPROXY_MODE": "playback"}, "options": {"mode": "auto"}},
                "auto",
                "--mode",
            ),
            ({"file": "mode: record", "env": {"REPLAYPROXY_MODE": ""}}, "record", "replayproxy.yaml:1"),
        ],
    )
    def test_the_stronger_source_wins(self, tmp_path: Path, sources: Any, value: str, origin: str) -> None:
        """Every pair of sources is decided for the later one; an empty variable is no source; the origin is told."""
        result = loaded(tmp_path, **sources)
        assert (result.settings.mode, result.origins["mode"]) == (value, origin)

    def test_sources_merge_key_by_key(self, tmp_path: Path) -> None:
        """A group may come from several sources; naming an upstream keeps the file's time-outs."""
        file = "upstream:\n  url: https://api.openai.com\n  idle_timeout: 5\nrecord:\n  failures: true\n"
        env = {"REPLAYPROXY_UPSTREAM__CONNECT_TIMEOUT": "2.5", "REPLAYPROXY_RECORD__INLINE_LIMIT": "1KiB"}
        settings = loaded(tmp_path, file, env, {"upstream": "http://127.0.0.1:9/v1/"}).settings
        upstream = settings.upstream
        assert (upstream.kind, upstream.origin, upstream.path_prefix) == ("http", "http://127.0.0.1:9", "/v1")
        assert (upstream.idle_timeout, upstream.connect_timeout, upstream.total_timeout) == (5, 2.5, 0)
        assert (settings.record.failures, settings.record.inline_limit) == (True, 1024)

    def test_nothing_given_means_the_emulator_in_auto_mode(self, tmp_path: Path) -> None:
        """The defaults of the command line's contract."""
        settings = loaded(tmp_path).settings
        assert (settings.upstream.url, settings.mode) == (EMULATOR, "auto")
        assert (settings.host, settings.port, settings.admin_port) == ("127.0.0.1", 8080, 8081)
        assert settings.default_cassette == tmp_path / "cassettes" / "default.yaml"

    @pytest.mark.parametrize("text", ["", "# nothing\n", "upstream:\nrecord: {}\n", "---\n"])
    def test_an_empty_file_says_nothing(self, tmp_path: Path, text: str) -> None:
        """Files and groups whose keys are all commented out are fine."""
        assert loaded(tmp_path, text).settings == Settings(cassettes=tmp_path / "cassettes")

    def test_a_file_is_named_by_option_variable_or_convention(self, tmp_path: Path) -> None:
        """--config, then REPLAYPROXY_CONFIG, then ./replayproxy.yaml."""
        for number, name in enumerate(("replayproxy.yaml", "variable.yaml", "option.yaml"), start=1):
            (tmp_path / name).write_text(f"speed: {number}\n", "utf-8")
        env = {"REPLAYPROXY_CONFIG": "variable.yaml"}
        assert loaded(tmp_path).settings.speed == 1
        assert loaded(tmp_path, env=env).settings.speed == 2
        result = loaded(tmp_path, env=env, options={"config": tmp_path / "option.yaml"})
        assert (result.settings.speed, result.file) == (3, tmp_path / "option.yaml")

    def test_a_named_file_must_be_there(self, tmp_path: Path) -> None:
        """A missing file is an error when somebody asked for it."""
        assert (
            complaint(tmp_path, options={"config": "no.yaml"}) == "no.yaml: cannot be read: No such file or directory"
        )

    def test_variables_that_are_no_settings_are_left_alone(self, tmp_path: Path) -> None:
        """What `run` tells its command and what Kubernetes sets for a service of our name do no harm."""
        env = {
            "REPLAYPROXY_URL": "http://127.0.0.1:1",
            "REPLAYPROXY_ADMIN_URL": "http://127.0.0.1:2",
            "REPLAYPROXY_READY_FILE": "ready.json",
            "REPLAYPROXY_SERVICE_HOST": "10.0.0.1",
            "REPLAYPROXY_PORT": "tcp://10.0.0.1:8080",
            "REPLAYPROXY_PORT_8080_TCP_ADDR": "10.0.0.1",
            "OPENAI_API_KEY": "any",
        }
        assert loaded(tmp_path, env=env).settings.port == 8080


class TestPaths:
    """What a relative path is relative to, and the two ways to name a cassette."""

    def test_in_a_file_they_are_relative_to_the_file(self, tmp_path: Path) -> None:
        """So a config file works from every folder."""
        (tmp_path / "conf").mkdir()
        (tmp_path / "conf" / "replayproxy.yaml").write_text("cassettes: tapes\n", "utf-8")
        settings = loaded(tmp_path, options={"config": "conf/replayproxy.yaml"}).settings
        assert settings.cassettes == tmp_path / "conf" / "tapes"

    def test_elsewhere_they_are_relative_to_the_working_directory(self, tmp_path: Path) -> None:
        """As a shell user expects."""
        assert loaded(tmp_path, env={"REPLAYPROXY_CASSETTE": "a.yaml"}).settings.cassette == tmp_path / "a.yaml"
        assert loaded(tmp_path, options={"cassette": "a.yaml"}).settings.default_cassette == tmp_path / "a.yaml"

    def test_receipts_go_where_the_setting_says(self, tmp_path: Path) -> None:
        """Nowhere by default; paths like all others."""
        assert (loaded(tmp_path).settings.receipt, loaded(tmp_path).settings.junit) == (None, None)
        settings = loaded(tmp_path, "receipt: out/receipt.json\n", env={"REPLAYPROXY_JUNIT": "junit.xml"}).settings
        assert (settings.receipt, settings.junit) == (tmp_path / "out" / "receipt.json", tmp_path / "junit.xml")

    def test_a_stronger_source_may_choose_the_other_way(self, tmp_path: Path) -> None:
        """`--cassette` replaces the file's `cassettes`, and the other way round."""
        one = loaded(tmp_path, "cassettes: tapes\n", options={"cassette": "a.yaml"}).settings
        assert (one.cassette, one.cassettes) == (tmp_path / "a.yaml", None)
        many = loaded(tmp_path, "cassette: a.yaml\n", options={"cassettes": "tapes"}).settings
        assert (many.cassette, many.cassettes) == (None, tmp_path / "tapes")

    def test_one_source_may_not_say_both(self, tmp_path: Path) -> None:
        """A file and a folder at once is a contradiction."""
        message = complaint(tmp_path, options={"cassette": "a.yaml", "cassettes": "tapes"})
        assert message == "--cassette: `cassette` and `cassettes` (--cassettes) exclude each other; keep one of them"


class TestValues:
    """How text becomes a value, whichever source it is from."""

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("validate", "off", "off"),
            ("speed", "1e1", 10.0),
            ("port", "0", 0),
            ("strict", "yes", True),
            ("strict", "False", False),
            ("host", "::1", "::1"),
            ("workers", "1", 1),
            ("workers", "4", 4),
            ("workers", "auto", len(os.sched_getaffinity(0))),
            ("limits.body", "65536", 65536),
            ("limits.body", "64KiB", 65536),
            ("limits.body", "0.5 MiB", 524288),
            ("limits.body", "10MB", 10_000_000),
            ("limits.body", "1GiB", 1 << 30),
            ("limits.body", "512B", 512),
            ("upstream.api_key_env", "OPENAI_API_KEY", "OPENAI_API_KEY"),
            ("playback.repeat", "cycle", "cycle"),
            ("playback.poll_after_ms", "0", 0),
            ("playback.collapse_polls", "true", True),
            ("emulator.seed", "7", 7),
        ],
    )
    def test_text_is_read_alike_everywhere(self, tmp_path: Path, name: str, text: str, value: object) -> None:
        """A plain scalar in YAML, a variable and an option give the same value; `off` stays a word."""
        (key,) = (key for key in KEYS if key.name == name)
        group, _, leaf = name.rpartition(".")
        file = f"{group}:\n  {leaf}: {text}\n" if group else f"{leaf}: {text}\n"
        for source in ({"env": {key.env: text}}, {"options": {name: text}}, {"file": file}):
            assert key.of(loaded(tmp_path, **source).settings) == value  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("mode", "recrod", "expected one of playback, auto, record, passthrough, not 'recrod'"),
            ("port", "65536", "expected a port from 0 to 65535, not '65536'"),
            ("port", "http", "expected a port from 0 to 65535, not 'http'"),
            ("speed", "-1", "expected a number from 0, not '-1'"),
            ("speed", "nan", "expected a number from 0, not 'nan'"),
            ("speed", "inf", "expected a number from 0, not 'inf'"),
            ("strict", "maybe", "expected true or false, not 'maybe'"),
            ("host", "http://x", "expected a host name or an IP address, not 'http://x'"),
            ("workers", "0", "expected a whole number from 1 to 256, or auto, not '0'"),
            ("workers", "many", "expected a whole number from 1 to 256, or auto, not 'many'"),
            ("cassette", "", "expected a path, not ''"),
            ("limits.body", "10 apples", "expected a size such as 65536, 64KiB or 512MiB, not '10 apples'"),
            ("limits.body", "-1", "expected a size such as 65536, 64KiB or 512MiB, not '-1'"),
            ("limits.body", "5M", "expected a size such as 65536, 64KiB or 512MiB, not '5M'"),
        ],
    )
    def test_a_bad_value_says_what_was_expected(self, tmp_path: Path, name: str, text: str, expected: str) -> None:
        """The place, what was expected, and what was there."""
        (key,) = (key for key in KEYS if key.name == name)
        assert complaint(tmp_path, options={name: text}) == f"{key.flag}: {expected}"

    def test_the_name_of_a_variable_is_not_a_key(self, tmp_path: Path) -> None:
        """Who writes the key itself is told so, and the key is not repeated."""
        message = complaint(tmp_path, file="upstream:\n  api_key_env: sk-proj-abcdef\n")
        assert message.startswith(
            "replayproxy.yaml:2: upstream.api_key_env: expected the name of an environment variable"
        )
        assert "sk-proj" not in message


class TestUpstream:
    """Whom to forward to."""

    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("emulator", Address("emulator")),
            ("https://api.openai.com", Address("http", "https://api.openai.com")),
            ("https://api.openai.com/", Address("http", "https://api.openai.com")),
            ("https://api.openai.com/v1", Address("http", "https://api.openai.com", "/v1")),
            ("HTTPS://API.openai.com/V1/", Address("http", "https://api.openai.com", "/V1")),
            ("http://localhost:11434/openai/v1", Address("http", "http://localhost:11434", "/openai/v1")),
            ("http://[::1]:9/a%2Fb", Address("http", "http://[::1]:9", "/a%2Fb")),
        ],
    )
    def test_an_origin_with_a_path_or_without(self, tmp_path: Path, text: str, address: Address) -> None:
        """Origin and path prefix are told apart; `upstream: URL` in a file is short for `upstream.url`."""
        assert loaded(tmp_path, options={"upstream": text}).settings.upstream.url == address
        assert loaded(tmp_path, f"upstream: '{text}'\n").settings.upstream.url == address

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("api.openai.com", "expected `emulator` or a URL such as https://api.openai.com"),
            ("localhost:8000", "expected `emulator` or a URL such as https://api.openai.com"),
            ("ftp://x", "expected `emulator` or a URL such as https://api.openai.com"),
            ("http://", "expected `emulator` or a URL such as https://api.openai.com"),
            ("http://x:99999", "expected `emulator` or a URL such as https://api.openai.com"),
            ("http://x:0", "expected `emulator` or a URL such as https://api.openai.com"),
            ("http://[::1", "expected `emulator` or a URL such as https://api.openai.com"),
            ("http://a b", "expected `emulator` or a URL such as https://api.openai.com"),
            ("http://x\\y", "expected `emulator` or a URL such as https://api.openai.com"),
            ("http://x/v1?key=s3cret", "the URL has a query or a fragment"),
            ("http://x/v1?", "the URL has a query or a fragment"),
            ("http://x/#s3cret", "the URL has a query or a fragment"),
            ("https://user:s3cret@x/v1", "upstream.api_key_env"),
            ("https://s3cret@x", "upstream.api_key_env"),
        ],
    )
    def test_other_urls_are_refused_without_repeating_them(self, tmp_path: Path, text: str, expected: str) -> None:
        """What is wrong is said; a secret in the URL stays out of the message."""
        message = complaint(tmp_path, options={"upstream": text})
        assert message.startswith("--upstream: ")
        assert expected in message
        assert "s3cret" not in message

    def test_the_proxy_does_not_forward_to_itself(self, tmp_path: Path) -> None:
        """A loop is found before it starts; in playback nothing is forwarded, so it does not matter."""
        options: dict[str, object] = {"upstream": "http://localhost:8080"}
        assert "is the proxy itself" in complaint(tmp_path, options=options)
        assert loaded(tmp_path, options=options | {"mode": "playback"}).settings.upstream.origin

    def test_two_ports_cannot_be_one(self, tmp_path: Path) -> None:
        """Except 0, which stands for any."""
        assert "both 9000" in complaint(tmp_path, options={"port": 9000, "admin_port": 9000})
        assert loaded(tmp_path, options={"port": 0, "admin_port": 0}).settings.port == 0

    def test_a_file_of_authorities_must_be_there(self, tmp_path: Path) -> None:
        """When the mode forwards."""
        assert "there is no file" in complaint(tmp_path, file="upstream: {url: 'https://x', ca_file: ca.pem}\n")
        (tmp_path / "ca.pem").touch()
        assert loaded(tmp_path).settings.upstream.ca_file == tmp_path / "ca.pem"

    @pytest.mark.parametrize("mode", MODES)
    def test_modes_that_forward_are_those_of_the_table(self, tmp_path: Path, mode: str) -> None:
        """`forwards` is the table's word."""
        assert loaded(tmp_path, options={"mode": mode}).settings.forwards == MODES[mode].forwards


class TestValidate:
    """How strictly requests are checked."""

    LONG = "validate:\n  level: enforce\n  operations:\n    chat: off\n    createMessage: warn\n"

    @pytest.mark.parametrize(
        ("mode", "upstream", "expected"),
        [
            ("record", "emulator", "enforce"),
            ("auto", "https://x", "warn"),
            ("playback", "emulator", "warn"),
            ("playback", "https://x", "warn"),
        ],
    )
    def test_when_nobody_said(self, tmp_path: Path, mode: str, upstream: str, expected: Level) -> None:
        """Enforced towards the emulator, a warning elsewhere and in playback; `validate` overrides."""
        options: dict[str, object] = {"mode": mode, "upstream": upstream}
        assert loaded(tmp_path, options=options).settings.validation == Levels(expected)
        assert loaded(tmp_path, options=options | {"validate": "off"}).settings.validation == Levels("off")

    @pytest.mark.parametrize(
        ("sources", "origin"),
        [
            ({"file": "validate: off\n"}, "replayproxy.yaml:1"),
            ({"file": "validate:\n  level: off\n"}, "replayproxy.yaml:2"),
            ({"env": {"REPLAYPROXY_VALIDATE": "off"}}, "REPLAYPROXY_VALIDATE"),
            ({"env": {"REPLAYPROXY_VALIDATE__LEVEL": "off"}}, "REPLAYPROXY_VALIDATE__LEVEL"),
            ({"options": {"validate": "off"}}, "--validate"),
        ],
    )
    def test_a_level_alone_is_the_short_form(self, tmp_path: Path, sources: Any, origin: str) -> None:
        """In every source; where it came from is told under the short name."""
        result = loaded(tmp_path, **sources)
        assert result.settings.validate == ValidateSettings("off")
        assert result.origins["validate"] == origin
        assert result.origins["validate.operations"] == "default"

    def test_operations_and_families_may_have_levels_of_their_own(self, tmp_path: Path) -> None:
        """Each by its name; they are shown as they are written."""
        result = loaded(tmp_path, self.LONG)
        assert result.settings.validation == Levels("enforce", (("chat", "off"), ("createMessage", "warn")))
        shown = {key.name: (key.of(result.settings), result.origins[key.name]) for key in KEYS}
        assert shown["validate"] == ("enforce", "replayproxy.yaml:2")
        assert shown["validate.operations"] == ({"chat": "off", "createMessage": "warn"}, "replayproxy.yaml:3")

    def test_a_stronger_source_keeps_the_levels_of_operations(self, tmp_path: Path) -> None:
        """As naming an upstream keeps the file's time-outs."""
        settings = loaded(tmp_path, self.LONG, options={"validate": "warn"}).settings
        assert settings.validate == ValidateSettings("warn", (("chat", "off"), ("createMessage", "warn")))

    @pytest.mark.parametrize(
        "text", ["validate:", "validate: null", "validate: {}", "validate: {level: , operations: }"]
    )
    def test_nothing_is_nothing_said(self, tmp_path: Path, text: str) -> None:
        """Whether left out, empty, or with all of it commented out."""
        assert loaded(tmp_path, text).settings.validate == ValidateSettings()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("validate: on", "replayproxy.yaml:1: validate: expected one of off, warn, enforce, not 'on'"),
            ("validate: [off]", "replayproxy.yaml:1: validate: expected one of off, warn, enforce, not a list"),
            ("validate:\n  levl: off", "replayproxy.yaml:2: validate.levl: unknown setting; did you mean `validate"),
            ("validate: {chat: off}", "replayproxy.yaml:1: validate.chat: unknown setting"),
            ("validate: {operations: off}", "expected a mapping of operations and families to off, warn or enforce"),
            (
                "validate:\n  operations:\n    chat: on\n    runs: {}",
                "replayproxy.yaml:3: validate.operations.chat: expected one of off, warn, enforce, not 'on'\n"
                "replayproxy.yaml:4: validate.operations.runs: expected one of off, warn, enforce, but nothing is",
            ),
        ],
    )
    def test_what_makes_no_sense_is_named(self, tmp_path: Path, text: str, message: str) -> None:
        """With its line; the levels of operations all at once."""
        assert message in complaint(tmp_path, file=text)


class TestCatalog:
    """The catalog of another API, and names that the catalog does not have."""

    FORM: ClassVar[dict[str, Any]] = {
        "catalog": 1,
        "operations": [
            {"id": "listParcels", "method": "GET", "path": "/parcels", "family": "parcels"},
            {"id": "sendParcel", "method": "POST", "path": "/parcels", "family": "parcels"},
        ],
    }
    PARCELS = read_catalog(json.dumps(FORM))

    def test_the_file_is_read_when_somebody_asks(self, tmp_path: Path) -> None:
        """A path as all others; loading the settings does not look whether it is there."""
        path = loaded(tmp_path, "catalog: parcels.json\n").settings.catalog
        assert path == tmp_path / "parcels.json"
        path.write_text(json.dumps(self.FORM))
        assert [operation.id for operation in load_catalog(path)] == ["listParcels", "sendParcel"]

    def test_without_a_file_it_is_that_of_openai(self) -> None:
        """The one that is shipped."""
        assert load_catalog(Settings().catalog).operation("createMessage").method == "POST"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "cannot be read: No such file or directory"),
            (b"{", "this is no catalog: it is not JSON"),
            (b"\xff", "this is no catalog: it is not JSON"),
            (b"openapi: 3.1.0", "this is no catalog: it is not JSON"),
            (b'{"openapi": "3.1.0"}', "this is no catalog: it does not say `catalog: 1`"),
            (b'{"catalog": 1, "operations": [{}]}', "the catalog is not in order in operation 1"),
        ],
    )
    def test_a_file_that_is_no_catalog_is_named(self, tmp_path: Path, content: bytes | None, message: str) -> None:
        """With what is wrong with it."""
        path = tmp_path / "parcels.json"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError) as caught:
            load_catalog(path)
        assert str(caught.value).startswith(f"catalog: {path}: {message}")

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (("parcel",), "validate.operations: there is no operation or family parcel; did you mean `parcels`?"),
            (("sendparcel",), "there is no operation or family sendparcel; did you mean `sendParcel`?"),
            (("zzzz", "parcels"), "validate.operations: there is no operation or family zzzz"),
            (("x" * 99,), f"there is no operation or family {'x' * 80}"),
        ],
    )
    def test_levels_of_what_there_is_not(self, names: tuple[str, ...], message: str) -> None:
        """Neither an operation nor a family; the nearest of both is told."""
        with pytest.raises(ConfigError) as caught:
            check_names(self.PARCELS, ValidateSettings(operations=tuple((name, "off") for name in names)), MatchRules())
        assert str(caught.value).endswith(message)

    @pytest.mark.parametrize(
        ("scope", "message"),
        [
            (Scope(operation="sendParcels"), "there is no operation sendParcels; did you mean `sendParcel`?"),
            (Scope(family="parcel"), "there is no family parcel; did you mean `parcels`?"),
            (Scope(operation="parcels"), "there is no operation parcels; did you mean `family: parcels`?"),
            (Scope(family="sendParcel"), "there is no family sendParcel; did you mean `operation: sendParcel`?"),
            (Scope("GET", "/zzz", "zzz"), "there is no operation zzz"),
        ],
    )
    def test_scopes_of_what_there_is_not(self, scope: Scope, message: str) -> None:
        """A rule that could never apply; what is an operation is no family."""
        rules = MatchRules.of(ignore=["body.a", "body.b"], scope=scope)
        with pytest.raises(ConfigError) as caught:
            check_names(self.PARCELS, ValidateSettings(), rules)
        assert str(caught.value) == f"match.rules: {message}"

    def test_all_are_told_at_once_with_their_lines(self, tmp_path: Path) -> None:
        """Where the lines are known."""
        rules = "match:\n  rules:\n    - operation: a\n      ignore: [body.a]\n    - family: b\n      also: header.b\n"
        settings = loaded(tmp_path, f"{rules}validate: {{operations: {{c: off}}}}\n").settings
        with pytest.raises(ConfigError) as caught:
            check_names(self.PARCELS, settings.validate, settings.match.all_rules)
        assert sorted(line.split(" there")[0] for line in str(caught.value).splitlines()) == [
            "replayproxy.yaml:4:",
            "replayproxy.yaml:6:",
            "validate.operations:",
        ]

    def test_what_there_is_may_be_named(self) -> None:
        """By levels and by rules."""
        rules = MatchRules.of(ignore=["body.a"], scope=Scope(operation="sendParcel", family="parcels"))
        levels = ValidateSettings(operations=(("parcels", "off"), ("listParcels", "warn")))
        check_names(self.PARCELS, levels, rules.plus(MatchRules.of(ignore=["body.b"])))


class TestAllow:
    """Who may use the ports: names and origins."""

    @pytest.mark.parametrize(
        ("given", "hosts"),
        [
            ("proxy.test", ("proxy.test",)),
            ("Proxy.TEST, .under.test,replay_proxy", ("proxy.test", ".under.test", "replay_proxy")),
            ("host.docker.internal", ("host.docker.internal",)),
            ("", ()),
        ],
    )
    def test_names_are_told_in_lower_case(self, tmp_path: Path, given: str, hosts: tuple[str, ...]) -> None:
        """As names and as suffixes of names."""
        assert loaded(tmp_path, env={"REPLAYPROXY_ALLOW__HOSTS": given}).settings.allow.hosts == hosts

    @pytest.mark.parametrize(
        "name", ["*", "*.test", "http://proxy.test", "proxy.test:8080", ".", "..test", "a b", "::1"]
    )
    def test_what_is_no_name_is_refused(self, tmp_path: Path, name: str) -> None:
        """Also one that would let every page in."""
        assert "replayproxy.yaml:1: allow.hosts" in complaint(tmp_path, file=f"allow: {{hosts: ['{name}']}}\n")

    @pytest.mark.parametrize(
        ("given", "origin"),
        [
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example/", "https://app.example"),
            ("https://app.example:443", "https://app.example"),
            ("http://app.example:80", "http://app.example"),
            ("https://app.example:80", "https://app.example:80"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
            ("vscode-webview://*", "vscode-webview://*"),
            ("App://*", "app://*"),
            ("file://*", "file://*"),
        ],
    )
    def test_origins_are_told_as_browsers_send_them(self, tmp_path: Path, given: str, origin: str) -> None:
        """In lower case, without a usual port; a scheme of a program's own may stand for all of it."""
        assert loaded(tmp_path, file=f"allow: {{origins: ['{given}']}}\n").settings.allow.origins == (origin,)

    @pytest.mark.parametrize(
        "origin",
        [
            *("*", "null", "http://*", "HTTPS://*", "null://*", "data://*", "*://app.example", "https://*.app.example"),
            *("app.example", "https://app.example/path", "https://app.example?x", "https://u@app.example", "https://"),
            *("https://app.example:x", "https://app.example, https://b.example", "https://app .example", "https://[1"),
        ],
    )
    def test_what_is_no_origin_is_refused(self, tmp_path: Path, origin: str) -> None:
        """Also one that would let every page in."""
        assert "replayproxy.yaml:1: allow.origins" in complaint(tmp_path, file=f"allow: {{origins: ['{origin}']}}\n")


def test_the_admin_token_is_no_setting(tmp_path: Path) -> None:
    """It is a secret: its variable is known, and no key of a file is."""
    assert loaded(tmp_path, env={"REPLAYPROXY_ADMIN_TOKEN": "a-secret-of-mine"}).settings == loaded(tmp_path).settings
    assert "unknown setting" in complaint(tmp_path, file="admin_token: a-secret-of-mine\n")


class TestApiKey:
    """The key that the proxy adds on the way up."""

    FILE = "upstream: {url: 'https://x', api_key_env: THE_KEY}\n"

    def test_it_is_the_value_of_the_named_variable(self, tmp_path: Path) -> None:
        """White space around it, as files and secret stores leave it, is no part of it."""
        settings = loaded(tmp_path, self.FILE).settings
        assert api_key(settings, {"THE_KEY": "sk-test \n"}) == "sk-test"
        assert "sk-test" not in repr(settings)

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({}, "names THE_KEY, which is not set"),
            ({"THE_KEY": " "}, "names THE_KEY, which is not set"),
            ({"THE_KEY": "a\nb"}, "the value of THE_KEY holds characters that no API key has"),
            ({"THE_KEY": "schlüssel"}, "the value of THE_KEY holds characters that no API key has"),
        ],
    )
    def test_a_missing_or_broken_key_is_an_error(self, tmp_path: Path, environ: dict[str, str], expected: str) -> None:
        """Before the first request, not with it."""
        with pytest.raises(ConfigError, match=expected):
            api_key(loaded(tmp_path, self.FILE).settings, environ)

    @pytest.mark.parametrize("options", [{"mode": "playback"}, {"upstream": "emulator"}])
    def test_playback_and_the_emulator_need_none(self, tmp_path: Path, options: dict[str, object]) -> None:
        """No upstream that asks for it, no key."""
        assert api_key(loaded(tmp_path, self.FILE, options=options).settings, {}) is None

    def test_without_a_name_the_clients_key_goes_up(self, tmp_path: Path) -> None:
        """None stands for that."""
        assert api_key(loaded(tmp_path, "upstream: https://x").settings, {"OPENAI_API_KEY": "k"}) is None


class TestComplaints:
    """Everything that nobody understands, with its place and the nearest that is known."""

    @pytest.mark.parametrize(
        ("sources", "expected"),
        [
            (
                {"file": "mode: auto\nupstrem: x\n"},
                "replayproxy.yaml:2: upstrem: unknown setting; did you mean `upstream`?",
            ),
            (
                {"file": "record:\n  # why\n  failure: true\n"},
                "replayproxy.yaml:3: record.failure: unknown setting; did you mean `record.failures`?",
            ),
            ({"file": "zzzzzzzz: 1\n"}, "replayproxy.yaml:1: zzzzzzzz: unknown setting"),
            ({"file": "<<: {mode: auto}\n"}, "replayproxy.yaml:1: <<.mode: unknown setting; did you mean `mode`?"),
            ({"file": "\nport: many\n"}, "replayproxy.yaml:2: port: expected a port from 0 to 65535, not 'many'"),
            ({"file": "port:\n"}, "replayproxy.yaml:1: port: expected a port from 0 to 65535, but nothing is there"),
            ({"file": "port: {}\n"}, "replayproxy.yaml:1: port: expected a port from 0 to 65535, but nothing is there"),
            ({"file": "record: true\n"}, "replayproxy.yaml:1: record: expected a mapping of failures, inline_limit"),
            ({"file": "port: [1]\n"}, "replayproxy.yaml:1: port: expected a port from 0 to 65535, not a list"),
            ({"file": "- mode\n"}, "replayproxy.yaml:1: expected a mapping of settings"),
            ({"file": "mode\n"}, "replayproxy.yaml:1: expected a mapping of settings"),
            ({"file": "[a]: 1\n"}, "replayproxy.yaml:1: expected the name of a setting, not a list or a mapping"),
            ({"file": "mode: auto\nmode: record\n"}, "replayproxy.yaml:2: `mode` is given twice, first on line 1"),
            ({"file": "mode: !!python/name:os.sep ''\n"}, "python/name:os.sep is not supported here"),
            ({"file": "mode: !env MODE\n"}, "replayproxy.yaml:1: the tag !env is not supported here"),
            ({"file": "record: !env {failures: true}\n"}, "replayproxy.yaml:1: the tag !env is not supported here"),
            ({"file": "!env x\n"}, "replayproxy.yaml:1: the tag !env is not supported here"),
            ({"file": "record: [1]\n"}, "record: expected a mapping of failures, inline_limit, fsync, not a list"),
            ({"file": "mode: {a: b}\n"}, "replayproxy.yaml:1: mode.a: unknown setting; did you mean `mode`?"),
            (
                {"file": "record: &a\n  failures: *a\n"},
                "replayproxy.yaml:2: `record.failures.failures` holds no further",
            ),
            ({"file": "mode: auto\nport: 'x\n"}, "replayproxy.yaml:3: not YAML: found unexpected end of stream"),
            ({"file": "mode: auto\n---\nmode: auto\n"}, "replayproxy.yaml:2: not YAML: but found another document"),
            ({"file": "mode: \x01\n"}, "replayproxy.yaml: not YAML: "),
            ({"env": {"REPLAYPROXY_MOED": "x"}}, "REPLAYPROXY_MOED: unknown setting; did you mean `REPLAYPROXY_MODE`?"),
            (
                {"env": {"REPLAYPROXY_UPSTREAM": "emulator", "REPLAYPROXY_UPSTREAM__URL": "emulator"}},
                "REPLAYPROXY_UPSTREAM__URL: says the same as REPLAYPROXY_UPSTREAM; keep one of them",
            ),
            ({"options": {"prot": 1}}, "--prot: unknown setting; did you mean `--port`?"),
        ],
    )
    def test_what_is_not_understood_is_named(self, tmp_path: Path, sources: Any, expected: str) -> None:
        """File and line, variable or option; the nearest known name; what was expected."""
        assert expected in complaint(tmp_path, **sources)

    def test_all_are_told_at_once(self, tmp_path: Path) -> None:
        """Who fixes a file need not start over for each mistake."""
        message = complaint(tmp_path, file="prot: 1\nspeed: fast\n", env={"REPLAYPROXY_HOST": "a/b"})
        assert [line.split(":")[0] for line in message.splitlines()] == ["replayproxy.yaml"] * 2 + ["REPLAYPROXY_HOST"]


class TestExample:
    """`config.example.yaml` and the schema are complete."""

    TEXT = (ROOT / "config.example.yaml").read_text("utf-8")

    def test_the_example_gives_every_key_its_default(self) -> None:
        """Loaded as it stands, it changes nothing, and no key is missing from it."""
        example = load({"config": "config.example.yaml"}, {}, ROOT).settings
        assert example == Settings(cassettes=ROOT / "cassettes")
        written = yaml.load(self.TEXT, Yaml12)
        for key in KEYS:
            group = written
            for name in key.path:
                assert name in group, f"{key.name} is not in the example"
                group = group[name]

    def test_every_key_of_the_example_is_explained(self) -> None:
        """A comment stands above each key, or above the keys that it belongs together with."""
        blocks = [
            block for block in self.TEXT.split("\n\n") if not all(line.startswith("#") for line in block.split("\n"))
        ]
        assert [block for block in blocks if "#" not in block] == []

    def test_the_schema_accepts_the_example_and_knows_every_key(self) -> None:
        """An editor that uses the schema has nothing to say about the example."""
        validator = jsonschema.Draft7Validator(schema())
        validator.check_schema(schema())
        assert list(validator.iter_errors(yaml.load(self.TEXT, Yaml12))) == []
        for document in ({"upstream": "https://api.openai.com"}, {"validate": "off"}, {"validate": None}):
            assert list(validator.iter_errors(document)) == []

    @pytest.mark.parametrize(
        "document",
        [
            {"mod": "auto"},
            {"mode": "recrod"},
            {"port": 70000},
            {"record": {"failure": True}},
            {"upstream": "https://u:p@x"},
            {"workers": "many"},
            {"validate": "on"},
            {"validate": {"operations": {"chat": "on"}}},
            {"validate": {"chat": "off"}},
            {"limits": {"body": "5M"}},
        ],
    )
    def test_the_schema_refuses_what_loading_refuses(self, tmp_path: Path, document: dict[str, Any]) -> None:
        """Editor and start agree."""
        assert list(jsonschema.Draft7Validator(schema()).iter_errors(document))
        assert complaint(tmp_path, file=json.dumps(document))

    def test_settings_are_frozen(self) -> None:
        """Settings are values: nobody changes them on the way."""
        with pytest.raises(AttributeError):
            Settings().mode = "record"  # type: ignore[misc]
