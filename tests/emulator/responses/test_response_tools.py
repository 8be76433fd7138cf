"""Tools of responses: those that the application answers, and those that the API calls by itself."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from openai import AsyncOpenAI

from replayproxy.emulator.brain import Passage, Reply, ToolCall
from tests.strict_clients import WEATHER, Scripted, strict_client

GRAMMAR: dict[str, Any] = {"type": "grammar", "definition": "start: /a/", "syntax": "lark"}
MCP: dict[str, Any] = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "https://docs.test/mcp",
    "headers": {"X-Key": "not for you"},
    "authorization": "not for you",
}


async def made_with(client: AsyncOpenAI, **request: Any) -> list[Any]:
    """The output of a response to a greeting, unless the request says otherwise."""
    response = await client.responses.create(**({"model": "gpt-4o", "input": "Tell me about llamas"} | request))
    return list(response.output)


async def test_function_is_called_and_answered() -> None:
    """Its output comes in a chain, or with the call before it; the model is told both ways alike."""
    brain = Scripted(Reply(tool_calls=(ToolCall("get_weather", '{"city":"Paris"}'),)), Reply("Sunny"), Reply("Sunny"))
    async with strict_client(brain) as client:
        first = await client.responses.create(model="gpt-4o", input="Weather?", tools=[WEATHER])  # type: ignore[list-item]
        (call,) = first.output
        assert call.type == "function_call"
        assert call.id is not None
        assert [call.id[:3], call.call_id[:5], call.arguments] == ["fc_", "call_", '{"city":"Paris"}']
        output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "22 degrees"}
        chained = await client.responses.create(model="gpt-4o", input=[output], previous_response_id=first.id)
        assert chained.output_text == "Sunny"
        given: Any = [{"role": "user", "content": "Weather?"}, call.to_dict(), output]
        await client.responses.create(model="gpt-4o", input=given)
        told = brain.turns[1].messages
        assert told == brain.turns[2].messages
        assert told[1]["tool_calls"] == [
            {"id": call.call_id, "type": "function", "function": {"name": "get_weather", "arguments": call.arguments}}
        ]
        assert told[2] == {"role": "tool", "tool_call_id": call.call_id, "content": "22 degrees"}


async def test_tool_call_and_answer_are_thought_up() -> None:
    """The emulator calls a tool that is required, with arguments that fit, and answers with what it gave."""
    async with strict_client() as client:
        (call,) = await made_with(client, tools=[WEATHER], tool_choice="required")
        assert set(orjson.loads(call.arguments)) == {"city"}


async def test_calls_at_once_are_one_message() -> None:
    """As chat completions have it; outputs may be parts."""
    brain = Scripted()
    async with strict_client(brain) as client:
        calls = [
            {"type": "function_call", "call_id": f"call_{n}", "name": "f", "arguments": "{}", "id": f"fc_{n}"}
            for n in (1, 2)
        ]
        image = {"type": "input_image", "detail": "low", "image_url": "https://x.test/a.png"}
        file = {"type": "input_file", "file_id": "file-1"}
        link = {"type": "input_file", "file_url": "https://x.test/a.pdf"}
        outputs = [
            {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "one"}]},
            {"type": "function_call_output", "call_id": "call_2", "output": [image, file, link]},
        ]
        await made_with(client, input=[{"role": "user", "content": "Go"}, *calls, *outputs])
        said = brain.turns[0].messages
        assert [call["id"] for call in said[1]["tool_calls"]] == ["call_1", "call_2"]
        assert [message["content"] for message in said[2:]] == [
            "one",
            [
                {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "low"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "text", "text": "https://x.test/a.pdf"},
            ],
        ]


async def test_calls_of_other_kinds_are_told_to_the_model() -> None:
    """A shell's by its name; what hosted tools found as it is; a refusal as such; reasoning not at all."""
    brain = Scripted()
    async with strict_client(brain) as client:
        items: list[Any] = [
            {"type": "custom_tool_call", "call_id": "call_1", "name": "note", "input": "x"},
            {"type": "custom_tool_call_output", "call_id": "call_1", "output": "noted"},
            {"type": "shell_call", "call_id": "call_2", "action": {"commands": ["ls"]}},
            {
                "type": "shell_call_output",
                "call_id": "call_2",
                "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
            },
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {
                "type": "web_search_call",
                "id": "ws_1",
                "status": "completed",
                "action": {"type": "search", "query": "a"},
            },
            {"type": "mcp_call", "id": "mcp_1", "server_label": "s", "name": "n", "arguments": "{}", "output": "found"},
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "refusal", "refusal": "No"}],
            },
        ]
        await made_with(client, input=items)
        said = brain.turns[0].messages
        assert said[0]["tool_calls"] == [{"id": "call_1", "type": "custom", "custom": {"name": "note", "input": "x"}}]
        assert said[2]["tool_calls"][0]["function"]["name"] == "shell_call"
        assert orjson.loads(said[3]["content"])[0]["stdout"] == "a"
        assert said[4:] == (
            {"role": "assistant", "content": "mcp_call: found"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
        )


@pytest.mark.parametrize(
    ("choice", "tools", "told"),
    [
        ("none", ["get_weather", "note"], "none"),
        ({"type": "function", "name": "get_weather"}, ["get_weather", "note"], {"name": "get_weather"}),
        ({"type": "custom", "name": "note"}, ["get_weather", "note"], {"name": "note"}),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "note"}]},
            ["note"],
            "required",
        ),
        ({"type": "web_search_preview"}, ["get_weather", "note"], "none"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) and "type" in value else "",
)
async def test_choice_among_tools_is_told_to_the_model(choice: Any, tools: list[str], told: Any) -> None:
    """In the form of chat completions."""
    brain = Scripted(Reply("Well"))
    async with strict_client(brain) as client:
        note = {"type": "custom", "name": "note", "description": "Takes notes", "format": GRAMMAR}
        await made_with(client, tools=[WEATHER, note, {"type": "web_search_preview"}], tool_choice=choice)
        turn = brain.turns[0]
        assert [tool[tool["type"]]["name"] for tool in turn.tools] == tools
        chosen: Any = turn.tool_choice
        assert (chosen if isinstance(chosen, str) else chosen[chosen["type"]]) == told
        custom = turn.tools[-1]["custom"]
        assert custom["format"] == {"type": "grammar", "grammar": {"definition": "start: /a/", "syntax": "lark"}}


