"""The tokens that answers say were used, and the model that was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.messages import FileBody, Headers, Request, Response
from replayproxy.openai_api.usage import Usage, made_id, model_of, usage_of
from tests.builders import JSON, request, response

STREAM = Headers.of(("Content-Type", "text/event-stream; charset=utf-8"))
CHAT = {
    "prompt_tokens": 12,
    "completion_tokens": 30,
    "total_tokens": 42,
    "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 4},
}
RESPONSES = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 3},
    "output_tokens": 30,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 42,
}
RUN = {
    "prompt_tokens": 12,
    "completion_tokens": 30,
    "total_tokens": 42,
    "prompt_token_details": {"cached_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 4},
}
ALL = Usage(12, 3, 30, 4)
FORM = Headers.of(("Content-Type", "multipart/form-data; boundary=x"))


def streamed(*events: Any, between: bytes = b"\n") -> Response:
    """An answer that is an event stream; dictionaries are the events' data."""
    texts = [each.encode() if isinstance(each, str) else json.dumps(each).encode() for each in events]
    return response(
        headers=STREAM, body=b"".join(b"event: x" + between + b"data: " + text + between * 2 for text in texts)
    )


class TestUsage:
    """`usage_of`"""

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"object": "chat.completion", "choices": [], "usage": CHAT, "service_tier": "default"}, ALL),
            ({"object": "response", "tools": [], "usage": RESPONSES, "user": None, "metadata": {"a": "b"}}, ALL),
            ({"object": "thread.run", "usage": RUN, "temperature": 1.0}, ALL),
            ({"usage": {"prompt_tokens": 8, "total_tokens": 8}, "data": [{"usage": None}]}, Usage(8)),
            ({"text": "x", "usage": {"type": "tokens", "input_tokens": 1, "output_tokens": 2}}, Usage(1, 0, 2)),
            ({"text": "x", "usage": {"type": "duration", "seconds": 3}}, None),
            ({"response": {"usage": CHAT}}, ALL),
            ({"usage": None}, None),
            ({"usage": 7}, None),
            ({"usage": {"prompt_tokens": True, "completion_tokens": "x", "input_tokens": -1}}, None),
            ({"usage": {"output_tokens": 1, "output_tokens_details": None}}, Usage(0, 0, 1)),
            ({"usage": {"output_tokens": 1, "output_tokens_details": {"reasoning_tokens": "x"}}}, Usage(0, 0, 1)),
            ({"object": "list", "data": [{"usage": RUN}] * 20, "has_more": False}, None),
            ({"message": 'say "usage": {"prompt_tokens": 1}'}, None),
            ({"tools": [{"properties": {"usage": {"type": "object"}}}], "usage": CHAT}, ALL),
            ({"usage": CHAT, "tools": [{"properties": {"usage": {"type": "object"}}}]}, ALL),
            ([{"usage": CHAT}], None),
            (b'{"usage": {"prompt_tokens": 1', None),
            (b'"usage"', None),
            (b"\xff\xfe", None),
            (b"", None),
        ],
    )
    def test_every_form_of_the_api_is_known(self, body: Any, expected: Usage | None) -> None:
        """Only what stands at the top of the answer counts; what is no count is none."""
        assert usage_of(response(body=body)) == expected

    @pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\r"])
    @pytest.mark.parametrize(
        ("events", "expected"),
        [
            ([{"choices": [], "usage": None}] * 200 + [{"choices": [], "usage": CHAT}, "[DONE]"], ALL),
            ([{"response": {"usage": None}}, {"type": "response.completed", "response": {"usage": RESPONSES}}], ALL),
            (
                [{"object": "thread.run.step", "usage": {"prompt_tokens": 1}}, {"object": "thread.run", "usage": RUN}],
                ALL,
            ),
            ([{"choices": [], "usage": None}] * 200, None),
            ([{"choices": []}], None),
        ],
    )
    def test_in_a_stream_the_last_count_holds(self, events: list[Any], expected: Usage | None, between: bytes) -> None:
        """Whatever ends its lines, and however many events count nothing."""
        assert usage_of(streamed(*events, between=between)) == expected

    def test_a_body_in_a_file_is_not_looked_into(self) -> None:
        """It is on the disk."""
        assert usage_of(Response(200, "", JSON, FileBody("x", 10, "00"))) is None

    def test_counts_add_up(self) -> None:
        """`total` is what goes in and what comes out: the others are part of these."""
        assert ALL.plus(ALL) == Usage(24, 6, 60, 8)
        assert ALL.total == 42


