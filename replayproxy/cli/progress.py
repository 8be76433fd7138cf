"""How far a command is, on standard error: for people who wait, so on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from replayproxy.cli.terminal import console, styled

__all__ = ["is_shown", "progress_of", "quiet_option", "steps"]

_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., Any])


def quiet_option(command: _F) -> _F:
    """Add `--quiet`, given as `quiet: bool`."""
    return click.option("-q", "--quiet", is_flag=True, help="Show no progress.")(command)


def is_shown(count: int, *, quiet: bool) -> bool:
    """Whether a bar is shown for so many things to do."""
    return count > 1 and not quiet and sys.stderr.isatty()


def progress_of(items: Sequence[_T], what: str, *, quiet: bool = False) -> Iterable[_T]:
    """The items, with a bar that says how many of them were taken; it is gone in the end."""
    if not is_shown(len(items), quiet=quiet):
        return items
    from rich.progress import track  # here, since most runs show no bar

    return track(items, what, console=console(err=True), transient=True)


@contextmanager
def steps(count: int, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Tells each of `count` steps as it begins: what is yielded takes what the step does."""
    if not is_shown(count, quiet=quiet):
        yield lambda what: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    told = TextColumn("{task.description}", markup=False)
    with Progress(
        told, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console(err=True), transient=True
    ) as bar:
        task = bar.add_task("", total=count)
        begun = 0

        def begin(what: str) -> None:
            nonlocal begun
            bar.update(task, description=styled(what).plain, completed=begun, refresh=True)
            begun += 1

        yield begin
