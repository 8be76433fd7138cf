"""How strictly requests are checked: of all that is said, what is closest to the operation holds."""

from __future__ import annotations

import pytest

from replayproxy.core.catalog import Operation
from replayproxy.core.levels import LEVELS, Level, Levels

CREATE = Operation("createMessage", "POST", "/threads/{thread_id}/messages", "messages")
LIST = Operation("listMessages", "GET", "/threads/{thread_id}/messages", "messages")
CHAT = Operation("createChatCompletion", "POST", "/chat/completions", "chat")


@pytest.mark.parametrize(
    ("by", "create", "list_", "chat"),
    [
        ((), "warn", "warn", "warn"),
        ((("createMessage", "enforce"),), "enforce", "warn", "warn"),
        ((("messages", "off"),), "off", "off", "warn"),
        ((("createMessage", "enforce"), ("messages", "off")), "enforce", "off", "warn"),
        ((("messages", "off"), ("createMessage", "warn"), ("chat", "enforce")), "warn", "off", "enforce"),
        ((("unheard-of", "off"),), "warn", "warn", "warn"),
    ],
)
def test_an_operation_goes_before_its_family_and_that_before_all(
    by: tuple[tuple[str, Level], ...], create: Level, list_: Level, chat: Level
) -> None:
    """In whatever order they are said."""
    levels = Levels("warn", by)
    assert (levels.of(CREATE), levels.of(LIST), levels.of(CHAT)) == (create, list_, chat)
    assert Levels("warn", by[::-1]).of(CREATE) == create


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_no_operation_has_the_level_of_all(level: Level) -> None:
    """Whatever is said of operations."""
    assert Levels(level, (("createMessage", "off"),)).of(None) == level
    assert Levels(level).of(None) == level


def test_levels_are_values() -> None:
    """Equal when they say the same, and nobody changes them on the way."""
    assert Levels("warn", (("chat", "off"),)) == Levels("warn", (("chat", "off"),)) != Levels("warn")
    assert len({Levels("off"), Levels("off")}) == 1
    with pytest.raises(AttributeError):
        Levels("off").default = "warn"  # type: ignore[misc]
