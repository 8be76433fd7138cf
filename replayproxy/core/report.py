"""A miss, an upstream's failure and a receipt, in words: what happened, what came nearest, what to do.

Everything here is made from redacted copies, so it may be shown, logged and sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from replayproxy.core.cassette import Interaction
from replayproxy.core.matching import ABSENT, Difference, Near
from replayproxy.core.session import Miss, Receipt
from replayproxy.core.validation import Problem

__all__ = ["miss_message", "receipt_lines", "shown"]

#: How much of a value, and how many differences and problems, a message shows.
SHOWN_CHARACTERS, SHOWN_DIFFERENCES, SHOWN_PROBLEMS = 80, 5, 3


def shown(value: object) -> str:
    """A value on one line, cut to a readable length, control characters escaped."""
    if value is ABSENT:
        return "(absent)"
    text = repr(value)[1:] if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, default=str)
    text = "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({len(text)} characters)"


def miss_message(
    miss: Miss, cassette: str, interaction: Callable[[int], Interaction], problems: tuple[Problem, ...] = ()
) -> str:
    """Why nothing recorded answers, for the `message` of the API's error envelope.

    `cassette` is the file looked in; `interaction` gives the recording with an index.
    """
    asked = f"{miss.request.method} {shown(miss.request.target)[1:-1]}"
    lines = [_REASONS[miss.reason].format(asked=asked, cassette=cassette)]
    lines += [_near_line(near, interaction(near.index), cassette) for near in _worth_telling(miss.near)]
    for problem in problems[:SHOWN_PROBLEMS]:
        lines.append(f"The request is not valid either: {problem.message}")
    lines.append(f"What to do: {_CURES[miss.reason]}")
    return "\n".join(lines)


def receipt_lines(receipt: Receipt) -> tuple[str, ...]:
    """The receipt as a person reads it, the verdict last."""
    counts = (
        ("played", receipt.played),
        ("repeated", receipt.repeated),
        ("missed", receipt.missed),
        ("forwarded", receipt.forwarded),
        ("saved", receipt.saved),
        ("not saved", receipt.lost),
        ("problems", receipt.problems),
        ("unplayed", len(receipt.unplayed)),
    )
    told = ", ".join(f"{count} {name}" for name, count in counts if count) or "no request came"
    failures = receipt.failures
    verdict = f"failed: {'; '.join(failures)}" if failures else "passed"
    return (f"{receipt.mode}: {told}", verdict)


_REASONS = {
    "no_cassette": "replayproxy no_cassette: nothing was ever recorded for {asked}: there is no file {cassette}.",
    "no_match": "replayproxy no_match: no interaction in {cassette} answers {asked}.",
    "already_played": "replayproxy already_played: every recording of {asked} in {cassette} was given already.",
}
_CURES = {
    "no_cassette": "record it (`replayproxy record`), or point --cassette or --cassettes at the recording.",
    "no_match": "if the change is meant, record again (`replayproxy record`); if it is not, the paths above say what "
    "the app sends differently.",
    "already_played": "if the app now asks more often than when it was recorded, record again (`replayproxy record`) "
    "or set playback.repeat to last or cycle.",
}


def _worth_telling(near: tuple[Near, ...]) -> tuple[Near, ...]:
    """All of them, or only those for the same method and path when there are such."""
    same = tuple(one for one in near if not {"method", "path"} & {found.path for found in one.differences})
    return same or near


def _near_line(near: Near, interaction: Interaction, cassette: str) -> str:
    place = f"nearest: #{near.index + 1} ({cassette}:{interaction.line})"
    if not near.differences:
        return f"{place}, the same request"
    told = "; ".join(_difference(difference) for difference in near.differences[:SHOWN_DIFFERENCES])
    more = len(near.differences) - SHOWN_DIFFERENCES
    return f"{place} differs in {told}{f'; and {more} more' if more > 0 else ''}"


def _difference(difference: Difference) -> str:
    return f"{difference.path}: recorded {shown(difference.recorded)}, received {shown(difference.received)}"
