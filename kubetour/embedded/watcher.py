"""A watch on the store: fed directly while it keeps up, and from the log when it does not."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubetour.embedded.etcd import Change, Store

# Changes held in memory for one slow reader; past that it reads the log, so its memory stays bounded.
BACKLOG = 1000


class Watcher:
    """An endless asynchronous iterator of changes. It ends when closed; CompactedError if left behind.

    It starts as one that lags: what happened before it came is read from the log, by the same code that
    serves a slow reader, and only then is it fed directly. So changes arrive in one way and there is no seam.
    """

    def __init__(
        self, store: Store, prefix: str, after: int, on_close: Callable[[Watcher], None] = lambda _: None
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._on_close = on_close
        self._queue: deque[Change] = deque()
        self._lagging = after < store.revision
        self._waiting: asyncio.Future[None] | None = None
        self._closed = False
        self.revision = max(after, 0)

    def offer(self, change: Change) -> None:
        """Take a change that was just written (the store calls this)."""
        if change.revision <= self.revision or not change.key.startswith(self._prefix):
            return
        if not self._lagging:
            self._queue.append(change)
            if len(self._queue) > BACKLOG:
                self._queue.clear()
                self._lagging = True
        self._wake()

    def close(self) -> None:
        """End the iteration; harmless when repeated."""
        if not self._closed:
            self._closed = True
            self._on_close(self)
            self._wake()

    @property
    def closed(self) -> bool:
        """Tell whether the watch has ended."""
        return self._closed

    def __aiter__(self) -> Watcher:
        return self

    async def __anext__(self) -> Change:
        while not self._closed:
            change = self.poll()
            if change is not None:
                return change
            await self.wait()
        raise StopAsyncIteration

    async def wait(self, seconds: float | None = None) -> None:
        """Return when there may be something to poll, when closed, or after that many seconds.

        One waiter at a time.
        """
        if self._closed or self._queue or self._lagging:
            return
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait([self._waiting], timeout=seconds)
        finally:
            self._waiting = None

    def poll(self) -> Change | None:
        """Return the next change if there is one already."""
        if not self._queue and self._lagging:
            self._queue = self._store.history(self._prefix, self.revision, BACKLOG)
            self._lagging = len(self._queue) == BACKLOG
        if not self._queue:
            return None
        change = self._queue.popleft()
        self.revision = change.revision
        return change

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
