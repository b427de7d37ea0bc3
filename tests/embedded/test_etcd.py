"""The store against a dictionary: revisions, compare-and-swap, watches, compaction, and death."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from kubetour.embedded import watcher as watcher_module
from kubetour.embedded.etcd import (
    Change,
    CompactedError,
    CompareError,
    Store,
    StoreDamagedError,
    StoreFullError,
    StoreInUseError,
)
from kubetour.embedded.watcher import Watcher

KEYS = st.sampled_from([f"/{bucket}/{space}/{name}" for bucket in "pq" for space in "ab" for name in "xyz"])
PREFIXES = st.sampled_from(["/p/", "/q/", "/p/a/", "/p/b/"])


def drain(watch: Watcher) -> list[Change]:
    found = []
    while (change := watch.poll()) is not None:
        found.append(change)
    return found


class StoreMachine(RuleBasedStateMachine):
    """Random writes, watches, compactions and restarts; the model is a dictionary, and the list of changes.

    A watch sees exactly what the list has after its beginning; where a restart ended it, another goes on.
    """

    watches = Bundle("watches")

    @initialize()
    def open(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.directory.name) / "store.db")
        self.model: dict[str, tuple[str, int]] = {}
        self.log: list[Change] = []
        self.compacted = 0
        self.seen: dict[int, list[Change]] = {}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.directory.cleanup()

    @rule()
    def open_again(self) -> None:
        revision = self.store.revision
        self.store.close()
        self.store = Store(Path(self.directory.name) / "store.db")
        assert self.store.revision == revision
        assert self.store.compacted == self.compacted

    @rule(key=KEYS, value=st.text(max_size=3), stale=st.booleans())
    def put(self, key: str, value: str, stale: bool) -> None:
        present = self.model.get(key, ("", 0))[1]
        before = self.store.revision
        if stale:
            with pytest.raises(CompareError):
                self.store.put(key, value, present + 1)
            assert self.store.revision == before
            return
        revision = self.store.put(key, value, present)
        assert revision == before + 1 == self.store.revision
        previous = self.model[key][0] if key in self.model else None
        self.log.append(Change(revision, key, value, previous, False))
        self.model[key] = (value, revision)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        if key not in self.model:
            with pytest.raises(CompareError):
                self.store.delete(key, "last")
            return
        value, present = self.model.pop(key)
        revision = self.store.delete(key, "last", present)
        self.log.append(Change(revision, key, "last", value, True))

    @rule(target=watches, prefix=PREFIXES, back=st.integers(0, 12))
    def watch(self, prefix: str, back: int) -> tuple[Watcher, str, int]:
        after = max(self.store.revision - back, self.compacted, 1)
        return self.store.watch(prefix, after), prefix, after

    @rule(watch=watches)
    def read(self, watch: tuple[Watcher, str, int]) -> None:
        watcher, prefix, after = watch
        if watcher.closed:
            return
        seen = self.seen.setdefault(id(watcher), [])
        try:
            seen += drain(watcher)
        except CompactedError:
            # It fell so far behind that history is gone; what it had seen up to there is still gapless.
            assert watcher.revision < self.compacted
            watcher.close()
            wanted = [c for c in self.log if c.revision > after and c.key.startswith(prefix)]
            assert seen == wanted[: len(seen)]
            return
        assert seen == [c for c in self.log if c.revision > after and c.key.startswith(prefix)]

    @rule(back=st.integers(0, 6))
    def compact(self, back: int) -> None:
        revision = max(self.store.revision - back, 0)
        self.store.compact(revision)
        self.compacted = max(self.compacted, revision)
        assert self.store.compacted == self.compacted
        self.store.give_back(self.store.pages[1])
        if self.compacted > 0:
            with pytest.raises(CompactedError):
                self.store.watch("/p/", self.compacted - 1)

    @rule(prefix=PREFIXES, back=st.integers(0, 12))
    def range_in_the_past(self, prefix: str, back: int) -> None:
        revision = self.store.revision - back
        if revision < max(self.compacted, 1):
            return
        model: dict[str, str] = {}
        for change in self.log:
            if change.revision <= revision and change.key.startswith(prefix):
                model.pop(change.key, None)
                if not change.deleted:
                    model[change.key] = change.value
        assert [(kv.key, kv.value) for kv in self.store.range(prefix, revision)] == sorted(model.items())

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "store"):
            return
        for key, (value, revision) in self.model.items():
            found = self.store.get(key)
            assert found is not None
            assert (found.value, found.mod_revision) == (value, revision)
        assert len(self.store.range("/p/")) + len(self.store.range("/q/")) == len(self.model)


TestStore = StoreMachine.TestCase


@given(st.lists(KEYS, max_size=60), st.integers(1, 5))
def test_a_reader_that_falls_behind_the_backlog_misses_nothing(keys: list[str], backlog: int) -> None:
    normal, watcher_module.BACKLOG = watcher_module.BACKLOG, backlog
    store = Store(":memory:")
    try:
        watch = store.watch("/p/", store.revision)
        for key in keys:
            store.put(key, "")
        wanted = [key for key in keys if key.startswith("/p/")]
        assert [change.key for change in drain(watch)] == wanted
    finally:
        watcher_module.BACKLOG = normal
        store.close()


def test_what_was_written_is_there_after_the_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = Store(path)
    first.put("/p/a/x", "one")
    first.put("/p/a/x", "two")
    first.put("/p/a/y", "gone")
    last = first.delete("/p/a/y", "gone")
    first.compact(last)
    first.close()
    second = Store(path)
    assert [(kv.key, kv.value) for kv in second.range("/p/")] == [("/p/a/x", "two")]
    assert second.revision == last, "a compacted deletion must not turn the revision back"
    assert second.compacted == last
    second.close()


WRITER = """
import sys
from kubetour.embedded.etcd import Store
store = Store(sys.argv[1])
for number in range(10**6):
    store.put("/p/a/x", str(number))
    print(number, flush=True)
