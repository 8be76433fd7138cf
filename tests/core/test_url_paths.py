"""Paths of URLs and the patterns they fit."""

from __future__ import annotations

import pytest

from replayproxy.core.url_paths import normal_path, path_pattern
from replayproxy.errors import ConfigError


@pytest.mark.parametrize(
    ("path", "normal"),
    [("/a", "/a"), ("/%7Ea%2d", "/~a-"), ("/a%2fb", "/a%2Fb"), ("/%C3%a9", "/%C3%A9"), ("/100%/%zz", "/100%/%zz")],
)
def test_one_spelling(path: str, normal: str) -> None:
    """Escapes of unreserved characters are decoded, the others written in upper case."""
    assert normal_path(path) == normal


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("/v1/threads", ["/v1/threads"], ["/v1/threads/", "/v1/threadsx", "/x/v1/threads"]),
        ("/v1/*/x", ["/v1/a/x", "/v1/a%2Fb/x"], ["/v1//x", "/v1/a/b/x", "/v1/x"]),
        ("/f/file-*", ["/f/file-1"], ["/f/file-", "/f/file-1/content", "/f/xfile-1"]),
        ("/v1/**", ["/v1", "/v1/", "/v1/a", "/v1/a/b"], ["/v1x", "/v2/a"]),
        ("/**/messages", ["/messages", "/v1/threads/t/messages"], ["/v1/messages/m", "/v1/xmessages"]),
        ("/**", ["/", "/a/b"], []),
        ("/a.b+c", ["/a.b+c"], ["/axb+c", "/a.bbc"]),
        ("/%7Ea", ["/~a"], ["/%7Ea"]),
        ("/", ["/"], ["/a"]),
    ],
)
def test_stars_stand_for_parts_of_a_path(pattern: str, fits: list[str], others: list[str]) -> None:
    """`*` within a segment, `**` for any number of them; everything else stands for itself."""
    compiled = path_pattern(pattern)
    assert [path for path in [*fits, *others] if compiled.fullmatch(path)] == fits


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("v1/threads", "begins with a slash"),
        ("", "begins with a slash"),
        ("/v1/a**/b", r"'a\*\*': \*\* stands for whole segments"),
        ("/v1?limit=1", "ends before the query"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, message: str) -> None:
    """With the reason."""
    with pytest.raises(ConfigError, match=message):
        path_pattern(pattern)
