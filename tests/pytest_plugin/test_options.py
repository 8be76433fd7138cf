"""What decides about the mode of a test, and which wishes are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from replayproxy.errors import ConfigError
from replayproxy.pytest_plugin.options import VCR_MODES, RunOptions, run_options
from tests.pytest_plugin.inner import inner_project

pytest_plugins = ["pytester"]

NOWHERE = Path("/nowhere/c.yaml")


@pytest.fixture(autouse=True)
def ours_alone(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other plugin has a say."""
    inner_project(pytester, monkeypatch)


def options_of(pytester: pytest.Pytester, *arguments: str, ini: str = "", **environ: str) -> RunOptions:
    """What a run with these arguments, this ini file and this environment was asked."""
    pytester.makefile(".ini", pytest=f"[pytest]\n{ini}")
    return run_options(pytester.parseconfig(*arguments), environ)


@pytest.mark.parametrize(
    ("asked", "marked", "configured", "mode"),
    [
        ("", None, "", "playback"),
        ("", None, "auto", "auto"),
        ("", "record", "auto", "record"),
        ("passthrough", "record", "auto", "passthrough"),
        ("playback", "record", "", "playback"),
        ("once", None, "playback", "record"),
    ],
)
def test_the_strongest_word_decides(asked: str, marked: str | None, configured: str, mode: str) -> None:
    """Command line before marker before ini file and environment; without a word, playback."""
    assert RunOptions(Path("/"), asked=asked, configured=configured).mode(marked, NOWHERE) == mode


def test_once_records_only_where_nothing_is_recorded(tmp_path: Path) -> None:
    """VCR's mode of that name, cassette by cassette."""
    (tmp_path / "c.yaml").touch()
    once = RunOptions(Path("/"), asked="once")
    assert [once.mode(None, tmp_path / name) for name in ("c.yaml", "d.yaml")] == ["playback", "record"]


@pytest.mark.parametrize(
    ("wanted", "mode"), [("record", "playback"), ("auto", "playback"), ("passthrough", "passthrough")]
)
def test_in_ci_nothing_is_recorded(wanted: str, mode: str) -> None:
    """Whoever asks, in the ini file or with a marker."""
    assert RunOptions(Path("/"), ci=True, configured=wanted).mode(None, NOWHERE) == mode
    assert RunOptions(Path("/"), ci=True).mode(wanted, NOWHERE) == mode


def test_an_unknown_mode_is_refused() -> None:
    """A marker or a variable may name anything."""
    with pytest.raises(ConfigError, match="no mode 'replay'; it is one of playback, auto, record, passthrough"):
        RunOptions(Path("/")).mode("replay", NOWHERE)


@pytest.mark.parametrize(
    ("cli", "marked", "ini", "strict"),
    [
        (False, None, False, None),
        (False, None, True, True),
        (False, False, True, False),
        (False, True, False, True),
        (True, False, False, True),
    ],
)
def test_strictness_has_the_same_order(cli: bool, marked: bool | None, ini: bool, strict: bool | None) -> None:
    """None leaves it to `replayproxy.yaml`."""
    assert RunOptions(Path("/"), asked_strict=cli, configured_strict=ini).strictness(marked) is strict


def test_options_come_from_everywhere(pytester: pytest.Pytester) -> None:
    """Command line, ini file and environment, each where it is the strongest."""
    ini = "replay_mode = auto\nreplay_upstream = http://ini\nreplay_cassettes = data/tapes\nreplay_strict = true"
    found = options_of(pytester, "--replay-mode=record", "--replay-upstream=http://cli", ini=ini, REPLAYPROXY_MODE="x")
    assert (found.asked, found.configured, found.upstream) == ("record", "auto", "http://cli")
    assert (found.folder, found.strict, found.forwards) == ("data/tapes", True, True)
    found = options_of(pytester, "--replay-strict", ini="replay_upstream = http://ini", REPLAYPROXY_MODE="passthrough")
    assert (found.asked, found.configured, found.upstream) == ("", "passthrough", "http://ini")
    assert (found.folder, found.strict, found.forwards) == ("cassettes", True, True)


@pytest.mark.parametrize("word", VCR_MODES)
def test_vcr_has_names_of_its_own(pytester: pytest.Pytester, word: str) -> None:
    """They are taken where no other plugin owns the option; ours is the stronger one."""
    assert options_of(pytester, f"--record-mode={word}").asked == VCR_MODES[word]
    assert options_of(pytester, f"--record-mode={word}", "--replay-mode=passthrough").asked == "passthrough"


@pytest.mark.parametrize("value", ["true", "1", "yes", "GitHub"])
def test_recording_in_ci_is_an_error_when_it_is_asked_for(pytester: pytest.Pytester, value: str) -> None:
    """On the command line it cannot be an oversight; playing back instead would be a surprise."""
    for arguments in (["--replay-mode=record"], ["--replay-mode=auto"], ["--record-mode=all"]):
        with pytest.raises(pytest.UsageError, match="CI is set, and in CI nothing is recorded"):
            options_of(pytester, *arguments, CI=value)
    assert options_of(pytester, "--replay-mode=passthrough", CI=value).asked == "passthrough"
    assert options_of(pytester, "--record-mode=once", CI=value).mode(None, NOWHERE) == "playback"


@pytest.mark.parametrize("value", ["", "0", "false", "False"])
def test_a_ci_that_is_off_is_none(pytester: pytest.Pytester, value: str) -> None:
    """Some people switch it off by a value."""
    assert options_of(pytester, "--replay-mode=record", CI=value).mode(None, NOWHERE) == "record"


@pytest.mark.parametrize(
    ("ini", "told"),
    [
        ("replay_mode = replay", "replay_mode: there is no mode 'replay'"),
        ("replay_cassettes = /var/cassettes", "replay_cassettes: expected a folder beside the test files"),
        ("replay_cassettes = ../cassettes", "replay_cassettes: expected a folder beside the test files"),
        ("replay_cassettes =", "replay_cassettes: expected a folder beside the test files"),
    ],
)
def test_ini_options_that_make_no_sense_stop_the_run(pytester: pytest.Pytester, ini: str, told: str) -> None:
    """Before any test runs."""
    with pytest.raises(pytest.UsageError, match=told):
        options_of(pytester, ini=ini)


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({}, ""),
        ({"asked": "playback"}, ""),
        ({"asked": "record"}, "replayproxy: record"),
        ({"configured": "auto", "upstream": "http://u"}, "replayproxy: auto, upstream http://u"),
        ({"configured": "auto", "ci": True}, "replayproxy: playback (not auto: with CI set nothing is recorded)"),
    ],
)
def test_what_is_unusual_is_told_at_the_head(options: dict[str, str], header: str) -> None:
    """A run that only plays back needs no word about it."""
    assert RunOptions(Path("/"), **options).header == header  # type: ignore[arg-type]
