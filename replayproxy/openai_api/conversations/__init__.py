"""Conversations: what the exchanges of a journal say together.

A thread of the Assistants API with its messages, runs and tool calls; chat completions and responses of which one goes
on where another ended; a conversation of the Responses API.
"""

from __future__ import annotations

from replayproxy.openai_api.conversations.building import conversations
from replayproxy.openai_api.conversations.values import Call, Conversation, Run, RunState, Step, Turn

__all__ = ["Call", "Conversation", "Run", "RunState", "Step", "Turn", "conversations"]
