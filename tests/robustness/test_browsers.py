"""LOC: a local server under a browser. Every page is a stranger's, on the data port and on the admin port alike."""

from __future__ import annotations

import json
import re
import stat
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from tests.processes import KEY, client, ended, started
from tests.robustness.harness import Answer, Stage, staged

PORTS = pytest.mark.parametrize("admin", [False, True], ids=["data", "admin"])
PAGE = b"https://app.example"
#: Names that lead to us and nowhere else; PORT stands for the port.
OURS = (
    *(b"localhost:PORT", b"127.0.0.1:PORT", b"[::1]:PORT", b"LOCALHOST", b"localhost", b"127.0.0.1", b"[::1]"),
    *(b"LocalHost:PORT", b"localhost.:PORT", b"127.0.0.1.", b"app.localhost:PORT", b"localhost:1", b"192.168.0.7:PORT"),
)
#: Names that anybody may have bound to our address, and what only looks like ours.
STRANGERS = (
    *(b"evil.example", b"evil.example:PORT", b"evil.example.", b"EVIL.example", b"127.0.0.1.evil.example"),
    *(b"localhost.evil.example:PORT", b"127.0.0.1.nip.io", b"xlocalhost", b"localhost-x.example", b"replayproxy"),
    *(b"localhost@evil.example", b"evil.example@localhost", b"localhost:PORT@evil.example", b"u:p@127.0.0.1"),
    *(b"2130706433", b"0x7f000001", b"127.1", b"[::1].evil.example", b"[evil.example]", b"::1", b"l\xd0\xbecalhost"),
    *(b"evil.example#localhost", b"evil.example/localhost", b"evil.example?localhost", b"localhost,evil.example"),
)


@pytest.fixture(scope="module")
def _open_to_a_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("page")
    with staged(
        folder, REPLAYPROXY_ALLOW__ORIGINS=PAGE.decode(), REPLAYPROXY_ALLOW__HOSTS="proxy.test,.under.test"
    ) as it:
        yield it


@pytest.fixture
def page(_open_to_a_page: Stage) -> Iterator[Stage]:
    """A recording proxy that the pages of https://app.example may use."""
    _open_to_a_page.upstream.forget()
    yield _open_to_a_page
    _open_to_a_page.end()
    _open_to_a_page.check()


def ask(stage: Stage, fields: bytes, *, admin: bool = False, text: bytes = b"", host: bytes = b"{host}") -> Answer:
    """One request of a browser, to something that is there on that port."""
    text = text or (b"GET /sessions" if admin else b"POST /v1/chat/completions")
    body = b"" if text.startswith((b"GET", b"OPTIONS", b"HEAD")) else b'{"model": "m"}'
    named = b"Host: " + host + b"\r\n" if host else b""
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    method = text.split(b" ")[0]
    return stage.send(text + b" HTTP/1.1\r\n" + named + fields + length + b"\r\n" + body, method=method, admin=admin)


def refused(stage: Stage, got: Answer, code: str) -> None:
    """It was, in the API's envelope, before anything reached anybody, and nobody may read more than that."""
    assert got.status == 403, got
    error = json.loads(got.body)["error"]
    assert error["code"] == code
    assert error["message"]
    assert got.header("content-type") == "application/json"
    assert not [name for name, _ in got.headers if name.startswith("access-control-")]
    assert not stage.upstream.requests
    assert not stage.upstream.connections


# --- names (DNS rebinding)


@PORTS
@pytest.mark.parametrize("host", STRANGERS)
def test_LOC_01_a_name_that_anybody_can_bind_to_our_address(stage: Stage, host: bytes, admin: bool) -> None:
    """Is none of ours: a page that bears it gets nothing."""
    host = host.replace(b"PORT", str(stage.address[1]).encode())
    got = ask(stage, b"", admin=admin, host=host)
    if got.status == 400:  # it is no name at all
        assert not re.fullmatch(rb"[A-Za-z0-9.-]+(:[0-9]+)?", host)
        assert not stage.upstream.requests
    else:
        refused(stage, got, "wrong_host")


