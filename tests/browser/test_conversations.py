"""Conversations in the inspector: found in a list, read as turns with tool calls, runs with their life."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from playwright.sync_api import Page, expect

from tests.browser.stage import Staged

Stage = Callable[..., Staged]

REPLIES = """
replies:
  - when: {tool_result: {name: get_weather, regex: '"temperature": ?(?P<degrees>-?[0-9]+)'}}
    text: It is {degrees} degrees.
  - when: {user: {regex: 'weather in (?P<city>[A-Z][a-z]+)'}, has_tools: true}
    tool_calls:
      - name: get_weather
        arguments: {city: "{city}"}
"""
FUNCTION = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
TOOLS: Any = [{"type": "function", "function": FUNCTION}]


@pytest.fixture
def talking(tmp_path: Path, stage: Stage) -> Staged:
    """A proxy on an emulator that calls a tool when it is asked for the weather."""
    (tmp_path / "replies.yaml").write_text(REPLIES, "utf-8")
    return stage(REPLAYPROXY_EMULATOR__REPLIES="replies.yaml")


@pytest.fixture(autouse=True)
def deprecated() -> Iterator[None]:
    """The client warns of the Assistants API."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def ask_in_a_thread(client: OpenAI) -> str:
    """A thread with a run that is polled, calls a tool and completes, and one that is streamed; the thread's id."""
    threads = client.beta.threads
    helper = client.beta.assistants.create(model="gpt-4o", tools=TOOLS)
    thread = threads.create(messages=[{"role": "user", "content": "What is the weather in Paris?"}])
    run = threads.runs.create_and_poll(thread_id=thread.id, assistant_id=helper.id, poll_interval_ms=10)
    outputs: Any = [{"tool_call_id": call.id, "output": '{"temperature": 21}'} for call in calls_of(run)]
    run = threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs, poll_interval_ms=10
    )
    threads.messages.list(thread.id)
    threads.runs.steps.list(run.id, thread_id=thread.id)
    threads.messages.create(thread.id, role="user", content="Thank you!")
    with threads.runs.stream(thread_id=thread.id, assistant_id=helper.id) as stream:
        stream.until_done()
    return thread.id


def calls_of(run: Any) -> Any:
    """The tool calls that a run requires."""
    assert run.status == "requires_action"
    return run.required_action.submit_tool_outputs.tool_calls


def ask_in_a_chat(client: OpenAI, *, stream: bool = False) -> None:
    """A chat of three questions, the first of which takes a tool."""
    said: list[Any] = [{"role": "system", "content": "Be kind."}]
    for question in ("What is the weather in Oslo?", "And <b>tomorrow</b>?", "Bye."):
        said.append({"role": "user", "content": question})
        while True:
            answer = asked(client, said, stream=stream)
            said.append(answer.model_dump(include={"role", "content", "tool_calls"}, exclude_none=True))
            if not answer.tool_calls:
                break
            given = {"role": "tool", "content": '{"temperature": -3}'}
            said.extend(given | {"tool_call_id": call.id} for call in answer.tool_calls)


def asked(client: OpenAI, said: list[Any], *, stream: bool) -> Any:
    """The message that comes next."""
    if not stream:
        return client.chat.completions.create(model="gpt-4o", messages=said, tools=TOOLS).choices[0].message
    with client.chat.completions.stream(model="gpt-4o", messages=said, tools=TOOLS) as events:
        return events.get_final_completion().choices[0].message


def ask_for_responses(client: OpenAI) -> None:
    """Three responses, each following the one before; the last one streamed."""
    tools: Any = [{"type": "function", "strict": False, **FUNCTION}]
    first = client.responses.create(model="gpt-4o", input="What is the weather in Lima?", tools=tools)
    (call,) = [each for each in first.output if each.type == "function_call"]
    output: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": '{"temperature": 18}'}]
    second = client.responses.create(model="gpt-4o", previous_response_id=first.id, tools=tools, input=output)
    with client.responses.stream(model="gpt-4o", previous_response_id=second.id, input="Thanks!") as stream:
        stream.until_done()


def turns(page: Page) -> list[str]:
    """Who spoke, turn by turn."""
    return page.locator(".turns > li .who strong").all_text_contents()


def test_a_thread_is_read_as_a_conversation(talking: Staged, page: Page) -> None:
    """Questions and answers in order, the tool call with its arguments and output, and the exchange of each turn."""
    thread = ask_in_a_thread(talking.client())
    page.goto(talking.inspector("/conversations"))
    row = page.get_by_role("row").filter(has_text="What is the weather in Paris?")
    expect(row).to_contain_text("thread")
    expect(row).to_contain_text("completed")
    row.get_by_role("link").click()
    expect(page.locator(".talk-head")).to_contain_text(thread)
    expect(page.locator(".turns > li")).to_have_count(5)
    assert turns(page) == ["User", "Assistant", "Assistant", "User", "Assistant"]
    call = page.locator(".turns .call")
    expect(call).to_contain_text("get_weather")
    assert call.locator("pre").all_text_contents() == ['{\n  "city": "Paris"\n}', '{\n  "temperature": 21\n}']
    expect(page.locator(".turns > li").nth(2)).to_contain_text("It is 21 degrees.")
    page.locator(".turns > li").nth(2).get_by_role("link", name="Exchange").click()
    expect(page).to_have_url(f"{talking.admin_url}/#/exchanges/" + str(number_of_the_list(talking)))


