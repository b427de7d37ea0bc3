"""Back-off per key, doubling up to a limit: the rules of k8s.io/client-go/util/flowcontrol.Backoff."""

from __future__ import annotations

from dataclasses import dataclass

# Of kubelet: images and containers wait 10 s, 20 s, 40 s … 5 min.
FIRST, LONGEST = 10.0, 300.0


@dataclass
class _Entry:
    delay: float
    updated: float


class Backoff:
    """Delays in seconds; times are a monotonic clock's. What was quiet for twice the limit begins anew."""

    def __init__(self, first: float = FIRST, longest: float = LONGEST) -> None:
        self._first, self._longest = first, longest
        self._entries: dict[str, _Entry] = {}

    def next(self, key: str, now: float) -> None:
        """Note an attempt: the delay after it is double the one before."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, now):
            self._entries[key] = _Entry(self._first, now)
        else:
            self._entries[key] = _Entry(min(entry.delay * 2, self._longest), now)

    def delay(self, key: str) -> float:
        """Return the delay that follows the last attempt; 0 if there was none."""
        entry = self._entries.get(key)
        return entry.delay if entry else 0.0

    def left(self, key: str, since: float, now: float) -> float:
        """Return for how long, after something that happened at `since`, there is still to wait."""
        entry = self._entries.get(key)
        if entry is None or self._expired(entry, since):
            return 0.0
        return max(0.0, since + entry.delay - now)

    def forget(self, key: str) -> None:
        """Drop a key."""
        self._entries.pop(key, None)

    def _expired(self, entry: _Entry, now: float) -> bool:
        return now - entry.updated > 2 * self._longest
