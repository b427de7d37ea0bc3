"""What all controllers share: a queue of keys, the caches that fill it, and one loop that calls `sync(key)`.

Level-triggered: an event only says which key to look at; `sync` compares what is wanted with what is there
and does what is missing. A controller is `Name(api: Informers, clock: Clock, ...)` with `async def run()`,
which ends only when cancelled.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock
from kubetour.embedded.informer import Informer, Informers, Key, controller_of, key_of
from kubetour.embedded.workqueue import WorkQueue

__all__ = ["Controller", "Informer", "Informers", "Key", "WorkQueue", "controller_of", "key_of"]
K = TypeVar("K", bound=Hashable)
# A large object's sync takes long, and each of its many Pods asks for one. So a key rests for some times as
# long as its sync took, and what changes meanwhile is one sync, not many: however many Pods there are, a key
# takes a twentieth of the process' time at most. A small one does not rest at all: its endpoints would come
# late. One that has not done all that it has to do (the next thousand Pods) leaves as much time as it took to
# who goes on with what it made.
_REST, _SHORTEST_REST, _LONGEST_REST = 19, 0.2, 1.0
_log = logging.getLogger(__name__)


class Controller(ABC, Generic[K]):
    """One worker on one queue. Subclasses follow resources in __init__ and implement `sync`."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        self.api = api
        self.clock = clock
        self.queue: WorkQueue[K] = WorkQueue(clock)
        self._followed: list[Informer] = []

    def follow(
        self, resource: str, handler: Callable[[Object | None, Object | None], None] | None = None
    ) -> Informer:
        """Keep a copy of a resource before and while `sync` runs; `handler` turns changes into keys."""
        informer = self.api.of(resource)
        self._followed.append(informer)
        if handler:
            informer.add_handler(handler)
        return informer

    @abstractmethod
    def sync(self, key: K) -> bool | None:
        """Bring what the key names to its wanted state; an exception has it tried again, later and later.

        True says that this is a part of it, and that the change just made brings the key back for the rest.
        """

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await self.api.synced(*self._followed)
            while True:
                key = await self.queue.get()
                began, worked = self.clock.monotonic(), time.thread_time()
                partly = self._process(key)
                # On a busy machine much of the time is other processes': a small sync stays a small one.
                took = min(self.clock.monotonic() - began, time.thread_time() - worked)
                self.queue.done_after(key, _rest(took, partly=partly))
                # One key at a time, then everybody else's turn: nobody's watches or connections wait long.
                await asyncio.sleep(0)
        finally:
            self.queue.close()

    def _process(self, key: K) -> bool:
        try:
            partly = self.sync(key)
        except StatusError as error:
            # Somebody else was faster (conflict, not found): quite normal, look again.
            if error.code not in (404, 409):
                _log.warning("%s: %s: %s", type(self).__name__, key, error.message)
            self.queue.add_rate_limited(key)
        except Exception:
            _log.exception("%s: %s: unexpected error", type(self).__name__, key)
            self.queue.add_rate_limited(key)
        else:
            self.queue.forget(key)
            return bool(partly)
        return False


def _rest(took: float, *, partly: bool) -> float:
    """Return the seconds that a key rests after a sync that took so many."""
    if partly:
        return took
    rest = min(_REST * took, _LONGEST_REST)
    return rest if rest >= _SHORTEST_REST else 0.0