@PORTS
@pytest.mark.parametrize("first", [b"localhost", b"evil.example"])
def test_LOC_01_two_names_of_which_one_is_ours(stage: Stage, first: bytes, admin: bool) -> None:
    """Do not help each other in, whichever comes first."""
    second = b"Host: " + (b"evil.example" if first == b"localhost" else b"localhost") + b"\r\n"
    assert ask(stage, second, admin=admin, host=first).status in (400, 403)
    assert not stage.upstream.requests


@PORTS
@pytest.mark.parametrize(
    "target",
    [b"http://evil.example/sessions", b"http://localhost@evil.example/sessions", b"https://evil.example:443/sessions"],
)
def test_LOC_01_a_target_that_names_a_host_counts_too(stage: Stage, target: bytes, admin: bool) -> None:
    """A Host that is ours does not make up for it."""
    assert ask(stage, b"", admin=admin, text=b"GET " + target).status in (400, 403)
    assert not stage.upstream.requests


@PORTS
@pytest.mark.parametrize("host", [b"proxy.test", b"PROXY.TEST:PORT", b"a.under.test:PORT", b"a.b.under.test."])
def test_LOC_01_a_name_that_is_configured_is_ours(page: Stage, host: bytes, admin: bool) -> None:
    """On both ports; those beside it are not."""
    assert ask(page, b"", admin=admin, host=host.replace(b"PORT", b"80")).status == 200
    page.upstream.forget()
    refused(page, ask(page, b"", admin=admin, host=b"x" + host.partition(b":")[0] + b".example"), "wrong_host")


@PORTS
@pytest.mark.parametrize("host", OURS)
def test_LOC_03_our_own_names(stage: Stage, host: bytes, admin: bool) -> None:
    """Are served in any case, with a port and without."""
    host = host.replace(b"PORT", str(stage.address[1]).encode())
    assert ask(stage, b"", admin=admin, host=host).status == 200
    assert len(stage.upstream.requests) == (0 if admin else 1)


@PORTS
def test_LOC_03_a_client_of_old_names_nobody(stage: Stage, admin: bool) -> None:
    """HTTP/1.0 has no Host field, and no browser speaks it."""
    got = stage.send(b"GET /sessions HTTP/1.0\r\n\r\n", admin=admin)
    assert got.status == 200


def test_LOC_03_a_proxy_in_a_container_is_called_by_its_services_name(folder: Path) -> None:
    """Where it serves a network: names without a dot, which nobody can register, and no others."""
    everywhere = {"REPLAYPROXY_ADMIN_HOST": "0.0.0.0", "REPLAYPROXY_ADMIN_TOKEN": "for-a-container-only"}
    token = b"x-replayproxy-token: for-a-container-only\r\n"
    with staged(folder, "--host", "0.0.0.0", **everywhere) as stage:
        for admin in (False, True):
            refused(stage, ask(stage, token, admin=admin, host=b"replayproxy.evil.example"), "wrong_host")
        for admin in (False, True):
            assert ask(stage, token, admin=admin, host=b"replayproxy:8080").status == 200
        assert ask(stage, b"", admin=True, host=b"replayproxy:8080").status == 401
        assert ask(stage, b"", admin=True, text=b"GET /health", host=b"replayproxy:8080").status == 200
        stage.check()


# --- origins (cross-site requests)


@PORTS
@pytest.mark.parametrize(
    "origin",
    [
        *(b"https://evil.example", b"HTTPS://EVIL.EXAMPLE", b"null", b"NULL", b"", b"*", b"file://"),
        *(
            b"https://{host}",
            b"http://{host}.evil.example",
            b"http://{host}/",
            b"http://localhost",
            b"http://127.0.0.1:1",
        ),
        *(b"http://evil.example, http://{host}", b"http://{host} http://evil.example", b"http://evil.example#{host}"),
    ],
)
@pytest.mark.parametrize("fields", [b"Content-Type: text/plain\r\n", b"Sec-Fetch-Site: same-origin\r\n"])
def test_LOC_04_a_page_of_another_origin(stage: Stage, origin: bytes, fields: bytes, admin: bool) -> None:
    """May send nothing that does anything: a simple POST needs no permission of the browser."""
    got = ask(stage, fields + b"Origin: " + origin + b"\r\n", admin=admin, text=b"POST /v1/chat/completions")
    refused(stage, got, "wrong_origin")


