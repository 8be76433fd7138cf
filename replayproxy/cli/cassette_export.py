"""`replayproxy cassette export`: a cassette as HAR, and an interaction in the forms that can be pasted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from replayproxy.cli.cassette_files import store_of
from replayproxy.cli.terminal import say
from replayproxy.core.cassette import Interaction
from replayproxy.core.messages import FileBody
from replayproxy.errors import ConfigError

if TYPE_CHECKING:
    from replayproxy.stores import FileStore

__all__ = ["export", "export_text"]

_STDOUT = Path("-")
#: Where a proxy is when nobody says otherwise.
_PROXY = "http://127.0.0.1:8080"


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Where to write; `-` is standard output.  [default: PATH with the extension .har]",
)
@click.option("--har", is_flag=True, help="Write HAR, which is what is written anyway.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def export(path: Path, output: Path | None, har: bool, force: bool) -> None:
    """Write the cassette PATH as HAR 1.2, which browsers' developer tools open.

    What HAR has no place for is in fields of our own, so that `cassette import` makes the same cassette of it.

    \b
    Examples:
      replayproxy cassette export cassettes/default.yaml
      replayproxy cassette export cassettes/default.yaml -o - | jq '.log.entries[].request.url'
    """
    from replayproxy.stores.plain_files import failure, write_whole

    output = output or path.with_suffix(".har")
    if output != _STDOUT and output.exists() and not force:
        raise ConfigError(f"{output} is there already. Name another file with --output, or write over it with --force")
    text = _har(store_of(path))
    if output == _STDOUT:
        sys.stdout.buffer.write(text + b"\n")
        sys.stdout.flush()
        return
    try:
        write_whole(output, text)
    except OSError as error:
        raise failure(error, output, "written") from error
    say(f"{path} is in {output} as HAR")


def export_text(interaction: Interaction, form: str) -> str:
    """The request of an interaction as `curl`, `openai`, `httpx` or `javascript`, for a proxy on its usual port; the
    whole interaction as `har`. ConfigError names the forms when there is no such one."""
    import replayproxy
    from replayproxy.core.exports.copying import FORMS, copied
    from replayproxy.core.exports.har import har_of
    from replayproxy.openai_api import catalog

    if form == "har":
        return orjson.dumps(har_of([interaction], replayproxy.__version__), option=orjson.OPT_INDENT_2).decode() + "\n"
    if form not in FORMS:
        raise ConfigError(f"there is no form {form!r:.80}; write one of {', '.join((*FORMS, 'har'))}")
    meant = catalog().resolve(interaction.request.method, interaction.request.target)
    return copied(form, interaction.request, _PROXY, meant.operation if meant else None)


def _har(store: FileStore) -> bytes:
    import replayproxy
    from replayproxy.core.exports.har import har_of, origin_of

    def content(body: FileBody) -> bytes:
        with store.open_body(body) as file:
            return file.read()

    cassette = store.load()
    origin = origin_of(cassette.head.upstream)
    found = har_of(cassette.interactions, replayproxy.__version__, origin=origin, head=cassette.head, read_body=content)
    return orjson.dumps(found, option=orjson.OPT_INDENT_2)
