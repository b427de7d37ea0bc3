"""axe-core, which looks for what keeps people from reading a page: https://github.com/dequelabs/axe-core

.ci/axe fetches it.
"""

from __future__ import annotations

import os

import pytest

from kubetour.project import ROOT
from tests.html.chromium import Tab

GRAVE = ("serious", "critical")
RUN = """
axe.run().then((found) => found.violations.map((fault) =>
  ({ impact: fault.impact, text: `${fault.id}: ${fault.nodes.map((node) => node.html).join(' | ')}` })))
"""


def source() -> str:
    """Return its text, or skip where it is not; CI must have it."""
    found = sorted((ROOT / ".kubetour").glob("axe-core-*.min.js"))
    if not found and os.environ.get("CI"):
        pytest.fail("CI must have axe-core: .ci/axe fetches it by npm")
    if not found:
        pytest.skip("axe-core not found: .ci/axe fetches it by npm")
    return found[-1].read_text(encoding="utf-8")


def faults(tab: Tab, axe: str) -> list[str]:
    """Return the grave faults that it finds on the page as it is shown."""
    tab.evaluate(f"{axe};0")
    return [fault["text"] for fault in tab.evaluate(RUN) if fault["impact"] in GRAVE]
