"""Conversations out of a journal: threads, chats, responses and the runs of assistants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from replayproxy.core.journal import Entry
from replayproxy.core.messages import Chunk, FileBody, Headers, Request, Response
from replayproxy.openai_api.conversations import Call, Conversation, Turn, conversations
from replayproxy.openai_api.usage import Usage
from tests.builders import JSON, request, response
from tests.real_traffic import NEEDS_RECORDINGS, recordings

STREAM = Headers.of(("Content-Type", "text/event-stream"))
WEATHER = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}}
CALLED = Call("call_1", "get_weather", '{"city":"Rome"}', "21 degrees")
COUNTED = {"prompt_tokens": 5, "completion_tokens": 3}


class Told:
    """A journal that tests write: one exchange a second."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, method: str, path: str, body: Any = None, answer: Any = None, status: int = 200, **more: Any) -> int:
        """Adds an exchange with JSON both ways, or with an answer as given; its number."""
        number = len(self.entries) + 1
        answered = answer if isinstance(answer, Response) else response(status, answer)
        entry = Entry(
            number,
            more.pop("session", "default"),
            f"2026-11-22T16:00:{number % 60:02}.000Z",
            request(method, f"/v1{path}", body),
            status,
            "saved",
            response=answered,
            **more,
        )
        self.entries.append(entry)
        return number

    def chat(self, *messages: Any, answer: Any = None, **more: Any) -> int:
        """Adds a chat completion; the answer is a message, or its text."""
        said = {"role": "assistant", "content": answer} if isinstance(answer, str) else answer
        whole = {"id": f"chatcmpl-{len(self.entries)}", "choices": [{"index": 0, "message": said}], "usage": COUNTED}
        return self.add(
            "POST", "/chat/completions", {"messages": messages}, whole if answer else more.pop("told"), **more
        )

    @property
    def found(self) -> tuple[Conversation, ...]:
        """The conversations."""
        return conversations(self.entries)

    @property
    def one(self) -> Conversation:
        """The only one."""
        (found,) = self.found
        return found


