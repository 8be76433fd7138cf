"""A real model behind the emulator: a loopback server that says what it is told, and the emulator itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from replayproxy.emulator.brain import Failure, Passage, Reply, Turn
from replayproxy.emulator.brain.backend import ModelBackend
from replayproxy.emulator.brain.backend_form import reply_of, request_of
from replayproxy.emulator.brain.backend_url import BackendUrl
from replayproxy.emulator.brain.making import make_brain
from replayproxy.emulator.brain.scripted import ScriptedBrain
from replayproxy.emulator.runner import running
from replayproxy.errors import ConfigError

_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_SAID = ({"role": "user", "content": "Hi"},)
_USAGE = {
    "prompt_tokens": 7,
    "completion_tokens": 5,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def _answer(message: dict[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    return {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}


class Model:
    """A server that keeps what it was asked and says what it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.says: Callable[[], web.StreamResponse] = lambda: web.json_response(_answer({"content": "Hello"}))
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self.server = TestServer(app)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.path_qs, headers, await request.json()))
        return self.says()

    def url(self, path: str = "/v1") -> str:
        """Where it answers."""
        return str(self.server.make_url("/")).rstrip("/") + path


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    """A running one."""
    started = Model()
    await started.server.start_server()
    yield started
    await started.server.close()


async def _ask(url: str, turn: Turn | None = None, **fields: Any) -> Reply:
    brain = ModelBackend(url, **fields)
    try:
        return await brain.reply(turn or Turn("gpt-4o", _SAID))
    finally:
        brain.reset()
        await brain.close()
        await brain.close()


def _error(reply: Reply) -> Failure:
    assert isinstance(reply.error, Failure)
    return reply.error


@pytest.mark.parametrize(
    ("path", "asked", "header"),
    [
        ("", "/v1/chat/completions", "authorization"),
        ("/v1/", "/v1/chat/completions", "authorization"),
        ("/api/v1/chat/completions", "/api/v1/chat/completions", "authorization"),
        (
            "/openai/deployments/mine?api-version=2024-10-21",
            "/openai/deployments/mine/chat/completions?api-version=2024-10-21",
            "api-key",
        ),
    ],
)
async def test_url_leads_to_the_endpoint(model: Model, path: str, asked: str, header: str) -> None:
    """An origin, a base, a deployment of Azure and the endpoint itself; the key goes where each wants it."""
    assert (await _ask(model.url(path), key="sk-1")).text == "Hello"
    [(target, headers, body)] = model.asked
    assert target == asked
    assert headers[header] == ("Bearer sk-1" if header == "authorization" else "sk-1")
    assert body == {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}


async def test_without_a_key_none_is_sent(model: Model) -> None:
    """Servers of one's own want none; the model may be another than the client's."""
    await _ask(model.url(), model="llama3")
    assert "authorization" not in model.asked[0][1]
    assert model.asked[0][2]["model"] == "llama3"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://a/b",
        "http:///v1",
        "http://a b/",
        "http://u:p@a/v1",
        "http://a:99999/",
        "http://a:0",
    ],
)
def test_url_that_is_none_is_refused(url: str) -> None:
    """A ConfigError says what is expected, and repeats nothing that may be a secret."""
    with pytest.raises(ConfigError, match="the model backend") as caught:
        ModelBackend(url)
    assert not url or url not in str(caught.value)
    assert BackendUrl.parse("https://x.openai.azure.com/openai/v1").azure


def test_turn_becomes_a_request() -> None:
    """What the turn says, in the fields of chat completions; nothing that it does not say."""
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
    turn = Turn("gpt-4o", _SAID, (_TOOL,), "required", form, limit=9, parallel=False, options={"temperature": 0.5})
    assert request_of(turn, None) == {
        "model": "gpt-4o",
        "messages": list(_SAID),
        "temperature": 0.5,
        "tools": [_TOOL],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "response_format": form,
        "max_tokens": 9,
    }
    plain = request_of(Turn("o3", _SAID, (_TOOL,), response_format={"type": "text"}, limit=9), "gpt-5")
    assert list(plain) == ["model", "messages", "tools", "max_completion_tokens"]


