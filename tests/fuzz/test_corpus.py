"""The fuzz targets without and with the fuzzer: what was found once stays mended, and a short search finds nothing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.run import main
from tests.fuzz.targets import CORPUS, TARGETS, corpus_of

KEPT = [path for name in TARGETS for path in corpus_of(name)]
ROOT = Path(__file__).parents[2]
#: Kept inputs are no larger (bytes), and there are no more of them for a target.
LARGEST, MOST = 4096, 80

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this Python or platform"
)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_is_found_in_what_is_kept(path: Path) -> None:
    """Every promise of the target holds for the input."""
    TARGETS[path.parent.name].run(path.read_bytes())


@st.composite
def _mutated(draw: st.DrawFn, name: str) -> bytes:
    """A kept input with pieces of it gone, repeated or replaced, by words of the target among others."""
    seeds = [path.read_bytes() for path in corpus_of(name)]
    pieces = st.binary(max_size=12) | st.sampled_from((*TARGETS[name].words, b"\0")) | st.sampled_from(seeds)
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 0, 1, 2, 5, 40, 400))))
        data = data[:start] + draw(pieces) + data[end:]
    return data[:LARGEST]


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_short_search_finds_nothing(name: str, data: st.DataObject) -> None:
    """Whatever bytes a target gets, its promises hold."""
    TARGETS[name].run(data.draw(st.binary(max_size=200) | _mutated(name)))


def test_what_is_kept_is_small() -> None:
    """A corpus is for every run of the tests: tens of small files for each target, and none for what is no target."""
    assert sorted(folder.name for folder in CORPUS.iterdir()) == sorted(TARGETS)
    assert max(path.stat().st_size for path in KEPT) <= LARGEST
    assert all(5 <= len(corpus_of(name)) <= MOST for name in TARGETS)


def test_an_input_is_repeated_by_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that the fuzzer tells with a finding; a target that does not exist is named with those that do."""
    path = corpus_of("events")[0]
    assert main(["events", str(path)]) == 0
    assert capsys.readouterr().out == f"events: {path}: nothing found\n"
    with pytest.raises(SystemExit, match="2"):
        main(["nothing"])
    assert "there are answers, body" in capsys.readouterr().err


@needs_atheris
def test_the_fuzzer_runs(tmp_path: Path) -> None:
    """A second of it, on the quickest target."""
    _fuzz("rule-paths", 1, tmp_path)


@needs_atheris
@pytest.mark.heavy
def test_the_fuzzer_finds_nothing_in_a_short_run(tmp_path: Path) -> None:
    """Two seconds for each target."""
    _fuzz("all", 2, tmp_path)


def _fuzz(target: str, seconds: int, folder: Path) -> None:
    kept = ["--findings", str(folder / "findings"), "--learned", str(folder / "learned")]
    command = [sys.executable, "-m", "tests.fuzz.run", target, "--seconds", str(seconds), *kept]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-5000:]
    assert f"nothing found in {seconds} seconds" in done.stdout
    assert not any((folder / "findings").glob("*/*"))
