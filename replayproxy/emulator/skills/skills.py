"""The family of skills, and their versions.

Facts (the API's description): the order of keys; a version is told by its number in paths, by its id in lists.
Inferred: a skill is called what its default version is called; that one cannot be deleted; numbers count from 1 and
are not used again.
"""

from __future__ import annotations

from collections.abc import Callable

from replayproxy.core.problem import Problem
from replayproxy.emulator.answers import Answer, Raw
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.family import Routes, deleted, find, not_found, page_answer
from replayproxy.emulator.files.files import attachment
from replayproxy.emulator.files.room import room_problem
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.skills.bundles import Bundle, bundle_of, zipped
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES", "SKILL", "SKILL_VERSION"]

_NAME, _ABOUT = "skill", "This skill was made by the emulator, since it was asked for."
_INVENTED = Bundle(
    _NAME, _ABOUT, zipped({f"{_NAME}/SKILL.md": f"---\nname: {_NAME}\ndescription: {_ABOUT}\n---\n".encode()})
)
_DEFAULT_STAYS = (
    "Version '{version}' is the default version of the skill, which cannot be deleted. Set another default version "
    "first, or delete the skill."
)
#: Versions with more digits than that are not counted on from.
_DIGITS = 9


def _invent(_: State, record: Record) -> None:
    record.hidden = {"invented": True, "gone": [], "held": 0}
    record.json = _skill(record, _INVENTED)


def _invent_version(_: State, record: Record) -> None:
    _fill_version(record, _INVENTED, str(record.place + 1))


SKILL = Kind("skill", "skill_", _invent, 32, HEX)
SKILL_VERSION = Kind("skill version", "skillver_", _invent_version, 32, HEX)
KINDS = (SKILL, SKILL_VERSION)


def _skill(record: Record, bundle: Bundle) -> Json:
    return {
        "id": record.id,
        "object": "skill",
        "name": bundle.name,
        "description": bundle.description,
        "created_at": record.created_at,
        "default_version": "1",
        "latest_version": "1",
    }


def _fill_version(record: Record, bundle: Bundle, version: str) -> None:
    record.blob = bundle.content
    record.json = {
        "object": "skill.version",
        "id": record.id,
        "skill_id": record.parent,
        "version": version,
        "created_at": record.created_at,
        "name": bundle.name,
        "description": bundle.description,
    }


def _skill_of(state: State, asked: Asked) -> Record | Problem:
    id_ = asked.params["skill_id"]
    return find(state, SKILL, id_)


def _version_of(state: State, skill: Record, version: str) -> Record | Problem:
    """A version by its number; a skill that was made up has those that it is asked for, but for the deleted ones."""
    for record in state.shelf(SKILL_VERSION, skill.id):
        if record.json["version"] == version:
            return record
    may_be = skill.hidden.get("invented") and (
        state.settings.unknown_ids == "create" or version == skill.json["default_version"]
    )
    if not may_be or version in skill.hidden["gone"]:
        return not_found("skill version", version)
    return _add_version(state, skill, _INVENTED, version)


def _add_version(state: State, skill: Record, bundle: Bundle, version: str) -> Record:
    skill.hidden["held"] += len(bundle.content)
    state.keep(skill)
    return state.add(SKILL_VERSION, lambda record: _fill_version(record, bundle, version), skill)


def _next_version(state: State, skill: Record) -> str:
    used = [record.json["version"] for record in state.shelf(SKILL_VERSION, skill.id)]
    used += [skill.json["default_version"], *skill.hidden["gone"]]
    return str(1 + max((int(each) for each in used if each.isdecimal() and len(each) <= _DIGITS), default=0))


def _uploaded(state: State, asked: Asked) -> Bundle | Problem:
    bundle = bundle_of(asked.uploads("files"))
    if isinstance(bundle, Problem):
        return bundle
    return room_problem(state, len(bundle.content)) or bundle


def _create(state: State, asked: Asked) -> Answer:
    bundle = _uploaded(state, asked)
    if isinstance(bundle, Problem):
        return bundle

    def fill(record: Record) -> None:
        record.hidden = {"gone": [], "held": 0}
        record.json = _skill(record, bundle)

    skill = state.add(SKILL, fill)
    _add_version(state, skill, bundle, "1")
    return skill.json


