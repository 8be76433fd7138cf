"""The family of chat completions. Those that were made with `store` are in stored.py."""

from __future__ import annotations

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Events, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.chat.answers import completion_json
from replayproxy.emulator.chat.headers import model_headers
from replayproxy.emulator.chat.ids import numbered
from replayproxy.emulator.chat.models import snapshot
from replayproxy.emulator.chat.refusals import chat_problem
from replayproxy.emulator.chat.replies import Completion, ask
from replayproxy.emulator.chat.stored import CHAT, KINDS, STORED_ROUTES, store
from replayproxy.emulator.chat.stream import chunks
from replayproxy.emulator.family import Routes
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES"]


async def _create(state: State, asked: Asked) -> Answer:
    body = asked.body
    problem = chat_problem(body)
    if problem:
        return problem
    replies = await ask(state, body)
    if isinstance(replies, Problem):
        return replies
    made = numbered(state, CHAT, body)
    while state.shelf(CHAT).was_there(made.id):  # stored before the emulator was last started
        made = numbered(state, CHAT, body)
    model = snapshot(body["model"])
    completion = Completion(made.id, made.created_at, model, body, replies, state.settings.seed)
    if body.get("store"):
        completion = store(state, completion)
    headers = model_headers(model, completion.usage.prompt)
    if body.get("stream"):
        return Events(chunks(completion), headers)
    return Told(completion_json(completion), headers=headers)


ROUTES: Routes = (("createChatCompletion", _create), *STORED_ROUTES)
