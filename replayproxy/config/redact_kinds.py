"""The kinds of value that say rules of redaction: the section `redact`.

Rule: a message does not repeat what may be the secret itself.
"""

from __future__ import annotations

import re

from replayproxy.config.nodes import Node, complaint, similar
from replayproxy.config.structures import list_of, mapping_of
from replayproxy.config.values import VARIABLE, single
from replayproxy.core.rule_paths import RulePath
from replayproxy.core.secrets.patterns import RULES
from replayproxy.errors import ConfigError

__all__ = ["FIELDS", "HEADERS", "OFF", "PATHS", "PATTERNS", "VARIABLES"]

_TEXT = {"type": "string", "minLength": 1}
_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#: What may stand behind `redacted.` in a placeholder.
_PATTERN_NAME = re.compile("[a-z][a-z-]{0,30}[a-z]")
_BUILT_IN = tuple(rule.name for rule in RULES)


def _built_in(text: str) -> str:
    if text not in _BUILT_IN:
        raise ConfigError(f"there is no built-in rule {text[:80]!r}{similar(text, _BUILT_IN)}")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(_HEADER_NAME, text):
        raise ConfigError("expected the name of a header")
    return text.lower()


def _field(text: str) -> str:
    if not text:
        raise ValueError
    return text


def _expression(text: str) -> str:
    try:
        found = re.compile(text.encode()).search(b"")  # bytes are what is searched
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"not a regular expression: {error}") from None
    if found:
        raise ConfigError("matches the empty text as well; say what has to be there (+ for *, say)")
    return text


_EXPRESSION = single("a regular expression", _expression, _TEXT)


def _pattern(key: str, node: Node, name: str) -> tuple[str, str]:
    if not _PATTERN_NAME.fullmatch(key):
        raise complaint(node, name, f"expected a name of lower-case letters and hyphens, not {key[:80]!r}")
    return key, _EXPRESSION.read(node, f"{name}.{key}")


#: Built-in rules; headers, in lower case; fields. All by name.
OFF = list_of("names of built-in rules", single("a name", _built_in, {"enum": list(_BUILT_IN)}))
HEADERS = list_of(
    "names of headers", single("the name of a header", _header, {"type": "string", "pattern": f"^{_HEADER_NAME}$"})
)
FIELDS = list_of("names of fields", single("the name of a field", _field, _TEXT))
#: Regular expressions by the name of the rule that they are: a tuple of pairs.
PATTERNS = mapping_of("names to regular expressions", _pattern, _TEXT, lambda pair: pair)
VARIABLES = list_of("names of environment variables", VARIABLE)
PATHS = list_of(
    "paths such as body.user.email",
    single("a path", RulePath.parse, {"type": "string", "pattern": "^(body|header|path|query)"}),
)