"""


def test_a_store_without_room_says_so_and_goes_on_when_there_is_some(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    store.put("/pods/a", "1")
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages}")
    watcher = store.watch("/pods/", store.revision)
    revision = store.revision
    with pytest.raises(StoreFullError, match="full"):
        store.put("/pods/a", "x" * 200_000)
    assert store.revision == revision
    assert (kept := store.get("/pods/a")) is not None
    assert kept.value == "1"
    store._db.execute("PRAGMA max_page_count=1000000")
    assert store.put("/pods/a", "2") == revision + 1
    watcher.close()
    store.close()


def test_a_file_that_is_no_store_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"rubbish" * 1000)
    with pytest.raises(StoreDamagedError, match="not a database"):
        Store(tmp_path / "store.db")


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(50)]
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
    acknowledged = max(int(line) for line in lines if line.endswith("\n"))
    store = Store(path)
    found = store.get("/p/a/x")
    assert found is not None
    assert int(found.value) >= acknowledged
    assert store.revision == found.mod_revision
    store.close()


def test_a_second_process_is_refused_and_told_why(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store(path)
    store.put("/p/a/x", "")
    with pytest.raises(StoreInUseError, match="another process uses the store"):
        Store(path)
    store.close()


def test_a_waiting_watch_wakes_for_a_write_and_ends_when_closed() -> None:
    async def scenario() -> list[str]:
        store = Store(":memory:")
        watch = store.watch("/p/", store.revision)
        seen: list[str] = []
        arrived = asyncio.Event()

        async def follow() -> None:
            async for change in watch:
                seen.append(change.value)
                arrived.set()

        task = asyncio.create_task(follow())
        await asyncio.sleep(0)
        store.put("/q/a/x", "elsewhere")
        store.put("/p/a/x", "here")
        await arrived.wait()
        store.close()
        await task
        return seen

    assert asyncio.run(scenario()) == ["here"]


def test_a_revision_yet_to_come_cannot_be_read() -> None:
    store = Store(":memory:")
    with pytest.raises(ValueError, match="in the future"):
        store.range("/p/", store.revision + 1)
    store.close()
