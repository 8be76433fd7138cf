"""`replayproxy emulate`: the emulator of the API, alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from replayproxy import config
from replayproxy.cli.serving import announce, stop_signal
from replayproxy.cli.terminal import print_json, say
from replayproxy.config import EmulatorSettings
from replayproxy.config.allow_kinds import HOSTS
from replayproxy.config.nodes import Node
from replayproxy.proxy.loop import run_loop

__all__ = ["emulate"]

_port = click.IntRange(0, 65535)
_KEYS = {key.path[1]: key for key in config.KEYS if key.path[0] == "emulator"}


def _settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each of the emulator's settings, named as in the config file."""
    for name, key in reversed(_KEYS.items()):
        shown = "" if key.default is None else f"  [default: {str(key.default).removesuffix('.0')}]"
        kind: Any = click.Choice(key.kind.choices) if key.kind.choices else str
        flag = f"--{name.replace('_', '-')}"
        command = click.option(flag, name, type=kind, metavar=key.kind.metavar or None, help=key.about + shown)(command)
    return command


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8090, show_default=True, type=_port, help="The API's port; 0 = any free one.")
@click.option(
    "--admin-port", default=0, show_default=True, type=_port, help="For health, GET /state and POST /reset; 0 = any."
)
@click.option(
    "--allow-host", metavar="NAMES", default="", help="Names by which clients may call it as well: a container's, say."
)
@_settings_options
@click.option("--coverage", is_flag=True, help="Print which operations are emulated, and stop.")
@click.option("--json", "as_json", is_flag=True, help="The coverage as JSON.")
@click.option("--replies-schema", is_flag=True, help="Print a JSON Schema for files of replies, for editors, and stop.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Write mode, URLs and process id as JSON to this file once requests can be answered.",
)
def emulate(
    host: str,
    port: int,
    admin_port: int,
    allow_host: str,
    ready_file: Path | None,
    *,
    coverage: bool,
    as_json: bool,
    replies_schema: bool,
    **given: str | None,
) -> None:
    """Run the emulator of the OpenAI API until SIGTERM or SIGINT.

    Any API key will do. Nothing leaves the machine, but for what a model backend is asked.

    \b
    Examples:
      replayproxy emulate --port 8090
      OPENAI_BASE_URL=http://127.0.0.1:8090/v1 OPENAI_API_KEY=any python app.py
      replayproxy emulate --replies replies.yaml --state emulator.db
      replayproxy emulate --model-backend https://api.openai.com/v1 --model-key-env OPENAI_API_KEY
    """
    if coverage:
        _print_coverage(as_json=as_json)
        return
    if replies_schema:
        _print_replies_schema()
        return
    hosts = HOSTS.read(Node(allow_host, "--allow-host"), "--allow-host")
    run_loop(_until_stopped((host, port), (host, admin_port), hosts, _settings(given), ready_file))


def _settings(given: dict[str, str | None]) -> EmulatorSettings:
    """The settings that options give; ConfigError names the option."""
    values: dict[str, Any] = {}
    for name, text in given.items():
        if text is not None:
            flag = f"--{name.replace('_', '-')}"
            values[name] = _KEYS[name].kind.read(Node(text, flag), flag)
    return EmulatorSettings(**values)


async def _until_stopped(
    api: tuple[str, int],
    admin: tuple[str, int],
    hosts: tuple[str, ...],
    settings: EmulatorSettings,
    ready_file: Path | None,
) -> None:
    from replayproxy.emulator.admin import admin_routes
    from replayproxy.emulator.runner import emulator_runner
    from replayproxy.emulator.setup import set_up
    from replayproxy.proxy.admin_port import Guard, admin_runner
    from replayproxy.proxy.admin_token import admin_token
    from replayproxy.proxy.listening import listening

    token = admin_token(os.environ)
    with stop_signal() as stop:
        async with set_up(settings, os.environ) as emulator:
            routes, guard = admin_routes(emulator.state, emulator.fixtures), Guard(token, admin[0], hosts)
            async with (
                listening(emulator_runner(emulator.app, api[0], hosts), *api, "--port") as url,
                listening(admin_runner("emulate", guard, routes), *admin, "--admin-port") as admin_url,
            ):
                facts: dict[str, object] = {"mode": "emulate", "url": url, "admin_url": admin_url}
                facts["admin_token"] = token
                announce(f"replayproxy: emulate on {url} (admin {admin_url})", facts, ready_file)
                await stop.wait()


def _print_replies_schema() -> None:
    from replayproxy.emulator.brain.replies_schema import replies_schema as schema

    print_json(schema())


def _print_coverage(*, as_json: bool) -> None:
    from replayproxy.emulator.families import coverage
    from replayproxy.openai_api import catalog

    rows = list(coverage(catalog()))
    if as_json:
        told = [{"family": name, "emulated": served, "not_emulated": others} for name, served, others in rows]
        print_json(told)
        return
    for name, served, others in rows:
        missing = f"  not: {', '.join(others)}" if others else ""
        say(f"{name:<40} {len(served):>3} of {len(served) + len(others):>3}{missing}")
    done, all_ = sum(len(served) for _, served, _ in rows), sum(len(served) + len(others) for _, served, others in rows)
    say(f"{'all':<40} {done:>3} of {all_:>3} operations")