class TestModel:
    """`model_of`"""

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"model": "gpt-4o", "messages": [{"content": "h" * 5000}]}, "gpt-4o"),
            ({"messages": [{"content": "h" * 5000}], "model": "gpt-4o"}, "gpt-4o"),
            ({"messages": [{"content": "h" * 5000}], "model": "gpt-4o", "input": ["h" * 9000]}, "gpt-4o"),
            ({"metadata": {"model": "mine"}, "model": "gpt-4o"}, "gpt-4o"),
            ({"metadata": {"model": "mine"}}, ""),
            ({"metadata": [{"model": "mine"}] * 20}, ""),
            ({"object": "model"}, ""),
            ({"model": None}, ""),
            ({"model": 'gpt \u00fc "4"'}, 'gpt ü "4"'),
            (b'{"model": "\\q"}', ""),
            (b'{"model": "gpt-4o', ""),
            (b"", ""),
        ],
    )
    def test_a_body_names_it_at_its_top(self, body: Any, expected: str) -> None:
        """Before its messages or behind them."""
        assert model_of(request(body=body), None) == expected

    def test_the_request_goes_before_the_answer(self) -> None:
        """The answer's name has a date behind it."""
        answer = response(body={"id": "x", "model": "gpt-4o-2024-08-06", "choices": []})
        assert model_of(request(body={"model": "gpt-4o"}), answer) == "gpt-4o"
        assert model_of(request(body={"assistant_id": "asst_1"}), answer) == "gpt-4o-2024-08-06"
        assert model_of(request("GET"), response(body=b"")) == ""

    def test_a_stream_names_it_in_an_event(self) -> None:
        """On top, or in the event's response."""
        assert model_of(request("GET"), streamed({"id": 1}, {"model": "gpt-4o"}, "[DONE]")) == "gpt-4o"
        assert model_of(request("GET"), streamed({"response": {"id": 1, "model": "gpt-4o"}}, {"x": 1})) == "gpt-4o"
        assert model_of(request("GET"), streamed({"x": {"y": {"model": "gpt-4o"}}})) == ""

    @pytest.mark.parametrize("name", [b'name="model"', b"name=model"])
    def test_a_form_has_a_field_for_it(self, name: bytes) -> None:
        """As transcriptions do; the file beside it does not count."""
        file = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n"model": "x"\r\n'
        field = b"--x\r\nContent-Disposition: form-data; " + name + b"\r\nContent-Type: text/plain\r\n\r\nwhisper-1\r\n"
        assert model_of(request(headers=FORM, body=file + field + b"--x--\r\n"), None) == "whisper-1"
        assert model_of(request(headers=FORM, body=file + b"--x--\r\n"), None) == ""

    def test_a_path_may_name_a_deployment(self) -> None:
        """As Azure has it; a model in the body goes before it."""
        target = "/openai/deployments/my%20gpt/chat/completions?api-version=1"
        assert model_of(request(target=target, body={"messages": []}), None) == "my gpt"
        assert model_of(request(target=target, body={"model": "gpt-4o"}), None) == "gpt-4o"
        assert model_of(request(target="/x?y=/deployments/z/"), None) == ""

    def test_a_body_in_a_file_is_not_looked_into(self) -> None:
        """It is on the disk."""
        assert model_of(Request("POST", "/v1/files", JSON, FileBody("x", 10, "00")), None) == ""


@given(
    st.sampled_from([JSON, STREAM, FORM]),
    st.lists(st.sampled_from([b'"usage"', b":", b"{", b"}", b'"model"', b'"', b"\\", b"\n", b"1", b"data: ", b"\xff"])),
)
def test_no_body_is_too_odd(headers: Headers, pieces: list[bytes]) -> None:
    """Whatever stands in a body, nothing is raised."""
    body = b"".join(pieces)
    usage_of(response(headers=headers, body=body))
    model_of(request(headers=headers, body=body), response(headers=headers, body=body))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": "run_1", "object": "thread.run"}, "run_1"),
        ({"object": "response", "id": "resp_a-b"}, "resp_a-b"),
        ({"id": "msg_1", "run_id": "run_1"}, ""),
        (b"", ""),
    ],
)
def test_what_tells_its_tokens_again_has_an_id(body: Any, expected: str) -> None:
    """Runs, responses, batches and completions; other things have none that counts."""
    assert made_id(response(body=body)) == expected
    assert made_id(Response(200, "", JSON, FileBody("x", 10, "00"))) == ""
