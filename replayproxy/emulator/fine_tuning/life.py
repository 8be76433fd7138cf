"""How a fine-tuning job moves on, one step each time it is retrieved, with its events and checkpoints.

The sentences are those of real jobs; that a training file needs ten examples is the real API's rule, too.
"""

from __future__ import annotations

from typing import Final

import orjson

from replayproxy.emulator.files.files import FILE, add_file
from replayproxy.emulator.fine_tuning.methods import settled
from replayproxy.emulator.models.models import add_model
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import mint
from replayproxy.emulator.state import State

__all__ = ["CHECKPOINT", "EVENT", "OVER", "advance", "note"]

OVER: Final = frozenset({"succeeded", "failed", "cancelled"})
FEWEST: Final = 10
#: Seconds that a job takes once it runs.
_TIME: Final = 300
_TOO_FEW = "Training file has {} example(s), but must have at least {} examples"
_NO_JSONL = "Expected file to have JSONL format, where every line is a JSON dictionary. Line {} is not a dictionary."


def _invent_event(_: State, record: Record) -> None:
    record.json = _event(record, "Fine-tuning job started", "message", {})


def _invent_checkpoint(_: State, record: Record) -> None:
    record.json = _checkpoint(record, record.parent, "ft:gpt-4o-mini-2024-07-18:personal::checkpoint", 1)


EVENT = Kind("fine-tuning event", "ftevent-", _invent_event)
CHECKPOINT = Kind("fine-tuning checkpoint", "ftckpt_", _invent_checkpoint)


def note(state: State, job: Record, message: str, *, level: str = "info", data: Json | None = None) -> None:
    """Add an event to a job."""

    def fill(record: Record) -> None:
        record.json = _event(record, message, "metrics" if data else "message", data or {}) | {"level": level}

    state.add(EVENT, fill, job)


def advance(state: State, job: Record) -> None:
    """Move a job on by one step, unless it is over or paused."""
    if job.hidden.get("paused") or job.json["status"] in OVER:
        return
    _STEPS[job.json["status"]](state, job)
    state.keep(job)


def _validate(state: State, job: Record) -> None:
    file = state.get(FILE, job.json["training_file"])
    error = None if file is not None and file.hidden.get("invented") else _file_error(file.blob if file else b"")
    if error is not None:
        job.json |= {"status": "failed", "finished_at": job.created_at + 1, "error": error}
        note(state, job, f"Fine-tuning job failed: {error['message']}", level="error")
        return
    job.json["status"] = "queued"
    note(state, job, "Files validated, moving job to queued state")


def _file_error(content: bytes) -> Json | None:
    lines = [line for line in content.split(b"\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        if not _is_object(line):
            return _error("invalid_file_format", _NO_JSONL.format(number))
    return _error("invalid_n_examples", _TOO_FEW.format(len(lines), FEWEST)) if len(lines) < FEWEST else None


def _error(code: str, message: str) -> Json:
    return {"code": code, "message": message, "param": "training_file"}


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _start(state: State, job: Record) -> None:
    job.json |= {
        "status": "running",
        "hyperparameters": settled(job.json["hyperparameters"]),
        "estimated_finish": job.created_at + _TIME,
    }
    note(state, job, "Fine-tuning job started")


def _succeed(state: State, job: Record) -> None:
    epochs = settled(job.json["hyperparameters"])["n_epochs"]
    file = state.get(FILE, job.json["training_file"])
    examples = max(1, file.blob.count(b"\n")) if file else FEWEST
    name = f"ft:{job.json['model']}:personal:{job.json['user_provided_suffix'] or ''}"
    steps = [examples * (epoch + 1) for epoch in range(epochs)][-3:]
    for number, step in enumerate(steps, 1):
        _reach(state, job, name, step, steps[-1], last=number == len(steps))
    model = f"{name}:{mint('', 'model', job.id, length=8)}"
    results = add_file(state, "step_metrics.csv", _results(steps), "fine-tune-results")
    job.json |= {
        "status": "succeeded",
        "finished_at": job.created_at + _TIME,
        "fine_tuned_model": model,
        "result_files": [results.id],
        "trained_tokens": examples * epochs * 40,
        "estimated_finish": None,
    }
    add_model(state, model, job.json["organization_id"])
    note(state, job, f"New fine-tuned model created: {model}")
    note(state, job, "The job has successfully completed")


def _reach(state: State, job: Record, name: str, step: int, most: int, *, last: bool) -> None:
    """A step at which the model is kept; the last one is the model itself."""
    metrics = _metrics(step)
    note(state, job, f"Step {step}/{most}: training loss={metrics['train_loss']:.2f}", data=metrics)
    tail = mint("", "model" if last else f"checkpoint {step}", job.id, length=8)
    kept = f"{name}:{tail}" if last else f"{name}:{tail}:ckpt-step-{step}"

    def fill(record: Record) -> None:
        record.json = _checkpoint(record, job.id, kept, step)

    state.add(CHECKPOINT, fill, job)
    note(state, job, f"Checkpoint created at step {step}")


def _metrics(step: int) -> Json:
    """Plausible ones: the loss falls with the steps."""
    loss = round(2.0 / (1 + step / 10), 4)
    return {"step": step, "train_loss": loss, "train_mean_token_accuracy": round(1 - loss / 4, 4)}


def _results(steps: list[int]) -> bytes:
    rows = ["step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"]
    for step in steps:
        metrics = _metrics(step)
        rows.append(f"{step},{metrics['train_loss']},{metrics['train_mean_token_accuracy']},,")
    return ("\n".join(rows) + "\n").encode()


def _event(record: Record, message: str, kind: str, data: Json) -> Json:
    return {
        "object": "fine_tuning.job.event",
        "id": record.id,
        "created_at": record.created_at,
        "level": "info",
        "message": message,
        "data": data,
        "type": kind,
    }


def _checkpoint(record: Record, job_id: str, model: str, step: int) -> Json:
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": record.id,
        "created_at": record.created_at,
        "fine_tuned_model_checkpoint": model,
        "metrics": _metrics(step),
        "fine_tuning_job_id": job_id,
        "step_number": step,
    }


_STEPS = {"validating_files": _validate, "queued": _start, "running": _succeed}
