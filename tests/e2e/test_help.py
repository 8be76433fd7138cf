"""What `--help` says of every command there is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
from click.testing import CliRunner

from replayproxy.cli import cli


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """The words of all commands that do something."""
    for name in group.list_commands(click.Context(group)):
        shallow = group.commands[name]
        # The real command behind a deferred one is in the context that it makes.
        command = shallow.make_context(name, [], resilient_parsing=True).command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


def test_every_command_shows_an_example() -> None:
    """`--help` ends the search for how to call it."""
    found = list(commands(cli))
    assert {("serve",), ("run",), ("demo",), ("cassette", "check"), ("config", "show")} <= set(found)
    for words in found:
        result = CliRunner().invoke(cli, [*words, "--help"], prog_name="replayproxy")
        assert result.exit_code == 0
        assert re.search(rf"Examples?:\n(?:.*\n)*? +replayproxy {' '.join(words)}\b", result.output), result.output
