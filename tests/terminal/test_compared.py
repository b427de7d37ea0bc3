"""Two runs side by side on a terminal, as golden files in both languages."""

from __future__ import annotations

import io
from collections.abc import Callable
from copy import deepcopy

import pytest
from rich.cells import cell_len

from kubetour.comparison import compare
from kubetour.terminal.compared import print_comparison
from kubetour.terminal.console import make
from tests.html import sample


def printed(language: str, same: bool = False) -> str:
    one = sample.documents(sample.failed())[language]
    other = deepcopy(one)
    if not same:
        other["seconds"] = 19.0
        other["steps"][2]["seconds"] = 12.0
        other["steps"][1]["commands"][0]["text"] = "do otherwise\nand more"
        other["steps"][4]["proof"]["text"] = "\x1b[2Jnothing  \n answered"
        other["settings"]["replicas"] = 5
        del other["steps"][-1]
    stream = io.StringIO()
    print_comparison(make(stream), compare(one, other), language)
    return stream.getvalue()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_reads_as_recorded_and_its_table_fits_80_columns(
    language: str, golden: Callable[[str, str], None]
) -> None:
    text = printed(language)
    assert max(map(cell_len, text.split("\n\n", maxsplit=1)[0].splitlines())) <= 80
    assert "\x1b" not in text
    golden(f"compared.{language}.txt", text)


def test_of_two_equal_runs_it_says_that_nothing_differs() -> None:
    text = printed("en", same=True)
    assert "≠" not in text
    assert "None: both runs had the same settings" in text
    assert "Nothing: both ran the same commands" in text