@PORTS
@pytest.mark.parametrize("first", [b"http://{host}", b"https://evil.example"])
def test_LOC_04_two_origins_of_which_one_is_ours(stage: Stage, first: bytes, admin: bool) -> None:
    """Do not help each other in."""
    second = b"https://evil.example" if first == b"http://{host}" else b"http://{host}"
    fields = b"Origin: " + first + b"\r\nOrigin: " + second + b"\r\n"
    assert ask(stage, fields, admin=admin).status in (400, 403)
    assert not stage.upstream.requests


@PORTS
@pytest.mark.parametrize("text", [b"GET /v1/models", b"HEAD /v1/models", b"OPTIONS /v1/models", b"DELETE /v1/files/f"])
@pytest.mark.parametrize("site", [b"cross-site", b"same-site", b"Cross-Site", b"elsewhere"])
def test_LOC_04_a_link_or_an_image_of_another_site(stage: Stage, text: bytes, site: bytes, admin: bool) -> None:
    """Sends no origin; the browser says that it is another site's, and no key is spent on it."""
    got = ask(stage, b"Sec-Fetch-Site: " + site + b"\r\nSec-Fetch-Mode: navigate\r\n", admin=admin, text=text)
    assert got.status == 403
    assert not stage.upstream.requests


@PORTS
@pytest.mark.parametrize("site", [b"none", b"same-origin"])
def test_LOC_04_what_the_user_typed_is_the_users(stage: Stage, site: bytes, admin: bool) -> None:
    """And so is what our own page asks for."""
    assert ask(stage, b"Sec-Fetch-Site: " + site + b"\r\n", admin=admin, text=b"GET /sessions").status == 200
    assert ask(stage, b"Origin: http://{host}\r\n", admin=admin).status == 200


@PORTS
def test_LOC_04_a_web_socket_of_a_page(stage: Stage, admin: bool) -> None:
    """Is a request like any other: browsers open it anywhere and ask nobody."""
    fields = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    foreign = fields + b"Origin: https://evil.example\r\nSec-Fetch-Mode: websocket\r\nSec-Fetch-Site: cross-site\r\n"
    refused(stage, ask(stage, foreign, admin=admin, text=b"GET /v1/realtime"), "wrong_origin")
    refused(stage, ask(stage, fields, admin=admin, text=b"GET /v1/realtime", host=b"evil.example"), "wrong_host")


def test_LOC_04_a_preflight_of_another_origin(page: Stage) -> None:
    """Is refused, so that the browser does not send what it asked about."""
    fields = b"Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n"
    refused(page, ask(page, fields, text=b"OPTIONS /v1/chat/completions"), "wrong_origin")


