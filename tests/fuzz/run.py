"""The fuzzer: `python -m tests.fuzz.run TARGET [--seconds N]`, `all` for every target, one after the other.

Inputs are found by coverage, which atheris (https://github.com/google/atheris) measures. What finds something is kept
in the target's corpus, where `tests/fuzz/test_corpus.py` runs it from then on, and told with the command that repeats
it. `python -m tests.fuzz.run TARGET FILE...` runs inputs once, without atheris.

Exit status: 0 nothing found · 1 something found · 2 wrong usage, or no atheris.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

_ROOT = Path(__file__).parents[2]
_HOW_TO_GET = (
    "the fuzzer needs atheris, which has wheels for Python 3.11 and later on Linux (x86_64): pip install -e '.[test]'"
)
#: An input is no longer than this (bytes), and takes no longer (seconds) and no more memory (MiB).
_LONGEST, _SLOWEST, _LARGEST = 4096, 10, 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the fuzzer as the command line says; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description="Fuzz a target.")
    parser.add_argument("target", help="its name, or `all`")
    parser.add_argument("files", nargs="*", type=Path, help="inputs to run once")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--findings", type=Path, help="a folder for what finds something (default: the corpus)")
    parser.add_argument("--learned", type=Path, help="a folder for the inputs that reach new places")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        _fuzz(options.target, options.seconds, options.findings, options.learned)
    from tests.fuzz.targets import TARGETS

    names = list(TARGETS) if options.target == "all" else [options.target]
    if not set(names) <= TARGETS.keys():
        parser.error(f"there is no target {options.target!r}; there are {', '.join(TARGETS)} and all")
    if options.files:
        return _repeat(names, options.files)
    if importlib.util.find_spec("atheris") is None:
        print(_HOW_TO_GET, file=sys.stderr)
        return 2
    found = [_run(name, options.seconds, options.findings, options.learned) for name in names]
    return int(any(found))


def _repeat(names: Sequence[str], files: Sequence[Path]) -> int:
    from tests.fuzz.targets import TARGETS

    warnings.simplefilter("error")
    for name in names:
        for file in files:
            TARGETS[name].run(file.read_bytes())
            print(f"{name}: {file}: nothing found")
    return 0


def _run(name: str, seconds: int, findings: Path | None, learned: Path | None) -> bool:
    """Fuzzes a target in a process of its own; whether something was found."""
    from tests.fuzz.targets import CORPUS

    kept = findings / name if findings else CORPUS / name
    kept.mkdir(parents=True, exist_ok=True)
    before = set(kept.iterdir())
    with tempfile.TemporaryDirectory() as scratch:
        folder = learned / name if learned else Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        inside = [name, "--inside", "--seconds", str(seconds), "--findings", str(kept), "--learned", str(folder)]
        command = [sys.executable, "-m", "tests.fuzz.run", *inside]
        status = subprocess.run(command, cwd=_ROOT, check=False).returncode
    found = sorted(set(kept.iterdir()) - before)
    for path in found:
        print(f"{name}: found something; repeat it with: python -m tests.fuzz.run {name} {path}")
    if status and not found:
        print(f"{name}: the fuzzer ended with {status} and kept nothing")
    if not status and not found:
        print(f"{name}: nothing found in {seconds} seconds")
    return bool(status or found)


def _fuzz(name: str, seconds: int, findings: Path, learned: Path) -> None:
    """Fuzzes a target in this process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=["replayproxy"]):
        from tests.fuzz.targets import TARGETS, corpus_of
    target = TARGETS[name]
    warnings.simplefilter("error")
    words = learned.parent / f"{name}.words"
    words.write_text("".join(f'"{_spelled(word)}"\n' for word in target.words or (b"\0",)))
    limits = [f"-max_len={_LONGEST}", f"-timeout={_SLOWEST}", f"-rss_limit_mb={_LARGEST}", f"-max_total_time={seconds}"]
    kept = [f"-artifact_prefix={findings}/", f"-dict={words}", "-print_final_stats=1", "-verbosity=0"]
    folders = [str(learned), *({str(path.parent) for path in corpus_of(name)})]
    atheris.Setup([sys.argv[0], *limits, *kept, *folders], target.run)
    atheris.Fuzz()


def _spelled(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
