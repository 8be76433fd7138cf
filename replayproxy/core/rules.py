r"""The rules of matching: which parts of a request do not count, which count besides, and which text is masked.

Rules of these rules:
1. They are a function of one request, so they hold for the stored and the incoming alike.
2. To ignore and to mask can only make more requests equal, never fewer.
3. Of two rules about whether a header counts, the later one wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal

from replayproxy.core.messages import Request, decode, encode
from replayproxy.core.rule_paths import Root, RulePath
from replayproxy.core.url_paths import normal_path, path_pattern
from replayproxy.errors import ConfigError

if TYPE_CHECKING:
    from replayproxy.core.catalog import Operation  # a start that only tells its options need not pay for it

__all__ = [
    "EVERYWHERE",
    "GONE",
    "MASK",
    "Act",
    "InForce",
    "MatchRule",
    "MatchRules",
    "OperationOf",
    "Placed",
    "Scope",
    "compiled",
    "no_operation",
]

Act = Literal["also", "ignore", "mask"]

#: Stands for what a mask covers. Unlikely in a request, and readable in a miss.
MASK: Final = "⟨masked⟩"

#: The operation that a request calls, None for none.
OperationOf = Callable[[Request], "Operation | None"]


class Gone(Enum):
    """The type of `GONE`."""

    GONE = "gone"


#: What a rule that ignores makes of a value.
GONE: Final = Gone.GONE


def no_operation(_: Request) -> Operation | None:
    """Knows no operations."""
    return None


def compiled(text: str) -> re.Pattern[str]:
    """The regular expression `text`; raises ConfigError that names it when it is none, or matches the empty text."""
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"`{text[:80]}` is not a regular expression: {error}") from None
    if pattern.search(""):
        raise ConfigError(f"`{text[:80]}` matches the empty text as well; say what has to be there (+ for *, say)")
    return pattern


@dataclass(frozen=True, slots=True)
class Scope:
    """The requests that a rule is for: of a method, whose path fits a pattern, of an operation (by its id), of any
    operation of a family; "" for any.

    Raises ConfigError when `path` is no pattern (core/url_paths.py).
    """

    method: str = ""
    path: str = ""
    operation: str = ""
    family: str = ""
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pattern", path_pattern(self.path) if self.path else None)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.method, self.path, self.operation, self.family)))

    def holds(self, request: Request, operation_of: OperationOf) -> bool:
        """Whether `request` is in it."""
        return (
            (not self.method or request.method == self.method)
            and (self._pattern is None or self._pattern.fullmatch(normal_path(request.path)) is not None)
            and (not (self.operation or self.family) or self._means(operation_of(request)))
        )

    def _means(self, operation: Operation | None) -> bool:
        return operation is not None and self.operation in ("", operation.id) and self.family in ("", operation.family)


EVERYWHERE: Final = Scope()


@dataclass(frozen=True, slots=True)
class MatchRule:
    """One rule: what is done with the values that `path` leads to, in the requests of `scope`.

    `pattern` belongs to a mask. `origin` says where the rule was written, when that is known (`FILE:LINE`). The
    constructors `ignore`, `also` and `mask` raise ConfigError when the rule makes no sense.
    """

    act: Act
    path: RulePath
    pattern: re.Pattern[str] | None = None
    scope: Scope = EVERYWHERE
    origin: str = field(default="", compare=False)

    @classmethod
    def ignore(cls, path: str, scope: Scope = EVERYWHERE) -> MatchRule:
        """What `path` leads to does not count: neither the value nor whether it is there."""
        parsed = RulePath.parse(path)
        if parsed.root == "path":
            raise ConfigError("path: cannot be ignored; mask the part of it that varies (path: '/v1/threads/[^/]+')")
        return cls("ignore", parsed, scope=scope)

    @classmethod
    def also(cls, path: str, scope: Scope = EVERYWHERE) -> MatchRule:
        """The header `path` counts, which by default it does not."""
        parsed = RulePath.parse(path)
        if parsed.root != "header" or not isinstance(parsed.steps[0], str):
            raise ConfigError(f"{path[:80]!r}: expected header.NAME; of the rest everything counts that is not ignored")
        return cls("also", parsed, scope=scope)

    @classmethod
    def mask(cls, path: str, pattern: str, scope: Scope = EVERYWHERE) -> MatchRule:
        """In the texts that `path` leads to, what matches the regular expression `pattern` does not count."""
        parsed = RulePath.parse(path)
        try:
            return cls("mask", parsed, compiled(pattern), scope)
        except ConfigError as error:
            raise ConfigError(f"{path[:80]}: {error}") from None

    @property
    def text(self) -> str:
        """The rule as it stands in a config file, without its scope."""
        if self.pattern is None:
            return str(self.path)
        quoted = self.pattern.pattern.replace("'", "''")
        return f"{self.path}: '{quoted}'"

    def __str__(self) -> str:
        scope = f" (for {self.scope})" if self.scope != EVERYWHERE else ""
        return f"{f'{self.origin}: ' if self.origin else ''}{self.act} {self.text}{scope}"

    def change(self, value: Any) -> tuple[Any, bool]:
        """What the rule makes of a value that its path leads to, and whether there was something to do."""
        if self.pattern is None:
            return GONE, True
        if isinstance(value, str):
            masked, count = self.pattern.subn(MASK, value)
            return masked, count > 0
        if isinstance(value, bytes):
            masked, count = self.pattern.subn(MASK, decode(value))
            return encode(masked), count > 0
        return value, False


#: A rule and its index among the rules.
Placed = tuple[int, MatchRule]


@dataclass(slots=True)
class InForce:
    """The rules for one request, by what they are about; `touched` fills with the indexes of those that apply to it."""

    touched: set[int]
    path: tuple[Placed, ...]
    query: tuple[Placed, ...]
    header: tuple[Placed, ...]
    body: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class MatchRules:
    """All rules of a session. Their order counts for headers and for masks of the same text."""

    rules: tuple[MatchRule, ...] = ()
    _scopes: tuple[tuple[Scope, tuple[Placed, ...]], ...] = field(init=False, repr=False, compare=False)
    _parts: tuple[tuple[Placed, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        placed, scopes = tuple(enumerate(self.rules)), dict.fromkeys(rule.scope for rule in self.rules)
        by_scope = tuple((scope, tuple((n, rule) for n, rule in placed if rule.scope == scope)) for scope in scopes)
        object.__setattr__(self, "_scopes", () if scopes.keys() <= {EVERYWHERE} else by_scope)
        object.__setattr__(self, "_parts", _by_root(placed))

    @classmethod
    def of(
        cls,
        *,
        ignore: Iterable[str] = (),
        also: Iterable[str] = (),
        mask: Mapping[str, str] | None = None,
        scope: Scope = EVERYWHERE,
    ) -> MatchRules:
        """Rules from their texts; raises ConfigError for the first that makes no sense."""
        return cls(
            (
                *(MatchRule.also(path, scope) for path in also),
                *(MatchRule.ignore(path, scope) for path in ignore),
                *(MatchRule.mask(path, pattern, scope) for path, pattern in (mask or {}).items()),
            )
        )

    def plus(self, other: MatchRules) -> MatchRules:
        """These rules and then the `other` ones; the indexes of these stay what they are."""
        return replace(self, rules=self.rules + other.rules)

    def unused(self, touched: Iterable[int]) -> tuple[MatchRule, ...]:
        """The rules that are not among those with the indexes `touched`."""
        used = set(touched)
        return tuple(rule for index, rule in enumerate(self.rules) if index not in used)

    @property
    def scopes(self) -> Mapping[Scope, str]:
        """The scopes of the rules, each with the origin of its first rule."""
        return {rule.scope: rule.origin for rule in reversed(self.rules)}

    def in_force(self, request: Request, operation_of: OperationOf = no_operation) -> InForce:
        """The rules whose scope `request` is in. `operation_of` is asked when a scope names an operation or family."""
        if not self._scopes:
            return InForce(set(), *self._parts)
        held = (placed for scope, placed in self._scopes if scope.holds(request, operation_of))
        return InForce(set(), *_by_root(sorted(chain.from_iterable(held), key=itemgetter(0))))


_ROOTS: tuple[Root, ...] = ("path", "query", "header", "body")


def _by_root(placed: Sequence[Placed]) -> tuple[tuple[Placed, ...], ...]:
    return tuple(tuple((n, rule) for n, rule in placed if rule.path.root == root) for root in _ROOTS)