def streamed(*events: Any, chunks: bool = False) -> Response:
    """An event stream: pairs of name and data, or data alone; with a chunk each second when wanted."""
    blocks = []
    for each in events:
        name, data = each if isinstance(each, tuple) else ("", each)
        text = data if isinstance(data, str) else json.dumps(data)
        blocks.append((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())
    sizes = tuple(Chunk(float(place), len(block)) for place, block in enumerate(blocks)) if chunks else ()
    return Response(200, "", STREAM, b"".join(blocks), "", sizes)


def user(text: str) -> dict[str, Any]:
    """A user's message."""
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    """An assistant's message, as clients send it back: with fields that the API adds."""
    return {"role": "assistant", "content": text, "refusal": None, "annotations": []}


def lines(found: Conversation) -> list[str]:
    """Role and text of each turn."""
    return [f"{turn.role}: {turn.text}" for turn in found.turns]


def message(own: str, text: str, role: str = "user", **more: Any) -> dict[str, Any]:
    """A message of a thread, as the API answers it."""
    content = [{"type": "text", "text": {"value": text, "annotations": []}}]
    return {"id": own, "object": "thread.message", "role": role, "content": content, "thread_id": "thread_1"} | more


def run(status: str, own: str = "run_1", **more: Any) -> dict[str, Any]:
    """A run, as the API answers it."""
    return {"id": own, "object": "thread.run", "thread_id": "thread_1", "status": status, "created_at": 100} | more


def step(own: str, kind: str, **details: Any) -> dict[str, Any]:
    """A step of a run."""
    told = {"type": kind, **details}
    whole = {"id": own, "object": "thread.run.step", "run_id": "run_1", "type": kind, "status": "completed"}
    return whole | {"step_details": told, "usage": COUNTED}


def listed(*items: Any) -> dict[str, Any]:
    """A list of the API."""
    return {"object": "list", "data": items, "has_more": False}


class TestChats:
    """Chat completions, of which each request carries what was said before."""

    def test_a_request_that_goes_on_belongs_to_the_same_conversation(self) -> None:
        """Every message is shown once, with the exchange that told it first."""
        told = Told()
        told.chat({"role": "system", "content": "Be kind."}, user("Hi"), answer="Hello!")
        told.chat(
            {"role": "system", "content": "Be kind."}, user("Hi"), assistant("Hello!"), user("Bye"), answer="Bye!"
        )
        found = told.one
        assert lines(found) == ["system: Be kind.", "user: Hi", "assistant: Hello!", "user: Bye", "assistant: Bye!"]
        assert [turn.exchange for turn in found.turns] == [1, 1, 1, 2, 2]
        assert (found.kind, found.title, found.id, found.exchanges) == ("chat", "Hi", "default~chat.1", (1, 2))
        assert found.usage == Usage(10, 0, 6)
        assert not any(turn.branch for turn in found.turns)

    def test_others_are_conversations_of_their_own(self) -> None:
        """Another question, another session; the one that went on last is the first."""
        told = Told()
        told.chat(user("Hi"), answer="Hello!")
        told.chat(user("Ho"), answer="Hello!")
        told.chat(user("Hi"), answer="Hello!", session="other")
        told.chat(user("Hi"), assistant("Hello!"), user("Ha"), answer="Ha!")
        assert [found.id for found in told.found] == ["default~chat.1", "other~chat.3", "default~chat.2"]

    def test_the_longest_beginning_wins(self) -> None:
        """Of two that begin alike, the one that was answered like this goes on."""
        told = Told()
        told.chat(user("Hi"), answer="One")
        told.chat(user("Hi"), answer="Two")
        told.chat(user("Hi"), assistant("One"), user("Go on"), answer="1")
        told.chat(user("Hi"), assistant("Two"), user("Go on"), answer="2")
        assert [found.exchanges for found in told.found] == [(2, 4), (1, 3)]

    def test_a_conversation_may_fork(self) -> None:
        """What goes on from an earlier place says from which."""
        told = Told()
        told.chat(user("Hi"), answer="Hello!")
        told.chat(user("Hi"), assistant("Hello!"), user("Left"), answer="L")
        told.chat(user("Hi"), assistant("Hello!"), user("Right"), answer="R")
        assert [(turn.text, turn.branch) for turn in told.one.turns][3:] == [("L", 0), ("Right", 1), ("R", 0)]

    def test_the_same_again_is_shown_once(self) -> None:
        """A recording that is played a second time, and a request that was sent again after a failure."""
        told = Told()
        told.chat(user("Hi"), told={"error": {"message": "Slow down."}}, status=429)
        for _ in range(2):
            told.chat(user("Hi"), answer="Hello!")
            told.chat(user("Hi"), assistant("Hello!"), user("Bye"), answer="Bye!")
        found = told.one
        assert lines(found) == ["user: Hi", "error: Slow down.", "assistant: Hello!", "user: Bye", "assistant: Bye!"]
        assert found.exchanges == (1, 2, 3, 4, 5)

    def test_tool_calls_have_their_outputs(self) -> None:
        """The output is in the next request, as a message of its own."""
        told = Told()
        called = {"role": "assistant", "content": None, "tool_calls": [WEATHER]}
        output = {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"}
        told.chat(user("Weather?"), answer=called)
        told.chat(user("Weather?"), called, output, answer="Warm.")
        found = told.one
        assert lines(found) == ["user: Weather?", "assistant: ", "assistant: Warm."]
        assert found.turns[1].calls == (CALLED,)

    def test_an_output_that_nobody_asked_for_is_a_turn(self) -> None:
        """The journal may have lost the call."""
        told = Told()
        told.chat(user("Hi"), {"role": "tool", "tool_call_id": "call_9", "content": "42"}, user("And?"), answer="42.")
        assert lines(told.one) == ["user: Hi", "tool: 42", "user: And?", "assistant: 42."]

    def test_functions_of_old_and_custom_tools_are_calls(self) -> None:
        """`function_call`, and tools that take any text."""
        told = Told()
        custom = {"id": "call_2", "type": "custom", "custom": {"name": "run_sql", "input": "SELECT 1"}}
        answer = {"role": "assistant", "tool_calls": [custom], "function_call": {"name": "old", "arguments": "{}"}}
        told.chat(user("Hi"), answer=answer)
        assert told.one.turns[1].calls == (Call("call_2", "run_sql", "SELECT 1"), Call("", "old", "{}"))

    def test_a_stream_is_put_together(self) -> None:
        """Text and calls of each choice; so the next request finds it."""
        told = Told()
        first = {"index": 0, "delta": {"role": "assistant", "content": "Let me "}}
        begun = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
        pieces = [{"index": 0, "function": {"arguments": piece}} for piece in ('{"city"', ':"Rome"}')]
        events = [
            {"choices": [first]},
            {"choices": [{"index": 0, "delta": {"content": "look."}}]},
            *({"choices": [{"index": 0, "delta": {"tool_calls": [each]}}]} for each in (begun, *pieces)),
            {"choices": [], "usage": COUNTED},
            "[DONE]",
        ]
        told.chat(user("Weather?"), told=streamed(*events))
        answer = {"role": "assistant", "content": "Let me look.", "tool_calls": [WEATHER]}
        output = {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "21 degrees"}]}
        told.chat(user("Weather?"), answer, output, answer="Warm.")
        found = told.one
        assert lines(found) == ["user: Weather?", "assistant: Let me look.", "assistant: Warm."]
        assert found.turns[1].calls == (CALLED,)

    def test_every_choice_of_a_stream_is_put_together(self) -> None:
        """What else it has (a comment, thoughts) changes nothing."""
        told = Told()
        thought = {"index": 0, "delta": {"reasoning_content": "Hm."}}
        call = {"index": 0, "id": "call_1", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}}
        first, second = (
            {"index": place, "delta": {"tool_calls": [call | {"id": f"call_{place}"}]}} for place in (0, 1)
        )
        body = streamed({"choices": [thought]}, {"choices": [first, second]}).body
        assert isinstance(body, bytes)
        told.chat(user("Weather?"), told=Response(200, "", STREAM, b": hello\n\n" + body))
        assert [call.id for turn in told.one.turns for call in turn.calls] == ["call_0", "call_1"]

    def test_what_is_no_text_is_counted(self) -> None:
        """Images, files and sound; spoken answers have a transcript."""
        told = Told()
        content = [
            {"type": "text", "text": "Look"},
            {"type": "text", "text": ""},
            {"type": "image_url", "image_url": {"url": "data:"}},
            {"type": "file", "file": {}},
            {"type": "input_audio", "input_audio": {}},
            {},
            "odd",
        ]
        told.chat(
            {"role": "user", "content": content}, answer={"role": "assistant", "audio": {"transcript": "I hear."}}
        )
        asked, answered = told.one.turns
        assert (asked.text, asked.images, asked.files) == ("Look", 1, 2)
        assert answered.text == "I hear."

    def test_a_stored_completion_belongs_to_its_chat(self) -> None:
        """Reading it again says nothing new; one that nobody saw is left out, and so is what is no chat."""
        told = Told()
        told.chat(user("Hi"), answer="Hello!")
        told.add("GET", "/chat/completions/chatcmpl-0", answer={"id": "chatcmpl-0"})
        told.add("GET", "/chat/completions/chatcmpl-9", answer={"id": "chatcmpl-9"})
        told.add("GET", "/chat/completions", answer=listed())
        told.add("POST", "/completions", {"prompt": "Hi"}, {"choices": []})
        told.add("GET", "/models", answer=listed())
        assert told.one.exchanges == (1, 2)

    def test_large_bodies_and_those_in_files_are_left_out(self) -> None:
        """They are not looked into."""
        told = Told()
        told.chat(user("x" * 1024 * 1024), answer="Hello!")
        told.entries.append(
            Entry(2, "default", "", Request("POST", "/v1/chat/completions", JSON, FileBody("x", 9, "0")), 200, "saved")
        )
        told.chat(user("Hi"), told=Response(200, "", JSON, FileBody("x", 9, "0")))
        told.chat(user("Ho"), told=Response(200, "", JSON, b"x" * (1024 * 1024 + 1)))
        told.entries.append(
            Entry(5, "default", "never", request("POST", "/v1/chat/completions", {"messages": [user("He")]}), 0, "gone")
        )
        assert [lines(found) for found in told.found] == [["user: He"], ["user: Ho"], ["user: Hi"]]

    def test_a_refusal_without_words_tells_its_status(self) -> None:
        """And one in a stream, or in other words, is read as well."""
        told = Told()
        for answer in (b"", {"error": "Out of order."}, {"error": {"code": "broken"}}, {"error": {"x": 1}}):
            told.chat(user("Hi"), told=response(500, answer), status=500)
        told.chat(user("Hi"), told=streamed({"error": {"message": "Too long."}}))
        told.chat(user("Hi"), told=streamed(("error", {"type": "error", "message": "Overloaded."})))
        told.chat(user("Hi"), told=streamed(("error", {"type": "error"})))
        errors = ["status 500", "Out of order.", "broken", '{"x":1}', "Too long.", "Overloaded.", "error"]
        assert lines(told.one) == ["user: Hi", *(f"error: {each}" for each in errors)]


