"""A small app: it writes down questions, and knows nothing of tests. `python helpdesk.py QUESTION` does it as well."""

from __future__ import annotations

import sys
import uuid

import openai


def write_down(question: str, client: openai.OpenAI | None = None) -> list[str]:
    """Opens a thread with a question and a thank-you, and gives what is in it, the latest first."""
    messages = (client or openai.OpenAI()).beta.threads.messages
    thread = (client or openai.OpenAI()).beta.threads.create()
    messages.create(thread.id, role="user", content=question)
    messages.create(thread.id, role="assistant", content="Thank you, we will look into it.")
    return [part.text.value for message in messages.list(thread.id) for part in message.content if part.type == "text"]


async def open_ticket(question: str) -> str:
    """Opens a thread that carries an id of its own for this run, and gives the thread's."""
    async with openai.AsyncOpenAI() as client:
        thread = await client.beta.threads.create(metadata={"run": uuid.uuid4().hex, "question": question})
    return thread.id


def try_to_write_down(question: str) -> bool:
    """Whether that worked: an app that keeps its troubles to itself."""
    try:
        return bool(write_down(question))
    except openai.APIError:
        return False


if __name__ == "__main__":
    print(*write_down(sys.argv[1]), sep="\n")
