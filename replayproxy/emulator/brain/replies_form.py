"""A file of replies, read: YAML into rules and limits. What it may say is told in docs/emulator-replies.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from replayproxy.config.nodes import similar
from replayproxy.config.structures import gathered
from replayproxy.emulator.brain.failures import retry_headers
from replayproxy.emulator.brain.forms import Form, plain, read_form
from replayproxy.emulator.brain.replies import (
    GIVEN,
    Answer,
    Call,
    Error,
    Limit,
    ResultWanted,
    Rule,
    Script,
    Wanted,
    When,
)
from replayproxy.emulator.brain.replies_schema import ANSWER, FAMILIES, FINISH, HOW, REASONS, RUNS, USAGE, WHEN
from replayproxy.emulator.brain.templates import names_in
from replayproxy.emulator.brain.turns import Finish
from replayproxy.errors import ConfigError

__all__ = ["read_replies", "replies_of"]

_LAST_ERROR = {"rate_limit_exceeded": 429, "invalid_prompt": 400, "server_error": 500}
_SORRY = "Sorry, something went wrong."


def read_replies(path: Path) -> Script:
    """What the file `path` says. ConfigError, one line for each thing that is wrong, with its place and a cure."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}. Check `replies`") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8. Save it as UTF-8 text") from None
    return replies_of(text, str(path))


def replies_of(text: str, shown: str = "replies") -> Script:
    """What the text of such a file says; messages call it `shown`."""
    whole = read_form(text, shown)
    whole.check(("replies", "limits"))
    problems, rules, limits = list[str](), tuple[Rule, ...](), tuple[Limit, ...]()
    try:
        rules = gathered(_rule, whole.forms("replies"))
    except ConfigError as error:
        problems.append(str(error))
    try:
        limits = gathered(_limit, whole.forms("limits"))
    except ConfigError as error:
        problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return Script(rules, limits)


def _rule(form: Form) -> Rule:
    form.check(("when", "times", "sequence", "then", *ANSWER))
    when = _when(form.form("when"))
    own = [key for key in ANSWER if key in form]
    if "sequence" in form:
        if own:
            form.fail(own[0], "stands beside `sequence`; put it into the items of the sequence")
        answers = gathered(_answer_of_sequence, form.forms("sequence"))
    else:
        if "then" in form:
            form.fail("then", "says what follows a `sequence`, and there is none")
        answers = (_answer(form),) if own else ()
    if not answers:
        form.fail("sequence" if "sequence" in form else "", "answers nothing; say one of " + ", ".join(ANSWER))
    _check_names(form, when)
    if any(answer.run for answer in answers):
        when = _for_runs(form, when)
    return Rule(when, answers, form.whole("times", 1), form.word("then", "repeat", "end") == "end")


def _for_runs(form: Form, when: When) -> When:
    """How a run ends can be said to runs only."""
    if when.families and when.families != ("runs",):
        form.form("when").fail("family", "`run` is for runs only; write `family: runs`, or leave it out")
    return When(when.model, ("runs",), when.user, when.result, when.turn, when.has_tools)


def _when(form: Form) -> When:
    form.check(WHEN)
    families = form.texts("family")
    for family in families:
        if family not in FAMILIES:
            form.fail("family", f"expected one of {', '.join(FAMILIES)}, not {family!r:.80}{similar(family, FAMILIES)}")
    return When(
        form.text("model") or "*",
        families,
        _wanted_at(form, "user"),
        _result(form.form("tool_result")) if "tool_result" in form else None,
        form.whole("turn"),
        form.flag("has_tools"),
    )


def _wanted_at(form: Form, key: str) -> Wanted | None:
    if isinstance(form.mapping.get(key), dict):
        inside = form.form(key)
        inside.check(HOW)
        found = _wanted(inside)
        if found is None:
            inside.fail("", f"expected one of {', '.join(HOW)}")
        return found
    text = form.text(key)
    return None if text is None else Wanted("contains", text)


def _wanted(form: Form) -> Wanted | None:
    """Which text is looked for, said in one of three ways."""
    given = [how for how in HOW if how in form]
    if not given:
        return None
    if given[1:]:
        form.fail(given[1], f"stands beside `{given[0]}`; keep one of them")
    how = cast("Literal['equals', 'contains', 'regex']", given[0])
    pattern = form.pattern(how) if how == "regex" else None
    taken = [name for name in pattern.groupindex if name in GIVEN] if pattern else []
    if taken:
        form.fail(how, f"the group is called `{taken[0]}`, which is the name of something else; choose another one")
    return Wanted(how, form.text(how) or "", pattern)