class TestResponses:
    """Responses, chained by id, by conversation, or by what they carry."""

    def test_an_id_chains_them(self) -> None:
        """Calls and outputs come together; instructions are shown when they change."""
        told = Told()
        call = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "get_weather",
            "arguments": '{"city":"Rome"}',
        }
        thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}]}
        first = {"id": "resp_1", "object": "response", "output": [thought, call], "usage": {"input_tokens": 5}}
        told.add("POST", "/responses", {"input": "Weather?", "instructions": "Be brief."}, first)
        output = {"type": "function_call_output", "call_id": "call_1", "output": "21 degrees"}
        second = {"id": "resp_2", "object": "response", "output": [self.said("msg_1", "Warm.")]}
        body = {"input": [output], "previous_response_id": "resp_1", "instructions": "Be brief."}
        told.add("POST", "/responses", body, second)
        found = told.one
        assert lines(found) == [
            "system: Be brief.",
            "user: Weather?",
            "reasoning: Look it up.",
            "assistant: ",
            "assistant: Warm.",
        ]
        assert found.turns[3].calls == (CALLED,)
        assert (found.kind, found.usage, found.id) == ("responses", Usage(5), "default~responses.1")

    @staticmethod
    def said(own: str, text: str) -> dict[str, Any]:
        """A message of a response's output."""
        return {"type": "message", "id": own, "role": "assistant", "content": [{"type": "output_text", "text": text}]}

    def respond(self, told: Told, own: str, **body: Any) -> int:
        """Adds a response that says its own id."""
        answer = {"id": own, "object": "response", "output": [self.said(f"msg_{own}", own)]}
        return told.add("POST", "/responses", body, answer)

    def test_they_may_fork(self) -> None:
        """Two that follow the same one; new instructions are shown."""
        told = Told()
        self.respond(told, "r1", input="Hi")
        self.respond(told, "r2", input="Left", previous_response_id="r1")
        self.respond(told, "r3", input="Right", previous_response_id="r1", instructions="Shout.")
        self.respond(told, "r3", input="Right", previous_response_id="r1", instructions="Shout.")
        found = told.one
        assert lines(found)[4:] == ["system: Shout.", "user: Right", "assistant: r3"]
        assert [turn.branch for turn in found.turns] == [0, 0, 0, 0, 1, 0, 0]
        assert found.exchanges == (1, 2, 3, 4)

    def test_one_may_follow_what_nobody_saw(self) -> None:
        """The journal has lost it; its followers still belong together."""
        told = Told()
        self.respond(told, "r2", input="Left", previous_response_id="r1")
        self.respond(told, "r3", input="Again", previous_response_id="r2")
        assert lines(told.one) == ["user: Left", "assistant: r2", "user: Again", "assistant: r3"]

    def test_all_input_carried_along_chains_them(self) -> None:
        """As clients do who store nothing."""
        told = Told()
        self.respond(told, "r1", input=[user("Hi")])
        self.respond(told, "r2", input=[user("Hi"), self.said("msg_r1", "r1"), user("Bye")])
        assert lines(told.one) == ["user: Hi", "assistant: r1", "user: Bye", "assistant: r2"]

    def test_a_conversation_gathers_what_is_said_in_it(self) -> None:
        """Its items, the responses in it, and the list of them, in which everything has an id."""
        told = Told()
        created = {"items": [{"type": "message", "role": "user", "content": "I am Ann."}]}
        told.add("POST", "/conversations", created, {"id": "conv_1", "object": "conversation"})
        self.respond(told, "r1", input="Hello?", conversation="conv_1")
        self.respond(told, "r2", input="Anybody?", conversation={"id": "conv_1"})
        items = [
            self.said("msg_r2", "r2"),
            user("Anybody?") | {"id": "m3"},
            self.said("msg_x", "Wait."),
            self.said("msg_r1", "r1"),
        ]
        told.add("GET", "/conversations/conv_1/items", answer=listed(*items, user("Hello?") | {"id": "m2"}))
        told.add(
            "POST",
            "/conversations/conv_1/items",
            {"items": []},
            listed(user("So?") | {"id": "m4"}, user("Hm") | {"id": "m5"}),
        )
        told.add("GET", "/conversations/conv_1/items/m5", answer=user("Hm") | {"id": "m5"})
        told.add("GET", "/conversations/conv_1", answer={"id": "conv_1"})
        told.add("GET", "/conversations/conv_1/items?order=asc", answer=listed(user("So?") | {"id": "m4"}, {"id": "x"}))
        told.add("DELETE", "/conversations/conv_1", answer={"error": {"message": "No."}}, status=401)
        told.add("POST", "/conversations", {}, {"error": {"message": "No."}}, 401)
        expected = ["I am Ann.", "Hello?", "r1", "Wait.", "Anybody?", "r2", "So?", "Hm", "No."]
        assert [turn.text for turn in told.one.turns] == expected
        assert (told.one.kind, told.one.id) == ("conversation", "default~conv_1")

    def test_a_response_in_the_background_is_answered_later(self) -> None:
        """Reading it again and again says it once."""
        told = Told()
        told.add(
            "POST", "/responses", {"input": "Hi", "background": True}, {"id": "r1", "status": "queued", "output": []}
        )
        answer = {
            "id": "r1",
            "object": "response",
            "output": [self.said("m1", "Hello!"), {"type": "message", "role": "assistant"}],
        }
        for _ in range(2):
            told.add("GET", "/responses/r1", answer=answer | {"usage": {"output_tokens": 2}})
        told.add("GET", "/responses/r1/input_items", answer=listed())
        assert lines(told.one) == ["user: Hi", "assistant: Hello!"]
        assert (told.one.usage, told.one.exchanges) == (Usage(0, 0, 2), (1, 2, 3, 4))

    def test_one_that_is_only_read_is_a_conversation(self) -> None:
        """With what it says; what is read of one that nobody knows, is none."""
        told = Told()
        told.add(
            "GET", "/responses/r1", answer={"id": "r1", "object": "response", "output": [self.said("m1", "Hello!")]}
        )
        told.add("GET", "/responses/r9/input_items", answer=listed())
        told.add("GET", "/responses/r8", answer={"error": {"message": "Not found."}}, status=404)
        told.add("GET", "/responses", answer=listed())
        told.add("POST", "/responses", b"nonsense", {"id": "r7"})
        assert lines(told.one) == ["assistant: Hello!"]

    def test_a_stream_ends_in_the_whole_response(self) -> None:
        """One that broke off has the items that were completed, and what there is of the last."""
        told = Told()
        whole = {"id": "r1", "output": [self.said("m1", "Hello!")], "usage": {"input_tokens": 1}}
        events = [
            ("response.created", {"response": {"id": "r1", "output": []}}),
            ("response.completed", {"response": whole}),
        ]
        told.add("POST", "/responses", {"input": "Hi"}, streamed(*events))
        broken = [
            ("response.created", {"response": {"id": "r2", "output": []}}),
            ("response.output_text.delta", {"type": "response.output_text.delta", "item_id": "m2", "delta": "Whole."}),
            ("response.output_item.done", {"item": self.said("m2", "Whole.")}),
            ("response.output_text.delta", {"type": "response.output_text.delta", "item_id": "m3", "delta": "Half a"}),
            (
                "response.function_call_arguments.delta",
                {"type": "response.function_call_arguments.delta", "delta": "{"},
            ),
        ]
        told.add("POST", "/responses", {"input": "More", "previous_response_id": "r1"}, streamed(*broken))
        told.add("POST", "/responses", {"input": "What?"}, streamed("[DONE]"))
        answered, other = sorted(told.found, key=lambda each: each.first)
        assert lines(answered)[1:] == ["assistant: Hello!", "user: More", "assistant: Whole.", "assistant: Half a"]
        assert lines(other) == ["user: What?"]

    def test_items_of_every_kind_are_read(self) -> None:
        """Calls of the tools that the API has itself bring their output along."""
        told = Told()
        output = [
            {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "Rome"}},
            {"type": "code_interpreter_call", "id": "ci_1", "code": "1+1", "outputs": [{"type": "logs", "logs": "2"}]},
            {"type": "file_search_call", "id": "fs_1", "queries": ["x"], "results": [{"file_id": "f", "text": ""}]},
            {"type": "mcp_call", "id": "mcp_1", "name": "roll", "arguments": "{}", "output": "6"},
            {"type": "image_generation_call", "id": "ig_1", "result": "aGk="},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
            {"type": "reasoning", "id": "rs_2", "content": [{"type": "reasoning_text", "text": "So be it."}]},
            {"type": "item_reference", "id": "x"},
        ]
        told.add(
            "POST",
            "/responses",
            {"input": [{"type": "computer_call_output", "call_id": "c", "output": {"a": 1}}]},
            {"id": "r1", "output": output},
        )
        tool, called, thought = told.one.turns
        assert tool.text == '{"a":1}'
        assert called.calls == (
            Call("ws_1", "web_search", '{"type":"search","query":"Rome"}'),
            Call("ci_1", "code_interpreter", "1+1", "2"),
            Call("fs_1", "file_search", '["x"]', '[{"file_id":"f","text":""}]'),
            Call("mcp_1", "roll", "{}", "6"),
            Call("ig_1", "image_generation"),
        )
        assert thought.text == "So be it."

    def test_a_refused_response_is_told(self) -> None:
        """With what was asked, in the conversation where it was asked."""
        told = Told()
        self.respond(told, "r1", input="Hi")
        told.add(
            "POST", "/responses", {"input": "Ho", "previous_response_id": "r1"}, {"error": {"message": "No."}}, 400
        )
        assert lines(told.one)[2:] == ["user: Ho", "error: No."]


