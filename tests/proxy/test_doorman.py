"""Who may come in, by the names and the origins that a request bears."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from replayproxy.config import AllowSettings
from replayproxy.proxy.doorman import Doorman, hostname, is_loopback

ALLOW = AllowSettings(
    hosts=("proxy.test", ".under.test", "host.docker.internal"),
    origins=("https://app.example", "http://localhost:3000", "vscode-webview://*"),
)


def asked(*headers: tuple[str, str], method: str = "GET", target: str = "/v1/models") -> web.BaseRequest:
    """A request with these headers."""
    return make_mocked_request(method, target, CIMultiDict(headers))


def verdict(raw: web.BaseRequest, allow: AllowSettings = ALLOW, host: str = "127.0.0.1") -> str | None:
    """The code of the refusal, None when there is none."""
    problem = Doorman(allow, host).stranger(raw)
    assert problem is None or problem.status == 403
    return problem.code if problem else None


OURS = (
    *("localhost", "localhost:8080", "LOCALHOST", "LocalHost:80", "localhost.", "localhost.:8080", "a.b.localhost"),
    *("127.0.0.1", "127.0.0.1:8080", "127.0.0.1:", "127.0.0.1.", "127.1.2.3", "192.168.1.7:8080", "0.0.0.0"),
    *("[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]:1", "[fe80::1%eth0]:1", "[2001:DB8::1]"),
    *("proxy.test", "PROXY.test:8080", "proxy.test.", "a.under.test", "a.b.under.test:1", "host.docker.internal:8080"),
)
OTHERS = (
    *("evil.example", "evil.example:8080", "evil.example.", "127.0.0.1.evil.example", "localhost.evil.example"),
    *(
        "127.0.0.1.nip.io:8080",
        "localtest.me",
        "evillocalhost",
        "localhost-evil.example",
        "notproxy.test",
        "a.proxy.test",
    ),
    *("under.test", "xunder.test", ".under.test", "evil.example#.under.test", "evil.example/.localhost"),
    *("localhost@evil.example", "evil.example@localhost", "user:pass@127.0.0.1", "evil.example:80@localhost"),
    *("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.256", "1.2.3.4.5", "017700000001"),
    *("::1", "[::1", "::1]", "[]", "[evil.example]", "[::1].evil.example", "[::1]evil.example", "[v1.x]"),
    *("localhost:80:80", "localhost:80a", "localhost:+80", "local host", "localhost,evil.example", "localhost;x"),
    *(
        "localhost\x00",
        "localhost\t.evil.example",
        "localhost..",
        "..",
        ".",
        ":8080",
        "*",
        "127.0.0.1\u3002",
        "l\u043ecalhost",
    ),
    *("replayproxy", "x:8080", "localhost/", "localhost?", "http://localhost", "1" * 400, "a." * 200 + "localhost"),
)


@pytest.mark.parametrize("host", OURS)
def test_names_that_lead_nowhere_else_are_ours(host: str) -> None:
    """Addresses, localhost and what is under it, and what is configured; in any case, with or without a port."""
    assert verdict(asked(("Host", host))) is None


@pytest.mark.parametrize("host", OTHERS)
def test_names_that_anybody_can_have_are_none_of_ours(host: str) -> None:
    """Also those that only look like ours, and what is no name at all."""
    assert verdict(asked(("Host", host))) == "wrong_host"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "a.localhost", "LOCALHOST"])
def test_on_loopback_a_name_without_a_dot_is_a_strangers(host: str) -> None:
    """The network may say what it means, and serves nobody here."""
    assert is_loopback(host)
    assert verdict(asked(("Host", "replayproxy:8080")), host=host) == "wrong_host"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "box", "box.example"])
def test_elsewhere_containers_call_us_by_a_name_without_a_dot(host: str) -> None:
    """Nobody can register one; names with dots are strangers' all the same, but for the one we listen on."""
    assert not is_loopback(host)
    assert verdict(asked(("Host", "replayproxy:8080")), host=host) is None
    assert verdict(asked(("Host", "evil.example")), host=host) == "wrong_host"
    assert verdict(asked(("Host", f"[{host}]:1" if ":" in host else f"{host}:1")), host=host) is None


@pytest.mark.parametrize(
    ("hosts", "code"),
    [
        ((), None),
        (("",), None),
        (("localhost", "evil.example"), "wrong_host"),
        (("evil.example", "localhost"), "wrong_host"),
    ],
)
def test_every_name_counts(hosts: tuple[str, ...], code: str | None) -> None:
    """Clients of old send none; no browser leaves it out."""
    assert verdict(asked(*(("Host", host) for host in hosts))) == code


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://127.0.0.1:8080/v1/models", None),
        ("http://LOCALHOST?x", None),
        ("http://evil.example/v1/models", "wrong_host"),
        ("HTTPS://api.openai.com/v1/models", "wrong_host"),
        ("http://localhost@evil.example/", "wrong_host"),
        ("http:///v1", "wrong_host"),
        ("/v1?next=http://evil.example", None),
        ("//evil.example/v1", None),
        ("*", None),
    ],
)
def test_a_target_that_names_a_host_counts_too(target: str, code: str | None) -> None:
    """A path is none, whatever is in it."""
    assert verdict(asked(("Host", "localhost"), target=target)) == code


