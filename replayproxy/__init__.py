"""A recording and replaying HTTP reverse proxy for LLM APIs.

The command line (`replayproxy --help`) is the front door; the names below are the library.
"""

from replayproxy.errors import CassetteError, ConfigError, ReplayProxyError

__version__ = "0.1.0"

__all__ = ["CassetteError", "ConfigError", "ReplayProxyError", "__version__"]
