"""The view of one exchange, and of one interaction.

Rule: a test asks for the proxy before the page, so that the page is closed first: it watches whether a proxy is there.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from replayproxy.core.differences import index_path, name_path
from replayproxy.core.rule_paths import RulePath
from tests.browser.scripted import Answer, scripted
from tests.browser.stage import Staged

Stage = Callable[..., Staged]

#: Names that a path has to quote: spaces, quotes, what YAML reads, what nobody sees, what lies beyond the first plane.
NASTY = (
    *(
        "plain",
        "with-hyphen",
        "under_score",
        "0",
        "a.b",
        "a b",
        "",
        " ",
        "it's",
        'say "x"',
        "both ' and \"",
        "back\\slash",
    ),
    *(
        "[0]",
        "a[0].b",
        "colon: x",
        "hash #x",
        ": #",
        "tab\there",
        "line\nend",
        "return\rhere",
        "\x00",
        "\x1b[31m",
        "\x7f",
    ),
    *("ü", "é", "日本語", "emoji 😀", "\xa0", "\xad", "\u200b", "\u202e", "\u2028", "\ufeff", "\ue000", "\U000e0041"),
    *("\U0001f9d1\u200d\U0001f680", "__proto__", "constructor", "*", "**", "\u3000", "\x85", "\udc80", "’", "﷽"),
)


@pytest.fixture
def against(stage: Stage) -> Any:
    """Starts a proxy in front of a server with these answers: `against(chat=Answer(…))`; first its mode, if not
    passthrough."""
    with ExitStack() as stack:

        def start(mode: str = "passthrough", **answers: Answer) -> Staged:
            upstream = stack.enter_context(scripted(**answers))
            return stage("serve", "--upstream", upstream.url, "--mode", mode)

        yield start


def side(page: Page, name: str) -> Locator:
    """The request's or the response's half of the view."""
    return page.get_by_role("region", name=name, exact=True)


def place(element: Locator) -> tuple[float, float]:
    """Where it stands: from the left, from the top."""
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def show(page: Page, proxy: Staged, number: int = 1) -> None:
    """Opens an exchange and waits for it."""
    page.goto(proxy.inspector(f"/exchanges/{number}"))
    expect(side(page, "Response")).to_be_visible()


def clipboard(page: Page) -> str:
    """What was copied."""
    return str(page.evaluate("navigator.clipboard.readText()"))


def png(width: int = 8, height: int = 8) -> bytes:
    """A red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = (b"\0" + b"\xff\0\0" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def test_the_head_tells_what_the_exchange_was(stage: Stage, page: Page) -> None:
    """Number, request line, outcome, status, operation, session, cassette, model and tokens stand at the top."""
    proxy = stage()
    client = proxy.client("shop")
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])

    show(page, proxy)

    head = page.locator(".detail-head")
    expect(head.get_by_role("heading")).to_contain_text("#1 POST /v1/chat/completions")
    for told in ("saved", "200", "createChatCompletion", "gpt-4o", "tokens"):
        expect(head).to_contain_text(told)
    expect(head.get_by_role("link", name="session shop")).to_have_attribute("href", "#/?filter=session%3Ashop")
    expect(head.get_by_role("link", name="cassettes/shop.yaml")).to_have_attribute("href", "#/cassettes/shop.yaml")
    assert page.title() == "Exchange 1 – replayproxy"


def test_messages_stand_side_by_side_and_below_each_other_on_a_phone(stage: Stage, page: Page, narrow: Page) -> None:
    """Wide: two columns. Narrow: one, and nothing makes the page scroll sideways."""
    proxy = stage()
    proxy.raw(
        "POST", "/v1/chat/completions", json={"model": "m" * 300, "messages": [{"role": "user", "content": "x" * 900}]}
    )

    show(page, proxy)
    left, right = place(side(page, "Request")), place(side(page, "Response"))
    assert left[1] == right[1]
    assert left[0] < right[0]

    show(narrow, proxy)
    above, below = place(side(narrow, "Request")), place(side(narrow, "Response"))
    assert above[0] == below[0]
    assert above[1] < below[1]
    assert narrow.evaluate("document.querySelector('main').scrollWidth <= innerWidth")


