"""What the models of all families are made of: closed objects, arrays, unions by `type`, metadata.

A `fault` in a "before" validator speaks before pydantic looks inside, so that its sentence is the one that is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from replayproxy.core import wording
from replayproxy.openai_api.translation import fault, tag

__all__ = ["ApiObject", "Array", "Metadata", "tag_of", "typed"]

MAX_PROPERTIES, MAX_KEY, MAX_VALUE = 16, 64, 512


class ApiObject(BaseModel):
    """An object of a request: strict in its types, closed to parameters that the API does not know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _closed(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise fault(partial(wording.wrong_type, expected="an object", value=value))
        for name in value:
            if name not in cls.model_fields:
                raise fault(partial(wording.unknown, name=name, known=tuple(cls.model_fields)), name)
        return value


@dataclass(frozen=True)
class Array:
    """For `Annotated[list[…], Array("objects")]`: says what was expected, allows `most` items, stops at a bad one."""

    of: str
    most: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = {**handler(source), "fail_fast": True}
        return no_info_before_validator_function(self._check, cast("CoreSchema", schema))

    def _check(self, value: object) -> object:
        if not isinstance(value, list):
            raise fault(partial(wording.wrong_type, expected=f"an array of {self.of}", value=value))
        if self.most is not None and len(value) > self.most:
            raise fault(partial(wording.array_too_long, limit=self.most, length=len(value)))
        return value


def typed(*kinds: str) -> BeforeValidator:
    """For a union of objects that differ in `type`: refuses what has none of these kinds."""

    def check(value: object) -> object:
        if not isinstance(value, dict):
            raise fault(partial(wording.wrong_type, expected="an object", value=value))
        if "type" not in value:
            raise fault(wording.missing, "type")
        kind = value["type"]
        if not isinstance(kind, str):
            raise fault(partial(wording.wrong_type, expected=wording.one_of(kinds), value=kind), "type")
        if kind not in kinds:
            raise fault(partial(wording.unsupported_value, value=kind, supported=kinds), "type")
        return value

    return BeforeValidator(check)


def tag_of(value: dict[str, str]) -> str:
    """The branch of a union that `typed` has let through."""
    return tag(value["type"])


def _metadata(value: object) -> object:
    if not isinstance(value, dict):
        raise fault(partial(wording.wrong_type, expected="an object", value=value))
    for key, text in value.items():
        if not isinstance(text, str):
            raise fault(partial(wording.wrong_type, expected="a string", value=text), key)
    if len(value) > MAX_PROPERTIES:
        raise fault(partial(wording.too_many_properties, limit=MAX_PROPERTIES, count=len(value)))
    for key, text in value.items():
        if len(key) > MAX_KEY:
            raise fault(partial(wording.key_too_long, key=key, limit=MAX_KEY))
        if len(text) > MAX_VALUE:
            raise fault(partial(wording.string_too_long, limit=MAX_VALUE, length=len(text)), key)
    return value


#: Up to 16 strings under free names; the limits stand in the API's prose only, it enforces them all the same.
Metadata = Annotated[dict[str, str], BeforeValidator(_metadata)]
