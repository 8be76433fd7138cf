"""`replayproxy cassette`: what can be done with recordings. Each command is imported when it is called."""

from __future__ import annotations

import click

from replayproxy.cli.deferred import deferred

__all__ = ["cassette", "schema"]

_HERE = "replayproxy.cli.cassette"

#: name -> (where the command is, what the list of commands says of it)
_COMMANDS = {
    "check": (f"{_HERE}_check:check", "Say whether cassettes are in order."),
    "list": (f"{_HERE}_list:list_", "List the interactions of a cassette, or the cassettes of a folder."),
    "show": (f"{_HERE}_show:show", "Show an interaction with its bodies, or as curl, Python, HTTP …"),
    "diff": (f"{_HERE}_diff:diff", "Say how two cassettes or two interactions differ."),
    "stats": (f"{_HERE}_stats:stats", "Count what is in cassettes: operations, models, tokens."),
    "scan": ("replayproxy.cli.secrets:scan", "Look for secrets in cassettes and other text files."),
    "redact": ("replayproxy.cli.secrets:redact", "Take the secrets out of cassettes, in place."),
    "export": (f"{_HERE}_export:export", "Write a cassette as HAR."),
    "import": (f"{_HERE}_import:import_", "Make a cassette from HAR."),
    "schema": (f"{_HERE}:schema", "Print the JSON Schema of a cassette's documents."),
}


class _Ordered(click.Group):
    """A group that lists its commands in the order of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """What is needed most comes first."""
        return list(self.commands)


@click.group(cls=_Ordered, commands=deferred(_COMMANDS))
def cassette() -> None:
    """Check, list, show, compare, count, scan and redact recordings.

    \b
    Examples:
      replayproxy cassette check --schema
      replayproxy cassette scan
      replayproxy cassette list cassettes/default.yaml
      replayproxy cassette show cassettes/default.yaml 3
      replayproxy cassette diff cassettes/default.yaml~ cassettes/default.yaml
    """


@click.command()
def schema() -> None:
    """Print the JSON Schema of a cassette's documents, for editors.

    \b
    Examples:
      replayproxy cassette schema > cassettes/cassette.schema.json
      then, as the first line of a cassette:
      # yaml-language-server: $schema=cassette.schema.json
    """
    from replayproxy.cli.terminal import print_json  # here, since the other commands need neither
    from replayproxy.core.cassette_schema import SCHEMA

    print_json(SCHEMA)
