"""An app like any other: the official client, a thread, three messages, pages of a list, and one mistake.

It prints what it got, raw bodies included, so that two runs can be compared. `--async` uses the asynchronous client.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import openai

PARTS = [
    {"type": "text", "text": "What is on this picture?"},
    {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}},
]
ATTACHMENTS = [{"file_id": "file-BK7bzQj3FfZFXr7DbL6xJwfo", "tools": [{"type": "file_search"}]}]


async def talk(call: Any) -> None:
    """`call(path of the method, arguments)` asks the API and gives the raw answer."""
    thread = await call("threads.create")
    thread_id = thread.parse().id
    for content, more in (
        ("How does AI work?\nExplain it in simple terms.", {}),
        (PARTS, {}),
        ("See the file — à propos…", {"attachments": ATTACHMENTS, "metadata": {"run": "7", "lang": "fr"}}),
    ):
        message = await call("threads.messages.create", thread_id=thread_id, role="user", content=content, **more)
        print(type(message.parse()).__name__, message.parse().id, message.parse().created_at)
    after: Any = openai.omit
    while True:
        page = (await call("threads.messages.list", thread_id=thread_id, limit=2, order="asc", after=after)).parse()
        print([message.id for message in page.data], page.has_more)
        if not page.has_more:
            break
        after = page.data[-1].id
    try:
        await call("threads.messages.create", thread_id=thread_id, role="human", content="hello")
    except openai.BadRequestError as error:
        print(error.status_code, error.message, error.param, error.code, error.response.text)


def method(client: Any, path: str) -> Any:
    """The raw form of a method of the client."""
    target = client.beta
    *parents, name = path.split(".")
    for parent in parents:
        target = getattr(target, parent)
    return getattr(target.with_raw_response, name)


def shown(raw: Any) -> Any:
    """Prints an answer, and gives it back."""
    print(raw.status_code, raw.headers.get("content-type"), raw.text)
    return raw


def main() -> None:
    """Runs the conversation with one client or the other."""
    if "--async" in sys.argv:
        client: Any = openai.AsyncOpenAI()

        async def call(path: str, **arguments: Any) -> Any:
            return shown(await method(client, path)(**arguments))
    else:
        client = openai.OpenAI()

        async def call(path: str, **arguments: Any) -> Any:
            return shown(method(client, path)(**arguments))

    asyncio.run(talk(call))


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore", DeprecationWarning)  # the client says that the Assistants API is deprecated
    main()
