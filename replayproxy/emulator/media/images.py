"""The family of images: generations, edits and variations, each answered with a small valid picture.

A picture is answered as base64, or as a URL where the model does that (the older ones, unless told otherwise): the URL
is a `data:` one and holds the picture itself, since nothing else of what the emulator makes could be fetched later.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from replayproxy.emulator.answers import Answer, Event, Events, Told
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.brain.tokens import count
from replayproxy.emulator.chat.ids import numbered
from replayproxy.emulator.family import Routes
from replayproxy.emulator.media.image_files import LARGEST, picture
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES"]

_OLDER = "dall-e"
_USUAL = "1024x1024"
#: Tokens of an output by its quality, and of an input picture.
_TOKENS = {"low": 272, "medium": 1056, "high": 4160}
_INPUT_TOKENS = 194
_MEDIA = {"jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "svg": "image/svg+xml"}


def _no_life(_: State, record: Record) -> None:
    """Nothing is kept of a picture, and none can be retrieved."""


_IMAGE = Kind("image", "img-", _no_life)
KINDS: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wish:
    """What pictures are asked for, the defaults filled in; `inputs` is how many pictures came along."""

    body: Json
    model: str
    inputs: int

    @property
    def prompt(self) -> str:
        return str(self.body.get("prompt") or "")

    @property
    def older(self) -> bool:
        return self.model.startswith(_OLDER)

    @property
    def format(self) -> str:
        return "png" if self.older else self.body.get("output_format") or "png"

    @property
    def size(self) -> str:
        given = self.body.get("size")
        return _USUAL if given in (None, "auto") else str(given)

    @property
    def quality(self) -> str:
        given = self.body.get("quality")
        return given if given in _TOKENS else "medium" if given == "standard" else "high"

    @property
    def background(self) -> str:
        return "transparent" if self.body.get("background") == "transparent" else "opaque"

    def content(self, number: int, stage: str = "") -> bytes:
        """The picture of a number, or a stage on the way to it."""
        sides = [int(side) for side in self.size.split("x") if side.isdecimal() and len(side) <= len(str(LARGEST))]
        width, height = (min(LARGEST, max(1, side)) for side in (sides if len(sides) == 2 else (1024, 1024)))
        return picture(self.format, width, height, f"{self.prompt}\0{number}\0{stage}")

    def encoded(self, number: int, stage: str = "") -> str:
        """The picture in base64."""
        return base64.b64encode(self.content(number, stage)).decode()


def _generate(state: State, asked: Asked) -> Answer:
    return _answer(state, asked, "image_generation", 0, "dall-e-2")


def _edit(state: State, asked: Asked) -> Answer:
    inputs = len(asked.uploads("image")) or len(asked.body.get("images") or ())
    return _answer(state, asked, "image_edit", inputs, "gpt-image-1")


def _vary(state: State, asked: Asked) -> Answer:
    return _answer(state, asked, "image_variation", 1, "dall-e-2")


def _answer(state: State, asked: Asked, name: str, inputs: int, usual: str) -> Answer:
    wish = _Wish(asked.body, asked.body.get("model") or usual, inputs)
    created = numbered(state, _IMAGE, asked.body).created_at
    if asked.body.get("stream") and not wish.older:
        return Events(_events(wish, name, created))
    data = [_image(wish, number) for number in range(asked.body.get("n") or 1)]
    if wish.older:
        return {"created": created, "data": data}
    return Told(
        {
            "created": created,
            "background": wish.background,
            "data": data,
            "output_format": wish.format,
            "quality": wish.quality,
            "size": wish.size,
            "usage": _usage(wish, len(data)),
        }
    )


def _image(wish: _Wish, number: int) -> Json:
    encoded = wish.encoded(number)
    if not wish.older or wish.body.get("response_format") == "b64_json":
        image = {"b64_json": encoded}
    else:
        image = {"url": f"data:{_MEDIA.get(wish.format, 'image/png')};base64,{encoded}"}
    return {"revised_prompt": wish.prompt, **image} if wish.model == "dall-e-3" else image


def _usage(wish: _Wish, images: int) -> Json:
    text, seen, made = count(wish.prompt), wish.inputs * _INPUT_TOKENS, images * _TOKENS[wish.quality]
    return {
        "input_tokens": text + seen,
        "input_tokens_details": {"image_tokens": seen, "text_tokens": text},
        "output_tokens": made,
        "total_tokens": text + seen + made,
    }


def _events(wish: _Wish, name: str, created: int) -> Iterator[Event]:
    """The stages of the first picture, then that picture; other ones are not streamed."""
    facts = {
        "created_at": created,
        "size": wish.size,
        "quality": wish.quality,
        "background": wish.background,
        "output_format": wish.format,
    }
    for index in range(wish.body.get("partial_images") or 0):
        kind, stage = f"{name}.partial_image", wish.encoded(0, f"stage {index}")
        yield kind, {"type": kind, "b64_json": stage, **facts, "partial_image_index": index}
    kind = f"{name}.completed"
    yield kind, {"type": kind, "b64_json": wish.encoded(0), **facts, "usage": _usage(wish, 1)}


ROUTES: Routes = (
    ("createImage", _generate),
    ("createImageEdit", _edit),
    ("createImageVariation", _vary),
)
