"""The pictures in the docs: what the inspector looks like, in light and in dark.

They are made anew with REPLAYPROXY_SCREENSHOTS=docs/images; without it the test makes them elsewhere and looks whether
those in the docs are there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.scenes import acted, looked_at
from tests.browser.stage import Staged

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SHOWN = ("list", "exchange", "stream", "miss", "conversation")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_docs_show_what_it_looks_like(
    open_page: Callable[..., Page], stage: Callable[..., Staged], tmp_path: Path, scheme: str
) -> None:
    """The list, an exchange, a stream, a miss and a conversation, as they are now."""
    folder = Path(os.environ.get("REPLAYPROXY_SCREENSHOTS", "") or tmp_path).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    scene = acted(stage(REPLAYPROXY_EMULATOR__PACE="0.02"))
    page = open_page(color_scheme=scheme)
    for name in SHOWN:
        looked_at(page, scene, name)
        page.screenshot(path=folder / f"{name}-{scheme}.png", caret="initial")  # hiding it takes an inline style
        assert (IMAGES / f"{name}-{scheme}.png").stat().st_size > 10_000
