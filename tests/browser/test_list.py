"""The live list: rows as they happen, the filter box, pause, clear, and what is said when there is nothing to show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from urllib.parse import quote

import pytest
from openai import BadRequestError
from playwright.sync_api import Locator, Page, expect

from tests.browser.scripted import Answer, scripted
from tests.browser.stage import Complaints, Staged

Stage = Callable[..., Staged]


def rows(page: Page) -> Locator:
    """The rows that can be seen."""
    return page.locator(".recycled .row:not([hidden])")


def row(page: Page, number: int) -> Locator:
    """The row of an exchange."""
    return page.locator(f"#exchange-{number}")


def options(page: Page, text: str = "") -> Locator:
    """What the filter box offers, or that of it which has a text."""
    return page.locator("#filter-options").get_by_role("option").filter(has_text=text)


def chat(proxy: Staged, text: str, session: str = "") -> None:
    """One exchange, whose body has that text."""
    proxy.client(session).chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": text}], seed=7
    )


def opened(page: Page, proxy: Staged, filter: str = "") -> Staged:  # noqa: A002 -- what the address calls it
    """The list, with all that the journal holds in it."""
    page.goto(proxy.inspector(f"/?filter={quote(filter)}" if filter else "/"))
    expect(page.locator(".view.list")).to_have_attribute("data-state", "live")
    return proxy


def test_nothing_yet_tells_where_to_point_the_client(stage: Stage, page: Page) -> None:
    """An empty list shows the base URL, ready to be copied."""
    proxy = opened(page, stage())
    setting = f"OPENAI_BASE_URL={proxy.url}/v1"
    expect(page.get_by_role("heading", name="Nothing has gone through yet")).to_be_visible()
    page.get_by_role("button", name=f"Copy {setting}").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == setting


def test_an_exchange_appears_as_it_happens(stage: Stage, page: Page) -> None:
    """A row shows outcome by word and colour, operation, status, times, size, tokens, model and session."""
    proxy = opened(page, stage())
    chat(proxy, "hello")
    shown = row(page, 1)
    expect(shown.locator(".badge.saved")).to_have_text("saved")
    expect(shown.locator(".operation")).to_have_text("createChatCompletion")
    expect(shown.locator(".status")).to_have_text("200")
    for name in ("first", "total"):
        expect(shown.locator(f".{name}")).to_have_text(re.compile(r"\d (µs|ms|s)$"))
    expect(shown.locator(".size")).to_have_text(re.compile(r"\d B|kB"))
    expect(shown.locator(".tokens")).to_have_text(re.compile(r"^\d+ / \d+$"))
    expect(shown.locator(".model")).to_have_text("gpt-4o-mini")
    expect(shown.locator(".session")).to_have_text("default")
    expect(shown.locator(".time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    expect(shown).to_have_attribute("aria-label", re.compile("^1: POST createChatCompletion, saved, status 200"))
    chat(proxy, "hello")
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".counts")).to_have_text("2 exchanges")
    expect(rows(page).nth(0)).to_have_attribute("id", "exchange-2")


def test_what_went_wrong_stands_out(stage: Stage, page: Page) -> None:
    """Misses, refusals and bad statuses are marked as failed, an invalid request is called so."""
    proxy = stage("playback")
    proxy.raw("GET", "/v1/models")
    proxy.raw("POST", "/v1/chat/completions", json={"model": 1})
    opened(page, proxy)
    expect(row(page, 1)).to_have_class(re.compile("failed"))
    expect(row(page, 1).locator(".badge.missed")).to_have_text("missed")
    expect(row(page, 2).locator(".what .badge.warn")).to_have_text("invalid")
    expect(row(page, 1).locator(".what .badge.warn")).to_be_hidden()


def test_secrets_and_markup_in_a_target_are_shown_as_what_they_are(stage: Stage, page: Page) -> None:
    """A redacted value is marked as one; markup in an address is text."""
    proxy = stage()
    proxy.raw("GET", "/v1/threads/thread_1?key=sk-proj-abcdefghijklmnop1234567890abcdefghij&a=%3Cb%3E")
    proxy.raw("GET", "/v1/<img src=x onerror=alert(1)>")
    opened(page, proxy)
    expect(row(page, 1).locator(".target .redacted")).to_have_attribute("title", "redacted before it was stored")
    expect(row(page, 1).locator(".target")).not_to_contain_text("sk-proj")
    expect(row(page, 2).locator(".operation")).to_contain_text("img")
    expect(page.locator(".recycled img")).to_have_count(0)


def test_filter_is_applied_while_typing(stage: Stage, page: Page) -> None:
    """The list holds what fits, tells how many that are, takes in new ones that fit, and the address has the filter."""
    proxy = stage()
    for text in ("a parcel", "a letter", "another parcel"):
        chat(proxy, text)
    proxy.client("checkout").models.list()
    opened(page, proxy)
    expect(rows(page)).to_have_count(4)
    page.get_by_label("Filter", exact=True).fill('family:chat body~"PARCEL"')
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".counts")).to_have_text("2 of 4 fit")
    expect(page).to_have_url(re.compile(r"#/\?filter=family%3Achat\+body%7E%22PARCEL%22$"))
    expect(page).to_have_title(re.compile("^family:chat body~"))
    chat(proxy, "a third parcel")
    chat(proxy, "a card")
    expect(rows(page)).to_have_count(3)
    expect(row(page, 5)).to_be_visible()
    page.get_by_label("on", exact=True).uncheck()
    expect(rows(page)).to_have_count(6)
    expect(page.get_by_label("Filter", exact=True)).to_have_value('family:chat body~"PARCEL"')
    page.get_by_label("on", exact=True).check()
    expect(rows(page)).to_have_count(3)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("status:4xx", [3]),
        ("session:checkout", [2]),
        ("-session:checkout", [1, 3]),
        ("parcel", [1]),
        ("model:gpt*", [1]),
        ("is:miss", []),
        ("number:>1 method:get", [2, 3]),
    ],
)
def test_a_link_opens_the_list_filtered(stage: Stage, page: Page, text: str, numbers: list[int]) -> None:
    """A filter in the address is what the list opens with."""
    proxy = stage()
    chat(proxy, "a parcel")
    proxy.client("checkout").models.list()
    proxy.raw("GET", "/v1/nothing/here")
    opened(page, proxy, text)
    expect(page.get_by_label("Filter", exact=True)).to_have_value(text)
    expect(rows(page)).to_have_count(len(numbers))
    for number in numbers:
        expect(row(page, number)).to_be_visible()


def test_a_filter_that_makes_no_sense_is_explained_at_the_box(stage: Stage, page: Page, complaints: Complaints) -> None:
    """The message stands at the field, and the list keeps what it had, and goes on."""
    complaints.expected.append("400 (Bad Request)")
    proxy = stage()
    chat(proxy, "hello")
    opened(page, proxy)
    box = page.get_by_label("Filter", exact=True)
    box.fill("familly:runs")
    expect(page.locator("#filter-error")).to_contain_text("did you mean `family`?")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(row(page, 1)).to_be_visible()
    chat(proxy, "more")
    expect(row(page, 2)).to_be_visible()
    box.fill("family:runs")
    expect(page.locator("#filter-error")).to_be_hidden()
    expect(rows(page)).to_have_count(0)


def test_nothing_that_fits_says_how_to_see_the_rest(stage: Stage, page: Page) -> None:
    """With a filter that nothing fits the list says how many there are, and switches it off or empties it."""
    proxy = stage()
    chat(proxy, "hello")
    opened(page, proxy, "is:miss")
    expect(page.get_by_role("heading", name="None fits the filter")).to_be_visible()
    page.get_by_role("button", name="Switch the filter off").click()
    expect(row(page, 1)).to_be_visible()
    expect(page.get_by_label("Filter", exact=True)).to_have_value("is:miss")
    page.get_by_label("on", exact=True).check()
    page.get_by_role("button", name="Empty it").click()
    expect(row(page, 1)).to_be_visible()
    expect(page).to_have_url(re.compile("#/$"))


def test_filter_box_completes_keys_and_values(stage: Stage, page: Page, complaints: Complaints) -> None:
    """Keys come from the language, values from it or from the exchanges that are there; all by keyboard."""
    complaints.expected.append("400 (Bad Request)")  # what is half typed is asked for as well
    proxy = stage()
    proxy.client("checkout").models.list()
    chat(proxy, "hello")
    opened(page, proxy)
    box = page.get_by_label("Filter", exact=True)
    box.type("-ses")
    expect(options(page)).to_have_count(1)
    expect(options(page)).to_contain_text("the session's name")
    page.keyboard.press("Tab")
    expect(box).to_have_value("-session:")
    expect(options(page, "-session:checkout")).to_be_visible()
    page.keyboard.type("ch")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "filter-option-0")
    page.keyboard.press("Enter")
    expect(box).to_have_value("-session:checkout ")
    expect(rows(page)).to_have_count(1)
    page.keyboard.type("outcome:fail")
    options(page, "outcome:failed").click()
    expect(box).to_have_value("-session:checkout outcome:failed ")


def test_filters_that_were_used_are_offered_again(stage: Stage, page: Page) -> None:
    """An empty box offers the latest filters, the last one first, also after the page was loaded anew."""
    proxy = stage()
    chat(proxy, "hello")
    opened(page, proxy)
    box = page.get_by_label("Filter", exact=True)
    for text in ("family:chat", "status:2xx", "family:chat"):
        box.fill(text)
        box.press("Enter")
    box.fill("")
    expect(page).to_have_url(re.compile("#/$"))
    page.reload()
    box.click()
    expect(options(page).nth(0)).to_contain_text("family:chat")
    expect(options(page).nth(1)).to_contain_text("status:2xx")
    options(page).nth(1).click()
    expect(box).to_have_value("status:2xx")
    expect(row(page, 1)).to_be_visible()


def test_the_language_is_explained(stage: Stage, page: Page) -> None:
    """A dialog shows every key with its meaning and an example."""
    proxy = opened(page, stage())
    page.get_by_role("button", name="How?").click()
    dialog = page.get_by_role("dialog", name="How to write a filter")
    for each in proxy.get("/filters")["keys"]:
        expect(dialog.get_by_role("row").filter(has_text=each["example"])).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_misses_alone(stage: Stage, page: Page) -> None:
    """One button shows misses only, and all again; the rest of the filter stays."""
    proxy = stage("playback")
    proxy.raw("GET", "/v1/models")
    proxy.raw("POST", "/v1/chat/completions", json={"model": 1})
    opened(page, proxy, "number:>0")
    button = page.get_by_role("button", name="Misses")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Filter", exact=True)).to_have_value("number:>0 outcome:miss")
    expect(row(page, 1)).to_be_visible()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_label("Filter", exact=True)).to_have_value("number:>0")


def test_pause_keeps_collecting(stage: Stage, page: Page) -> None:
    """While the list stands still, it says how many wait; they come when it goes on."""
    proxy = opened(page, stage())
    chat(proxy, "one")
    expect(row(page, 1)).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    for text in ("two", "three"):
        chat(proxy, text)
    expect(page.get_by_role("button", name="Go on (2 wait)")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Go on").click()
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_clear_hides_and_shows_again(stage: Stage, page: Page) -> None:
    """Clearing hides what is there, not what comes; nothing is lost."""
    proxy = stage()
    for text in ("one", "two"):
        chat(proxy, text)
    opened(page, proxy)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("heading", name="Cleared")).to_be_visible()
    expect(page.locator(".counts")).to_have_text("0 exchanges · 2 cleared")
    chat(proxy, "three")
    expect(row(page, 3)).to_be_visible()
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Show all").click()
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_role("button", name="Show all")).to_be_hidden()


def test_the_list_recycles_its_rows_and_keeps_its_place(stage: Stage, page: Page) -> None:
    """Of many exchanges only those in sight are elements; who has scrolled down is not moved by new ones, and told."""
    proxy = stage()
    client = proxy.client()
    for _ in range(120):
        client.models.list()
    opened(page, proxy)
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "121")
    assert page.locator(".recycled .row").count() < 80
    page.get_by_role("grid").evaluate("element => element.scrollTop = 1400")
    expect(row(page, 60)).to_be_visible()
    before = row(page, 60).bounding_box()
    client.models.list()
    newer = page.get_by_role("button", name=re.compile(r"^↑ \d+ new$"))
    expect(newer).to_have_text("↑ 1 new")
    assert row(page, 60).bounding_box() == before
    order = page.locator(".recycled .row:not([hidden])").evaluate_all
    page.wait_for_timeout(400)  # the order of the elements is mended when the list stands still
    places = order("rows => rows.map(row => Number(row.getAttribute('aria-rowindex')))")
    assert places == sorted(places)
    newer.click()
    expect(row(page, 121)).to_be_in_viewport()
    expect(newer).to_be_hidden()


def test_a_broken_connection_is_told_and_mended(stage: Stage, page: Page, complaints: Complaints) -> None:
    """When the stream breaks the list says so and keeps what it has; another proxy in the same place takes it over."""
    complaints.expected += ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"]
    proxy = stage()
    for text in ("one", "two"):
        chat(proxy, text)
    opened(page, proxy)
    expect(rows(page)).to_have_count(2)
    proxy.running.stop()
    expect(page.get_by_text("The connection to the proxy broke")).to_be_visible()
    expect(page.get_by_text("no connection")).to_be_visible()
    expect(page.get_by_role("button", name="Try now")).to_be_visible()
    expect(rows(page)).to_have_count(2)
    other = stage("serve", "--admin-port", proxy.admin_url.rpartition(":")[2])
    chat(other, "three")
    expect(page.get_by_text("The connection to the proxy broke")).to_be_hidden()
    expect(page.get_by_text("no connection")).to_be_hidden()
    expect(rows(page)).to_have_count(1)


def test_an_exchange_under_way_is_in_the_list(stage: Stage, page: Page) -> None:
    """What is not answered yet is there as such, and becomes what it came to."""
    answer = Answer(media="text/event-stream", pieces=Queue())
    with scripted(stream=answer) as upstream:
        proxy = opened(page, stage("serve", "--upstream", upstream.url))
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(proxy.raw, "GET", "/v1/stream")
            expect(row(page, 1).locator(".badge.under_way")).to_have_text("under way")
            expect(row(page, 1).locator(".total")).to_have_text("…")
            assert answer.pieces is not None
            answer.pieces.put(b"data: [DONE]\n\n")
            answer.pieces.put(None)
            asked.result()
        expect(row(page, 1).locator(".badge.saved")).to_have_text("saved")
        expect(row(page, 1).locator(".total")).to_have_text(re.compile(r"\d"))


def test_narrow_rows_have_two_lines_and_the_page_does_not_scroll_sideways(stage: Stage, narrow: Page) -> None:
    """At 400 pixels outcome, operation, target, status and time are there, and a tap opens the exchange."""
    proxy = stage()
    chat(proxy, "hello")
    opened(narrow, proxy)
    for name in ("outcome", "operation", "target", "status", "total", "number"):
        expect(row(narrow, 1).locator(f".{name}")).to_be_visible()
    for name in ("time", "first", "session", "model", "tokens"):
        expect(row(narrow, 1).locator(f".{name}")).to_be_hidden()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 400
    row(narrow, 1).locator(".target").click()
    expect(narrow).to_have_url(re.compile("#/exchanges/1$"))


def test_a_click_chooses_and_the_name_opens(stage: Stage, page: Page) -> None:
    """A click on a row chooses it, on the operation's name it opens the exchange."""
    proxy = stage()
    chat(proxy, "hello")
    opened(page, proxy)
    row(page, 1).locator(".status").click()
    expect(row(page, 1)).to_have_attribute("aria-selected", "true")
    row(page, 1).get_by_role("link").click()
    expect(page).to_have_url(re.compile("#/exchanges/1$"))


def test_refused_requests_are_in_the_list(stage: Stage, page: Page) -> None:
    """What was refused as invalid is `rejected`."""
    proxy = opened(page, stage("serve", "--validate", "enforce"))
    with pytest.raises(BadRequestError):
        proxy.client().chat.completions.create(model=1, messages=[])  # type: ignore[call-overload]
    expect(row(page, 1).locator(".badge.rejected")).to_have_text("rejected")


def test_what_fits_can_be_saved_as_har(stage: Stage, page: Page) -> None:
    """A file that other tools open, with the exchanges that the list shows and no others."""
    proxy = stage()
    proxy.raw("GET", "/v1/models", headers={"authorization": "Bearer any"})
    proxy.raw("GET", "/v1/files", headers={"authorization": "Bearer any"})
    page.goto(proxy.inspector("/?filter=family:models"))
    expect(page.get_by_role("row", name=re.compile("listModels"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="HAR").click()
    har = json.loads(Path(download.value.path()).read_bytes())
    assert [entry["request"]["url"].rpartition("/")[2] for entry in har["log"]["entries"]] == ["models"]
