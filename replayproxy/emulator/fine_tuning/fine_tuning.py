"""The family of fine-tuning: jobs; how they move on is in tuning_life, what else belongs to the family in tuning_*.

Facts (recordings of the real API): the order of keys, and the sentence and code of a job that is not there. A real job
has `{}` for its error while there is none; here it is null, as the API's description and its clients have it.
"""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, metadata_of
from replayproxy.emulator.files.files import FILE
from replayproxy.emulator.fine_tuning.graders import GRADER_ROUTES
from replayproxy.emulator.fine_tuning.life import CHECKPOINT, EVENT, OVER, advance, note
from replayproxy.emulator.fine_tuning.methods import hyperparameters_of, method_of
from replayproxy.emulator.fine_tuning.permissions import PERMISSION, PERMISSION_ROUTES
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import Shelf, mint
from replayproxy.emulator.state import State

__all__ = ["JOB", "KINDS", "ROUTES"]

_POLL = {"openai-poll-after-ms": "10"}


def _invent(state: State, record: Record) -> None:
    file = mint("file-", state.settings.seed, record.id, length=22)
    record.json = _job(state, record, {"model": "gpt-4o-mini-2024-07-18", "training_file": file})
    record.json["status"] = "running"
    record.hidden = {"invented": True}


JOB = Kind("fine-tuning job", "ftjob-", _invent)
KINDS = (JOB, EVENT, CHECKPOINT, PERMISSION)


def _job(state: State, record: Record, body: Json) -> Json:
    seed = body.get("seed")
    return {
        "object": "fine_tuning.job",
        "id": record.id,
        "model": body["model"],
        "created_at": record.created_at,
        "finished_at": None,
        "fine_tuned_model": None,
        "organization_id": mint("org-", state.settings.seed),
        "result_files": [],
        "status": "validating_files",
        "validation_file": body.get("validation_file"),
        "training_file": body["training_file"],
        "hyperparameters": hyperparameters_of(body),
        "trained_tokens": None,
        "error": None,
        "user_provided_suffix": body.get("suffix"),
        "seed": seed if seed is not None else int(mint("", "seed", record.id, length=9, digits="123456789")),
        "estimated_finish": None,
        "integrations": body.get("integrations") or [],
        "method": method_of(body),
        "metadata": metadata_of(body, otherwise={}) or None,
    }


def _create(state: State, asked: Asked) -> Answer:
    body = asked.body
    for name in ("training_file", "validation_file"):
        if body.get(name) and state.get(FILE, body[name]) is None:
            return Problem(f"invalid {name}: {body[name]}", name)

    def fill(record: Record) -> None:
        record.json = _job(state, record, body)

    job = state.add(JOB, fill)
    note(state, job, f"Created fine-tuning job: {job.id}")
    note(state, job, f"Validating training file: {body['training_file']}")
    return _told(job)


def _told(job: Record) -> Told:
    return Told(job.json, headers={} if job.json["status"] in OVER else _POLL)


def _job_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["fine_tuning_job_id"]
    job = state.get(JOB, id_)
    return job or Problem(f"Could not find fine tune: {id_}", "fine_tune_id", "fine_tune_not_found", status=404)


def _list(state: State, asked: Asked) -> Answer:
    wanted = asked.query.get("metadata")
    if wanted == "null":
        return _page(state.shelf(JOB), asked, lambda job: not job.json["metadata"])
    if isinstance(wanted, dict):
        return _page(state.shelf(JOB), asked, lambda job: wanted.items() <= (job.json["metadata"] or {}).items())
    return _page(state.shelf(JOB), asked)


def _page(
    shelf: Shelf[Record], asked: Asked, wanted: Callable[[Record], bool] | None = None, *, ids: bool = False
) -> Answer:
    """A page, newest first; most lists of this family do without the ids of the first and the last."""
    query = asked.page()
    page = query if isinstance(query, Problem) else shelf.page(query, wanted)
    if isinstance(page, Problem):
        return page
    if isinstance(page, str):
        return Problem(f"Could not find '{page}' to list what is after it.", "after", status=404)
    items = [record.json for _, record in page.items]
    ends = {"first_id": items[0]["id"] if items else None, "last_id": items[-1]["id"] if items else None}
    return {"object": "list", "data": items, **(ends if ids else {}), "has_more": page.has_more}


def _get(state: State, asked: Asked) -> Answer:
    job = _job_of(state, asked)
    if isinstance(job, Problem):
        return job
    advance(state, job)
    return _told(job)


def _cancel(state: State, asked: Asked) -> Answer:
    job = _job_of(state, asked)
    if isinstance(job, Problem):
        return job
    problem = _over_problem(job, "cancel")
    if problem is not None:
        return problem
    if job.json["status"] not in OVER:
        job.json |= {"status": "cancelled", "finished_at": job.created_at + 1, "estimated_finish": None}
        note(state, job, "Fine-tuning job cancelled")
        state.keep(job)
    return job.json


def _pause(state: State, asked: Asked) -> Answer:
    return _held(state, asked, held=True)


def _resume(state: State, asked: Asked) -> Answer:
    return _held(state, asked, held=False)


def _held(state: State, asked: Asked, *, held: bool) -> Answer:
    """A job that is paused keeps its status (the API's description has none for it), and does not move on."""
    job = _job_of(state, asked)
    if isinstance(job, Problem):
        return job
    problem = _over_problem(job, "pause" if held else "resume")
    if problem is not None:
        return problem
    if bool(job.hidden.get("paused")) != held:
        job.hidden["paused"] = held
        note(state, job, f"Fine-tuning job {'paused' if held else 'resumed'}")
        state.keep(job)
    return job.json


def _over_problem(job: Record, verb: str) -> Problem | None:
    """That a job is over, and nothing can be done to it; one that was made up takes everything."""
    status = job.json["status"]
    if status not in OVER or job.hidden.get("invented"):
        return None
    return Problem(f"Cannot {verb} fine-tuning job {job.id}: it has status '{status}'.")


def _events(state: State, asked: Asked) -> Answer:
    job = _job_of(state, asked)
    return job if isinstance(job, Problem) else _page(state.shelf(EVENT, job.id), asked)


def _checkpoints(state: State, asked: Asked) -> Answer:
    job = _job_of(state, asked)
    return job if isinstance(job, Problem) else _page(state.shelf(CHECKPOINT, job.id), asked, ids=True)


ROUTES: Routes = (
    ("createFineTuningJob", _create),
    ("listPaginatedFineTuningJobs", _list),
    ("retrieveFineTuningJob", _get),
    ("cancelFineTuningJob", _cancel),
    ("pauseFineTuningJob", _pause),
    ("resumeFineTuningJob", _resume),
    ("listFineTuningEvents", _events),
    ("listFineTuningJobCheckpoints", _checkpoints),
    *PERMISSION_ROUTES,
    *GRADER_ROUTES,
)
