"""What the real API took and gave: nothing that it took is refused, and little that it gave is complained of.

Recordings made under `assistants=v1` are of an API before this one, which is no more. It was called by the same paths
and with the same bodies, so they are asked here with the header of the second version; but for values of metadata:
what is no text became one in the first version (`true` was kept as "True"), and is refused since (recorded:
messages_modify). Their answers have another shape (runs without `usage`, messages with `file_ids`) and are not looked
at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import orjson
import pytest

from replayproxy.core.answer_checks import answer_check
from replayproxy.core.catalog import Resolved
from replayproxy.core.messages import Request
from replayproxy.core.problem import Problem
from replayproxy.core.validation import problems
from replayproxy.openai_api import catalog
from replayproxy.openai_api.models.messages import MessageObject
from replayproxy.openai_api.models.threads import ThreadObject
from tests.real_traffic import NEEDS_RECORDINGS, Recorded, recordings

pytestmark = NEEDS_RECORDINGS

OBJECTS = {"thread": ThreadObject, "thread.message": MessageObject}
_NO_TEXT = "Invalid type for 'metadata.modified': expected a string, but got a boolean instead."
_BY_HAND = "The recording was made by hand, with fields that no answer has (`conversation_id`, `processing`)."
#: What is complained of in answers: by operation and path, why.
WARNINGS: Mapping[tuple[str, str | None], str] = {
    ("createConversationItems", "object"): _BY_HAND,
    ("deleteConversationItem", "object"): _BY_HAND,
    ("getConversationItem", "status"): _BY_HAND,
    ("listConversationItems", "data[0].status"): _BY_HAND,
    ("createVectorStore", "file_counts.in_progress"): _BY_HAND,
}

#: Requests of the first version that the second refuses.
NO_LONGER_TAKEN = {"messages_modify-0", "messages_modify-1", "threads_modify-0", "threads_modify-1"}

RECORDED = list(recordings())
TAKEN = [one for one in RECORDED if one.is_success]
ANSWERED = [one for one in TAKEN if one.request.headers.get("openai-beta") != "assistants=v1"]
REFUSED = [one for one in RECORDED if one.response.status == 400]


def today(request: Request) -> Request:
    """The same request, with the header that names the Assistants' second version."""
    if request.headers.get("openai-beta") != "assistants=v1":
        return request
    return replace(request, headers=request.headers.replacing("openai-beta", "assistants=v2"))


def resolved(one: Recorded) -> Resolved:
    """The operation that was called."""
    found = catalog().resolve(one.request.method, one.request.target)
    assert found is not None
    return found


@cache
def complaints(one: Recorded) -> tuple[Problem, ...]:
    """What is told of an answer."""
    check = answer_check(resolved(one).operation, one.response.status, one.response.headers)
    if check is None:
        return ()
    assert isinstance(one.response.body, bytes)
    check.feed(one.response.body)
    return check.finish()


@pytest.mark.parametrize("one", TAKEN, ids=str)
def test_what_the_api_took_is_taken(one: Recorded) -> None:
    """A request that was answered has no problem, not even a warning."""
    told = [problem.message for problem in problems(today(one.request), resolved(one))]
    assert told == ([_NO_TEXT] if one.name in NO_LONGER_TAKEN else [])


@pytest.mark.parametrize("one", [one for one in REFUSED if resolved(one).operation.check], ids=str)
def test_what_the_api_refused_is_refused_in_its_words(one: Recorded) -> None:
    """A body that the API found wrong is found wrong, in the same words."""
    assert isinstance(one.response.body, bytes)
    told = problems(one.request, resolved(one))
    assert [problem.message for problem in told] == [orjson.loads(one.response.body)["error"]["message"]]


@pytest.mark.parametrize("one", ANSWERED, ids=str)
def test_each_complaint_about_an_answer_is_explained(one: Recorded) -> None:
    """What an answer is warned of stands in the table, with the reason."""
    operation = resolved(one).operation.id
    assert [problem for problem in complaints(one) if (operation, problem.param) not in WARNINGS] == []


def test_few_answers_are_complained_of() -> None:
    """Less than 5 % of the answers; and the table has no row too many."""
    warned = [one for one in ANSWERED if complaints(one)]
    print(f"{len(RECORDED)} recorded, {len(TAKEN)} taken, {len(ANSWERED)} answers looked at, {len(warned)} warned of")
    assert len(ANSWERED) > 150
    assert len(warned) < 0.05 * len(ANSWERED)
    assert {(resolved(one).operation.id, each.param) for one in warned for each in complaints(one)} == set(WARNINGS)


@pytest.mark.parametrize("one", ANSWERED, ids=str)
def test_real_objects_have_the_shape_of_their_models(one: Recorded) -> None:
    """Threads and messages as the second version answered them are what the models say."""
    body = one.response.body
    assert isinstance(body, bytes)
    if one.request.headers.get("openai-beta") == "assistants=v2" and body.startswith(b"{"):
        held = orjson.loads(body)
        model = OBJECTS.get(held["object"])
        assert model is None or model.model_validate(held)
