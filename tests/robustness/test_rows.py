"""Every row of the list of bad inputs has a test that bears its id."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROWS = Path(__file__).parents[2].parent / "shared" / "robustness.md"


def named_tests() -> Counter[str]:
    """How many tests bear each id: `test_FRM_01_…` stands for FRM-01."""
    names = Counter[str]()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                found := re.match(r"test_([A-Z]{3})_(\d\d)_", node.name)
            ):
                names["-".join(found.groups())] += 1
    return names


def test_each_row_has_a_test() -> None:
    """No row of the list is without a test named by its id."""
    if not ROWS.exists():
        pytest.skip("the list of bad inputs is not part of a checkout")
    wanted = re.findall(r"^\| ([A-Z]{3}-\d\d) \|", ROWS.read_text("utf-8"), re.MULTILINE)
    assert len(wanted) > 80
    assert not set(wanted) - set(named_tests())
