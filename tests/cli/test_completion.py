"""What shells complete."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from replayproxy.core.cassette import Head
from replayproxy.stores import FileStore
from tests.builders import interaction, request
from tests.processes import COMMAND, environment

BASH = shutil.which("bash") or ""
#: Shows what is called with which words, except for what completes them.
SHOWING = """replayproxy() {
if [ -n "$_REPLAYPROXY_COMPLETE" ]; then command replayproxy "$@"; else echo "<$*>"; fi
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a cassette."""
    recorder = FileStore(tmp_path / "c.yaml").append_to(Head())
    for number in range(11):
        recorder.append(interaction(request(target=f"/v1/{number}")), number)
    recorder.close()
    return tmp_path


def completed(folder: Path, *words: str, shell: str = "bash") -> list[str]:
    """What click answers a shell in which these words were typed; the last one is not finished."""
    typed = " ".join(("replayproxy", *(word or '""' for word in words)))
    more = {"COMP_WORDS": typed, "COMP_CWORD": words[-1] if shell == "fish" else str(len(words))}
    asked = environment(_REPLAYPROXY_COMPLETE=f"{shell}_complete", **more)
    done = subprocess.run([*COMMAND], cwd=folder, env=asked, text=True, capture_output=True, timeout=30, check=False)
    assert done.stderr == ""
    return done.stdout.strip().splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("cassette", "sh"), ["plain,show"]),
        (("cassette", "show", "--as"), ["plain,--as"]),
        (("cassette", "show", "c.yaml", "1", "--as", "h"), ["plain,httpx", "plain,http", "plain,har"]),
        (("cassette", "show", "c.ya"), ["file,c.ya"]),
        (("cassette", "show", "c.yaml", "1"), ["plain,1", "plain,10", "plain,11"]),
        (("cassette", "show", "none.yaml", "1"), []),
        (("serve", "--mode", "pl"), ["plain,playback"]),
        (("completion", "z"), ["plain,zsh"]),
        (("tail", "outc"), ["plain,outcome:"]),
        (("tail", "-outc"), ["plain,-outcome:"]),
        (("tail", "bod"), ["plain,body~"]),
        (("tail", "outcome:mi"), ["plain,outcome:missed", "plain,outcome:miss"]),
        (("tail", "is:str"), ["plain,is:stream"]),
        (("tail", "is:stream", "outcome", ":", "mi"), ["plain,missed", "plain,miss"]),
        (
            ("tail", "is", ":"),
            [f"plain,{each}" for each in ("stream", "problem", "invalid", "live", "hit", "miss", "error")],
        ),
        (("tail", "nokey:x"), []),
    ],
)
def test_words_are_completed(words: tuple[str, ...], expected: list[str], folder: Path) -> None:
    """Commands, options and what they take, files, interactions, filters; bash takes a colon for a word."""
    assert completed(folder, *words) == expected


def test_an_interaction_is_completed_with_its_request(folder: Path) -> None:
    """In shells that show what a word means."""
    assert completed(folder, "cassette", "show", "c.yaml", "3", shell="fish") == ["plain,3\tPOST /v1/2 -> 200"]


def test_hostile_titles_are_harmless(folder: Path) -> None:
    """A cassette's comment may hold anything."""
    (folder / "c.yaml").write_bytes(b"--- # 1: \x1b]0;x\x07\n")
    (found,) = completed(folder, "cassette", "show", "c.yaml", "1", shell="fish")
    assert found == "plain,1\t\\x1b]0;x\\x07"


@pytest.mark.parametrize("words", ["cassette sh", "tail outc", "completion b"])
def test_completion_imports_nothing_heavy(words: str) -> None:
    """That is what makes it quick."""
    program = (
        "import json, sys; from replayproxy.cli import main\n"
        "try: main()\n"
        "finally: print(json.dumps(list(sys.modules)), file=sys.stderr)"
    )
    number = str(len(words.split()))
    asked = environment(_REPLAYPROXY_COMPLETE="bash_complete", COMP_WORDS=f"replayproxy {words}", COMP_CWORD=number)
    done = subprocess.run([sys.executable, "-c", program], env=asked, text=True, capture_output=True, check=False)
    loaded = set(json.loads(done.stderr))
    assert done.stdout
    assert loaded.isdisjoint({"aiohttp", "asyncio", "pydantic", "yaml", "rich", "orjson", "replayproxy.stores"})


@pytest.mark.parametrize(
    ("shell", "sign"),
    [
        ("bash", "complete -o nosort -F _replayproxy_completion replayproxy"),
        ("zsh", "#compdef replayproxy"),
        ("fish", "complete --no-files --command replayproxy"),
    ],
)
def test_each_shell_gets_its_script(shell: str, sign: str) -> None:
    """And needs none of the others for it."""
    done = subprocess.run(
        [*COMMAND, "completion", shell], env=environment(PATH=""), text=True, capture_output=True, check=True
    )
    assert sign in done.stdout
    assert "_REPLAYPROXY_COMPLETE" in done.stdout
    assert (done.stderr, shell == "bash") == ("", "nospace" in done.stdout)


def test_help_says_how_to_install_it() -> None:
    """For each shell."""
    done = subprocess.run(
        [*COMMAND, "completion", "--help"], env=environment(), text=True, capture_output=True, check=True
    )
    assert 'eval "$(replayproxy completion bash)"' in done.stdout
    assert "~/.config/fish/completions/replayproxy.fish" in done.stdout


@pytest.mark.skipif(not BASH, reason="there is no bash")
def test_bash_completes_with_the_script(folder: Path) -> None:
    """With its own machinery: words that are typed and the key that completes them."""
    (folder / "bin").mkdir()
    command = folder / "bin" / "replayproxy"
    command.write_text(f'#!/bin/sh\nexec {" ".join(COMMAND)} "$@"\n')
    command.chmod(0o755)
    script = folder / "script"
    script.write_text(
        'eval "$(replayproxy completion bash)"\n'
        "shopt -s progcomp\n"
        'bind "set completion-query-items 0" "set page-completions off" 2>/dev/null\n'
    )
    typed = "replayproxy cassette sh\tc.yaml 10 --as cu\t\nexit\n"
    asked = environment(TERM="dumb", PS1="$ ", HISTFILE="/dev/null", INPUTRC="/dev/null")
    asked["PATH"] = f"{folder / 'bin'}:{asked['PATH']}"
    done = subprocess.run(
        [BASH, "--noprofile", "--rcfile", str(script), "-i"],
        cwd=folder,
        env=asked,
        input=SHOWING + typed,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert "<cassette show c.yaml 10 --as curl>" in done.stdout, done.stderr