def test_LOC_04_an_upstream_that_lets_everybody_read(folder: Path) -> None:
    """Lets nobody in here: strangers stay out, and what programs get is what it said."""
    with staged(folder) as stage:
        stage.upstream.answer(b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nok")
        assert ask(stage, b"").all("access-control-allow-origin") == ["*"]
        stage.upstream.forget()
        refused(stage, ask(stage, b"Origin: https://evil.example\r\n"), "wrong_origin")


# --- a page that is let in


def test_a_page_that_is_let_in_asks_for_leave(page: Stage) -> None:
    """We answer that, for this page alone; the upstream never hears of it."""
    asks = (
        b"Origin: https://app.example\r\nSec-Fetch-Site: cross-site\r\nAccess-Control-Request-Method: POST\r\n"
        b"Access-Control-Request-Headers: authorization,content-type,x-stainless-lang\r\n"
        b"Access-Control-Request-Private-Network: true\r\n"
    )
    got = ask(page, asks, text=b"OPTIONS /v1/chat/completions")
    assert (got.status, got.body) == (204, b"")
    told = {name: value for name, value in got.headers if name.startswith("access-control-")}
    assert told == {
        "access-control-allow-origin": "https://app.example",
        "access-control-expose-headers": "*",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "authorization,content-type,x-stainless-lang",
        "access-control-max-age": "600",
        "access-control-allow-private-network": "true",
    }
    assert got.header("vary") == "Origin"
    assert not page.upstream.connections
    with client(page.proxy.admin_url) as admin:
        assert b"OPTIONS" not in admin.get("/exchanges").content
    ordinary = ask(page, b"Origin: https://app.example\r\n", text=b"OPTIONS /v1/other")
    assert (ordinary.status, len(page.upstream.requests)) == (200, 1)


#: An upstream that names the page of another server.
ELSEWHERE = (
    b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://elsewhere.example\r\nX-Request-ID: r1\r\n"
    b"access-control-allow-credentials: true\r\nAccess-Control-Expose-Headers: X-A\r\nVary: Accept\r\n"
    b"Content-Length: 2\r\n\r\nok"
)


def test_a_page_that_is_let_in_may_read_its_answers(folder: Path) -> None:
    """All of them, by headers of ours and not by the upstream's; programs get the upstream's, and so does the file."""
    with staged(folder, REPLAYPROXY_ALLOW__ORIGINS=PAGE.decode()) as stage:
        stage.upstream.answer(ELSEWHERE)
        for fields in (b"Origin: https://app.example\r\nSec-Fetch-Site: cross-site\r\n", b"") * 2:
            got, own = ask(stage, fields), bool(fields)
            assert (got.status, got.body, got.header("x-request-id")) == (200, b"ok", "r1")
            expected = PAGE.decode() if own else "https://elsewhere.example"
            assert got.all("access-control-allow-origin") == [expected]
            assert got.all("access-control-allow-credentials") == ([] if own else ["true"])
            assert got.all("access-control-expose-headers") == (["*"] if own else ["X-A"])
            assert got.all("vary") == (["Accept", "Origin"] if own else ["Accept"])
    answers = [
        document["response"]["headers"]
        for document in yaml.safe_load_all((folder / "c.yaml").read_text())
        if "response" in document
    ]
    assert len(answers) == 4
    assert all(each == answers[0] for each in answers)
    assert "https://elsewhere.example" in str(answers[0])


def test_a_page_that_is_let_in_may_read_refusals(page: Stage) -> None:
    """An app in a browser is told what is wrong as any other is."""
    for text, status in ((b"POST /@../v1/models", 400), (b"GET /v1/models", 502)):
        page.upstream.leave()
        page.upstream.answer(b"garbage\r\n\r\n")
        got = ask(page, b"Origin: https://app.example\r\n", text=text)
        assert (got.status, got.header("access-control-allow-origin")) == (status, PAGE.decode())


def test_a_page_that_is_let_in_and_a_program_play_the_same(folder: Path) -> None:
    """Each gets the headers that are for it, however often either asks, in whatever order."""
    with staged(folder) as stage:
        assert ask(stage, b"", text=b"GET /v1/models").status == 200
    origin = b"Origin: https://app.example\r\n"
    with staged(folder, mode="playback", REPLAYPROXY_ALLOW__ORIGINS="https://app.example,https://b.example") as stage:
        for fields in (origin, b"", origin, b"Origin: https://b.example\r\n", b"", b"", origin, origin, b""):
            got = ask(stage, fields, text=b"GET /v1/models")
            expected = [fields.strip().removeprefix(b"Origin: ").decode()] if fields else []
            assert (got.status, got.all("access-control-allow-origin")) == (200, expected)
        missed = ask(stage, origin, text=b"GET /v1/other")
        assert (missed.status, missed.header("access-control-allow-origin")) == (424, PAGE.decode())


def test_a_page_that_is_let_in_may_not_steer(page: Stage) -> None:
    """The admin port is for nobody's pages but its own."""
    for text in (b"GET /exchanges", b"POST /sessions", b"OPTIONS /sessions"):
        fields = b"Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n"
        refused(page, ask(page, fields, admin=True, text=text), "wrong_origin")


# --- what listens, and who steers it


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="only Linux tells")
@pytest.mark.parametrize(
    "words",
    [("serve",), ("playback", "--cassette", "c.yaml"), ("serve", "--workers", "2"), ("emulate",)],
    ids=lambda words: " ".join(words[:2]),
)
def test_LOC_07_everything_listens_on_loopback(folder: Path, words: tuple[str, ...]) -> None:
    """Every socket of every process of it, unless told otherwise; and nothing is warned of."""
    with started(*words, cwd=folder) as proxy:
        pids = [proxy.process.pid]
        if "--workers" in words:
            with client(proxy.admin_url) as admin:
                pids += admin.get("/health").json()["workers"]["pids"]
        found = [address for pid in pids for address in listening(pid)]
    assert len(found) >= 2
    assert all(ip_address(address).is_loopback for address in found), found
    assert "warning" not in proxy.err