def test_tabs_are_gone_through_with_arrows(stage: Stage, page: Page) -> None:
    """One tab stop for all tabs; arrows, Home and End choose; the choice holds for the next exchange."""
    proxy = stage()
    for _ in range(2):
        proxy.raw("GET", "/v1/models")
    show(page, proxy)

    response = side(page, "Response")
    response.get_by_role("tab", name="Body").focus()
    page.keyboard.press("ArrowRight")
    expect(response.get_by_role("tab", name="Headers")).to_be_focused()
    expect(response.get_by_role("tabpanel")).to_contain_text("Content-Type")
    page.keyboard.press("End")
    expect(response.get_by_role("tab", name="Timing")).to_have_attribute("aria-selected", "true")
    expect(response.get_by_role("tabpanel")).to_contain_text("Time to first byte")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(response.get_by_role("tab", name="Timing")).to_be_focused()

    page.keyboard.press("j")
    expect(page).to_have_url(f"{proxy.admin_url}/#/exchanges/2")
    expect(response.get_by_role("tab", name="Timing")).to_have_attribute("aria-selected", "true")


def test_keys_lead_to_the_neighbours_and_back(stage: Stage, page: Page, complaints: Any) -> None:
    """j is the next exchange, k the one before, Esc the list; at the ends a word says so."""
    complaints.expected.append("404")  # the page asks whether there is a next one
    proxy = stage()
    for _ in range(2):
        proxy.raw("GET", "/v1/models")
    show(page, proxy, 2)

    page.keyboard.press("j")
    expect(page.get_by_role("status")).to_have_text("This is the latest exchange")
    page.keyboard.press("k")
    expect(page).to_have_url(f"{proxy.admin_url}/#/exchanges/1")
    expect(page.get_by_role("heading", name="#1 GET")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_role("status")).to_have_text("This is the first exchange")
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{proxy.admin_url}/#/")


def test_an_exchange_that_is_not_there_says_so(stage: Stage, page: Page, complaints: Any) -> None:
    """With the proxy's own words, and a way on."""
    complaints.expected.append("404")
    proxy = stage()
    page.goto(proxy.inspector("/exchanges/77"))
    expect(page.get_by_role("alert")).to_contain_text("there is no exchange 77")
    expect(page.get_by_role("link", name="All exchanges")).to_be_visible()


