"""What the emulator takes to start, and to list from a lot: `python benchmarks/emulator.py`."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import orjson

from replayproxy.core.messages import Headers, Request
from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.assistants.messages import add_message
from replayproxy.emulator.assistants.threads import add_thread

RUNS = 5
THREADS, MESSAGES = 1000, 100
HEADERS = Headers.of(("Authorization", "Bearer any"), ("OpenAI-Beta", "assistants=v2"))


def seconds_to_start() -> float:
    """From the start of the process to its ready line."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "replayproxy", "emulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took = time.perf_counter() - began
        process.terminate()
    return took


async def microseconds(ask: Callable[[], Awaitable[object]], times: int = 200) -> float:
    """What one request costs in the process, the network left out."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(times):
            await ask()
        taken.append((time.perf_counter() - began) / times * 1e6)
    return statistics.median(taken)


async def page_costs(threads: int, messages: int) -> tuple[float, float]:
    """The costs of a page of 20 and of 100 messages with so much stored; the page is put into words, too."""
    state = create_app()[STATE]
    for _ in range(threads):
        thread = add_thread(state, {})
        for number in range(messages):
            add_message(state, thread, {"role": "user", "content": f"Message {number}"})

    def asking(limit: int) -> Callable[[], Awaitable[object]]:
        async def ask() -> object:
            target = f"/v1/threads/{thread.id}/messages?limit={limit}"
            return orjson.dumps(await state.dispatch(Request("GET", target, HEADERS)))

        return ask

    return await microseconds(asking(20)), await microseconds(asking(100))


async def main() -> None:
    """Prints both tables."""
    starts = [seconds_to_start() for _ in range(RUNS)]
    print(f"start to ready line: {statistics.median(starts):.2f} s (median of {RUNS})\n")
    print("| stored | page of 20, µs | page of 100, µs |")
    print("| --- | ---: | ---: |")
    small = await page_costs(1, MESSAGES)
    large = await page_costs(THREADS, MESSAGES)
    print(f"| 1 thread of {MESSAGES} messages | {small[0]:.0f} | {small[1]:.0f} |")
    print(f"| {THREADS} threads of {MESSAGES} messages | {large[0]:.0f} | {large[1]:.0f} |")
    print(f"| ratio | {large[0] / small[0]:.2f} | {large[1] / small[1]:.2f} |")


if __name__ == "__main__":
    asyncio.run(main())
