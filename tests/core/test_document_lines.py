"""The line of a value in a cassette's document."""

from __future__ import annotations

from replayproxy.core.document_lines import lines_in_document

DOCUMENT = """\
--- # 1: POST /v1/threads -> 200
request:
  method: POST
  target: /v1/threads
  body:
    json:
      messages:
        - role: user
          content: {type: text,
                    text: "two

                      lines"}
      a.b: "x"
response:
  status: 200
  body:
    events:
      - event: a
        json: {"x": 1}
      - data: "[DONE]"
...
"""


LINES = {
    "": 12,
    "request.target": 14,
    "request.body.json": 17,
    "request.body.json.messages[0].role": 18,
    "request.body.json.messages[0].content.text": 20,
    "request.body.json.messages[0].name": 18,
    "request.body.json.a.b": 23,
    "response.body.events[0].json.x": 29,
    "response.body.events[1].json.x": 30,
    "response.body.json.id": 27,
}


def test_values_are_found_by_their_paths() -> None:
    """Lines are those of the file; a missing value is told by the nearest that would hold it."""
    assert dict(zip(LINES, lines_in_document(DOCUMENT, 11, list(LINES)), strict=True)) == LINES


def test_nothing_asked_is_nothing_told() -> None:
    """No paths, no lines."""
    assert lines_in_document(DOCUMENT, 1, []) == []