@pytest.mark.parametrize(
    ("before", "roles"),
    [
        ([], ["system", "user"]),
        (["system"], ["system", "system", "user"]),
        (["developer"], ["developer", "developer", "user"]),
    ],
)
def test_passages_go_along(before: list[str], roles: list[str]) -> None:
    """They stand in a system message behind the others, each below its marker."""
    said = [*({"role": role, "content": "Be kind."} for role in before), *_SAID]
    passages = (Passage("f1", "a.txt", "One."), Passage("f2", "b.txt", "Two."))
    messages = request_of(Turn("m", tuple(said), passages=passages), None)["messages"]
    assert [each["role"] for each in messages] == roles
    assert messages[-2]["content"].endswith("【4:0†a.txt】\nOne.\n\n【4:1†b.txt】\nTwo.")


async def test_answer_becomes_a_reply(model: Model) -> None:
    """Text, markers of passages, finish reason and usage."""
    passage = Passage("f1", "a.txt", "One.")
    said = _answer({"content": "One【4:0†a.txt】 two【4:7†b.txt】"}, "length", usage=_USAGE)
    model.says = lambda: web.json_response(said)
    got = await _ask(model.url(), Turn("gpt-4o", _SAID, passages=(passage,)))
    assert got.cited == (("【4:0†a.txt】", passage),)
    assert got.finish == "length"
    usage = got.usage
    assert (usage.prompt, usage.completion, usage.reasoning, usage.cached) == (7, 5, 3, 4)


@pytest.mark.parametrize(
    ("message", "finish", "expected"),
    [
        (
            {"content": None, "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            "tool_calls",
            [("f", "{}", "function")],
        ),
        ({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}, "stop", [("f", '{"a": 1}', "function")]),
        ({"tool_calls": [{"function": {"name": "f"}}, "odd"]}, "", [("f", "{}", "function")]),
        ({"tool_calls": [{"custom": {"name": "c", "input": "x"}}]}, "tool_calls", [("c", "x", "custom")]),
        ({"tool_calls": 3, "function_call": {"name": "f", "arguments": ""}}, "function_call", None),
        ({"function_call": {"name": "f", "arguments": ""}}, "function_call", [("f", "", "function")]),
    ],
)  # fmt: skip
def test_calls_of_tools_are_read(message: Any, finish: str, expected: list[tuple[str, str, str]] | None) -> None:
    """Functions and custom tools, in the forms that servers have."""
    got = reply_of(Turn("m", _SAID), _answer(message, finish))
    assert got is not None
    assert [(call.name, call.arguments, call.kind) for call in got.tool_calls] == (expected or [("f", "", "function")])
    assert got.finish == "tool_calls"


def test_refusal_and_odd_answers_are_read() -> None:
    """A refusal is one; odd finish reasons mean stop; usage that is not counted is estimated."""
    got = reply_of(Turn("m", _SAID), _answer({"content": None, "refusal": "No."}, "eos", usage=None))
    assert got is not None
    assert (got.refusal, got.text, got.finish, got.usage.completion) == ("No.", "", "stop", 2)
    none = reply_of(Turn("m", _SAID), _answer({"content": "Hi"}, usage={"prompt_tokens": "?"}))
    assert none is not None
    assert none.usage.total == 0


@pytest.mark.parametrize("answer", [None, [], {}, {"choices": []}, {"choices": [1]}, {"choices": [{"message": 1}]}])
async def test_json_that_is_no_completion_is_an_error(model: Model, answer: Any) -> None:
    """It is told, with status 502."""
    model.says = lambda: web.json_response(answer)
    error = _error(await _ask(model.url()))
    assert (error.status, error.code, error.type) == (502, "backend_failed", "server_error")
    assert error.message.endswith("/v1/chat/completions answered with JSON that is no chat completion.")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            429,
            {"error": {"message": "Slow", "type": "tokens", "param": None, "code": "rate_limit_exceeded"}},
            ("Slow", 429, "tokens", None, "rate_limit_exceeded"),
        ),
        (
            400,
            {"object": "error", "message": "Bad", "code": 40001, "param": "a"},
            ("Bad", 400, "invalid_request_error", "a", "40001"),
        ),
        (404, {"error": "model 'x' not found"}, ("model 'x' not found", 404, "invalid_request_error", None, None)),
        (422, {"detail": "wrong"}, ("wrong", 422, "invalid_request_error", None, None)),
        (500, {"detail": [1]}, ("answered with status 500: {\"detail\": [1]}", 500, "server_error", None, None)),
        (503, "busy\n now", ("answered with status 503: \"busy\\n now\"", 503, "server_error", None, None)),
        (307, None, ("answered with status 307: null", 502, "server_error", None, None)),
    ],
)  # fmt: skip
async def test_error_of_the_backend_is_passed_on(
    model: Model, status: int, body: Any, expected: tuple[Any, ...]
) -> None:
    """Its status, message, type, param and code, in whichever form it tells them; a redirect is not followed."""
    headers = {"Location": "/elsewhere", "Retry-After": "2", "x-ratelimit-limit-requests": "9", "X-Other": "x"}
    model.says = lambda: web.json_response(body, status=status, headers=headers)
    error = _error(await _ask(model.url("/v1?k=secret")))
    assert error.message.endswith(expected[0])
    assert "secret" not in error.message
    assert (error.status, error.type, error.param, error.code) == expected[1:]
    told = {name.lower(): value for name, value in error.headers.items()}
    assert told == {"retry-after": "2", "x-ratelimit-limit-requests": "9"}
    assert len(model.asked) == 1


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b'{"choices": ['])
async def test_garbage_is_an_error(model: Model, body: bytes) -> None:
    """What is no JSON is told, and what to do about it."""
    model.says = lambda: web.Response(body=body)
    error = _error(await _ask(model.url()))
    assert (error.status, error.code) == (502, "backend_failed")
    assert error.message.endswith("Check that it serves chat completions.")
    model.says = lambda: web.Response(body=body, status=500)
    assert "answered with status 500" in _error(await _ask(model.url())).message


