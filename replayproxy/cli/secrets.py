"""`replayproxy cassette scan` and `redact`: the secrets that are in recordings all the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from replayproxy.cli.options import load_settings
from replayproxy.cli.progress import progress_of, quiet_option
from replayproxy.cli.secret_search import cassettes_in, files_in, hits_in, read_file
from replayproxy.cli.terminal import print_json, say
from replayproxy.config import Settings
from replayproxy.core.bodies import BodyDigest
from replayproxy.core.body_forms import file_extension
from replayproxy.core.messages import FileBody, Headers
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.custom import redactor_for, unusable_variables
from replayproxy.core.secrets.rewrite import Redacted, redacted_cassette
from replayproxy.errors import CassetteError
from replayproxy.stores.lock import Lock
from replayproxy.stores.plain_files import failure, write_whole
from replayproxy.stores.side_files import SideFiles

__all__ = ["redact", "scan"]

_FOUND = 1

_config_option = click.option(
    "--config", "config_file", type=click.Path(dir_okay=False), metavar="FILE", help="The config file with the rules."
)
_paths = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


@click.command()
@_paths
@_config_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@quiet_option
@click.pass_context
def scan(context: click.Context, paths: tuple[Path, ...], config_file: str | None, as_json: bool, quiet: bool) -> None:
    """Look for secrets in cassettes and other text files; exit with 1 when there is one.

    PATH is a file or a folder; without one it is the configured folder of cassettes. A cassette is looked at as the
    proxy would redact it today, any other file as text. What is found is named by its place, never shown.

    \b
    Examples:
      replayproxy cassette scan
      replayproxy cassette scan tests/cassettes old/vcr
      replayproxy cassette scan --json | jq -r '.[].rule' | sort | uniq -c
    """
    settings = _settings(config_file)
    redactor = _redactor(settings)
    files = [file for path in paths or (_configured(settings),) for file in files_in(path, bool(paths))]
    hits = hits_in(progress_of(files, "Scanning", quiet=quiet), redactor)
    if as_json:
        rows = [{"path": str(hit.path), "line": hit.line, "rule": hit.rule, "where": hit.where} for hit in hits]
        print_json(rows)
    else:
        for hit in hits:
            say(f"{hit.path}:{hit.line}: {hit.rule}: {hit.where}")
        told = f"{len(hits)} found in {len({hit.path for hit in hits})}" if hits else "nothing found in any"
        say(f"{told} of {len(files)} files")
        if hits:
            say("Redact cassettes with `replayproxy cassette redact`; keys that were published must be revoked.")
    context.exit(_FOUND if hits else 0)


@click.command()
@_paths
@_config_option
@click.option("--dry-run", is_flag=True, help="Say what would be redacted, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@quiet_option
def redact(paths: tuple[Path, ...], config_file: str | None, dry_run: bool, as_json: bool, quiet: bool) -> None:
    """Take the secrets out of cassettes, in place, by the rules of today.

    PATH is a cassette or a folder, which is searched for *.yaml and *.yaml~; without one it is the configured folder of
    cassettes. Answers stay playable: what an answer gave out changes alike where later requests name it. No copy of the
    file is kept, since the secrets would be in it.

    \b
    Examples:
      replayproxy cassette redact --dry-run
      replayproxy cassette redact tests/cassettes/checkout.yaml
    """
    settings = _settings(config_file)
    redactor = _redactor(settings)
    files = [file for path in paths or (_configured(settings),) for file in cassettes_in(path, bool(paths))]
    bar = progress_of(files, "Redacting", quiet=quiet)
    rows = [_redact(file, redactor, settings, dry_run) for file in bar]
    if as_json:
        print_json([row | {"path": str(row["path"])} for row in rows])
        return
    if not rows:
        say("There is no cassette to redact.")
    deed = "to redact" if dry_run else "redacted"
    for row in rows:
        told = f"{row['secrets']} secrets in {row['interactions']} interactions {deed}"
        say(f"{row['path']}: {told if row['secrets'] else 'nothing to redact'}")


def _settings(config_file: str | None) -> Settings:
    return load_settings({"config": config_file}).settings


def _redactor(settings: Settings) -> Redactor:
    for problem in unusable_variables(settings.redact, os.environ):
        say(f"Warning: {problem}", err=True)
    key = os.environ.get(settings.upstream.api_key_env or "", "").strip()
    return redactor_for(settings.redact, os.environ, (key,) if key else ())


def _configured(settings: Settings) -> Path:
    return settings.cassettes or settings.default_cassette


def _redact(path: Path, redactor: Redactor, settings: Settings, dry_run: bool) -> dict[str, Any]:
    with ExitStack() as stack:
        if not dry_run:
            stack.callback(_lock(path).release)
        files = SideFiles(path)
        try:
            text = read_file(path).decode()
            result = redacted_cassette(
                text, redactor, files.read, _large(redactor, files, dry_run), settings.record.inline_limit
            )
        except UnicodeDecodeError as error:
            raise CassetteError("the file is not UTF-8", path=str(path), cure="Save it as UTF-8") from error
        except CassetteError as error:
            raise error.at(str(path)) from error
        if result.secrets and not dry_run:
            _write(path, files, result)
    return {"path": path, "secrets": result.secrets, "interactions": result.interactions}


def _lock(path: Path) -> Lock:
    """The lock of the cassette, which is that of its earlier take as well."""
    try:
        return Lock(path.with_name(path.name.rstrip("~")))
    except OSError as error:
        raise failure(error, path, "written") from error


def _write(path: Path, files: SideFiles, result: Redacted) -> None:
    for name, content in result.files.items():
        files.write(name, content)
    try:
        write_whole(path, result.text.encode())
        files.sweep()
    except OSError as error:
        raise failure(error, path, "written") from error


def _large(
    redactor: Redactor, files: SideFiles, dry_run: bool
) -> Callable[[FileBody, Headers, frozenset[str]], tuple[FileBody, int]]:
    """What redacts bodies too large for memory, file by file."""

    def rewritten(body: FileBody, headers: Headers, secrets: frozenset[str]) -> tuple[FileBody, int]:
        with files.open(body) as file, ExitStack() as stack:
            stream, digest, sha, size = redactor.stream(secrets), BodyDigest(headers), hashlib.sha256(), 0
            spool = None if dry_run else files.spool()
            if spool:
                stack.callback(spool.discard)
            for piece in _pieces(file.read, stream.feed, stream.finish):
                digest.feed(piece)
                sha.update(piece)
                size += len(piece)
                if spool:
                    spool.write(piece)
            after = FileBody(body.name, size, digest.hexdigest())
            if after == body:
                return body, 0
            name = spool.adopt(sha.hexdigest(), file_extension(headers)) if spool else body.name
            return replace(after, name=name), 1

    return rewritten


def _pieces(
    read: Callable[[int], bytes], feed: Callable[[bytes], bytes], finish: Callable[[], bytes]
) -> Iterator[bytes]:
    while data := read(1024 * 1024):
        yield feed(data)
    yield finish()
