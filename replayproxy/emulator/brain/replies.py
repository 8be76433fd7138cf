"""What a file of replies says: rules, each with what it is for and what it answers, and limits.

Rules:
1. A condition that is not given holds; all that are given must hold.
2. An answer that says nothing itself (only a delay, a cut…) changes what would have been answered otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from replayproxy.emulator.brain.conversation import ToolResult, answers_so_far, last_user_text, results_of
from replayproxy.emulator.brain.turns import Finish, Turn

__all__ = ["GIVEN", "Answer", "Call", "Error", "Limit", "ResultWanted", "Rule", "Script", "Wanted", "When"]

#: The values that every template has, beside those that a regular expression captured.
GIVEN = ("user", "model", "turn", "choice", "result", "tool")
Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text that is looked for: the whole, a part (small and capital letters alike), or a regular expression."""

    how: Literal["equals", "contains", "regex"]
    text: str
    pattern: re.Pattern[str] | None = None

    def found(self, text: str) -> Values | None:
        """What was captured from a text that fits; None: it does not fit."""
        if self.pattern is not None:
            match = self.pattern.search(text)
            return {name: value or "" for name, value in match.groupdict().items()} if match else None
        fits = self.text == text.strip() if self.how == "equals" else self.text.lower() in text.lower()
        return {} if fits else None


@dataclass(frozen=True, slots=True)
class ResultWanted:
    """The result of a tool that is looked for: by the tool's name (a glob), and by its text."""

    name: str = "*"
    text: Wanted | None = None

    def found(self, result: ToolResult) -> Values | None:
        """What was captured from a result that fits; None: it does not fit."""
        if not fnmatchcase(result.name, self.name):
            return None
        captured = self.text.found(result.text) if self.text else {}
        return None if captured is None else {**captured, "result": result.text, "tool": result.name}


@dataclass(frozen=True, slots=True)
class When:
    """Which turns are meant. `model` is a glob; `turn` how many messages the assistant has sent."""

    model: str = "*"
    families: tuple[str, ...] = ()
    user: Wanted | None = None
    result: ResultWanted | None = None
    turn: int | None = None
    has_tools: bool | None = None

    def found(self, turn: Turn) -> Values | None:
        """The values that templates get from a turn that is meant; None: it is not meant."""
        said, number, results = last_user_text(turn), answers_so_far(turn), results_of(turn)
        plain = (
            fnmatchcase(turn.model, self.model)
            and (not self.families or turn.family in self.families)
            and self.turn in (None, number)
            and self.has_tools in (None, bool(turn.tools))
        )
        captured = self.user.found(said) if plain and self.user else {} if plain else None
        from_result = self._from_result(results) if captured is not None else None
        if captured is None or from_result is None:
            return None
        given = {"user": said, "model": turn.model, "turn": str(number), "choice": str(turn.choice)}
        return {**given, **from_result, **captured}

    def _from_result(self, results: tuple[ToolResult, ...]) -> Values | None:
        if self.result is None:
            last = results[-1] if results else ToolResult("", "")
            return {"result": last.text, "tool": last.name}
        return next((found for each in results if (found := self.result.found(each)) is not None), None)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool; `arguments` is a structure of JSON with templates, or text; None: made to fit the tool."""

    name: str
    arguments: Any = None


@dataclass(frozen=True, slots=True)
class Error:
    """An error in the place of an answer; what is not given is what the API says with the status."""

    status: int
    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule answers. `usage` has the numbers that are given, by the names of `turns.Usage`."""

    text: str | None = None
    calls: tuple[Call, ...] = ()
    refusal: str | None = None
    finish: Finish | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    delay: float | None = None
    error: Error | None = None
    run: str = ""
    reason: str = ""
    pieces: tuple[str, ...] = ()
    cut: int | None = None

    @property
    def says(self) -> bool:
        """Whether it is an answer of its own."""
        return self.text is not None or bool(self.calls or self.refusal or self.pieces or self.error or self.run)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is answered when: the answers one after the other, then the last one again, or (`ends`) nothing more.

    `times` is how often the rule answers at most (None: always).
    """

    when: When
    answers: tuple[Answer, ...]
    times: int | None = None
    ends: bool = False

    def answer(self, used: int) -> Answer | None:
        """What is answered after the rule has answered `used` times; None: it answers no more."""
        if used >= len(self.answers) and self.ends:
            return None
        return self.answers[min(used, len(self.answers) - 1)] if self.times is None or used < self.times else None


@dataclass(frozen=True, slots=True)
class Limit:
    """How many requests for models (a glob) are served before the next are refused with status 429.

    `refuses` is how many are refused until as many are served again (None: all); `retry_after` is in seconds.
    `per_model` counts each model on its own.
    """

    requests: int
    model: str = "*"
    refuses: int | None = None
    retry_after: float = 1.0
    per_model: bool = False

    def is_over(self, before: int) -> bool:
        """Whether a request is refused that comes after `before` others."""
        return before % (self.requests + self.refuses) >= self.requests if self.refuses else before >= self.requests


@dataclass(frozen=True, slots=True)
class Script:
    """A file of replies."""

    rules: tuple[Rule, ...] = ()
    limits: tuple[Limit, ...] = ()
