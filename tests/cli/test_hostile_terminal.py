"""What strangers recorded never steers a terminal, colours and pager or not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from replayproxy.cli import cli
from tests.cli.terminals import CONTROLS, on_a_terminal, shown, uncoloured
from tests.processes import ended
from tests.robustness.test_output import NAMED, SPOILED, recorded

#: Markup of rich, which is text here.
MARKUP = "[bold red]x[/] [link=http://evil.test]y[/link] :smile:"
COMMANDS = {
    "list a folder": ("list", "."),
    "show": ("show", "c.yaml", "1"),
    "show text": ("show", "c.yaml", "2"),
    "show events": ("show", "c.yaml", "3"),
    "diff": ("diff", "c.yaml", "d.yaml"),
    "diff none": ("diff", f"no{NAMED}#1", "c.yaml#1"),
    "stats": ("stats", "c.yaml", "d.yaml"),
    "stats of a spoiled one": ("stats", NAMED),
}
#: What is otherwise on a terminal than in a pipe.
ON_A_TERMINAL = {
    "list": ("list", "c.yaml"),
    "show events": ("show", "c.yaml", "3"),
    "show yaml": ("show", "c.yaml", "1", "--as", "yaml"),
    "show http": ("show", "c.yaml", "2", "--as", "http"),
    "show curl": ("show", "c.yaml", "2", "--as", "curl"),
    "show openai": ("show", "c.yaml", "1", "--as", "openai"),
    "show httpx": ("show", "c.yaml", "2", "--as", "httpx"),
    "show javascript": ("show", "c.yaml", "2", "--as", "javascript"),
    "show har": ("show", "c.yaml", "2", "--as", "har"),
    "check": ("check", "--schema", "."),
    "scan": ("scan", "."),
    "redact": ("redact", "--dry-run", "c.yaml", "d.yaml"),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with hostile cassettes: one, another one that differs, and some that cannot be read."""
    folder = tmp_path_factory.mktemp("hostile")
    text = recorded()
    (folder / "c.yaml").write_bytes(text.encode())
    other = text.replace("createThread", json.dumps(MARKUP)).replace("status: 200", "status: 500", 1)
    (folder / "d.yaml").write_bytes(other.encode())
    (folder / NAMED).write_text("replayproxy: [")
    for number, spoiled in enumerate(SPOILED.values()):
        (folder / f"spoiled{number}.yaml").write_bytes(spoiled.encode())
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_colours_are_put_around_text_that_is_harmless(
    command: str, hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else that a terminal obeys is printed."""
    monkeypatch.chdir(hostile)
    told = CliRunner().invoke(
        cli, ["cassette", *COMMANDS[command]], env={"FORCE_COLOR": "1", "NO_COLOR": ""}, color=True
    )
    assert told.exception is None or isinstance(told.exception, SystemExit)
    assert uncoloured(told.output).strip()
    assert not CONTROLS.search(uncoloured(told.output)), CONTROLS.search(uncoloured(told.output))


@pytest.mark.parametrize("command", ON_A_TERMINAL)
def test_a_terminal_with_colours_gets_no_other_control_character(command: str, hostile: Path) -> None:
    """The pager gets the same."""
    told = shown("cassette", *ON_A_TERMINAL[command], cwd=hostile)
    seen = uncoloured(told)
    assert seen.strip()
    assert "Traceback" not in seen
    assert not CONTROLS.search(seen), CONTROLS.search(seen)


@pytest.mark.skipif(not shutil.which("less"), reason="there is no less")
def test_less_gets_no_other_control_character(hostile: Path) -> None:
    """What it is told to pass through is colours."""
    with on_a_terminal("cassette", "show", "c.yaml", "3", cwd=hostile, PAGER="less", LESS="-RFX") as terminal:
        terminal.wait_for("http://evil.test")
        told = terminal.text
    assert "\x07" not in told
    assert "\x9b" not in told
    assert "\x1b]" not in told


def test_markup_is_text(hostile: Path) -> None:
    """No style, no link, no emoji comes out of a recording."""
    told = shown("cassette", "list", "d.yaml", cwd=hostile)
    assert "]8;" not in told
    assert MARKUP.replace(" ", "") in "".join(uncoloured(shown("cassette", "stats", "d.yaml", cwd=hostile)).split())


def test_a_pipe_gets_an_http_message_as_it_is(hostile: Path) -> None:
    """It is for a program; and nothing is spelled out in a command to be run."""
    told = ended("cassette", "show", "c.yaml", "2", "--as", "http", cwd=hostile)
    assert told.returncode == 0
    assert "\x1b[31mred" in told.stdout
