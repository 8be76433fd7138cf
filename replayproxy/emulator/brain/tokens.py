"""How many tokens a text has.

With the tokenizer installed (`tiktoken`) and its vocabulary already on this machine: exactly. Otherwise: by the pieces
the text falls into, which is near enough to be plausible, and the same each time. Nothing is ever downloaded.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha1
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from replayproxy.emulator.brain.words import cut

__all__ = ["count", "count_messages"]

#: Tokens around each message, and those that open the reply
#: (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken).
_PER_MESSAGE: Final = 3
_PER_REPLY: Final = 3
#: Tokens of an image of which nothing but its address is known: the base price of a "low" detail one.
_PER_IMAGE: Final = 85
#: Characters of Latin script in one token, on average; other scripts have about one token a character.
_PER_TOKEN: Final = 6
#: Where the vocabularies come from, hence under which name a copy on this machine stands (the SHA-1 of the address).
_VOCABULARIES: Final = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
_OLDER: Final = ("gpt-4-", "gpt-3.5", "text-embedding", "text-moderation")


class _Tokenizer(Protocol):
    """Counts by the real vocabulary."""

    def encode_ordinary(self, text: str) -> list[int]:
        """The tokens of a text."""
        ...


def count(text: str, model: str = "") -> int:
    """How many tokens a text has for a model."""
    exact = _tokenizer(_vocabulary(model))
    return len(exact.encode_ordinary(text)) if exact else sum(map(_piece_tokens, cut(text)))


def count_messages(
    messages: Iterable[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), model: str = ""
) -> int:
    """How many tokens a conversation in the form of chat completions has, its tools included."""
    said = sum(_PER_MESSAGE + _message_tokens(each, model) for each in messages)
    offered = sum(count(json.dumps(tool.get(str(tool.get("type")), tool)), model) for tool in tools)
    return said + offered + _PER_REPLY


def _message_tokens(message: Mapping[str, Any], model: str) -> int:
    """How many tokens one message has: its role, its content, the calls it makes."""
    calls = message.get("tool_calls")
    called = count(json.dumps([call.get(str(call.get("type"))) for call in calls]), model) if calls else 0
    return count(str(message.get("role", "")), model) + _content_tokens(message.get("content"), model) + called


def _content_tokens(content: Any, model: str) -> int:
    """How many tokens a message's content has: text, or parts."""
    if isinstance(content, str):
        return count(content, model)
    return sum(_part_tokens(part, model) for part in content or ())


def _part_tokens(part: Any, model: str) -> int:
    """How many tokens a part of a message has; what is no text counts as one small image."""
    text = part.get("text", part.get("refusal")) if isinstance(part, Mapping) else part
    return count(text, model) if isinstance(text, str) else _PER_IMAGE


def _piece_tokens(piece: str) -> int:
    """How many tokens a piece of a text has."""
    word = piece.strip()
    return -(-len(word) // _PER_TOKEN) if word.isascii() and word else max(1, len(word))


def _vocabulary(model: str) -> str:
    """The name of the vocabulary of a model."""
    return "cl100k_base" if model == "gpt-4" or model.startswith(_OLDER) else "o200k_base"


@cache
def _tokenizer(name: str) -> _Tokenizer | None:
    """The tokenizer of a vocabulary; None where it is not installed, or would have to be downloaded."""
    if not _on_this_machine(name):
        return None
    try:
        found: _Tokenizer = import_module("tiktoken").get_encoding(name)
    except Exception:  # whatever is amiss with an optional extra must not fail an answer
        return None
    return found


def _on_this_machine(name: str) -> bool:
    """Whether the tokenizer's cache holds a vocabulary; the cache stands where the tokenizer itself looks for it."""
    folder = next((os.environ[key] for key in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR") if key in os.environ), None)
    if folder is None:
        folder = str(Path(tempfile.gettempdir()) / "data-gym-cache")
    address = _VOCABULARIES.format(name).encode()
    return bool(folder) and (Path(folder) / sha1(address, usedforsecurity=False).hexdigest()).is_file()
