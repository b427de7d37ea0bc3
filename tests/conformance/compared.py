"""Something recorded beside the same here: what only one of both has."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conformance import differences, normal


@dataclass(frozen=True)
class Compared:
    """Lines recorded and lines here, and where they are from, as rules name it."""

    where: str
    recorded: tuple[str, ...]
    here: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the lines that only one of both has, with - for the recording and + for here."""
        found = difflib.unified_diff(self.recorded, self.here, lineterm="", n=0)
        return [line for line in found if not line.startswith(("---", "+++", "@@"))]

    def used(self) -> set[differences.Rule]:
        """Return the rules that its differences need."""
        return differences.used(self.where, self.lines())

    def check(self) -> None:
        """Fail with the differences that are not listed."""
        if unlisted := differences.unlisted(self.where, self.lines()):
            pytest.fail(
                "\n".join([f"{self.where}: docs/embedded.md does not list", *unlisted]), pytrace=False
            )


def fields(value: Any, prefix: str = "") -> tuple[str, ...]:
    """Return a line for each field of a JSON value, with what varies made the same."""
    return tuple(normal.line(each) for each in normal.flat(value, prefix))
