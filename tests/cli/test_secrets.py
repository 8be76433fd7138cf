"""`replayproxy cassette scan` and `redact`."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from replayproxy.cli import cli
from replayproxy.config import RedactSettings
from replayproxy.core.bodies import PARSE_LIMIT
from replayproxy.core.cassette import Head, Interaction
from replayproxy.core.matching import identity
from replayproxy.core.messages import FileBody, Headers, Request, Response
from replayproxy.core.problem import Problem
from replayproxy.core.redaction import RULES, Redactor
from replayproxy.core.rule_paths import RulePath
from replayproxy.stores import FileStore
from tests.proxies import proxied

JSON = Headers.of(("Content-Type", "application/json"))
TAIL = "Ab3dEf6hIj9lMnOpQrStUvWx"
#: By shape and by place, none of them like another.
SECRETS = {
    "openai": f"sk-proj-{TAIL}01",
    "anthropic": f"sk-ant-api03-{TAIL}02",
    "service account": f"sk-svcacct-{TAIL}03",
    "github": f"ghp_{TAIL}Ab3dEf6hIj04",
    "google": f"AIzaSy{TAIL}Ab3dEf6hI05",
    "slack": "xoxb-123456789012-Ab3dEf6hIj06",
    "hugging face": f"hf_{TAIL}Ab3dEf6hIj07",
    "aws": "AKIAIOSFODNN7EXAM908",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{TAIL}09",
    "stripe": f"sk_live_{TAIL}10",
    "gitlab": "glpat-Ab3dEf6hIj9lMnOpQr11",
    "npm": f"npm_{TAIL}Ab3dEf6hIj9l12",
    "groq": f"gsk_{TAIL}Ab3dEf6hIj9l13",
    "sendgrid": f"SG.{TAIL}.{TAIL}Ab3dEf6hIj14",
    "organization": "org-Ab3dEf6hIj9lMnOpQrStUv15",
    "project": "proj_Ab3dEf6hIj9lMnOpQrStUv16",
    "opaque key": "Zq7wR2tY9uI4oP6aS8dF17",
    "short field": "hunter18",
    "cookie": "c00kieOfTheServer19",
    "password": "p4ss 20",
    "query": "qu3ryKey21",
    "form": "f0rm Secret22",
    "userinfo": "ann:p4ss23",
    "split": f"sk-proj-{TAIL}24",
    "base64": f"sk-proj-{TAIL}25",
    "side file": f"sk-proj-{TAIL}26",
    "comment": f"sk-proj-{TAIL}27",
    "note": f"sk-proj-{TAIL}28",
    "problem": f"sk-proj-{TAIL}29",
    "reason": f"sk-proj-{TAIL}30",
    "name": f"sk-proj-{TAIL}31",
}
S = SECRETS


def events(*texts: str) -> bytes:
    """A stream of chat chunks."""
    chunks = ({"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts)
    return b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)


def interactions() -> Iterator[Interaction]:
    """Exchanges full of secrets, none of them redacted."""
    sent = Headers.of(("Authorization", f"Bearer {S['opaque key']}"), *JSON)
    shapes = {"list": [S["anthropic"], {"deep": f"use {S['google']} now"}], "arguments": json.dumps({"k": S["slack"]})}
    body = {"text": f"a\n{S['openai']}\n\nb", "password": S["short field"], **shapes, S["name"]: 1}
    answered = Headers.of(
        ("Set-Cookie", f"sid={S['cookie']}; path=/"), ("OpenAI-Organization", S["organization"]), *JSON
    )
    yield Interaction(
        Request("POST", f"/v1/projects/{S['project']}/x?api_key={S['query']}", sent, json.dumps(body).encode()),
        Response(200, "OK", answered, json.dumps({"echo": S["opaque key"], "t": [S["github"], S["jwt"]]}).encode()),
        problems=(Problem(f"bad {S['problem']}", "x", None),),
    )
    form = Headers.of(("content-type", "application/x-www-form-urlencoded"))
    secret = S["form"].replace(" ", "+")
    yield Interaction(
        Request("POST", "/oauth", form, f"grant=x&client_secret={secret}".encode()),
        Response(
            200,
            f"OK {S['reason']}",
            Headers.of(("content-type", "text/event-stream")),
            events("a ", S["split"][:9], S["split"][9:] + " ", S["stripe"]),
        ),
    )
    parts = f'--X\r\nContent-Disposition: form-data; name="password"\r\n\r\n{S["password"]}\r\n--X--\r\n'.encode()
    link = Headers.of(("Location", f"https://{S['userinfo']}@host/"), ("x-note", S["hugging face"]))
    yield Interaction(
        Request("POST", "/v1/files", Headers.of(("content-type", "multipart/form-data; boundary=X")), parts),
        Response(200, "", link, b"\xff\x00" + S["base64"].encode()),
    )
    yield Interaction(
        Request("POST", "/v1/large", JSON, json.dumps({"a": "x" * 70_000, "b": ["c", S["side file"]]}).encode()),
        Response(
            200,
            "",
            JSON,
            json.dumps({k: S[k] for k in ("aws", "gitlab", "npm", "groq", "sendgrid", "service account")}).encode(),
        ),
    )


def record(path: Path, *recorded: Interaction, head: Head | None = None) -> Path:
    """A cassette of these interactions, as they are."""
    recorder = FileStore(path).append_to(head or Head("https://api.example", redaction="00000000"))
    for arrival, interaction in enumerate(recorded):
        recorder.append(interaction, arrival)
    recorder.close()
    return path


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder with all the secrets in it."""
    path = record(tmp_path / "cassettes" / "a.yaml", *interactions())
    text = path.read_text()
    path.write_text(text.replace("--- # 2:", f"# mine: {S['comment']}\n--- # 2:", 1))
    path.with_name("notes.txt").write_text(f"first line\nmy key is {S['note']}\n")
    return path.parent


