"""The family of assistants: known by name; its bodies are not checked."""

from __future__ import annotations

from replayproxy.core.catalog import Family, Operation

__all__ = ["BETA", "FAMILY"]

#: What the header `OpenAI-Beta` must say to all of the Assistants API.
BETA = "assistants=v2"
_JSON = "application/json"
_ALL, _ONE = "/assistants", "/assistants/{assistant_id}"

FAMILY = Family(
    "assistants",
    (
        Operation("listAssistants", "GET", _ALL, "assistants", beta=BETA),
        Operation("createAssistant", "POST", _ALL, "assistants", accepts=_JSON, beta=BETA),
        Operation("getAssistant", "GET", _ONE, "assistants", beta=BETA),
        Operation("modifyAssistant", "POST", _ONE, "assistants", accepts=_JSON, beta=BETA),
        Operation("deleteAssistant", "DELETE", _ONE, "assistants", beta=BETA),
    ),
)
