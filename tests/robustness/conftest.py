"""The stages of the rows: one process for all rows of a module, under each of aiohttp's two parsers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import wait_until
from tests.robustness.harness import Stage, staged

#: What makes aiohttp take the one or the other of its parsers.
PARSERS = {"c": {}, "python": {"AIOHTTP_NO_EXTENSIONS": "1"}}


#: The modes that have an upstream.
MODES = ("record", "auto", "passthrough")
#: How long an upstream may be silent in `way`, in seconds.
IDLE = 2.0


@pytest.fixture(scope="module", params=PARSERS)
def _parsed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage"), **PARSERS[request.param]) as stage:
        yield stage


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="module", params=MODES)
def _way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("way")
    with staged(folder, mode=request.param, REPLAYPROXY_UPSTREAM__IDLE_TIMEOUT=str(IDLE)) as stage:
        yield stage


@pytest.fixture
def way(_way: Stage) -> Iterator[Stage]:
    """A proxy in each mode that has an upstream, of which it is impatient (`IDLE`).

    Whatever a row did, it answers a normal request afterwards, and holds no connection that it has no use for.
    """
    stage = _way
    stage.upstream.forget()
    yield stage
    stage.end()
    wait_until(lambda: stage.upstream_connections() <= 1)
    stage.part()
    stage.check()
    stage.part()


@pytest.fixture
def parsed(_parsed: Stage) -> Iterator[Stage]:
    """A recording proxy, under each parser; whatever a row did, it answers a normal request afterwards."""
    yield from _row(_parsed)


@pytest.fixture
def stage(_shared: Stage) -> Iterator[Stage]:
    """A recording proxy under the usual parser; whatever a row did, it answers a normal request afterwards."""
    yield from _row(_shared)


def _row(stage: Stage) -> Iterator[Stage]:
    stage.upstream.forget()
    yield stage
    stage.end()
    stage.check()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a stage of the test's own: `with staged(folder, mode=…) as stage`."""
    return tmp_path
