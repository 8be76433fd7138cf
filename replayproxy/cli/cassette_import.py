"""`replayproxy cassette import`: a cassette out of HAR, redacted as if it had been recorded."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from replayproxy.cli.options import load_settings
from replayproxy.cli.progress import progress_of, quiet_option
from replayproxy.cli.terminal import print_json, say
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.exports.har_read import LeftOut, Taken, har_entries, read_entry
from replayproxy.core.problem import Problem
from replayproxy.core.redaction import Redactor
from replayproxy.core.secrets.custom import redactor_for
from replayproxy.errors import CassetteError, ConfigError
from replayproxy.openai_api import catalog
from replayproxy.stores import FileStore, Recorder
from replayproxy.stores.plain_files import followed

__all__ = ["import_"]

_NOTHING = 1
#: So many of those left out are named one by one.
_NAMED = 20


@dataclass(slots=True)
class _Import:
    """What became of the entries: how many there were, what was taken, what not and why."""

    entries: int
    taken: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    origins: Counter[str] = field(default_factory=Counter)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("cassette", type=click.Path(path_type=Path))
@click.option("--origin", metavar="URL", default="", help="Take only what went there: https://api.openai.com")
@click.option("--force", is_flag=True, help="Record over a cassette that is there; it is kept as CASSETTE~.")
@click.option("--append", is_flag=True, help="Add to a cassette that is there.")
@click.option(
    "--config", "config_file", type=click.Path(dir_okay=False), metavar="FILE", help="The config file with the rules."
)
@quiet_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def import_(
    context: click.Context,
    file: Path,
    cassette: Path,
    origin: str,
    force: bool,
    append: bool,
    config_file: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Make the CASSETTE out of the exchanges in the HAR FILE; exit with 1 when none could be taken.

    Secrets are redacted as in recording. What is no whole exchange with the API (preflights, what came out of a
    browser's cache, bodies that are not in the file) is left out and named.

    \b
    Examples:
      replayproxy cassette import session.har cassettes/session.yaml --origin https://api.openai.com
      replayproxy cassette import more.har cassettes/session.yaml --append
    """
    if force and append:
        raise click.UsageError("--force and --append exclude each other")
    settings = load_settings({"config": config_file}).settings
    store = FileStore(followed(cassette), settings.record.inline_limit)
    if store.exists() and not (force or append):
        raise ConfigError(f"{cassette} is there already. Add to it with --append, or record over it with --force")
    redactor = redactor_for(settings.redact, os.environ)
    result = _imported(_read(file), store, redactor, origin, force=force, quiet=quiet)
    if as_json:
        print_json(_as_json(result, redactor, cassette))
    else:
        _tell(result, redactor, cassette)
    context.exit(0 if result.taken else _NOTHING)


def _imported(har: Any, store: FileStore, redactor: Redactor, origin: str, *, force: bool, quiet: bool) -> _Import:
    """Saves what can be taken; nothing is touched when there is nothing."""
    entries = list(enumerate(har_entries(har), 1))
    read = [read_entry(entry, number, origin) for number, entry in progress_of(entries, "Reading", quiet=quiet)]
    result = _Import(len(entries), left_out=[each for each in read if isinstance(each, LeftOut)])
    taken = [each for each in read if isinstance(each, Taken)]
    if taken:
        head = _head(har, taken, redactor)
        with closing(store.replace_take(head) if force else store.append_to(head)) as recorder:
            for each in progress_of(taken, "Importing", quiet=quiet):
                _save(recorder, each, redactor, result)
    result.left_out.sort(key=lambda each: each.number)
    return result


def _read(file: Path) -> Any:
    try:
        raw = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(raw)  # takes half characters, which browsers write where they cut a text
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file} is no HAR, which is JSON: {error}") from error


def _head(har: Any, taken: list[Taken], redactor: Redactor) -> Head:
    """The head of a new cassette: that of the one which was exported, or what the exchanges have in common."""
    import replayproxy

    known = har["log"].get("_replayproxy")
    own = {name: str(known.get(name, "")) for name in ("upstream", "recorded")} if isinstance(known, dict) else {}
    origins = {each.origin for each in taken}
    upstream = own.get("upstream") or (origins.pop() if len(origins) == 1 else "")
    recorded = own.get("recorded") or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Head(upstream, recorded, f"replayproxy {replayproxy.__version__}", redactor.digest)


def _save(recorder: Recorder, taken: Taken, redactor: Redactor, result: _Import) -> None:
    interaction = _redacted(taken.interaction, redactor)
    if not taken.own:
        interaction = _named(interaction)
    try:
        recorder.append(interaction, taken.number)
    except CassetteError as error:
        result.left_out.append(LeftOut(taken.number, taken.origin + taken.interaction.request.target, error.what))
        return
    result.taken += 1
    result.origins[taken.origin] += 1


def _redacted(interaction: Interaction, redactor: Redactor) -> Interaction:
    """As in recording: the answer without the secrets of its request, too."""
    secrets = redactor.secrets(interaction.request)
    return replace(
        interaction,
        request=redactor.request(interaction.request),
        response=redactor.response(interaction.response, secrets),
        problems=tuple(_problem(each, redactor, secrets) for each in interaction.problems),
    )


def _problem(problem: Problem, redactor: Redactor, secrets: frozenset[str]) -> Problem:
    param = None if problem.param is None else redactor.text(problem.param, secrets)
    return replace(problem, message=redactor.text(problem.message, secrets), param=param)


def _named(interaction: Interaction) -> Interaction:
    """The interaction with the operation that the catalog knows it as."""
    meant = catalog().resolve(interaction.request.method, interaction.request.target)
    if meant is None:
        return interaction
    return replace(interaction, operation=meant.operation.id, family=meant.operation.family)


def _as_json(result: _Import, redactor: Redactor, cassette: Path) -> dict[str, Any]:
    left_out = [
        {"entry": each.number, "url": redactor.text(each.url), "why": redactor.text(each.why)}
        for each in result.left_out
    ]
    origins = [{"origin": origin, "interactions": count} for origin, count in result.origins.most_common()]
    counts = {"entries": result.entries, "interactions": result.taken}
    return {"cassette": str(cassette), **counts, "origins": origins, "left_out": left_out}


def _tell(result: _Import, redactor: Redactor, cassette: Path) -> None:
    where = f" into {cassette}" if result.taken else ", and nothing was written"
    say(f"{result.taken} of {result.entries} entries taken{where}")
    for origin, count in result.origins.most_common():
        say(f"  {count} from {origin}")
    if result.left_out:
        say(f"{len(result.left_out)} left out:")
    for why, count in Counter(each.why for each in result.left_out).most_common():
        numbers = [str(each.number) for each in result.left_out if each.why == why]
        more = f" and {count - _NAMED} more" if count > _NAMED else ""
        say(f"  {', '.join(numbers[:_NAMED])}{more}: {redactor.text(why)}")
