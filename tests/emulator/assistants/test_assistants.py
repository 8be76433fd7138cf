"""Assistants: their life, their defaults, and what their tools work with."""

from __future__ import annotations

import openai
import pytest

from tests.run_stage import staged

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
FUNCTION = {
    "type": "function",
    "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}},
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


async def test_assistant_has_the_recorded_defaults() -> None:
    """What is not said is answered as the real API answered it in 2025, key by key."""
    async with staged() as stage:
        made = await stage.post("/assistants", {"model": "gpt-4", "name": "Test"})
        assert list(made.items())[1:] == [
            ("object", "assistant"),
            ("created_at", 1_704_067_200),
            ("name", "Test"),
            ("description", None),
            ("model", "gpt-4"),
            ("instructions", None),
            ("tools", []),
            ("top_p", 1.0),
            ("temperature", 1.0),
            ("reasoning_effort", None),
            ("tool_resources", {}),
            ("metadata", {}),
            ("response_format", "auto"),
        ]
        assert made["id"].startswith("asst_")


async def test_life_of_an_assistant() -> None:
    """Made, retrieved, listed, changed, deleted, and not found from then on."""
    async with staged() as stage:
        assistants = stage.client.beta.assistants
        made = await assistants.create(
            model="o3-mini",
            instructions="Add.",
            tools=[FUNCTION],  # type: ignore[list-item]
            reasoning_effort="low",
            temperature=0,
            top_p=0.5,
            response_format=SCHEMA,  # type: ignore[arg-type]
            metadata={"a": "b"},
        )
        assert (made.temperature, made.top_p, made.metadata) == (0.0, 0.5, {"a": "b"})
        assert await assistants.retrieve(made.id) == made
        others = [await assistants.create(model="gpt-4o") for _ in range(3)]
        listed = [each.id async for each in assistants.list(limit=2)]
        assert listed == [*(each.id for each in reversed(others)), made.id]
        changed = await assistants.update(made.id, name="Adder", temperature=2, metadata={})
        assert (changed.name, changed.temperature, changed.instructions) == ("Adder", 2.0, "Add.")
        reset = await stage.post(f"/assistants/{made.id}", {"name": None, "tools": [], "response_format": None})
        assert (reset["name"], reset["tools"], reset["response_format"]) == (None, [], "auto")
        assert (await assistants.delete(made.id)).deleted
        for method, path in [("GET", ""), ("POST", ""), ("DELETE", "")]:
            error = await stage.call(method, f"/assistants/{made.id}{path}", {} if method == "POST" else None, 404)
            assert error["error"]["message"] == f"No assistant found with id '{made.id}'."
        with pytest.raises(openai.NotFoundError, match="No assistant found with id"):
            await assistants.delete(made.id)


async def test_vector_store_is_made_along_with_an_assistant() -> None:
    """The store holds the files, and the assistant names it; other resources are as they were given."""
    async with staged() as stage:
        client = stage.client
        file = await client.files.create(file=("a.txt", b"Apples are red."), purpose="assistants")
        stores = [{"file_ids": [file.id], "metadata": {"a": "b"}}]
        made = await client.beta.assistants.create(
            model="gpt-4o",
            tool_resources={"code_interpreter": {"file_ids": [file.id]}, "file_search": {"vector_stores": stores}},  # type: ignore[typeddict-item]
        )
        assert made.tool_resources is not None
        assert made.tool_resources.code_interpreter is not None
        assert made.tool_resources.code_interpreter.file_ids == [file.id]
        assert made.tool_resources.file_search is not None
        (store_id,) = made.tool_resources.file_search.vector_store_ids or []
        store = await client.vector_stores.retrieve(store_id)
        assert (store.file_counts.total, store.metadata, store.expires_after) == (1, {"a": "b"}, None)
        changed = await stage.post(
            f"/assistants/{made.id}", {"tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}}
        )
        assert changed["tool_resources"] == {"file_search": {"vector_store_ids": ["vs_1"]}}


async def test_attached_files_become_the_threads() -> None:
    """A file attached for search goes into a store of the thread, one for code into its files; each once."""
    async with staged() as stage:
        client = stage.client
        one, two = [
            await client.files.create(file=(f"{name}.txt", b"Apples are red."), purpose="assistants") for name in "ab"
        ]
        search, code = {"type": "file_search"}, {"type": "code_interpreter"}
        first = {"role": "user", "content": "1", "attachments": [{"file_id": one.id, "tools": [search, code]}]}
        thread = await stage.post("/threads", {"messages": [first]})
        (store_id,) = thread["tool_resources"]["file_search"]["vector_store_ids"]
        assert thread["tool_resources"]["code_interpreter"] == {"file_ids": [one.id]}
        more = [{"file_id": file_id, "tools": [search, code]} for file_id in (one.id, two.id, "file-unknown")]
        more += [{"file_id": two.id, "tools": [search]}, {"file_id": two.id, "tools": [code]}]
        path = f"/threads/{thread['id']}"
        message = await stage.post(f"{path}/messages", {"role": "user", "content": "2", "attachments": more})
        assert message["attachments"] == more
        assert (await stage.get(path))["tool_resources"] == {
            "code_interpreter": {"file_ids": [one.id, two.id]},
            "file_search": {"vector_store_ids": [store_id]},
        }
        store = await client.vector_stores.retrieve(store_id)
        assert store.file_counts.total == 2
        assert store.expires_after is not None
        assert store.expires_after.days == 7
