"""The queue of keys between watches and a controller: k8s.io/client-go/util/workqueue's rules."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from kubetour.embedded.clock import Clock

Key = TypeVar("Key", bound=Hashable)
# client-go waits 5 ms · 2ⁿ up to 1,000 s; a person who learns should not wait that long for a retry.
_BASE_DELAY, _MAX_DELAY = 0.005, 30.0


class WorkQueue(Generic[Key]):
    """Keys in order of arrival. One that waits already is not added twice; one that is being worked on and
    is added again comes back when that work is done, so no two workers ever hold the same key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._processing: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, tuple[float, asyncio.Task[None]]] = {}
        self._resting: set[asyncio.Task[None]] = set()
        self._wakeup = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Tell whether nothing waits now and nothing is being worked on (timers do not count)."""
        return not self._dirty and not self._processing

    def add(self, key: Key) -> None:
        """Add a key unless it waits already."""
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._order.append(key)
            self._wakeup.set()

    def add_after(self, key: Key, seconds: float) -> None:
        """Add a key when that many seconds have passed; of several such wishes the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        due = self._clock.monotonic() + seconds
        if key in self._timers:
            earlier, task = self._timers[key]
            if earlier <= due:
                return
            task.cancel()
        self._timers[key] = (due, asyncio.get_running_loop().create_task(self._later(key, seconds)))

    async def _later(self, key: Key, seconds: float) -> None:
        await self._clock.sleep(seconds)
        del self._timers[key]
        self.add(key)

    def add_rate_limited(self, key: Key) -> None:
        """Add a key after a delay that doubles with each failure in a row."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(_BASE_DELAY * 2 ** min(failures, 20), _MAX_DELAY))

    def forget(self, key: Key) -> None:
        """End a key's row of failures."""
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """Take the next key, waiting for one; `done` must follow."""
        while not self._order:
            self._wakeup.clear()
            await self._wakeup.wait()
        key = self._order.popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        return key

    def done(self, key: Key) -> None:
        """Say that the work on a key has ended."""
        self._processing.discard(key)
        if key in self._dirty:
            self._order.append(key)
            self._wakeup.set()

    def done_after(self, key: Key, seconds: float) -> None:
        """As `done`, but not before that many seconds have passed, so that the key rests."""
        if seconds <= 0:
            self.done(key)
            return
        task = asyncio.get_running_loop().create_task(self._rest(key, seconds))
        self._resting.add(task)
        task.add_done_callback(self._resting.discard)

    async def _rest(self, key: Key, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self.done(key)

    def close(self) -> None:
        """Cancel the timers."""
        for _, task in self._timers.values():
            task.cancel()
        self._timers.clear()
        for resting in self._resting:
            resting.cancel()
