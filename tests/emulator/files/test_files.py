"""Files: uploaded, listed, downloaded, deleted; and what the emulator says to those that it does not take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from replayproxy.emulator.files.files import attachment
from replayproxy.emulator.files.text import text_of
from replayproxy.emulator.runner import running
from replayproxy.emulator.state import EmulatorSettings
from tests.strict_clients import strict_client


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


async def test_file_lives_from_upload_to_deletion(client: AsyncOpenAI) -> None:
    """What is uploaded is told, listed, downloaded byte for byte, and gone once it is deleted."""
    made = await client.files.create(file=("data.jsonl", b'{"a": 1}\n'), purpose="fine-tune")
    assert (made.bytes, made.filename, made.purpose, made.status) == (9, "data.jsonl", "fine-tune", "processed")
    assert made.id.startswith("file-")
    assert len(made.id) == 27
    assert await client.files.retrieve(made.id) == made
    assert await client.files.wait_for_processing(made.id) == made
    raw = await client.files.with_raw_response.content(made.id)
    assert raw.content == b'{"a": 1}\n'
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["content-disposition"] == 'attachment; filename="data.jsonl"'
    assert [each.id async for each in client.files.list()] == [made.id]
    assert (await client.files.delete(made.id)).deleted
    assert [each async for each in client.files.list()] == []
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=f"No such File object: {made.id}") as caught:
            await call(made.id)
        assert caught.value.param == "id"


async def test_files_expire_when_they_are_told_to(client: AsyncOpenAI) -> None:
    """The form's fields are read as numbers."""
    made = await client.files.create(
        file=("a.txt", b"a"), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert made.expires_at == made.created_at + 3600


async def test_lists_are_filtered_and_paged(client: AsyncOpenAI) -> None:
    """By purpose; a page of files can be long."""
    ids = [
        (await client.files.create(file=(f"{n}.txt", b"x"), purpose="vision" if n % 2 else "user_data")).id
        for n in range(5)
    ]
    assert [each.id async for each in client.files.list(purpose="vision", limit=1)] == [ids[3], ids[1]]
    assert [each.id async for each in client.files.list(order="asc", limit=500)] == ids
    assert (await client.files.list(limit=3)).has_more
    for wrong in (10_001, 0, -1):
        with pytest.raises(openai.BadRequestError, match="'limit'") as caught:
            await client.files.list(limit=wrong)
        assert caught.value.param == "limit"
    with pytest.raises(openai.NotFoundError, match="No such File object: file-none"):
        await client.files.list(after="file-none")


@pytest.mark.parametrize("query", ["limit=x", "limit[a]=1", "purpose[a]=b", "order=up"])
async def test_odd_queries_are_refused(client: AsyncOpenAI, query: str) -> None:
    """By the name of what is wrong."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.get(f"/files?{query}", cast_to=object)
    assert caught.value.param == query.partition("=")[0].partition("[")[0]


async def test_what_is_no_upload_is_refused_as_the_api_does(client: AsyncOpenAI) -> None:
    """Its errors have a sibling that tells the same again."""
    with pytest.raises(openai.BadRequestError, match=r"Must be \.jsonl") as caught:
        await client.files.create(file=("a.txt", b"a"), purpose="batch")
    message = "Invalid file format for Batch API. Must be .jsonl"
    assert caught.value.response.json() == {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": None},
        "detail": {"message": message, "code": None},
    }
    with pytest.raises(openai.BadRequestError, match="'file' is a required property"):
        await client.post(
            "/files",
            cast_to=object,
            body={"purpose": "batch", "file": "text"},
            options={"headers": {"Content-Type": "multipart/form-data"}},
            files=[("other", ("a.txt", b"a"))],
        )


@pytest.mark.parametrize("purpose", ["assistants", "user_data"])
async def test_some_files_are_not_given_out(client: AsyncOpenAI, purpose: str) -> None:
    """As the real API keeps what was uploaded for search."""
    made = await client.files.create(file=("a.txt", b"a"), purpose=purpose)  # type: ignore[arg-type]
    with pytest.raises(openai.BadRequestError, match=f"Not allowed to download files of purpose: {purpose}"):
        await client.files.content(made.id)


async def test_uploads_are_limited() -> None:
    """All together; what is deleted makes room."""
    async with strict_client(settings=EmulatorSettings(upload_limit=10)) as client:
        first = await client.files.create(file=("a.txt", b"12345678"), purpose="vision")
        with pytest.raises(openai.APIStatusError, match=r"too large: it has 3 bytes.*10 bytes.*8 are taken") as caught:
            await client.files.create(file=("b.txt", b"123"), purpose="vision")
        assert caught.value.status_code == 413
        await client.files.delete(first.id)
        await client.files.create(file=("b.txt", b"123"), purpose="vision")


async def test_ids_that_were_never_made_can_be_taken() -> None:
    """A file of last year has some content."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        assert (await client.files.retrieve("file-old")).id == "file-old"
        assert "emulator" in (await client.files.content("file-old")).text


async def test_odd_names_are_told(client: AsyncOpenAI) -> None:
    """Whatever a name is, the answer is JSON, and a head of one line."""
    made = await client.files.create(file=('tö"st\r\n.txt', b"x"), purpose="vision")
    raw = await client.files.with_raw_response.content(made.id)
    assert "filename*=UTF-8''t%C3%B6" in raw.headers["content-disposition"]


def test_names_stand_safely_in_a_head() -> None:
    """Plain ones as they are, others coded, too."""
    assert attachment("a b.txt") == 'attachment; filename="a b.txt"'
    assert attachment('ä"\n') == "attachment; filename=\"___\"; filename*=UTF-8''%C3%A4%22%0A"


async def test_synchronous_client() -> None:
    """The same with a client that blocks."""

    def use(url: str) -> bytes:
        with OpenAI(base_url=f"{url}/v1", api_key="sk-test", _strict_response_validation=True) as client:
            made = client.files.create(file=("a.bin", b"\0\xff"), purpose="vision")
            content = client.files.content(made.id).content
            assert client.files.delete(made.id).deleted
            return content

    async with running() as emulator:
        assert await asyncio.to_thread(use, emulator.url) == b"\0\xff"


def pdf(*streams: bytes) -> bytes:
    """As much of a PDF as has text."""
    parts = [b"<< /Length %d >>\nstream\n%b\nendstream\n" % (len(each), each) for each in streams]
    return b"%PDF-1.4\n" + b"".join(parts)


def office(**members: str) -> bytes:
    """A small archive."""
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return made.getvalue()


PAGE = b"BT (Hello \\(you\\)) Tj T* [(Wor) -3 (ld\\041)] TJ ET"


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.txt", b"plain", "plain"),
        ("a.md", b"\xef\xbb\xbf# Title", "# Title"),
        ("a.txt", "wide".encode("utf-16"), "wide"),
        ("a.csv", b"a,b\n1,2\n", "a,b\n1,2\n"),
        (
            "a.html",
            b"<head><title>x</title></head><p>One<br>t&amp;wo</p><script>3</script><!-- 4 --> 5",
            "One\nt&wo\n5",
        ),
        ("page", b"<!DOCTYPE html><p>Hi", "Hi"),
        ("a.html", b"<p>Hi<style>never closed", "Hi"),
        ("a.bin", b"\0\1\2\3", None),
        ("a.bin", b"\xff\xfe\xfd", None),
        ("a.pdf", pdf(PAGE), "Hello (you)\nWorld!"),
        ("a.pdf", pdf(__import__("zlib").compress(PAGE)), "Hello (you)\nWorld!"),
        ("a.pdf", pdf(b"BT <0001> Tj ET"), None),
        ("a.pdf", b"%PDF-1.4 stream\n(never ends", None),
        ("a.docx", office(word__document_xml="<w:p><w:t>One</w:t></w:p><w:p>Two</w:p>"), "One\nTwo"),
        ("a.pptx", office(ppt__slides__slide2_xml="<a:p>B</a:p>", ppt__slides__slide1_xml="<a:p>A</a:p>"), "A\nB"),
        ("a.zip", office(other_xml="x"), None),
        ("a.docx", b"PK\x03\x04 broken", None),
    ],
)
def test_text_of_a_file(name: str, content: bytes, text: str | None) -> None:
    """Markup is taken off, documents are opened, and what has no text that can be read has none."""
    assert text_of(name, content) == text
