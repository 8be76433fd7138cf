"""The kinds of value a setting can have: how each is read, and how an editor's schema tells it.

Rules:
1. A single value is text: an environment variable, an option and a plain YAML scalar are read by the same functions, so
   the same mistake gets the same message wherever it is made (and YAML's `off` stays a word). What consists of several
   is in config/structures.py.
2. A message never repeats a value that may be a secret: neither a URL nor what stands where a variable's name should.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from replayproxy.config.nodes import Node, Read, complaint, unfit
from replayproxy.errors import ConfigError

__all__ = [
    "ADDRESS",
    "BOOLEAN",
    "COUNT",
    "EMULATOR",
    "HOST",
    "PATH",
    "PORT",
    "SECONDS",
    "SIZE",
    "SPEED",
    "TEXT",
    "URL",
    "VARIABLE",
    "WORKERS",
    "WORKERS_MOST",
    "Address",
    "Kind",
    "choice",
    "single",
]

_T = TypeVar("_T")

#: More processes than this are a slip of the finger.
WORKERS_MOST = 256


@dataclass(frozen=True, slots=True)
class Address:
    """Whom requests are forwarded to.

    `origin` is `SCHEME://HOST[:PORT]` ("" for the emulator), `path_prefix` is "" or a path that begins with a slash
    and does not end in one.
    """

    kind: Literal["emulator", "http"]
    origin: str = ""
    path_prefix: str = ""

    def __str__(self) -> str:
        return self.origin + self.path_prefix if self.kind == "http" else "emulator"


EMULATOR = Address("emulator")


@dataclass(frozen=True, slots=True)
class Kind(Generic[_T]):
    """A kind of value: `expected` completes "expected …", `schema` is its JSON Schema (draft-07).

    `read` gives the value of a node, `plain` makes a value into what JSON has.
    """

    expected: str
    read: Read[_T]
    schema: Mapping[str, Any]
    plain: Callable[[_T], Any]
    metavar: str = ""
    choices: tuple[str, ...] = ()


def single(
    expected: str,
    parse: Callable[[str], _T],
    schema: Mapping[str, Any],
    metavar: str = "",
    choices: tuple[str, ...] = (),
) -> Kind[_T]:
    """One value, spelled as text. A ValueError from `parse` means "not of this kind", a ConfigError says more."""

    def read(node: Node, name: str) -> _T:
        text = node.value
        if not isinstance(text, str):
            raise unfit(node, name, expected)
        try:
            return parse(text)
        except ValueError:
            raise complaint(node, name, f"expected {expected}, not {text[:80]!r}") from None
        except ConfigError as error:
            raise complaint(node, name, error) from None

    return Kind(expected, read, schema, _plain, metavar, choices)


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def choice(*words: str) -> Kind[Any]:
    """One of `words`."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError
        return text

    return single(f"one of {', '.join(words)}", parse, {"enum": list(words)}, choices=words)


def _boolean(text: str) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError
    return words[text.lower()]


def _between(least: float, most: float, number: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = number(text)
        if not least <= value <= most or math.isinf(value):
            raise ValueError
        return value

    return parse


def _workers(text: str) -> int:
    shared = sys.platform == "linux"
    if text == "auto":
        return len(os.sched_getaffinity(0)) if shared else 1
    number = int(text)
    if not 1 <= number <= WORKERS_MOST:
        raise ValueError
    if number > 1 and not shared:
        raise ConfigError("several workers need Linux, which alone spreads connections over them; leave it at 1")
    return number


_UNITS = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1024, "mib": 1024**2, "gib": 1024**3}
_SIZE = r"([0-9]+(?:\.[0-9]+)?) ?((?:[kKMG]i?)?B)?"


def _size(text: str) -> int:
    if (match := re.fullmatch(_SIZE, text)) is None:
        raise ValueError
    number, unit = match.groups("B")
    return int(float(number) * _UNITS[unit.lower()])


def _host(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z.:_-]+", text):
        raise ValueError
    return text


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError
    return Path(text)


def _variable(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text, re.ASCII):
        raise ConfigError("expected the name of an environment variable that holds the key, never the key itself")
    return text


def _text(text: str) -> str:
    if not text:
        raise ValueError
    return text


def _url(text: str) -> str:
    """A URL, with a query or without: Azure has the version there."""
    if _address(text.partition("?")[0]).kind != "http" or not text.isprintable():
        raise ValueError
    return text


_URL_EXPECTED = "`emulator` or a URL such as https://api.openai.com"


def _address(text: str) -> Address:
    if text == "emulator":
        return EMULATOR
    if "@" in text.partition("://")[2].partition("/")[0]:
        cure = "keep secrets out of the settings, and name the variable that holds the key in upstream.api_key_env"
        raise ConfigError(f"the URL holds a user name or a password; {cure}")
    if "?" in text or "#" in text:
        raise ConfigError("the URL has a query or a fragment; an upstream is an origin, or an origin with a path")
    try:
        url = urlsplit(text)
        fit = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        fit = False
    if not fit or not re.fullmatch(r"[!-\[\]-~]+", text):
        raise ConfigError(f"expected {_URL_EXPECTED}")
    return Address("http", f"{url.scheme}://{url.netloc.lower()}", url.path.rstrip("/"))


#: Whom to forward to: an Address.
ADDRESS = single(
    _URL_EXPECTED,
    _address,
    {"type": "string", "pattern": r"^(emulator|[Hh][Tt][Tt][Pp][Ss]?://[^?#@]+)$"},
    "URL|emulator",
)
BOOLEAN = single("true or false", _boolean, {"type": "boolean"})
#: A whole number from 0.
COUNT: Kind[int] = single(
    "a whole number from 0", _between(0, 2**53, int), {"type": "integer", "minimum": 0, "maximum": 2**53}, "N"
)
PATH = single("a path", _path, {"type": "string", "minLength": 1}, "PATH")
HOST = single("a host name or an IP address", _host, {"type": "string", "pattern": "^[0-9A-Za-z.:_-]+$"}, "HOST")
#: A TCP port; 0 stands for any free one.
PORT: Kind[int] = single(
    "a port from 0 to 65535", _between(0, 65535, int), {"type": "integer", "minimum": 0, "maximum": 65535}, "PORT"
)
#: A time-out; 0 stands for none.
SECONDS: Kind[float] = single(
    "a number of seconds from 0", _between(0, math.inf, float), {"type": "number", "minimum": 0}, "SECONDS"
)
#: A number of bytes.
SIZE = single(
    "a size such as 65536, 64KiB or 512MiB",
    _size,
    {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{_SIZE}$"}]},
    "SIZE",
)
SPEED: Kind[float] = single("a number from 0", _between(0, math.inf, float), {"type": "number", "minimum": 0}, "N")
TEXT = single("text", _text, {"type": "string", "minLength": 1}, "TEXT")
#: An http(s) URL.
URL = single("a URL such as https://api.openai.com/v1", _url, {"type": "string", "pattern": "^https?://"}, "URL")
#: The name of an environment variable.
VARIABLE = single("the name of an environment variable", _variable, {"type": "string"}, "NAME")
#: How many processes serve; `auto` is as many as there are cores that this process may use.
WORKERS = single(
    f"a whole number from 1 to {WORKERS_MOST}, or auto",
    _workers,
    {"anyOf": [{"type": "integer", "minimum": 1, "maximum": WORKERS_MOST}, {"const": "auto"}]},
    "N|auto",
)
