"""A request as a script of Python that needs nothing but httpx."""

from __future__ import annotations

from replayproxy.core.exports.json_text import UNREADABLE, readable
from replayproxy.core.exports.literals import PYTHON
from replayproxy.core.exports.python_text import body_text, call, files_text, headers_text, script
from replayproxy.core.exports.sent import Sent, sent
from replayproxy.core.messages import Request

__all__ = ["as_httpx", "script_of"]

_PLAIN_JSON = "application/json"


def as_httpx(request: Request, base_url: str) -> str:
    """The script that sends a redacted request to `base_url` and prints what comes back; the key is read from the
    environment."""
    return script_of(sent(request, base_url))


def script_of(what: Sent, *notes: str) -> str:
    """The script, with further notes."""
    function = "httpx.stream" if what.streams else "httpx.request"
    asked = call(function, [PYTHON.text(what.request.method), PYTHON.text(what.url), *_arguments(what)])
    if what.streams:
        text = f"with {asked} as answer:\n    print(answer.status_code)\n    for line in answer.iter_lines():\n"
        text += "        print(line)"
    else:
        text = f"answer = {asked}\nprint(answer.status_code)\nprint(answer.text)"
    return script((*notes, *what.notes), "import httpx", text)


def _arguments(what: Sent) -> list[str]:
    headers, body = what.fields, list[str]()
    if what.parts is not None:
        body = [f"files={files_text(what.parts)}"]
    elif what.body:
        value = readable(what.request.headers, what.body) if isinstance(what.body, bytes) else UNREADABLE
        body = [f"content={body_text(what.body)}" if value is UNREADABLE else f"json={PYTHON.value(value, '    ')}"]
        if value is not UNREADABLE and what.content_type == _PLAIN_JSON:
            headers = tuple(field for field in headers if field.name.lower() != "content-type")
    given = [f"headers={headers_text(headers)}"] if headers else []
    return [*given, *body, "timeout=600"]
