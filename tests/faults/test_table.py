"""The table of faults in docs/reliability.md and the tests name each other; its codes are those there are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kubetour.codes import find
from kubetour.project import ROOT

TESTS = Path(__file__).resolve().parents[1]
COLUMNS = ["", "Fault", "When", "The user sees", "What is left", "How they go on"]


@cache
def rows() -> dict[str, list[str]]:
    """Return the cells of each row of the tables of faults, by its number."""
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if re.match(r"\| F\d", line))
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {each[0]: each for each in cells}


def named(tree: ast.AST) -> Iterator[str]:
    """Yield the rows that the markers in a module name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
            yield from (ast.literal_eval(each) for each in node.args)


@cache
def modules_by_row() -> dict[str, list[str]]:
    """Return the test modules that name each row."""
    found: dict[str, list[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for number in named(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(number, []).append(str(path.relative_to(TESTS)))
    return found


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    assert sorted(modules_by_row()) == sorted(rows())


def test_the_rows_are_numbered_upwards_each_number_once() -> None:
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    numbers = re.findall(r"^\| (F\d+) \|", text, re.MULTILINE)
    assert numbers == sorted(set(numbers))
    assert all(re.fullmatch(r"F\d\d", number) for number in numbers)


@pytest.mark.parametrize("number", rows())
def test_a_row_has_all_its_cells_and_names_codes_with_their_exit_statuses(number: str) -> None:
    cells = rows()[number]
    assert len(cells) == len(COLUMNS)
    assert all(cells)
    seen = cells[COLUMNS.index("The user sees")]
    for word, status in re.findall(r"(KT\d+)(?: \((\d+)\))?", seen):
        code = find(word)
        assert code, word
        assert not status or int(status) in code.statuses, f"{word} never ends with {status}"


def test_the_columns_are_called_as_they_are_read_here() -> None:
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    heads = {line for line in text.splitlines() if "How they go on |" in line}
    assert {tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in heads} == {tuple(COLUMNS)}
