"""The methods of fine-tuning and their hyperparameters, as jobs tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replayproxy.emulator.records import Json

__all__ = ["hyperparameters_of", "method_of", "settled"]

_SHARED: Final = ("n_epochs", "batch_size", "learning_rate_multiplier")
_OF_METHOD: Final[Mapping[str, tuple[str, ...]]] = {
    "supervised": (),
    "dpo": ("beta",),
    "reinforcement": ("compute_multiplier", "eval_interval", "eval_samples"),
}
#: What `auto` becomes (the numbers of recorded jobs, where there are any).
_CHOSEN: Final[Mapping[str, float]] = {
    "n_epochs": 3,
    "batch_size": 1,
    "learning_rate_multiplier": 2,
    "beta": 0.1,
    "compute_multiplier": 1,
    "eval_interval": 10,
    "eval_samples": 10,
}


def hyperparameters_of(body: Json) -> Json:
    """The hyperparameters of a create-job body, wherever it gives them."""
    given = _given(body)
    return {name: given.get(name) or "auto" for name in _SHARED}


def method_of(body: Json) -> Json:
    """The method of a create-job body, with all of its hyperparameters."""
    method = body.get("method") or {"type": "supervised"}
    kind = method["type"]
    given, names = _given(body), (*_SHARED, *_OF_METHOD[kind])
    told: dict[str, Any] = {key: value for key, value in (method.get(kind) or {}).items() if key != "hyperparameters"}
    told["hyperparameters"] = {name: given.get(name) or "auto" for name in names}
    if kind == "reinforcement":
        told["hyperparameters"]["reasoning_effort"] = given.get("reasoning_effort") or "default"
        if "grader" not in told:
            return {"type": kind}
    return {"type": kind, kind: told}


def settled(hyperparameters: Json) -> Json:
    """Hyperparameters once the job has chosen those that were `auto`."""
    return {name: _CHOSEN[name] if value == "auto" else value for name, value in hyperparameters.items()}


def _given(body: Json) -> Json:
    method = body.get("method") or {}
    own = (method.get(method.get("type")) or {}).get("hyperparameters") or {}
    return (body.get("hyperparameters") or {}) | own
