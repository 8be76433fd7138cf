"""`replayproxy demo`: the whole idea in three steps. The proxy, the emulator and the wire format are the real ones."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import click

import replayproxy
from replayproxy.cli.serving import stop_signal, tell_inspector
from replayproxy.cli.terminal import say
from replayproxy.config import Settings
from replayproxy.proxy.answers import INTERACTION_HEADER
from replayproxy.proxy.app import running
from replayproxy.proxy.log import configure
from replayproxy.proxy.loop import run_loop

__all__ = ["demo"]

_QUESTION = "How does AI work? Explain it in simple terms."
_CHANGED = "How do planes fly? Explain it in simple terms."
#: What the official client sends with every call of the Assistants API.
_HEADERS = {"Authorization": "Bearer demo", "OpenAI-Beta": "assistants=v2", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    number: str
    milliseconds: float


@click.command()
@click.option("--once", is_flag=True, help="Stop after the three steps; exit status 1 when one of them failed.")
def demo(once: bool) -> None:
    """Record on the emulator, replay with the emulator stopped, and explain a miss. No key, no network.

    Afterwards the proxy stays up for a client of your own, until Ctrl+C.

    \b
    Example:
      replayproxy demo --once
    """
    if not run_loop(_demo(once)):
        raise click.exceptions.Exit(1)


async def _demo(once: bool) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="replayproxy-demo-"))
    settings = Settings(cassette=folder / "demo.yaml", cassettes=None, port=0, admin_port=0)
    say(f"replayproxy {replayproxy.__version__}: a demo without an API key and without a network\n")
    recorded = await _talk(settings, "record", _QUESTION)
    played = await _talk(settings, "playback", _QUESTION)
    missed = (await _talk(settings, "playback", _CHANGED))[-1]
    same = [answer.body for answer in recorded] == [answer.body for answer in played]
    path = _message_path(recorded[0])
    _tell(1, "record", path, recorded[1], f"saved as #{len(recorded)} in {settings.cassette}")
    _tell(2, "playback", path, played[1], f"emulator stopped, bytes {'identical' if same else 'DIFFERENT'}")
    _tell(3, "miss", path, missed, "the question was changed; what the app is told:")
    say("\n".join(f"      {line}" for line in _error_message(missed).splitlines()))
    passed = same and [answer.status for answer in (*recorded, *played, missed)] == [200, 200, 200, 200, 424]
    if not passed:
        click.secho("\nthe demo failed", fg="red")
    elif not once:
        await _stay(settings)
    else:
        _tell_next()
    return passed


async def _talk(settings: Settings, mode: str, question: str) -> list[_Answer]:
    """Creates a thread and a message in it, through a proxy in `mode` that is stopped again afterwards."""
    async with (
        running(dataclasses.replace(settings, mode=mode)) as proxy,
        aiohttp.ClientSession(proxy.url, headers=_HEADERS) as client,
    ):
        thread = await _post(client, "/v1/threads", {})
        message = {"role": "user", "content": question}
        return [thread, await _post(client, _message_path(thread), message)]


async def _post(client: aiohttp.ClientSession, path: str, body: object) -> _Answer:
    began = time.perf_counter()
    async with client.post(path, json=body) as response:
        content = await response.read()
        number = response.headers.get(INTERACTION_HEADER, "")
        return _Answer(response.status, content, number, (time.perf_counter() - began) * 1000)


def _message_path(thread: _Answer) -> str:
    return f"/v1/threads/{json.loads(thread.body).get('id')}/messages"


def _error_message(answer: _Answer) -> str:
    return str(json.loads(answer.body)["error"]["message"])


def _tell(step: int, name: str, path: str, answer: _Answer, about: str) -> None:
    say(f"  {step} {name:<9} POST {path}  {answer.status}  {answer.milliseconds:.0f} ms  {about}")


def _tell_next(base_url: str = "") -> None:
    say("\nNext:")
    if not base_url:
        say("  replayproxy serve            # plays what is recorded, asks the emulator for the rest")
    say(f"  export OPENAI_BASE_URL={base_url or 'http://127.0.0.1:8080/v1'} OPENAI_API_KEY=demo")
    say("  python your_app.py           # it talks to the proxy now")
    say("  replayproxy run --mode playback -- pytest    # in CI: no key, no network, the same answers")


async def _stay(settings: Settings) -> None:
    """Serves the user's own client, recording what it does, until told to stop."""
    configure(settings.log_format)
    with stop_signal() as stop:
        async with running(dataclasses.replace(settings, mode="auto")) as proxy:
            say(f"\nThe proxy stays up on {proxy.url} until Ctrl+C; {proxy.admin_url}/ shows what goes through it.")
            tell_inspector(proxy)
            _tell_next(f"{proxy.url}/v1")
            await stop.wait()
