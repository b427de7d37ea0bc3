"""The list of differences in docs/embedded.md, held against what was found."""

from __future__ import annotations

from tests.conformance.compared import Compared
from tests.conformance.differences import rules


def test_each_difference_that_is_listed_is_there(
    typed: list[Compared], answered: list[Compared], watched: list[Compared]
) -> None:
    used = {rule for each in (*typed, *answered, *watched) for rule in each.used()}
    assert [rule for rule in rules() if rule not in used and not rule.may] == []
