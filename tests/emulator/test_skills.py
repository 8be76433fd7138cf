"""Skills: bundles, versions, and what is no skill."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI

from replayproxy.core.problem import Problem
from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.asked import Upload
from replayproxy.emulator.fixtures import add_fixtures
from replayproxy.emulator.runner import running, serving
from replayproxy.emulator.skills import bundles
from replayproxy.emulator.skills.bundles import Bundle, bundle_of, zipped
from replayproxy.emulator.state import EmulatorSettings
from tests.e2e.background import in_background
from tests.strict_clients import strict_client

MANIFEST = b"---\nname: basic-math\ndescription: Adds numbers.\n---\n\nUse it to add.\n"
FILES = [("basic_math/SKILL.md", MANIFEST), ("basic_math/calculate.py", b"print(1 + 1)\n")]


def manifest(name: str = "other", about: str = "Something else") -> list[tuple[str, bytes]]:
    """The files of another skill."""
    return [("folder/skill.md", f"---\nname: {name}\ndescription: {about}\n---\n".encode())]


def files_in(content: bytes) -> dict[str, bytes]:
    """What is in a zip file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def uploads(files: dict[str, bytes]) -> list[Upload]:
    """The parts that a directory is uploaded as."""
    return [Upload(name, content, "text/plain") for name, content in files.items()]


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """A client that takes nothing wrong."""
    async with strict_client() as started:
        yield started


async def test_skill_lives_from_creation_to_deletion(client: AsyncOpenAI) -> None:
    """Made of a directory, told, listed, downloaded as a zip file, and gone with its versions."""
    raw = await client.skills.with_raw_response.create(files=FILES)
    made = raw.parse()
    assert list(raw.http_response.json()) == [
        *("id", "object", "name", "description", "created_at", "default_version", "latest_version")
    ]
    assert (made.name, made.description) == ("basic-math", "Adds numbers.")
    assert (made.default_version, made.latest_version) == ("1", "1")
    assert (await client.skills.retrieve(made.id)).to_dict() == made.to_dict()
    other = await client.skills.create(files=manifest())
    assert [each.id async for each in client.skills.list(limit=1)] == [other.id, made.id]
    content = await client.skills.content.retrieve(made.id)
    assert files_in(content.content) == dict(FILES)
    assert content.response.headers["content-type"] == "application/zip"
    assert content.response.headers["content-disposition"] == 'attachment; filename="basic-math.zip"'
    assert (await client.skills.delete(made.id)).deleted
    versions = client.skills.versions
    calls = (
        client.skills.retrieve(made.id),
        client.skills.update(made.id, default_version="1"),
        client.skills.content.retrieve(made.id),
        client.skills.delete(made.id),
        versions.create(made.id, files=FILES),
        versions.list(made.id),
        versions.retrieve("1", skill_id=made.id),
        versions.content.retrieve("1", skill_id=made.id),
        versions.delete("1", skill_id=made.id),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError, match=f"No skill found with id '{made.id}'"):
            await call


async def test_versions_are_numbered_and_one_is_the_default(client: AsyncOpenAI) -> None:
    """A skill is called what its default version is called; numbers are not used again; the default cannot go."""
    skill = (await client.skills.create(files=FILES)).id
    versions = client.skills.versions
    second = await versions.create(skill, files=manifest("second"))
    assert (second.version, second.name, second.skill_id) == ("2", "second", skill)
    told = await client.skills.retrieve(skill)
    assert (told.name, told.default_version, told.latest_version) == ("basic-math", "1", "2")
    third = await versions.create(skill, files=manifest("third"), default=True)
    told = await client.skills.retrieve(skill)
    assert (told.name, told.default_version, told.latest_version) == ("third", "3", "3")
    assert [each.version async for each in versions.list(skill, limit=2)] == ["3", "2", "1"]
    assert [each.version async for each in versions.list(skill, order="asc", after=second.id)] == ["3"]
    assert (await versions.retrieve("3", skill_id=skill)).to_dict() == third.to_dict()
    assert files_in((await versions.content.retrieve("1", skill_id=skill)).content) == dict(FILES)
    with pytest.raises(openai.BadRequestError, match="'3' is the default version"):
        await versions.delete("3", skill_id=skill)
    told = await client.skills.update(skill, default_version="2")
    assert (told.name, told.default_version, told.latest_version) == ("second", "2", "3")
    gone = await versions.delete("3", skill_id=skill)
    assert (gone.id, gone.version, gone.deleted) == (third.id, "3", True)
    assert (await client.skills.retrieve(skill)).latest_version == "2"
    for call in (versions.retrieve("3", skill_id=skill), client.skills.update(skill, default_version="3")):
        with pytest.raises(openai.NotFoundError, match="No skill version found with id '3'"):
            await call
    assert (await versions.create(skill, files=FILES)).version == "4"
    with pytest.raises(openai.BadRequestError, match="exactly one SKILL"):
        await versions.create(skill, files=[("a/b", b"")])