def test_the_tree_is_gone_through_with_keys(stage: Stage, page: Page) -> None:
    """Arrows move, open and close; Home and End go to the ends; c copies the path, v the value."""
    proxy = stage()
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "metadata": {"a.b": "c"}, "store": True}
    proxy.raw("POST", "/v1/chat/completions", json=body)
    show(page, proxy)

    tree = side(page, "Request").get_by_role("tree")
    focused = page.locator("[role=treeitem]:focus > .row")
    tree.get_by_role("treeitem").first.focus()
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_text('model: "gpt-4o"')
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    expect(tree.get_by_role("treeitem", name="messages").first).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_text('role: "user"')
    page.keyboard.press("c")
    expect(page.get_by_role("status")).to_have_text("Path copied")
    assert clipboard(page) == "body.messages[0].role"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("v")
    expect(page.get_by_role("status")).to_have_text("Value copied")
    assert json.loads(clipboard(page)) == {"role": "user", "content": "Hi"}
    page.keyboard.press("End")
    expect(focused).to_have_text("store: true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("c")
    expect(page.locator(".chosen-path code").first).to_have_text("body.metadata['a.b']")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(tree.get_by_role("treeitem")).to_have_count(1)


def test_the_tree_opens_by_levels(stage: Stage, page: Page) -> None:
    """Collapse leaves one row, a number opens so deep, All opens all."""
    proxy = stage()
    proxy.raw("POST", "/v1/chat/completions", json={"a": {"b": {"c": {"d": 1}}}})
    show(page, proxy)

    request = side(page, "Request")
    for button, rows in (("Collapse", 1), ("Open 1 deep", 2), ("Open 3 deep", 4), ("All", 5), ("Open 2 deep", 3)):
        request.get_by_role("button", name=button).click()
        expect(request.get_by_role("treeitem")).to_have_count(rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_keep_their_digits_and_repeated_names_stay(
    against: Any, open_page: Callable[..., Page], scheme: str
) -> None:
    """What JSON.parse would change is shown as it was sent."""
    sent = b'{"id": 12345678901234567890, "x": 1.10, "y": 1e400, "1": 1, "0": 2, "again": 1, "again": 2}'
    proxy = against(odd=Answer(sent))
    proxy.raw("GET", "/v1/odd")
    page = open_page(color_scheme=scheme)
    show(page, proxy)

    tree = side(page, "Response").get_by_role("tree")
    expect(tree).to_contain_text("id: 12345678901234567890")
    expect(tree).to_contain_text("x: 1.10")
    expect(tree).to_contain_text("y: 1e400")
    names = [each.inner_text() for each in tree.locator(".name").all()]
    assert names == ["id", "x", "y", "1", "0", "again", "again"]
    expect(tree.get_by_text("repeated name")).to_have_count(1)


def test_what_is_no_json_is_shown_raw_with_the_reason(against: Any, page: Page) -> None:
    """A body whose media type promises JSON and that is none."""
    proxy = against(odd=Answer(b'{"a": 1,}'), text=Answer(b"plain words", "text/plain"))
    proxy.raw("GET", "/v1/odd")
    proxy.raw("GET", "/v1/text")

    show(page, proxy)
    response = side(page, "Response")
    expect(response.locator(".notice")).to_contain_text("This is no JSON")
    expect(response.locator(".long-text")).to_have_text('{"a": 1,}')
    page.keyboard.press("j")
    expect(response.locator(".long-text")).to_have_text("plain words")
    expect(response.locator(".notice")).to_have_count(0)


def test_long_strings_are_folded_until_asked_for(against: Any, page: Page) -> None:
    """The first hundreds of characters, and a button that tells how many there are."""
    proxy = against(odd=Answer(json.dumps({"text": "word " * 1000 + "end"}).encode()))
    proxy.raw("GET", "/v1/odd")
    show(page, proxy)

    tree = side(page, "Response").get_by_role("tree")
    expect(tree).not_to_contain_text("end")
    tree.get_by_role("button", name="Show all (5,003 characters)").click()
    expect(tree).to_contain_text("word end")


def test_text_is_found_in_the_tree(against: Any, page: Page) -> None:
    """In names and values, whatever the case, escaped or not, inside closed groups too; Enter goes to the next one."""
    body = {"items": [{"n": n, "text": f"row {n}"} for n in range(3000)], "Ümlaut": 'é\n"quoted"', "last": "row 2999"}
    proxy = against(odd=Answer(json.dumps(body).encode()))
    proxy.raw("GET", "/v1/odd")
    show(page, proxy)

    response = side(page, "Response")
    find = response.get_by_role("searchbox")
    found = response.locator(".row.found")
    find.fill("ROW 2999")
    expect(found).to_have_text('text: "row 2999"')
    expect(response.locator(".tree-tools")).to_contain_text("1 of 2")
    expect(response.locator(".chosen-path code")).to_have_text("body.items[2999].text")
    find.press("Enter")
    expect(found).to_have_text('last: "row 2999"')
    for query in ("ümlaut", 'É\n"Quo'.replace("\n", ""), '"quoted"'):
        find.fill(query)
        if query.startswith("É"):
            expect(found).to_have_count(0)
            expect(response.locator(".tree-tools")).to_contain_text("not found")
        else:
            expect(found).to_contain_text("Ümlaut")


def test_a_body_of_megabytes_stays_quick(against: Any, page: Page) -> None:
    """It opens, is searched and closes in fractions of a second; no more than some hundred rows are made."""
    rows = [
        {"id": f"file-{n:06}", "nested": {"values": [n, n + 1, n + 2], "text": "some words " * 8}}
        for n in range(24_000)
    ]
    body = json.dumps({"object": "list", "data": rows}).encode()
    assert 3_500_000 < len(body) < 4_190_000
    proxy = against("auto", odd=Answer(body))
    proxy.raw("GET", "/v1/odd")

    show(page, proxy)
    response = side(page, "Response")
    expect(response.locator(".notice")).to_contain_text("only its beginning was kept")
    expect(response.get_by_role("tree")).to_contain_text("cut off")
    page.goto(proxy.inspector("/cassettes/default.yaml/interactions/1"))
    expect(response.get_by_role("tree")).to_contain_text("24,000 items")
    assert page.locator("[role=treeitem]").count() < 600
    took = page.evaluate(
        """async () => {
          const { jsonTree } = await import('/ui/tree.js');
          const items = Array.from({length: 40000}, (_, n) => ({id: n, text: 'some words '.repeat(9)}));
          const text = JSON.stringify({data: items});
          const start = performance.now();
          const tree = jsonTree(text);
          const made = performance.now() - start;
          tree.querySelector('input').value = '39999';
          tree.querySelector('input').dispatchEvent(new Event('input'));
          const found = tree.querySelector('.found').textContent;
          return [text.length, made, performance.now() - start, found];
        }"""
    )
    size, made, searched, found = took
    assert size > 4_500_000
    assert found == "id: 39999"
    assert made < 1500
    assert searched < 3000


def test_problems_stand_at_their_fields(stage: Stage, page: Page) -> None:
    """A wrong value is marked where it is, and listed in a tab with its path and code."""
    proxy = stage()
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "temperature": "hot"}
    proxy.raw("POST", "/v1/chat/completions", json=body)
    show(page, proxy)

    request = side(page, "Request")
    marked = request.locator("[role=treeitem]:has(> .row.problem)")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("temperature")
    expect(marked).to_contain_text("Invalid type for 'temperature'")
    request.get_by_role("tab", name="Problems").click()
    expect(request.get_by_role("tabpanel")).to_contain_text("(invalid_type)")


def test_a_missing_field_is_marked_where_it_should_be(stage: Stage, page: Page) -> None:
    """What is not there is told at what should have it."""
    proxy = stage()
    proxy.raw("POST", "/v1/chat/completions", json={"model": "gpt-4o"})
    show(page, proxy)
    expect(side(page, "Request").locator("[role=treeitem]").first).to_contain_text("messages")
    expect(side(page, "Request").locator(".row.problem")).to_have_count(1)


def test_redacted_values_are_marked(stage: Stage, page: Page) -> None:
    """In headers and in bodies, with a word about why."""
    proxy = stage()
    key = "sk-" + "proj-Zm9vYmFyMTIzNDU2Nzg5MA_T3BlbkFJ-aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678901234567890abcdA"
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"my key is {key}, ok"}]}
    proxy.raw("POST", "/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"})
    show(page, proxy)

    request = side(page, "Request")
    marked = request.locator(".tree .redacted")
    expect(marked.first).to_have_text("redacted.api-key")
    expect(marked.first).to_have_attribute("title", "redacted before it was stored")
    request.get_by_role("tab", name="Headers").click()
    expect(request.get_by_role("row", name="authorization").locator(".redacted")).to_have_text("redacted.authorization")
    assert key not in page.content()