async def test_tool_in_a_namespace_is_called_in_it() -> None:
    """The call names the namespace."""
    brain = Scripted(Reply(tool_calls=(ToolCall("get_weather", "{}"),)))
    async with strict_client(brain) as client:
        space = {"type": "namespace", "name": "sky", "description": "Above", "tools": [WEATHER]}
        (call,) = await made_with(client, tools=[space])
        assert [call.name, call.namespace] == ["get_weather", "sky"]


async def test_files_are_searched_and_cited() -> None:
    """In the emulator's vector stores; the results are there for who asks, the marker gives way to an annotation."""
    async with strict_client() as client:
        file = await client.files.create(file=("llamas.txt", b"Llamas hum. Llamas eat grass."), purpose="assistants")
        store = await client.vector_stores.create(file_ids=[file.id])
        tool: Any = {"type": "file_search", "vector_store_ids": [store.id], "max_num_results": 2}
        search, message = await made_with(client, tools=[tool], include=["file_search_call.results"])
        assert [search.type, search.queries, search.id[:3]] == ["file_search_call", ["Tell me about llamas"], "fs_"]
        assert [search.results[0].file_id, search.results[0].filename] == [file.id, "llamas.txt"]
        (part,) = message.content
        assert [each.file_id for each in part.annotations] == [file.id]
        assert part.annotations[0].index <= len(part.text)
        assert "【" not in part.text
        again, _ = await made_with(client, tools=[tool])
        assert again.results is None
        stream = await client.responses.create(model="gpt-4o", input="llamas", tools=[tool], stream=True)
        types = [event.type async for event in stream]
        assert "response.file_search_call.searching" in types
        assert "response.output_text.annotation.added" in types


async def test_cited_text_that_is_not_there_is_no_citation() -> None:
    """A marker must stand in the text."""
    passage = Passage("file-1", "a.txt", "A")
    async with strict_client(Scripted(Reply("Yes[1]", cited=(("[1]", passage), ("[2]", passage))))) as client:
        (message,) = await made_with(client)
        assert [message.content[0].text, [each.index for each in message.content[0].annotations]] == ["Yes", [3]]


