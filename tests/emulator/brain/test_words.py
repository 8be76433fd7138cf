"""Texts in pieces, and how many tokens they have."""

from __future__ import annotations

import sys
from hashlib import sha1
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.emulator.brain import Reply, tokens
from replayproxy.emulator.brain.tokens import count, count_messages
from replayproxy.emulator.brain.words import StreamCut, cut, pieces, sent

_VOCABULARY = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("Hello, world!", ("Hello", ",", " world", "!")),
        ("a  b\n\n c...", ("a", " ", " b", "\n\n", " c", "...")),
        ("internationalization", ("internationa", "lization")),
        ("21 °C, ok", ("21", " °", "C", ",", " ok")),
        ("end ", ("end", " ")),
    ],
)
def test_text_falls_into_pieces(text: str, expected: tuple[str, ...]) -> None:
    """A word comes with the blank before it, punctuation alone, a long word in several pieces."""
    assert cut(text) == expected


@given(st.text())
def test_pieces_joined_are_the_text(text: str) -> None:
    """No character is lost or added."""
    assert "".join(cut(text)) == text
    assert pieces(Reply(text)) == cut(text)


def test_own_pieces_come_first() -> None:
    """A reply that says its pieces is sent in them."""
    assert pieces(Reply("ab", pieces=("a", "b"))) == ("a", "b")


def test_stream_breaks_off_where_the_reply_says() -> None:
    """As many pieces as `cut` says come, then StreamCut; without it all come."""
    reply = Reply("abc", pieces=("a", "b", "c"), cut=2)
    got = list[str]()
    with pytest.raises(StreamCut):
        got.extend(sent(reply))
    stream = sent(reply)
    assert [next(stream), next(stream)] == ["a", "b"]
    assert list(sent(Reply("a b"))) == ["a", " b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("Hello, world!", 4), ("internationalization", 4), ("日本", 2), ("   ", 2), ("\n", 1)],
)
def test_tokens_are_estimated(text: str, expected: int) -> None:
    """Without a tokenizer the count follows from the pieces."""
    assert count(text, "gpt-4o") == expected


def test_messages_have_tokens_around_them() -> None:
    """Roles, parts, calls and tools count, and a little for each message."""
    plain = count_messages([{"role": "user", "content": "Say hi"}])
    assert plain == 3 + 1 + 2 + 3
    parts = [{"type": "text", "text": "Say hi"}, {"type": "image_url", "image_url": {"url": "x"}}, {"refusal": "No"}]
    assert count_messages([{"role": "user", "content": parts}]) == plain + 85 + 1
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert count_messages([{"role": "assistant", "content": None, "tool_calls": [call]}]) > 10
    assert count_messages([], [{"type": "function", "function": {"name": "f"}}]) > 3


class _Encoding:
    def __init__(self, name: str) -> None:
        if name == "cl100k_base":
            raise OSError(name)

    def encode_ordinary(self, text: str) -> list[int]:
        return [7] * len(text)


def test_tokenizer_counts_when_its_vocabulary_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked only when no download is needed; when it fails, the count is estimated."""
    module: Any = ModuleType("tiktoken")
    module.get_encoding = _Encoding
    monkeypatch.setitem(sys.modules, "tiktoken", module)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    tokens._tokenizer.cache_clear()
    assert count("one two") == 2
    for name in ("o200k_base", "cl100k_base"):
        (tmp_path / sha1(_VOCABULARY.format(name).encode()).hexdigest()).write_text("")
    tokens._tokenizer.cache_clear()
    try:
        assert count("one two", "gpt-4o") == 7
        assert count("one two", "gpt-4") == 2
    finally:
        tokens._tokenizer.cache_clear()
