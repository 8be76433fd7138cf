"""Everything that can break, as one small tree.

    ReplayProxyError          something the user can act on; carries the exit status of the command line
    ├── ConfigError           an option, an environment variable or a config file does not make sense
    │   └── TooManySessionsError  ... or a session is one too many
    ├── CassetteError         a cassette cannot be read or written; names the file, the line and the cure
    ├── StartError            the proxy cannot start: a busy port, a folder that cannot be written
    └── UpstreamError         the upstream could not give a whole answer
        └── UpstreamTimeoutError  ... because it took longer than allowed

What is expected (a miss, a problem in a body) is a value, not an exception.
"""

from __future__ import annotations

__all__ = [
    "CassetteError",
    "ConfigError",
    "ReplayProxyError",
    "StartError",
    "TooManySessionsError",
    "UpstreamError",
    "UpstreamTimeoutError",
]


class ReplayProxyError(Exception):
    """Something that the user can act on; the message says what happened and what to do."""

    exit_code = 2


class ConfigError(ReplayProxyError):
    """An option, an environment variable or a config file does not make sense."""


class TooManySessionsError(ConfigError):
    """As many sessions are open as may be."""


class CassetteError(ReplayProxyError):
    """A cassette cannot be read or written.

    `path` is the file ("" when the text came from elsewhere), `line` counts from 1 (0: the file as a whole),
    `cure` says what to do about it.
    """

    def __init__(self, what: str, *, path: str = "", line: int = 0, cure: str = "") -> None:
        self.what, self.path, self.line, self.cure = what, path, line, cure
        place = f"{path}:{line}: " if path and line else f"{path}: " if path else f"line {line}: " if line else ""
        super().__init__(f"{place}{what}{'. ' + cure if cure else ''}")

    def at(self, path: str) -> CassetteError:
        """The same error, naming the file it was found in."""
        return CassetteError(self.what, path=path, line=self.line, cure=self.cure)


class StartError(ReplayProxyError):
    """The proxy cannot start: a busy port, a folder that cannot be written."""


class UpstreamError(ReplayProxyError):
    """The upstream could not give a whole answer: refused, reset, garbage, cut short."""


class UpstreamTimeoutError(UpstreamError):
    """The upstream took longer than allowed to connect or to send its next byte."""
