"""The emulator over the wire: errors, life cycles, determinism."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from replayproxy.emulator import app as emulator_app
from replayproxy.emulator import refusals
from replayproxy.emulator.app import create_app
from replayproxy.emulator.families import HANDLERS
from replayproxy.emulator.responding import response_of
from replayproxy.emulator.state import EmulatorSettings
from replayproxy.openai_api import catalog
from tests.bad_calls import ROWS, bytes_of

KEY = {"Authorization": "Bearer sk-test"}
GOOD = KEY | {"OpenAI-Beta": "assistants=v2"}
Start = Callable[..., Awaitable[TestClient[Any, Any]]]


async def answer(response: ClientResponse, status: int = 200) -> Any:
    """The parsed body of an answer with the status expected."""
    assert response.status == status, await response.text()
    return orjson.loads(await response.read())


async def post(client: TestClient[Any, Any], path: str, body: Any = None, status: int = 200) -> Any:
    """The answer to a POST with a good key and beta header."""
    return await answer(await client.post(path, json={} if body is None else body, headers=GOOD), status)


async def get(client: TestClient[Any, Any], path: str, status: int = 200) -> Any:
    """The answer to a GET with a good key and beta header."""
    return await answer(await client.get(path, headers=GOOD), status)


async def new_thread(client: TestClient[Any, Any]) -> str:
    """The path of the messages of a new thread."""
    return f"/v1/threads/{(await post(client, '/v1/threads'))['id']}/messages"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["name"]))
async def test_wrong_call_is_answered_as_the_api_answers_it(aiohttp_client: Start, row: dict[str, Any]) -> None:
    """Every known error of create message, on the wire, and nothing is stored."""
    client = await aiohttp_client(create_app())
    messages = await new_thread(client)
    headers = GOOD | {"Content-Type": "application/json"} | row.get("headers", {})
    sent = {name: value for name, value in headers.items() if value is not None}
    method, path = row.get("method", "POST"), row.get("path", messages)
    response = await client.request(method, path, data=io.BytesIO(bytes_of(row)), headers=sent)
    expected = {"type": "invalid_request_error"} | row["error"]
    status = expected.pop("status", 400)
    assert (await answer(response, status))["error"] == expected
    assert list((await get(client, messages))["data"]) == []


@pytest.mark.parametrize(
    ("key", "shown"),
    [("not-a-recognized", "not-a-re****ized"), ("undefined", "undefined"), ("twelve-chars", "twelve-chars")],
)
async def test_wrong_key_is_refused_when_keys_are_set(aiohttp_client: Start, key: str, shown: str) -> None:
    """The API shows the first eight and the last four characters of a key that it does not know."""
    client = await aiohttp_client(create_app(EmulatorSettings(api_keys=frozenset({"sk-good"}))))
    response = await client.get("/v1/threads/thread_1", headers={"Authorization": f"Bearer {key}"})
    error = (await answer(response, 401))["error"]
    assert error["message"].startswith(f"Incorrect API key provided: {shown}. You can find")
    assert error["code"] == "invalid_api_key"
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="OpenAI API"'
    good = await client.post("/v1/threads", headers=GOOD | {"Authorization": "bearer  sk-good "})
    assert good.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "bearer sk-test"},
        {"Authorization": "Basic OnNrLXRlc3Q="},
        {"api-key": "sk-test"},
    ],
)
async def test_a_key_may_come_in_three_ways(aiohttp_client: Start, headers: dict[str, str]) -> None:
    """As a bearer's token, as a password without a name, and as Azure's clients send it."""
    client = await aiohttp_client(create_app(EmulatorSettings(api_keys=frozenset({"sk-test"}))))
    response = await client.post("/v1/threads", headers={"OpenAI-Beta": "assistants=v2", **headers})
    assert response.status == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic Og==", "Basic %", "sk-test"])
async def test_what_is_no_key_is_no_key(aiohttp_client: Start, value: str) -> None:
    """Whatever holds none counts as none at all."""
    client = await aiohttp_client(create_app())
    response = await client.post("/v1/threads", headers=GOOD | {"Authorization": value})
    assert (await answer(response, 401))["error"]["message"].startswith("You didn't provide an API key.")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/nothing", {}, 404),
        ("GET", "/nothing?x=1", KEY, 404),
        ("GET", "/v1/threads", {}, 401),
        ("GET", "/v1/threads", KEY, 405),
        ("POST", "/v1/threads", KEY, 400),
        ("POST", "/v1/threads/runs", KEY, 400),
        ("HEAD", "/v1/threads/thread_1", GOOD, 405),
    ],
)
async def test_order_of_looking(
    aiohttp_client: Start, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Unknown URL, key, method, and beta header."""
    client = await aiohttp_client(create_app())
    response = await client.request(method, path, headers=headers)
    assert response.status == status
    if status == 405:
        assert response.headers["Allow"] == ", ".join(catalog().methods(path))


