"""The expected range of a Pod's answers, against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.proofs.chance import expected_range


@pytest.mark.parametrize(
    ("requests", "pods", "expected"),
    [
        pytest.param(37, 3, (7, 18), id="the tour's default"),
        pytest.param(100, 2, (40, 60), id="a coin"),
        pytest.param(100, 10, (5, 16), id="ten Pods"),
        pytest.param(5, 1, (5, 5), id="one Pod answers all"),
        pytest.param(0, 3, (0, 0), id="no request"),
        pytest.param(1, 50, (0, 0), id="fewer requests than Pods"),
        pytest.param(100_000, 3, (33041, 33626), id="as many as can be asked for"),
    ],
)
def test_the_range_is_that_of_the_binomial_distribution(
    requests: int, pods: int, expected: tuple[int, int]
) -> None:
    assert expected_range(requests, pods) == expected


@given(requests=st.integers(1, 120), pods=st.integers(2, 50))
def test_it_lies_between_the_exact_quantiles(requests: int, pods: int) -> None:
    share = Fraction(1, pods)
    terms = [comb(requests, n) * share**n * (1 - share) ** (requests - n) for n in range(requests + 1)]
    below = [sum(terms[: n + 1]) for n in range(requests + 1)]
    low, high = (next(n for n, p in enumerate(below) if p >= q) for q in (Fraction(1, 40), Fraction(39, 40)))
    assert expected_range(requests, pods) == (low, high)
