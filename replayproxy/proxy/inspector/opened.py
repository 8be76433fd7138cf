"""One cassette, read for the inspector.

Rule: what was recorded under other rules of redaction is redacted under today's before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from replayproxy.config import Settings
from replayproxy.core.cassette import Interaction
from replayproxy.core.codec import encode
from replayproxy.core.media_types import media_type
from replayproxy.core.messages import body_length, plain
from replayproxy.core.recordings import Recordings
from replayproxy.core.redaction import Redactor
from replayproxy.core.yaml_read import MAX_CHARACTERS
from replayproxy.errors import CassetteError
from replayproxy.openai_api.usage import model_of, usage_of
from replayproxy.proxy.admin_port import AdminError
from replayproxy.proxy.folder import existing_cassette_in, folder_of
from replayproxy.proxy.inspector.forms import tokens_json
from replayproxy.proxy.inspector.inspector import Inspector
from replayproxy.stores import FileStore
from replayproxy.stores.plain_files import followed

__all__ = ["OpenedCassette", "asked_file", "row_json", "why_broken"]


@dataclass(frozen=True, slots=True)
class OpenedCassette:
    """A cassette that is read for the inspector; `redactor` is None when it was recorded under today's rules."""

    path: str
    store: FileStore
    recordings: Recordings
    redactor: Redactor | None

    @classmethod
    def at(cls, inspector: Inspector, path: str) -> OpenedCassette:
        """The cassette with that path in the folder; for a thread. AdminError (400, 404) when there is none of that
        name, CassetteError when it cannot be read."""
        return cls.of(asked_file(inspector.settings, path), path, inspector.redactor)

    @classmethod
    def of(cls, file: Path, path: str, redactor: Redactor) -> OpenedCassette:
        """The cassette in a file that was found already; for a thread. CassetteError when it cannot be read."""
        store = FileStore(file)
        head, recordings = store.open_recordings()
        return cls(path, store, recordings, None if head.redaction == redactor.digest else redactor)

    def interaction(self, number: int) -> Interaction:
        """The interaction with that number, with its document as `text`; for a thread. AdminError (404) when there is
        none, CassetteError when it cannot be read."""
        if not 1 <= number <= len(self.recordings):
            told = f"there is no interaction {number} in {plain(self.path)}, which has {len(self.recordings)}"
            raise AdminError(404, "no_interaction", told)
        found = self.recordings[number - 1]
        return found if self.redactor is None else _redacted(found, number, self.redactor)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each interaction as a list has it; one that cannot be read says why."""
        for number in range(1, len(self.recordings) + 1):
            try:
                yield row_json(self.interaction(number), number)
            except CassetteError as error:
                yield {"number": number, "line": error.line, "broken": why_broken(error)}


def asked_file(settings: Settings, path: str) -> Path:
    """Where the cassette with that path lies. AdminError: 400 when it leads elsewhere, 404 when it is not there.

    Who named the one file on the command line may have named a link.
    """
    one = settings.cassette
    if one is not None and path == one.name and one.is_file():
        return followed(one)
    return existing_cassette_in(folder_of(settings), path)


def why_broken(error: CassetteError) -> str:
    """What is wrong with a cassette and at which line, without where it lies."""
    return plain(str(error.at("")))


def row_json(interaction: Interaction, number: int) -> dict[str, Any]:
    """An interaction as a list has it, without its bodies; `played` is for whoever knows."""
    request, response = interaction.request, interaction.response
    problems = interaction.problems
    return {
        "number": number,
        "line": interaction.line,
        "method": plain(request.method),
        "target": plain(request.target),
        "status": response.status,
        "operation": interaction.operation or None,
        "family": interaction.family or None,
        "recorded": interaction.recorded,
        "seconds": interaction.took or None,
        "first_byte": interaction.first_byte or None,
        "sent": body_length(request.body),
        "received": body_length(response.body),
        "stream": media_type(response.headers).essence == "text/event-stream",
        "model": plain(model_of(request, response)) or None,
        "tokens": tokens_json(usage_of(response)),
        "problems": len(problems),
        "warnings": sum(problem.warning for problem in problems),
        "fault": str(interaction.fault) if interaction.fault is not None else None,
        "broken": None,
    }


def _redacted(interaction: Interaction, number: int, redactor: Redactor) -> Interaction:
    secrets = redactor.secrets(interaction.request)
    request = redactor.request(interaction.request)
    found = replace(interaction, request=request, response=redactor.response(interaction.response, secrets))
    text = interaction.text
    if found != interaction:  # then the document has what nobody is to see, and is written anew without it
        text = encode(found, number, inline_limit=MAX_CHARACTERS).text
    return replace(found, text=redactor.text(text, secrets))
