"""What axe-core, the checker that most auditors use, says of every view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("axe_playwright_python", reason="axe-core comes with it")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.scenes import SEEN, acted, looked_at
from tests.browser.stage import Staged

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

#: What keeps somebody from using a view; "moderate" and "minor" ones are looked at by people.
SERIOUS = frozenset({"serious", "critical"})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_no_view_has_a_serious_violation(
    open_page: Callable[..., Page], stage: Callable[..., Staged], scheme: str, width: int
) -> None:
    """In light and in dark, on a laptop and on a phone: contrast, names, roles, focus, order."""
    scene = acted(stage())
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    found = list[str]()
    for name in SEEN:
        looked_at(page, scene, name)
        found += [f"{name}: {told}" for told in violations(page)]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} has to be scrolled sideways"
    assert not found, "\n".join(found)


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious: the rule, and where."""
    results: Any = Axe().run(page).response
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:160]} — {node.get('failureSummary', '')[:200]}"
        for each in results["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"][:3]
    ]
