"""Bars: where they stand, and that the least of them can be seen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.html.bars import LEAST, Bar, bars, scale, ticks


def test_a_bar_stands_where_its_value_is_on_the_scale() -> None:
    assert str(bars((Bar(2, 4, "command", 2),), 8, marks=(4, 8))) == (
        '<svg class="bar" width="100%" height="16" aria-hidden="true">'
        '<line class="grid" x1="50.00%" x2="50.00%" y1="0" y2="16"/>'
        '<rect class="command" x="25.00%" width="25.00%" y="2" height="12" rx="2"/></svg>'
    )


@given(start=st.floats(-1, 12), length=st.floats(0, 20))
def test_no_bar_is_invisible_or_leaves_the_scale(start: float, length: float) -> None:
    drawn = str(bars((Bar(start, start + length, "x"),), 10))
    left, width = map(float, re.findall(r' x="([\d.]+)%" width="([\d.]+)%"', drawn)[0])
    assert left >= 0
    assert width >= LEAST
    assert left + width <= 100.02


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        pytest.param(7.2, (2, 4, 6), id="seconds"),
        pytest.param(0.37, (0.1, 0.2, 0.3), id="less than one"),
        pytest.param(180.0, (50, 100, 150), id="minutes"),
        pytest.param(10.0, (2, 4, 6, 8, 10), id="the end is a mark, too"),
        pytest.param(0.0, (), id="nothing"),
    ],
)
def test_marks_are_round(most: float, marks: tuple[float, ...]) -> None:
    assert ticks(most) == marks


@given(st.floats(0.001, 1e6))
def test_there_are_never_too_many_marks_nor_none(most: float) -> None:
    marks = ticks(most)
    assert 1 <= len(marks) <= 5
    assert marks[-1] <= most * 1.0001


def test_a_mark_at_the_end_of_the_scale_stays_inside() -> None:
    assert 'x="100.00%" y="12" text-anchor="end">10 s<' in scale(10, (5, 10), "s")
