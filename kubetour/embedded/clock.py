"""Time as a parameter: components ask a Clock, so that tests need not wait."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timezone
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """What a component may know of time."""

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC: for timestamps that people read."""

    def monotonic(self) -> float:
        """Return seconds that never jump: for deadlines and delays."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Return the seconds since some fixed moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)


def rfc3339(moment: datetime) -> str:
    """Return metav1.Time's form: whole seconds, UTC, a trailing Z."""
    return _whole_seconds(moment.replace(microsecond=0))


@lru_cache(maxsize=16)  # the same second is written many times
def _whole_seconds(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(moment: datetime) -> str:
    """Return metav1.MicroTime's form: microseconds, UTC, a trailing Z."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
