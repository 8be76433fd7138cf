"""What the official client raises when create message is called wrongly, through a proxy that enforces the rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.bad_calls import ROWS, body_of
from tests.e2e.background import in_background
from tests.processes import KEY
from tests.proxies import documents, proxied
from tests.servers import RawUpstream, answering, raw_upstream

#: What only a server can know is not the validator's to tell.
CHECKED = [row for row in ROWS if row.get("validator", True)]
KNOWN = [row for row in ROWS if not row.get("validator", True)]
THREAD = "thread_abc123abc123abc123abc123"
MESSAGE = (
    b'{"id": "msg_1", "object": "thread.message", "created_at": 1, "assistant_id": null, "thread_id": "thread_1", '
    b'"run_id": null, "role": "user", "content": [], "attachments": [], "metadata": {}}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(MESSAGE), MESSAGE)
#: One body that is fine, and one that is not.
GOOD: dict[str, Any] = {"role": "user", "content": "Hello"}
BAD: dict[str, Any] = {"role": "human", "content": "Hello"}


def named(row: dict[str, Any]) -> str:
    """The name of a row."""
    return str(row["name"])


@pytest.fixture(scope="module")
def upstream() -> Iterator[RawUpstream]:
    """A server that finds everything fine."""
    with in_background(raw_upstream(answering(ANSWER))) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def cassette(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the answers are recorded."""
    return tmp_path_factory.mktemp("create_message") / "errors.yaml"


@pytest.fixture(scope="module")
def recorded(upstream: RawUpstream, cassette: Path) -> dict[str, dict[str, Any]]:
    """What the client was told for each row while it was recorded."""
    with in_background(proxied(cassette, upstream.url, validate="enforce")) as proxy:
        return dict(zip(map(named, CHECKED), told(proxy.url, *CHECKED), strict=True))


@pytest.fixture(scope="module")
def played(recorded: dict[str, Any], cassette: Path) -> dict[str, dict[str, Any]]:
    """What the client is told for each row in playback."""
    with in_background(proxied(cassette, mode="playback")) as proxy:
        return dict(zip(map(named, CHECKED), told(proxy.url, *CHECKED), strict=True))


