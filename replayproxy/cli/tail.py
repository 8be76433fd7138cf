"""`replayproxy tail`: what goes through a running proxy, line by line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

__all__ = ["tail"]

#: A term of the filter that is turned round; it looks like an option.
_NEGATED = re.compile(r"-[A-Za-z_][A-Za-z_0-9-]*[:~].*", re.DOTALL)


class _Filtering(click.Command):
    """A command whose arguments may begin with a `-`: `-session:x`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes the terms that are turned round out of the options' way."""
        if "--" in args:
            return super().parse_args(ctx, args)
        turned = [each for each in args if _NEGATED.fullmatch(each)]
        rest = [each for each in args if each not in turned]
        return super().parse_args(ctx, [*rest, "--", *turned] if turned else rest)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Options, and terms that are turned round."""
        is_term = re.match("-[A-Za-z_]", incomplete)
        return [*super().shell_complete(ctx, incomplete), *(_terms(ctx, incomplete) if is_term else ())]


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Terms of the filter language."""
    return _terms(ctx, incomplete)


def _terms(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """Keys of the filter language, and after the sign the words that a key takes."""
    from replayproxy.core.filters import FILTER_KEYS

    terms: tuple[str, ...] = ctx.params.get("terms") or ()
    if incomplete == ":" or terms[-1:] == (":",):  # bash takes `outcome:mi` for three words, and puts in the last one
        earlier = ["", *(term for term in terms if term != ":")]
        values = _values(FILTER_KEYS, earlier[-1].lstrip("-"))
        return [CompletionItem(each) for each in values if each.startswith(incomplete.lstrip(":"))]
    minus = "-" if incomplete.startswith("-") else ""
    key, sign, value = incomplete.removeprefix(minus).partition(":")
    if sign:
        found = (each for each in _values(FILTER_KEYS, key) if each.startswith(value))
        return [CompletionItem(f"{minus}{key}:{each}") for each in found]
    return [
        CompletionItem(f"{minus}{each['key']}{each['signs'][0]}", help=each["meaning"])
        for each in FILTER_KEYS
        if each["key"].startswith(key)
    ]


def _values(keys: list[dict[str, Any]], name: str) -> list[str]:
    return next((each["values"] for each in keys if name in (each["key"], *each["aliases"])), [])


@click.command(cls=_Filtering)
@click.argument("terms", metavar="[FILTER]...", nargs=-1, shell_complete=_complete)
@click.option(
    "--admin",
    "url",
    metavar="URL",
    default="http://127.0.0.1:8081",
    envvar="REPLAYPROXY_ADMIN_URL",
    show_envvar=True,
    show_default=True,
    help="The proxy's admin port. Where it wants a token, it is taken from REPLAYPROXY_ADMIN_TOKEN.",
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Take URL and token from the file that a proxy writes with --ready-file.",
)
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), default=10, show_default=True, help="Show so many of the past first."
)
@click.option("--follow/--no-follow", default=True, help="Go on with what happens, or end after the past.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a line for each; those under way as they change.")
def tail(terms: tuple[str, ...], url: str, ready_file: Path | None, lines: int, follow: bool, as_json: bool) -> None:
    """Show the exchanges of a running proxy: the latest ones, then each when it has ended.

    FILTER says which: terms such as outcome:miss, status:4xx, family:runs, session:x, body~text, that all have to fit;
    with a - in front, one that must not. Quote what your shell would take apart: 'body~"two words"'.

    It waits when the proxy goes away, and goes on when that is back. Ctrl+C ends it, with status 0.

    \b
    Examples:
      replayproxy tail
      replayproxy tail outcome:miss status:4xx -session:default
      replayproxy tail --json --no-follow -n 1000 | jq -r .operation | sort | uniq -c
    """
    from replayproxy.cli.tailing import Wanted, run  # here: completion needs none of it

    token = os.environ.get("REPLAYPROXY_ADMIN_TOKEN", "").strip()
    run(Wanted(url, token, ready_file, " ".join(terms), lines, follow, as_json))
