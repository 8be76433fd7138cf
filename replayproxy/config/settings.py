"""All settings, as one tree of frozen values.

Rule: a setting is one field here, with its kind, its default and one sentence. The config file's keys, the variables'
names, the options and the schema follow from it (config/keys.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from replayproxy.config import allow_kinds, match_kinds, price_kinds, redact_kinds, validate_kinds
from replayproxy.config import values as kinds
from replayproxy.config.values import EMULATOR, Address
from replayproxy.core.levels import Level, Levels
from replayproxy.core.modes import MODES
from replayproxy.core.prices import Price
from replayproxy.core.rule_paths import RulePath
from replayproxy.core.rules import MatchRule, MatchRules

__all__ = [
    "SHORT_FORMS",
    "AllowSettings",
    "EmulatorSettings",
    "Fsync",
    "LimitSettings",
    "LogFormat",
    "MatchSettings",
    "PlaybackSettings",
    "RecordSettings",
    "RedactSettings",
    "Repeat",
    "Settings",
    "UpstreamSettings",
    "ValidateSettings",
]

Repeat = Literal["last", "never", "cycle"]
LogFormat = Literal["text", "json"]
Fsync = Literal["never", "interval", "always"]

#: Groups whose name, with a value behind it, is short for one of their settings: `upstream: URL` for `upstream.url`.
SHORT_FORMS = {"upstream": "url", "validate": "level"}


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """Whom to forward to, and how. Time-outs are in seconds, 0 stands for none."""

    url: Annotated[
        Address, kinds.ADDRESS, "Whom to forward to: an origin, with a path or without, or the emulator."
    ] = EMULATOR
    api_key_env: Annotated[
        str | None,
        kinds.VARIABLE,
        "The variable whose value replaces the client's API key on the way to an upstream other than the emulator.",
    ] = None
    connect_timeout: Annotated[float, kinds.SECONDS, "Seconds to wait for a connection; 0 = for ever."] = 10.0
    total_timeout: Annotated[float, kinds.SECONDS, "Seconds that a whole exchange may take; 0 = any."] = 0.0
    idle_timeout: Annotated[float, kinds.SECONDS, "Seconds to wait for the answer's next byte; 0 = for ever."] = 600.0
    ca_file: Annotated[
        Path | None, kinds.PATH, "A PEM file of certificate authorities to trust instead of the usual ones."
    ] = None

    @property
    def kind(self) -> Literal["emulator", "http"]:
        """Whether the upstream is the emulator or an HTTP server."""
        return self.url.kind

    @property
    def origin(self) -> str:
        """`SCHEME://HOST[:PORT]` of the upstream, "" for the emulator."""
        return self.url.origin

    @property
    def path_prefix(self) -> str:
        """The path put before a request's path: "", or one that begins with a slash and does not end in one."""
        return self.url.path_prefix


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """What is saved, and how. `inline_limit` is in bytes."""

    failures: Annotated[bool, kinds.BOOLEAN, "Save 401, 403, 408, 429, 5xx and broken answers too."] = False
    inline_limit: Annotated[int, kinds.SIZE, "Bodies larger than this go into a file beside the cassette."] = 65536
    fsync: Annotated[
        Fsync,
        kinds.choice("never", "interval", "always"),
        "When what is saved outlasts a loss of power: always (at once), interval (a second later, and at the end),"
        " never (when the system likes).",
    ] = "interval"


@dataclass(frozen=True, slots=True)
class PlaybackSettings:
    """How answers are played."""

    repeat: Annotated[
        Repeat,
        kinds.choice("last", "never", "cycle"),
        "Once a request's recorded answers are used up: last repeats the last one for GET and HEAD, never is a miss,"
        " cycle starts over.",
    ] = "last"
    poll_after_ms: Annotated[
        int,
        kinds.COUNT,
        "How many milliseconds a played answer to a poll tells the client to wait before the next; 0 = as recorded.",
    ] = 1
    collapse_polls: Annotated[
        bool, kinds.BOOLEAN, "Of polls that follow each other and ask the same, play the last answer only."
    ] = False


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """What counts when requests are compared, beside what does by default. All are rules, those of `rules` scoped."""

    ignore: Annotated[
        tuple[MatchRule, ...], match_kinds.IGNORE, "Paths, as a miss names them, of what does not count."
    ] = ()
    also: Annotated[
        tuple[MatchRule, ...], match_kinds.ALSO, "Header fields that count although they do not by default."
    ] = ()
    mask: Annotated[
        tuple[MatchRule, ...],
        match_kinds.MASK,
        "Paths of texts, each with a regular expression: what matches it in the text does not count.",
    ] = ()
    rules: Annotated[
        tuple[MatchRule, ...],
        match_kinds.SCOPED,
        "The same for some requests only: mappings of method, path, operation, family and ignore, also, mask.",
    ] = ()

    @property
    def all_rules(self) -> MatchRules:
        """All of them, as core/matching.py takes them."""
        return MatchRules(self.also + self.ignore + self.mask + self.rules)


