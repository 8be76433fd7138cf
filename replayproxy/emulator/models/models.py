"""The family of models.

The models that everybody has are a fixed list; the emulator serves others, too, when they are asked to answer, but
does not know them here. Models that were fine-tuned are records, and only these can be deleted.
"""

from __future__ import annotations

from collections.abc import Mapping

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "MODEL", "ROUTES", "add_model"]

_SYSTEM, _OPENAI, _INTERNAL = "system", "openai", "openai-internal"
#: When each was made and by whom. Recorded: models up to 2023 (ruby-openai's list); the others are inferred.
_BUILT_IN: Mapping[str, tuple[int, str]] = {
    "gpt-3.5-turbo": (1677610602, _OPENAI),
    "gpt-3.5-turbo-0125": (1706048358, _SYSTEM),
    "gpt-3.5-turbo-instruct": (1692901427, _SYSTEM),
    "gpt-4": (1687882411, _OPENAI),
    "gpt-4-0613": (1686588896, _OPENAI),
    "gpt-4-turbo": (1712361441, _SYSTEM),
    "gpt-4-turbo-2024-04-09": (1712601677, _SYSTEM),
    "gpt-4.1": (1744316542, _SYSTEM),
    "gpt-4.1-2025-04-14": (1744315746, _SYSTEM),
    "gpt-4.1-mini": (1744318173, _SYSTEM),
    "gpt-4.1-mini-2025-04-14": (1744317547, _SYSTEM),
    "gpt-4.1-nano": (1744321707, _SYSTEM),
    "gpt-4.1-nano-2025-04-14": (1744321025, _SYSTEM),
    "gpt-4o": (1715367049, _SYSTEM),
    "gpt-4o-2024-08-06": (1722814719, _SYSTEM),
    "gpt-4o-audio-preview": (1727460443, _SYSTEM),
    "gpt-4o-mini": (1721172741, _SYSTEM),
    "gpt-4o-mini-2024-07-18": (1721172717, _SYSTEM),
    "gpt-4o-mini-transcribe": (1742068596, _SYSTEM),
    "gpt-4o-mini-tts": (1742403959, _SYSTEM),
    "gpt-4o-transcribe": (1742068463, _SYSTEM),
    "gpt-5": (1754425777, _SYSTEM),
    "gpt-5-2025-08-07": (1754075360, _SYSTEM),
    "gpt-5-mini": (1754425928, _SYSTEM),
    "gpt-5-mini-2025-08-07": (1754425867, _SYSTEM),
    "gpt-5-nano": (1754426384, _SYSTEM),
    "gpt-5-nano-2025-08-07": (1754426303, _SYSTEM),
    "gpt-image-1": (1745517030, _SYSTEM),
    "o1": (1734375816, _SYSTEM),
    "o3": (1744225308, _SYSTEM),
    "o3-mini": (1737146383, _SYSTEM),
    "o4-mini": (1744225351, _SYSTEM),
    "babbage-002": (1692634615, _SYSTEM),
    "davinci-002": (1692634301, _SYSTEM),
    "dall-e-2": (1698798177, _SYSTEM),
    "dall-e-3": (1698785189, _SYSTEM),
    "omni-moderation-latest": (1731689265, _SYSTEM),
    "sora-2": (1759708615, _SYSTEM),
    "text-embedding-3-large": (1705953180, _SYSTEM),
    "text-embedding-3-small": (1705948997, _SYSTEM),
    "text-embedding-ada-002": (1671217299, _INTERNAL),
    "tts-1": (1681940951, _INTERNAL),
    "tts-1-hd": (1699046015, _SYSTEM),
    "whisper-1": (1677532384, _INTERNAL),
}
#: An API key may not delete what is everybody's (wording: public reports; status: the client's PermissionDeniedError).
_NOT_YOURS = "You have insufficient permissions for this operation. Missing scopes: api.delete."


def _invent(_: State, record: Record) -> None:
    record.json = _model(record.id, record.created_at, "user-emulator")


#: Ids are given by who fine-tunes a model, never made up.
MODEL = Kind("model", "ft:", _invent)
KINDS = (MODEL,)


def add_model(state: State, id_: str, owner: str = "user-emulator") -> Record:
    """Makes a fine-tuned model known by its name (`ft:gpt-4o-mini-2024-07-18:org::ABC`)."""

    def fill(record: Record) -> None:
        record.json = _model(id_, record.created_at, owner)

    return state.add(MODEL, fill, id_=id_)


def _model(id_: str, created: int, owner: str) -> Json:
    return {"id": id_, "object": "model", "created": created, "owned_by": owner}


def _list(state: State, _: Asked) -> Answer:
    built_in = [_model(id_, *facts) for id_, facts in _BUILT_IN.items()]
    return {"object": "list", "data": [*built_in, *(record.json for record in state.shelf(MODEL))]}


def _retrieve(state: State, asked: Asked) -> Answer:
    id_ = asked.params["model"]
    if id_ in _BUILT_IN:
        return _model(id_, *_BUILT_IN[id_])
    record = state.get(MODEL, id_)
    return record.json if record else _unknown(id_)


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["model"]
    if id_ in _BUILT_IN:
        return Problem(_NOT_YOURS, status=403)
    return deleted(id_, "model") if state.remove(MODEL, id_) else _unknown(id_)


def _unknown(id_: str) -> Problem:
    return Problem(f"The model '{id_}' does not exist", "model", "model_not_found", 404)


ROUTES: Routes = (
    ("listModels", _list),
    ("retrieveModel", _retrieve),
    ("deleteModel", _delete),
)
