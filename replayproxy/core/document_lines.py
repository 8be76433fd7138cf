"""On which lines of a cassette's document values stand, bodies included, found by their paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from replayproxy.core.json_lines import Trace

__all__ = ["lines_in_document"]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def lines_in_document(text: str, first_line: int, paths: Sequence[str]) -> list[int]:
    """For each of `paths` (`request.body.json.messages[0]`) the line of the file on which its value starts in a
    document, or the nearest value that holds it.

    `text` is that of a document that could be read (`core/yaml_read.py`); `first_line` is the line it starts on.
    """
    traces = [Trace(path) for path in paths]
    for event in yaml.parse(text, Loader=_LOADER):
        for trace in traces:
            _tell(trace, event)
    return [first_line + trace.place for trace in traces]


def _tell(trace: Trace, event: Any) -> None:
    kind = type(event)
    if kind is yaml.ScalarEvent:
        if trace.at_key:
            trace.key(event.value)
        else:
            trace.value(event.start_mark.line)
    elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
        trace.begin(event.start_mark.line, is_object=kind is yaml.MappingStartEvent)
    elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
        trace.end()
