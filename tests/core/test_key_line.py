"""What the end mark of a document says about it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from replayproxy.core.key_line import keyed, proof, told, unkeyed

DOCUMENT = "--- # 1: GET / -> 200\nrequest:\n  body:\n    text: é\n...\n"
KEYED = keyed(DOCUMENT, "1", bytes(range(16)))


def proved(text: str | bytes) -> tuple[bytes, bytes] | None:
    """What the key of a document proves."""
    raw = text if isinstance(text, bytes) else text.encode()
    return proof(b"x" + raw, 1, 2 + raw.rfind(b"\n", 0, -1), 1 + len(raw))


def test_a_key_stands_behind_the_end_mark_and_proves_itself() -> None:
    """Scheme and identity come back; in ASCII, on one line; and it comes off again."""
    *lines, last = KEYED.splitlines()
    assert [*lines, "..."] == DOCUMENT.splitlines()
    assert last.isascii()
    assert last.startswith("... # key 1 000102030405060708090a0b0c0d0e0f ")
    found = proved(KEYED)
    assert found is not None
    assert (found[0], found[1][:16], len(found[1])) == (b"1", bytes(range(16)), 32)
    assert unkeyed(KEYED) == unkeyed(DOCUMENT) == DOCUMENT
    assert proved(DOCUMENT) is None


def test_every_byte_but_those_of_the_first_line_counts() -> None:
    """Whatever a hand changes there, the key is none any more."""
    raw = KEYED.encode()
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        assert (proved(changed) == proved(KEYED)) == (5 <= place < raw.index(b"\n")), place
        assert proved(raw[:place] + raw[place + 1 :]) != proved(KEYED) or 4 <= place < raw.index(b"\n")


@pytest.mark.parametrize("first", ["--- # 7: POST /x -> 500", "---", "--- #"])
def test_the_first_line_may_be_any_comment(first: str) -> None:
    """Its number changes when documents are put in order."""
    assert proved(KEYED.replace("--- # 1: GET / -> 200", first)) == proved(KEYED)


@pytest.mark.parametrize(
    "first", ["--- {a: b}", "--- !!x", "--- # é", "--- # \x85a: b", "---\t", "--- #\ra: b", "----"]
)
def test_a_first_line_that_could_hold_more_has_no_key(first: str) -> None:
    """Readers of YAML know line ends that we do not."""
    assert proved(KEYED.replace("--- # 1: GET / -> 200", first)) is None


@pytest.mark.parametrize(
    "change", [lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("# key", "#key")]
)
def test_what_is_spelled_in_another_way_is_no_key(change: Any) -> None:
    """Then the document is read."""
    assert proved(change(KEYED)) is None


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
def test_to_readers_of_yaml_it_is_a_comment(loader: Any) -> None:
    """They read the same with it and without."""
    assert list(yaml.load_all(KEYED * 2, Loader=loader)) == list(yaml.load_all(DOCUMENT * 2, Loader=loader))


def test_a_key_inside_a_document_is_text() -> None:
    """Only the end mark has one."""
    inside = DOCUMENT.replace("    text: é\n", "    text: |\n" + KEYED.replace("\n", "\n      ") + "\n")
    assert unkeyed(inside) == inside


@pytest.mark.parametrize("size", [1, 1900, 2047, 2048, 4094, 5000, 16_300, 16_384, 40_000])
def test_documents_of_any_size_prove_themselves(size: int) -> None:
    """However many pieces the digest is made of."""
    data = keyed(f"--- # 1: x\n{'a' * size}\n...\n", "1", bytes(range(16))).encode()
    assert proof(data, 0, data.index(b"\n... #") + 1, len(data)) is not None


def test_a_key_that_proves_itself_is_told() -> None:
    """The scheme and the identity; nothing of one that does not, or is not there."""
    assert told(KEYED) == ("1", bytes(range(16)))
    assert told(DOCUMENT) is told(KEYED.replace("é", "e")) is None
