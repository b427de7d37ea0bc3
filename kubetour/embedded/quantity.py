"""resource.Quantity: "100m", "64Mi", 2, "1e3": parsing, and the one canonical form the API gives back."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_PATTERN = re.compile(
    r"^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]+)?\Z"
)
# A number, and letters that suffixes are made of, in no order that is one.
_SUFFIXED = re.compile(r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eEinumkKMGTP]+[-+]?[0-9]*\Z")
_BINARY = {suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {
    suffix: Fraction(10) ** power
    for suffix, power in zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-9, 19, 3), strict=True)
}
_LARGEST_EXPONENT = 99
UNKNOWN_SUFFIX = "unable to parse quantity's suffix"
RULE = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


@lru_cache(maxsize=4096)
def parse(text: str | float) -> Fraction:
    """Return a quantity's exact value; ValueError, with Kubernetes' text, for what is none."""
    return _parse(text)[0]


def _parse(text: str | float) -> tuple[Fraction, str]:
    match = _PATTERN.match(str(text))
    if not match:
        raise ValueError(UNKNOWN_SUFFIX if _SUFFIXED.match(str(text)) else RULE)
    number, suffix = Fraction(match[1]), match[2] or ""
    if suffix in _BINARY:
        return number * _BINARY[suffix], "binary"
    if suffix in _DECIMAL:
        return number * _DECIMAL[suffix], "decimal"
    exponent = int(suffix[1:5] or 0)
    if len(suffix) > 5 or abs(exponent) > _LARGEST_EXPONENT:  # its digits would fill the memory
        raise ValueError(RULE)
    return number * Fraction(10) ** exponent, "exponent"


@lru_cache(maxsize=4096)
def canonical(text: str | float) -> str:
    """Return the form with no fraction and the largest suffix: "1" for "1000m", "512Mi" for "0.5Gi"."""
    return _shown(*_parse(text))


def added(first: str | float, second: str | float) -> str:
    """Return the sum, in the form of the first."""
    value, form = _parse(first)
    return _shown(value + parse(second), form)


def _shown(value: Fraction, form: str) -> str:
    if value == 0:
        return "0"
    if form == "binary" and value.denominator == 1:
        for suffix, factor in reversed(_BINARY.items()):
            if value % factor == 0:
                return f"{value / factor}{suffix}"
        return str(value)
    # Below a nano the API rounds up; a whole number of nanos always remains.
    value = Fraction(-(-value * 10**9 // 1), 10**9)
    for suffix, unit in reversed(_DECIMAL.items()):
        if value % unit == 0:
            exponent = f"e{round(len(str(unit)) - 1)}" if form == "exponent" and unit > 1 else suffix
            return f"{value / unit}{exponent}"
    raise AssertionError("unreachable: the value is a whole number of nanos")
