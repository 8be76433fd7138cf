"""The family of embeddings."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain.tokens import count
from replayproxy.emulator.chat.headers import model_headers
from replayproxy.emulator.family import Routes
from replayproxy.emulator.models.embedding_vectors import vector
from replayproxy.emulator.records import Json, Kind
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES", "embed"]

_DIMENSIONS: Mapping[str, int] = {"text-embedding-3-large": 3072}
_USUAL = 1536
_FIXED = "text-embedding-ada-002"
#: Tokens of one input.
_MOST = 8192
#: Wording: as users of the API report it in public code and issues.
_EMPTY = "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
_NO_DIMENSIONS = "This model does not support specifying dimensions."
_TOO_MANY = "Invalid value for 'dimensions' = {given}. Must be less than or equal to {most}."
_TOO_LONG = "Invalid '{path}': maximum input length is {most} tokens."

Input = str | Sequence[int]


def embed(content: Input, model: str, dimensions: int | None = None) -> list[float]:
    """The vector of a text or of tokens, of length 1, in the dimensions of a model."""
    full = _DIMENSIONS.get(model, _USUAL)
    return vector(content, full, min(full, dimensions or full))


def _create(_: State, asked: Asked) -> Answer:
    body = asked.body
    model, dimensions = body["model"], body.get("dimensions")
    inputs = _inputs(body["input"])
    tokens = [count(each, model) if isinstance(each, str) else len(each) for each in inputs]
    problem = _dimensions_problem(model, dimensions) or _input_problem(body["input"], inputs, tokens)
    if problem:
        return problem
    vectors = (embed(each, model, dimensions) for each in inputs)
    packed = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(numbers) if packed else numbers}
        for index, numbers in enumerate(vectors)
    ]
    used = sum(tokens)
    usage = {"prompt_tokens": used, "total_tokens": used}
    answer: Json = {"object": "list", "data": data, "model": model, "usage": usage}
    return Told(answer, headers=model_headers(model, used))


def _inputs(given: Any) -> list[Input]:
    """The texts or lists of tokens in a text, texts, tokens or lists of tokens."""
    return [given] if isinstance(given, str) or isinstance(given[0], int) else list(given)


def _packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _dimensions_problem(model: str, dimensions: int | None) -> Problem | None:
    if dimensions is None:
        return None
    if model == _FIXED:
        return Problem(_NO_DIMENSIONS)
    most = _DIMENSIONS.get(model, _USUAL)
    return Problem(_TOO_MANY.format(given=dimensions, most=most)) if dimensions > most else None


def _input_problem(given: object, inputs: list[Input], tokens: list[int]) -> Problem | None:
    if not all(inputs):
        return Problem(_EMPTY)
    for index, used in enumerate(tokens):
        if used > _MOST:
            path = "input" if isinstance(given, str) else f"input[{index}]"
            return Problem(_TOO_LONG.format(path=path, most=_MOST))
    return None


KINDS: tuple[Kind, ...] = ()
ROUTES: Routes = (("createEmbedding", _create),)
