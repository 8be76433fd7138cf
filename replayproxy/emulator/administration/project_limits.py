"""The rate limits of a project, one for each of the models in a table; they limit nothing here.

The numbers are those of a middling organisation, in round figures.
"""

from __future__ import annotations

from collections.abc import Mapping

from replayproxy.core.problem import Problem
from replayproxy.emulator.administration.organization_collections import Collection, Paging
from replayproxy.emulator.administration.projects import open_project, project_of
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["RATE_LIMIT", "ROUTES"]

_CHAT = {"max_requests_per_1_minute": 10_000, "max_tokens_per_1_minute": 2_000_000}
_BATCHED = _CHAT | {"batch_1_day_max_input_tokens": 200_000_000}
_IMAGES = {"max_requests_per_1_minute": 500, "max_tokens_per_1_minute": 250_000, "max_images_per_1_minute": 50}
_AUDIO = {"max_requests_per_1_minute": 500, "max_tokens_per_1_minute": 600_000, "max_audio_megabytes_per_1_minute": 200}
_LIMITS: Mapping[str, Mapping[str, int]] = {
    "gpt-4.1": _BATCHED,
    "gpt-4.1-mini": _BATCHED,
    "gpt-4o": _BATCHED,
    "gpt-4o-mini": _BATCHED,
    "gpt-5": _BATCHED,
    "gpt-5-mini": _BATCHED,
    "o3": _CHAT,
    "o4-mini": _CHAT,
    "gpt-3.5-turbo": _BATCHED,
    "text-embedding-3-small": _BATCHED,
    "text-embedding-3-large": _BATCHED,
    "omni-moderation-latest": {"max_requests_per_1_minute": 1_000, "max_tokens_per_1_minute": 150_000},
    "gpt-image-1": _IMAGES,
    "dall-e-3": _IMAGES,
    "gpt-4o-mini-tts": _AUDIO,
    "whisper-1": _AUDIO,
}


def _limit(record: Record) -> Json:
    model = record.id.removeprefix("rl-")
    return {"object": "project.rate_limit", "id": record.id, "model": model, **_LIMITS.get(model, _CHAT)}


def _invent(_: State, record: Record) -> None:
    record.json = _limit(record)


RATE_LIMIT = Kind("rate limit", "rl-", _invent)


def _with_models(state: State, project: str) -> None:
    shelf = state.shelf(RATE_LIMIT, project)
    for id_ in (f"rl-{model}" for model in _LIMITS):
        if not shelf.was_there(id_):
            state.add(RATE_LIMIT, lambda record: _invent(state, record), id_=id_, under=project)


#: The API sets no bound to the length of a page here; this is one, for all that.
_RATE_LIMITS = Collection(RATE_LIMIT, "rate_limit_id", project_of, Paging(100, 1_000), prepare=_with_models)


def _update(state: State, asked: Asked) -> Answer:
    project = open_project(state, asked)
    limit = project if isinstance(project, Problem) else _RATE_LIMITS.find(state, asked)
    if isinstance(limit, Problem):
        return limit
    limit.json |= asked.body
    state.keep(limit)
    return limit.json


ROUTES: Routes = (
    ("list-project-rate-limits", _RATE_LIMITS.page),
    ("update-project-rate-limits", _update),
)
