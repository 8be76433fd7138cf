"""JSON Schemas of a catalog: what is wrong with a value, told as the API tells it.

Rules:
1. A valid value costs one look. Only what failed is looked at again and explained.
2. A request is checked against the closed variant (closing.py). What is wrong by the schema as it is comes first; what
   is only unknown is a warning, unless the API will not grow any more there (`frozen`).
3. Nothing that a JSON parser can give raises. A value nested too deep to be looked at is wrong as a whole.
4. What compiles and what explains is imported at its first use: a playback without a miss starts without it.
5. `format` counts; a `uri` is all that names a scheme, since the API takes more than the standard does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from replayproxy.core.problem import Problem
from replayproxy.errors import ConfigError

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

__all__ = ["Schema"]

#: How many errors of one value are looked at to find the first; it bounds the time that a large wrong body takes.
_MOST_ERRORS = 1000
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")


@dataclass(frozen=True, slots=True)
class _Compiled:
    document: dict[str, Any] | bool
    validator: Draft202012Validator


class Schema:
    """A JSON Schema of a catalog; compiled on first use, then kept.

    `form` is the schema (2020-12); its references are `#/$defs/NAME`, looked up in `definitions`. A schema that cannot
    be compiled raises ConfigError at its first use.
    """

    __slots__ = ("_closed", "_open", "definitions", "form")

    def __init__(self, form: Mapping[str, Any] | bool, definitions: Mapping[str, Any]) -> None:
        self.form = form
        self.definitions = definitions
        self._closed: _Compiled | None = None
        self._open: _Compiled | None = None

    def request_problem(self, value: object, *, frozen: bool = False, within: str = "") -> Problem | None:
        """The first thing wrong with `value`, parsed JSON of a request; None when it is right.

        An unknown field is a warning, unless `frozen`. `within` is where the value stands ("limit"), "" being the body.
        """
        closed = self._closed or self._compile_closed()
        try:
            if closed.validator.is_valid(value):
                return None
            if frozen:
                return _first(closed, value, within)
            opened = self._open or self._compile_open()
            if not opened.validator.is_valid(value):
                return _first(opened, value, within)
            return replace(_first(closed, value, within, unknown_only=True), warning=True)
        except ValueError:
            return _unreadable(within)

    def answer_problem(self, value: object) -> Problem | None:
        """The first thing wrong with `value`, parsed JSON of an answer; unknown fields are fine."""
        opened = self._open or self._compile_open()
        try:
            problem = None if opened.validator.is_valid(value) else _first(opened, value, "")
        except ValueError:
            problem = _unreadable("")
        return problem and replace(problem, side="response")

    def _compile_closed(self) -> _Compiled:
        from replayproxy.core.schemas.closing import closed_document

        self._closed = _compiled(closed_document(self.form, self.definitions), self.form)
        return self._closed

    def _compile_open(self) -> _Compiled:
        from replayproxy.core.schemas.closing import open_document

        self._open = _compiled(open_document(self.form, self.definitions), self.form)
        return self._open


def _compiled(document: dict[str, Any] | bool, form: Mapping[str, Any] | bool) -> _Compiled:
    import jsonschema_rs

    try:
        # Off-line: a reference to elsewhere would otherwise be fetched over the network.
        validator = jsonschema_rs.Draft202012Validator(
            document, offline=True, validate_formats=True, formats={"uri": _is_uri}
        )
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"the catalog has a schema that cannot be used, {_called(form)}: {reason}. "
            "Correct it in the catalog, or import the catalog again"
        ) from error
    return _Compiled(document, validator)


def _first(compiled: _Compiled, value: object, within: str, *, unknown_only: bool = False) -> Problem:
    from replayproxy.core.schemas.explaining import Explanation

    errors = list(islice(compiled.validator.iter_errors(value), _MOST_ERRORS))
    return Explanation(compiled.document, value, within, unknown_only=unknown_only).first(errors)


def _unreadable(within: str) -> Problem:
    from replayproxy.core import wording

    return wording.unreadable(within)


def _is_uri(text: str) -> bool:
    return _URI.match(text) is not None


def _called(form: Mapping[str, Any] | bool) -> str:
    """What a schema is called in a message: the definition it refers to, or its beginning."""
    if isinstance(form, Mapping) and isinstance(form.get("$ref"), str):
        return f"'{form['$ref'].rpartition('/')[2]}'"
    return json.dumps(form, default=str)[:80]
