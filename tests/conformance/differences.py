"""The differences that docs/embedded.md lists: the suite finds no other, and finds each of these.

In the section "Differences that the conformance suite finds", a paragraph is a reason, and the lines of the
block below it are rules: `WHERE: -LINE` for what only the recording has, `WHERE: \\+LINE` for what only
the embedded cluster says. WHERE and LINE are regular expressions; a rule in parentheses need not be found, as
timing decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "embedded.md"
HEADING = "## Differences that the conformance suite finds"
_RULE = re.compile(r"    (?P<open>\()?(?P<where>.+?): (?P<line>(?:-|\\\+|\[-\+\]).*?)(?(open)\))")


@dataclass(frozen=True)
class Rule:
    """One difference: where, its line with its sign, and whether timing decides if it is seen."""

    where: str
    line: str
    may: bool

    def allows(self, where: str, difference: str) -> bool:
        """Return whether this is that difference."""
        told = difference[0] + difference[1:].strip()
        return bool(re.search(self.where, where)) and bool(re.fullmatch(self.line, told))


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of the document."""
    _, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(HEADING)
    found = [match for match in map(_RULE.fullmatch, rest.partition("\n## ")[0].splitlines()) if match]
    return tuple(Rule(match["where"], match["line"], bool(match["open"])) for match in found)


def unlisted(where: str, differences: list[str]) -> list[str]:
    """Return the differences that no rule allows."""
    return [each for each in differences if not any(rule.allows(where, each) for rule in rules())]


def used(where: str, differences: list[str]) -> set[Rule]:
    """Return the rules that these differences need."""
    return {rule for rule in rules() for each in differences if rule.allows(where, each)}
