"""The benchmarks still run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "validation.py"


def test_the_cost_of_validation_can_be_measured() -> None:
    """The script prints its tables and ends well; what stands in them is not judged."""
    done = subprocess.run([sys.executable, SCRIPT, "--quick"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "| assistants | at once | record | CPU of the proxy |" in done.stdout
