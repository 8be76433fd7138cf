"""Knowledge of the OpenAI API: its operations, the shapes of their bodies, the wording of its errors.

One module per family, which exports `FAMILY`; a family counts when it stands in `FAMILIES`. Importing this package
does not import pydantic: the models load when a body is first checked.
"""

from __future__ import annotations

from replayproxy.core.catalog import Catalog
from replayproxy.openai_api import assistants, messages, runs, threads

__all__ = ["CATALOG", "FAMILIES"]

FAMILIES = (assistants.FAMILY, threads.FAMILY, messages.FAMILY, runs.FAMILY)
CATALOG = Catalog(FAMILIES)
