"""The view of a stream: while it comes, and when it is all there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from queue import Queue
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.scripted import Answer, scripted
from tests.browser.stage import Staged
from tests.processes import PATIENCE

Stage = Callable[..., Staged]
SSE = "text/event-stream"
ASKED = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}


def chunk(**delta: Any) -> bytes:
    """An event of a chat completion."""
    value = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


@pytest.fixture
def against(stage: Stage) -> Any:
    """Starts a proxy in front of a server whose `/v1/chat/completions` answers so."""
    with ExitStack() as stack:

        def start(answer: Answer) -> Staged:
            upstream = stack.enter_context(scripted(**{"chat/completions": answer}))
            return stage("serve", "--upstream", upstream.url, "--mode", "passthrough")

        yield start


@contextmanager
def asking(proxy: Staged) -> Iterator[Queue[bytes]]:
    """Asks for a stream in another thread; gives what arrives there."""
    arrived: Queue[bytes] = Queue()

    def ask() -> None:
        with httpx.stream("POST", f"{proxy.url}/v1/chat/completions", json=ASKED, timeout=PATIENCE) as response:
            for piece in response.iter_bytes():
                arrived.put(piece)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    yield arrived
    thread.join(PATIENCE)
    assert not thread.is_alive()


def events(page: Page) -> Locator:
    """The rows of the events."""
    return page.get_by_role("list", name="Events").get_by_role("listitem")


def test_a_stream_appears_event_by_event(against: Any, page: Page) -> None:
    """While the app still waits for the rest, what came is there: its row, its time, the text so far."""
    pieces: Queue[bytes | None] = Queue()
    proxy = against(Answer(media=SSE, pieces=pieces))
    with asking(proxy) as arrived:
        pieces.put(chunk(role="assistant", content=""))
        arrived.get(timeout=PATIENCE)
        page.goto(proxy.inspector("/exchanges/1"))
        expect(page.locator(".detail-head")).to_contain_text("under way")
        expect(page.get_by_text("coming in")).to_be_visible()
        expect(events(page)).to_have_count(1)
        for at, word in enumerate(("Ahoy", ", ", "<b>ships</b>", "!"), start=2):
            pieces.put(chunk(content=word))
            expect(events(page)).to_have_count(at)
            expect(events(page).nth(at - 1)).to_contain_text(word.strip())
        made = page.get_by_role("region", name="text of choices[0]")
        expect(made.locator("pre")).to_have_text("Ahoy, <b>ships</b>!")
        expect(made).to_contain_text("4 events")

        events(page).nth(1).get_by_role("button").click()
        expect(events(page).nth(1).get_by_role("tree")).to_contain_text('content: "Ahoy"')
        pieces.put(b"data: [DONE]\n\n")
        pieces.put(None)
        expect(page.locator(".detail-head")).to_contain_text("forwarded")
    expect(page.get_by_text("coming in")).to_be_hidden()
    expect(events(page)).to_have_count(6)
    expect(events(page).nth(1).get_by_role("tree")).to_be_visible()  # what was opened stays open
    expect(page.get_by_role("region", name="Response", exact=True).get_by_role("tab", name="Timing")).to_be_visible()


def test_a_stream_that_has_ended_tells_its_pace(stage: Stage, page: Page) -> None:
    """Events, characters and tokens per second, the longest gap, a strip of the whole, and each event's gap."""
    proxy = stage("serve", REPLAYPROXY_EMULATOR__PACE="0.02")
    for _ in proxy.client().chat.completions.create(**ASKED, stream_options={"include_usage": True}):
        pass
    page.goto(proxy.inspector("/exchanges/1"))

    facts = page.locator(".stream-facts")
    for told in ("events", "/s", "characters", "output tokens", "longest gap"):
        expect(facts).to_contain_text(told)
    expect(page.locator("svg.strip rect.bin").first).to_be_attached()
    assert "the longest gap is" in (page.locator("svg.strip").get_attribute("aria-label") or "")
    expect(page.get_by_role("region", name="text of choices[0]").locator("pre")).to_contain_text('You said "Hi"')
    facts.get_by_role("button").click()
    expect(page.locator(".event.longest button:focus")).to_have_count(1)
    expect(page.locator(".event.longest .since")).to_contain_text("+")


def test_a_gap_is_marked(against: Any, page: Page) -> None:
    """A stop that is long beside the others' pace stands out."""
    pieces: Queue[bytes | None] = Queue()
    proxy = against(Answer(media=SSE, pieces=pieces))
    with asking(proxy) as arrived:
        for _ in range(5):
            pieces.put(chunk(content="a"))
            arrived.get(timeout=PATIENCE)
        threading.Event().wait(0.5)  # the gap itself: time that passes between two events
        for piece in (chunk(content="b"), None):
            pieces.put(piece)
    page.goto(proxy.inspector("/exchanges/1"))

    expect(page.locator(".event.stop")).to_have_count(1)
    expect(events(page).nth(5)).to_have_class("event stop longest")
    expect(page.locator(".stream-facts")).to_contain_text("before event 6")