def told(url: str, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """The error that the official client raises for each row; empty where it raises none."""
    with openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", organization=None, project=None) as client:
        return [error_of(client, row) for row in rows]


def error_of(client: openai.OpenAI, row: dict[str, Any]) -> dict[str, Any]:
    """The error that the client raises for a row; empty when it raises none."""
    try:
        called(client, row)
    except openai.APIStatusError as error:
        body: Any = error.body
        return {"status": error.status_code, **body, "raised": type(error).__name__, "raw": error.response.content}
    return {}


def called(client: openai.OpenAI, row: dict[str, Any]) -> None:
    """Calls create message as a row says; what the typed method cannot send goes by the untyped one."""
    headers: dict[str, Any] = {
        name: openai.omit if value is None else value for name, value in row.get("headers", {}).items()
    }
    if "raw" not in row and "path" not in row:
        client.beta.threads.messages.create(
            THREAD,
            role=openai.omit,  # type: ignore[arg-type]  # the body has it, if any
            content=openai.omit,  # type: ignore[arg-type]
            extra_body=body_of(row),
            extra_headers=headers,
        )
        return
    path = row.get("path", f"/v1/threads/{THREAD}/messages").removeprefix("/v1")
    beta = {"OpenAI-Beta": "assistants=v2", "Content-Type": "application/json"}
    content: dict[str, Any] = {"content": row["raw"].encode()} if "raw" in row else {"body": body_of(row)}
    client.post(path, cast_to=object, options={"headers": beta | headers}, **content)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:tests.*")
class TestEnforced:
    """A wrong call does not get past the proxy."""

    @pytest.mark.parametrize("row", CHECKED, ids=named)
    def test_client_raises_what_the_api_would_make_it_raise(
        self, row: dict[str, Any], recorded: dict[str, dict[str, Any]]
    ) -> None:
        """Status, message, type, param and code."""
        expected = {"status": 400, "type": "invalid_request_error", **row["error"], "raised": "BadRequestError"}
        assert {name: value for name, value in recorded[named(row)].items() if name != "raw"} == expected

    @pytest.mark.parametrize("row", CHECKED, ids=named)
    def test_playback_tells_it_again(
        self, row: dict[str, Any], recorded: dict[str, dict[str, Any]], played: dict[str, dict[str, Any]]
    ) -> None:
        """To the byte."""
        assert played[named(row)] == recorded[named(row)]

    @pytest.mark.usefixtures("recorded")
    def test_upstream_sees_nothing(self, upstream: RawUpstream) -> None:
        """Not one of the wrong calls was forwarded."""
        assert upstream.received == b""

    @pytest.mark.usefixtures("recorded")
    def test_cassette_says_who_answered(self, cassette: Path) -> None:
        """Each answer is marked as the validator's."""
        saved = documents(cassette)[1:]
        assert len(saved) == len(CHECKED)
        assert all(part["answered_by"] == "validator" and part["problems"] for part in saved)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:tests.*")
class TestWarned:
    """With `validate: warn` a wrong call goes its way and leaves a mark."""

    def test_wrong_call_is_forwarded_and_marked(self, tmp_path: Path) -> None:
        """The upstream's answer counts; the cassette and the receipt tell of the problem."""
        row = {"name": "warned", "body": BAD}
        with in_background(raw_upstream(answering(ANSWER))) as upstream:
            with in_background(proxied(tmp_path / "c.yaml", upstream.url, validate="warn")) as proxy:
                assert told(proxy.url, row) == [{}]
            assert b'"human"' in upstream.received
        (saved,) = documents(tmp_path / "c.yaml")[1:]
        assert (saved["response"]["status"], saved["problems"][0]["param"]) == (200, "role")
        assert "answered_by" not in saved
        assert proxy.session.receipt().problems == 1

    @pytest.mark.parametrize("validate", ["off", "warn", "enforce"])
    def test_right_call_is_forwarded_and_not_marked(self, tmp_path: Path, validate: str) -> None:
        """There is nothing to tell."""
        with in_background(raw_upstream(answering(ANSWER))) as upstream:
            with in_background(proxied(tmp_path / "c.yaml", upstream.url, validate=validate)) as proxy:
                assert told(proxy.url, {"name": "right", "body": GOOD}) == [{}]
            assert b'"Hello"' in upstream.received
        (saved,) = documents(tmp_path / "c.yaml")[1:]
        assert "problems" not in saved

    def test_without_validation_nothing_is_said(self, tmp_path: Path) -> None:
        """`off` is off."""
        with (
            in_background(raw_upstream(answering(ANSWER))) as upstream,
            in_background(proxied(tmp_path / "c.yaml", upstream.url, validate="off")) as proxy,
        ):
            assert told(proxy.url, {"name": "wrong", "body": BAD}) == [{}]
        (saved,) = documents(tmp_path / "c.yaml")[1:]
        assert "problems" not in saved


@pytest.mark.filterwarnings("ignore::DeprecationWarning:tests.*")
def test_miss_names_the_problem_too(tmp_path: Path) -> None:
    """In playback a wrong call that was never recorded is a miss, and the message says that it is wrong as well."""
    with (
        in_background(raw_upstream(answering(ANSWER))) as upstream,
        in_background(proxied(tmp_path / "c.yaml", upstream.url)) as proxy,
    ):
        told(proxy.url, {"name": "right", "body": GOOD})
    with in_background(proxied(tmp_path / "c.yaml", mode="playback")) as proxy:
        (error,) = told(proxy.url, {"name": "wrong", "body": BAD})
    assert (error["status"], error["code"]) == (424, "no_match")
    assert "body.role" in error["message"]
    assert "Invalid value: 'human'. Supported values are: 'user' and 'assistant'." in error["message"]


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A proxy in front of the emulator."""
    with in_background(proxied(tmp_path_factory.mktemp("emulated") / "c.yaml")) as proxy:
        yield proxy.url


@pytest.mark.filterwarnings("ignore::DeprecationWarning:tests.*")
@pytest.mark.parametrize("row", KNOWN, ids=named)
def test_what_only_a_server_knows_the_emulator_tells(row: dict[str, Any], emulated: str) -> None:
    """A missing thread, a missing key, an unknown URL and a wrong method pass the validator and fail behind it."""
    with httpx.Client(trust_env=False, verify=False) as client:
        headers = {"Authorization": f"Bearer {KEY}", "OpenAI-Beta": "assistants=v2"} | row.get("headers", {})
        answer = client.request(
            row.get("method", "POST"),
            emulated + row.get("path", f"/v1/threads/{THREAD}/messages"),
            json=row["body"],
            headers={name: value for name, value in headers.items() if value is not None},
        )
    expected = {"status": 400, "type": "invalid_request_error", **row["error"]}
    assert {"status": answer.status_code, **answer.json()["error"]} == expected
