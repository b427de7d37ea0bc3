"""Quantities: exact values and the one canonical form."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded import quantity


@pytest.mark.parametrize(
    ("given_text", "canonical"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1500m", "1500m"),
        (2, "2"),
        (0.1, "100m"),
        ("0", "0"),
        ("0Mi", "0"),
        ("64Mi", "64Mi"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("1000k", "1M"),
        ("1e3", "1e3"),
        ("-5", "-5"),
        ("+1", "1"),
        (".5", "500m"),
        ("100000000n", "100m"),
        ("0.0000000001", "1n"),
        ("12E", "12E"),
    ],
)
def test_the_canonical_form(given_text: str | float, canonical: str) -> None:
    assert quantity.canonical(given_text) == canonical


@pytest.mark.parametrize("text", ["", "x", "1 Mi", "1KiB", "--1", "1.2.3"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity.canonical(text)


@pytest.mark.parametrize("text", ["1mi", "64K", "2GG"])
def test_letters_that_are_no_suffix_are_said_to_be_so(text: str) -> None:
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        quantity.canonical(text)


@given(
    st.integers(-(10**6), 10**6),
    st.sampled_from(["n", "u", "m", "", "k", "M", "G", "Ki", "Mi", "Gi"]),
)
def test_the_canonical_form_is_the_same_amount_and_canonical_itself(number: int, suffix: str) -> None:
    text = quantity.canonical(f"{number}{suffix}")
    assert quantity.parse(text) == quantity.parse(f"{number}{suffix}")
    assert quantity.canonical(text) == text


def test_values_are_exact() -> None:
    assert quantity.parse("1m") * 1000 == 1
    assert quantity.parse("1Ki") == Fraction(1024)


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [("100m", "1", "1100m"), ("500m", "500m", "1"), ("16Mi", "48Mi", "64Mi"), ("1Gi", "1M", "1074741824")],
)
def test_a_sum_has_the_form_of_its_first_part(first: str, second: str, total: str) -> None:
    assert quantity.added(first, second) == total
