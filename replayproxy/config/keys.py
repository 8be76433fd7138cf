"""The settings one by one: how each source names them, and all that is known about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from replayproxy.config.settings import SHORT_FORMS, Settings
from replayproxy.config.values import Kind

__all__ = ["KEYS", "Key", "flag_name", "variable_name"]


def variable_name(name: str) -> str:
    """The environment variable of the setting `name` (`record.failures` gives `REPLAYPROXY_RECORD__FAILURES`)."""
    return "REPLAYPROXY_" + name.upper().replace(".", "__")


def flag_name(name: str) -> str:
    """The option of the setting `name` (`record.failures` gives `--record-failures`)."""
    return "--" + name.replace(".", "-").replace("_", "-")


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: where it is in `Settings`, and all that is known about it."""

    path: tuple[str, ...]
    kind: Kind[Any]
    default: Any
    about: str

    @property
    def name(self) -> str:
        """The key in a config file, nesting told by dots; in short where there is a short form (`upstream`)."""
        return self.path[0] if self.short else ".".join(self.path)

    @property
    def short(self) -> bool:
        """Whether the name of its group alone stands for it."""
        return self.path[1:] == (SHORT_FORMS.get(self.path[0]),)

    @property
    def env(self) -> str:
        """The environment variable."""
        return variable_name(self.name)

    @property
    def flag(self) -> str:
        """The option of the command line, where it has one."""
        return flag_name(self.name)

    def of(self, settings: Settings) -> object:
        """The value in `settings`, as JSON has it."""
        value: Any = settings
        for name in self.path:
            value = getattr(value, name)
        return value if value is None else self.kind.plain(value)

    @property
    def may_be_empty(self) -> bool:
        """Whether nothing at all may stand behind its name: the same as leaving it out."""
        return self.default is None or self.default == ()


def _keys(group: type[Any], path: tuple[str, ...] = ()) -> Iterator[Key]:
    hints = get_type_hints(group, include_extras=True)
    for item in dataclasses.fields(group):
        here, hint = (*path, item.name), hints[item.name]
        if dataclasses.is_dataclass(hint):
            yield from _keys(type(item.default), here)
        else:
            kind, about = hint.__metadata__
            yield Key(here, kind, item.default, about)


#: All settings, in the order of the fields.
KEYS: tuple[Key, ...] = tuple(_keys(Settings))
