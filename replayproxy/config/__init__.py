"""The settings: defaults < config file < environment < options, made into one frozen value."""

from replayproxy.config.keys import KEYS, Key
from replayproxy.config.loading import CONFIG_VARIABLE, Loaded, api_key, load
from replayproxy.config.match_kinds import match_rules
from replayproxy.config.schema import schema
from replayproxy.config.settings import (
    AllowSettings,
    EmulatorSettings,
    LimitSettings,
    LogFormat,
    MatchSettings,
    PlaybackSettings,
    RecordSettings,
    RedactSettings,
    Repeat,
    Settings,
    UpstreamSettings,
    ValidateSettings,
)
from replayproxy.config.values import EMULATOR, Address

__all__ = [
    "CONFIG_VARIABLE",
    "EMULATOR",
    "KEYS",
    "Address",
    "AllowSettings",
    "EmulatorSettings",
    "Key",
    "LimitSettings",
    "Loaded",
    "LogFormat",
    "MatchSettings",
    "PlaybackSettings",
    "RecordSettings",
    "RedactSettings",
    "Repeat",
    "Settings",
    "UpstreamSettings",
    "ValidateSettings",
    "api_key",
    "load",
    "match_rules",
    "schema",
]
