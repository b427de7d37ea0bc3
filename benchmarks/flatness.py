"""Whether a measure stays flat: the median of the last quarter of the samples against the second's.

The first quarter is left to caches that fill. Only growth counts: what shrinks is no leak.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

MOST = 1.10  # of the second quarter's median


def quarters(values: Sequence[float]) -> tuple[float, float]:
    """Return the medians of the second and of the last quarter; ValueError for fewer than four values."""
    if len(values) < 4:
        raise ValueError(f"{len(values)} samples are too few: each quarter needs one")
    size = len(values) / 4
    second, last = values[int(size) : int(2 * size)], values[int(3 * size) :]
    return statistics.median(second), statistics.median(last)


def growth(values: Sequence[float], slack: float = 0.0) -> float:
    """Return the last quarter's median as a part of the second's; within `slack` of it, that is 1.0 at most.

    `slack` is for what is counted in a few, where one more is more than a tenth.
    """
    second, last = quarters(values)
    if last <= second + slack:
        return min(last / second, 1.0) if second else 1.0
    return last / second if second else last


def slope(seconds: Sequence[float], values: Sequence[float]) -> float:
    """Return the growth per hour of the best line through the last three quarters."""
    start = len(values) // 4
    if len(values) - start < 2:
        return 0.0
    return statistics.linear_regression(seconds[start:], values[start:]).slope * 3600
