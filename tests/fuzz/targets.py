"""All fuzz targets by name, with the words that make interesting inputs of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import cassette_targets, request_targets, secret_targets

__all__ = ["CORPUS", "TARGETS", "Target", "corpus_of"]

#: A folder of inputs for each target: seeds, and whatever once found something.
CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed: raises for an input with which a promise does not hold. `words` are what inputs are made of."""

    run: Callable[[bytes], None]
    words: tuple[bytes, ...] = ()


_CASSETTE = (
    *(b"---\n", b"\n...\n", b"--- # 1: GET /x -> 200\n", b"... # key 1 ", b"0" * 32, b"replayproxy: 3\n"),
    *(b"request:\n", b"response:\n", b"  method: GET\n", b"  target: /x\n", b"  status: 200\n", b"  reason: OK\n"),
    *(b"  headers:\n", b"    - X: y\n", b"  body:\n", b"    json: ", b"    text: ", b"    base64: ", b"    events:\n"),
    *(b"    form:\n", b"    multipart:\n", b"    boundary: b\n", b"    layout: indent 2\n", b"    chunks: [[0, 1]]\n"),
    *(b"      - at: 0.5\n", b"        cuts: [[1, 0.5]]\n", b"    file:\n", b"      name: a.bin\n", b"      size: 1\n"),
    *(b"fault: reset\n", b"delay: {first_byte: 1}\n", b"problems:\n", b"  - message: m\n", b"operation: o\n"),
    *(b"&a ", b"*a", b"!!binary ", b"|\n", b">-\n", b"? ", b"<<: ", b"%YAML 1.1\n", b"\xc2\x85", b"\r"),
    *(
        b"\xe2\x80\xa8",
        b"null",
        b"~",
        b"yes",
        b"1e999",
        b"0x1",
        b".inf",
        b"'",
        b'"',
        b"\\x00",
        b"\\ud800",
        b"\xef\xbb\xbf",
        b"# ",
    ),
)
_JSON = (b'{"a":', b'{"b": ', b"[", b"]", b"}", b'"', b"null", b"true", b"1.0", b"-0", b"1e5", b"\\u00e9", b"\\ud83d")
_FORM = (b"=", b"&", b"%20", b"+", b"%zz", b"%ff", b"a=1", b"a%5Bb%5D=")
_PARTS = (
    *(b"--b\r\n", b"\r\n--b", b"\r\n--b--", b"--b--\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="a"'),
    *(b'; filename="f"', b"; filename*=UTF-8''%e2%82%ac", b"Content-Type: application/json\r\n"),
)
_EVENTS = (b"data: ", b"data", b"event: ", b"id: ", b"retry: ", b": ", b"\n\n", b"\r\n\r\n", b"\r", b"\xef\xbb\xbf")
_SECRETS = (
    *(b"redacted.api-key", b"redacted.org.", b"redacted.", b'"secret":"', b"api_key=", b"authorization: Bearer "),
    *(b"sk-proj-", b"sk-", b"org-", b"proj_", b"ghp_", b"AKIA", b"eyJ", b"bearer ", b"https://u:p@h/", b"\\"),
    *(
        b"\\u0061",
        b"-----BEGIN PRIVATE KEY-----",
        b"-----END PRIVATE KEY-----",
        b"set-cookie: a=",
        b"?key=",
        b"&token=",
    ),
    *(b"Zq9-fuzz_planted.key77X", b"p@ss/w", b"0123456789abcdefABCDEF", b"form-data; name=", b'":"', b"\\n", b"%2f%2f"),
    *(b"%3d", b"a literal, given", b"another known one", b'"value":"', b'"domain_secrets":[', b"api key provided: "),
)
_PATHS = (b"body", b"query.", b"header.", b"path", b".**", b".*", b"[*]", b"['", b"']", b"[0]", b"\\x20", b"\\U0001")
_API = (b'"model":"gpt-4o"', b'"messages":[', b'"role":"user"', b'"content":', b'"input":', b'"tools":[', b'"type":"')

TARGETS: Mapping[str, Target] = {
    "answers": Target(request_targets.answers, (*_JSON, *_EVENTS, *_API, b"[DONE]", b'"object":"')),
    "body": Target(cassette_targets.body, (*_JSON, *_FORM, *_PARTS, *_EVENTS)),
    "cassette": Target(cassette_targets.cassette, _CASSETTE),
    "codings": Target(cassette_targets.codings),
    "cuts": Target(cassette_targets.cuts, _CASSETTE[:6]),
    "deltas": Target(secret_targets.deltas, _SECRETS),
    "events": Target(cassette_targets.events, _EVENTS),
    "matching": Target(request_targets.matching, (*_JSON, *_FORM, *_PARTS, b"\xff")),
    "redaction": Target(secret_targets.redaction, (*_SECRETS, *_JSON, *_FORM, *_PARTS, *_EVENTS)),
    "redaction-stream": Target(secret_targets.redaction_stream, _SECRETS),
    "report": Target(request_targets.report, (*_JSON, *_FORM, *_PARTS, b"\xff", b"\x1b[31m", b"\xe2\x80\xae")),
    "rule-paths": Target(request_targets.rule_paths, _PATHS),
    "scan": Target(cassette_targets.scan, _CASSETTE),
    "validation": Target(request_targets.validation, (*_JSON, *_FORM, *_PARTS, *_API)),
}


def corpus_of(name: str) -> list[Path]:
    """The kept inputs of a target."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())
