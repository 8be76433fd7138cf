"""Proxies for tests: real ones, on free ports."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import yaml

from replayproxy.config import Settings, UpstreamSettings, ValidateSettings
from replayproxy.config.values import EMULATOR, Address
from replayproxy.proxy.admin_token import TOKEN_HEADER
from replayproxy.proxy.app import Proxy, running


def settings_for(cassette: Path, upstream: str = "", mode: str = "record", **more: Any) -> Settings:
    """Settings for a proxy on free ports; `upstream` is a URL or empty for the emulator, `validate` may be a level."""
    address = Address("http", upstream) if upstream else EMULATOR
    timeouts = {name: more.pop(name) for name in ("connect_timeout", "idle_timeout", "ca_file") if name in more}
    if isinstance(level := more.get("validate"), str):
        more["validate"] = ValidateSettings(level)  # type: ignore[arg-type]
    return dataclasses.replace(
        Settings(mode=mode, cassette=cassette, cassettes=None, port=0, admin_port=0),
        upstream=UpstreamSettings(url=address, **timeouts),
        **more,
    )


@contextlib.asynccontextmanager
async def proxied(
    cassette: Path, upstream: str = "", mode: str = "record", key: str | None = None, **more: Any
) -> AsyncIterator[Proxy]:
    """A running proxy."""
    async with running(settings_for(cassette, upstream, mode, **more), key) as proxy:
        yield proxy


def admin_headers(proxy: Proxy) -> dict[str, str]:
    """What whoever changes something over the admin port sends."""
    return {TOKEN_HEADER: proxy.admin_token}


def documents(cassette: Path) -> list[Any]:
    """The documents of a cassette, read by somebody else's reader; the head first."""
    return list(yaml.safe_load_all(cassette.read_text("utf-8")))
