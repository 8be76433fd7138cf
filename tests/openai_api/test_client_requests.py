"""Every request that the `openai` client can make is one that the catalog knows, and right.

The client is newer than the description that the catalog is made from, and its types are looser than the API in
places: what comes of that is listed here, row by row, and nothing else is let pass. A row that nothing needs any more
fails too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import openai
import pytest

from replayproxy.core.problem import Problem
from replayproxy.core.validation import problems
from replayproxy.openai_api import catalog
from tests.client_calls import ClientMethod, FakeApi, client_methods

#: The client that the table is about.
VERSION = "3.54"
IS_KNOWN = openai.__version__.startswith(f"{VERSION}.")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(not IS_KNOWN, reason=f"the table is about openai {VERSION}, this is {openai.__version__}"),
]


def unknown(path: str) -> str:
    """What is said of a field that is not known, at the end of whatever path."""
    return rf"Unknown parameter: '(.*\.)?({path})'\..*"


def missing(path: str) -> str:
    """What is said of a field that is not there, likewise."""
    return rf"Missing required parameter: '(.*\.)?({path})'\."


#: Objects of the client whose requests the description does not have: they came after it.
NEWER_METHODS = re.compile(
    r"admin\.organization\.(external_keys|external_storage|workload_identity_providers)\..*"
    r"|admin\.organization\.projects\.(api_keys\.update|service_tier_settings\..*)|admin\.organization\.usage\.decisions"
    r"|audio\.voices\.delete|beta\.agents\..*|decisions\..*|live\..*|safety\..*|webhooks\.event_types\..*"
)
_NEWER = (
    "The client is newer than the description, which does not have the field yet: a warning, as the API may take it."
)
_LATER_BETA = "The client's types of this retired beta are those of a later draft than the description's."
_ONE_OF = "One of two fields must be there, which the client's types do not say."
#: What is told of the client's requests: by method and message, why.
DIFFERENCES: Mapping[tuple[str, str], str] = {
    (r"admin\..*projects\.(create|update)", unknown("geography")): _NEWER,
    (r"admin\..*service_accounts\.(create|api_keys\.create)", unknown("expires_in_seconds")): _NEWER,
    (r"admin\.organization\.usage\.costs", unknown("line_items")): _NEWER,
    (r"images\.(edit|generate)", unknown("markup|safety_identifier")): _NEWER,
    (r".*", unknown("complexity|frame_count|frame_duration_ms|svg")): _NEWER,
    (r".*", unknown("async")): _NEWER,
    (r".*responses\..*", unknown("access_programs|background_options|image")): _NEWER,
    (r".*responses\..*", unknown(r"prompt_cache_options\.(comparison_response_id|prewarm)")): _NEWER,
    (r".*(responses|conversations)\..*", unknown(r"\w+\[0\]\.(action|background|error|output_format|quality)")): _NEWER,
    (r".*(responses|conversations)\..*", unknown(r"\w+\[0\]\.(id|revised_prompt|size|svg_usage)")): _NEWER,
    (r"beta\.realtime\..*", r".*'(client_secret|modalities|model|semantic_vad)(\.value)?'.*"): _LATER_BETA,
    (r"beta\.realtime\..*", unknown(r"input_audio_(noise_reduction|transcription\.(language|prompt))")): _LATER_BETA,
    (r"beta\.realtime\..*", unknown(r"turn_detection\.\w+")): _LATER_BETA,
    (r"beta\.chatkit\.sessions\.create", r"Invalid 'expires_after\.seconds': integer above maximum value\..*"): (
        "A session lives for ten minutes at most, where other things live for an hour at least."
    ),
    (r"beta\.(assistants|threads).*", missing(r"tool_resources\.file_search\.vector_store_ids")): _ONE_OF,
    (r"vector_stores\.file_batches\.create", missing("file_ids")): _ONE_OF,
    (r"beta\.threads\..*", missing(r"attachments\[0\]\.(file_id|tools)")): (
        "Optional in the client's types, required by the API (openai-python#1335)."
    ),
    (r"skills\.(versions\.)?create", missing("files")): "Optional in the client's types, required by the description.",
}


@dataclass
class Told:
    """What became of a method's requests: how many there were, what they meant, and what was told of them."""

    requests: int = 0
    operations: set[str] = field(default_factory=set)
    problems: set[Problem] = field(default_factory=set)


@cache
def told(method: ClientMethod) -> Told:
    """What is told of all requests that a method makes; those of one that is not known end with the first."""
    result = Told()
    for arguments in method.calls():
        request = API.request(method, arguments)
        if request is None:
            continue
        result.requests += 1
        resolved = catalog().resolve(request.method, request.target)
        if resolved is None:
            result.problems.add(Problem(f"No operation: {request.method} {request.path}", warning=True))
            break
        result.operations.add(resolved.operation.id)
        result.problems.update(problems(request, resolved))
    return result


API = FakeApi()
METHODS = client_methods() if IS_KNOWN else []
KNOWN = [method for method in METHODS if not NEWER_METHODS.fullmatch(str(method))]
NEWER = [method for method in METHODS if NEWER_METHODS.fullmatch(str(method))]


@pytest.mark.parametrize("method", KNOWN, ids=str)
def test_what_the_client_asks_is_right(method: ClientMethod) -> None:
    """No request has a problem, nor a warning, but those of the table."""
    assert [problem for problem in told(method).problems if not rows_for(method, problem)] == []


@pytest.mark.parametrize("method", NEWER, ids=str)
def test_what_the_description_does_not_have_is_not_known(method: ClientMethod) -> None:
    """Methods listed as newer are no operations of the catalog; with a new description, this list gets shorter."""
    assert [problem.message.partition(":")[0] for problem in told(method).problems] == ["No operation"]


def test_each_row_of_the_table_is_needed() -> None:
    """A row that explains nothing any more is to be taken out."""
    needed = {row for method in KNOWN for problem in told(method).problems for row in rows_for(method, problem)}
    assert needed == set(DIFFERENCES)


def test_the_requests_are_many_and_of_all_operations() -> None:
    """Thousands of requests were made, to all operations but one, which the client calls by its newer path."""
    results = [told(method) for method in KNOWN]
    print(f"{sum(result.requests for result in results)} requests of {len(KNOWN)} methods")
    assert sum(result.requests for result in results) > 10_000
    assert {operation.id for operation in catalog()} - {"cancelEvalRun"} == {
        operation for result in results for operation in result.operations
    }


def rows_for(method: ClientMethod, problem: Problem) -> set[tuple[str, str]]:
    """The rows of the table that explain a problem."""
    return {row for row in DIFFERENCES if re.fullmatch(row[0], str(method)) and re.fullmatch(row[1], problem.message)}
