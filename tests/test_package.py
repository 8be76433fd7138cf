"""The package as its users meet it: names, imports, version, README, shipped recordings."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import replayproxy

PACKAGE = Path(replayproxy.__file__).parent
ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)
CASSETTES = sorted((ROOT / "cassettes").rglob("*.yaml"))

#: Imports each module as if it were the first: what of ours was imported before is forgotten in between.
IMPORT_EACH_ALONE = """
import importlib, sys
for name in sys.argv[1:]:
    for old in [old for old in sys.modules if old.partition(".")[0] == "replayproxy"]:
        del sys.modules[old]
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{name}: {error!r}")
"""


def borrowed_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The module of ours and the name for each `from replayproxy… import name`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "replayproxy":
            yield from ((str(node.module), alias.name) for alias in node.names)


def test_public_names_of_the_package_are_those_in_all() -> None:
    """What `import replayproxy` offers is what `__all__` says."""
    fresh = "import replayproxy, types; print([n for n, v in vars(replayproxy).items() if n[0] != '_'"
    fresh += " and not isinstance(v, types.ModuleType)])"
    result = subprocess.run([sys.executable, "-c", fresh], capture_output=True, text=True, check=True)
    assert {*ast.literal_eval(result.stdout), "__version__"} == set(replayproxy.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_modules_say_what_they_offer_and_take_no_more_from_each_other(name: str) -> None:
    """Each module's `__all__` names what is there, and other modules of ours use nothing beyond it."""
    module = importlib.import_module(name)
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    only_docstring = len(tree.body) <= 1
    assert only_docstring or [each for each in module.__all__ if not hasattr(module, each)] == []
    assert only_docstring or len(module.__all__) == len(set(module.__all__))
    hidden = [
        f"{source}.{each}"
        for source, each in borrowed_names(tree)
        if f"{source}.{each}" not in MODULES and each not in importlib.import_module(source).__all__
    ]
    assert hidden == [], "imported, but not in the __all__ of where it is from"


def test_every_module_can_be_imported_alone() -> None:
    """No module needs another one to have been imported first: there are no import cycles to fall into."""
    command = [sys.executable, "-W", "error", "-c", IMPORT_EACH_ALONE, *MODULES]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)


def test_version_is_that_of_the_distribution() -> None:
    """`__version__` is what was installed."""
    assert replayproxy.__version__ == importlib.metadata.version("replayproxy")


def test_the_first_two_blocks_of_the_readme_are_one_command_line_each() -> None:
    """They are run by the letter in CI: the first shows the demo, the second runs these tests."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    demo, tests = blocks[:2]
    assert (demo.count("\n"), tests.count("\n")) == (1, 1)
    assert "replayproxy demo" in demo
    assert "pytest" in tests


def test_links_in_the_documents_lead_somewhere() -> None:
    """A relative link in README, changelog or docs names a file that is there."""
    for document in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]:
        text = document.read_text("utf-8")
        targets = [*re.findall(r"\]\((?!\w+:|#)([^)#]+)", text), *re.findall(r'\bsrc(?:set)?="([^"]+)"', text)]
        assert [target for target in targets if not (document.parent / target).exists()] == [], document.name


def test_a_cassette_is_shipped() -> None:
    """There is a recording to look at."""
    assert CASSETTES


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_shipped_cassette_holds_no_secret(path: Path) -> None:
    """Nothing that looks like a credential or names an organisation stands in a file that we publish."""
    from replayproxy.core.redaction import find_secrets

    assert list(find_secrets(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.stem)
def test_shipped_cassette_round_trips_unchanged(path: Path, tmp_path: Path) -> None:
    """Loaded and written again, a shipped cassette is the same file."""
    from replayproxy.stores import FileStore

    cassette = FileStore(path).load()
    assert cassette.interactions
    recorder = FileStore(tmp_path / path.name).replace_take(cassette.head)
    for arrival, interaction in enumerate(cassette.interactions, start=1):
        recorder.append(interaction, arrival)
    recorder.close()
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()
