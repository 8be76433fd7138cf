"""The settings: defaults < config file < environment < options, made into one frozen value."""

from replayproxy.config.loading import CONFIG_VARIABLE, Loaded, api_key, load
from replayproxy.config.schema import schema
from replayproxy.config.settings import (
    KEYS,
    EmulatorSettings,
    Key,
    LimitSettings,
    LogFormat,
    PlaybackSettings,
    RecordSettings,
    Repeat,
    Settings,
    UpstreamSettings,
    Validate,
)
from replayproxy.config.values import EMULATOR, Address

__all__ = [
    "CONFIG_VARIABLE",
    "EMULATOR",
    "KEYS",
    "Address",
    "EmulatorSettings",
    "Key",
    "LimitSettings",
    "Loaded",
    "LogFormat",
    "PlaybackSettings",
    "RecordSettings",
    "Repeat",
    "Settings",
    "UpstreamSettings",
    "Validate",
    "api_key",
    "load",
    "schema",
]
