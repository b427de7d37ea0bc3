"""What happened to resources, change by change, as the watches told it. Callers hold the lock."""

from __future__ import annotations

import time
from collections.abc import Mapping

from kubetour.checks import Change, Object

Store = Mapping[str, Object]  # by uid


class Recording:
    """Every change of some resources, in order; first, as ADDED, what was there. By time.monotonic."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        now = time.monotonic()
        self._looks = frozenset(stores)
        self._changes = [
            Change(now, name, "ADDED", item) for name, store in stores.items() for item in store.values()
        ]

    def add(self, change: Change) -> None:
        """Keep a change if it is of one of the resources."""
        if change.resource in self._looks:
            self._changes.append(change)

    def changes(self) -> tuple[Change, ...]:
        """Return the changes so far."""
        return tuple(self._changes)


class Recorder:
    """Tells the recordings that are under way of every change."""

    def __init__(self) -> None:
        self._recordings: list[Recording] = []

    def begin(self, stores: Mapping[str, Store]) -> Recording:
        """Return a recording that begins with what is there."""
        recording = Recording(stores)
        self._recordings.append(recording)
        return recording

    def end(self, recording: Recording) -> None:
        """Let a recording hear of nothing more."""
        self._recordings.remove(recording)

    def told(self, resource: str, event: str, item: Object) -> None:
        """Take a change that a watch has told."""
        change = Change(time.monotonic(), resource, event, item)
        for recording in self._recordings:
            recording.add(change)

    def listed(self, resource: str, before: Store, now: Store) -> None:
        """Take a list that comes after a watch that broke off: what differs has happened in between."""
        for uid, item in now.items():
            if before.get(uid) != item:
                self.told(resource, "MODIFIED" if uid in before else "ADDED", item)
        for uid in before.keys() - now.keys():
            self.told(resource, "DELETED", before[uid])