@dataclass(frozen=True, slots=True)
class ValidateSettings:
    """What is done with requests that the API would refuse: `level` for those that `operations` does not name."""

    level: Annotated[
        Level | None,
        validate_kinds.LEVEL,
        "What to do with requests that the API would refuse (unset: enforce towards the emulator, else warn).",
    ] = None
    operations: Annotated[
        tuple[tuple[str, Level], ...],
        validate_kinds.BY_NAME,
        "The same for some operations only, by their ids or their families' names; an id goes before a family.",
    ] = ()


@dataclass(frozen=True, slots=True)
class RedactSettings:
    """What is redacted beside the built-in rules, and which of these are off."""

    off: Annotated[tuple[str, ...], redact_kinds.OFF, "Built-in redaction rules that are switched off, by name."] = ()
    headers: Annotated[tuple[str, ...], redact_kinds.HEADERS, "Header fields whose values are secret."] = ()
    fields: Annotated[
        tuple[str, ...], redact_kinds.FIELDS, "Names of JSON, form and query fields whose values are secret."
    ] = ()
    patterns: Annotated[
        tuple[tuple[str, str], ...],
        redact_kinds.PATTERNS,
        "Regular expressions of what is secret anywhere, each under a name that its placeholder takes.",
    ] = ()
    env: Annotated[tuple[str, ...], redact_kinds.VARIABLES, "Environment variables whose values are secret."] = ()
    paths: Annotated[
        tuple[RulePath, ...], redact_kinds.PATHS, "Paths, as a miss names them, of values that are secret."
    ] = ()


