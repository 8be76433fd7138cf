"""Knowledge of the OpenAI API: its operations, the shapes of their bodies, the wording of its errors.

`catalog.json` beside this is made from the API's OpenAPI description, corrected by `overlay.yaml` where the API is
known to differ; `checks.py` has what schemas cannot say. Importing this package reads none of it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from replayproxy.core.catalog import Catalog
from replayproxy.core.catalog_form import read_catalog
from replayproxy.openai_api.checks import CHECKS

__all__ = ["catalog"]


@cache
def catalog() -> Catalog:
    """The operations of the OpenAI API; read when it is first asked for."""
    return read_catalog(resources.files(__name__).joinpath("catalog.json").read_bytes(), CHECKS)
