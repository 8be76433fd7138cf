"""The frame of the command line: help, version, errors, colours, and how fast it is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from replayproxy import __version__
from replayproxy.cli import cli, main
from replayproxy.cli.options import proxy_options
from replayproxy.config import Settings
from replayproxy.errors import CassetteError

NAMES = [
    *("demo", "serve", "record", "playback", "emulate", "run"),
    *("tail", "cassette", "catalog", "validate", "config", "completion"),
]


def front(command: click.Command) -> click.Group:
    """A command line with the frame of ours and `command` alone in it."""
    return type(cli)(commands={"try": command})


def attempt(command: click.Command, *args: str, **env: str) -> Any:
    """The result of calling `command` within the frame."""
    return CliRunner().invoke(front(command), ["try", *args], env=env)


def python(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter, without a terminal."""
    command = [sys.executable, "-W", "error", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | env)


class TestHelp:
    """What a newcomer sees first."""

    @pytest.mark.parametrize("flag", ["-h", "--help"])
    def test_it_lists_the_commands_in_the_order_of_need(self, flag: str) -> None:
        """The demo first."""
        lines = CliRunner().invoke(cli, [flag]).stdout.partition("Commands:")[2].splitlines()
        assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == NAMES

    def test_version(self) -> None:
        """Name and version, nothing else."""
        assert CliRunner().invoke(cli, ["--version"]).stdout == f"replayproxy {__version__}\n"

    def test_the_module_is_the_console_script(self) -> None:
        """`python -m replayproxy` works and calls itself replayproxy."""
        result = python("-m", "replayproxy", "--help")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("Usage: replayproxy [OPTIONS] COMMAND")

    def test_the_console_script_is_main(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It reads the process's own arguments and ends with an exit status."""
        monkeypatch.setattr(sys, "argv", ["anything", "--version"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code, capsys.readouterr().out) == (0, f"replayproxy {__version__}\n")

    def test_it_imports_nothing_heavy(self) -> None:
        """Help and completion need neither the server nor YAML nor pydantic: that is what makes them quick."""
        program = (
            "import json, sys; from replayproxy.cli import cli; cli.main(['--help'], standalone_mode=False);"
            "print(json.dumps(list(sys.modules)), file=sys.stderr)"
        )
        loaded = set(json.loads(python("-c", program).stderr))
        assert "click" in loaded
        assert loaded.isdisjoint({"aiohttp", "asyncio", "pydantic", "yaml", "rich", "orjson", "replayproxy.config"})

    def test_completion_knows_the_commands(self) -> None:
        """Without importing them."""
        env = {"_REPLAYPROXY_COMPLETE": "bash_complete", "COMP_WORDS": "replayproxy pl", "COMP_CWORD": "1"}
        assert python("-m", "replayproxy", **env).stdout == "plain,playback\n"


class TestMistakes:
    """Wrong usage: exit status 2 and a hint."""

    @pytest.mark.parametrize(
        ("args", "hint"),
        [
            (["confg"], "Did you mean 'config'?"),
            (["config", "shwo"], "Did you mean 'show'?"),
            (["config", "show", "--strickt"], "--strict"),
        ],
    )
    def test_the_nearest_name_is_told(self, args: list[str], hint: str) -> None:
        """For commands and for options."""
        result = CliRunner().invoke(cli, args)
        assert result.exit_code == 2
        assert hint in result.stderr

    def test_our_errors_are_one_message_and_their_exit_status(self) -> None:
        """No traceback, nothing on standard output."""

        @click.command()
        def fail() -> None:
            raise CassetteError("broken", path="a.yaml", line=3, cure="mend it")

        result = attempt(fail)
        assert (result.stdout, result.stderr, result.exit_code) == ("", "Error: a.yaml:3: broken. mend it\n", 2)

    def test_an_interrupt_ends_with_130(self) -> None:
        """As shells have it."""

        @click.command()
        def interrupted() -> None:
            raise KeyboardInterrupt

        assert attempt(interrupted).exit_code == 130


class TestColour:
    """NO_COLOR, FORCE_COLOR, and what is no terminal."""

    @pytest.mark.parametrize(
        ("env", "coloured"),
        [
            ({}, False),
            ({"FORCE_COLOR": "1"}, True),
            ({"NO_COLOR": "1"}, False),
            ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ],
    )
    def test_colours_are_for_those_who_want_them(self, env: dict[str, str], coloured: bool) -> None:
        """A pipe gets none unless forced; NO_COLOR has the last word."""

        @click.command()
        def paint() -> None:
            click.secho("red", fg="red")

        clean = {"NO_COLOR": "", "FORCE_COLOR": ""} | env
        assert ("\x1b[" in attempt(paint, **clean).output) is coloured


class TestProxyOptions:
    """The options that the commands which start a proxy share."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    @staticmethod
    def call(*args: str, env: dict[str, str] | None = None, **kinds: Any) -> Any:
        """What a command with the shared options is given."""
        seen: dict[str, Any] = {}

        @click.command()
        @proxy_options(**kinds)
        @click.argument("rest", nargs=-1)
        def command(settings: Settings, ready_file: Path | None, rest: tuple[str, ...]) -> None:
            """Do something."""
            seen.update(settings=settings, ready_file=ready_file, rest=rest)

        runner = CliRunner()
        result = runner.invoke(front(command), ["try", *args], env=env)
        return seen or result

    def test_they_become_settings(self) -> None:
        """Besides the command's own options and arguments."""
        seen = self.call("--port", "0", "--ready-file", "r.json", "a")
        assert (seen["settings"].port, seen["ready_file"], seen["rest"]) == (0, Path("r.json"), ("a",))

    def test_a_command_may_be_a_mode(self) -> None:
        """`record` records whatever file and environment say, and has no option to say otherwise."""
        seen = self.call(env={"REPLAYPROXY_MODE": "playback"}, mode="record")
        assert seen["settings"].mode == "record"
        assert self.call("--mode", "auto", mode="record").exit_code == 2

    def test_a_command_may_listen_on_free_ports(self, tmp_path: Path) -> None:
        """Unless an option names one."""
        (tmp_path / "replayproxy.yaml").write_text("port: 9000\n", "utf-8")
        assert self.call(free_ports=True)["settings"].port == 0
        assert self.call("--port", "9001", free_ports=True)["settings"].port == 9001

    def test_help_names_variables_and_defaults(self) -> None:
        """So that nobody has to look them up."""
        text = " ".join(self.call("--help").stdout.split())
        assert "[env var: REPLAYPROXY_PORT; default: 8080]" in text
        assert "[env var: REPLAYPROXY_READY_FILE]" in text
        assert "[env var: REPLAYPROXY_RECORD__FAILURES]" in text