def test_what_is_not_emulated_is_told() -> None:
    """By name, method and path; and the client is not to ask again, since it will not be there then either."""
    operation = next(each for each in catalog() if each.id == "ListSkills")
    response = response_of(refusals.not_emulated(operation), "req_1", "/v1/skills")
    assert isinstance(response.body, bytes)
    error = orjson.loads(response.body)["error"]
    assert (response.status, error["type"], error["code"]) == (501, "server_error", "not_emulated")
    assert "ListSkills (GET /skills)" in error["message"]
    assert response.headers["x-should-retry"] == "false"


async def test_answers_carry_the_real_headers(aiohttp_client: Start) -> None:
    """A fixed set; an id per request; nothing that tells one machine from another."""
    client = await aiohttp_client(create_app())
    first, second = [await client.post("/v1/threads", headers=GOOD) for _ in range(2)]
    assert {name.lower() for name in first.headers} == {
        *("content-type", "openai-version", "openai-processing-ms", "openai-organization", "x-request-id"),
        *("server", "content-length", "date"),
    }
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["openai-version"] == "2020-10-01"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_body_that_does_not_decode_is_told(aiohttp_client: Start) -> None:
    """A content coding that is none of the body's is the client's mistake."""
    client = await aiohttp_client(create_app())
    headers = GOOD | {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    response = await client.post("/v1/threads", data=b"not gzip", headers=headers)
    assert "not encoded as its headers say" in (await answer(response, 400))["error"]["message"]


async def test_large_body_is_taken(aiohttp_client: Start) -> None:
    """Far more than aiohttp's megabyte is read, and judged by its content."""
    client = await aiohttp_client(create_app())
    messages = await new_thread(client)
    parts = [{"type": "text", "text": "x" * 200_000}] * 10
    body = io.BytesIO(orjson.dumps({"role": "user", "content": parts}))
    response = await client.post(messages, data=body, headers=GOOD | {"Content-Type": "application/json"})
    assert len((await answer(response))["content"]) == 10


async def test_body_over_the_limit_is_told(aiohttp_client: Start) -> None:
    """A body that is too large is refused in the envelope."""
    app = create_app()
    app._client_max_size = 1_000  # half a gigabyte takes too long to send
    client = await aiohttp_client(app)
    response = await client.post("/v1/threads", data=b" " * 2_000, headers=GOOD)
    assert (await answer(response, 413))["error"]["message"].startswith("Request body too large.")


async def test_defect_of_the_emulator_is_a_server_error(aiohttp_client: Start) -> None:
    """A handler that breaks is answered as the API answers then, with the request's id."""
    app = create_app()
    client = await aiohttp_client(app)
    app[emulator_app.STATE].shelf = None  # type: ignore[method-assign,assignment]
    response = await client.post("/v1/threads", headers=GOOD)
    error = (await answer(response, 500))["error"]
    assert (error["type"], error["code"]) == ("server_error", None)
    assert response.headers["x-request-id"] in error["message"]


async def test_life_of_a_thread(aiohttp_client: Start) -> None:
    """Made with messages, read, changed, deleted, gone with all that was in it."""
    client = await aiohttp_client(create_app())
    made = await post(
        client,
        "/v1/threads",
        {
            "messages": [{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}],
            "metadata": {"a": "b"},
            "tool_resources": {"code_interpreter": {"file_ids": ["file-1"]}},
        },
    )
    path = f"/v1/threads/{made['id']}"
    assert made["tool_resources"] == {"code_interpreter": {"file_ids": ["file-1"]}}
    assert await get(client, path) == made
    listed = await get(client, f"{path}/messages?order=asc")
    assert [one["content"][0]["text"]["value"] for one in listed["data"]] == ["One", "Two"]
    changed = await post(client, path, {"metadata": {"c": "d"}})
    assert changed == made | {"metadata": {"c": "d"}}
    assert await post(client, path, {"metadata": None}) == changed
    searching = await post(client, path, {"tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}})
    assert searching["tool_resources"] == {"file_search": {"vector_store_ids": ["vs_1"]}}
    gone = await answer(await client.delete(path, headers=GOOD))
    assert gone == {"id": made["id"], "object": "thread.deleted", "deleted": True}
    message = listed["first_id"]
    for method, url in [
        ("GET", path),
        ("POST", path),
        ("DELETE", path),
        ("GET", f"{path}/messages"),
        ("GET", f"{path}/messages/{message}"),
        ("POST", f"{path}/messages/{message}"),
        ("DELETE", f"{path}/messages/{message}"),
    ]:
        response = await client.request(method, url, json={} if method == "POST" else None, headers=GOOD)
        assert (await answer(response, 404))["error"]["message"] == f"No thread found with id '{made['id']}'."


async def test_vector_store_made_with_a_thread_is_named(aiohttp_client: Start) -> None:
    """The thread answers with the id of the store that was asked for."""
    client = await aiohttp_client(create_app())
    thread = await post(client, "/v1/threads", {"tool_resources": {"file_search": {"vector_stores": [{}]}}})
    (store,) = thread["tool_resources"]["file_search"]["vector_store_ids"]
    assert store.startswith("vs_")


async def test_life_of_a_message(aiohttp_client: Start) -> None:
    """Made, read, changed, deleted; not found after that, nor in another thread."""
    client = await aiohttp_client(create_app())
    messages, other = await new_thread(client), await new_thread(client)
    made = await post(client, messages, {"role": "user", "content": "Hello", "metadata": None, "attachments": None})
    path = f"{messages}/{made['id']}"
    assert await get(client, path) == made
    changed = await post(client, path, {"metadata": {"a": "b"}})
    assert changed == made | {"metadata": {"a": "b"}}
    assert await post(client, path) == await get(client, path) == changed
    missing = f"No message found with id '{made['id']}'."
    assert (await get(client, f"{other}/{made['id']}", 404))["error"]["message"] == missing
    gone = await answer(await client.delete(path, headers=GOOD))
    assert gone == {"id": made["id"], "object": "thread.message.deleted", "deleted": True}
    assert (await get(client, path, 404))["error"] == {
        "message": missing,
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    assert (await post(client, path, {}, 404))["error"]["message"] == missing
    assert (await answer(await client.delete(path, headers=GOOD), 404))["error"]["message"] == missing
    assert (await get(client, messages))["data"] == []


async def test_parts_are_answered_in_the_shape_of_answers(aiohttp_client: Start) -> None:
    """Text gains annotations, images their level of detail, attachments stay what they were."""
    client = await aiohttp_client(create_app())
    message = await post(
        client,
        await new_thread(client),
        {
            "attachments": [{"tools": [{"type": "file_search"}], "file_id": "file-1"}],
            "content": [
                {"type": "text", "text": "Grüße"},
                {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
                {"type": "image_file", "image_file": {"detail": "low", "file_id": "file-2"}},
            ],
            "role": "assistant",
        },
    )
    assert message["content"] == [
        {"type": "text", "text": {"value": "Grüße", "annotations": []}},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "auto"}},
        {"type": "image_file", "image_file": {"file_id": "file-2", "detail": "low"}},
    ]
    assert message["attachments"] == [{"file_id": "file-1", "tools": [{"type": "file_search"}]}]
    assert message["role"] == "assistant"


async def test_list_is_paged(aiohttp_client: Start) -> None:
    """Twenty, the newest first, unless told otherwise; cursors, a filter by run, and the ends of the page."""
    client = await aiohttp_client(create_app())
    messages = await new_thread(client)
    ids = [(await post(client, messages, {"role": "user", "content": str(n)}))["id"] for n in range(25)]

    async def page(query: str) -> tuple[list[str], bool]:
        got = await get(client, f"{messages}?{query}")
        listed = [one["id"] for one in got["data"]]
        assert (got["object"], [got["first_id"], got["last_id"]]) == (
            "list",
            [listed[0], listed[-1]] if listed else [None] * 2,
        )
        return listed, got["has_more"]

    assert await page("") == (ids[:4:-1], True)
    assert await page("limit=100&order=asc") == (ids, False)
    assert await page(f"limit=2&order=asc&after={ids[3]}") == (ids[4:6], True)
    assert await page(f"limit=2&order=asc&before={ids[3]}") == (ids[1:3], True)
    assert await page(f"after={ids[1]}") == ([ids[0]], False)
    assert await page("run_id=run_1") == ([], False)
    error = (await get(client, f"{messages}?after=msg_never", 404))["error"]
    assert error["message"] == "No message found with id 'msg_never'."
    assert (await get(client, f"{messages}?limit=0", 400))["error"]["code"] == "integer_below_min_value"


SCRIPT = [
    ("POST", "/v1/threads", {}),
    ("POST", "/v1/threads", {"messages": [{"role": "user", "content": "One"}]}),
    ("POST", "/v1/threads/{0}/messages", {"role": "user", "content": "Two"}),
    ("POST", "/v1/threads/{0}/messages", {"role": "nobody", "content": "Two"}),
    ("GET", "/v1/threads/{0}/messages", None),
    ("GET", "/v1/threads/{0}", None),
    ("GET", "/v1/nothing", None),
    ("DELETE", "/v1/threads/{0}", None),
    ("GET", "/v1/threads/{0}", None),
]


async def played(client: TestClient[Any, Any]) -> list[tuple[int, dict[str, str], bytes]]:
    """What a script is answered: status, headers but `Date`, body."""
    told, thread = [], ""
    for method, path, body in SCRIPT:
        response = await client.request(method, path.format(thread), json=body, headers=GOOD)
        content = await response.read()
        thread = thread or orjson.loads(content)["id"]
        headers = {name: value for name, value in response.headers.items() if name != "Date"}
        told.append((response.status, headers, content))
    return told


async def test_same_requests_are_answered_with_the_same_bytes(aiohttp_client: Start) -> None:
    """Two emulators with equal settings agree to the byte; another seed gives other ids, another start other times."""
    apps = [create_app(), create_app(EmulatorSettings())]
    one, two = [await played(await aiohttp_client(app)) for app in apps]
    assert one == two
    seeded = await played(await aiohttp_client(create_app(EmulatorSettings(seed="other"))))
    later = await played(await aiohttp_client(create_app(EmulatorSettings(clock_start=5))))
    first, other, late = (orjson.loads(told[0][2]) for told in (one, seeded, later))
    assert first["id"] != other["id"]
    assert first["created_at"] == other["created_at"]
    assert (late["id"], late["created_at"]) == (first["id"], 5)


def test_handlers_are_operations_of_the_catalog() -> None:
    """No handler is registered under a name that nothing resolves to, and each operation has one."""
    assert set(HANDLERS) == {operation.id for operation in catalog()}
