"""What all tests share: how hypothesis behaves."""

from __future__ import annotations

import os

from hypothesis import settings

# On a busy machine a time limit per example fails at random; in CI, chance would make a change look guilty.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")
