"""What recordings hold, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from replayproxy.core.cassette import Interaction
from replayproxy.core.matching import identity
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import body_length
from replayproxy.openai_api.usage import Usage, model_of, usage_of

__all__ = ["ModelUse", "Stats", "stats_of"]

_NO_TOKENS = Usage()


@dataclass(frozen=True, slots=True)
class ModelUse:
    """How many interactions asked a model, and the tokens that their answers say were used."""

    interactions: int = 0
    tokens: Usage = _NO_TOKENS

    def plus(self, other: ModelUse) -> ModelUse:
        """Both together."""
        return ModelUse(self.interactions + other.interactions, self.tokens.plus(other.tokens))


@dataclass(frozen=True, slots=True)
class Stats:
    """Interactions in numbers.

    `operations` ("": unknown), `statuses` and `models` (only where one is named) are counts by name; `tokens` are those
    of all answers; `sent` and `received` bytes of bodies; `first` and `last` when the first and the last request
    arrived ("": not known), `seconds` how long all of them took; `repeats` those whose request is the same as that of
    an earlier one, `faults` those that fail when they are played, `problems` what the validator found in them.
    """

    interactions: int = 0
    operations: Mapping[str, int] = field(default_factory=dict)
    statuses: Mapping[int, int] = field(default_factory=dict)
    models: Mapping[str, ModelUse] = field(default_factory=dict)
    tokens: Usage = _NO_TOKENS
    sent: int = 0
    received: int = 0
    streams: int = 0
    first: str = ""
    last: str = ""
    seconds: float = 0.0
    repeats: int = 0
    faults: int = 0
    problems: int = 0

    def plus(self, other: Stats) -> Stats:
        """Both together; what both have is no repeat."""
        models = {
            name: self.models.get(name, ModelUse()).plus(other.models.get(name, ModelUse()))
            for name in {**self.models, **other.models}
        }
        return Stats(
            self.interactions + other.interactions,
            Counter(self.operations) + Counter(other.operations),
            Counter(self.statuses) + Counter(other.statuses),
            models,
            self.tokens.plus(other.tokens),
            self.sent + other.sent,
            self.received + other.received,
            self.streams + other.streams,
            min(filter(None, (self.first, other.first)), default=""),
            max(self.last, other.last),
            self.seconds + other.seconds,
            self.repeats + other.repeats,
            self.faults + other.faults,
            self.problems + other.problems,
        )


def stats_of(interactions: Iterable[Interaction]) -> Stats:
    """The interactions of one cassette in numbers."""
    stats, seen = Stats(), set[bytes]()
    for interaction in interactions:
        key = identity(interaction.request)
        stats = stats.plus(_one(interaction, repeated=key in seen))
        seen.add(key)
    return stats


def _one(interaction: Interaction, *, repeated: bool) -> Stats:
    request, response = interaction.request, interaction.response
    model, tokens = model_of(request, response), usage_of(response) or _NO_TOKENS
    return Stats(
        1,
        {interaction.operation: 1},
        {response.status: 1},
        {model: ModelUse(1, tokens)} if model else {},
        tokens,
        body_length(request.body),
        body_length(response.body),
        int(media_type(response.headers).essence == "text/event-stream"),
        interaction.recorded,
        interaction.recorded,
        interaction.took,
        int(repeated),
        int(interaction.fault is not None),
        len(interaction.problems),
    )