class TestThreads:
    """Threads of the Assistants API."""

    def test_messages_are_in_their_order_once(self) -> None:
        """Whether they were created or listed, with ids or without, and the answers between the questions."""
        told = Told()
        told.add("POST", "/threads", {"messages": [user("One?")]}, {"id": "thread_1", "object": "thread"})
        told.add("POST", "/threads/thread_1/messages", user("Two?"), message("m3", "Two?"))
        told.add(
            "GET",
            "/threads/thread_1/messages",
            answer=listed(
                message("m4", "2!", "assistant", run_id="run_2"),
                message("m3", "Two?"),
                message("m2", "1!", "assistant", run_id="run_1"),
                message("m1", "One?"),
            ),
        )
        told.add(
            "GET",
            "/threads/thread_1/messages?order=asc",
            answer=listed(message("m1", "One?"), message("m2", "1!", "assistant")),
        )
        told.add("GET", "/threads/thread_1/messages/m4", answer=message("m4", "2!", "assistant"))
        found = told.one
        assert lines(found) == ["user: One?", "assistant: 1!", "user: Two?", "assistant: 2!"]
        assert [(turn.id, turn.exchange, turn.run) for turn in found.turns] == [
            ("m1", 1, ""),
            ("m2", 3, "run_1"),
            ("m3", 2, ""),
            ("m4", 3, "run_2"),
        ]
        assert (found.kind, found.id, found.title) == ("thread", "default~thread_1", "One?")

    def test_a_run_has_a_life(self) -> None:
        """Its states as they were seen, how often it was asked for, its times, and its tokens once."""
        told = Told()
        for status, more in (
            ("queued", {}),
            ("in_progress", {"started_at": 101}),
            ("in_progress", {"started_at": 101}),
            ("completed", {"started_at": 101, "completed_at": 103, "usage": COUNTED, "model": "gpt-4o"}),
            ("completed", {"usage": COUNTED}),
        ):
            first = status == "queued"
            path = "/threads/thread_1/runs" + ("" if first else "/run_1")
            told.add(
                "POST" if first else "GET",
                path,
                {"assistant_id": "a"} if first else None,
                run(status, **more),
                seconds=0.5,
            )
        found = told.one
        (life,) = found.runs
        assert [(state.status, state.at, state.exchange) for state in life.states] == [
            ("queued", 0.0, 1),
            ("in_progress", 1.0, 2),
            ("completed", 3.0, 4),
        ]
        assert (life.status, life.seconds, life.polls, life.model) == ("completed", 3.0, 4, "gpt-4o")
        assert dict(life.times) == {"created_at": 100, "started_at": 101, "completed_at": 103}
        assert found.usage == life.usage == Usage(5, 0, 3)

    def test_a_state_that_nobody_saw_is_implied(self) -> None:
        """By the run's own times, within what was seen."""
        told = Told()
        told.add("POST", "/threads/thread_1/runs", {}, run("queued"))
        told.add(
            "GET", "/threads/thread_1/runs/run_1", answer=run("failed", started_at=109, last_error={"message": "Why?"})
        )
        (life,) = told.one.runs
        assert [(s.status, s.at, s.implied) for s in life.states] == [
            ("queued", 0.0, False),
            ("in_progress", 1.0, True),
            ("failed", 1.0, False),
        ]
        assert life.error == "Why?"

    def test_tool_calls_come_together_with_their_outputs(self) -> None:
        """From what a run requires, from what is submitted, and from the steps; before the message they led to."""
        told = Told()
        required = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [WEATHER]}}
        told.add("POST", "/threads/runs", {"thread": {"messages": [user("Weather?")]}}, run("queued"))
        told.add("GET", "/threads/thread_1/runs/run_1", answer=run("requires_action", required_action=required))
        outputs = {"tool_outputs": [{"tool_call_id": "call_1", "output": "21 degrees"}]}
        told.add("POST", "/threads/thread_1/runs/run_1/submit_tool_outputs", outputs, run("queued"))
        told.add("GET", "/threads/thread_1/runs/run_1", answer=run("completed"))
        told.add(
            "GET", "/threads/thread_1/messages", answer=listed(message("m2", "Warm.", "assistant", run_id="run_1"))
        )
        searched = {"id": "call_2", "type": "file_search", "file_search": {"results": []}}
        coded = {
            "id": "call_3",
            "type": "code_interpreter",
            "code_interpreter": {"input": "1+1", "outputs": [{"type": "logs", "logs": "2"}]},
        }
        steps = [
            step("s2", "message_creation", message_creation={"message_id": "m2"}),
            step(
                "s1",
                "tool_calls",
                tool_calls=[WEATHER | {"function": {**WEATHER["function"], "output": None}}, searched, coded],
            ),  # type: ignore[dict-item]
        ]
        told.add("GET", "/threads/thread_1/runs/run_1/steps", answer=listed(*steps))
        told.add("GET", "/threads/thread_1/runs/run_1/steps/s1", answer=steps[1])
        found = told.one
        assert lines(found) == ["user: Weather?", "assistant: ", "assistant: ", "assistant: Warm."]
        assert found.turns[1].calls == (CALLED,)
        assert found.turns[2].calls == (Call("call_2", "file_search"), Call("call_3", "code_interpreter", "1+1", "2"))
        (life,) = found.runs
        assert [(each.id, each.type, each.message, each.usage) for each in life.steps] == [
            ("s1", "tool_calls", "", Usage(5, 0, 3)),
            ("s2", "message_creation", "m2", Usage(5, 0, 3)),
        ]
        assert life.steps[0].calls[0] == CALLED

    def test_an_output_may_be_seen_before_its_call(self) -> None:
        """Then it is no turn of its own any more; what is told twice counts once."""
        told = Told()
        for _ in range(2):
            outputs = {"tool_outputs": [{"tool_call_id": "call_1", "output": "21 degrees"}]}
            told.add("POST", "/threads/thread_1/runs/run_1/submit_tool_outputs", outputs, run("queued"))
        assert lines(told.one) == ["tool: 21 degrees"]
        told.add("GET", "/threads/thread_1/runs/run_1/steps/s1", answer=step("s1", "tool_calls", tool_calls=[WEATHER]))
        assert told.one.turns[0].calls == (CALLED,)
        assert len(told.one.turns) == 1

    def test_a_stream_tells_each_state_at_its_time(self) -> None:
        """And the message is the one that was completed."""
        told = Told()
        delta = {
            "id": "m2",
            "object": "thread.message.delta",
            "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "Hel"}}]},
        }
        events = [
            ("thread.run.created", run("queued")),
            ("thread.run.in_progress", run("in_progress")),
            (
                "thread.run.step.created",
                step("s1", "message_creation", message_creation={"message_id": "m2"}) | {"usage": None},
            ),
            ("thread.message.created", message("m2", "", "assistant", run_id="run_1")),
            ("thread.message.delta", delta),
            ("thread.message.completed", message("m2", "Hello!", "assistant", run_id="run_1")),
            ("thread.run.completed", run("completed", usage=COUNTED)),
            ("done", "[DONE]"),
        ]
        told.add(
            "POST",
            "/threads/thread_1/runs",
            {"stream": True, "additional_messages": [user("Hi")]},
            streamed(*events, chunks=True),
            first_byte=0.25,
        )
        found = told.one
        assert lines(found) == ["user: Hi", "assistant: Hello!"]
        assert [(state.status, state.at) for state in found.runs[0].states] == [
            ("queued", 0.0),
            ("in_progress", 1.0),
            ("completed", 6.0),
        ]
        assert found.runs[0].polls == 0

    def test_a_stream_that_broke_off_has_what_came(self) -> None:
        """The text as far as it was sent."""
        told = Told()
        delta = {
            "id": "m2",
            "object": "thread.message.delta",
            "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "Hel"}}]},
        }
        told.add(
            "POST",
            "/threads/thread_1/runs",
            {},
            streamed(("thread.run.created", run("queued")), ("thread.message.delta", delta)),
        )
        told.add("POST", "/threads/thread_2/runs", {}, streamed("nonsense"))
        assert [lines(found) for found in told.found] == [[], ["assistant: Hel"]]

    def test_refusals_are_turns(self) -> None:
        """And what was refused was not said."""
        told = Told()
        told.add("POST", "/threads/thread_1/messages", user("Hi"), {"error": {"message": "A run is active."}}, 400)
        told.add("POST", "/threads/thread_1/runs", {"additional_messages": [user("Hi")]}, b"", 500)
        told.add("POST", "/threads", {}, {"error": {"message": "No."}}, 400)
        assert lines(told.one) == ["error: A run is active.", "error: status 500"]
        assert told.one.title == "A run is active."

    def test_attachments_count_and_a_long_title_is_cut(self) -> None:
        """A title is one line."""
        told = Told()
        text = "word\n" * 60
        told.add("POST", "/threads/thread_1/messages", {}, message("m1", text, attachments=[{"file_id": "f"}]))
        assert told.one.turns[0].files == 1
        assert (len(told.one.title), "\n" in told.one.title) == (100, False)