def run(*arguments: object, code: int = 0) -> Result:
    """The command's result, which holds no secret."""
    result = CliRunner().invoke(cli, ["cassette", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    assert [name for name, secret in SECRETS.items() if secret in result.output] == []
    return result


def rules_file(folder: Path, text: str) -> Path:
    """A config file."""
    path = folder / "rules.yaml"
    path.write_text(text)
    return path


PLACES = {
    ("header.authorization", "request header Authorization"),
    ("header.organization", "response header OpenAI-Organization"),
    ("header.set-cookie", "response header Set-Cookie"),
    ("field.password", "request body.password"),
    ("shape.openai-key", "request body.text"),
    ("shape.openai-key", "request body.list[0]"),
    ("shape.google-key", "request body.list[1].deep"),
    ("shape.slack-token", "request body.arguments"),
    ("shape.openai-key", "request body"),
    ("id.project", "request path"),
    ("field.api-key", "request query.api_key"),
    ("literal", "response body.echo"),
    ("shape.github-token", "response body.t[0]"),
    ("shape.jwt", "response body.t[1]"),
    ("shape.openai-key", "problem message"),
    ("shape.openai-key", "response reason"),
    ("field.secret", "request body.client_secret"),
    ("shape.openai-key", "response body.events[1].choices[0].delta.content"),
    ("shape.stripe-key", "response body.events[3].choices[0].delta.content"),
    ("field.password", "request body.parts[0].content"),
    ("url.userinfo", "response header Location"),
    ("shape.hugging-face-token", "response header x-note"),
    ("shape.openai-key", "response body"),
    ("shape.openai-key", "request body.b[1]"),
    ("shape.sendgrid-key", "response body.sendgrid"),
    ("shape.openai-key", "text"),
}


def test_every_planted_secret_is_found_and_none_is_shown(planted: Path) -> None:
    """Each with file, line, rule and place, also in files beside, comments and other text; the exit status says so."""
    found = json.loads(run("scan", planted, "--json", code=1).output)
    assert {(each["rule"], each["where"]) for each in found} >= PLACES
    spots = {(Path(each["path"]).relative_to(planted).parts[0], each["line"]) for each in found}
    assert ("notes.txt", 2) in spots
    for name, secret in SECRETS.items():
        if name not in ("side file", "note", "base64", "split", "userinfo"):
            assert ("a.yaml", line_of(planted / "a.yaml", secret)) in spots, name
    side = next(each for each in found if each["where"] == "request body.b[1]")
    assert (Path(side["path"]).parent.name, side["line"]) == ("a.files", 1)
    plain = run("scan", planted, code=1).output
    assert f"{planted}/notes.txt:2: shape.openai-key: text\n" in plain
    assert f"{len(found)} found in 3 of 3 files" in plain


def line_of(path: Path, secret: str) -> int:
    """The first line that holds the secret."""
    text = path.read_text()
    return text.count("\n", 0, text.index(secret)) + 1


def test_redacting_cures_what_scanning_finds(planted: Path) -> None:
    """Afterwards nothing is found, no secret is in any file, no copy is left, and the cassette says by which rules."""
    before = FileStore(planted / "a.yaml").load()
    planted.joinpath("notes.txt").unlink()
    old_files = set(planted.joinpath("a.files").iterdir())
    dry = run("redact", planted, "--dry-run").output
    assert "in 4 interactions to redact" in dry
    assert FileStore(planted / "a.yaml").load() == before
    assert run("redact", planted).output == dry.replace("to redact", "redacted")
    assert run("scan", planted).output.startswith("nothing found in any of 2 files")
    left = {path: path.read_bytes() for path in planted.rglob("*") if path.is_file()}
    assert [name for name, secret in SECRETS.items() for data in left.values() if secret.encode() in data] == []
    assert {path.suffix for path in left} == {".yaml", ".json"}
    assert not old_files & set(planted.joinpath("a.files").iterdir())
    after = FileStore(planted / "a.yaml").load()
    assert after.head == replace(before.head, redaction=Redactor().digest)
    assert [each.response.status for each in after.interactions] == [200] * 4
    assert "# mine: redacted.api-key\n--- # 2:" in (planted / "a.yaml").read_text()
    assert run("check", planted).exit_code == 0
    assert run("redact", planted).output == f"{planted}/a.yaml: nothing to redact\n"


def test_what_holds_no_secret_stays_byte_for_byte(tmp_path: Path) -> None:
    """Even when it was recorded under other rules, by hand, or its last document is torn."""
    path = record(tmp_path / "a.yaml", Interaction(Request("GET", "/"), Response(200, "", JSON, b'{"a": "b"}')))
    path.write_bytes(path.read_bytes().replace(b"/\n", b"/ # why\n") + b"--- # 2: torn")
    raw, inode = path.read_bytes(), path.stat().st_ino
    assert json.loads(run("redact", path, "--json").output) == [{"path": str(path), "secrets": 0, "interactions": 0}]
    assert (path.read_bytes(), path.stat().st_ino) == (raw, inode)


def test_a_redacted_document_is_found_by_its_key(tmp_path: Path) -> None:
    """One that was changed in place, one that was written anew, and one that holds no secret; not one without a key."""
    told = f'{{"a": "{S["openai"]}"}}'.encode()
    with_secret = Interaction(Request("POST", "/a", JSON, told), Response(200, "", JSON, told))
    encoded = Interaction(Request("POST", "/b", JSON, told.replace(b"-", b"\\u002d")), Response(200))
    path = record(
        tmp_path / "a.yaml", with_secret, encoded, Interaction(Request("GET", "/c"), Response(200)), with_secret
    )
    text, _, last = path.read_text().rpartition("... # key")
    path.write_text(f"{text}...\n")
    assert last
    run("redact", path)
    _, recordings = FileStore(path).open_recordings()
    stored = FileStore(path).load().interactions
    keys = [recordings.key(index, "1") for index in range(4)]
    assert keys == [*(identity(each.request) for each in stored[:3]), None]
    assert S["openai"] not in path.read_text()


def test_a_redacted_document_keeps_comments_and_the_others_their_text(tmp_path: Path) -> None:
    """A secret in a comment, in one value, in the head and in a torn end goes; all the rest is as it was written."""
    path = tmp_path / "a.yaml"
    clean = "--- # 1: mine\nrequest: {method: GET, target: /a} # as it is\nresponse: {status: 200}\n...\n"
    text = f"""# about {S["openai"]}
---
replayproxy: 1
upstream: https://{S["userinfo"]}@host
...
{clean}--- # 2: GET /b -> 200
# before {S["github"]}
request:
    method: GET    # odd
    target: /b
    headers: [{{X-Key: "{S["aws"]}"}}]
response: {{status: 200}}
...
--- # 3: GET /c -> 200
request: {{method: GET, target: /c}}
response: {{status: 200}} # {S["jwt"]}
...
--- # 4: {S["npm"]}"""
    path.write_text(text)
    assert "6 secrets in 2 interactions" in run("redact", path).output
    after = path.read_text()
    expected = text
    for secret, placeholder in {
        S["openai"]: "redacted.api-key",
        S["userinfo"]: "redacted.userinfo",
        S["github"]: "redacted.api-key",
        S["aws"]: "redacted.api-key",
        S["jwt"]: "redacted.jwt",
        S["npm"]: "redacted.api-key",
    }.items():
        expected = expected.replace(secret, placeholder)
    head = f'@host\nredaction: "{Redactor().digest}"\n'
    version = after.partition("replayproxy: ")[2][0]
    assert after == expected.replace("@host\n", head).replace("replayproxy: 1", f"replayproxy: {version}")
    assert run("scan", path).exit_code == 0


def test_an_earlier_take_is_redacted_as_well(planted: Path) -> None:
    """What recording set aside holds the same secrets, and its files beside."""
    planted.joinpath("notes.txt").unlink()
    planted.joinpath("a.yaml~").write_bytes(planted.joinpath("a.yaml").read_bytes())
    assert "a.yaml~:" in run("scan", planted, code=1).output
    run("redact", planted)
    assert run("scan", planted).exit_code == 0


def test_a_cassette_that_is_recorded_into_is_left_alone(planted: Path) -> None:
    """The recorder's lock counts; looking needs none."""
    recorder = FileStore(planted / "a.yaml").append_to(Head())
    raw = (planted / "a.yaml").read_bytes()
    assert "another replayproxy records into it" in run("redact", planted, code=2).output
    assert "to redact" in run("redact", "--dry-run", planted).output
    assert (planted / "a.yaml").read_bytes() == raw
    recorder.close()


def test_large_bodies_are_redacted_in_their_files(tmp_path: Path) -> None:
    """Those too large for memory as well; one without a secret keeps its file."""
    path = tmp_path / "a.yaml"
    recorder = FileStore(path).append_to(Head())
    for arrival, content in enumerate((S["openai"], "nothing")):
        spool, body = recorder.spool(), (f"{content}\n" + "x" * 100 + "\n").encode() * (PARSE_LIMIT // 100)
        spool.write(body)
        name = spool.adopt(f"{arrival}" * 64, ".bin")
        large = FileBody(name, len(body), str(arrival))
        recorder.append(Interaction(Request("POST", "/", JSON, large), Response(200, "", JSON, large)), arrival)
    recorder.close()
    assert "in 2 interactions to redact" in run("redact", "--dry-run", path).output
    run("redact", path)
    assert {S["openai"].encode() in file.read_bytes() for file in (tmp_path / "a.files").iterdir()} == {False}
    assert run("scan", path).exit_code == 0
    assert run("redact", path).output.endswith("nothing to redact\n")


VCR = f"""---
http_interactions:
- request:
    method: post
    uri: https://api.openai.com/v1/x?api_key={S["query"]}
    body:
      encoding: UTF-8
      string: '{{"password":"{S["short field"]}","text":"{S["openai"]}"}}'
    headers: &common
      Authorization:
      - Bearer {S["opaque key"]}
      X-Api-Key:
      - <KEY>
      Cookie: [REDACTED, "sid={S["cookie"]}"]
  response:
    headers: *common
    body:
      string: !!binary |
        {base64.b64encode(gzip.compress(f"<{S['github']}>".encode())).decode()}
    other: !binary {base64.b64encode(S["jwt"].encode()).decode()}
    broken: [!!binary "a", !!binary H4sIAAAA]
    dummy: '{{"password": "<PASSWORD>", "text": "[nothing]"}}'
    ? [complex, key]
    : "client_secret: {S["aws"]}"
  config: {{api_key: "{S["userinfo"]}", client_secret: <SECRET>}}
"""


def test_recordings_of_other_tools_are_searched(tmp_path: Path) -> None:
    """Names and values on lines of their own, bodies in base64; what others redacted is none."""
    (tmp_path / "old.yml").write_text(VCR)
    found = json.loads(run("scan", tmp_path / "old.yml", "--json", code=1).output)
    assert [(each["line"], each["rule"], each["where"].removeprefix("http_interactions[0].")) for each in found] == [
        (5, "field.api-key", "request.uri"),
        (8, "field.password", "request.body.string"),
        (8, "shape.openai-key", "request.body.string"),
        (11, "header.authorization", "request.headers.Authorization[0]"),
        (14, "header.cookie", "request.headers.Cookie[1]"),
        (18, "shape.github-token", "response.body.string"),
        (20, "shape.jwt", "response.other"),
        (24, "shape.aws-key", "response['']"),
        (25, "field.api-key", "config.api_key"),
    ]
    assert "it looks like a cassette of VCR" in run("redact", tmp_path / "old.yml", code=2).output
    assert run("redact", tmp_path).output == "There is no cassette to redact.\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", f"a: [{S['openai']}\n"),
        ("a.yaml", "[" * 200 + S["openai"]),
        ("a.yaml", f"---\nreplayproxy: 1\nbroken: {S['openai']}\n...\n"),
        ("a.json", json.dumps({"Authorization": f"Bearer {S['openai']}"})),
        ("a.yml", f"\x00 {S['openai']}"),
        (".env", f"OPENAI_API_KEY={S['openai']}"),
        ("a.har", json.dumps([{"name": "x", "value": S["openai"]}])),
    ],
)
def test_any_text_is_searched(name: str, content: str, tmp_path: Path) -> None:
    """Whatever cannot be read as what it claims to be is text."""
    (tmp_path / name).write_text(content)
    assert f"{name}:" in run("scan", tmp_path, code=1).output


