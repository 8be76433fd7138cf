"""The table of the official client's methods holds for the client that is installed."""

from __future__ import annotations

import random
from operator import attrgetter

import httpx
import openai
import pytest

from replayproxy.core.exports.client_methods import client_method
from replayproxy.core.exports.python_openai import as_openai
from replayproxy.core.matching import identity
from replayproxy.core.messages import Headers, Request
from replayproxy.openai_api import catalog
from tests.client_calls import ClientMethod, FakeApi, client_methods
from tests.openai_api.test_client_requests import IS_KNOWN, VERSION

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(not IS_KNOWN, reason=f"the table is about openai {VERSION}, this is {openai.__version__}"),
]

API = FakeApi()
METHODS = client_methods() if IS_KNOWN else []
#: What the client calls by its newer path.
WITHOUT_METHOD = {"cancelEvalRun"}


def test_each_operation_has_its_method() -> None:
    """Which is there."""
    for operation in catalog():
        method = client_method(operation.id)
        assert (method is None) == (operation.id in WITHOUT_METHOD)
        assert method is None or callable(attrgetter(method)(API.client))


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What the client's transport was given, in the place of the network."""
    found: list[httpx.Request] = []
    real = openai.OpenAI

    def keep(request: httpx.Request) -> httpx.Response:
        found.append(request)
        raise httpx.ConnectError("nothing is sent")

    def made(**given: str) -> openai.OpenAI:
        http = httpx.Client(transport=httpx.MockTransport(keep))
        return real(max_retries=0, http_client=http, **given)  # type: ignore[arg-type]

    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.setattr(openai, "OpenAI", made)
    return found


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_what_is_copied_makes_the_request_again(method: ClientMethod, caught: list[httpx.Request]) -> None:
    """The least that a method needs and some of what it takes, in its own words where it has some."""
    calls = list(method.calls())
    for arguments in [calls[0], *random.Random(1).sample(calls, min(5, len(calls)))]:
        asked = API.request(method, arguments)
        if asked is None:
            continue
        resolved = catalog().resolve(asked.method, asked.target)
        script = as_openai(asked, "http://127.0.0.1", resolved.operation if resolved else None)
        caught.clear()
        with pytest.raises(openai.APIConnectionError):
            exec(script, {})
        assert identity(_request(caught[-1])) == identity(asked)


def _request(sent: httpx.Request) -> Request:
    headers = Headers.from_raw(sent.headers.raw)
    return Request(sent.method, sent.url.raw_path.decode(), headers, sent.read())
