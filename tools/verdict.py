"""Say how a test run went, in one last line, and fail where a test was skipped because a host was missing.

    python tools/verdict.py .reports/junit.xml

At a desk such a skip is a courtesy. In CI it would mean that nobody has ever seen the function run in that host.
"""

from __future__ import annotations

import sys
from typing import NamedTuple
from xml.etree import ElementTree as ET

# As in tests/conftest.py.
MISSING = "host binary missing: "


class Verdict(NamedTuple):
    """How many tests passed, failed and were skipped, and which hosts the skipped ones missed."""

    passed: int
    failed: int
    skipped: int
    missing: tuple[str, ...]


def read(report: str) -> Verdict:
    """Read the JUnit report at ``report``."""
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - pytest has written it a moment ago
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skips = [skip.get("message", "") for case in cases for skip in case.findall("skipped")]
    missing = sorted({skip.removeprefix(MISSING) for skip in skips if skip.startswith(MISSING)})
    return Verdict(len(cases) - failed - len(skips), failed, len(skips), tuple(missing))


def main(report: str) -> int:
    """Print the verdict on ``report`` and return the exit code."""
    verdict = read(report)
    if verdict.missing:
        print(f"tests were skipped because these hosts are missing: {', '.join(verdict.missing)}", file=sys.stderr)
    print(f"{verdict.passed} passed, {verdict.failed} failed, {verdict.skipped} skipped", flush=True)
    return 1 if verdict.missing or verdict.failed or not verdict.passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
