"""`replayproxy config`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from replayproxy.cli import cli
from replayproxy.config import KEYS, schema


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str, **env: str) -> Result:
    """The result of `replayproxy ARGS` with the variables `env`."""
    return CliRunner().invoke(cli, args, env=env)


class TestCheck:
    """`config check`: 0 and `fine`, or 1 and a line for each problem."""

    def test_a_good_file_is_fine(self, folder: Path) -> None:
        """The file is named, whether given or found."""
        (folder / "replayproxy.yaml").write_text("mode: record\n", "utf-8")
        (folder / "other.yaml").write_text("mode: playback\n", "utf-8")
        assert (run("config", "check").output, run("config", "check", "other.yaml").output) == (
            "replayproxy.yaml: fine\n",
            "other.yaml: fine\n",
        )

    def test_no_file_is_fine(self, folder: Path) -> None:
        """Nothing has to be configured."""
        result = run("config", "check")
        assert (result.output, result.exit_code) == ("no config file; all settings are fine\n", 0)

    def test_problems_are_listed(self, folder: Path) -> None:
        """One line for each, on standard output, with exit status 1: a check that found something."""
        (folder / "bad.yaml").write_text("mode: recrod\nprot: 1\n", "utf-8")
        result = run("config", "check", "bad.yaml")
        assert result.exit_code == 1
        assert result.stdout.splitlines() == [
            "bad.yaml:1: mode: expected one of playback, auto, record, passthrough, not 'recrod'",
            "bad.yaml:2: prot: unknown setting; did you mean `port`?",
        ]
        as_json = run("config", "check", "--json", "bad.yaml")
        assert json.loads(as_json.stdout) == {"file": "bad.yaml", "problems": result.stdout.splitlines()}
        assert as_json.exit_code == 1

    def test_names_that_the_catalog_does_not_have(self, folder: Path) -> None:
        """Are found without a start; so is a catalog that cannot be read."""
        (folder / "bad.yaml").write_text("validate:\n  operations:\n    caht: off\n", "utf-8")
        result = run("config", "check", "bad.yaml")
        message = "validate.operations: there is no operation or family caht; did you mean `chat`?\n"
        assert (result.stdout, result.exit_code) == (message, 1)
        assert "no.json: cannot be read" in run("config", "check", REPLAYPROXY_CATALOG="no.json").stdout

    def test_a_missing_file_is_wrong_usage(self, folder: Path) -> None:
        """Exit status 2, as for every argument that does not make sense."""
        assert run("config", "check", "no.yaml").exit_code == 2


class TestShow:
    """`config show`: every setting and where it came from."""

    def test_each_value_has_its_origin(self, folder: Path) -> None:
        """From all four sources."""
        (folder / "replayproxy.yaml").write_text("mode: record\nport: 9000\nstrict: true\n", "utf-8")
        result = run("config", "show", "--port", "9001", REPLAYPROXY_STRICT="no")
        rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
        assert rows["mode"] == ["record", "replayproxy.yaml:1"]
        assert rows["port"] == ["9001", "--port"]
        assert rows["strict"] == ["false", "REPLAYPROXY_STRICT"]
        assert rows["host"] == ["127.0.0.1", "default"]
        assert rows["validate"] == ["default"]

    def test_as_json(self, folder: Path) -> None:
        """All keys, with values that JSON has and paths as text."""
        shown = json.loads(run("config", "show", "--json", "--cassette", "a.yaml").stdout)
        assert list(shown) == [key.name for key in KEYS]
        assert shown["cassette"] == {"value": str(folder / "a.yaml"), "origin": "--cassette"}
        assert shown["upstream"] == {"value": "emulator", "origin": "default"}
        assert shown["limits.body"]["value"] == 512 * 1024**2

    def test_lists_and_mappings_are_shown_too(self, folder: Path) -> None:
        """In the file's own words, on one line."""
        (folder / "replayproxy.yaml").write_text(
            "match:\n  ignore:\n  - body.a[*]\n  mask: {path: '[0-9]+'}\n", "utf-8"
        )
        rows = {line.split("  ")[0]: line.split() for line in run("config", "show").stdout.splitlines()}
        assert rows["match.ignore"] == ["match.ignore", '["body.a[*]"]', "replayproxy.yaml:2"]
        assert rows["match.mask"][1:] == ['{"path":', '"[0-9]+"}', "replayproxy.yaml:4"]
        shown = json.loads(run("config", "show", "--json").stdout)
        assert shown["match.mask"] == {"value": {"path": "[0-9]+"}, "origin": "replayproxy.yaml:4"}
        assert shown["match.rules"] == {"value": [], "origin": "default"}

    def test_every_option_reaches_its_setting(self, folder: Path) -> None:
        """Nothing is lost between the command line and the settings, negated flags included."""
        options = "--mode record --upstream https://x/v1 --cassettes tapes --host ::1 --port 1 --admin-port 2"
        options += " --validate warn --speed 2 --workers 1 --record-failures --no-strict --log-format json"
        shown = json.loads(run("config", "show", "--json", *options.split(), REPLAYPROXY_STRICT="yes").stdout)
        given = {name: row["value"] for name, row in shown.items() if row["origin"].startswith("--")}
        assert given == {
            "mode": "record",
            "upstream": "https://x/v1",
            "cassette": None,
            "cassettes": str(folder / "tapes"),
            "host": "::1",
            "port": 1,
            "admin_port": 2,
            "validate": "warn",
            "speed": 2.0,
            "workers": 1,
            "record.failures": True,
            "strict": False,
            "log_format": "json",
        }

    def test_a_config_file_can_be_named(self, folder: Path) -> None:
        """By option or by variable."""
        (folder / "other.yaml").write_text("speed: 3\n", "utf-8")
        by_option = run("config", "show", "--config", "other.yaml", "--json")
        by_variable = run("config", "show", "--json", REPLAYPROXY_CONFIG="other.yaml")
        assert json.loads(by_option.stdout)["speed"] == json.loads(by_variable.stdout)["speed"]
        assert json.loads(by_option.stdout)["speed"] == {"value": 3.0, "origin": "other.yaml:1"}

    def test_a_mistake_is_one_message_without_a_traceback(self, folder: Path) -> None:
        """On standard error, with exit status 2."""
        result = run("config", "show", "--workers", "none")
        assert (result.stdout, result.exit_code) == ("", 2)
        assert result.stderr == "Error: --workers: expected a whole number from 1 to 256, or auto, not 'none'\n"


def test_schema_is_printed(folder: Path) -> None:
    """As JSON, to be kept in a file."""
    assert json.loads(run("config", "schema").stdout) == schema()
