"""The rule of matching that would accept a request that differs from a recorded one, ready for a config file.

Rules:
1. What is proposed takes away the differences that it was made from, and as little else as can be.
2. Another method or path makes another request: no rule is proposed for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from replayproxy.core.matching import differences
from replayproxy.core.messages import Request
from replayproxy.core.rules import MatchRules

__all__ = ["accepting_rule", "rule_between"]

_NEVER_IGNORED = frozenset({"method", "path"})
_INDEX = re.compile(r"\[[0-9]+\]")


def accepting_rule(paths: Iterable[str]) -> str:
    """The YAML that ignores these paths of differences (core/differences.py), to be pasted into `replayproxy.yaml`.

    "" when there is none: no path at all, or one that cannot be ignored (the method, the path of the URL).
    """
    found = list(dict.fromkeys(paths))
    if not found or not _NEVER_IGNORED.isdisjoint(found):
        return ""
    # As they stand: name_path escapes whatever would end a plain scalar of YAML.
    return "".join(["match:\n  ignore:\n", *(f"    - {path}\n" for path in found)])


def rule_between(recorded: Request, received: Request) -> str:
    """The YAML under which the two are the same request; "" when they are already, or no rule can make them so."""
    paths = [difference.path for difference in differences(recorded, received)]
    if not accepting_rule(paths):
        return ""
    fitting = (each for each in _candidates(paths) if not differences(recorded, received, MatchRules.of(ignore=each)))
    return accepting_rule(next(fitting, ()))


def _candidates(paths: list[str]) -> Iterator[list[str]]:
    """The paths themselves; then, since of very many differences only the first are told, wider ones."""
    yield paths
    yield list(dict.fromkeys(_INDEX.sub("[*]", path) for path in paths))
    yield [*(path for path in paths if not path.startswith("body")), "body"]
