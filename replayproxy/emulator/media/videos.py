"""The family of videos.

A video is made in steps, one each time it is retrieved; what comes out is a file without a picture in it.
"""

from __future__ import annotations

import struct

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Raw, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, find, not_found, page_answer
from replayproxy.emulator.media.image_files import picture
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State

__all__ = ["CHARACTER", "KINDS", "ROUTES", "VIDEO"]

_MODEL, _SIZE, _SECONDS = "sora-2", "720x1280", "4"
#: What a video is after each retrieval, and how far.
_STEPS = {"queued": ("in_progress", 50), "in_progress": ("completed", 100)}
#: Seconds that a video takes by the emulator's clock, and for which it can be fetched.
_TAKES, _KEPT = 2, 3600
_POLL = {"openai-poll-after-ms": "10"}
#: Inferred, its status too: what the API says is not recorded.
_NOT_READY = "Video is not ready yet, use GET /v1/videos/{video_id} to check status."


def _invent(_: State, record: Record) -> None:
    record.json = _video(record, {"prompt": "A calm sea"})
    _complete(record)


def _invent_character(_: State, record: Record) -> None:
    record.json = _character(record, "Somebody")


VIDEO = Kind("video", "video_", _invent, 48, HEX)
CHARACTER = Kind("character", "char_", _invent_character, 48, HEX)
KINDS = (VIDEO, CHARACTER)


def _video(record: Record, body: Json, source: Json | None = None) -> Json:
    """A video as it begins; what is not said is as in the one that it is made from."""
    source = source or {}
    return {
        "id": record.id,
        "object": "video",
        "model": body.get("model") or source.get("model", _MODEL),
        "status": "queued",
        "progress": 0,
        "created_at": record.created_at,
        "completed_at": None,
        "expires_at": None,
        "prompt": body["prompt"],
        "size": body.get("size") or source.get("size", _SIZE),
        "seconds": body.get("seconds") or source.get("seconds", _SECONDS),
        "remixed_from_video_id": source.get("id"),
        "error": None,
    }


def _complete(record: Record) -> None:
    done = record.created_at + _TAKES
    record.json |= {"status": "completed", "progress": 100, "completed_at": done, "expires_at": done + _KEPT}


def _character(record: Record, name: str) -> Json:
    return {"id": record.id, "name": name, "created_at": record.created_at}


def _add(state: State, body: Json, source: Json | None = None) -> Json:
    def fill(record: Record) -> None:
        record.json = _video(record, body, source)

    return state.add(VIDEO, fill).json


def _video_of(state: State, id_: str) -> Record | Problem:
    return find(state, VIDEO, id_)


def _create(state: State, asked: Asked) -> Answer:
    return Told(_add(state, asked.body), headers=_POLL)


def _list(state: State, asked: Asked) -> Answer:
    return page_answer(state.shelf(VIDEO), VIDEO, asked)


def _get(state: State, asked: Asked) -> Answer:
    video = _video_of(state, asked.params["video_id"])
    if isinstance(video, Problem):
        return video
    status, progress = _STEPS.get(video.json["status"], ("", 0))
    if status == "completed":
        _complete(video)
    elif status:
        video.json |= {"status": status, "progress": progress}
    state.keep(video)
    return Told(video.json, headers={} if video.json["status"] == "completed" else _POLL)


def _delete(state: State, asked: Asked) -> Answer:
    id_ = asked.params["video_id"]
    return deleted(id_, "video.deleted") if state.remove(VIDEO, id_) else not_found(VIDEO.name, id_)


def _content(state: State, asked: Asked) -> Answer:
    video = _video_of(state, asked.params["video_id"])
    if isinstance(video, Problem):
        return video
    if video.json["status"] != "completed":
        return Problem(_NOT_READY, status=404)
    if asked.query.get("variant", "video") == "video":
        return Raw(_file(int(video.json["seconds"])), "video/mp4")
    width, height = map(int, video.json["size"].split("x"))
    return Raw(picture("webp", width, height, video.json["prompt"]), "image/webp")


def _remix(state: State, asked: Asked) -> Answer:
    video = _video_of(state, asked.params["video_id"])
    return video if isinstance(video, Problem) else Told(_add(state, asked.body, video.json), headers=_POLL)


def _make_from(state: State, asked: Asked) -> Answer:
    """A video from another one, which is named or comes along."""
    given = asked.body.get("video")
    if not isinstance(given, dict):
        return Told(_add(state, asked.body), headers=_POLL)
    video = _video_of(state, given["id"])
    return video if isinstance(video, Problem) else Told(_add(state, asked.body, video.json), headers=_POLL)


def _file(seconds: int) -> bytes:
    """An MP4 file of a length, without tracks."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    facts = struct.pack(">IIIIIIH", 0, 0, 0, 1000, seconds * 1000, 0x10000, 0x100) + bytes(10)
    head = _box(b"mvhd", facts + matrix + bytes(24) + struct.pack(">I", 1))
    return _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + _box(b"moov", head) + _box(b"mdat", b"")


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _create_character(state: State, asked: Asked) -> Answer:
    def fill(record: Record) -> None:
        record.json = _character(record, asked.body["name"])

    return state.add(CHARACTER, fill).json


def _get_character(state: State, asked: Asked) -> Answer:
    id_ = asked.params["character_id"]
    character = state.get(CHARACTER, id_)
    return character.json if character else not_found(CHARACTER.name, id_)


ROUTES: Routes = (
    ("createVideo", _create),
    ("ListVideos", _list),
    ("GetVideo", _get),
    ("DeleteVideo", _delete),
    ("RetrieveVideoContent", _content),
    ("CreateVideoRemix", _remix),
    ("CreateVideoEdit", _make_from),
    ("CreateVideoExtend", _make_from),
    ("CreateVideoCharacter", _create_character),
    ("GetVideoCharacter", _get_character),
)