async def test_zip_file_is_given_back_as_it_was(client: AsyncOpenAI) -> None:
    """To the byte, whatever it is called, folders in it and all."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("basic_math")
        for name, content in FILES:
            archive.writestr(name, content)
    skill = await client.skills.create(files=("whatever", packed.getvalue()))
    assert skill.name == "basic-math"
    assert (await client.skills.content.retrieve(skill.id)).content == packed.getvalue()


async def test_skill_needs_files_and_room() -> None:
    """A body without files, and one that is larger than what is kept, are refused."""
    async with strict_client(settings=EmulatorSettings(upload_limit=100)) as client:
        with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'files'"):
            await client.post("/skills", body={"files": ["a"]}, cast_to=object)
        with pytest.raises(openai.APIStatusError, match="too large") as error:
            await client.skills.create(files=FILES)
        assert error.value.status_code == 413


def test_skills_in_a_synchronous_client_and_of_fixtures() -> None:
    """A skill of a fixture has a version, made when it is asked for, and the versions of fixtures."""
    app = create_app()
    version = {"id": "skillver_mine", "parent": "skill_mine", "version": "7"}
    add_fixtures(app[STATE], {"skill": [{"id": "skill_mine", "name": "mine"}], "skill version": [version]})
    with in_background(serving(app)) as emulator, OpenAI(base_url=f"{emulator.url}/v1", api_key="any") as client:
        assert client.skills.retrieve("skill_mine").name == "mine"
        listed = client.skills.versions.list("skill_mine", order="asc").data
        assert [each.version for each in listed] == ["7", "1"]
        assert list(files_in(client.skills.content.retrieve("skill_mine").content)) == ["skill/SKILL.md"]
        assert client.skills.versions.create("skill_mine", files=FILES).version == "8"
        with pytest.raises(openai.NotFoundError):
            client.skills.versions.retrieve("3", skill_id="skill_mine")


async def test_made_up_versions_are_there_until_they_are_deleted() -> None:
    """Of a skill that was made up; a real one has those that it was given."""
    async with strict_client(settings=EmulatorSettings(unknown_ids="create")) as client:
        versions = client.skills.versions
        assert (await versions.retrieve("latest", skill_id="skill_old")).version == "latest"
        assert (await versions.retrieve("5", skill_id="skill_old")).version == "5"
        await versions.delete("5", skill_id="skill_old")
        with pytest.raises(openai.NotFoundError):
            await versions.retrieve("5", skill_id="skill_old")
        made = await client.skills.create(files=FILES)
        with pytest.raises(openai.NotFoundError):
            await versions.retrieve("2", skill_id=made.id)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "Missing required parameter"),
        ({"SKILL.md": MANIFEST}, "a single top-level folder"),
        ({"a/SKILL.md": MANIFEST, "b/c": b""}, "a single top-level folder"),
        ({"a/c": b""}, "exactly one SKILL.md, but got 0"),
        ({"a/SKILL.md": MANIFEST, "a/b/skill.MD": MANIFEST}, "exactly one SKILL.md, but got 2"),
        ({"a/SKILL.md": b"# Math"}, "must begin with front matter"),
        ({"a/SKILL.md": b"---\n: [\n---\n"}, "cannot be read"),
        ({"a/SKILL.md": b"---\n- a\n---\n"}, "the 'name' in SKILL.md"),
        ({"a/SKILL.md": b"---\ndescription: Adds\n---\n"}, "the 'name' in SKILL.md"),
        ({"a/SKILL.md": b"---\nname: Basic Math\ndescription: Adds\n---\n"}, "the 'name' in SKILL.md"),
        ({"a/SKILL.md": b"---\nname: %b\ndescription: Adds\n---\n" % (b"a" * 65)}, "the 'name' in SKILL.md"),
        ({"a/SKILL.md": b"---\nname: math\n---\n"}, "must have a 'description'"),
        ({"a/SKILL.md": MANIFEST} | {f"a/{n}": b"" for n in range(500)}, "array too long"),
        ({"a/SKILL.md": MANIFEST, "a/large": b" " * (bundles.MAX_FILE + 1)}, "'a/large' has 26214401"),
        ({"broken.zip": b"PK\x03\x04"}, "no zip file that can be read"),
        ({f"a/{'b' * 2**16}": b""}, "no zip file that can be read"),
        ({"\0a": b""}, "a single top-level folder"),
        ({"many.zip": zipped({f"a/{n}": b"" for n in range(501)})}, "array too long"),
        ({"large.zip": zipped({f"a/{n}": b" " * bundles.MAX_FILE for n in range(2)})}, "at most 52428800 bytes"),
    ],
)
def test_what_is_no_skill_is_refused(files: dict[str, bytes], message: str) -> None:
    """With what was expected, under the name of the parameter."""
    found = bundle_of(uploads(files))
    assert isinstance(found, Problem)
    assert (found.status, found.param) == (400, "files")
    assert message in found.message


@given(st.data())
def test_damaged_zip_files_never_break_anything(data: Any) -> None:
    """Whatever byte is changed, it is a bundle or a problem."""
    content = bytearray(zipped(dict(FILES)))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    assert isinstance(bundle_of([Upload("a.zip", bytes(content), "")]), Bundle | Problem)


def test_bundle_is_the_same_bytes_every_time() -> None:
    """So that equal emulators give equal answers."""
    first, second = (bundle_of(uploads(dict(FILES))) for _ in range(2))
    assert isinstance(first, Bundle)
    assert first == second


async def test_ids_follow_from_the_seed() -> None:
    """Two emulators agree."""

    async def made() -> str:
        async with running() as emulator, AsyncOpenAI(base_url=f"{emulator.url}/v1", api_key="any") as client:
            return (await client.skills.create(files=FILES)).id

    assert await made() == await made()