def number_of_the_list(proxy: Staged) -> int:
    """The exchange that listed the messages of the only thread."""
    (thread,) = proxy.get("/conversations?kind=thread")["conversations"]
    return int(proxy.get(f"/conversations/{thread['id']}")["turns"][2]["exchange"])


def test_the_life_of_a_run_is_a_bar(talking: Staged, page: Page) -> None:
    """Its states in words with how long each lasted, what it did step by step, and the tokens it took."""
    ask_in_a_thread(talking.client())
    (thread,) = talking.get("/conversations")["conversations"]
    page.goto(talking.inspector(f"/conversations/{thread['id']}"))
    runs = page.get_by_role("article", name="Run run_")
    expect(runs).to_have_count(2)
    polled, streamed = runs.all()
    states = polled.get_by_role("list", name="States").get_by_role("listitem").all_text_contents()
    assert [each.split(" for ")[0].split(" at ")[0] for each in states] == [
        "queued", "in progress", "requires action", "queued", "in progress", "completed",
    ]  # fmt: skip
    bar = polled.get_by_role("img")
    assert str(bar.get_attribute("aria-label")).count(", then ") == 5
    assert bar.locator("rect").count() == 6
    steps = polled.get_by_role("list", name="Steps")
    expect(steps).to_contain_text("calls tools")
    expect(steps).to_contain_text("writes a message")
    expect(polled).to_contain_text("tokens in")
    assert streamed.get_by_role("img").locator("rect").count() == 3


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_of_several_requests_is_one_conversation(talking: Staged, page: Page, stream: bool) -> None:
    """Nothing is shown twice, whether answers were streamed or not; markup in a message is text."""
    ask_in_a_chat(talking.client(), stream=stream)
    page.goto(talking.inspector("/conversations?kind=chat"))
    expect(page.locator("table tbody tr")).to_have_count(1)
    page.get_by_role("link", name="What is the weather in Oslo?").click()
    expect(page.locator(".turns > li")).to_have_count(8)
    assert turns(page) == ["System", "User", "Assistant", "Assistant", "User", "Assistant", "User", "Assistant"]
    expect(page.locator(".turns > li").nth(4)).to_contain_text("And <b>tomorrow</b>?")
    expect(page.locator(".turns .call .output")).to_have_text('{\n  "temperature": -3\n}')


def test_responses_that_follow_each_other_are_one_conversation(talking: Staged, page: Page) -> None:
    """By the id of the one before."""
    ask_for_responses(talking.client())
    page.goto(talking.inspector("/conversations?kind=responses"))
    page.get_by_role("link", name="What is the weather in Lima?").click()
    expect(page.locator(".turns > li")).to_have_count(5)
    assert turns(page) == ["User", "Assistant", "Assistant", "User", "Assistant"]
    expect(page.locator(".turns .call")).to_contain_text("Lima")
    expect(page.locator(".turns > li").nth(2)).to_contain_text("It is 18 degrees.")


def test_the_list_is_narrowed_and_grows(talking: Staged, page: Page) -> None:
    """By kind, session and words; what comes while one looks appears by itself."""
    ask_in_a_chat(talking.client())
    page.goto(talking.inspector("/conversations"))
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(1)
    talking.client("other").responses.create(model="gpt-4o", input="Hello there")
    expect(rows).to_have_count(2)
    page.get_by_label("Kind").select_option("responses")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(f"{talking.admin_url}/#/conversations?kind=responses")
    page.get_by_label("Kind").select_option("")
    page.get_by_label("Session").select_option("other")
    expect(rows).to_contain_text(["Hello there"])
    page.get_by_label("Session").select_option("")
    page.get_by_label("Filter").fill("OSLO")
    expect(rows).to_contain_text(["What is the weather in Oslo?"])
    page.get_by_label("Filter").fill("nothing like it")
    expect(page.get_by_text("No conversation has that in it.")).to_be_visible()


def test_all_is_done_by_keyboard(talking: Staged, page: Page) -> None:
    """j and Enter open a conversation, j walks its turns, Enter leads to the exchange."""
    ask_in_a_chat(talking.client())
    page.goto(talking.inspector("/conversations"))
    expect(page.locator("table tbody tr")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".turns > li")).to_have_count(8)
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
    expect(page.locator(".turns > li").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{talking.admin_url}/#/exchanges/1")


def test_a_conversation_fits_a_phone(talking: Staged, narrow: Page) -> None:
    """Nothing makes the page scroll sideways."""
    ask_in_a_thread(talking.client())
    narrow.goto(talking.inspector("/conversations"))
    expect(narrow.locator("table tbody tr")).to_have_count(1)
    assert narrow.evaluate("document.documentElement.scrollWidth") == 400
    narrow.get_by_role("link", name="What is the weather in Paris?").click()
    expect(narrow.locator(".turns > li")).to_have_count(5)
    assert narrow.evaluate("document.querySelector('main').scrollWidth") <= 400


def test_one_that_is_gone_says_so(talking: Staged, page: Page, complaints: Any) -> None:
    """The journal keeps the latest exchanges only."""
    complaints.expected.append("404")
    page.goto(talking.inspector("/conversations/default~thread_9"))
    expect(page.get_by_role("alert")).to_contain_text("there is no conversation default~thread_9 in the journal")
