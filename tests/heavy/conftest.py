"""What the heavy tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that is removed at once: pytest would keep gigabytes of three runs."""
    yield tmp_path
    shutil.rmtree(tmp_path)