@dataclass(frozen=True, slots=True)
class AllowSettings:
    """Who may use the ports beside programs that call them by their addresses, or localhost."""

    hosts: Annotated[
        tuple[str, ...], allow_kinds.HOSTS, "Names by which clients may call the proxy; .NAME is all names under it."
    ] = ()
    origins: Annotated[
        tuple[str, ...], allow_kinds.ORIGINS, "Origins (https://app.example) whose web pages may use the data port."
    ] = ()


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What is too much. Sizes are in bytes, time-outs in seconds (0 stands for none)."""

    body: Annotated[int, kinds.SIZE, "The largest request body that is taken."] = 512 * 1024**2
    target: Annotated[int, kinds.SIZE, "The longest request target: path and query."] = 64 * 1024
    header: Annotated[int, kinds.SIZE, "The longest header field of a request, name and value."] = 64 * 1024
    headers: Annotated[int, kinds.COUNT, "How many header fields a request may have."] = 500
    head: Annotated[int, kinds.SIZE, "The longest head of a request: its first line and all header fields."] = (
        256 * 1024
    )
    head_timeout: Annotated[float, kinds.SECONDS, "Seconds that a request's head may take to come; 0 = any."] = 60.0
    body_timeout: Annotated[
        float, kinds.SECONDS, "Seconds to wait for the next bytes of a request's body; 0 = for ever."
    ] = 60.0
    idle_timeout: Annotated[
        float, kinds.SECONDS, "Seconds that a connection is kept open between two requests; 0 = for ever."
    ] = 3600.0
    connections: Annotated[int, kinds.COUNT, "How many connections may be open at once."] = 4096
    exchanges: Annotated[int, kinds.COUNT, "How many exchanges, event streams above all, may be under way at once."] = (
        4096
    )
    sessions: Annotated[int, kinds.COUNT, "How many sessions, with a cassette each, may be open at once."] = 10_000
    journal: Annotated[int, kinds.SIZE, "How much of the latest exchanges is kept in memory."] = 16 * 1024**2
    spool: Annotated[int, kinds.SIZE, "How much of large bodies may lie in temporary files at once."] = 16 * 1024**3


@dataclass(frozen=True, slots=True)
class EmulatorSettings:
    """How the emulator answers. `clock_start` is in Unix seconds, `pace` in seconds."""

    seed: Annotated[int, kinds.COUNT, "Where the emulator's ids come from: same seed, same ids."] = 0
    clock_start: Annotated[int, kinds.COUNT, "The emulator's time at its start, in Unix seconds."] = 1_700_000_000
    pace: Annotated[float, kinds.SECONDS, "Seconds between two events of the emulator's streams."] = 0.0
    replies: Annotated[Path | None, kinds.PATH, "A file that says what the emulator's models reply."] = None
    model_backend: Annotated[
        str | None,
        kinds.URL,
        "The base URL of a chat-completions endpoint (https://api.openai.com/v1) that replies in the emulator's place.",
    ] = None
    model_key_env: Annotated[str | None, kinds.VARIABLE, "The variable that holds the key for the model backend."] = (
        None
    )
    model: Annotated[str | None, kinds.TEXT, "The model to ask the backend for, whatever the app asks for."] = None
    fixtures: Annotated[Path | None, kinds.PATH, "A file of things that the emulator has from the start."] = None
    unknown_ids: Annotated[
        Literal["404", "create"],
        kinds.choice("404", "create"),
        "What becomes of an id that the emulator never made: 404, or create an object with that id.",
    ] = "404"
    state: Annotated[Path | None, kinds.PATH, "A file in which the emulator remembers everything."] = None
    upload_limit: Annotated[int, kinds.SIZE, "How much of uploaded files the emulator keeps in all."] = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Exactly one of `cassette` and `cassettes` is not None; loaded paths are absolute."""

    mode: Annotated[
        str,
        kinds.choice(*MODES),
        "auto plays hits and records misses, record replaces, playback refuses misses, passthrough only forwards.",
    ] = "auto"
    upstream: UpstreamSettings = UpstreamSettings()
    cassette: Annotated[Path | None, kinds.PATH, "The cassette of the session without a name, instead of a folder."] = (
        None
    )
    cassettes: Annotated[
        Path | None, kinds.PATH, "The folder of cassettes; default.yaml is that of the session without a name."
    ] = Path("cassettes")
    host: Annotated[str, kinds.HOST, "The address to listen on."] = "127.0.0.1"
    port: Annotated[int, kinds.PORT, "The port that stands in for the API; 0 = any free one."] = 8080
    admin_host: Annotated[str, kinds.HOST, "The address of the admin port; whoever reaches it can steer the proxy."] = (
        "127.0.0.1"
    )
    admin_port: Annotated[int, kinds.PORT, "The port for health and administration; 0 = any free one."] = 8081
    allow: AllowSettings = AllowSettings()
    validate: ValidateSettings = ValidateSettings()
    catalog: Annotated[
        Path | None, kinds.PATH, "A catalog of another API, in place of OpenAI's: a file that `catalog import` made."
    ] = None
    speed: Annotated[
        float, kinds.SPEED, "Pace of replayed streams: 0 = at once, 1 = as recorded, N = N times faster."
    ] = 0.0
    workers: Annotated[int, kinds.WORKERS, "How many processes serve the port; auto = as many as cores."] = 1
    record: RecordSettings = RecordSettings()
    playback: PlaybackSettings = PlaybackSettings()
    match: MatchSettings = MatchSettings()
    redact: RedactSettings = RedactSettings()
    strict: Annotated[bool, kinds.BOOLEAN, "Interactions that nobody asked for fail the receipt as well."] = False
    receipt: Annotated[Path | None, kinds.PATH, "A file that the receipt is written to at the end, as JSON."] = None
    junit: Annotated[Path | None, kinds.PATH, "A file that the receipt is written to at the end, as JUnit XML."] = None
    prices: Annotated[
        tuple[Price, ...],
        price_kinds.PRICES,
        "What a million tokens cost, by model (* is any characters): input, cached and output.",
    ] = ()
    currency: Annotated[str, price_kinds.CURRENCY, "The currency of the prices."] = "USD"
    log_format: Annotated[LogFormat, kinds.choice("text", "json"), "How log lines look on standard error."] = "text"
    limits: LimitSettings = LimitSettings()
    emulator: EmulatorSettings = EmulatorSettings()

    @property
    def default_cassette(self) -> Path:
        """The cassette of the session without a name."""
        return self.cassette or (self.cassettes or Path()) / "default.yaml"

    @property
    def forwards(self) -> bool:
        """Whether an upstream exists at all in this mode."""
        return MODES[self.mode].forwards

    @property
    def validation(self) -> Levels:
        """What `validate` means for each operation, also where nobody said."""
        enforce = self.forwards and self.upstream.kind == "emulator"
        return Levels(self.validate.level or ("enforce" if enforce else "warn"), self.validate.operations)
