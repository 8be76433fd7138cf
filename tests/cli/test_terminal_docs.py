"""What docs/terminal.md says of the commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from replayproxy.cli import cli
from replayproxy.cli.cassette_show import show
from replayproxy.cli.tail_lines import Columns
from replayproxy.core.filters import parse_filter

TEXT = (Path(__file__).parents[2] / "docs" / "terminal.md").read_text("utf-8")
#: Commands as they stand there, without what says in words what they do.
COMMANDS = [
    re.split(r"   +", line)[0]
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in re.findall(r"^\$ (replayproxy .*)$", block, re.MULTILINE)
]


def parsed(line: str) -> click.Context:
    """The context of the innermost command, which refuses what it does not know."""
    words = shlex.split(re.split(r" [|>] ", line)[0])[1:]
    command: click.Command = cli
    context = cli.make_context("replayproxy", words)
    while isinstance(context.command, click.Group):
        name, found, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_can_be_run_as_they_stand(line: str) -> None:
    """Names, options and arguments are known; so are the keys of filters."""
    context = parsed(line)
    for term in context.params.get("terms", ()):
        parse_filter(term)


def test_there_are_some() -> None:
    """The pattern above finds them."""
    assert len(COMMANDS) > 12


def test_the_names_of_the_columns_are_those() -> None:
    """As a terminal of that width shows them."""
    line = next(line for line in TEXT.splitlines() if line.startswith("TIME "))
    assert line == Columns(len(line) - len("SESSION") + 12).head().plain


def test_every_form_is_explained() -> None:
    """And no other one."""
    (form,) = (each for each in show.params if each.name == "form")
    assert isinstance(form.type, click.Choice)
    rows = re.findall(r"^\| (`.*?) \|", TEXT.partition("| form |")[2].partition("```")[0], re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(form.type.choices)


def test_every_option_of_tail_is_explained() -> None:
    """Of those that it has by itself."""
    tail = parsed("replayproxy tail").command
    rows = TEXT.partition("| option |")[2].partition("\n\n")[0]
    for option in tail.params:
        if isinstance(option, click.Option) and option.name != "help":
            assert any(f"`{name}" in rows for name in (*option.opts, *option.secondary_opts)), option.opts
