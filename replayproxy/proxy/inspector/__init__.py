"""The inspector: what went through the proxy, shown in a browser, and the API that it is made of.

`routes.py` has all of its routes in one table; what answers one is imported when it is first asked.
"""

from __future__ import annotations

__all__: list[str] = []
