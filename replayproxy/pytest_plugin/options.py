"""What the user asks for: options of the command line, the marker, ini options, variables, in this order of strength.

Rules:
1. Without a word from anybody, tests play back; nothing is ever recorded by accident.
2. With `CI` set nothing is recorded at all: to ask for it on the command line is an error, anything else plays back.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

import pytest

from replayproxy.core.modes import MODES
from replayproxy.errors import ConfigError

__all__ = ["ONCE", "VCR_MODES", "RunOptions", "add_options", "add_vcr_option", "run_options"]

#: Records where there is no cassette yet, and plays back where there is one. Only VCR's option can ask for it.
ONCE = "once"
#: What the modes of VCR are here.
VCR_MODES = {"none": "playback", "new_episodes": "auto", "once": ONCE, "all": "record", "rewrite": "record"}
_GROUP = "replayproxy"
_FOLDER = "cassettes"


def add_options(parser: pytest.Parser) -> None:
    """Adds the plugin's options of the command line and of the ini file."""
    group = parser.getgroup(_GROUP, "replayproxy: recorded answers of LLM APIs")
    group.addoption("--replay-mode", choices=tuple(MODES), default=None, help="What tests do behind the proxy.")
    group.addoption(
        "--replay-upstream",
        metavar="URL|emulator",
        default=None,
        help="Whom to forward to in the modes that forward (default: the emulator).",
    )
    group.addoption(
        "--replay-strict",
        action="store_true",
        default=None,
        help="A test must play all of its cassette, and no cassette may be left over.",
    )
    parser.addini("replay_mode", "Like --replay-mode, but weaker than the marker; in CI only playback is left.")
    parser.addini("replay_upstream", "Like --replay-upstream.")
    parser.addini("replay_cassettes", "The folder of cassettes beside each test file.", default=_FOLDER)
    parser.addini("replay_strict", "Like --replay-strict.", type="bool", default=False)


def add_vcr_option(parser: pytest.Parser) -> None:
    """Adds VCR's `--record-mode` for those who are used to it, unless it belongs to another plugin."""
    words = ", ".join(f"{theirs} = {ours}" for theirs, ours in VCR_MODES.items())
    try:
        parser.getgroup(_GROUP).addoption(
            "--record-mode",
            dest="replay_record_mode",
            choices=tuple(VCR_MODES),
            default=None,
            help=f"VCR's names for --replay-mode: {words}.",
        )
    except (ValueError, argparse.ArgumentError):
        return  # pytest-recording is here, and the option is about its cassettes


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was asked of a whole run.

    `asked` is the mode of the command line and `configured` that of the ini file or the environment, "" for none;
    `asked_strict` and `configured_strict` likewise. `upstream` is "" where the weaker sources decide. `folder` is that
    of the cassettes beside each test file.
    """

    root: Path
    asked: str = ""
    configured: str = ""
    ci: bool = False
    asked_strict: bool = False
    configured_strict: bool = False
    upstream: str = ""
    folder: str = _FOLDER

    def mode(self, marked: str | None, cassette: Path) -> str:
        """The mode of a session; `marked` is what its marker says. ConfigError when there is no such mode."""
        wanted = self.asked or marked or self.configured or "playback"
        if wanted == ONCE:
            wanted = "playback" if cassette.exists() else "record"
        if wanted not in MODES:
            raise ConfigError(f"there is no mode {wanted!r}; it is one of {', '.join(MODES)}")
        return "playback" if self.ci and MODES[wanted].saves else wanted

    def strictness(self, marked: bool | None) -> bool | None:
        """Whether a session's cassette has to be played in full; None where the settings decide."""
        return True if self.asked_strict else marked if marked is not None else self.strict or None

    @property
    def strict(self) -> bool:
        """Whether the run as a whole is strict."""
        return self.asked_strict or self.configured_strict

    @property
    def forwards(self) -> bool:
        """Whether the run as a whole was asked to forward, so that it cannot do without what that takes."""
        mode = self.asked or self.configured
        return mode in MODES and MODES[mode].forwards

    @property
    def header(self) -> str:
        """What is worth telling before a run: "" when nothing was asked for."""
        mode = self.asked or self.configured
        if self.ci and mode in MODES and MODES[mode].saves:
            return f"replayproxy: playback (not {mode}: with CI set nothing is recorded)"
        upstream = f", upstream {self.upstream}" if self.upstream else ""
        return f"replayproxy: {mode}{upstream}" if mode not in ("", "playback") else ""


def run_options(config: pytest.Config, environ: Mapping[str, str]) -> RunOptions:
    """What was asked of this run. UsageError for what makes no sense."""
    asked = config.getoption("replay_mode") or VCR_MODES.get(config.getoption("replay_record_mode", None) or "", "")
    mode, folder = config.getini("replay_mode"), config.getini("replay_cassettes")
    ci = environ.get("CI", "").lower() not in ("", "0", "false")
    if mode and mode not in MODES:
        raise pytest.UsageError(f"replay_mode: there is no mode {mode!r}; it is one of {', '.join(MODES)}")
    if not folder or PurePath(folder).is_absolute() or ".." in PurePath(folder).parts:
        raise pytest.UsageError(f"replay_cassettes: expected a folder beside the test files, not {folder!r}")
    if ci and asked in MODES and MODES[asked].saves:
        told = f"mode {asked} was asked for, but CI is set, and in CI nothing is recorded"
        raise pytest.UsageError(f"replayproxy: {told}; record where CI is not set, and commit the cassettes")
    return RunOptions(
        root=config.rootpath,
        asked=asked,
        configured=mode or environ.get("REPLAYPROXY_MODE", ""),
        ci=ci,
        asked_strict=bool(config.getoption("replay_strict")),
        configured_strict=config.getini("replay_strict"),
        upstream=config.getoption("replay_upstream") or config.getini("replay_upstream"),
        folder=folder,
    )
