"""The command line. Commands are imported when they are used: `--help` and completion stay fast."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from replayproxy import __version__
from replayproxy.cli.deferred import deferred
from replayproxy.errors import ReplayProxyError
from replayproxy.proxy.garbage import collect_seldom

__all__ = ["cli", "main"]

#: name -> (where the command is, what the list of commands says of it)
_COMMANDS = {
    "demo": ("replayproxy.cli.demo:demo", "Record, replay and explain a miss: no key, no network."),
    "serve": ("replayproxy.cli.serve:serve", "Run the proxy."),
    "record": ("replayproxy.cli.serve:record", "Run the proxy and record: serve --mode record."),
    "playback": (
        "replayproxy.cli.serve:playback",
        "Run the proxy and replay, without an upstream: serve --mode playback.",
    ),
    "emulate": ("replayproxy.cli.emulate:emulate", "Run the emulator of the API alone."),
    "run": ("replayproxy.cli.run:run", "Run a command behind the proxy: run -- pytest."),
    "tail": ("replayproxy.cli.tail:tail", "Show what goes through a running proxy, line by line."),
    "cassette": ("replayproxy.cli.cassette:cassette", "Check, list, show, compare, scan and redact recordings."),
    "catalog": ("replayproxy.cli.catalog:catalog", "Import an API's description; list and show operations."),
    "validate": ("replayproxy.cli.validate:validate", "Validate a body without a proxy."),
    "config": ("replayproxy.cli.config:config", "Check and show settings."),
    "completion": ("replayproxy.cli.completion:completion", "Print what makes your shell complete our commands."),
}


@contextmanager
def _harmless() -> Iterator[None]:
    """Makes what click says of wrong usage printable: it quotes names of files and what was typed."""
    try:
        yield
    except click.ClickException as error:
        from replayproxy.cli.terminal import printable

        told = printable(error.format_message())
        if told == error.format_message():
            raise
        if isinstance(error, click.UsageError):
            raise click.UsageError(told, error.ctx) from error
        raise click.ClickException(told) from error


class _Front(click.Group):
    """The outermost command: errors become messages, and colours are for those who want them."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """A context that honours NO_COLOR and FORCE_COLOR (https://no-color.org)."""
        with _harmless():
            return self._context(info_name, args, parent, **extra)

    def _context(self, info_name: str | None, args: list[str], parent: Any, **extra: Any) -> click.Context:
        if os.environ.get("NO_COLOR"):
            extra["color"] = False
        elif os.environ.get("FORCE_COLOR"):
            extra["color"] = True
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our own errors end it with one message and their exit status, an interrupt with 130."""
        try:
            with _harmless():
                return super().invoke(ctx)
        except ReplayProxyError as error:
            from replayproxy.cli.terminal import say

            say(f"Error: {error}", err=True)
            raise click.exceptions.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(130) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table: what a newcomer needs first comes first."""
        return list(self.commands)


@click.group(
    cls=_Front,
    commands=deferred(_COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, message="replayproxy %(version)s")
def cli() -> None:
    """Record what an app and an LLM API say to each other, and replay it.

    \b
    Start here:
      replayproxy demo
      replayproxy record --upstream https://api.openai.com
      replayproxy run --mode playback -- pytest
    """


def main() -> None:
    """The console script."""
    collect_seldom()
    cli(prog_name="replayproxy")
