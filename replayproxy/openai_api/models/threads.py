"""Threads: the bodies of create and modify, and the object that is answered.

Source: the API's OpenAPI description. That `vector_store_ids` and `vector_stores` exclude each other is not held.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from replayproxy.openai_api.models.messages import CreateMessageRequest
from replayproxy.openai_api.models.objects import ApiObject, Array, Metadata, tag_of, typed
from replayproxy.openai_api.translation import tag

__all__ = ["CreateThreadRequest", "ModifyThreadRequest", "ThreadObject"]

MAX_CODE_FILES, MAX_STORES = 20, 1


class AutoChunking(ApiObject):
    """Chunks as the API likes them."""

    type: Literal["auto"]


class ChunkSizes(ApiObject):
    """Sizes in tokens."""

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0)]


class StaticChunking(ApiObject):
    """Chunks of a given size."""

    type: Literal["static"]
    static: ChunkSizes


Chunking = Annotated[
    Annotated[AutoChunking, Tag(tag("auto"))] | Annotated[StaticChunking, Tag(tag("static"))],
    Discriminator(tag_of),
    typed("auto", "static"),
]


class NewVectorStore(ApiObject):
    """A vector store to be made along with the thread."""

    file_ids: Annotated[list[str], Array("strings")] = Field(default_factory=list)
    chunking_strategy: Chunking | None = None
    metadata: Metadata | None = None


class CodeInterpreterResources(ApiObject):
    """Files for the code interpreter."""

    file_ids: Annotated[list[str], Array("strings", most=MAX_CODE_FILES)] = Field(default_factory=list)


class FileSearchResources(ApiObject):
    """The vector store for file search."""

    vector_store_ids: Annotated[list[str], Array("strings", most=MAX_STORES)] = Field(default_factory=list)


class NewFileSearchResources(FileSearchResources):
    """The vector store for file search, there already or to be made."""

    vector_stores: Annotated[list[NewVectorStore], Array("objects", most=MAX_STORES)] = Field(default_factory=list)


class ToolResources(ApiObject):
    """What the tools of a thread may use."""

    code_interpreter: CodeInterpreterResources | None = None
    file_search: FileSearchResources | None = None


class NewToolResources(ApiObject):
    """What the tools of a new thread may use."""

    code_interpreter: CodeInterpreterResources | None = None
    file_search: NewFileSearchResources | None = None


class CreateThreadRequest(ApiObject):
    """The body of `POST /threads`."""

    messages: Annotated[list[CreateMessageRequest], Array("objects")] = Field(default_factory=list)
    tool_resources: NewToolResources | None = None
    metadata: Metadata | None = None


class ModifyThreadRequest(ApiObject):
    """The body of `POST /threads/{thread_id}`."""

    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


class ThreadObject(BaseModel):
    """A thread as it is answered; open, since the API keeps growing."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    id: str
    object: Literal["thread"]
    created_at: int
    metadata: dict[str, str] | None
    tool_resources: dict[str, Any] | None = None
