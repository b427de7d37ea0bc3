"""docs/security.md: every rule is there, with checks that are there."""

from __future__ import annotations

import re

from kubetour.embedded.documents import DEEPEST, LARGEST
from kubetour.embedded.limits import STANDARD
from kubetour.project import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = {int(number): row for number, row in re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)}


def test_each_of_the_24_rules_names_its_checks_and_they_are_there() -> None:
    assert sorted(ROWS) == list(range(1, 25))
    for number, row in ROWS.items():
        files = re.findall(r"`((?:tests/|\.ci/)[\w./]+)`", row.rpartition("|")[2])
        assert files, number
        for file in files:
            assert (ROOT / file).is_file(), file
            assert not file.endswith(".py") or "def test_" in (ROOT / file).read_text(encoding="utf-8"), file


def test_the_limits_are_those_that_hold() -> None:
    assert LARGEST == 3 * 1024 * 1024
    assert f"{DEEPEST} levels" in PAGE
    for row in (
        f"| connections | {STANDARD.connections} |",
        f"| watches | {STANDARD.watches} |",
        f"| a handshake | {STANDARD.handshake:g} s |",
        f"| a request's head, and between two requests | {STANDARD.idle:g} s |",
        f"| a body's coming | {STANDARD.body:g} s |",
        f"| an answer that nobody reads | {STANDARD.reading / 60:g} min |",
    ):
        assert row in PAGE


def test_the_short_page_points_to_it() -> None:
    assert "docs/security.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