@NEEDS_RECORDINGS
def test_what_the_real_api_answered_is_grouped() -> None:
    """Recordings of the real API: a chain of responses, a chat with tools, streamed runs."""
    entries = [
        Entry(
            number,
            "default",
            "2026-11-22T16:00:00.000Z",
            each.request,
            each.response.status,
            "played",
            response=each.response,
        )
        for number, each in enumerate(recordings(), 1)
    ]
    found = conversations(entries)
    kinds = [each.kind for each in found]
    assert min(kinds.count(kind) for kind in ("thread", "chat", "responses", "conversation")) >= 1
    (followed,) = [each for each in found if each.title == "Hello! My name is Szymon."]
    assert [turn.role for turn in followed.turns] == ["user", "assistant", "user", "assistant"]
    (tools,) = [each for each in found if "San Francisco and Japan" in each.title]
    assert [call.output for call in tools.turns[1].calls] == ["The weather is nice 🌞"] * 2
    lives = [run for each in found for run in each.runs if run.status in ("completed", "incomplete")]
    assert all([state.status for state in run.states][:2] == ["queued", "in_progress"] for run in lives)
    assert all(run.usage for run in lives)


def test_many_exchanges_stay_apart() -> None:
    """A thousand chats and a long thread: each chat goes on in its own conversation, the thread is one."""
    told, chats = Told(), 500
    for each in range(chats):
        told.chat(user(f"Hi {each}"), answer="Hello!")
        told.chat(user(f"Hi {each}"), assistant("Hello!"), user("Bye"), answer="Bye!")
        told.add("POST", "/threads/thread_1/messages", {}, message(f"m{each}", "Hi"))
    assert len(told.found) == chats + 1


