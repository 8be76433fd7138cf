"""Four sources made into one `Settings`, each value remembering where it came from.

Rules:
1. What nobody understands stops the start: an unknown key, an unknown `REPLAYPROXY_…` variable, a value that does not
   fit. All of them are told at once.
2. Relative paths in a file are relative to the file, all others to the working directory.
3. No secret becomes a setting: `api_key` looks the key up when it is needed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replayproxy.config.file import Entry, read_config
from replayproxy.config.keys import KEYS, Key, flag_name, variable_name
from replayproxy.config.nodes import Node, complaint, similar, unfit
from replayproxy.config.settings import Settings
from replayproxy.errors import ConfigError

__all__ = ["CONFIG_VARIABLE", "Loaded", "api_key", "load"]

#: The variable that names the config file, as `--config` does.
CONFIG_VARIABLE = "REPLAYPROXY_CONFIG"
_DEFAULT_FILE = "replayproxy.yaml"
#: Variables with our prefix that are no settings: of single commands, what `run` tells its command, and a secret.
_OTHER_VARIABLES = {CONFIG_VARIABLE, "REPLAYPROXY_READY_FILE", "REPLAYPROXY_URL", "REPLAYPROXY_ADMIN_URL"}
_OTHER_VARIABLES |= {"REPLAYPROXY_ADMIN_TOKEN"}
#: What Kubernetes sets in every pod beside a service that is called replayproxy (REPLAYPROXY_PORT=tcp://… among them).
_SERVICE_LINK = re.compile(r"REPLAYPROXY_(SERVICE|PORT_[0-9]+)_")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, where each came from (`origins`, by `Key.name`), and the config file that was read."""

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None


@dataclass(frozen=True, slots=True)
class _Source:
    """`keys` are the settings as this source spells them, `folder` what its relative paths are relative to."""

    keys: Mapping[str, Key]
    entries: Iterable[Entry]
    folder: Path


_Values = dict[tuple[str, ...], tuple[Any, str]]


