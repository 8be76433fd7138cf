"""Messages of a thread: the bodies of create and modify, and the object that is answered.

Source: the API's OpenAPI description, and over it what the API enforces without saying so there: text of at most
256,000 characters, content that is not empty, nested objects without unknown parameters, `tools` for each attachment,
images by http or https URL only.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from replayproxy.core import wording
from replayproxy.openai_api.models.objects import ApiObject, Array, Metadata, tag_of, typed
from replayproxy.openai_api.translation import fault, tag

__all__ = ["CreateMessageRequest", "MessageObject", "ModifyMessageRequest"]

MAX_TEXT = 256_000

Text = Annotated[str, Field(max_length=MAX_TEXT)]
Detail = Literal["auto", "low", "high"]
Role = Literal["user", "assistant"]


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in value):
        raise fault(wording.wrong_url)
    return value


class ImageFile(ApiObject):
    """An uploaded image."""

    file_id: str
    detail: Detail = "auto"


class ImageUrl(ApiObject):
    """An image on the web."""

    url: Annotated[str, AfterValidator(_web_address)]
    detail: Detail = "auto"


class ImageFilePart(ApiObject):
    """A piece of content that shows an uploaded image."""

    type: Literal["image_file"]
    image_file: ImageFile


class ImageUrlPart(ApiObject):
    """A piece of content that shows an image on the web."""

    type: Literal["image_url"]
    image_url: ImageUrl


class TextPart(ApiObject):
    """A piece of content that is text; unlike in an answer, the text is a plain string."""

    type: Literal["text"]
    text: Text


Part = Annotated[
    Annotated[ImageFilePart, Tag(tag("image_file"))]
    | Annotated[ImageUrlPart, Tag(tag("image_url"))]
    | Annotated[TextPart, Tag(tag("text"))],
    Discriminator(tag_of),
    typed("image_file", "image_url", "text"),
]


def _content(value: object) -> object:
    if not isinstance(value, str | list):
        raise fault(partial(wording.wrong_type, expected="one of a string or array of objects", value=value))
    if value == "":
        raise fault(wording.empty_content)
    if not value:
        raise fault(wording.empty_array)
    return value


def _content_branch(value: object) -> str:
    return tag("text") if isinstance(value, str) else tag("parts")


Content = Annotated[
    Annotated[Text, Tag(tag("text"))] | Annotated[list[Part], Array("objects"), Tag(tag("parts"))],
    Discriminator(_content_branch),
    BeforeValidator(_content),
]


class CodeInterpreterTool(ApiObject):
    """Gives a file to the code interpreter."""

    type: Literal["code_interpreter"]


class FileSearchTool(ApiObject):
    """Gives a file to file search."""

    type: Literal["file_search"]


Tool = Annotated[
    Annotated[CodeInterpreterTool, Tag(tag("code_interpreter"))] | Annotated[FileSearchTool, Tag(tag("file_search"))],
    Discriminator(tag_of),
    typed("code_interpreter", "file_search"),
]


class Attachment(ApiObject):
    """A file, and the tools that may use it."""

    file_id: str
    tools: Annotated[list[Tool], Array("objects")]


class CreateMessageRequest(ApiObject):
    """The body of `POST /threads/{thread_id}/messages`."""

    role: Role
    content: Content
    attachments: Annotated[list[Attachment], Array("objects")] | None = None
    metadata: Metadata | None = None


class ModifyMessageRequest(ApiObject):
    """The body of `POST /threads/{thread_id}/messages/{message_id}`."""

    metadata: Metadata | None = None


class _Answer(BaseModel):
    """An object of an answer: open, since the API keeps growing."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class AnsweredText(_Answer):
    """Text with the places that quote a file."""

    value: str
    annotations: list[dict[str, Any]]


class AnsweredPart(_Answer):
    """A piece of a message's content; the field that has the name of its type is there."""

    type: Literal["image_file", "image_url", "text", "refusal"]
    text: AnsweredText | None = None
    image_file: dict[str, Any] | None = None
    image_url: dict[str, Any] | None = None
    refusal: str | None = None


class MessageObject(_Answer):
    """A message as it is answered.

    The description also requires `status`, `incomplete_details`, `completed_at` and `incomplete_at`; the API leaves
    them out of what it answers and puts them into what it streams.
    """

    id: str
    object: Literal["thread.message"]
    created_at: int
    assistant_id: str | None
    thread_id: str
    run_id: str | None
    role: Role
    content: list[AnsweredPart]
    attachments: list[dict[str, Any]] | None = None
    metadata: dict[str, str] | None
    status: Literal["in_progress", "incomplete", "completed"] | None = None
    incomplete_details: dict[str, Any] | None = None
    completed_at: int | None = None
    incomplete_at: int | None = None
