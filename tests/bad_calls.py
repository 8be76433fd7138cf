"""Calls of create message that the API refuses, and how: the rows of `data/create_message_errors.yaml`."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
import yaml

ROWS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "create_message_errors.yaml").read_text("utf-8")
)


def body_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row's body, its long text put in."""
    body: dict[str, Any] = copy.deepcopy(row["body"])
    if "long" in row:
        *path, last = row["long"]["at"]
        target: Any = body
        for step in path:
            target = target[step]
        target[last] = "x" * row["long"]["length"]
    return body


def bytes_of(row: dict[str, Any]) -> bytes:
    """A row's body as it goes over the wire."""
    return bytes(row["raw"].encode()) if "raw" in row else orjson.dumps(body_of(row))
