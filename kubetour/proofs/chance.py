"""How far a Pod's count of answers may lie from its share when each request picks a Pod at random."""

from __future__ import annotations

import math

LEVEL = 0.95
REACH = 12  # standard deviations from the mean beyond which a term is too small for a double to matter


def expected_range(requests: int, pods: int, level: float = LEVEL) -> tuple[int, int]:
    """Return the least and the greatest count of one Pod's answers that are to be expected.

    A Pod's count is binomial, B(requests, 1/pods); the range lies between the quantiles of (1 - level)/2 and
    (1 + level)/2, each the least count whose distribution function reaches it, so that at least `level` of
    all counts are in it. The probability mass function and both quantiles as in the NIST/SEMATECH e-Handbook
    of Statistical Methods, 1.3.6.6.18: https://www.itl.nist.gov/div898/handbook/eda/section3/eda366i.htm
    """
    if pods <= 1 or requests <= 0:
        return max(requests, 0), max(requests, 0)
    share = 1 / pods
    mean = requests * share
    reach = REACH * math.sqrt(mean * (1 - share)) + REACH
    first, last = max(0, math.floor(mean - reach)), min(requests, math.ceil(mean + reach))
    below, low = 0.0, -1
    for count in range(first, last + 1):
        below += _probability(count, requests, share)
        if low < 0 and below >= (1 - level) / 2:
            low = count
        if below >= (1 + level) / 2:
            return low, count
    return max(low, 0), last


def _probability(count: int, requests: int, share: float) -> float:
    """Return the chance of exactly that count; by logarithms, as the factors alone would overflow."""
    ways = math.lgamma(requests + 1) - math.lgamma(count + 1) - math.lgamma(requests - count + 1)
    return math.exp(ways + count * math.log(share) + (requests - count) * math.log1p(-share))
