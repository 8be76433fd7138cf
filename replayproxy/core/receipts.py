"""Receipts for programs: as structures for JSON, and as JUnit XML.

Rule: whatever stands in a receipt (bytes that are no text, control characters) the result can be read by every parser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from replayproxy.core.messages import plain
from replayproxy.core.receipt import Receipt
from replayproxy.core.report import receipts_lines

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["COUNTS", "junit_xml", "receipt_json", "receipts_json"]

#: What is counted, as `Receipt` names it; in JSON `unplayed` is counted beside these.
COUNTS = ("played", "repeated", "missed", "forwarded", "saved", "lost", "problems", "warnings", "faulted")

#: What XML 1.0 has no place for, not even as a reference, and the carriage return, which its parsers make a line end.
_FORBIDDEN = "[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """One session's receipt as a structure for JSON; lists are bounded (core/session.py), counts are not."""
    counts = {name: getattr(receipt, name) for name in COUNTS} | {"unplayed": len(receipt.unplayed)}
    return {
        "name": plain(receipt.name),
        "cassette": plain(receipt.cassette),
        "mode": receipt.mode,
        "strict": receipt.strict,
        "passed": not receipt.failures,
        "failures": list(receipt.failures),
        "counts": counts,
        "operations": [
            {
                "operation": asked.operation or None,
                "family": asked.family or None,
                "requests": asked.requests,
                "problems": asked.problems,
                "warnings": asked.warnings,
            }
            for asked in receipt.asked
        ],
        "misses": [
            {"reason": told.reason, "method": told.method, "target": plain(told.target), "message": plain(told.message)}
            for told in receipt.misses
        ],
        "unplayed": [
            {"number": left.number, "method": left.method, "target": plain(left.target), "line": left.line}
            for left in receipt.leftovers
        ],
        "unused_rules": [plain(rule) for rule in receipt.unused_rules],
        "error": plain(receipt.broken) or None,
    }


def receipts_json(receipts: Sequence[Receipt]) -> dict[str, Any]:
    """The receipts of a run as a structure for JSON."""
    sessions = [receipt_json(receipt) for receipt in receipts]
    counts = {name: sum(one["counts"][name] for one in sessions) for name in (*COUNTS, "unplayed")}
    return {
        "passed": all(one["passed"] for one in sessions),
        "counts": counts,
        "sessions": sessions,
    }


def junit_xml(receipts: Sequence[Receipt], time: str = "") -> bytes:
    """The receipts of a run as JUnit XML: one suite, and in it a test case for each session.

    `time` is when (ISO 8601); "" leaves it out.
    """
    from xml.etree import ElementTree as ET  # here: few runs ask for it, and all of them start

    failed = sum(1 for receipt in receipts if receipt.failures)
    facts = {"name": "replayproxy", "tests": str(len(receipts)), "failures": str(failed), "errors": "0"}
    root = ET.Element("testsuites", facts)
    suite = ET.SubElement(root, "testsuite", facts | {"skipped": "0", "time": "0"})
    if time:
        suite.set("timestamp", time)
    for receipt in receipts:
        _case(suite, receipt)
    ET.indent(root)
    written: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return written + b"\n"


def _case(suite: Element, receipt: Receipt) -> None:
    from xml.etree import ElementTree as ET

    facts = {"classname": f"replayproxy.{receipt.mode}", "name": _fit(receipt.name or "default"), "time": "0"}
    case = ET.SubElement(suite, "testcase", facts)
    lines = _fit("\n".join(receipts_lines((receipt,))))
    if receipt.failures:
        about = {"message": _fit("; ".join(receipt.failures)), "type": "replay_receipt"}
        ET.SubElement(case, "failure", about).text = lines
    else:
        ET.SubElement(case, "system-out").text = lines


def _fit(text: str) -> str:
    return re.sub(_FORBIDDEN, lambda found: found[0].encode("unicode_escape").decode(), text)
