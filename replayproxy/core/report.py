"""A miss, an upstream's failure and a receipt, in words: what happened, what came nearest, what to do.

Everything here is made from redacted copies, so it may be shown, logged and sent.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from replayproxy.core.cassette import Interaction
from replayproxy.core.matching import ABSENT, Difference, Near
from replayproxy.core.problem import Problem
from replayproxy.core.receipt import Receipt
from replayproxy.core.session import Miss

__all__ = ["miss_message", "printable", "problem_line", "receipt_lines", "receipts_lines", "shown"]

#: How much of a value, and how many differences and problems, a message shows.
SHOWN_CHARACTERS, SHOWN_DIFFERENCES, SHOWN_PROBLEMS = 80, 5, 3
#: How many unplayed interactions, failed sessions' names and unused rules the receipts show.
SHOWN_LEFTOVERS, SHOWN_NAMES, SHOWN_RULES = 5, 5, 10

_CURE = "What to do: "


def shown(value: object) -> str:
    """A value on one line, cut to a readable length, control characters escaped."""
    if value is ABSENT:
        return "(absent)"
    text = repr(value)[1:] if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, default=str)
    return _cut(printable(text))


def miss_message(
    miss: Miss, cassette: str, interaction: Callable[[int], Interaction], problems: tuple[Problem, ...] = ()
) -> str:
    """Why nothing recorded answers, for the `message` of the API's error envelope.

    `cassette` is the file looked in; `interaction` gives the recording with an index.
    """
    asked = _asked(miss.request.method, miss.request.target)
    lines = [_REASONS[miss.reason].format(asked=asked, cassette=cassette)]
    lines += [_near_line(near, interaction(near.index), cassette) for near in _worth_telling(miss.near)]
    for problem in problems[:SHOWN_PROBLEMS]:
        lines.append(f"{'Note' if problem.warning else 'The request is not valid either'}: {problem.message}")
    lines.append(f"{_CURE}{_CURES[miss.reason]}")
    return "\n".join(lines)


def problem_line(problem: Problem) -> str:
    """A problem as a line of a log tells it: whose message it is in, and whether it is a warning."""
    side = "answer: " if problem.side == "response" else "warning: " if problem.warning else ""
    return f"{side}{problem.message}"


def receipt_lines(receipt: Receipt) -> tuple[str, ...]:
    """The receipt as a person reads it, the verdict last."""
    return f"{receipt.mode}: {_counts((receipt,))}", _verdict(receipt.failures)


def receipts_lines(receipts: Sequence[Receipt]) -> tuple[str, ...]:
    """The receipts of a run as a person reads them.

    Of many sessions those that passed have a line each; those that failed are told in full; then come the sum and,
    last, the verdict. A line that begins with a blank belongs to the one before.
    """
    passed, failed = [one for one in receipts if not one.failures], [one for one in receipts if one.failures]
    lines = [f"{_titled(one)}: {_counts((one,))}" for one in passed] if len(receipts) > 1 else []
    for one in failed:
        lines += _failure_lines(one)
    lines += [*_problem_lines(receipts), *_rule_lines(receipts)]
    if len(receipts) == 1:
        return (*lines, *receipt_lines(receipts[0]))
    told = ", ".join(printable(one.name) for one in failed[:SHOWN_NAMES])
    more = f" and {len(failed) - SHOWN_NAMES} more" if len(failed) > SHOWN_NAMES else ""
    failures = (f"{len(failed)} of {len(receipts)} sessions ({told}{more})",) if failed else ()
    return (*lines, f"{len(receipts)} sessions: {_counts(receipts)}", _verdict(failures))


_REASONS = {
    "no_cassette": "replayproxy no_cassette: nothing was ever recorded for {asked}: there is no file {cassette}.",
    "no_match": "replayproxy no_match: no interaction in {cassette} answers {asked}.",
    "already_played": "replayproxy already_played: every recording of {asked} in {cassette} was given already.",
}
_CURES = {
    "no_cassette": "record it (`replayproxy record`), or point --cassette or --cassettes at the recording.",
    "no_match": "if the change is meant, record again (`replayproxy record`); if it varies from run to run, put its "
    "path under match.ignore in replayproxy.yaml; if neither, the app sends something else than it did.",
    "already_played": "a running proxy plays each recording once: for another run start it anew, or reset the session; "
    "if the app now asks more often, record again (`replayproxy record`) or set playback.repeat to cycle.",
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


def _asked(method: str, target: str) -> str:
    return f"{printable(method)} {_cut(printable(target))}"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}… ({len(text)} characters)"


def printable(text: str) -> str:
    """Text on one line without control characters: what could steer a terminal is spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)


