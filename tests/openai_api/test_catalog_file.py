"""The catalog and the overlay that are shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
import yaml

import replayproxy.openai_api
from replayproxy.core.openapi import catalog_text, distilled

FOLDER = Path(replayproxy.openai_api.__file__).parent
SPEC = Path(__file__).parents[2] / ".." / "shared" / "openai" / "openapi.yaml"
OVERLAY: dict[str, Any] = yaml.load((FOLDER / "overlay.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
TEXT = (FOLDER / "catalog.json").read_text("utf-8")
CATALOG: dict[str, Any] = orjson.loads(TEXT)
ASSISTANTS = {"assistants", "threads", "messages", "runs", "run_steps"}


def operation(id_: str) -> dict[str, Any]:
    """The operation called `id_`."""
    return next(each for each in CATALOG["operations"] if each["id"] == id_)


@pytest.mark.skipif(not SPEC.is_file(), reason=f"no description of the OpenAI API in {SPEC}")
def test_the_catalog_is_what_the_importer_makes() -> None:
    """The shipped catalog is the description of the API, corrected by every action of the shipped overlay."""
    document = yaml.load(SPEC.read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert catalog_text(distilled(document, [OVERLAY])) == TEXT


def test_every_correction_has_a_source() -> None:
    """Each action of the overlay says why it is there, and where that can be seen."""
    for action in OVERLAY["actions"]:
        marks = ("#", "recorded", "platform.openai.com", "openai-python", "openai/", "in prose")
        assert any(mark in action["description"] for mark in marks)


def test_the_catalog_is_small() -> None:
    """It is loaded at the first use, which must not take long (benchmarks/ has the time): well under a megabyte."""
    assert len(TEXT.encode()) < 600_000


def test_every_schema_compiles() -> None:
    """The validator takes all schemas, and none refers to what is not there."""
    definitions = CATALOG["$defs"]
    for name in definitions:
        assert "/" not in name
    everything = [{"$ref": f"#/$defs/{name}"} for name in definitions]
    jsonschema_rs.Draft202012Validator({"$defs": definitions, "anyOf": everything})


def test_the_switched_off_operations_are_marked() -> None:
    """All 23 operations of the Assistants API have their families, beta and last day."""
    old = [each for each in CATALOG["operations"] if each.get("beta") == "assistants=v2"]
    assert len(old) == 23
    assert {each["family"] for each in old} == ASSISTANTS
    assert all(each["frozen"] and each["off"] == "2026-08-26" for each in old)
    assert {each["off"] for each in CATALOG["operations"] if each["family"] == "evals"} == {"2026-11-30"}
    ids = {
        parameter["schema"]["pattern"]
        for each in old
        for parameter in each.get("parameters", ())
        if parameter["in"] == "path"
    }
    assert ids == {"^asst", "^thread", "^msg", "^run", "^step"}


@pytest.mark.parametrize(
    ("id_", "key", "done", "names"),
    [
        ("createRun", "event", True, {"thread.run.created", "thread.message.delta", "error"}),
        ("createThreadAndRun", "event", True, {"thread.created"}),
        ("submitToolOuputsToRun", "event", True, {"thread.run.requires_action"}),
        ("createChatCompletion", "", True, {""}),
        ("createCompletion", "", True, {""}),
        ("createResponse", "type", False, {"response.output_text.delta", "response.completed"}),
        ("getResponse", "type", False, {"response.output_text.delta", "response.completed"}),
        ("createImage", "type", False, {"image_generation.completed"}),
        ("createSpeech", "type", False, {"speech.audio.done"}),
        ("createTranscription", "type", False, {"transcript.text.done"}),
    ],
)
def test_streams_are_known(id_: str, key: str, done: bool, names: set[str]) -> None:
    """What streams says which events it has, and what its order speaks of are events of it."""
    stream = operation(id_)["stream"]
    assert (stream["key"], stream.get("done", False)) == (key, done)
    ordered = {
        *stream.get("first", ()),
        *stream.get("last", ()),
        *stream.get("after", {}),
        *stream.get("after", {}).values(),
    }
    assert names | ordered <= stream["events"].keys()
