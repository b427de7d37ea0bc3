"""Durations as kubectl prints them (k8s.io/apimachinery/pkg/util/duration.HumanDuration)."""

from __future__ import annotations

from datetime import datetime

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 86400 * 365


def human(seconds: float) -> str:
    """Return about two significant units: "5s", "3m50s", "14m", "3h12m", "2d5h", "1y20d"."""
    if seconds < -1:
        return "<invalid>"
    s = max(int(seconds), 0)
    if s < 2 * _MINUTE:
        return f"{s}s"
    if s < 10 * _MINUTE:
        return _two(s // _MINUTE, "m", s % _MINUTE, "s")
    if s < 3 * _HOUR:
        return f"{s // _MINUTE}m"
    if s < 8 * _HOUR:
        return _two(s // _HOUR, "h", s // _MINUTE % 60, "m")
    if s < 2 * _DAY:
        return f"{s // _HOUR}h"
    if s < 8 * _DAY:
        return _two(s // _DAY, "d", s // _HOUR % 24, "h")
    if s < 2 * _YEAR:
        return f"{s // _DAY}d"
    if s < 8 * _YEAR:
        return _two(s // _YEAR, "y", s // _DAY % 365, "d")
    return f"{s // _YEAR}y"


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"


def since(timestamp: str | None, now: datetime) -> str:
    """Return how long ago an RFC 3339 time was; "<unknown>" for none."""
    if not timestamp:
        return "<unknown>"
    return human((now - datetime.fromisoformat(timestamp.replace("Z", "+00:00"))).total_seconds())