def test_LOC_07_a_proxy_for_others_says_so(folder: Path) -> None:
    """In one line, with the key that they can spend."""
    upstream = ("--upstream", "http://127.0.0.1:9", "--host", "0.0.0.0")
    more = {"REPLAYPROXY_UPSTREAM__API_KEY_ENV": "MY_KEY", "MY_KEY": KEY, "REPLAYPROXY_ADMIN_HOST": "0.0.0.0"}
    with started("serve", *upstream, cwd=folder, **more) as proxy:
        pass
    (line,) = [each for each in proxy.err.splitlines() if "warning" in each]
    assert "0.0.0.0" in line
    assert "MY_KEY" in line
    assert "admin token" in line
    assert KEY not in proxy.err


def test_the_admin_token_is_told_to_those_who_need_it_alone(folder: Path) -> None:
    """In a file that nobody else can read, and to the command; not on the screen, not in the files."""
    with started("serve", "--log-format", "json", cwd=folder) as proxy:
        token = proxy.facts["admin_token"]
        with client(proxy.admin_url) as admin:
            assert admin.post("/sessions", json={"name": "s"}).status_code == 401
            assert admin.post("/sessions", json={"name": "s"}, headers=proxy.admin_headers).status_code == 201
            bearer = {"Authorization": f"Bearer {token}"}
            assert admin.delete("/sessions/s", headers=bearer).status_code == 200
            assert token not in admin.get("/exchanges").text
    assert len(token) >= 32
    assert token not in proxy.out + proxy.err
    ready = folder / "ready.json"
    check = "import json, os, sys; assert json.load(open(sys.argv[1]))['admin_token'] == os.environ[sys.argv[2]]"
    words = (sys.executable, "-c", check, str(ready), "REPLAYPROXY_ADMIN_TOKEN")
    done = ended("run", "--ready-file", str(ready), "--", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600


@pytest.mark.parametrize("words", [("serve",), ("emulate",), ("serve", "--workers", "2")])
def test_the_admin_token_may_be_said_from_outside(folder: Path, words: tuple[str, ...]) -> None:
    """By a variable, which is no setting; one that is too short stops the start and is not shown."""
    with started(*words, cwd=folder, REPLAYPROXY_ADMIN_TOKEN="a-token-of-my-own") as proxy:
        assert proxy.facts["admin_token"] == "a-token-of-my-own"
        with client(proxy.admin_url) as admin:
            path = "/reset" if words[0] == "emulate" else "/sessions/default/reset"
            assert admin.post(path).status_code == 401
            assert admin.post(path, headers={"x-replayproxy-token": "a-token-of-my-own"}).status_code == 200
    assert "a-token-of-my-own" not in proxy.out + proxy.err
    failed = ended(*words, "--port", "0", "--admin-port", "0", cwd=folder, REPLAYPROXY_ADMIN_TOKEN="tiny-0451")
    assert failed.returncode == 2
    assert "REPLAYPROXY_ADMIN_TOKEN" in failed.stderr
    assert "tiny-0451" not in failed.stderr


def listening(pid: int) -> list[str]:
    """The addresses on which a process listens."""
    open_files = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()]
    sockets = {name[len("socket:[") : -1] for name in open_files if name.startswith("socket:[")}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and inode in sockets:
                found.append(_address(local.partition(":")[0]))
    return found


def _address(text: str) -> str:
    """An address as the kernel writes it: words of four bytes in the order of the machine."""
    words = [bytes.fromhex(text[at : at + 8]) for at in range(0, len(text), 8)]
    return str(ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)))
