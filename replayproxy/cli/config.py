"""`replayproxy config`: what is wrong with a config file, what the settings are, and a schema for editors."""

from __future__ import annotations

import json
import os

import click

from replayproxy.cli.options import load_settings, setting_options
from replayproxy.cli.terminal import print_json, say
from replayproxy.config import KEYS, Loaded, schema
from replayproxy.errors import ConfigError

__all__ = ["config"]

_json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group(short_help="Check and show settings.")
def config() -> None:
    """Check and show settings: defaults < config file < environment < options."""


@config.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False), required=False)
@_json_option
def check(file: str | None, as_json: bool) -> None:
    """Tell what is wrong with FILE (or ./replayproxy.yaml) and the environment. Exit status 1 when anything is.

    That includes operations and families that the catalog does not have.

    \b
    Example:
      replayproxy config check tests/replayproxy.yaml
    """
    from replayproxy.config.catalogs import check_names, load_catalog  # reads a catalog, which other commands need not

    read, problems = file, list[str]()
    try:
        loaded = load_settings({"config": file})
        read, settings = os.path.relpath(loaded.file) if loaded.file else None, loaded.settings
        check_names(load_catalog(settings.catalog), settings.validate, settings.match.all_rules)
    except ConfigError as error:
        problems = str(error).splitlines()
    if as_json:
        print_json({"file": read, "problems": problems}, indent=None)
    else:
        say("\n".join(problems) or (f"{read}: fine" if read else "no config file; all settings are fine"))
    raise click.exceptions.Exit(1 if problems else 0)


@config.command()
@setting_options()
@_json_option
def show(loaded: Loaded, as_json: bool) -> None:
    """Show every setting and where it came from. Takes the options of serve, to see what they would do.

    \b
    Example:
      replayproxy config show --mode playback
    """
    rows = [(key.name, key.of(loaded.settings), loaded.origins[key.name]) for key in KEYS]
    if as_json:
        print_json({name: {"value": value, "origin": origin} for name, value, origin in rows})
        return
    lines = [(name, _written(value), origin) for name, value, origin in rows]
    name_width, value_width = (max(len(line[column]) for line in lines) for column in (0, 1))
    for name, value, origin in lines:
        say(f"{name:<{name_width}}  {value:<{value_width}}  {origin}")


def _written(value: object) -> str:
    """A value as it would stand in the file; nothing for one that is not set."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


@config.command("schema")
def show_schema() -> None:
    """Print the JSON Schema of the config file, for editors.

    \b
    Example:
      replayproxy config schema > replayproxy.schema.json
      and on top of replayproxy.yaml: # yaml-language-server: $schema=replayproxy.schema.json
    """
    print_json(schema())
