"""Asks pip-audit about pinned dependencies: `audit.py CONSTRAINTS`. Exit status 1 when an advisory speaks of one.

Where the database of advisories cannot be reached nothing is known, and nothing fails: that is said instead.
"""

from __future__ import annotations

import json
import subprocess
import sys


def main() -> int:
    """Runs pip-audit in this interpreter's environment and judges what it says."""
    command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "-r", sys.argv[1], "-f", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own words
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        print(f"NOT AUDITED: pip-audit could not ask ({last[0][:300]})")
        return 0
    unknown = [each["name"] for each in told if "skip_reason" in each]
    found = [(each["name"], each["version"], bug) for each in told for bug in each.get("vulns", ())]
    for name, version, bug in found:
        fixed = ", ".join(bug["fix_versions"]) or "no version yet"
        print(f"{name} {version}: {bug['id']} ({', '.join(bug['aliases'])}), fixed in {fixed}")
    print(f"{len(told) - len(unknown)} of {len(told)} pinned packages audited, {len(found)} advisories")
    if unknown:
        print(f"NOT AUDITED, unknown to the database that could be asked: {len(unknown)} packages")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