NAMES = (
    "id",
    "object",
    "role",
    "content",
    "text",
    "status",
    "messages",
    "data",
    "output",
    "input",
    "tool_calls",
    "type",
    "call_id",
    "choices",
    "message",
    "delta",
    "usage",
    "error",
    "function",
    "step_details",
    "thread_id",
    "response",
    "items",
    "conversation",
)
WORDS = (
    "thread.run",
    "thread.message",
    "thread.run.step",
    "list",
    "response",
    "message",
    "function_call",
    "reasoning",
    "x",
    "",
    "function_call_output",
    "assistant",
    "thread",
    "error",
    "code_interpreter_call",
    "response.output_text.delta",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inside, max_size=6),
    max_leaves=20,
)
PATHS = st.sampled_from(
    [
        "/v1/threads",
        "/v1/threads/runs",
        "/v1/threads/t/messages",
        "/v1/threads/t/runs",
        "/v1/threads/t/runs/r/steps",
        "/threads//%ff",
        "/v1/threads/t/runs/r/submit_tool_outputs",
        "/v1/chat/completions",
        "/v1/chat/completions/x",
        "/v1/responses",
        "/v1/responses/r",
        "/v1/conversations",
        "/v1/conversations/c/items",
        "/completions",
        "threads",
        "/v1/threads/",
        "/v1/\udcff/threads/\udcff",
    ]
)


def entries() -> Iterator[int]:
    """Numbers of exchanges."""
    return count(1)


@given(
    st.lists(
        st.tuples(
            PATHS, st.sampled_from(["GET", "POST"]), VALUES, VALUES, st.booleans(), st.sampled_from([0, 200, 400])
        )
    )
)
def test_no_body_is_too_odd(given: list[Any]) -> None:
    """Whatever bodies and paths hold, nothing is raised, and all that is found are turns."""
    told = []
    for number, (path, method, asked, answered, stream, status) in zip(entries(), given, strict=False):
        body = json.dumps(answered, default=str).encode()
        reply = Response(200, "", STREAM, b"data: " + body + b"\n\n") if stream else Response(200, "", JSON, body)
        told.append(
            Entry(
                number,
                "s",
                "2026",
                Request(method, path, JSON, json.dumps(asked).encode()),
                status,
                "played",
                response=reply,
            )
        )
    for found in conversations(told):
        assert all(isinstance(turn, Turn) for turn in found.turns)
        found.id.encode()
