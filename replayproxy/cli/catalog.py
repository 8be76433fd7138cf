"""`replayproxy catalog`: import an OpenAPI description, list and show what an API can do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from replayproxy.cli.catalog_files import (
    LIST_HINT,
    catalog_form,
    catalog_header,
    catalog_option,
    named_operation,
    read_bytes,
    similar,
    the_catalog,
)
from replayproxy.cli.description_files import read_description
from replayproxy.cli.operation_text import operation_lines, with_definitions
from replayproxy.cli.progress import quiet_option, steps
from replayproxy.cli.terminal import print_json, print_table, say
from replayproxy.core.catalog import Operation
from replayproxy.core.catalog_form import read_catalog
from replayproxy.core.openapi import catalog_text, distilled
from replayproxy.errors import ConfigError
from replayproxy.stores.plain_files import write_whole

__all__ = ["catalog"]

_READABLE = 0o644


@click.group(short_help="Import an API's description; list and show operations.")
def catalog() -> None:
    """Import an API's description; list and show its operations.

    The catalog of the OpenAI API ships with replayproxy. Another API's is made from its OpenAPI file, and used with
    `catalog: FILE` in the config.

    \b
    Examples:
      replayproxy catalog list --family messages
      replayproxy catalog show createMessage
      replayproxy catalog import openapi.yaml -o catalog.json
    """


@catalog.command("import")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--overlay",
    "overlays",
    type=click.Path(path_type=Path),
    metavar="FILE",
    multiple=True,
    help="Corrections: a file of the OpenAPI Overlay Specification 1.0. May be given more than once.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE.")
@quiet_option
def import_(spec: Path, overlays: tuple[Path, ...], output: Path | None, quiet: bool) -> None:
    """Make a catalog from SPEC, an OpenAPI 3.0 or 3.1 file in YAML or JSON.

    The catalog goes to standard output, or to FILE, which must be a catalog when it is there already. To use it, say
    `catalog: FILE` in replayproxy.yaml.

    \b
    Examples:
      replayproxy catalog import openapi.yaml -o catalog.json
      replayproxy catalog import openapi.yaml --overlay corrections.yaml > catalog.json
    """
    if output:
        _check_output(output)
    with steps(len(overlays) + 3, quiet=quiet) as begin:
        text = catalog_text(_distilled(spec, overlays, begin)).encode()
        begin("Reading what was made")
        made = read_catalog(text)
    if output:
        _write(output, text)
    else:
        click.echo(text, nl=False)
    counts = (
        _count(len(made), "operation", "operations") + " in " + _count(len(made.families), "family", "families"),
        _count(len(json.loads(text).get("$defs", ())), "schema", "schemas"),
        f"{-(-len(text) // 1000):,} KB",
    )
    say(", ".join(counts), err=True)
    if output:
        say(f"Use it with `catalog: {output}` in replayproxy.yaml.", err=True)


@catalog.command("list")
@click.option("--family", metavar="NAME", help="Only the operations of this family.")
@catalog_option
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_operations(family: str | None, catalog_file: Path | None, as_json: bool) -> None:
    """List the operations of the API, family by family.

    \b
    Examples:
      replayproxy catalog list
      replayproxy catalog list --family messages
      replayproxy catalog list --json | jq -r '.[] | select(.off) | .id'
    """
    known = the_catalog(catalog_file)
    families = [each for each in known.families if family in (None, each.name)]
    if family is not None and not families:
        near = similar(family, (each.name for each in known.families))
        raise ConfigError(f"there is no family {family!r:.80}{near or '.'} {LIST_HINT}")
    operations = [operation for each in families for operation in each.operations]
    if as_json:
        print_json([_row(operation) for operation in operations])
        return
    say(catalog_header(known) + "\n")
    rows = [
        (operation.family, operation.id, operation.method, _path(operation), ", ".join(_marks(operation)))
        for operation in operations
    ]
    print_table(("FAMILY", "OPERATION", "METHOD", "PATH", "MARKS"), rows)


@catalog.command()
@click.argument("operation")
@catalog_option
@click.option("--json", "as_json", is_flag=True, help="Print its form in the catalog, with the `$defs` that it needs.")
def show(operation: str, catalog_file: Path | None, as_json: bool) -> None:
    """Show what is known of OPERATION: parameters, body, answers and stream.

    A name with a star must be there. A schema that was shown before is only named.

    \b
    Examples:
      replayproxy catalog show createMessage
      replayproxy catalog show createMessage --json | jq '."$defs" | keys'
    """
    known = the_catalog(catalog_file)
    name = named_operation(known, operation).id
    form = catalog_form(catalog_file)
    found = next(each for each in form["operations"] if each["id"] == name)
    if as_json:
        print_json(with_definitions(found, form.get("$defs", {})))
        return
    lines = [catalog_header(known), "", *operation_lines(found, form.get("$defs", {}))]
    say("\n".join(lines))


def _count(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _distilled(spec: Path, overlays: Sequence[Path], begin: Callable[[str], None]) -> Mapping[str, Any]:
    """The catalog of `spec`, corrected; `begin` is told each step."""

    def read(file: Path) -> Mapping[str, Any]:
        begin(f"Reading {file.name}")
        return read_description(file)

    document, changes = read(spec), [read(overlay) for overlay in overlays]
    begin("Making the catalog")
    try:
        return distilled(document, changes)
    except ConfigError as error:
        raise ConfigError(f"{_culprit(document, changes, overlays) or spec}: {error}") from error


def _culprit(document: Mapping[str, Any], changes: Sequence[Mapping[str, Any]], overlays: Sequence[Path]) -> str:
    """The overlay that cannot be applied: the first with which those before it fail as an overlay; "" for none."""
    for number, overlay in enumerate(overlays, 1):
        try:
            distilled(document, changes[:number])
        except ConfigError as error:
            if "overlay" in str(error).partition(":")[0]:
                return str(overlay)
    return ""


def _check_output(output: Path) -> None:
    """ConfigError when there is a file that holds something else than a catalog."""
    if not output.exists():
        return
    content = read_bytes(output)
    try:
        form = json.loads(content or b'{"catalog": 1}')
    except ValueError:
        form = None
    if not isinstance(form, dict) or "catalog" not in form:
        raise ConfigError(f"{output} is there and is no catalog, so it stays as it is; remove it or name another file")


def _write(output: Path, text: bytes) -> None:
    try:
        file = output.resolve()
        mode = file.stat().st_mode & 0o777 if file.exists() else _READABLE
        write_whole(file, text)
        file.chmod(mode)
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written: {error.strerror or error}; check the folder") from error


def _path(operation: Operation) -> str:
    query = "&".join(f"{name}={value}" for name, value in operation.query.items())
    return f"{operation.template}?{query}" if query else operation.template


def _marks(operation: Operation) -> list[str]:
    marks = ["stream"] if operation.stream else []
    if operation.deprecated:
        marks.append("deprecated")
    return [*marks, f"off since {operation.off}"] if operation.off else marks


def _row(operation: Operation) -> dict[str, Any]:
    return {
        "family": operation.family,
        "id": operation.id,
        "method": operation.method,
        "path": operation.template,
        "query": dict(operation.query),
        "stream": operation.stream is not None,
        "beta": operation.beta,
        "deprecated": operation.deprecated,
        "off": operation.off,
    }
