"""`emulate` as a process."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.processes import client, ended, started

BETA = {"Authorization": "Bearer any", "OpenAI-Beta": "assistants=v2"}


def emulated(cwd: Path, *options: str) -> list[dict[str, Any]]:
    """What a new emulator answers to the same requests."""
    with started("emulate", *options, cwd=cwd) as emulator, client(emulator.url, headers=BETA) as api:
        thread = api.post("/v1/threads", json={}).json()
        message = api.post(f"/v1/threads/{thread['id']}/messages", json={"role": "user", "content": "Hello"}).json()
    return [thread, message]


def test_seed_and_clock_make_the_ids_and_times(tmp_path: Path) -> None:
    """The same ones give the same answers, others do not."""
    one, other = emulated(tmp_path), emulated(tmp_path, "--seed", "1", "--clock-start", "5")
    assert emulated(tmp_path, "--seed", "0") == one
    assert [part["id"] for part in one] != [part["id"] for part in other]
    assert [part["created_at"] for part in other] == [5, 5]


def test_it_says_where_it_is_and_ends_when_told(tmp_path: Path) -> None:
    """A ready line, a ready file, health, and 0 after SIGINT; nothing in the folder."""
    with started("emulate", cwd=tmp_path) as emulator:
        with client(emulator.admin_url) as admin:
            assert admin.get("/health").json()["status"] == "ok"
            assert admin.get("/ready").json()["mode"] == "emulate"
        emulator.stop(signal.SIGINT)
    assert (emulator.status, emulator.err) == (0, "")
    assert emulator.out == f"replayproxy: emulate on {emulator.url} (admin {emulator.admin_url})\n"
    assert emulator.facts.keys() == {"mode", "url", "admin_url", "admin_token", "pid"}
    assert list(tmp_path.iterdir()) == []


def test_web_pages_and_other_names_are_shut_out(tmp_path: Path) -> None:
    """On the port of the API as well; a name that is given counts."""
    with started("emulate", "--allow-host", "emulator.test", cwd=tmp_path) as emulator, client(emulator.url) as api:
        page = {"Origin": "https://evil.example"}
        named = [api.get("/v1/models", headers=BETA | {"Host": name}) for name in ("emulator.test", "evil.example")]
        asked = api.post("/v1/threads", headers=BETA | page, json={})
        assert [answer.status_code for answer in named] == [200, 403]
        assert (asked.status_code, asked.json()["error"]["code"]) == (403, "wrong_origin")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", "-1"), r"--seed: expected a whole number"),
        (("--clock-start", "soon"), r"--clock-start: expected a whole number"),
        (("--port", "0", "--host", "192.0.2.1"), r"cannot listen on 192\.0\.2\.1:0 \(.+\); choose another --host"),
    ],
)
def test_wrong_usage_is_2(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    """One message that names the option."""
    result = ended("emulate", *options, cwd=tmp_path)
    assert result.returncode == 2
    assert re.search(f"Error: {message}", result.stderr)
    assert "Traceback" not in result.stderr


def test_what_it_remembers_can_be_seen_and_forgotten(tmp_path: Path) -> None:
    """On the admin port: counts, all objects, and a reset that gives the fixtures again."""
    (tmp_path / "fixtures.yaml").write_text("thread:\n  - {id: thread_mine, metadata: {a: b}}\n")
    with (
        started("emulate", "--fixtures", "fixtures.yaml", cwd=tmp_path) as emulator,
        client(emulator.url, headers=BETA) as api,
        client(emulator.admin_url, headers=emulator.admin_headers) as admin,
    ):
        assert api.get("/v1/threads/thread_mine").json()["metadata"] == {"a": "b"}
        made = api.post("/v1/threads", json={}).json()["id"]
        assert admin.get("/state").json()["counts"] == {"thread": 2}
        records = admin.get("/state?full").json()["records"]
        assert [(each["kind"], each["id"], each["parent"]) for each in records] == [
            ("thread", "thread_mine", None),
            ("thread", made, None),
        ]
        assert admin.post("/reset", headers={"Origin": "https://elsewhere.example"}).status_code == 403
        assert admin.post("/reset").json()["counts"] == {"thread": 1}
        assert api.get(f"/v1/threads/{made}").status_code == 404
        assert api.get("/v1/threads/thread_mine").status_code == 200
        assert api.post("/v1/threads", json={}).json()["id"] == made


def test_it_remembers_across_restarts_where_asked_to(tmp_path: Path) -> None:
    """In a file; a second emulator cannot have it at the same time."""
    state = ("--state", "emulator.db")
    with started("emulate", *state, cwd=tmp_path) as emulator, client(emulator.url, headers=BETA) as api:
        thread = api.post("/v1/threads", json={}).json()
        second = ended("emulate", *state, "--port", "0", cwd=tmp_path)
        assert (second.returncode, "locked" in second.stderr) == (2, True)
        emulator.stop(signal.SIGTERM)
    with started("emulate", *state, cwd=tmp_path) as emulator, client(emulator.url, headers=BETA) as api:
        assert api.get(f"/v1/threads/{thread['id']}").json()["id"] == thread["id"]


def test_unknown_ids_of_any_shape(tmp_path: Path) -> None:
    """Made on the spot where asked for, with children; what was deleted stays gone."""
    with (
        started("emulate", "--unknown-ids", "create", cwd=tmp_path) as emulator,
        client(emulator.url, headers=BETA) as api,
    ):
        assert api.get("/v1/threads/of-last-year").json()["id"] == "of-last-year"
        assert api.get("/v1/threads/of-last-year/messages/m1").json()["thread_id"] == "of-last-year"
        assert api.delete("/v1/threads/of-last-year").json()["deleted"] is True
        assert api.get("/v1/threads/of-last-year").status_code == 404


def test_coverage_tells_what_is_emulated(tmp_path: Path) -> None:
    """By family, with what is left out, and a sum."""
    result = ended("emulate", "--coverage", cwd=tmp_path)
    assert result.returncode == 0
    *families, last = result.stdout.splitlines()
    assert re.fullmatch(r"threads +4 of +4", next(line for line in families if line.startswith("threads")))
    assert re.fullmatch(r"all +\d+ of +\d+ operations", last)
    told = json.loads(ended("emulate", "--coverage", "--json", cwd=tmp_path).stdout)
    assert {"family": "messages", "not_emulated": []}.items() <= {
        key: value for row in told if row["family"] == "messages" for key, value in row.items()
    }.items()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--fixtures", "none.yaml"), r"none\.yaml: the fixtures cannot be read"),
        (("--state", "."), r"\. cannot be used to keep the emulator's state"),
        (("--pace", "slow"), r"--pace: expected a number of seconds from 0, not 'slow'"),
        (("--unknown-ids", "maybe"), r"Invalid value for '--unknown-ids'"),
        (("--model-backend", "ftp://x"), r"--model-backend: expected "),
        (
            ("--model-backend", "http://127.0.0.1:1/v1", "--model-key-env", "NOT_SET_AT_ALL"),
            r"model_key_env names NOT_SET_AT_ALL, which is not set",
        ),
    ],
)
def test_what_cannot_be_is_told_at_the_start(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    """One line, status 2, and no traceback."""
    result = ended("emulate", *options, "--port", "0", cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert re.search(message, result.stderr)
    assert "Traceback" not in result.stderr


def test_editors_get_a_schema_for_replies(tmp_path: Path) -> None:
    """Which takes what the documentation shows."""
    schema = json.loads(ended("emulate", "--replies-schema", cwd=tmp_path).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    page = Path(__file__).parents[2].joinpath("docs", "emulator-replies.md").read_text("utf-8")
    examples = [block.partition("```")[0] for block in page.split("```yaml\n")[1:]]
    assert examples
    for example in examples:
        jsonschema.validate(yaml.safe_load(example), schema)
