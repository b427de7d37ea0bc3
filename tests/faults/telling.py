"""What every error must be: a code, a cause and a fix in the user's language, and nothing of Python's."""

from __future__ import annotations

import re

from tests.e2e.checkout import Finished

HAN = re.compile("[\u4e00-\u9fff]")


def told_well(told: Finished, code: str, lang: str = "en") -> None:
    """Prove that a run has ended with an error of that code, told as it must be."""
    mistake = re.search(rf"^✗ {code} (.*)\n(?:.*\n)*?→ (.*)", told.stderr, re.MULTILINE)
    assert mistake, told.told()
    assert "Traceback" not in told.stderr + told.stdout, told.told()
    assert [bool(HAN.search(each)) for each in mistake.groups()] == [lang == "zh"] * 2, told.stderr
