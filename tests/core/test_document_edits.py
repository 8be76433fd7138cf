"""One document of a cassette changed or taken out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replayproxy.core.cassette import Head
from replayproxy.core.codec import decode, encode, encode_head
from replayproxy.core.document_edits import edited_document, rewritten
from replayproxy.core.documents import split_cassette
from replayproxy.core.key_line import told
from replayproxy.core.messages import Body, FileBody
from replayproxy.core.upgrades import FORMAT_VERSION
from replayproxy.errors import CassetteError
from tests.builders import interaction, request, response

_ASKED = "request:\n  method: GET\n  target: /a\n"
_OK = "response:\n  status: 200\n"


def _cassette(count: int = 3) -> str:
    recorded = (interaction(request(body={"of": at}), response(body={"of": at})) for at in range(1, count + 1))
    documents = (encode(each, number).text for number, each in enumerate(recorded, 1))
    return encode_head(Head(by="test")) + "".join(documents)


def _file(body: FileBody) -> Body:
    return body


def _answers(text: str) -> list[Body]:
    return [each.response.body for each in decode(text, _file).interactions]


def test_a_document_is_written_anew_and_the_others_keep_their_text() -> None:
    """Comments between the documents stay, too."""
    whole = _cassette().replace("--- # 2", "# about the second\n--- # 2")
    documents = split_cassette(whole)
    document, read = edited_document(documents.items[2].text.replace("of: 2", "of: 20"), _file, FORMAT_VERSION)
    changed = rewritten(whole, documents, 2, document)
    assert read.response.body == b'{"of": 20}'
    assert _answers(changed) == [b'{"of": 1}', b'{"of": 20}', b'{"of": 3}']
    assert changed.replace(document, documents.items[2].text) == whole
    assert told(document) is not None


def test_a_document_that_is_gone_lets_the_others_move_up() -> None:
    """Their comments tell their new places, and nothing else about them changes."""
    whole = _cassette()
    changed = rewritten(whole, split_cassette(whole), 1, None)
    assert _answers(changed) == [b'{"of": 2}', b'{"of": 3}']
    assert "--- # 1: POST" in changed
    assert "--- # 3" not in changed
    assert all(told(item.text) for item in split_cassette(changed).items[1:])


def test_the_last_document_can_go_and_so_can_all() -> None:
    """A cassette without interactions is one still."""
    whole = _cassette(1)
    changed = rewritten(whole, split_cassette(whole), 1, None)
    assert decode(changed, _file).interactions == ()


def test_what_was_not_finished_stays_at_the_end() -> None:
    """Nothing is lost of it."""
    whole = _cassette(2) + "--- # 3: POST /v1/torn\nrequest:\n"
    changed = rewritten(whole, split_cassette(whole), 1, None)
    assert changed.endswith("--- # 3: POST /v1/torn\nrequest:\n")
    assert split_cassette(changed).torn is not None


def test_a_last_line_without_an_end_is_no_hindrance() -> None:
    """Whoever edits a file by hand may leave it out."""
    whole = _cassette(2).removesuffix("\n")
    assert _answers(rewritten(whole, split_cassette(whole), 1, None)) == [b'{"of": 2}']


def test_a_cassette_of_an_earlier_version_becomes_one_of_the_present() -> None:
    """As it does wherever a file is written."""
    whole = _cassette(2).replace(f"replayproxy: {FORMAT_VERSION}", "replayproxy: 1")
    documents = split_cassette(whole)
    document, _ = edited_document(documents.items[1].text.replace("of: 1", "of: 10"), _file, 1)
    changed = rewritten(whole, documents, 1, document)
    assert f"replayproxy: {FORMAT_VERSION}" in changed
    assert _answers(changed) == [b'{"of": 10}', b'{"of": 2}']


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda text: text, id="as it stands"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param(lambda text: text.partition("\n")[2].rpartition("\n...")[0], id="without its marks"),
        pytest.param(lambda text: f"# why\n{text}\n\n", id="with a comment before it"),
        pytest.param(lambda text: text.replace("\n...", "\n... # mine").partition(" key")[0] + "\n", id="a remark"),
    ],
)
def test_the_marks_around_a_document_are_not_the_writers_business(edit: object) -> None:
    """It reads the same, and finds its place."""
    whole = _cassette(2)
    documents = split_cassette(whole)
    document, read = edited_document(edit(documents.items[1].text), _file, FORMAT_VERSION)  # type: ignore[operator]
    assert replace(read, line=0, text="") == replace(decode(whole, _file).interactions[0], line=0, text="")
    assert _answers(rewritten(whole, documents, 1, document)) == _answers(whole)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        pytest.param(f"request:\n  method: GET\n  target: /a b\n{_OK}", 3, "is not a path", id="a target, no marks"),
        pytest.param(f"---\nrequest:\n  method: GET\n  target: /a b\n{_OK}", 4, "is not a path", id="a target"),
        pytest.param("---\nrequest:\n  method: [\n...\n", 4, "YAML", id="no YAML"),
        pytest.param("---\na: 1\n...\n---\nb: 1\n...\n", 4, "these are 2 documents", id="two documents"),
        pytest.param("---\na: 1\n...\n---\nb: 1\n", 4, "these are 2 documents", id="two, one without an end"),
        pytest.param("---\na: 1\n... # x\n---\nb: 1\n ...\n", 4, "these are 2 documents", id="an end that is none"),
        pytest.param("---\na: 1\n", 2, "has no field 'a'", id="a field that there is not"),
        pytest.param("x: 1\n--- \na: 1\n...\n", 1, "outside", id="something before it"),
        pytest.param("- a\n", 0, "is not a mapping", id="a list"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    """The line is that of the text that was given."""
    with pytest.raises(CassetteError, match=what) as caught:
        edited_document(text, _file, FORMAT_VERSION)
    assert caught.value.line == line
    assert caught.value.path == ""


def test_a_document_that_swallows_another_is_refused() -> None:
    """The cassette would not hold what it says."""
    whole = _cassette(2)
    with pytest.raises(CassetteError, match="would not hold the same"):
        rewritten(whole, split_cassette(whole), 1, f"--- # 1: x\n{_ASKED}{_OK}...\n---\n{_ASKED}{_OK}...\n")
