"""Ages as kubectl prints them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kubetour.embedded.duration import human, since

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (-0.5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (230, "3m50s"),
        (10 * MINUTE, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + 12 * MINUTE, "3h12m"),
        (8 * HOUR + 59 * MINUTE, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 5 * HOUR, "2d5h"),
        (8 * DAY + 5 * HOUR, "8d"),
        (729 * DAY, "729d"),
        (730 * DAY, "2y"),
        (750 * DAY, "2y20d"),
        (365 * 9 * DAY, "9y"),
    ],
)
def test_a_duration_has_about_two_units(seconds: float, text: str) -> None:
    assert human(seconds) == text


def test_an_age_is_counted_from_a_timestamp_of_either_precision() -> None:
    now = datetime(2026, 1, 1, 0, 1, tzinfo=timezone.utc)
    assert since("2026-01-01T00:00:00Z", now) == "60s"
    assert since("2026-01-01T00:00:30.500000Z", now) == "29s"
    assert since(None, now) == "<unknown>"
