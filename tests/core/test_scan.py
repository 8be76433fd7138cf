"""A cassette scanned without being read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.codec import encode, encode_head, written_body
from replayproxy.core.matching import identity
from replayproxy.core.scan import Scan
from tests.builders import interaction, request, response

INTERACTIONS = (
    interaction(request(body={"a": "several\nlines"}), response(body={"b": 1})),
    interaction(request("GET", "/v1/models"), response(body=b"\n  body:\n\nresponse:\n")),
    interaction(request("POST", "/v1/x?y=1", {"a": 2})),
)
WHOLE = encode_head(Head()) + "".join(encode(each, number).text for number, each in enumerate(INTERACTIONS, 1))


def scanned(text: str, size: int = 1000) -> Scan:
    """A text scanned in blocks of that size."""
    raw = text.encode()
    return Scan(raw[start : start + size] for start in range(0, len(raw), size))


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_it_tells_where_documents_are_and_what_their_keys_say(size: int) -> None:
    """Place, line, key, where the request went and where its body is."""
    scan = scanned(WHOLE, size)
    assert (len(scan), scan.torn) == (4, 0)
    lines, raw = WHOLE.splitlines(), WHOLE.encode()
    names = dict(scan.places)
    for at, each in enumerate(INTERACTIONS, 1):
        assert lines[scan.lines[at] - 1].startswith(f"--- # {at}: ")
        text = raw[scan.starts[at] : scan.starts[at] + scan.sizes[at]]
        assert text.decode() == encode(each, at).text
        assert scan.is_proved(at)
        assert scan.key(at, "1") == identity(each.request)
        assert scan.key(at, "2") is None
        place = names[scan.placed[at]]
        assert (place.method, place.path) == (each.request.method, each.request.path)
        start = scan.bodies[at]
        assert text[start : start + scan.body_sizes[at]].decode() == written_body(each.request)


def test_a_document_without_a_proved_key_has_none() -> None:
    """The head, what somebody edited, and what somebody wrote."""
    edited = WHOLE.replace("lines", "words", 1) + "---\nrequest: {method: GET, target: /}\nresponse: {status: 200}\n..."
    scan = scanned(edited)
    assert [scan.is_proved(at) for at in range(len(scan))] == [False, False, True, True, False]
    assert [scan.key(at, "1") is None for at in range(len(scan))] == [True, True, False, False, True]
    assert (scan.placed[4], scan.body_sizes[4], scan.starts[4] + scan.sizes[4]) == (0, 0, len(edited) + 1)
    assert scanned(WHOLE + "--- # 4").torn == len(WHOLE.splitlines()) + 1


def test_what_is_read_again_must_be_what_was_scanned() -> None:
    """Another document with a key of its own is not the same, nor is a piece of it."""
    scan, raw = scanned(WHOLE), WHOLE.encode()
    first, second = (raw[scan.starts[at] :][: scan.sizes[at]] for at in (1, 2))
    assert scan.is_same(1, first)
    assert not scan.is_same(1, second)
    assert not scan.is_same(1, first[:-5])
    assert not scan.is_same(1, b"")


@given(st.lists(st.sampled_from(INTERACTIONS), max_size=4), st.integers(0, 2000))
def test_a_change_anywhere_is_found(recorded: list[Interaction], place: int) -> None:
    """One letter more, wherever it gets in: the document has another text, and no key any more."""
    texts = [encode(each, number).text for number, each in enumerate(recorded, 1)]
    whole = encode_head(Head()) + "".join(texts)
    place = min(place, len(whole) - 1)
    edited = whole[:place] + "x" + whole[place:]
    try:
        scan = scanned(edited)
    except Exception:
        return
    for at in range(1, len(scan)):
        text = edited.encode()[scan.starts[at] : scan.starts[at] + scan.sizes[at]].decode()
        first, _, bare = text.partition("\n")
        known = bare in [each.partition("\n")[2] for each in texts]
        # What stands in the first line's comment means nothing; anything else on that line does.
        assert scan.is_proved(at) == (known and first.startswith("--- #"))


def test_scans_of_the_same_documents_are_alike() -> None:
    """One that was changed, one more or one less are not; that the numbers changed makes no difference."""
    scan = scanned(WHOLE)
    assert scan.is_alike(scanned(WHOLE, 7))
    assert scan.is_alike(scanned(WHOLE.replace("--- # 1:", "--- # 7:")))
    last = WHOLE.rindex("--- #")
    for changed in (WHOLE.replace("several", "severed"), WHOLE[:last], WHOLE + WHOLE[last:]):
        assert not scan.is_alike(scanned(changed))
