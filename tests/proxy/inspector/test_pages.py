"""The inspector's page as it leaves the proxy."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest

from replayproxy.proxy.inspector import pages
from replayproxy.proxy.inspector.pages import CONTENT_SECURITY_POLICY
from tests.proxies import admin_headers, proxied

STATIC = Path(pages.__file__).parent / "static"
#: What puts text into a page as markup, or runs it.
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\(|new Function"
    r"|setAttribute\(\s*[\"'](style|on\w+|srcdoc)"
)


async def test_the_page_and_its_files_come_with_a_strict_policy(tmp_path: Path) -> None:
    """Nothing from elsewhere, nothing inline, nothing guessed, nothing framed."""
    async with proxied(tmp_path / "c.yaml") as proxy, aiohttp.ClientSession() as http:
        for path, kind in (("/", "text/html"), ("/ui/main.js", "text/javascript"), ("/ui/style.css", "text/css")):
            async with http.get(proxy.admin_url + path) as answer:
                assert (answer.status, answer.content_type) == (200, kind)
                assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["X-Frame-Options"] == "DENY"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fpages.py", "%2e%2e/pages.py", "index.html.bak", ".", "%00"])
async def test_no_other_file_is_given(tmp_path: Path, name: str) -> None:
    """Only the page's own files are there, however one asks."""
    async with (
        proxied(tmp_path / "c.yaml") as proxy,
        aiohttp.ClientSession() as http,
        http.get(f"{proxy.admin_url}/ui/{name}") as answer,
    ):
        assert answer.status in (400, 404)


async def test_the_page_is_open_where_the_rest_is_not(tmp_path: Path) -> None:
    """Beyond loopback everything takes the token, and the page is where one can give it."""
    async with proxied(tmp_path / "c.yaml", admin_host="0.0.0.0") as proxy, aiohttp.ClientSession() as http:
        url = proxy.admin_url.replace("0.0.0.0", "127.0.0.1")
        for path, status in (
            ("/", 200),
            ("/ui/main.js", 200),
            ("/feed", 401),
            ("/exchanges/1", 401),
            ("/metrics", 401),
        ):
            async with http.get(url + path) as answer:
                assert (path, answer.status) == (path, status)
        async with http.get(f"{url}/sessions", headers=admin_headers(proxy)) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.glob("*.js")))
def test_no_script_makes_markup_of_text(name: str) -> None:
    """What strangers sent becomes text nodes: nothing that could do otherwise is used at all."""
    assert not MARKUP.search((STATIC / name).read_text("utf-8"))


@pytest.mark.parametrize("path", sorted(STATIC.iterdir()), ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    """No address of another host stands in any file, but for the name of SVG."""
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://(?!127\.0\.0\.1|localhost|\$\{)", text)
    assert not re.search(r"\bimport\b[^;]*[\"'](?!\./)[^\"']*[\"'];", text) or path.suffix != ".js"


def test_the_files_are_part_of_the_package() -> None:
    """Who installs it has them."""
    assert {path.name for path in STATIC.iterdir()} >= {"index.html", "main.js", "style.css"}