def test_pictures_in_json_are_folded_and_can_be_looked_at(against: Any, page: Page) -> None:
    """A data: URL and bare Base64 are told as what they are; opened, they are pictures."""
    base64_png = base64.b64encode(png(64, 64) + b"\0" * 200).decode()
    body = {
        "url": f"data:image/png;base64,{base64_png}",
        "data": [{"b64_json": base64_png}],
        "no": "data:text/html;base64,PGI+",
    }
    proxy = against(odd=Answer(json.dumps(body).encode()))
    proxy.raw("GET", "/v1/odd")
    show(page, proxy)

    tree = side(page, "Response").get_by_role("tree")
    expect(tree.locator("summary")).to_have_count(2)
    expect(tree.locator("img")).to_have_count(0)
    for summary in tree.locator("summary").all():
        expect(summary).to_contain_text("image/png")
        summary.click()
    expect(tree.locator("img")).to_have_count(2)
    for picture in tree.locator("img").all():
        expect(picture).to_have_js_property("naturalWidth", 64)


def test_parts_are_shown_as_what_they_are(stage: Stage, page: Page) -> None:
    """Text as text, JSON as a tree, a picture as a picture, bytes as bytes; each can be had as a file."""
    proxy = stage()
    files = [
        ("purpose", (None, b"vision")),
        ("file", ("red.png", png(32, 16), "image/png")),
        ("settings", ("s.json", b'{"deep": {"er": 1}}', "application/json")),
        ("bytes", ("x.bin", b"%PDF-1.7\n\xff\xfe" + bytes(range(256)) * 3, "application/pdf")),
    ]
    proxy.raw("POST", "/v1/files", files=files)
    show(page, proxy)

    parts = side(page, "Request").get_by_role("article")
    expect(parts).to_have_count(4)
    expect(parts.nth(0)).to_contain_text("vision")
    expect(parts.nth(1).locator("img")).to_have_js_property("naturalWidth", 32)
    expect(parts.nth(2).get_by_role("tree")).to_contain_text("er: 1")
    expect(parts.nth(3)).to_contain_text("25 50 44 46 2d 31 2e 37")
    with page.expect_download() as download:
        parts.nth(3).get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "x.bin"
    assert Path(download.value.path() or "").read_bytes() == files[3][1][1]