def load(options: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> Loaded:
    """The settings that the sources give together.

    `options` maps `Key.name` to a value as text, number or boolean, and `config` to the config file; without it the
    variable REPLAYPROXY_CONFIG names the file, and without that `replayproxy.yaml` in `cwd` is read when it exists.
    Raises ConfigError: one line for each thing that is wrong, with its place.
    """
    file = _config_file(options, environ, cwd)
    values: _Values = {key.path: (key.default, "default") for key in KEYS}
    problems: list[str] = []
    for source in _sources(options, environ, cwd, file):
        _apply(_read(source, problems), values, problems)
    if problems:
        raise ConfigError("\n".join(problems))
    settings = _build(Settings, {path: _within(cwd, value) for path, (value, _) in values.items()})
    origins = {key.name: values[key.path][1] for key in KEYS}
    _check(settings, origins)
    return Loaded(settings, origins, file)


def api_key(settings: Settings, environ: Mapping[str, str]) -> str | None:
    """The key to send upstream in place of the client's; None: the client's own goes up.

    Raises ConfigError when a key is asked for and the environment has none that a header can carry.
    """
    name = settings.upstream.api_key_env
    if name is None or not settings.forwards or settings.upstream.kind == "emulator":
        return None
    key = environ.get(name, "").strip()
    if not key:
        raise ConfigError(f"upstream.api_key_env names {name}, which is not set; set it, or leave api_key_env out")
    if not re.fullmatch("[!-~]+", key):
        raise ConfigError(f"the value of {name} holds characters that no API key has")
    return key


def _config_file(options: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> Path | None:
    named = options.get("config") or environ.get(CONFIG_VARIABLE)
    path = cwd / str(named or _DEFAULT_FILE)
    return path if named or path.exists() else None


def _sources(
    options: Mapping[str, object], environ: Mapping[str, str], cwd: Path, file: Path | None
) -> Iterator[_Source]:
    """The sources beside the defaults, the weakest first."""
    if file is not None:
        shown = str(file.relative_to(cwd) if file.is_relative_to(cwd) else file)
        keys = _spelled(str)
        # A setting that is empty by default has names of the user's own inside, which are not names of settings.
        mappings = {name for name, key in keys.items() if key.default == ()}
        yield _Source(keys, read_config(file, shown, mappings), file.parent)
    yield _Source(_spelled(variable_name), _variables(environ), cwd)
    yield _Source(_spelled(flag_name), _options(options), cwd)


def _spelled(spell: Callable[[str], str]) -> dict[str, Key]:
    return {spell(name): key for key in KEYS for name in (key.name, ".".join(key.path))}


def _variables(environ: Mapping[str, str]) -> Iterator[Entry]:
    for name, text in environ.items():
        ours = name.startswith("REPLAYPROXY_") and name not in _OTHER_VARIABLES and text
        linked = _SERVICE_LINK.match(name) or (name == "REPLAYPROXY_PORT" and text.startswith("tcp://"))
        if ours and not linked:
            yield Entry(name, Node(text, name))


def _options(options: Mapping[str, object]) -> Iterator[Entry]:
    for name, value in options.items():
        if name != "config":
            yield Entry(flag_name(name), Node(str(value), flag_name(name)))


def _read(source: _Source, problems: list[str]) -> _Values:
    """What the source gives; what is wrong with it is added to `problems`."""
    given: _Values = {}
    for entry in source.entries:
        try:
            if (found := _value(entry, source.keys)) is None:
                continue
            key, value = found
            if key.path in given:
                twice = f"says the same as {given[key.path][1]}; keep one of them"
                raise complaint(entry.node, entry.name, twice)
        except ConfigError as error:
            problems.append(str(error))
            continue
        given[key.path] = (_within(source.folder, value), entry.node.place)
    return given


def _value(entry: Entry, keys: Mapping[str, Key]) -> tuple[Key, Any] | None:
    """The setting and its value; None when the entry says nothing: an empty group, or `null` where that is allowed."""
    members = [name.removeprefix(f"{entry.name}.") for name in keys if name.startswith(f"{entry.name}.")]
    key = keys.get(entry.name)
    if entry.node.value is None and (members or (key and key.may_be_empty)):
        return None
    if key is not None:
        return key, key.kind.read(entry.node, entry.name)
    if members:
        raise unfit(entry.node, entry.name, f"a mapping of {', '.join(members)}")
    raise complaint(entry.node, entry.name, f"unknown setting{similar(entry.name, keys)}")


def _within(folder: Path, value: Any) -> Any:
    return folder / value if isinstance(value, Path) else value


def _apply(given: _Values, values: _Values, problems: list[str]) -> None:
    """Lay what a source gives over `values`. A cassette and a folder of cassettes exclude each other."""
    one, folder = given.get(("cassette",)), given.get(("cassettes",))
    if one and folder:
        problems.append(f"{one[1]}: `cassette` and `cassettes` ({folder[1]}) exclude each other; keep one of them")
    values.update(given)
    if one:
        values["cassettes",] = (None, one[1])
    elif folder:
        values["cassette",] = (None, folder[1])


def _build(group: type[Any], values: Mapping[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> Any:
    """The dataclass `group` with its fields from `values`, groups within it likewise."""
    fields = {}
    for item in dataclasses.fields(group):
        here = (*path, item.name)
        fields[item.name] = values[here] if here in values else _build(type(item.default), values, here)
    return group(**fields)


def _check(settings: Settings, origins: Mapping[str, str]) -> None:
    """What no value can tell alone. Raises ConfigError."""
    if settings.port == settings.admin_port != 0:
        raise ConfigError(f"{origins['admin_port']}: port and admin_port are both {settings.port}; choose another one")
    upstream = settings.upstream
    if upstream.ca_file and settings.forwards and not upstream.ca_file.is_file():
        raise ConfigError(f"{origins['upstream.ca_file']}: upstream.ca_file: there is no file {upstream.ca_file}")
    itself = {f"http://{host}:{settings.port}" for host in (settings.host, "127.0.0.1", "localhost", "[::1]")}
    if settings.forwards and upstream.origin in itself:
        raise ConfigError(f"{origins['upstream']}: the upstream {upstream.origin} is the proxy itself")
