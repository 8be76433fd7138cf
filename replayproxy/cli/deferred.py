"""Commands that are known by name and imported when they are called: help and completion stay fast."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

__all__ = ["Deferred", "deferred"]


class Deferred(click.Command):
    """A command of which only the name, what lists say of it and where it is are known."""

    def __init__(self, name: str, target: str, about: str) -> None:
        super().__init__(name, help=about, short_help=about)
        self._target = target

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """The context of the real command, which is what click goes on with."""
        module, _, attribute = self._target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command.make_context(info_name, args, parent, **extra)


def deferred(table: Mapping[str, tuple[str, str]]) -> list[click.Command]:
    """The commands of a table: name -> (where the command is, as `module:attribute`; what the list says of it)."""
    return [Deferred(name, target, about) for name, (target, about) in table.items()]