def test_sound_is_played_forms_are_tables_and_bytes_are_shown(against: Any, page: Page) -> None:
    """Bodies that are no text; each can be had whole."""
    samples = b"\0\0" * 800
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(samples),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        8000,
        16000,
        2,
        16,
        b"data",
        len(samples),
    )
    proxy = against(
        sound=Answer(head + samples, "audio/wav"), bytes=Answer(b"\xff\xfe\0\1" * 400, "application/octet-stream")
    )
    proxy.raw("POST", "/v1/sound", data={"grant type": "a&b", "empty": ""})
    proxy.raw("GET", "/v1/bytes")
    show(page, proxy)

    response = side(page, "Response")
    expect(response.locator("audio")).to_have_js_property("readyState", 4)
    request = side(page, "Request")
    expect(request.get_by_role("row", name="grant type a&b")).to_be_visible()
    page.keyboard.press("j")
    expect(response.locator(".hex")).to_contain_text("ff fe 00 01")
    expect(response.locator(".hex")).to_contain_text("and 1.1 kB more")
    with page.expect_download() as download:
        response.get_by_role("button", name="Download").click()
    assert Path(download.value.path() or "").read_bytes() == b"\xff\xfe\0\1" * 400


def test_two_exchanges_are_compared(stage: Stage, page: Page) -> None:
    """The first one is remembered; at the second one, d leads to their differences."""
    proxy = stage()
    for _ in range(2):
        proxy.raw("GET", "/v1/models")
    show(page, proxy)
    page.keyboard.press("d")
    expect(page.get_by_role("button", name="Choose another to compare")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    expect(page.get_by_role("button", name="Compare with #1")).to_be_visible()
    page.keyboard.press("d")
    expect(page).to_have_url(f"{proxy.admin_url}/#/diff?left=exchange%3A1&right=exchange%3A2")


def test_an_interaction_is_shown_with_its_document(stage: Stage, page: Page) -> None:
    """The same panes, and the YAML as it stands in the file; its neighbours are a key away."""
    proxy = stage()
    client = proxy.client()
    client.models.list()
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    page.goto(proxy.inspector("/cassettes/default.yaml/interactions/2"))

    request = side(page, "Request")
    expect(page.get_by_role("heading", name="#2 POST /v1/chat/completions")).to_be_visible()
    expect(request.get_by_role("tree")).to_contain_text('content: "Hi"')
    request.get_by_role("tab", name="YAML").click()
    expect(request.get_by_role("tabpanel")).to_contain_text("/v1/chat/completions")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", name="#1 GET /v1/models")).to_be_visible()


def test_paths_are_written_as_the_rules_have_them(stage: Stage, page: Page) -> None:
    """The page and the miss report quote names alike, and a rule can be made of each."""
    page.goto(stage().inspector())
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    # Halves of pairs cannot be handed to the browser: they are spelled there.
    spelled = [json.dumps(name) for name in NASTY]
    told = page.evaluate(
        """async (names) => {
          const { indexPath, namePath } = await import('/ui/paths.js');
          return names.map((name) => namePath(indexPath('body.messages', 3), JSON.parse(name)));
        }""",
        spelled,
    )
    expected = [name_path(index_path("body.messages", 3), name) for name in NASTY]
    assert told == expected
    for path, name in zip(expected, NASTY, strict=True):
        assert RulePath.parse(path).steps[-1] == name


def test_a_path_is_copied_from_the_tree_as_a_rule_has_it(against: Any, page: Page) -> None:
    """Through the page, over names that need quoting."""
    names = [name for name in NASTY if name.isprintable()]
    proxy = against(odd=Answer(json.dumps({name: [1] for name in names}).encode()))
    proxy.raw("GET", "/v1/odd")
    show(page, proxy)

    tree = side(page, "Response").get_by_role("tree")
    tree.get_by_role("treeitem").first.focus()
    for name in names:
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("c")
        expect(page.get_by_role("status")).to_have_text("Path copied")
        assert clipboard(page) == index_path(name_path("body", name), 0)
