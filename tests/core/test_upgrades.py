"""The versions of the cassette format, one step after the other."""

from __future__ import annotations

from replayproxy.core.upgrades import FORMAT_VERSION, UPGRADES, upgrade, upgraded_head
from replayproxy.core.yaml_read import Mapping


def test_upgrades_are_taken_step_by_step() -> None:
    """A document of an old version goes through every step up to the present one."""

    def step(mapping: Mapping) -> Mapping:
        mapping["steps"] = mapping.get("steps", 0) + 1
        return mapping

    assert upgrade(Mapping(1), 1, {1: step, 2: step}, 3) == {"steps": 2}
    assert upgrade(Mapping(1), 3, {1: step}, 3) == {}


def test_there_is_a_step_from_every_version() -> None:
    """No cassette is left behind; version 1 needs no change."""
    assert sorted(UPGRADES) == list(range(1, FORMAT_VERSION))
    assert upgrade(Mapping(1), 1) == {}


def test_only_the_version_of_a_head_changes() -> None:
    """Comments and everything else stay."""
    head = "--- # 1\n# replayproxy: 1\nreplayproxy : 1 # one\nby: |\n  replayproxy: 1\n...\n"
    assert upgraded_head(head) == head.replace(": 1 # one", ": 3 # one")
