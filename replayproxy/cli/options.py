"""The options that serve, record, playback and run share. What is not given is left to the other sources.

Click shows these options and reads their text; what the text means, and what is wrong with it, `replayproxy.config`
says, so that an option, a variable and a key of the file are judged alike.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from replayproxy import config
from replayproxy.config import Key, Loaded

__all__ = ["load_settings", "proxy_options", "setting_options"]

_T = TypeVar("_T")
_Command = Callable[..., _T]

#: The settings that have an option, in the order of `--help`.
_NAMES = (
    "mode",
    "upstream",
    "cassette",
    "cassettes",
    "host",
    "port",
    "admin_port",
    "validate",
    "speed",
    "workers",
    "record.failures",
    "strict",
    "receipt",
    "junit",
    "log_format",
)
_KEYS = {key.name: key for key in config.KEYS}


def load_settings(options: Mapping[str, object]) -> Loaded:
    """The settings of this process, with `options` (by `Key.name`, and `config` for the file) as the strongest source.

    Raises ConfigError.
    """
    return config.load(options, os.environ, Path.cwd())


def setting_options(*, mode: str = "", free_ports: bool = False) -> Callable[[_Command[_T]], _Command[_T]]:
    """Add the shared options to a command, which gets what they and the other sources say as `loaded: Loaded`.

    With `mode`, the command is that mode and has no such option; with `free_ports`, it listens on any free ports
    unless an option says otherwise.
    """
    presets = ({"mode": mode} if mode else {}) | ({"port": 0, "admin_port": 0} if free_ports else {})
    offered = [_KEYS[name] for name in _NAMES if not (mode and name == "mode")]

    def decorate(command: _Command[_T]) -> _Command[_T]:
        @functools.wraps(command)
        def with_settings(*args: Any, config_file: str | None, **values: Any) -> _T:
            given = {key.name: values.pop(_parameter(key)) for key in offered}
            options = presets | {name: value for name, value in given.items() if value is not None}
            return command(*args, loaded=load_settings(options | {"config": config_file}), **values)

        decorated: _Command[_T] = with_settings
        for key in reversed(offered):
            decorated = _option(key, presets)(decorated)
        return _config_option(decorated)

    return decorate


def proxy_options(*, mode: str = "", free_ports: bool = False) -> Callable[[_Command[_T]], _Command[_T]]:
    """Add the shared options and `--ready-file` to a command that starts the proxy.

    It gets `settings: Settings` and `ready_file: Path | None`. `mode` and `free_ports` as in `setting_options`.
    """

    def decorate(command: _Command[_T]) -> _Command[_T]:
        @functools.wraps(command)
        def with_settings(*args: Any, loaded: Loaded, **values: Any) -> _T:
            return command(*args, settings=loaded.settings, **values)

        return setting_options(mode=mode, free_ports=free_ports)(_ready_file_option(with_settings))

    return decorate


def _parameter(key: Key) -> str:
    return key.flag.lstrip("-").replace("-", "_")


def _option(key: Key, presets: Mapping[str, object]) -> Callable[[_Command[_T]], _Command[_T]]:
    boolean = isinstance(key.default, bool)
    flag = f"{key.flag}/--no-{key.flag.lstrip('-')}" if boolean else key.flag
    kind: Any = click.Choice(key.kind.choices) if key.kind.choices else None if boolean else str
    default = presets.get(key.name, "" if boolean or key.default is None else key.default)
    shown = f"; default: {str(default).removesuffix('.0')}" if default != "" else ""
    return click.option(
        flag,
        _parameter(key),
        type=kind,
        default=None,
        metavar=key.kind.metavar or None,
        help=f"{key.about}  [env var: {key.env}{shown}]",
    )


def _config_option(command: _Command[_T]) -> _Command[_T]:
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help=f"The config file.  [env var: {config.CONFIG_VARIABLE}; default: ./replayproxy.yaml if it is there]",
    )(command)


def _ready_file_option(command: _Command[_T]) -> _Command[_T]:
    return click.option(
        "--ready-file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="PATH",
        envvar="REPLAYPROXY_READY_FILE",
        show_envvar=True,
        help="Write mode, URLs and process id as JSON to this file once requests can be answered.",
    )(command)
