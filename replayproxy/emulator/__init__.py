"""The emulator: a server on the loopback that answers as the OpenAI API does, the same way each time.

`runner.running` starts one, `app.create_app` makes its aiohttp application. One module per family holds what its
operations do, as plain functions of the state and a call; only `app` and `runner` know about the network.
"""

from __future__ import annotations

__all__: list[str] = []