def test_who_wants_a_tunnel_is_told_so_later() -> None:
    """CONNECT names another host by its nature, and no page can send it."""
    assert verdict(asked(("Host", "api.openai.com:443"), method="CONNECT", target="api.openai.com:443")) is None
    foreign = asked(("Host", "x.example:443"), ("Origin", "https://evil.example"), method="CONNECT", target="x:443")
    assert verdict(foreign) == "wrong_origin"


@pytest.mark.parametrize(
    ("host", "origin", "code"),
    [
        ("localhost:8080", "http://localhost:8080", None),
        ("LOCALHOST:8080", "http://localhost:8080", None),
        ("127.0.0.1", "http://127.0.0.1", None),
        ("[::1]:8080", "http://[::1]:8080", None),
        ("localhost:8080", "https://app.example", None),
        ("localhost:8080", "HTTPS://APP.example", None),
        ("localhost:8080", "http://localhost:3000", None),
        ("localhost:8080", "vscode-webview://1ab2", None),
        ("localhost:8080", "https://evil.example", "wrong_origin"),
        ("localhost:8080", "null", "wrong_origin"),
        ("localhost:8080", "", "wrong_origin"),
        ("localhost:8080", "*", "wrong_origin"),
        ("localhost:8080", "http://localhost", "wrong_origin"),
        ("localhost:8080", "http://localhost:8081", "wrong_origin"),
        ("localhost:8080", "https://localhost:8080", "wrong_origin"),
        ("localhost:8080", "http://127.0.0.1:8080", "wrong_origin"),
        ("localhost:8080", "http://localhost:8080.evil.example", "wrong_origin"),
        ("localhost:8080", "http://localhost:8080/", "wrong_origin"),
        ("localhost:8080", "http://evil.example, http://localhost:8080", "wrong_origin"),
        ("localhost:8080", "http://app.example", "wrong_origin"),
        ("localhost:8080", "https://app.example:444", "wrong_origin"),
        ("localhost:8080", "https://app.example.evil.example", "wrong_origin"),
        ("localhost:8080", "https://x.app.example", "wrong_origin"),
        ("localhost:8080", "vscode-webviews://1ab2", "wrong_origin"),
        ("localhost:8080", "file://", "wrong_origin"),
        ("localhost:8080", "chrome-extension://abc", "wrong_origin"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_pages_of_others_may_not_come_in(host: str, origin: str, code: str | None, method: str) -> None:
    """Scheme, host and port have to be ours, or configured."""
    assert verdict(asked(("Host", host), ("Origin", origin), method=method)) == code


def test_every_origin_counts() -> None:
    """One that is ours does not help another one in."""
    own, other = ("Origin", "http://localhost"), ("Origin", "https://evil.example")
    for pair in ((own, other), (other, own)):
        assert verdict(asked(("Host", "localhost"), *pair)) == "wrong_origin"
    assert verdict(asked(("Origin", "http://localhost"))) == "wrong_origin"  # there is no own one without a Host


@pytest.mark.parametrize("mode", ["navigate", "no-cors", "cors", "websocket"])
@pytest.mark.parametrize(
    ("site", "code"),
    [
        ("none", None),
        ("same-origin", None),
        ("Same-Origin", None),
        ("same-site", "wrong_origin"),
        ("cross-site", "wrong_origin"),
        ("CROSS-SITE", "wrong_origin"),
        ("", "wrong_origin"),
        ("yonder", "wrong_origin"),
    ],
)
def test_what_a_browser_says_of_a_request_without_an_origin(site: str, mode: str, code: str | None) -> None:
    """A link, an image or a form of another site's page sends no Origin and may spend no key."""
    assert verdict(asked(("Host", "localhost"), ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode))) == code


def test_a_configured_page_is_on_another_site() -> None:
    """Its origin lets it in; its images and links, which do not tell theirs, stay out."""
    far = ("Host", "localhost"), ("Sec-Fetch-Site", "cross-site")
    assert verdict(asked(*far, ("Origin", "https://app.example"))) is None
    assert verdict(asked(*far)) == "wrong_origin"


def test_what_programs_send_is_nobodys_business() -> None:
    """Node's fetch tells a mode and no site."""
    assert verdict(asked(("Host", "localhost"), ("Sec-Fetch-Mode", "cors"))) is None


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (asked(("Host", "a.example:80")), ("'a.example:80'", "allow.hosts: a.example)", "127.0.0.1")),
        (asked(("Host", "x" * 5000)), ("allow.hosts",)),
        (asked(("Host", "localhost"), ("Origin", "https://b.example")), ("'https://b.example'", "allow.origins")),
        (asked(("Host", "localhost"), ("Origin", "null")), ("Origin: null",)),
        (asked(("Host", "localhost"), ("Sec-Fetch-Site", "cross-site")), ("Sec-Fetch-Site: cross-site",)),
        (asked(("Host", "\u00ff.example")), ("allow.hosts",)),
    ],
)
def test_a_refusal_says_what_to_do(raw: web.BaseRequest, words: tuple[str, ...]) -> None:
    """In a few words, which can be encoded."""
    problem = Doorman(ALLOW, "127.0.0.1").stranger(raw)
    assert problem is not None
    assert len(problem.message.encode()) < 1000
    for word in words:
        assert word in problem.message


@pytest.mark.parametrize(
    ("host", "name"),
    [("Localhost:80", "localhost"), ("[::1]:8080", "::1"), ("a.example.", "a.example"), ("[bad", ""), ("", "")],
)
def test_the_name_in_a_host_field(host: str, name: str) -> None:
    """In lower case, without port, brackets and a dot at its end."""
    assert hostname(host) == name
