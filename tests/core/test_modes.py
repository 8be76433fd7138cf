"""The table of modes."""

import pytest

from replayproxy.core.modes import MODES


@pytest.mark.parametrize(
    ("name", "plays", "forwards", "saves", "replaces"),
    [
        ("playback", True, False, False, False),
        ("auto", True, True, True, False),
        ("record", False, True, True, True),
        ("passthrough", False, True, False, False),
    ],
)
def test_mode_does_what_its_row_says(name: str, plays: bool, forwards: bool, saves: bool, replaces: bool) -> None:
    """Each mode plays, forwards, saves and replaces as the table says."""
    mode = MODES[name]
    assert (mode.plays, mode.forwards, mode.saves, mode.replaces) == (plays, forwards, saves, replaces)


def test_there_are_no_other_modes() -> None:
    """The table holds these four."""
    assert sorted(MODES) == ["auto", "passthrough", "playback", "record"]
