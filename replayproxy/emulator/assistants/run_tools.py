"""The tools that the API runs by itself: file search, and code. They are used once in a run, before the model replies.

File search is used whenever a run has it and there is a vector store to search. Code is used when the last message asks
for a calculation or for code; sums of two numbers are really worked out, anything else prints a line.
"""

from __future__ import annotations

import dataclasses
import operator
import re

from replayproxy.emulator.assistants.run_course import Course, add_step, end_step
from replayproxy.emulator.assistants.run_resources import found, store_ids
from replayproxy.emulator.assistants.run_turns import asked_last, tool_of
from replayproxy.emulator.brain import Passage
from replayproxy.emulator.records import Json
from replayproxy.emulator.shelf import mint

__all__ = ["use_tools"]

_SUM = re.compile(r"(?<![\w.])(\d{1,12}(?:\.\d{1,6})?)\s*([-+*/x×])\s*(\d{1,12}(?:\.\d{1,6})?)(?![\w.])")
_ASKS_FOR_CODE = re.compile(r"\b(calculat\w*|comput\w*|code|python|plot\w*|script\w*|solve\w*)\b", re.IGNORECASE)
_SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "x": operator.mul, "×": operator.mul}
_RANKING = {"ranker": "default_2024_08_21", "score_threshold": 0.0}


def use_tools(course: Course) -> None:
    """Uses what the run has of these tools, unless it has done so already."""
    run = course.run
    if run.hidden.get("used_tools"):
        return
    run.hidden["used_tools"] = True
    question = asked_last(course.state, run)
    _search(course, question)
    _run_code(course, question)


def _forced(course: Course, kind: str) -> bool:
    choice = course.run.json["tool_choice"]
    return isinstance(choice, dict) and choice["type"] == kind


def _search(course: Course, question: str) -> None:
    tool = tool_of(course.run, "file_search")
    assistant = course.run.hidden.get("resources", {})
    ids = store_ids(course.thread.json["tool_resources"], assistant)
    if tool is None or not (ids or _forced(course, "file_search")):
        return
    passages = found(course.state, ids, question, tool)
    course.run.hidden["passages"] = [dataclasses.asdict(each) for each in passages]
    ranking = _RANKING | ((tool.get("file_search") or {}).get("ranking_options") or {})
    results = [_result(each) for each in passages]
    _use(course, "file_search", {"ranking_options": ranking, "results": results})


def _result(passage: Passage) -> Json:
    return {
        "file_id": passage.file_id,
        "file_name": passage.filename,
        "score": passage.score,
        "content": [{"type": "text", "text": passage.text}],
    }


def _run_code(course: Course, question: str) -> None:
    if tool_of(course.run, "code_interpreter") is None:
        return
    term = _SUM.search(question)
    if term is None and not _ASKS_FOR_CODE.search(question) and not _forced(course, "code_interpreter"):
        return
    code, logs = _worked_out(*term.groups()) if term else ('print("Done.")', "Done.\n")
    _use(course, "code_interpreter", {"input": code, "outputs": [{"type": "logs", "logs": logs}]})


def _worked_out(left: str, sign: str, right: str) -> tuple[str, str]:
    """The code for a sum of two numbers, and what it prints."""
    one, two = (float(each) if "." in each else int(each) for each in (left, right))
    if sign == "/":
        result = f"{one / two}" if two else "ZeroDivisionError: division by zero"
    else:
        result = f"{_SIGNS[sign](one, two)}"
    return f"print({left} {'*' if sign in 'x×' else sign} {right})", f"{result}\n"


def _use(course: Course, kind: str, done: Json) -> None:
    """A step that calls a tool of the API's own, from its beginning to its end."""
    step = add_step(course, "tool_calls", [])
    call = {"id": mint("call_", course.state.settings.seed, step.id, 0), "type": kind, kind: done}
    step.json["step_details"]["tool_calls"] = [call]
    course.telling.called(step)
    end_step(course, step, "completed")
