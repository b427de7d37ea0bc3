"""What the API server tidies as time goes by."""

from __future__ import annotations

import asyncio
from typing import Any

from kubetour.embedded.bootstrap import bootstrap
from kubetour.embedded.compaction import INTERVAL_SECONDS, expire_events, keep_compact
from kubetour.embedded.etcd import Store
from kubetour.embedded.registry import Registry
from tests.embedded.controlplane import FakeClock


def event(name: str, **fields: Any) -> Any:
    about = {"kind": "Pod", "name": "p", "namespace": "default"}
    return {"metadata": {"name": name}, "involvedObject": about, **fields}


def test_a_compaction_leaves_the_last_interval_readable() -> None:
    async def scenario() -> None:
        clock, store = FakeClock(), Store(":memory:")
        registry = Registry(store, clock)
        task = asyncio.create_task(keep_compact(registry))
        await asyncio.sleep(0)
        marks = []
        for name in ("one", "two"):
            registry.create("namespaces", {"metadata": {"name": name}})
            marks.append(store.revision)
            clock.advance(INTERVAL_SECONDS)
            for _ in range(3):
                await asyncio.sleep(0)
        assert store.compacted == marks[0]
        task.cancel()
        store.close()

    asyncio.run(scenario())


def test_events_live_for_an_hour_after_they_were_last_seen() -> None:
    clock, store = FakeClock(), Store(":memory:")
    registry = Registry(store, clock)
    bootstrap(registry, service_ip="127.64.128.1", address="127.0.0.1", port=6443)
    registry.create("events", event("old", lastTimestamp="2026-01-02T02:00:00Z"), "default")
    seen = {"count": 2, "lastObservedTime": "2026-01-02T03:00:00.000000Z"}
    registry.create("events", event("seen", eventTime="2026-01-01T00:00:00.000000Z", series=seen), "default")
    registry.create("events", event("plain"), "default")
    expire_events(registry)
    assert [item["metadata"]["name"] for item in registry.list("events").items] == ["plain", "seen"]
    clock.advance(301)
    expire_events(registry, event_ttl=300.0)
    assert [item["metadata"]["name"] for item in registry.list("events").items] == []
    registry.create("events", event("new"), "default")
    clock.advance(3601)
    expire_events(registry)
    assert registry.list("events").items == []
    store.close()