def test_deltas_are_folded_by_what_they_are_of(against: Any, page: Page) -> None:
    """Text, reasoning and the arguments of each tool call are texts of their own."""
    calls = [{"index": n, "function": {"arguments": part}} for n, part in ((0, '{"city"'), (1, "{}"), (0, ': "Oslo"}'))]
    parts = [
        chunk(reasoning_content="Hm."),
        chunk(content="Let me see."),
        *(chunk(tool_calls=[call]) for call in calls),
    ]
    proxy = against(Answer(b"".join(parts), SSE))
    proxy.raw("POST", "/v1/chat/completions", json=ASKED)
    page.goto(proxy.inspector("/exchanges/1"))

    made = page.locator(".made-one")
    expect(made).to_have_count(4)
    expect(page.get_by_role("region", name="arguments of choices[0].tool_calls[0]").locator("pre")).to_have_text(
        '{"city": "Oslo"}'
    )
    expect(page.get_by_role("region", name="reasoning of choices[0]").locator("pre")).to_have_text("Hm.")


def test_a_client_that_leaves_early_is_no_error(against: Any, page: Page) -> None:
    """Of a stream that its client closed, what came is shown, and nothing in red."""
    pieces: Queue[bytes | None] = Queue()
    proxy = against(Answer(media=SSE, pieces=pieces))
    with httpx.stream("POST", f"{proxy.url}/v1/chat/completions", json=ASKED, timeout=PATIENCE) as response:
        pieces.put(chunk(content="Enough"))
        with suppress(StopIteration):
            next(response.iter_bytes())
    pieces.put(chunk(content=", said he"))
    page.goto(proxy.inspector("/exchanges/1"))

    expect(page.get_by_role("region", name="text of choices[0]").locator("pre")).to_contain_text("Enough")
    pieces.put(None)
    expect(page.locator(".detail-head .badge.under_way")).to_have_count(0)
    expect(page.locator(".detail-head .badge.bad, .detail-head .badge.failed")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_events_are_gone_through_with_keys(against: Any, page: Page) -> None:
    """Arrows, Home and End move between rows; Enter opens one with its JSON, and closes it."""
    named = b'event: thread.message.delta\nid: 7\ndata: {"delta": {"content": []}, "deep": [1, 2]}\n\n'
    proxy = against(Answer(named * 120 + b"data: [DONE]\n\n", SSE))
    proxy.raw("POST", "/v1/chat/completions", json=ASKED)
    page.goto(proxy.inspector("/exchanges/1"))

    focused = page.locator(".event-head:focus")
    events(page).first.get_by_role("button").focus()
    page.keyboard.press("ArrowDown")
    expect(focused.locator(".place")).to_have_text("2")
    expect(focused.locator(".type")).to_have_text("thread.message.delta")
    page.keyboard.press("Enter")
    expect(focused).to_have_attribute("aria-expanded", "true")
    expect(events(page).nth(1)).to_contain_text("id: 7")
    expect(events(page).nth(1).get_by_role("tree")).to_contain_text("deep")
    page.keyboard.press("Enter")
    expect(events(page).nth(1).get_by_role("tree")).to_have_count(0)
    page.keyboard.press("End")
    expect(focused.locator(".place")).to_have_text("121")
    page.keyboard.press("Enter")
    expect(page.locator(".event-body")).to_contain_text("[DONE]")
    page.keyboard.press("Home")
    expect(focused.locator(".place")).to_have_text("1")


def test_thousands_of_events_stay_smooth(against: Any, page: Page) -> None:
    """Only the rows near the window are made, and scrolling through all of them drops few frames."""
    proxy = against(Answer(b"".join(chunk(content=f"word{n} ") for n in range(5000)), SSE))
    proxy.raw("POST", "/v1/chat/completions", json=ASKED)
    page.goto(proxy.inspector("/exchanges/1"))

    expect(page.locator(".stream-facts")).to_contain_text("5,000 events")
    assert events(page).count() < 500
    frames = page.evaluate(
        """async () => {
          const main = document.querySelector('main');
          const times = [];
          for (let at = 0; at < 60; at++) {
            main.scrollTop += 1500;
            times.push(await new Promise(requestAnimationFrame));
          }
          return times.length / ((times.at(-1) - times[0]) / 1000);
        }"""
    )
    assert frames > 20  # of a busy machine without a graphics card
    assert events(page).count() < 1000
    events(page).first.get_by_role("button").focus()
    page.keyboard.press("End")
    expect(page.locator(".event-head:focus")).to_contain_text("word4999")


def test_a_problem_of_an_event_stands_at_its_row(against: Any, page: Page) -> None:
    """What is wrong with the first event is told there, also when it was on the screen before anybody knew."""
    pieces: Queue[bytes | None] = Queue()
    proxy = against(Answer(media=SSE, pieces=pieces))
    with asking(proxy):
        pieces.put(chunk(content="a"))
        page.goto(proxy.inspector("/exchanges/1"))
        expect(events(page)).to_have_count(1)
        pieces.put(b"data: [DONE]\n\n")
        pieces.put(None)

    expect(events(page).first.locator(".note-line")).to_contain_text("Missing required parameter: 'id'")
    expect(events(page).nth(1).locator(".note-line")).to_have_count(0)


def test_a_stream_fits_on_a_phone(stage: Stage, narrow: Page) -> None:
    """Nothing makes the page scroll sideways."""
    proxy = stage()
    for _ in proxy.client().chat.completions.create(**ASKED):
        pass
    narrow.goto(proxy.inspector("/exchanges/1"))
    expect(narrow.get_by_role("list", name="Events")).to_be_visible()
    assert narrow.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