def _list(state: State, asked: Asked) -> Answer:
    return page_answer(state.shelf(SKILL), SKILL, asked)


def _of_skill(handle: Callable[[State, Asked, Record], Answer]) -> Callable[[State, Asked], Answer]:
    """The handler that has the skill in the path handled; there may be none."""

    def handler(state: State, asked: Asked) -> Answer:
        skill = _skill_of(state, asked)
        return skill if isinstance(skill, Problem) else handle(state, asked, skill)

    return handler


def _of_version(handle: Callable[[State, Record, Record], Answer]) -> Callable[[State, Asked], Answer]:
    """The handler that has the skill and the version in the path handled; either may not be there."""

    def handler(state: State, asked: Asked, skill: Record) -> Answer:
        version = _version_of(state, skill, asked.params["version"])
        return version if isinstance(version, Problem) else handle(state, skill, version)

    return _of_skill(handler)


def _get(_: State, __: Asked, skill: Record) -> Answer:
    return skill.json


def _delete(state: State, _: Asked, skill: Record) -> Answer:
    state.remove(SKILL, skill.id)
    for version in state.shelf(SKILL_VERSION, skill.id):
        state.remove(SKILL_VERSION, version.id, skill.id)
    return {"object": "skill.deleted", "deleted": True, "id": skill.id}


def _set_default(state: State, asked: Asked, skill: Record) -> Answer:
    version = _version_of(state, skill, asked.body["default_version"])
    if isinstance(version, Problem):
        return version
    _point(state, skill, version)
    return skill.json


def _point(state: State, skill: Record, default: Record | None = None) -> None:
    """Let a skill tell of its versions as they are now, `default` being the default one from now on."""
    if default is not None:
        names = ("name", "description")
        skill.json |= {name: default.json[name] for name in names} | {"default_version": default.json["version"]}
    for version in state.shelf(SKILL_VERSION, skill.id):
        skill.json["latest_version"] = version.json["version"]
    state.keep(skill)


def _content(state: State, _: Asked, skill: Record) -> Answer:
    version = _version_of(state, skill, skill.json["default_version"])
    return version if isinstance(version, Problem) else _download(state, skill, version)


def _download(_: State, __: Record, version: Record) -> Answer:
    headers = {"content-disposition": attachment(f"{version.json['name']}.zip")}
    return Raw(version.blob, "application/zip", headers=headers)


def _create_version(state: State, asked: Asked, skill: Record) -> Answer:
    bundle = _uploaded(state, asked)
    if isinstance(bundle, Problem):
        return bundle
    version = _add_version(state, skill, bundle, _next_version(state, skill))
    _point(state, skill, version if asked.body.get("default") else None)
    return version.json


def _list_versions(state: State, asked: Asked, skill: Record) -> Answer:
    _version_of(state, skill, skill.json["default_version"])  # one that was made up has to be in the list
    return page_answer(state.shelf(SKILL_VERSION, skill.id), SKILL_VERSION, asked)


def _get_version(_: State, __: Record, version: Record) -> Answer:
    return version.json


def _delete_version(state: State, skill: Record, version: Record) -> Answer:
    number = version.json["version"]
    if number == skill.json["default_version"]:
        return Problem(_DEFAULT_STAYS.format(version=number), "version")
    state.remove(SKILL_VERSION, version.id, skill.id)
    skill.hidden["gone"].append(number)
    skill.hidden["held"] -= len(version.blob)
    _point(state, skill)
    return {**deleted(version.id, "skill.version.deleted"), "version": number}


ROUTES: Routes = (
    ("CreateSkill", _create),
    ("ListSkills", _list),
    ("GetSkill", _of_skill(_get)),
    ("UpdateSkillDefaultVersion", _of_skill(_set_default)),
    ("DeleteSkill", _of_skill(_delete)),
    ("GetSkillContent", _of_skill(_content)),
    ("CreateSkillVersion", _of_skill(_create_version)),
    ("ListSkillVersions", _of_skill(_list_versions)),
    ("GetSkillVersion", _of_version(_get_version)),
    ("DeleteSkillVersion", _of_version(_delete_version)),
    ("GetSkillVersionContent", _of_version(_download)),
)
