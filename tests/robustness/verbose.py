"""replayproxy as someone runs it who wants to see everything: every logger at DEBUG, on standard error."""

from __future__ import annotations

import logging

from replayproxy.cli import main

if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s %(pathname)s %(message)s")
    for logger in ("aiohttp.access", "aiohttp.client", "aiohttp.internal", "aiohttp.web", "asyncio", "replayproxy"):
        logging.getLogger(logger).setLevel(logging.DEBUG)
    main()
