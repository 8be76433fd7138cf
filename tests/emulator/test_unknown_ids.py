"""Ids that the emulator never made: every operation takes them, and answers what the official client can parse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from replayproxy.emulator.app import STATE, create_app
from replayproxy.emulator.families import HANDLERS
from replayproxy.emulator.runner import serving
from replayproxy.emulator.state import EmulatorSettings, State
from replayproxy.openai_api import catalog
from tests.client_calls import ClientMethod, FakeApi, client_methods
from tests.e2e.background import in_background

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

API = FakeApi()
SKILL = ("folder/SKILL.md", b"---\nname: skill\ndescription: A skill.\n---\n")
#: What the API needs although the client's types do not say so; and what no strict parsing can take (the client asks
#: for base64 by default, which its own type is not) or nobody may do (models of OpenAI's are not to be deleted).
MORE: dict[str, dict[str, Any]] = {
    "responses.create": {"model": "gpt-4o", "input": "Hello"},
    "beta.responses.create": {"model": "gpt-4o", "input": "Hello"},
    "vector_stores.file_batches.create": {"file_ids": ["file-of-last-year"]},
    "embeddings.create": {"encoding_format": "float"},
    "models.delete": {"model": "ft:gpt-4o:of:last:year"},
    "skills.create": {"files": [SKILL]},
    "skills.versions.create": {"files": [SKILL]},
}


def operation_of(method: ClientMethod) -> str:
    """The operation that a method of the client asks for, "" for one that the catalog does not know."""
    for arguments in method.calls():
        request = API.request(method, arguments)
        if request is not None:
            resolved = catalog().resolve(request.method, request.target)
            return resolved.operation.id if resolved else ""
    return ""


#: What the description, and so the catalog, does not have yet.
METHODS = client_methods()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[State, str]]:
    """An emulator's memory, and where it answers."""
    app = create_app(EmulatorSettings(unknown_ids="create"))
    with in_background(serving(app)) as emulator:
        yield app[STATE], f"{emulator.url}/v1"


@pytest.fixture
def client(served: tuple[State, str]) -> Iterator[openai.OpenAI]:
    """A client that takes nothing but what its types say, of an emulator that remembers nothing."""
    state, url = served
    state.reset()
    with openai.OpenAI(
        api_key="any", admin_api_key="any", base_url=url, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_made_up_ids_are_taken(client: openai.OpenAI, method: ClientMethod) -> None:
    """With the least that the method needs."""
    if operation_of(method) not in HANDLERS:
        pytest.skip("the catalog does not have it: the client is newer")
    for arguments in method.calls():
        if API.request(method, arguments) is not None:
            method.bound(client)(**arguments | MORE.get(str(method), {}))
            return
    pytest.fail("the client refuses all arguments")


def test_every_operation_that_is_emulated_is_called() -> None:
    """But for those that the client does not have."""
    called = {operation_of(method) for method in METHODS}
    assert {id_ for id_ in HANDLERS if id_ not in called and not id_.startswith("beta_")} == {"cancelEvalRun"}