async def test_broken_answer_is_an_error(model: Model) -> None:
    """An answer that is cut off is told."""

    def cut() -> web.StreamResponse:
        response = web.Response(body=b"{}", headers={"Content-Length": "100"})
        response.force_close()
        return response

    model.says = cut
    assert _error(await _ask(model.url())).code == "backend_failed"


async def test_backend_that_is_not_there_is_an_error() -> None:
    """A refused connection is told, with the URL."""
    url = f"http://127.0.0.1:{unused_port()}"
    error = _error(await _ask(url))
    assert (error.status, error.code) == (502, "backend_unreachable")
    assert error.message.startswith(f"The model backend {url}/v1/chat/completions cannot be reached: ")


async def test_backend_that_takes_too_long_is_an_error(model: Model) -> None:
    """So is one that does not answer in time."""
    error = _error(await _ask(model.url(), timeout=0.0))
    assert (error.status, error.code) == (504, "backend_timeout")
    assert "did not answer within 0 s" in error.message


async def test_emulator_behind_the_emulator() -> None:
    """The emulator's own chat endpoint is a backend like any: text, tools, forms and errors."""
    async with running() as emulator:
        brain = make_brain(backend=f"{emulator.url}/v1", key="sk-any", model="gpt-4o-mini")
        try:
            got = await brain.reply(Turn("gpt-4o", _SAID, options={"temperature": 0}))
            assert got.text == 'You said "Hi". This is an emulated answer of gpt-4o-mini.'
            assert (got.usage.prompt, got.finish) == (8, "stop")
            called = await brain.reply(Turn("m", ({"role": "user", "content": "Weather in Rome?"},), (_TOOL,)))
            assert [(call.name, call.arguments) for call in called.tool_calls] == [("get_weather", '{"city":"Rome"}')]
            assert called.finish == "tool_calls"
            form = {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}},
            }
            assert json.loads((await brain.reply(Turn("m", _SAID, response_format=form))).text) == {"a": 1}
            wrong = _error(await brain.reply(Turn("m", ({"role": "nobody", "content": "Hi"},))))
            assert wrong.status == 400
            assert wrong.message.startswith("Invalid value: 'nobody'.")
        finally:
            await brain.close()


async def test_rules_come_before_the_backend(model: Model, tmp_path: Any) -> None:
    """A file of replies answers first; the backend answers the rest, and is closed with it."""
    path = tmp_path / "replies.yaml"
    path.write_text("replies: [{when: {user: scripted}, text: From the file}]")
    brain = make_brain(path, model.url())
    assert isinstance(brain, ScriptedBrain)
    said = [(await brain.reply(Turn("m", ({"role": "user", "content": text},)))).text for text in ("scripted", "other")]
    assert said == ["From the file", "Hello"]
    brain.reset()
    await brain.close()
