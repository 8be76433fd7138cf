"""What a model's reply makes of a run."""

from __future__ import annotations

from typing import cast

from replayproxy.emulator.assistants.run_course import Course, add_step, end_run, end_step
from replayproxy.emulator.assistants.run_messages import Reason, add_reply, end_reply
from replayproxy.emulator.assistants.run_shapes import STEP
from replayproxy.emulator.brain import Reply, run_error
from replayproxy.emulator.records import Json, Record
from replayproxy.emulator.shelf import mint

__all__ = ["break_off", "follow"]

#: What the API says of a run that broke on its side.
_SORRY = "Sorry, something went wrong."


def follow(course: Course, reply: Reply) -> None:
    """Does in a run that is in progress what the reply says."""
    if reply.error is not None or reply.run in ("failed", "expired", "cancelled"):
        _end_badly(course, reply)
    elif reply.tool_calls:
        _require(course, reply)
    else:
        _answer(course, reply)


def break_off(course: Course, status: str) -> None:
    """Ends a run, and each of its steps that is not ended, as `cancelled` or `expired`."""
    for step in course.state.shelf(STEP, course.run.id):
        if step.json["status"] == "in_progress":
            end_step(course, step, status, tuple(step.hidden.get("usage", (0, 0))))
    end_run(course, status)


def _answer(course: Course, reply: Reply) -> None:
    """The message, and the end of the run: complete, or cut off where it reached a limit."""
    reason = _cut_off(reply)
    _say(course, reply, reason)
    if reason is None:
        end_run(course, "completed")
        return
    details: Json = {} if reason == "content_filter" else {"reason": reply.reason or "max_completion_tokens"}
    end_run(course, "incomplete", incomplete_details=details)


def _cut_off(reply: Reply) -> Reason | None:
    if reply.finish == "content_filter":
        return "content_filter"
    return "max_tokens" if reply.finish == "length" or reply.run == "incomplete" else None


def _say(
    course: Course, reply: Reply, reason: Reason | None, ends: str = "completed", error: Json | None = None
) -> None:
    """A step that puts a message into the thread; the tokens are counted with it."""
    message = add_reply(course.state, course.thread, course.run)
    step = add_step(course, "message_creation", {"message_id": message.id})
    course.telling.message("created", message)
    course.telling.message("in_progress", message)
    end_reply(message, reply, _later(course, step), reason)
    course.state.keep(message)
    course.telling.spoken(message, reply)
    course.telling.message("completed" if reason is None else "incomplete", message)
    end_step(course, step, ends, (reply.usage.prompt, reply.usage.completion), error)


def _later(course: Course, step: Record) -> int:
    return int(course.run.hidden.get("now", step.created_at)) + 1


def _require(course: Course, reply: Reply) -> None:
    """A step that waits for what functions of the client give; what was said along with the calls comes before it."""
    if reply.text:
        _say(course, Reply(reply.text, pieces=reply.pieces), None)
    step = _call(course, reply)
    run = course.run
    calls = [
        call | {"function": {name: call["function"][name] for name in ("name", "arguments")}}
        for call in step.json["step_details"]["tool_calls"]
    ]
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}
    run.json |= {"status": "requires_action", "required_action": action}
    course.state.keep(run)
    course.telling.run("requires_action", run)


def _call(course: Course, reply: Reply) -> Record:
    step = add_step(course, "tool_calls", [])
    step.json["step_details"]["tool_calls"] = [
        {
            "id": mint("call_", course.state.settings.seed, step.id, number),
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments, "output": None},
        }
        for number, call in enumerate(reply.tool_calls)
    ]
    step.hidden["usage"] = [reply.usage.prompt, reply.usage.completion]
    course.state.keep(step)
    course.telling.called(step)
    return step


def _end_badly(course: Course, reply: Reply) -> None:
    """A run that fails, or is told to end so: what it said or called until then stands there, broken off."""
    status = reply.run if reply.run in ("expired", "cancelled") else "failed"
    error = _last_error(reply) if status == "failed" else None
    # A step knows two of the three codes of a run.
    of_step = error | {"code": "server_error"} if error and error["code"] == "invalid_prompt" else error
    if reply.text:
        _say(course, reply, cast("Reason", f"run_{status}"), status, of_step)
    if reply.tool_calls:
        step = _call(course, reply)
        end_step(course, step, status, (reply.usage.prompt, reply.usage.completion), of_step)
    end_run(course, status, last_error=error)


def _last_error(reply: Reply) -> Json:
    return {"code": "server_error", "message": _SORRY} if reply.error is None else run_error(reply.error)