def test_other_encodings_and_large_files_are_searched(tmp_path: Path) -> None:
    """UTF-16 as it is saved on Windows, and a secret across the steps in which a file is read."""
    (tmp_path / "windows.txt").write_text(f"a\n{S['openai']}", encoding="utf-16")
    step = 4 * 1024 * 1024
    (tmp_path / "large.txt").write_bytes(
        b"\n" * (step - 10) + f" {S['github']} ".encode() + b" " * step + S["jwt"].encode()
    )
    found = json.loads(run("scan", tmp_path, "--json", code=1).output)
    assert [(Path(each["path"]).name, each["line"], each["rule"]) for each in found] == [
        ("large.txt", step - 9, "shape.github-token"),
        ("large.txt", step - 9, "shape.jwt"),
        ("windows.txt", 2, "shape.openai-key"),
    ]


def test_other_peoples_folders_and_links_are_not_entered(tmp_path: Path) -> None:
    """Hidden folders, packages, and what lies elsewhere."""
    for folder in (".git", "node_modules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(S["openai"])
    (tmp_path / "link.txt").symlink_to(tmp_path / ".git" / "a.txt")
    assert run("scan", tmp_path).output == "nothing found in any of 0 files\n"


def test_without_a_path_the_configured_folder_is_meant(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of cassettes, or the one cassette; one that is not there yet is empty, one that is named is not."""
    monkeypatch.chdir(planted.parent)
    assert "found in 3 of 3 files" in run("scan", code=1).output
    config = rules_file(planted.parent, "cassette: none.yaml")
    assert run("scan", "--config", config).output == "nothing found in any of 0 files\n"
    assert run("redact", "--config", config).output == "There is no cassette to redact.\n"
    assert "in 4 interactions redacted" in run("redact").output
    for command in ("scan", "redact"):
        assert "there is no such file or folder" in run(command, "none.yaml", code=2).output


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """It names the file and the cure."""
    (tmp_path / "a.yaml").write_bytes(b"---\nreplayproxy: 1\n...\n\xff")
    assert "the file is not UTF-8" in run("redact", tmp_path, code=2).output


def test_declared_rules_count(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules of the config, the value of a variable, the key of the proxy; and a variable that is not set is told."""
    path = record(
        planted / "b.yaml",
        Interaction(
            Request("POST", "/", Headers.of(("X-Tenant", "acme"), *JSON), b'{"who": "ann", "ssn": 1, "t": "cus_1"}'),
            Response(200, "", JSON, b'{"a": "value-of-mine", "b": "key-of-the-proxy", "password": "kept"}'),
        ),
    )
    text = "redact: {off: [field.password], headers: [x-tenant], fields: [ssn], patterns: {customer: 'cus_[0-9]'}, "
    text += "env: [MINE, NONE], paths: [body.who]}\nupstream: {api_key_env: PROXY_KEY}\n"
    config = rules_file(planted, text)
    monkeypatch.setenv("MINE", "value-of-mine")
    monkeypatch.setenv("PROXY_KEY", "key-of-the-proxy")
    result = run("scan", "--config", config, path, code=1)
    assert {line.split(": ", 1)[1] for line in result.stdout.splitlines()[:6]} == {
        "redact.headers.x-tenant: request header X-Tenant",
        "redact.fields.ssn: request body.ssn",
        "redact.paths.body.who: request body.who",
        "redact.patterns.customer: request body.t",
        "literal: response body.a",
        "literal: response body.b",
    }
    assert "Warning: redact.env names NONE" in result.stderr
    assert "value-of-mine" not in result.output
    run("redact", "--config", config, path)
    interaction = FileStore(path).load().interactions[0]
    assert interaction.request.body == b'{"who": "redacted.path", "ssn": 0, "t": "redacted.customer"}'
    assert interaction.response.body == b'{"a": "redacted.api-key", "b": "redacted.api-key", "password": "kept"}'


def test_a_rule_that_would_break_the_file_changes_what_it_means_only(tmp_path: Path) -> None:
    """An expression that fits the file's own words leaves these alone."""
    path = record(tmp_path / "a.yaml", Interaction(Request("GET", "/"), Response(200, "", JSON, b'{"a": "status"}')))
    config = rules_file(tmp_path, "redact: {patterns: {word: 'status', other: 'method'}}")
    assert "1 secrets in 1 interactions redacted" in run("redact", path, "--config", config).output
    assert FileStore(path).load().interactions[0].response.body == b'{"a": "redacted.word"}'
    assert run("redact", path, "--config", config).output.endswith("nothing to redact\n")


def test_progress_is_shown_on_a_terminal_only(planted: Path) -> None:
    """On standard error, so that results can be piped."""
    reader, terminal = os.openpty()
    command = [sys.executable, "-m", "replayproxy", "cassette", "scan", str(planted)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, check=False)
    os.close(terminal)
    shown = os.read(reader, 65536).decode()
    os.close(reader)
    assert done.returncode == 1
    assert "Scanning" in shown
    assert b"Scanning" not in done.stdout


OFF = RedactSettings(off=tuple(rule.name for rule in RULES), env=("NO_SUCH_VARIABLE",))


async def converse(url: str) -> list[Any]:
    """A conversation in which later requests name what earlier answers gave out."""
    headers = {"OpenAI-Beta": "assistants=v2", "Authorization": f"Bearer {S['openai']}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        thread = (await client.post("/v1/threads", json={"metadata": {"who": "Ann Lee"}})).json()
        path = f"/v1/threads/{thread['id']}/messages"
        told = f"for Ann Lee, by {S['github']}"
        sent = await client.post(path, json={"role": "user", "content": told})
        listed = await client.get(path, params={"limit": 5})
        one = await client.get(f"{path}/{sent.json()['id']}")
        return [thread, sent.status_code, listed.status_code, one.status_code, one.json(), sent.headers]


@pytest.mark.parametrize(
    "rules",
    [
        RedactSettings(),
        RedactSettings(paths=(RulePath.parse("body.id"), RulePath.parse("body.metadata"))),
        RedactSettings(fields=("id", "who"), patterns=(("person", "Ann( Lee)?"),)),
        RedactSettings(patterns=(("thread", "thread_[A-Za-z0-9]{8,}"), ("message", "msg_[A-Za-z0-9]{8,}"))),
    ],
)
async def test_what_was_redacted_still_plays(
    rules: RedactSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Recorded without rules, redacted by rules, played by rules: every request hits, whatever ids became."""
    path = tmp_path / "a.yaml"
    async with proxied(path, mode="record", redact=OFF) as proxy:
        recorded = await converse(proxy.url)
    assert "redact.env names NO_SUCH_VARIABLE, which is not set" in caplog.text
    assert S["openai"] in path.read_text()
    patterns = "".join(f"    {name}: '{pattern}'\n" for name, pattern in rules.patterns)
    config = f"redact:\n  fields: {list(rules.fields)}\n  paths: {[str(each) for each in rules.paths]}\n"
    run("redact", path, "--config", rules_file(tmp_path, config + (f"  patterns:\n{patterns}" if patterns else "")))
    assert S["openai"] not in path.read_text()
    assert recorded[0]["id"] not in path.read_text() or not (rules.paths or rules.fields or len(rules.patterns) > 1)
    async with proxied(path, mode="playback", redact=rules) as proxy:
        played = await converse(proxy.url)
        assert proxy.session.receipt().failures == ()
    assert played[1:4] == [200, 200, 200]
    assert played[4]["thread_id"] == played[0]["id"]


REAL = Path(__file__).parents[2] / ".." / "shared" / "real-traffic"


@pytest.mark.skipif(not REAL.is_dir(), reason="the recordings of real traffic are not beside this repository")
def test_real_recordings_of_another_tool_are_searched() -> None:
    """Cookies and organisations are found in what the real API sent, and what was redacted already is not."""
    found = json.loads(run("scan", REAL, "--json", code=1).output)
    rules = {each["rule"] for each in found}
    assert rules == {"header.set-cookie", "header.organization", "header.project", "header.cf-ray", "id.organization"}
    assert len(found) > 1000
