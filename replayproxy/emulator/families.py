"""All families that are emulated: a family counts when its module stands here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from replayproxy.core.catalog import Catalog
from replayproxy.emulator import chatkit, content_provenance
from replayproxy.emulator.administration import audit_logs, certificates, organization, project_members, projects, usage
from replayproxy.emulator.assistants import assistants, messages, run_steps, runs, threads
from replayproxy.emulator.batches import batches
from replayproxy.emulator.chat import chat, completions
from replayproxy.emulator.evals import evals
from replayproxy.emulator.family import Handler, Observer
from replayproxy.emulator.files import containers, files, uploads
from replayproxy.emulator.fine_tuning import fine_tuning
from replayproxy.emulator.media import audio, images, videos
from replayproxy.emulator.models import embeddings, models, moderations
from replayproxy.emulator.realtime import realtime
from replayproxy.emulator.records import Kind
from replayproxy.emulator.responses import conversations, responses
from replayproxy.emulator.skills import skills
from replayproxy.emulator.vector_stores import vector_store_files, vector_stores

__all__ = ["HANDLERS", "KINDS", "OBSERVERS", "coverage"]

_FAMILIES = (
    assistants,
    threads,
    messages,
    runs,
    run_steps,
    chat,
    completions,
    embeddings,
    moderations,
    models,
    responses,
    conversations,
    files,
    uploads,
    vector_stores,
    vector_store_files,
    batches,
    containers,
    fine_tuning,
    evals,
    images,
    audio,
    videos,
    realtime,
    skills,
    chatkit,
    content_provenance,
    projects,
    project_members,
    organization,
    audit_logs,
    certificates,
    usage,
)
#: What each operation does, by its id; what is missing here answers 501.
HANDLERS: Mapping[str, Handler] = {id_: handler for family in _FAMILIES for id_, handler in family.ROUTES}
KINDS: tuple[Kind, ...] = tuple(kind for family in _FAMILIES for kind in family.KINDS)
#: Who is told of every request that was answered.
OBSERVERS: tuple[Observer, ...] = (audit_logs.observe, usage.observe)


def coverage(catalog: Catalog) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Each family of a catalog: its name, the operations that are emulated, and those that are not."""
    for family in catalog.families:
        served = tuple(each.id for each in family.operations if each.id in HANDLERS)
        yield family.name, served, tuple(each.id for each in family.operations if each.id not in HANDLERS)