def _verdict(failures: Sequence[str]) -> str:
    return f"failed: {'; '.join(failures)}" if failures else "passed"


def _counts(receipts: Sequence[Receipt]) -> str:
    counts = (
        ("played", sum(one.played for one in receipts)),
        ("repeated", sum(one.repeated for one in receipts)),
        ("missed", sum(one.missed for one in receipts)),
        ("forwarded", sum(one.forwarded for one in receipts)),
        ("saved", sum(one.saved for one in receipts)),
        ("not saved", sum(one.lost for one in receipts)),
        ("with problems", sum(one.problems for one in receipts)),
        ("with warnings", sum(one.warnings for one in receipts)),
        ("made to fail", sum(one.faulted for one in receipts)),
        ("unplayed", sum(len(one.unplayed) for one in receipts)),
    )
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "no request came"


def _titled(receipt: Receipt, word: str = "") -> str:
    about = ", ".join(filter(None, (receipt.mode, receipt.cassette)))
    return printable(f"session {receipt.name}{word} ({about})")


def _failure_lines(receipt: Receipt) -> Iterator[str]:
    """A receipt that failed: which session, what missed and how it differs, what to do."""
    yield f"{_titled(receipt, ' failed')}: {'; '.join(receipt.failures)}"
    cures = dict.fromkeys(_failure_cures(receipt))
    for told, times in Counter(receipt.misses).items():
        first, *rest = told.message.split("\n")
        yield f"  {printable(first.removeprefix('replayproxy '))}{f' ({times} times)' if times > 1 else ''}"
        yield from (f"    {printable(line)}" for line in rest if not line.startswith(_CURE))
        cures |= dict.fromkeys(line.removeprefix(_CURE) for line in rest if line.startswith(_CURE))
    if receipt.missed > len(receipt.misses):
        yield f"  and {receipt.missed - len(receipt.misses)} more that missed"
    if receipt.strict:
        yield from _leftover_lines(receipt)
    if receipt.broken:
        yield f"  {printable(receipt.broken)}"
    yield from (f"  {_CURE}{printable(cure)}" for cure in cures)


def _leftover_lines(receipt: Receipt) -> Iterator[str]:
    for left in receipt.leftovers[:SHOWN_LEFTOVERS]:
        asked = _asked(left.method, left.target)
        yield f"  never played: #{left.number} {asked} ({printable(receipt.cassette)}:{left.line})"
    if len(receipt.unplayed) > SHOWN_LEFTOVERS:
        yield f"  and {len(receipt.unplayed) - SHOWN_LEFTOVERS} more that were never played"


def _failure_cures(receipt: Receipt) -> Iterator[str]:
    if receipt.mode == "playback" and not receipt.requests and not receipt.broken:
        yield "no request came: make sure that the app's base URL (OPENAI_BASE_URL) is that of this session."
    if receipt.lost:
        yield "the log says of each answer why it could not be saved; mend that and record again."
    if receipt.strict and receipt.unplayed:
        yield (
            "if the app is right not to ask for them any more, record again or take them out of the cassette; without "
            "--strict they are no failure."
        )


def _problem_lines(receipts: Sequence[Receipt]) -> Iterator[str]:
    """Which operations had problems and warnings, how often each."""
    problems, warnings = Counter[str](), Counter[str]()
    for asked in (each for receipt in receipts for each in receipt.asked):
        problems[asked.operation or "unknown paths"] += asked.problems
        warnings[asked.operation or "unknown paths"] += asked.warnings
    for name, counts in (("problems", problems), ("warnings", warnings)):
        told = ", ".join(f"{operation} {count}" for operation, count in counts.items() if count)
        if told:
            yield f"{name}: {printable(told)}"


def _rule_lines(receipts: Sequence[Receipt]) -> Iterator[str]:
    """The rules that applied in no session at all: a rule for all sessions need not apply in each."""
    unused = dict.fromkeys(rule for one in receipts for rule in one.unused_rules)
    idle = [rule for rule in unused if all(rule in one.unused_rules for one in receipts if one.requests)]
    yield from (f"a rule of matching never applied: {printable(rule)}" for rule in idle[:SHOWN_RULES])
    if len(idle) > SHOWN_RULES:
        yield f"and {len(idle) - SHOWN_RULES} more rules of matching that never applied"
