"""A proxy through which a little of everything went: what the docs show, and every view can be tried on.

Rule: the official client drives the emulator, as an app would; nothing is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from openai import APIStatusError, BadRequestError, OpenAI
from playwright.sync_api import Page, expect

from tests.browser.stage import Staged

__all__ = ["SEEN", "Scene", "acted", "looked_at"]

#: What every view of the scene tells when it has loaded.
SEEN = {
    "list": "createChatCompletion",
    "list-filtered": "missed",
    "exchange": "How does AI work?",
    "stream": "emulated answer",
    "miss": "body.messages[0].content",
    "invalid": "usr",
    "upload": "notes.txt",
    "editor": "createChatCompletion",
    "new-request": "Headers",
    "diff": "body.stream",
    "conversations": "What is the weather in Paris?",
    "conversation": "14 °C, light rain",
    "cassettes": "default.yaml",
    "cassette": "createMessage",
    "interaction": "/v1/assistants",
    "sessions": "checkout",
    "usage": "gpt-4o-mini",
}

WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Tells the weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
QUESTION = "How does AI work? Explain it in simple terms."
_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGNkYPjPgA0wYRUdtBIAUkoBCfl0XWcAAAAASUVORK5CYII="


@dataclass(frozen=True, slots=True)
class Scene:
    """What went through a proxy: the number of one exchange of each kind."""

    proxy: Staged
    numbers: dict[str, int]
    thread: str

    def views(self) -> dict[str, str]:
        """Every view of the inspector by name, with something to see in it."""
        cassette, conversation = quote("default.yaml", safe=""), self._conversation()
        ends = f"left=exchange:{self.numbers['chat']}&right=exchange:{self.numbers['stream']}"
        return {
            "list": "/",
            "list-filtered": f"/?filter={quote('outcome:miss')}",
            "exchange": f"/exchanges/{self.numbers['chat']}",
            "stream": f"/exchanges/{self.numbers['stream']}",
            "miss": f"/exchanges/{self.numbers['miss']}",
            "invalid": f"/exchanges/{self.numbers['invalid']}",
            "upload": f"/exchanges/{self.numbers['upload']}",
            "editor": f"/exchanges/{self.numbers['chat']}/edit",
            "new-request": "/send",
            "diff": f"/diff?{ends}",
            "conversations": "/conversations",
            "conversation": f"/conversations/{quote(conversation, safe='')}",
            "cassettes": "/cassettes",
            "cassette": f"/cassettes/{cassette}",
            "interaction": f"/cassettes/{cassette}/interactions/1",
            "sessions": "/sessions",
            "usage": "/usage",
        }

    def _conversation(self) -> str:
        found = self.proxy.get("/conversations")["conversations"]
        return str(next(each["id"] for each in found if each["kind"] == "thread"))


def looked_at(page: Page, scene: Scene, name: str) -> None:
    """Opens a view of the scene, and waits until it has told what it has to tell."""
    page.goto("about:blank")
    page.goto(scene.proxy.inspector(scene.views()[name]))
    expect(page.locator("#main")).to_contain_text(SEEN[name])
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def acted(proxy: Staged) -> Scene:
    """Lets an app do a little of everything through a proxy that records."""
    with proxy.client() as app:
        thread = _thread_with_a_run(app)
        app.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": QUESTION}])
        _stream(app)
        first = app.responses.create(model="gpt-4o", input="What is a proxy?")
        app.responses.create(model="gpt-4o", input="And a reverse one?", previous_response_id=first.id)
        _look_at_a_picture(app)
        app.files.create(file=("notes.txt", b"Ask about the weather in Paris.\n"), purpose="assistants")
        _refused(app)
    _miss(proxy)
    return Scene(proxy, _numbers(proxy), thread)


def _thread_with_a_run(app: OpenAI) -> str:
    assistant = app.beta.assistants.create(
        model="gpt-4o", name="Weather", tools=[{"type": "function", "function": WEATHER}]
    )
    thread = app.beta.threads.create()
    app.beta.threads.messages.create(thread.id, role="user", content="What is the weather in Paris?")
    run = app.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=5)
    assert run.required_action is not None
    calls = run.required_action.submit_tool_outputs.tool_calls
    app.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id,
        thread_id=thread.id,
        tool_outputs=[{"tool_call_id": call.id, "output": "14 °C, light rain"} for call in calls],
        poll_interval_ms=5,
    )
    app.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
    app.beta.threads.messages.list(thread.id)
    return thread.id


def _stream(app: OpenAI) -> None:
    with app.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        assert list(stream)


def _look_at_a_picture(app: OpenAI) -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PIXEL}"}}
    content: list[Any] = [{"type": "text", "text": "What is in this picture?"}, picture]
    app.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": content}])


def _refused(app: OpenAI) -> None:
    """A request that the API would not take."""
    message: Any = {"role": "usr", "content": "?"}
    with pytest.raises(BadRequestError):
        app.chat.completions.create(model="gpt-4o", messages=[message])


def _miss(proxy: Staged) -> None:
    """A test that asks for something else than was recorded."""
    declared = {"name": "checkout", "cassette": "default.yaml", "mode": "playback"}
    proxy.send("POST", "/sessions", declared)
    with proxy.client("checkout") as app:
        app.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": QUESTION}])
        changed = QUESTION.replace("AI", "a reverse proxy")
        with pytest.raises(APIStatusError, match="no_match"):
            app.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": changed}], metadata={"run": "7f3a"}
            )


def _numbers(proxy: Staged) -> dict[str, int]:
    with httpx.Client(base_url=proxy.admin_url, trust_env=False) as http:
        told = http.get("/exchanges", params={"limit": 1000}).json()["exchanges"]
    found = dict[str, int]()
    for each in told:
        body = each["request"]["body"].get("json") or {}
        if each["outcome"] == "missed":
            found["miss"] = each["number"]
        elif each["status"] == 400:
            found["invalid"] = each["number"]
        elif each["operation"] == "createFile":
            found["upload"] = each["number"]
        elif each["operation"] == "createChatCompletion" and each["outcome"] == "saved":
            found.setdefault("stream" if body.get("stream") else "chat", each["number"])
    return found