async def test_hosted_tools_are_called() -> None:
    """Each once, before the answer; their findings are made up, and there for who asks."""
    tools = [
        {"type": "web_search"},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "code_interpreter", "container": "cntr_mine"},
        {"type": "image_generation", "size": "1024x1536", "background": "transparent", "quality": "low"},
        {"type": "image_generation"},
        {"type": "local_shell"},
    ]
    async with strict_client() as client:
        include = ["web_search_call.action.sources", "code_interpreter_call.outputs"]
        web, code, mine, image, plain, message = await made_with(client, tools=tools, include=include)
        assert [web.action.query, web.action.sources[0].type] == ["Tell me about llamas", "url"]
        assert code.container_id.startswith("cntr_")
        assert code.outputs[0].logs == "Tell me about llamas\n"
        assert mine.container_id == "cntr_mine"
        assert base64.b64decode(image.result).startswith(b"\x89PNG")
        assert [image.to_dict()["size"], plain.to_dict()["size"]] == ["1024x1536", "1024x1024"]
        assert message.type == "message"
        web, code, *_ = await made_with(client, tools=tools)
        assert [web.action.sources, code.outputs] == [None, None]
        stream = await client.responses.create(model="gpt-4o", input="Hi", tools=tools, stream=True)  # type: ignore[arg-type]
        types = [event.type async for event in stream]
        assert "response.code_interpreter_call_code.done" in types
        assert "response.image_generation_call.generating" in types


async def test_hosted_tools_are_called_as_chosen() -> None:
    """None, one, so many at most; not again for the output of a function."""
    tools: list[Any] = [{"type": "web_search"}, {"type": "image_generation"}, WEATHER]
    calls = (ToolCall("get_weather", "{}"),)
    async with strict_client(Scripted(*[Reply("Well")] * 4, Reply(tool_calls=calls), Reply("Well"))) as client:
        for choice, most, expected in (
            ("none", None, []),
            ({"type": "image_generation"}, None, ["image_generation_call"]),
            ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}, None, ["web_search_call"]),
            ("auto", 1, ["web_search_call"]),
        ):
            output = await made_with(client, tools=tools, tool_choice=choice, max_tool_calls=most)
            assert [item.type for item in output] == [*expected, "message"]
        first = await client.responses.create(model="gpt-4o", input="Hi", tools=tools[1:])
        given = {"type": "function_call_output", "call_id": first.output[1].call_id, "output": "x"}  # type: ignore[union-attr]
        output = await made_with(client, input=[given], previous_response_id=first.id, tools=tools)
        assert [item.type for item in output] == ["message"]


async def test_mcp_call_is_approved_first() -> None:
    """Unless approval is not needed; the server's tools are listed once."""
    async with strict_client() as client:
        first = await client.responses.create(model="gpt-4o", input="Hi", tools=[MCP])  # type: ignore[list-item]
        listed, request = first.output
        assert listed.type == "mcp_list_tools"
        assert request.type == "mcp_approval_request"
        assert [request.server_label, request.name] == ["docs", "search"]
        told = first.to_dict()["tools"][0]  # type: ignore[index]
        assert "not for you" not in str(told)
        answer = {"type": "mcp_approval_response", "approval_request_id": request.id}
        rest = {"previous_response_id": first.id, "tools": [MCP]}
        call, message = await made_with(client, input=[answer | {"approve": True}], **rest)
        assert [call.type, call.approval_request_id, message.type] == ["mcp_call", request.id, "message"]
        output = await made_with(client, input=[answer | {"approve": False}], **rest)
        assert [item.type for item in output] == ["message"]
        output = await made_with(client, tools=[MCP | {"require_approval": "never"}], previous_response_id=first.id)
        assert [item.type for item in output] == ["mcp_call", "message"]


@pytest.mark.parametrize(
    ("tool", "waits"),
    [
        ({"require_approval": {"never": {"tool_names": ["find"]}}, "allowed_tools": ["find"]}, False),
        ({"require_approval": {"never": {"tool_names": ["other"]}}, "allowed_tools": ["find"]}, True),
        ({"require_approval": {"always": {"tool_names": ["find"]}}, "allowed_tools": {"tool_names": ["find"]}}, True),
        ({"require_approval": {"always": {"tool_names": ["other"]}}, "allowed_tools": ["find"]}, False),
        ({"require_approval": {}}, True),
    ],
)
async def test_approval_may_be_asked_for_some_tools_only(tool: dict[str, Any], waits: bool) -> None:
    """By name."""
    async with strict_client() as client:
        output = await made_with(client, tools=[MCP | tool])
        assert output[1].type == ("mcp_approval_request" if waits else "mcp_call")
        stream = await client.responses.create(model="gpt-4o", input="Hi", tools=[MCP | tool], stream=True)  # type: ignore[list-item]
        types = [event.type async for event in stream]
        assert "response.mcp_list_tools.completed" in types
        assert ("response.mcp_call.completed" in types) != waits
