"""What the API server tidies: every five minutes old revisions, and Events that are an hour old.

As kube-apiserver does: a compaction forgets what was superseded before the previous one, so a client may be
at least five minutes behind (`--etcd-compaction-interval`); Events live for an hour (`--event-ttl`).
Room on the disk that nothing needed in five minutes is given back. All is done in batches, between which
others have their turn: thousands at once would hold up every request.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime, timedelta, timezone

from kubetour.embedded.api import StatusError
from kubetour.embedded.clusterconfig import EVENT_TTL
from kubetour.embedded.etcd import Store, StoreFullError
from kubetour.embedded.registry import Registry

_log = logging.getLogger(__name__)
INTERVAL_SECONDS = 300.0
BATCH = 200  # Events, revisions, or pages: a hundredth of a second of work


async def keep_compact(registry: Registry, event_ttl: float = EVENT_TTL) -> None:
    """Tidy the store for ever; end it by cancelling. `event_ttl` is in seconds."""
    previous = registry.store.revision
    while True:
        await registry.clock.sleep(INTERVAL_SECONDS)
        try:
            await give_back(registry.store)
            await expire_events(registry, event_ttl)
            await compact(registry.store, previous)
        except (StatusError, StoreFullError) as error:  # the next time, perhaps
            _log.warning("%s", error)
        else:
            previous = registry.store.revision


async def compact(store: Store, revision: int) -> None:
    """Compact a store to a revision, step by step. StoreFullError."""
    while store.compacted < min(revision, store.revision):
        store.compact(min(store.compacted + BATCH, revision))
        await asyncio.sleep(0)


async def give_back(store: Store) -> None:
    """Give back the pages that are free: before a compaction, what the one before it freed for nothing."""
    _, free = store.pages
    for start in range(0, free, BATCH):
        store.give_back(min(BATCH, free - start))
        await asyncio.sleep(0)


async def expire_events(registry: Registry, event_ttl: float = EVENT_TTL) -> None:
    """Delete the Events that were last written to longer ago than their time to live."""
    oldest = registry.clock.now() - timedelta(seconds=event_ttl)
    for number, entry in enumerate(registry.store.range("/events/")):
        if number % BATCH == 0:
            await asyncio.sleep(0)
        event = json.loads(entry.value)
        if _last_seen(event) < oldest and registry.store.get(entry.key) == entry:  # not seen again meanwhile
            metadata = event["metadata"]
            try:
                registry.delete("events", metadata["name"], metadata["namespace"])
            except StatusError as error:
                if error.reason != "NotFound":
                    raise


def _last_seen(event: dict[str, object]) -> datetime:
    series = event.get("series")
    last = series.get("lastObservedTime") if isinstance(series, dict) else None
    metadata = event["metadata"]
    created = metadata.get("creationTimestamp") if isinstance(metadata, dict) else None
    text = str(last or event.get("lastTimestamp") or event.get("eventTime") or created)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
