"""Tests of the helpdesk, as its authors write them."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from pathlib import Path

import helpdesk
import openai
import pytest

ANSWER = "Thank you, we will look into it."


@pytest.mark.replay
def test_question_is_written_down() -> None:
    assert helpdesk.write_down("How does AI work?") == [ANSWER, "How does AI work?"]


@pytest.mark.replay
@pytest.mark.parametrize("question", ["Why?", "Où est l'entrée ?"], ids=["english", "french"])
def test_any_question(question: str) -> None:
    assert question in helpdesk.write_down(question)


@pytest.mark.replay(ignore=["body.metadata.run"])
async def test_ticket_has_an_id() -> None:
    assert (await helpdesk.open_ticket("How does AI work?")).startswith("thread_")


def test_client_of_our_own(replay_session) -> None:
    client = openai.OpenAI(base_url=replay_session.base_url, api_key="any", max_retries=0)
    assert len(helpdesk.write_down("Is anybody there?", client)) == 2
    assert not replay_session.receipt.missed


def test_command(replay_session) -> None:
    command = [sys.executable, str(Path(helpdesk.__file__)), "How does AI work?"]
    environment = {**os.environ, **replay_session.openai_env(), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == ANSWER


@pytest.mark.replay
class TestTroubles(unittest.TestCase):
    def test_none(self) -> None:
        assert helpdesk.try_to_write_down("How does AI work?")
