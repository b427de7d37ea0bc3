"""What the API server tidies as time goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.bootstrap import bootstrap
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.compaction import (
    BATCH,
    INTERVAL_SECONDS,
    compact,
    expire_events,
    give_back,
    keep_compact,
)
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
            for _ in range(9):
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
    asyncio.run(expire_events(registry))
    assert [item["metadata"]["name"] for item in registry.list("events").items] == ["plain", "seen"]
    clock.advance(301)
    asyncio.run(expire_events(registry, event_ttl=300.0))
    assert [item["metadata"]["name"] for item in registry.list("events").items] == []
    registry.create("events", event("new"), "default")
    clock.advance(3601)
    asyncio.run(expire_events(registry))
    assert registry.list("events").items == []
    store.close()


@pytest.fixture
def busy() -> Iterator[Registry]:
    """Return an API with two batches and a half of old Events, and as many revisions."""
    clock, store = FakeClock(), Store(":memory:")
    registry = Registry(store, clock)
    bootstrap(registry, service_ip="127.64.128.1", address="127.0.0.1", port=6443)
    for number in range(BATCH * 5 // 2):
        registry.create("events", event(f"e{number}"), "default")
    clock.advance(3601)
    yield registry
    store.close()


async def turns(work: Coroutine[Any, Any, None], measure: Callable[[], int]) -> list[int]:
    """Return what is measured at each turn of the loop that is somebody else's while the work is done."""
    task, found = asyncio.create_task(work), [measure()]
    while not task.done():
        await asyncio.sleep(0)
        found.append(measure())
    return found


def test_others_have_their_turn_between_batches_of_events_that_go(busy: Registry) -> None:
    found = asyncio.run(turns(expire_events(busy), lambda: len(busy.store.range("/events/"))))
    assert found[-1] == 0
    assert max(before - after for before, after in pairwise(found)) <= BATCH


def test_others_have_their_turn_between_batches_of_revisions_that_go(busy: Registry) -> None:
    last = busy.store.revision
    found = asyncio.run(turns(compact(busy.store, last), lambda: busy.store.compacted))
    assert found[-1] == last
    assert max(after - before for before, after in pairwise(found)) <= BATCH


def test_an_event_that_is_seen_again_while_others_go_stays(busy: Registry) -> None:
    async def scenario() -> None:
        task = asyncio.create_task(expire_events(busy))
        await asyncio.sleep(0)  # it has begun
        newest = busy.list("events").items[-1]["metadata"]["name"]
        busy.patch("events", newest, {"lastTimestamp": rfc3339(busy.clock.now())}, "default")
        await task
        assert [item["metadata"]["name"] for item in busy.list("events").items] == [newest]

    asyncio.run(scenario())


def test_room_that_no_change_needed_for_an_interval_is_given_back(tmp_path: Path) -> None:
    async def scenario() -> list[tuple[int, int]]:
        clock, store = FakeClock(), Store(tmp_path / "state.db")
        registry = Registry(store, clock)
        task = asyncio.create_task(keep_compact(registry))
        await asyncio.sleep(0)  # it has begun
        found = []
        registry.create("namespaces", {"metadata": {"name": "busy"}})
        for changes in (3000, 1, 1, 1):
            for number in range(changes):
                registry.patch("namespaces", "busy", {"metadata": {"labels": {"at": str(number)}}})
            clock.advance(INTERVAL_SECONDS)
            for _ in range(3000 // BATCH + 9):
                await asyncio.sleep(0)
            found.append(store.pages)
        task.cancel()
        store.close()
        return found

    _, freed, given_back, at_rest = asyncio.run(scenario())
    assert freed[1] > freed[0] / 2  # by the compaction; until the next one, changes may need it
    assert given_back[0] < freed[0] / 2
    assert at_rest == given_back
    with closing(Store(tmp_path / "state.db")) as store:
        assert [entry.key for entry in store.range("/namespaces/")] == ["/namespaces/busy"]
        assert (tmp_path / "state.db").stat().st_size < freed[0] / 2 * 4096


def test_others_have_their_turn_between_batches_of_pages_that_go(busy: Registry) -> None:
    for number in range(500):
        busy.patch("events", "e1", {"message": f"{number} {'long ' * 800}"}, "default")
    asyncio.run(compact(busy.store, busy.store.revision))
    whole, free = busy.store.pages
    assert free > 2 * BATCH
    found = asyncio.run(turns(give_back(busy.store), lambda: busy.store.pages[0]))
    assert found[-1] == whole - free
    assert max(before - after for before, after in pairwise(found)) <= BATCH