def _result(form: Form) -> ResultWanted:
    form.check(("name", *HOW))
    return ResultWanted(form.text("name") or "*", _wanted(form))


def _answer_of_sequence(form: Form) -> Answer:
    form.check(ANSWER)
    return _answer(form)


def _answer(form: Form) -> Answer:
    calls = gathered(_call, form.forms("tool_calls"))
    run = form.word("run", *RUNS) or ""
    error = _error(form) if "error" in form else _last_error(form, run)
    if "reason" in form and run != "incomplete":
        form.fail("reason", "says why a run is incomplete; write `run: incomplete` beside it")
    answer = Answer(
        form.text("text"),
        calls,
        form.text("refusal"),
        cast("Finish | None", form.word("finish_reason", *FINISH)),
        _usage(form.form("usage")),
        form.seconds("delay"),
        error,
        run,
        form.word("reason", *REASONS) or "",
        form.texts("pieces"),
        form.whole("cut"),
    )
    if answer.text is not None and answer.pieces:
        form.fail("pieces", "stands beside `text`; the pieces are the text, so leave `text` out")
    return answer


def _call(form: Form) -> Call:
    form.check(("name", "arguments"))
    name = form.text("name")
    if not name:
        form.fail("name", "expected the name of a tool")
    arguments = plain(form.mapping.get("arguments"))
    if arguments is not None and not isinstance(arguments, dict | str):
        form.fail("arguments", "expected a mapping, or text that stands for it as it is")
    return Call(name, arguments)


def _usage(form: Form) -> dict[str, int]:
    form.check(USAGE)
    found = {ours: form.whole(theirs) for theirs, ours in USAGE.items()}
    return {name: number for name, number in found.items() if number is not None}


def _error(form: Form) -> Error:
    if not isinstance(form.mapping["error"], dict):
        return Error(_status(form, "error"))
    inside = form.form("error")
    inside.check(("status", "message", "type", "code", "param", "retry_after", "headers"))
    wait = inside.seconds("retry_after")
    given = inside.form("headers")
    headers = {name.lower(): str(plain(value)) for name, value in given.mapping.items()}
    for name, value in headers.items():
        if any(sign in name + value for sign in "\r\n\0") or isinstance(given.mapping.get(name), dict | list):
            given.fail(name, "no header has such a value")
    return Error(
        _status(inside, "status"),
        inside.text("message"),
        inside.text("type"),
        inside.text("code"),
        inside.text("param"),
        headers={**(retry_headers(wait) if wait is not None else {}), **headers},
    )


def _status(form: Form, key: str) -> int:
    status = form.whole(key, 400)
    if status is None or status > 599:
        form.fail(key, "expected an HTTP status from 400 to 599")
    return status


def _last_error(form: Form, run: str) -> Error | None:
    """What a run that failed gives as its last error, in the form of an error that would have made it fail."""
    if "last_error" not in form:
        return None
    if run != "failed":
        form.fail("last_error", "is told by a run that failed; write `run: failed` beside it")
    inside = form.form("last_error")
    inside.check(("code", "message"))
    code = inside.word("code", *_LAST_ERROR) or "server_error"
    message = inside.text("message")
    return Error(_LAST_ERROR[code], _SORRY if message is None and code == "server_error" else message, code=code)


def _limit(form: Form) -> Limit:
    form.check(("model", "requests", "refuses", "retry_after", "per"))
    requests, wait = form.whole("requests"), form.seconds("retry_after")
    if requests is None:
        form.fail("requests", "expected how many requests are served, a whole number from 0")
    return Limit(
        requests,
        form.text("model") or "*",
        form.whole("refuses", 1),
        1.0 if wait is None else wait,
        form.word("per", "session", "model") == "model",
    )


def _check_names(form: Form, when: When) -> None:
    """Refuses templates with places for values that there are not."""
    looked_for = [when.user, when.result.text if when.result else None]
    groups = [name for each in looked_for if each and each.pattern for name in each.pattern.groupindex]
    for answer in form.forms("sequence") or (form,):
        for name in names_in({key: value for key, value in answer.mapping.items() if key in _TEMPLATES}):
            if name not in (*GIVEN, *groups):
                _unknown_name(answer, name, (*GIVEN, *groups))


_TEMPLATES = ("text", "refusal", "tool_calls", "pieces", "error", "last_error")


def _unknown_name(answer: Form, name: str, known: Iterable[str]) -> None:
    places: Mapping[str, Any] = {key: answer.mapping[key] for key in _TEMPLATES if key in answer}
    key = next(key for key, value in places.items() if name in names_in(value))
    answer.fail(
        key, f"there is no value `{{{name}}}`{similar(name, known)}; for the text itself write `{{{{{name}}}}}`"
    )
