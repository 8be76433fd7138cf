"""Who may import whom, and what the pure layers may not touch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import replayproxy

PACKAGE = Path(replayproxy.__file__).parent
#: From the top down: a module may import from its own layer and from those below.
LAYERS = (
    ("cli", "pytest_plugin", "__main__"),
    ("proxy", "emulator"),
    ("config", "stores"),
    ("openai_api",),
    ("core",),
    ("errors", "__init__"),
)
PARTS = {each for parts in LAYERS for each in parts}
PURE = ("openai_api", "core", "errors")
#: Modules that look at a clock, chance, the environment, the disk, the network or the terminal.
IMPURE_MODULES = {
    *("aiohttp", "click", "httptools", "requests", "rich", "uvloop"),
    *("asyncio", "multiprocessing", "select", "selectors", "signal", "subprocess", "threading", "time"),
    *("http.client", "http.server", "socket", "socketserver", "ssl", "urllib.request"),
    *("glob", "logging", "os", "pathlib", "random", "secrets", "shutil", "tempfile"),
}
#: Calls that do the same without an import of their own.
IMPURE_CALLS = {"open", "input", "print", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def part(module: str) -> str:
    """The module's first name within the package; `__init__` for the package itself."""
    return [*module.split("."), "__init__"][1]


def layer(module: str) -> int:
    """The layer that `module` (`replayproxy.proxy.app`) is in, counted from the top."""
    return next(number for number, parts in enumerate(LAYERS) if part(module) in parts)


def module_name(path: Path) -> str:
    """The dotted name of the module in `path`."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything imported anywhere in a module, functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            whole = "." * node.level + (node.module or "")
            yield node.lineno, whole
            yield from ((node.lineno, f"{whole}.{alias.name}") for alias in node.names)


def upward_imports(module: str, source: str) -> list[str]:
    """The imports of `module` that go up, and those that are relative (which hide where they go)."""
    found = []
    for line, name in imports(ast.parse(source)):
        known = name.startswith("replayproxy.") and part(name) in PARTS
        if name.startswith(".") or (known and module != "replayproxy" and layer(name) < layer(module)):
            found.append(f"{module}:{line} imports {name}")
    return found


def impurities(module: str, source: str) -> list[str]:
    """What a pure module may not do but does."""
    tree = ast.parse(source)
    found = [
        f"{module}:{line} imports {name}"
        for line, name in imports(tree)
        if IMPURE_MODULES & {name, name.split(".")[0], ".".join(name.split(".")[:2])}
    ]
    calls = [(node.lineno, ast.unparse(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return found + [
        f"{module}:{line} calls {name}" for line, name in calls if ".".join(name.split(".")[-2:]) in IMPURE_CALLS
    ]


def sources(*parts: str) -> Iterator[tuple[str, str]]:
    """Name and text of each module, of those below `parts` when given."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = module_name(path)
        if not parts or part(name) in parts:
            yield name, path.read_text("utf-8")


def test_every_module_belongs_to_a_layer() -> None:
    """A new module or package says where it stands."""
    assert {part(name) for name, _ in sources()} <= PARTS


def test_no_module_imports_from_above() -> None:
    """Imports go down the layers only, and name their target in full."""
    assert [found for name, text in sources() for found in upward_imports(name, text)] == []


def test_the_pure_layers_touch_nothing_outside() -> None:
    """core, openai_api and errors know neither network nor disk, clock, chance, environment or terminal."""
    assert [found for name, text in sources(*PURE) for found in impurities(name, text)] == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        (
            "replayproxy.core.a",
            "from replayproxy.config import load",
            "replayproxy.core.a:1 imports replayproxy.config",
        ),
        ("replayproxy.core.a", "def f():\n    import replayproxy.proxy.app", "core.a:2 imports replayproxy.proxy.app"),
        ("replayproxy.stores", "from replayproxy import emulator", "replayproxy.stores:1 imports replayproxy.emulator"),
        ("replayproxy.core.a", "from . import b", "replayproxy.core.a:1 imports ."),
    ],
)
def test_an_import_from_above_is_named(module: str, source: str, expected: str) -> None:
    """The check sees imports inside functions, of modules as names, and relative ones."""
    assert any(expected in found for found in upward_imports(module, source))


@pytest.mark.parametrize(
    "source", ["from replayproxy.core import b", "import replayproxy", "from replayproxy import errors"]
)
def test_an_import_from_beside_or_below_is_fine(source: str) -> None:
    """A layer may use itself, what is under it, and the version."""
    assert upward_imports("replayproxy.core.a", source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os.path", "imports os.path"),
        ("from asyncio import sleep", "imports asyncio"),
        ("import http.client", "imports http.client"),
        ("from urllib import request", "imports urllib.request"),
        ("import datetime\ndatetime.datetime.now()", "calls datetime.datetime.now"),
        ("from datetime import date\ndate.today()", "calls date.today"),
        ("with open('x') as f: pass", "calls open"),
    ],
)
def test_an_impurity_is_named(source: str, expected: str) -> None:
    """The check sees every way in which a pure module could look outside."""
    assert any(expected in found for found in impurities("replayproxy.core.a", source))


def test_parsing_a_url_or_a_date_is_pure() -> None:
    """What only computes is allowed."""
    source = "from datetime import datetime\nfrom urllib.parse import unquote\ndatetime.fromtimestamp(0, tz=None)"
    assert impurities("replayproxy.core.a", source) == []
